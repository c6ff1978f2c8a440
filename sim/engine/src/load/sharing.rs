//! How one link shares its capacity among classes of inelastic traffic.

use crate::net::Scheduling;

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

    proptest! {
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
