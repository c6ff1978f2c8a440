//! Options of links: queueing, memory, marks, shares of tenants, bills.

use super::Resolver;
use super::network::dict;
use crate::table::Entity;
use crate::typed::{Data, Fields};
use steerlab_engine::net::{Billing, LinkModel, Queueing, Scheduling};

impl Resolver<'_> {
    pub(super) fn link_model(&mut self, fields: &Fields) -> LinkModel {
        let default = LinkModel::default();
        let tenant_weights = self.tenant_weights(fields);
        let (word, detail) = match fields.fields("queueing") {
            Some(detail) => (detail.text("model"), Some(detail)),
            None => (fields.text("queueing"), None),
        };
        let queueing = match word.map_or("", |word| &**word) {
            "mm1" => Queueing::Mm1,
            "md1" => Queueing::Md1,
            "mg1" => Queueing::Mg1,
            _ => Queueing::None,
        };
        let packet_bytes = detail.and_then(|detail| detail.count("packet"));
        let cv2 = detail.and_then(|detail| detail.number("cv2"));
        LinkModel {
            queueing,
            packet_bits: packet_bytes.map_or(default.packet_bits, |bytes| bytes as f64 * 8.0),
            packet_cv2: cv2.unwrap_or(default.packet_cv2),
            backlog: fields.flag("backlog").unwrap_or(false),
            ecn: fields.time("ecn"),
            tenant_weights,
            billing: fields.fields("billing").map(|billing| Billing {
                price_per_mbps: billing.number("price_per_mbps").unwrap_or(0.0),
                commit_bps: billing.count("commit").unwrap_or(0),
                percentile: billing.number("percentile").unwrap_or(0.95),
            }),
        }
    }

    /// How classes share a link.
    pub(super) fn scheduling(&mut self, fields: &Fields) -> Scheduling {
        let Some(shares) = fields.fields("scheduling") else { return Scheduling::StrictPriority };
        if shares.get("weights").is_none() {
            return Scheduling::StrictPriority;
        }
        let mut weights: Vec<f64> =
            self.out.classes.rows().iter().map(|class| class.weight).collect();
        self.weigh(Entity::Class, shares, "weights", &mut weights);
        Scheduling::Weighted(weights)
    }

    /// How tenants share what a class gets; empty where they do not.
    fn tenant_weights(&mut self, fields: &Fields) -> Vec<f64> {
        let count = self.out.tenants.len();
        let Some(shares) = fields.fields("scheduling") else {
            let word = fields.text("scheduling");
            let by_tenant = word.is_some_and(|word| &**word == "per-tenant");
            return if by_tenant { vec![1.0; count] } else { Vec::new() };
        };
        if shares.get("tenants").is_none() {
            return Vec::new();
        }
        let mut weights = vec![1.0; count];
        self.weigh(Entity::Tenant, shares, "tenants", &mut weights);
        weights
    }

    /// Replaces the weights of what is named; not all may be zero.
    fn weigh(&mut self, of: Entity, fields: &Fields, key: &str, weights: &mut [f64]) {
        for (name, weight) in dict(fields, key) {
            let found = self.find(of, name);
            if let (Some(index), Data::Number(weight)) = (found, &weight.data) {
                weights[index as usize] = *weight;
            }
        }
        if weights.iter().sum::<f64>() <= 0.0 {
            let (message, help) = if of == Entity::Class {
                ("the weights of all classes are zero", "give at least one class a weight")
            } else {
                ("the weights of all tenants are zero", "give at least one tenant a weight")
            };
            self.error("E0405", fields.span, message.to_owned(), help);
        }
    }
}
