//! Real routers to compare with: BIRD 2, and the tool that makes network namespaces.

use crate::shell::{self, command};

/// Whether both are here.
fn installed() -> bool {
    shell::works(command("bird").arg("--version")) && shell::works(command("ip").arg("-V"))
}

/// Installs what is missing, if that is possible. Where it is not, the test that wants it says so
/// and checks nothing; that ends up among the skipped things.
pub fn install() {
    if !installed()
        && let Err(reason) = shell::apt_install(&["bird2", "iproute2"])
    {
        println!("no real routers to compare with: {reason}");
    }
}
