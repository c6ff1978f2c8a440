use super::*;
use crate::kernel::SimTime;
use crate::net::ArcId;

fn at(seconds: f64) -> Moment {
    Moment::ZERO.after(seconds)
}

fn ends(sim: &mut FlowSim, until: Moment) -> Vec<(u64, f64)> {
    let mut ends = Vec::new();
    sim.advance(until, &mut |done| ends.push((done.tag, done.at.seconds())));
    ends
}

#[test]
fn two_flows_share_and_speed_up() {
    let mut sim = FlowSim::new(&[10.0]);
    let path = [ArcId(0)];
    sim.arrival(at(0.0), &FlowSpec { tag: 1, ..FlowSpec::plain(&path, 100.0) });
    sim.arrival(at(4.0), &FlowSpec { tag: 2, ..FlowSpec::plain(&path, 20.0) });
    assert_eq!(sim.next_completion(), Some(at(8.0)));
    // 60 bits left at 4 s; 40 at 8 s, then alone.
    assert_eq!(ends(&mut sim, at(20.0)), [(2, 8.0), (1, 12.0)]);
    assert_eq!(sim.active(), 0);
    assert_eq!(sim.carried_bits(ArcId(0), 0), 120.0);
    assert_eq!(sim.next_completion(), None);
}

#[test]
fn caps_priorities_and_background() {
    let mut sim = FlowSim::new(&[10.0]);
    let path = [ArcId(0)];
    sim.set_background(ArcId(0), 0, 2.0);
    let capped = FlowSpec { cap_bps: Some(3.0), tag: 1, ..FlowSpec::plain(&path, 30.0) };
    sim.arrival(at(0.0), &capped);
    let low = FlowSpec { priority: 1, tag: 2, ..FlowSpec::plain(&path, 66.0) };
    let low = sim.arrival(at(0.0), &low);
    assert_eq!(sim.rate_bps(low), Some(5.0));
    // 50 bits in 10 s, then 8 a second.
    assert_eq!(ends(&mut sim, at(100.0)), [(1, 10.0), (2, 12.0)]);
    assert_eq!(sim.carried_bits(ArcId(0), 0), 30.0);
    assert_eq!(sim.carried_bits(ArcId(0), 1), 66.0);
}

#[test]
fn stopped_rerouted_and_cancelled() {
    let mut sim = FlowSim::new(&[10.0, 5.0]);
    let one = sim.arrival(at(0.0), &FlowSpec { tag: 1, ..FlowSpec::plain(&[ArcId(0)], 100.0) });
    let two = sim.arrival(at(0.0), &FlowSpec { tag: 2, ..FlowSpec::plain(&[ArcId(0)], 100.0) });
    assert!(ends(&mut sim, at(4.0)).is_empty());
    assert_eq!(sim.left_bits(one), Some(80.0));
    sim.set_capacity(ArcId(0), 0.0);
    assert_eq!(sim.next_completion(), None);
    assert!(ends(&mut sim, at(6.0)).is_empty());
    assert!(sim.reroute(one, &[ArcId(1)]));
    assert_eq!(sim.cancel(two), Some(80.0));
    assert_eq!(sim.cancel(two), None);
    assert_eq!(ends(&mut sim, Moment::from(SimTime(u64::MAX / 2))), [(1, 22.0)]);
    assert!(!sim.reroute(one, &[ArcId(0)]));
    assert_eq!(sim.carried_bits(ArcId(1), 0), 80.0);
}

#[test]
fn flows_that_nothing_holds_back_finish_at_once() {
    let mut sim = FlowSim::new(&[f64::INFINITY]);
    sim.arrival(at(1.0), &FlowSpec { tag: 1, ..FlowSpec::plain(&[], 5.0) });
    sim.arrival(at(1.0), &FlowSpec { tag: 2, ..FlowSpec::plain(&[ArcId(0)], 5.0) });
    let capped = FlowSpec { tag: 3, cap_bps: Some(5.0), ..FlowSpec::plain(&[], 5.0) };
    sim.arrival(at(1.0), &capped);
    let mut found = ends(&mut sim, at(3.0));
    found.sort_by_key(|end| end.0);
    assert_eq!(found, [(1, 1.0), (2, 1.0), (3, 2.0)]);
}

#[test]
fn classes_and_slots_do_not_pile_up() {
    let mut sim = FlowSim::new(&[1e9; 64]);
    let mut t = 0.0;
    for i in 0..20_000_u32 {
        let path = [ArcId(i % 64), ArcId((i / 64) % 63 + 64).min(ArcId(63))];
        let path = if path[0] == path[1] { &path[..1] } else { &path[..] };
        t += 1e-3;
        sim.advance(at(t), &mut |_| {});
        let cap = 1e6 * f64::from(i + 1);
        sim.arrival(at(t), &FlowSpec { cap_bps: Some(cap), ..FlowSpec::plain(path, 1e3) });
    }
    assert!(sim.sizes() < 12_000, "{}", sim.sizes());
}
