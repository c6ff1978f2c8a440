//! The request level: 100 servers, first come first served, exponential service, load 0.9, behind
//! two choices at random, all statistics on.

use crate::{measure, p2c};
use steerlab_engine::kernel::Stream;
use steerlab_engine::load::balance::{Ask, Balancer, Seen};
use steerlab_engine::load::requests::{ArrivalSpec, Cell, CellSpec, Discipline, ServerSpec};

const SERVERS: u32 = 100;
const LOAD: f64 = 0.9;
const WARM_UP: u64 = 200_000;

/// The less loaded of two different servers; the first of equals. The least a balancer can do.
#[derive(Debug)]
struct TwoChoices;

impl Balancer for TwoChoices {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let servers = seen.outstanding.len() as u64;
        let first = draw.below(servers) as usize;
        let second = (first + 1 + draw.below(servers - 1) as usize) % servers as usize;
        let better = seen.outstanding[first] <= seen.outstanding[second];
        Some(if better { first } else { second } as u32)
    }
}

/// Prints completions per processor second.
///
/// # Errors
/// If the mean time in the system is not the known one.
pub fn print(requests: u64, repeats: usize) -> Result<(), String> {
    let mut best = 0.0_f64;
    for _ in 0..repeats {
        let server = ServerSpec::new(Discipline::Fifo, 1, 1.0);
        let arrival = ArrivalSpec::poisson(1, LOAD * f64::from(SERVERS), 1.0);
        let spec = CellSpec::new(vec![arrival], vec![server; SERVERS as usize]);
        let mut cell = Cell::new(&spec, vec![Box::new(TwoChoices)]);
        cell.advance_ended(WARM_UP);
        cell.take_stats();
        let before = measure::own_cpu_seconds();
        cell.advance_ended(requests);
        let seconds = measure::own_cpu_seconds() - before;
        let total = cell.stats().total();
        let mean_s = total.latency_s_mean();
        let rate = requests as f64 / seconds;
        best = best.max(rate);
        println!(
            "{:.2} M completions / CPU s ({:.0} ns each); mean {mean_s:.4} s, p99 {:.3} s",
            rate / 1e6,
            1e9 / rate,
            total.latency.quantile_ms(0.99) / 1e3,
        );
        let tolerance = p2c::SOJOURN_SECONDS_TOLERANCE * (1e7 / requests as f64).sqrt();
        if (mean_s - p2c::SOJOURN_SECONDS_MEAN).abs() > tolerance {
            return Err(format!("the mean should be {}", p2c::SOJOURN_SECONDS_MEAN));
        }
    }
    println!("best of {repeats}: {:.2} M completions / CPU s", best / 1e6);
    Ok(())
}
