//! The request level against theory. Means over 30 replications must hold the exact value inside a
//! 99 % interval (Student's t with 29 degrees of freedom). Seeds are fixed. Values: textbook
//! formulas, and for the joined shortest queue, round robin and the closed loop the tables of
//! known answers (numerical solution of the chains).

use steerlab_engine::kernel::{SimSpan, SimTime, Stream};
use steerlab_engine::load::balance::{Ask, Balancer, Seen};
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{
    ArrivalSpec, Cause, Cell, CellSpec, CellStats, ClientSpec, ConnectionSpec, Discipline,
    FrontSpec, Level, Path, Pattern, Protocol, RetryBudget, RetrySpec, ServerSpec,
};

/// Evenly at random.
#[derive(Debug)]
struct AtRandom;

impl Balancer for AtRandom {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let able: Vec<u32> =
            (0..seen.weight.len()).filter(|at| seen.takes_work(*at)).map(|at| at as u32).collect();
        able.get(draw.below(able.len() as u64) as usize).copied()
    }
}

/// One after the other.
#[derive(Debug, Default)]
struct Turns(u32);

impl Balancer for Turns {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, _: &mut Stream) -> Option<u32> {
        self.0 = (self.0 + 1) % seen.weight.len() as u32;
        Some(self.0)
    }
}

/// The shortest queue of all, ties at random.
#[derive(Debug)]
struct Shortest;

impl Balancer for Shortest {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let least = *seen.outstanding.iter().min()?;
        let all: Vec<u32> = (0_u32..)
            .zip(seen.outstanding)
            .filter(|(_, count)| **count == least)
            .map(|(at, _)| at)
            .collect();
        all.get(draw.below(all.len() as u64) as usize).copied()
    }
}

fn at_random() -> Vec<Box<dyn Balancer>> {
    vec![Box::new(AtRandom)]
}

const REPLICATIONS: u32 = 30;
/// Student's t, 29 degrees of freedom, 99.5 %.
const T_99: f64 = 2.756;

/// Runs replications: drops what ends first, then measures.
fn replicate<const N: usize>(
    spec: &CellSpec,
    balancers: impl Fn() -> Vec<Box<dyn Balancer>>,
    (warm_up, measured): (u64, u64),
    measure: impl Fn(&CellStats) -> [f64; N],
) -> [Vec<f64>; N] {
    let mut samples = std::array::from_fn(|_| Vec::new());
    for replication in 0..REPLICATIONS {
        let spec = CellSpec { replication, ..spec.clone() };
        let mut cell = Cell::new(&spec, balancers());
        assert!(cell.advance_ended(warm_up));
        cell.take_stats();
        assert!(cell.advance_ended(measured));
        let stats = cell.take_stats();
        for (sample, value) in samples.iter_mut().zip(measure(&stats)) {
            sample.push(value);
        }
    }
    samples
}

fn assert_holds(what: &str, sample: &[f64], exact: f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = T_99 * (variance / n).sqrt();
    println!("{what}: {mean:.5} ± {half:.5}, exact {exact:.5}");
    assert!((mean - exact).abs() <= half, "{what}: {mean} ± {half}, exact {exact}");
    // An interval so wide that it holds anything proves nothing.
    assert!(half <= 0.12 * exact, "{what}: the interval is too wide: {half} of {exact}");
}

fn latency(stats: &CellStats) -> [f64; 1] {
    [stats.total().latency_s_mean()]
}

fn one_server(rate: f64, law: Law, server: ServerSpec) -> CellSpec {
    let arrival = ArrivalSpec { service: law, ..ArrivalSpec::poisson(7, rate, 1.0) };
    CellSpec::new(vec![arrival], vec![server])
}

const SHORT: (u64, u64) = (2_000, 20_000);

#[test]
fn one_queue_answers_as_mm1_and_its_level_obeys_little() {
    let spec = one_server(0.8, Law::Exponential, ServerSpec::new(Discipline::Fifo, 1, 1.0));
    let [t, n, rho, p99] = replicate(&spec, at_random, SHORT, |stats| {
        let server = stats.servers[0];
        let total = stats.total();
        assert!((server.in_system_mean - total.in_system_mean).abs() < 1e-9);
        let p99 = total.latency.quantile_ms(0.99) / 1e3;
        [total.latency_s_mean(), server.in_system_mean, server.utilisation, p99]
    });
    assert_holds("M/M/1 sojourn", &t, 5.0);
    assert_holds("M/M/1 number", &n, 4.0);
    assert_holds("M/M/1 utilisation", &rho, 0.8);
    assert_holds("M/M/1 p99 of sojourn", &p99, 23.0259);
}
