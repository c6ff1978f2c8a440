//! Admission against arithmetic, against itself (rates against single requests) and against
//! control theory.

#![allow(clippy::disallowed_methods)] // Expected values by the platform's powers.

use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::load::admission::{
    AttackFilter, Control, FilterTerms, Shed, ShedTerms, Stage, Tenant, TokenBucket,
    weighted_shares,
};

fn stream(purpose: &'static str, entity: u64) -> Stream {
    Stream::new(StreamKey { seed: 20_261_121, replication: 0, purpose, entity })
}

fn close(ours: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((ours - expected).abs() <= tolerance, "{what}: {ours}, expected {expected}");
}

#[test]
fn a_bucket_passes_its_burst_and_its_rate() {
    for (rate, burst, offered, span_s) in
        [(100.0, 50.0, 300.0, 10.0), (1e9, 3e9, 2e9, 60.0), (0.0, 5.0, 1.0, 100.0)]
    {
        let mut whole = TokenBucket::new(rate, burst, 0.0);
        let passed = whole.admit(offered, span_s);
        close(passed.passed / (burst + rate * span_s), 1.0, 1e-12, "burst + r t");
        close(passed.passed + passed.throttled, offered * span_s, 1e-9 * offered * span_s, "all");
        // In however many parts.
        let mut parts = TokenBucket::new(rate, burst, 0.0);
        let sum: f64 = (0..97).map(|_| parts.admit(offered, span_s / 97.0).passed).sum();
        close(sum / passed.passed, 1.0, 1e-9, "in parts");
    }
    // Shorter than the burst lasts, everything passes.
    let mut bucket = TokenBucket::new(100.0, 50.0, 0.0);
    assert_eq!(bucket.empty_in_s(300.0), Some(0.25));
    assert_eq!(bucket.admit(300.0, 0.1).throttled, 0.0);
    close(bucket.tokens(), 30.0, 1e-12, "tokens left");
    // It fills while less is offered, up to the burst.
    assert_eq!(bucket.admit(50.0, 0.2).throttled, 0.0);
    close(bucket.tokens(), 40.0, 1e-12, "refilled");
    bucket.admit(0.0, 10.0);
    assert_eq!(bucket.tokens(), 50.0);
    assert_eq!(bucket.empty_in_s(100.0), None);
}

#[test]
fn single_requests_pass_as_rates_do() {
    let mut fluid = TokenBucket::new(100.0, 50.0, 0.0);
    let mut single = TokenBucket::new(100.0, 50.0, 0.0);
    let (mut passed, mut draw, mut at_s) = (0.0, stream("bucket", 0), 0.0);
    for (offered, until_s) in [(50.0, 10.0), (400.0, 12.0), (20.0, 14.0), (300.0, 20.0)] {
        let expected = fluid.admit(offered, until_s - at_s).passed;
        let mut requests = 0;
        loop {
            let gap_s = draw.exponential() / offered;
            if at_s + gap_s >= until_s {
                break;
            }
            at_s += gap_s;
            requests += 1;
            passed += f64::from(u8::from(single.decide(at_s, 1.0)));
        }
        at_s = until_s;
        // Tokens come and go with chance below the rate only; above it the bucket decides.
        let spread = 4.0 * f64::from(requests).sqrt();
        close(passed, expected, spread.max(60.0), &format!("until {until_s}"));
        passed = 0.0;
    }
    // A request takes all its tokens or none.
    let mut bucket = TokenBucket::new(1.0, 10.0, 0.0);
    assert!(bucket.decide(0.0, 8.0));
    assert!(!bucket.decide(1.0, 8.0));
    close(bucket.tokens(), 3.0, 1e-12, "what was refused took nothing");
    assert!(bucket.decide(6.0, 8.0));
}

#[test]
fn a_throttled_tenant_costs_others_nothing() {
    // V11: conforming traffic fits into the capacity, so nobody but the greedy one loses.
    let capacity = 1000.0;
    let mut bucket = TokenBucket::new(300.0, 100.0, 0.0);
    bucket.admit(2000.0, 10.0);
    let greedy = bucket.passing_per_s(2000.0);
    assert_eq!(greedy, 300.0);
    let offers = [greedy, 400.0, 300.0].map(|offered| Tenant { weight: 1.0, offered });
    assert_eq!(weighted_shares(capacity, &offers), vec![300.0, 400.0, 300.0]);
}

#[test]
fn shares_are_weighted_max_min() {
    let tenant = |weight, offered| Tenant { weight, offered };
    // One content, two that want more, by weight.
    let shares = weighted_shares(10.0, &[tenant(1.0, 100.0), tenant(1.0, 1.0), tenant(2.0, 100.0)]);
    assert_eq!(shares, vec![3.0, 1.0, 6.0]);
    assert_eq!(weighted_shares(10.0, &[tenant(5.0, 2.0), tenant(1.0, 3.0)]), vec![2.0, 3.0]);
    assert_eq!(weighted_shares(10.0, &[]), Vec::<f64>::new());
    assert_eq!(weighted_shares(0.0, &[tenant(1.0, 1.0)]), vec![0.0]);
    for case in 0..2000 {
        let mut draw = stream("shares", case);
        let tenants: Vec<Tenant> = (0..1 + draw.below(9))
            .map(|_| tenant(0.1 + draw.uniform() * 5.0, draw.uniform() * draw.uniform() * 10.0))
            .collect();
        let capacity = draw.uniform() * 20.0;
        let shares = weighted_shares(capacity, &tenants);
        let offered: f64 = tenants.iter().map(|tenant| tenant.offered).sum();
        let given: f64 = shares.iter().sum();
        close(given, offered.min(capacity), 1e-12 * capacity.max(1.0), "work conserving");
        let level = |index: usize| shares[index] / tenants[index].weight;
        for (index, tenant) in tenants.iter().enumerate() {
            assert!(shares[index] <= tenant.offered);
            if shares[index] < tenant.offered - 1e-12 {
                for other in 0..tenants.len() {
                    assert!(level(other) <= level(index) + 1e-9, "case {case}");
                }
            }
        }
    }
}

/// A queue fed with what a controller admits: delays by period, and the parts at the end.
fn queue(terms: ShedTerms, offered: &[f64], periods: usize) -> (Vec<f64>, Vec<f64>) {
    let mut shed = Shed::new(terms, offered.len());
    let (mut delay_s, mut delays) = (0.0_f64, Vec::new());
    for _ in 0..periods {
        let parts = shed.look(delay_s, offered).to_vec();
        let work: f64 = offered
            .iter()
            .zip(&parts)
            .map(|(work, part)| work * (part + (1.0 - part) * terms.error_cost))
            .sum();
        delay_s = (delay_s + terms.period_s * (work - 1.0)).max(0.0);
        delays.push(delay_s);
    }
    (delays, shed.parts().to_vec())
}

#[test]
fn shedding_keeps_the_delay_and_takes_the_lowest_class_first() {
    let offered = [0.6, 0.5, 0.7];
    for pole in [0.0, 0.5, 0.8] {
        for error_cost in [0.0, 0.1] {
            let control = Control::pi(0.1, pole);
            let terms = ShedTerms { target_s: 0.02, period_s: 0.1, control, error_cost };
            let (delays, parts) = queue(terms, &offered, 400);
            close(delays[399], 0.02, 1e-12, "settled at the target");
            // Both roots at the pole, from an empty queue that fills to the target in one period.
            for (period, delay) in delays.iter().take(60).enumerate() {
                let expected = 0.02 * (1.0 + period as f64 * f64::powi(pole, period as i32 + 1));
                close(*delay, expected, 1e-9, &format!("pole {pole}, period {period}"));
            }
            assert_eq!((parts[0], parts[2]), (1.0, 0.0));
            // .6 + .5 p + (what is turned away) x cost = 1
            let expected = (0.4 - error_cost * (0.5 + 0.7)) / (0.5 * (1.0 - error_cost));
            close(parts[1], expected, 1e-6, "the class in between");
        }
    }
    // Nothing is shed below capacity, whatever happened before.
    let mut shed = Shed::new(
        ShedTerms {
            target_s: 0.02,
            period_s: 0.1,
            control: Control::pi(0.1, 0.5),
            error_cost: 0.0,
        },
        2,
    );
    for _ in 0..50 {
        shed.look(0.5, &[3.0, 3.0]);
    }
    for _ in 0..50 {
        shed.look(0.0, &[0.4, 0.5]);
    }
    assert_eq!(shed.parts(), [1.0, 1.0]);
    assert!(shed.decide(1, 0.999_999));
}

#[test]
fn aimd_saws_around_the_target() {
    let control = Control::Aimd { increase: 0.02, decrease: 0.1 };
    let terms = ShedTerms { target_s: 0.05, period_s: 0.1, control, error_cost: 0.0 };
    let (delays, _) = queue(terms, &[0.7, 0.8], 2000);
    let late = &delays[1000..];
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    assert!(mean > 0.01 && mean < 0.1, "mean {mean}");
    let crossings = late.windows(2).filter(|w| (w[0] > 0.05) != (w[1] > 0.05)).count();
    assert!(crossings > 50, "it saws: {crossings} crossings");
}

#[test]
fn gains_beyond_the_criterion_are_unstable() {
    let period_s = 0.1;
    for (kp, ki, stable) in [
        (0.75, 0.25, true),
        (1.0, 1.0, true),
        (1.9, 0.1, true),
        (2.1, 0.1, false),
        (1.0, 2.1, false),
        (0.5, 0.0, false),
        (0.0, 0.5, false),
    ] {
        let control =
            Control::Pi { proportional_per_s: kp / period_s, integral_per_s: ki / period_s };
        assert_eq!(control.stable(period_s), stable, "h Kp {kp}, h Ki {ki}");
        // The linear loop itself: distance from the target after many periods.
        let (mut delay, mut before, mut admitted) = (1.0_f64, 1.0_f64, 0.0_f64);
        for _ in 0..3000 {
            admitted -= kp / period_s * (delay - before) + ki / period_s * delay;
            before = delay;
            delay += period_s * admitted;
            if delay.abs() > 1e6 {
                break;
            }
        }
        assert_eq!(delay.abs() < 1e-6, stable, "h Kp {kp}, h Ki {ki}: {delay}");
    }
    for pole in [0.0, 0.3, 0.5, 0.9, 0.99] {
        assert!(Control::pi(0.2, pole).stable(0.2));
    }
}

#[test]
fn draws_shed_as_parts_say() {
    let control = Control::pi(1.0, 0.5);
    let terms = ShedTerms { target_s: 0.1, period_s: 1.0, control, error_cost: 0.0 };
    let mut shed = Shed::new(terms, 2);
    for _ in 0..100 {
        shed.look(0.1, &[0.5, 1.0]);
    }
    let part = shed.parts()[1];
    assert!(part > 0.0 && part < 1.0);
    let mut draw = stream("shed", 0);
    let n = 100_000;
    let admitted = (0..n).filter(|_| shed.decide(1, draw.uniform())).count();
    let error = 4.0 * (part * (1.0 - part) / f64::from(n)).sqrt();
    close(admitted as f64 / f64::from(n), part, error, "admitted");
}

fn terms() -> FilterTerms {
    FilterTerms {
        local_delay_s: 3.0,
        global_delay_s: 10.0,
        false_positive: 0.01,
        leak: 0.05,
        hold_s: 60.0,
    }
}

#[test]
fn sites_learn_alone_then_all_know() {
    let mut filter = AttackFilter::new(terms(), 3);
    assert_eq!(filter.next_change_s(0.0), None);
    filter.observe(0, 100.0, true);
    filter.observe(1, 101.0, true);
    assert_eq!(filter.next_change_s(100.0), Some(103.0));
    assert_eq!(filter.stage(0, 102.9), Stage::Open);
    assert_eq!(filter.stage(0, 103.0), Stage::Local);
    assert_eq!(filter.stage(1, 103.0), Stage::Open);
    assert_eq!(filter.stage(1, 104.0), Stage::Local);
    assert_eq!(filter.stage(2, 112.9), Stage::Open);
    assert_eq!(filter.stage(2, 113.0), Stage::Global);
    assert_eq!(filter.passing(2, 113.0), (0.05, 0.99));
    assert_eq!(filter.passing(2, 112.0), (1.0, 1.0));
    // A site that the attack reaches later has the signature at once.
    filter.observe(2, 120.0, true);
    assert_eq!(filter.stage(2, 120.0), Stage::Global);
    assert_eq!(filter.stage(2, 123.0), Stage::Local);
    // It leaves; signatures stay for a while.
    for site in 0..3 {
        filter.observe(site, 200.0, false);
    }
    assert_eq!(filter.next_change_s(200.0), Some(260.0));
    assert_eq!(filter.stage(0, 259.9), Stage::Local);
    assert_eq!(filter.stage(0, 260.0), Stage::Open);
    // And everything starts anew.
    filter.observe(1, 300.0, true);
    assert_eq!(filter.stage(1, 302.9), Stage::Open);
    assert_eq!(filter.stage(0, 312.9), Stage::Open);
    assert_eq!(filter.stage(0, 313.0), Stage::Global);
}

#[test]
fn an_attack_shorter_than_its_detection_teaches_nothing() {
    let mut filter = AttackFilter::new(terms(), 2);
    filter.observe(0, 10.0, true);
    filter.observe(0, 12.0, false);
    for at_s in [12.0, 13.0, 20.0, 30.0] {
        assert_eq!(filter.stage(0, at_s), Stage::Open);
        assert_eq!(filter.stage(1, at_s), Stage::Open);
    }
}

#[test]
fn single_requests_are_filtered_in_proportion() {
    let mut filter = AttackFilter::new(terms(), 1);
    filter.observe(0, 0.0, true);
    let mut draw = stream("filter", 0);
    let n = 200_000;
    let mut passing = |attack| {
        (0..n).filter(|_| filter.decide(0, 5.0, attack, draw.uniform())).count() as f64
            / f64::from(n)
    };
    close(passing(true), 0.05, 0.002, "leak");
    close(passing(false), 0.99, 0.001, "legitimate");
    assert!(filter.decide(0, 2.9, true, 0.999));
}
