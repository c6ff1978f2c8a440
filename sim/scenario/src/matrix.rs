//! Recorded traffic matrices.

use steerlab_engine::kernel::SimTime;

/// A recorded series of traffic matrices, piecewise constant.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedMatrix {
    /// Instants from which each row holds, ascending, the first at 0.
    pub times: Vec<SimTime>,
    /// (from, to) node ids.
    pub pairs: Vec<(String, String)>,
    /// Rates in bit/s, row after row.
    pub rates_bps: Vec<f64>,
}

/// Reads a matrix file.
///
/// # Errors
/// Always, so far.
pub fn read(_bytes: &[u8]) -> Result<RecordedMatrix, String> {
    Err("matrix files cannot be read yet".into())
}
