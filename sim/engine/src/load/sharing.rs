//! How one link shares its capacity among classes of inelastic traffic, and inside a class among
//! tenants.

use crate::net::Scheduling;

/// What decides how a link shares its capacity.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Among classes.
    pub scheduling: &'a Scheduling,
    /// Among tenants inside a class, in tenant order; empty: all lose the same proportion.
    pub tenant_weights: &'a [f64],
    /// Queues of a class: 1, or the number of tenants.
    pub tenants: usize,
    /// Capacity, bit/s.
    pub capacity_bps: f64,
}

/// Share of what arrives in each queue that a link carries, written into `carried_ratio` (1 where
/// nothing arrives). Queues are classes, or (class, tenant) with classes first.
///
/// Work-conserving: if more arrives than fits, the capacity is used in full. What a class carries
/// does not depend on how its tenants share it.
pub fn queue_ratios(shape: &Shape<'_>, arrival_bps: &[f64], carried_ratio: &mut [f64]) {
    let tenants = shape.tenants;
    if tenants == 1 {
        class_ratios(shape.scheduling, shape.capacity_bps, arrival_bps, carried_ratio);
        return;
    }
    let total: f64 = arrival_bps.iter().sum();
    if total <= shape.capacity_bps {
        carried_ratio.fill(1.0);
        return;
    }
    let classes: Vec<f64> =
        arrival_bps.chunks(tenants).map(|class| class.iter().sum::<f64>()).collect();
    let mut ratios = vec![1.0; classes.len()];
    class_ratios(shape.scheduling, shape.capacity_bps, &classes, &mut ratios);
    for (class, (&ratio, &arrival)) in ratios.iter().zip(&classes).enumerate() {
        let queues = class * tenants..(class + 1) * tenants;
        let out = &mut carried_ratio[queues.clone()];
        if ratio >= 1.0 || shape.tenant_weights.is_empty() {
            out.fill(ratio);
        } else {
            weighted(shape.tenant_weights, ratio * arrival, &arrival_bps[queues], out);
        }
    }
}

/// Share of what arrives in each class that a link carries, written into `carried_ratio` (1 where
/// nothing arrives). Inside a class all traffic loses the same proportion.
///
/// Work-conserving: if more arrives than fits, the capacity is used in full.
pub fn class_ratios(
    scheduling: &Scheduling,
    capacity_bps: f64,
    arrival_bps: &[f64],
    carried_ratio: &mut [f64],
) {
    let total: f64 = arrival_bps.iter().sum();
    if total <= capacity_bps {
        carried_ratio.fill(1.0);
        return;
    }
    match scheduling {
        Scheduling::StrictPriority => strict(capacity_bps, arrival_bps, carried_ratio),
        Scheduling::Weighted(weights) => {
            weighted(weights, capacity_bps, arrival_bps, carried_ratio)
        }
    }
}

fn ratio(carried: f64, arrival: f64) -> f64 {
    if arrival > 0.0 { (carried / arrival).min(1.0) } else { 1.0 }
}

fn strict(capacity_bps: f64, arrival_bps: &[f64], carried_ratio: &mut [f64]) {
    let mut left = capacity_bps;
    for (out, &arrival) in carried_ratio.iter_mut().zip(arrival_bps) {
        let carried = arrival.min(left);
        *out = ratio(carried, arrival);
        left = (left - carried).max(0.0);
    }
}

/// Water-filling: classes that want less than their weighted share get all they want, and what
/// they leave is shared again among the others. Classes of weight zero get what is left in the
/// end, in proportion to what arrives.
fn weighted(weights: &[f64], capacity_bps: f64, arrival_bps: &[f64], carried_ratio: &mut [f64]) {
    let mut satisfied = vec![false; arrival_bps.len()];
    let mut left = capacity_bps;
    loop {
        let weight: f64 = (0..weights.len()).filter(|&i| !satisfied[i]).map(|i| weights[i]).sum();
        if weight <= 0.0 {
            let rest = |i: &usize| !satisfied[*i];
            let arriving: f64 = (0..weights.len()).filter(rest).map(|i| arrival_bps[i]).sum();
            (0..weights.len()).filter(rest).for_each(|i| carried_ratio[i] = ratio(left, arriving));
            return;
        }
        let fits = |i: usize| arrival_bps[i] * weight <= left * weights[i];
        let Some(next) = (0..weights.len()).find(|&i| !satisfied[i] && fits(i)) else {
            for i in (0..weights.len()).filter(|&i| !satisfied[i]) {
                carried_ratio[i] = ratio(left * weights[i] / weight, arrival_bps[i]);
            }
            return;
        };
        satisfied[next] = true;
        carried_ratio[next] = 1.0;
        left = (left - arrival_bps[next]).max(0.0);
        if satisfied.iter().all(|&done| done) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn carried(scheduling: &Scheduling, capacity: f64, arrival: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; arrival.len()];
        class_ratios(scheduling, capacity, arrival, &mut out);
        out.iter().zip(arrival).map(|(ratio, arrival)| ratio * arrival).collect()
    }

    #[test]
    fn strict_priority_by_hand() {
        assert_eq!(carried(&Scheduling::StrictPriority, 10.0, &[4.0, 8.0, 5.0]), [4.0, 6.0, 0.0]);
    }

    #[test]
    fn weighted_by_hand() {
        // Shares of 12 at weights 1:2:3 are 2, 4, 6; the first wants only 1, so 11 are left for
        // 2:3, which is 4.4 and 6.6.
        let scheduling = Scheduling::Weighted(vec![1.0, 2.0, 3.0]);
        let got = carried(&scheduling, 12.0, &[1.0, 9.0, 9.0]);
        for (value, expected) in got.iter().zip([1.0, 4.4, 6.6]) {
            assert!((value - expected).abs() < 1e-12, "{got:?}");
        }
    }

    #[test]
    fn weight_zero_gets_what_the_others_leave() {
        let scheduling = Scheduling::Weighted(vec![0.0, 1.0, 0.0]);
        assert_eq!(carried(&scheduling, 12.0, &[6.0, 8.0, 2.0]), [3.0, 8.0, 1.0]);
        assert_eq!(carried(&scheduling, 12.0, &[6.0, 20.0, 2.0]), [0.0, 12.0, 0.0]);
    }

    #[test]
    fn tenants_share_what_their_class_gets() {
        // Strict: the first class takes 6 of 10; in the second 4 are left for tenants of weights
        // 1:3 that want 0.5 and 9.
        let shape = Shape {
            scheduling: &Scheduling::StrictPriority,
            tenant_weights: &[1.0, 3.0],
            tenants: 2,
            capacity_bps: 10.0,
        };
        let arrival = [2.0, 4.0, 0.5, 9.0];
        let mut ratio = [0.0; 4];
        queue_ratios(&shape, &arrival, &mut ratio);
        let carried: Vec<f64> = ratio.iter().zip(arrival).map(|(r, a)| r * a).collect();
        assert_eq!(carried, [2.0, 4.0, 0.5, 3.5]);
        // Both want more than their share.
        let arrival = [2.0, 4.0, 7.0, 9.0];
        queue_ratios(&shape, &arrival, &mut ratio);
        let carried: Vec<f64> = ratio.iter().zip(arrival).map(|(r, a)| r * a).collect();
        assert_eq!(carried, [2.0, 4.0, 1.0, 3.0]);
        let alike = Shape { tenant_weights: &[], ..shape };
        queue_ratios(&alike, &arrival, &mut ratio);
        assert_eq!(ratio, [1.0, 1.0, 0.25, 0.25]);
    }

    proptest! {
        #[test]
        fn tenants_never_change_what_a_class_carries(
            arrival in prop::collection::vec(0.0..1e12_f64, 6),
            weights in prop::collection::vec(0.01..100.0_f64, 3),
            capacity in 1.0..1e12_f64,
        ) {
            let shape = |tenant_weights| Shape {
                scheduling: &Scheduling::StrictPriority,
                tenant_weights,
                tenants: 3,
                capacity_bps: capacity,
            };
            let (mut fair, mut alike) = ([0.0; 6], [0.0; 6]);
            queue_ratios(&shape(&weights), &arrival, &mut fair);
            queue_ratios(&shape(&[]), &arrival, &mut alike);
            for class in [0..3, 3..6] {
                let sum = |ratio: &[f64; 6]| -> f64 { class.clone().map(|i| ratio[i] * arrival[i]).sum() };
                prop_assert!((sum(&fair) - sum(&alike)).abs() <= 1e-9 * capacity);
                // Nobody who loses has less per weight than another of the class.
                for i in class.clone().filter(|&i| fair[i] < 1.0) {
                    for j in class.clone() {
                        let level = |k: usize| fair[k] * arrival[k] / weights[k % 3];
                        prop_assert!(level(i) >= level(j) * (1.0 - 1e-9));
                    }
                }
            }
        }


        #[test]
        fn never_above_capacity_and_work_conserving(
            arrival in prop::collection::vec(0.0..1e12_f64, 1..6),
            weights in prop::collection::vec(0.01..100.0_f64, 6),
            capacity in 1.0..1e12_f64,
        ) {
            let n = arrival.len();
            for scheduling in [Scheduling::StrictPriority, Scheduling::Weighted(weights[..n].to_vec())] {
                let sum: f64 = carried(&scheduling, capacity, &arrival).iter().sum();
                let offered: f64 = arrival.iter().sum();
                prop_assert!(sum <= capacity * (1.0 + 1e-12) || sum <= offered);
                prop_assert!((sum - capacity.min(offered)).abs() <= 1e-9 * capacity.min(offered));
            }
        }
    }
}
