//! Our side: the same flows on the engine's flow simulator.

use super::platform::{Flow, Platform, mix};
use crate::measure::{cpu_seconds, memory_mib_peak};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::load::flows::{FlowSim, FlowSpec, Moment};
use steerlab_engine::net::ArcId;

fn simulator(platform: &Platform) -> FlowSim {
    let capacity_bps: Vec<f64> = platform.links.iter().map(|bytes| bytes * 8.0).collect();
    FlowSim::new(&capacity_bps)
}

fn paths(platform: &Platform) -> Vec<Vec<ArcId>> {
    let path = |links: &Vec<u32>| links.iter().map(|&link| ArcId(link)).collect();
    platform.routes.iter().map(|route| path(&route.links)).collect()
}

/// Seconds at which each flow of a platform ends.
pub fn timed(platform: &Platform) -> Vec<f64> {
    let paths = paths(platform);
    let mut sim = simulator(platform);
    let mut ends = vec![f64::NAN; platform.flows.len()];
    let mut order: Vec<usize> = (0..platform.flows.len()).collect();
    order.sort_by_key(|&flow| platform.flows[flow].start_ns);
    for index in order {
        let flow = platform.flows[index];
        let start = Moment::from(SimTime(flow.start_ns));
        sim.advance(start, &mut |done| ends[done.tag as usize] = done.at.seconds());
        let path = &paths[flow.route];
        let spec = FlowSpec {
            cap_bps: flow.cap.map(|bytes| bytes * 8.0),
            tag: index as u64,
            ..FlowSpec::plain(path, flow.bytes as f64 * 8.0)
        };
        sim.arrival(start, &spec);
    }
    sim.advance(Moment::NEVER, &mut |done| ends[done.tag as usize] = done.at.seconds());
    ends
}

/// The flow that a slot sends after `sent` others, exponential with mean 10 MB between two nodes
/// drawn alike: as in `peer.cpp`.
fn draw(slot: u64, sent: u64, hosts: u64) -> Flow {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let key = mix(mix(slot + 1).wrapping_add(sent));
    let word = |n: u64| mix(key.wrapping_add(STEP.wrapping_mul(n)));
    let source = word(1) % hosts;
    let target = (source + 1 + word(2) % (hosts - 1)) % hosts;
    let uniform = ((word(3) >> 11) + 1) as f64 / 9_007_199_254_740_992.0;
    Flow {
        start_ns: 0,
        route: (source * hosts + target) as usize,
        bytes: (-uniform.ln() * 1e7) as u64 + 1,
        cap: None,
    }
}

/// What a closed loop came to.
#[derive(Clone, Copy)]
pub struct Closed {
    /// Flows that ended behind the first.
    pub flows: u64,
    /// Processor seconds they took.
    pub cpu_seconds: f64,
    /// Seconds on the clock of the simulation when it was looked at.
    pub clock: f64,
    pub memory_mib_peak: f64,
}

/// Plays `slots` slots, each sending one flow after the other, until at least `flows` have ended
/// behind the first and at least `seconds` of processor time are spent. Says what had come to pass
/// after exactly `flows`, and at the end. The clock is that when `check` had ended.
pub fn closed(
    platform: &Platform,
    slots: u64,
    flows: u64,
    check: u64,
    seconds: f64,
) -> [Closed; 2] {
    let paths = paths(platform);
    let mut sim = simulator(platform);
    let hosts = platform.hosts as u64;
    let mut sent = vec![0_u64; slots as usize];
    let mut send = |sim: &mut FlowSim, at: Moment, slot: u64| {
        let flow = draw(slot, sent[slot as usize], hosts);
        sent[slot as usize] += 1;
        let spec =
            FlowSpec { tag: slot, ..FlowSpec::plain(&paths[flow.route], flow.bytes as f64 * 8.0) };
        sim.arrival(at, &spec);
    };
    (0..slots).for_each(|slot| send(&mut sim, Moment::ZERO, slot));
    let (mut ended, mut begin, mut target, mut clock) = (0, 0.0, flows, 0.0);
    let mut first = None;
    let mut done = Vec::new();
    while let Some(at) = sim.next_completion() {
        sim.advance(at, &mut |completion| done.push(completion.tag));
        for slot in done.drain(..) {
            if ended == 0 {
                begin = cpu_seconds();
            }
            if ended == check {
                clock = at.seconds();
            }
            if ended == target {
                let (cpu_seconds, memory_mib_peak) = (cpu_seconds() - begin, memory_mib_peak());
                let now = Closed { flows: target, cpu_seconds, clock, memory_mib_peak };
                let first = *first.get_or_insert(now);
                if cpu_seconds >= seconds {
                    return [first, now];
                }
                target *= 2;
            }
            ended += 1;
            send(&mut sim, at, slot);
        }
    }
    unreachable!("a slot always sends")
}
