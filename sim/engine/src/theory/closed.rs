//! Closed loops: a fixed number of clients who think, ask and wait for the answer.
//!
//! Source: M. Reiser and S. S. Lavenberg, Mean-Value Analysis of Closed Multichain Queuing
//! Networks (1980).

/// What a closed loop gives.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Requests finished per second.
    pub throughput: f64,
    /// Mean time of a request at all stations, s.
    pub response: f64,
    /// Mean number at each station.
    pub numbers: Vec<f64>,
}

/// Exact mean-value analysis of single-server stations with exponential service, or processor
/// sharing with any. `demands` is the mean work of one request at each station, s; `think` the
/// mean time between an answer and the next request, s.
#[must_use]
pub fn mean_values(clients: u64, think: f64, demands: &[f64]) -> Loop {
    assert!(clients > 0 && think >= 0.0 && !demands.is_empty());
    let mut numbers = vec![0.0; demands.len()];
    let (mut throughput, mut response) = (0.0, 0.0);
    for n in 1..=clients {
        let times: Vec<f64> =
            demands.iter().zip(&numbers).map(|(demand, number)| demand * (1.0 + number)).collect();
        response = times.iter().sum::<f64>();
        throughput = n as f64 / (think + response);
        numbers = times.iter().map(|time| throughput * time).collect();
    }
    Loop { throughput, response, numbers }
}
