//! What the page must hold.

use crate::fake::{USUAL, view};

#[test]
fn same_view_same_bytes() {
    let view = view(USUAL);
    assert_eq!(steerlab_report::html(&view), steerlab_report::html(&view));
}
