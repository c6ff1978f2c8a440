//! Recorded traffic matrices: CSV with the columns `time_ns,from,to,rate_bps`, sorted by time and
//! pair, every pair at every instant.

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
/// What is wrong, in words.
pub fn read(bytes: &[u8]) -> Result<RecordedMatrix, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let mut lines = text.lines();
    if lines.next() != Some("time_ns,from,to,rate_bps") {
        return Err("its first line is not `time_ns,from,to,rate_bps`".into());
    }
    let mut matrix = RecordedMatrix { times: Vec::new(), pairs: Vec::new(), rates_bps: Vec::new() };
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let [time, from, to, rate] = cells.as_slice() else {
            return Err(format!("this line does not have four cells: {line}"));
        };
        let time = SimTime(time.parse().map_err(|_| "an instant is not a whole number")?);
        if matrix.times.last() != Some(&time) {
            matrix.times.push(time);
        }
        if matrix.times.len() == 1 {
            matrix.pairs.push(((*from).to_owned(), (*to).to_owned()));
        }
        matrix.rates_bps.push(rate.parse().map_err(|_| "a rate is not a number")?);
    }
    Ok(matrix)
}
