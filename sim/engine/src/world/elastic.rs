//! What elastic demands ask for: weights and limits of their bundles; and what TCP makes of an
//! answer's time.

use super::World;
use crate::load::elastic::Wish;
use crate::load::tcp::rate_bps;
use crate::scenario::Source;

impl World<'_> {
    /// Wishes by bundle; empty where no service is elastic. A client group's demand counts its
    /// requests per second times the service's weight, a transfer the weight alone.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        if self.scenario.services.rows().iter().all(|service| service.elastic.is_none()) {
            return Vec::new();
        }
        let mut wishes = vec![Wish::default(); self.bundles.list.len()];
        for (index, demand) in self.scenario.demands.rows().iter().enumerate() {
            let service = &self.scenario.services[demand.service];
            let (Some(elastic), Some(number)) = (service.elastic, self.bundles.of_demand[index])
            else {
                continue;
            };
            if self.scenario.plays_flows(demand.service) {
                // Its flows share links one by one.
                continue;
            }
            let rate = self.demands.rate[index];
            if rate <= 0.0 {
                continue;
            }
            let wish = &mut wishes[number as usize];
            let unlimited = wish.weight == 0.0;
            let transfer = matches!(demand.source, Source::Node(_));
            wish.weight += elastic.weight * if transfer { 1.0 } else { rate };
            let limit = service.tcp.zip(service.tcp.and_then(|tcp| tcp.flows).map(f64::from));
            match limit {
                Some((tcp, flows)) if transfer => {
                    let more = wish.transfer.map_or(0.0, |(_, flows)| flows);
                    wish.transfer = Some((tcp, flows + more));
                    wish.cap_bps = f64::INFINITY;
                }
                Some((tcp, flows)) => {
                    let rtt_s = self.bundles.fate[index].rtt_ns as f64 * 1e-9;
                    let cap_bps = flows * rate_bps(&tcp, rtt_s, 0.0);
                    wish.cap_bps = cap_bps + if unlimited { 0.0 } else { wish.cap_bps };
                }
                None => wish.cap_bps = f64::INFINITY,
            }
        }
        wishes
    }
}
