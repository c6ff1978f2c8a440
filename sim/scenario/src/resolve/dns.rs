//! DNS: names, resolvers, caches.

use super::Resolver;
use super::network::dict;
use crate::limits;
use crate::table::Entity;
use crate::typed::Fields;
use steerlab_engine::kernel::Id;
use steerlab_engine::scenario::{Caches, DnsName, PrefixId, ResolverId, SharedResolver};

/// Shares as people write them add up to 1 with this error at most.
const ROUNDING: f64 = 1e-9;

impl Resolver<'_> {
    /// Called when prefixes and client groups are known.
    pub(super) fn dns(&mut self, fields: &Fields) {
        let Some(dns) = fields.fields("dns") else { return };
        self.out.dns.caches = self.caches(dns);
        for (index, name) in dns.rows("names").enumerate() {
            self.define(Entity::DnsName, name, index);
            self.dns_name(name);
        }
        for (index, resolver) in dns.rows("resolvers").enumerate() {
            self.define(Entity::DnsResolver, resolver, index);
            self.out.dns.resolvers.push(SharedResolver {
                id: resolver.string("id"),
                location: resolver.point("at"),
                ecs: resolver.flag("ecs").unwrap_or(false),
            });
        }
        if !self.out.dns.is_empty() {
            self.mixes(dns);
        }
    }

    fn caches(&mut self, dns: &Fields) -> Caches {
        let otherwise = Caches::default();
        let caches = Caches {
            floor_share: dns.number("floor_share").unwrap_or(otherwise.floor_share),
            ttl_floor: dns.time("ttl_floor").unwrap_or(otherwise.ttl_floor),
            sticky_share: dns.number("sticky_share").unwrap_or(otherwise.sticky_share),
            sticky_mean: dns.time("sticky_mean").unwrap_or(otherwise.sticky_mean),
        };
        if caches.floor_share + caches.sticky_share > 1.0 {
            let message = "`floor_share` and `sticky_share` add up to more than 100 %".to_owned();
            let help = "lower one of them; what they leave obeys the `ttl`";
            self.error("E0413", dns.place("sticky_share"), message, help);
        }
        caches
    }

    fn dns_name(&mut self, fields: &Fields) {
        let candidates = self.candidates(fields);
        let mut weights = vec![0.0; candidates.len()];
        let given = dict(fields, "weights");
        for (prefix, weight) in given {
            let Some(id) = self.find(Entity::Prefix, prefix).map(PrefixId) else { continue };
            match candidates.iter().position(|&candidate| candidate == id) {
                Some(at) => weights[at] = weight.number().unwrap_or(0.0),
                None => self.not_an_answer(prefix.span, &fields.string("id")),
            }
        }
        match (given.is_empty(), weights.first_mut()) {
            (true, Some(first)) => *first = 1.0,
            _ => {
                self.some_weight(fields, "weights");
                let total: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|weight| *weight /= total.max(f64::MIN_POSITIVE));
            }
        }
        self.out.dns.names.push(DnsName {
            id: fields.string("id"),
            ttl: fields.time("ttl").unwrap_or(steerlab_engine::kernel::SimSpan::from_seconds(60)),
            candidates,
            weights,
        });
    }

    /// The prefixes of `answers` in the order written: the first is the default.
    fn candidates(&mut self, fields: &Fields) -> Vec<PrefixId> {
        let mut candidates: Vec<PrefixId> = Vec::new();
        for value in fields.items("answers") {
            let Some(id) = self.find(Entity::Prefix, value).map(PrefixId) else { continue };
            if candidates.contains(&id) {
                let message = "this prefix is listed already".to_owned();
                self.error("E0302", value.span, message, "list it once");
            } else {
                candidates.push(id);
            }
        }
        candidates
    }

    /// Weights of prefixes: not all of them 0.
    pub(super) fn some_weight(&mut self, fields: &Fields, key: &str) {
        let given = dict(fields, key);
        let none = given.iter().all(|(_, weight)| weight.number().is_some_and(|w| w <= 0.0));
        if none && !given.is_empty() {
            let message = "no answer has a weight above 0".to_owned();
            let help = format!("give one of them a weight, or leave `{key}` out");
            self.error("E0405", fields.place(key), message, &help);
        }
    }

    pub(super) fn not_an_answer(&mut self, span: crate::source::Span, name: &str) {
        let message = format!("this prefix is not one of the answers of `{name}`");
        let help = "name one of the prefixes in its `answers`, or add this one there";
        self.error("E0414", span, message, help);
    }

    /// Who asks through which shared resolver.
    fn mixes(&mut self, dns: &Fields) {
        let groups = self.out.client_groups.len();
        let mut mixes: Vec<Vec<(ResolverId, f64)>> = vec![Vec::new(); groups];
        let mut entries = 0;
        for (index, resolver) in dns.rows("resolvers").enumerate() {
            let mut shares = vec![resolver.number("share").unwrap_or(0.0); groups];
            for (group, share) in dict(resolver, "shares") {
                let Some(group) = self.find(Entity::ClientGroup, group) else { continue };
                shares[group as usize] = share.number().unwrap_or(0.0);
            }
            entries += shares.iter().filter(|&&share| share > 0.0).count() as u64;
            if entries > limits::DEMANDS_MAX {
                let message = format!(
                    "shares of client groups behind resolvers become more than {}",
                    limits::DEMANDS_MAX
                );
                let help = "list fewer resolvers, or give `shares` of single client groups";
                self.error("E0303", resolver.span, message, help);
                return;
            }
            for (mix, share) in mixes.iter_mut().zip(shares) {
                if share > 0.0 {
                    mix.push((ResolverId::from_index(index), share));
                }
            }
            let above = |mix: &Vec<(ResolverId, f64)>| {
                mix.iter().map(|(_, share)| share).sum::<f64>() > 1.0 + ROUNDING
            };
            if let Some(group) = mixes.iter().position(above) {
                let id = &self.out.client_groups.rows()[group].id;
                let message = format!(
                    "with this resolver more than 100 % of the requests of `{id}` are behind \
                     shared resolvers"
                );
                let help = "lower the shares; what they leave asks through its own resolver";
                self.error("E0413", resolver.place("share"), message, help);
                return;
            }
        }
        self.out.dns.mixes = mixes;
    }
}
