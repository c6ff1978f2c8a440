//! Caches and admission at sites.

use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::load::admission::{Control, FilterTerms, ShedTerms};
use steerlab_engine::load::cache::Popularity;
use steerlab_engine::net::{NodeId, SiteId};
use steerlab_engine::scenario::{
    CachedService, ServiceId, ShedPlan, SiteCache, TenantBucket, TenantId,
};

impl Resolver<'_> {
    /// Called when sites, services and demands are known.
    pub(super) fn edge(&mut self, fields: &Fields) {
        for (index, service) in fields.rows("services").enumerate() {
            if let Some(content) = service.fields("cache") {
                self.content(ServiceId(u32::try_from(index).unwrap_or(u32::MAX)), content);
            }
        }
        match fields.fields("caches") {
            Some(caches) => self.edge_caches(caches),
            None => self.content_without_caches(fields),
        }
        if let Some(admission) = fields.fields("admission") {
            self.admission(admission);
        }
    }

    fn content(&mut self, service: ServiceId, fields: &Fields) {
        let popularity = match fields.chosen() {
            Some(("objects", value)) => Popularity::Zipf {
                objects: value.count().unwrap_or(1),
                alpha: fields.number("zipf").unwrap_or(0.8),
            },
            Some((_, value)) => {
                let weights: Vec<f64> = value.items().iter().filter_map(Value::number).collect();
                if weights.iter().sum::<f64>() <= 0.0 {
                    let message = "these weights add up to zero".to_owned();
                    self.error("E0405", value.span, message, "give one a weight above 0");
                }
                Popularity::Weights(Arc::new(weights))
            }
            None => return,
        };
        let response = self.out.services.get(service).map_or(1.0, |row| row.response_bytes);
        let object_bytes = fields.count("object_size").map_or(response, |bytes| bytes as f64);
        if object_bytes <= 0.0 {
            let message = "objects of this service have no bytes".to_owned();
            self.error("E0202", fields.place("object_size"), message, "make it 1 byte or more");
        }
        let ttl = fields.time("ttl");
        self.out.caches.services.push(CachedService { service, popularity, object_bytes, ttl });
    }

    fn content_without_caches(&mut self, fields: &Fields) {
        let given = fields.rows("services").find_map(|service| service.get("cache"));
        if let Some(value) = given {
            let message = "this service has `cache`, but the scenario has no `caches`".to_owned();
            let help = "add `caches` with an `origin`, or leave `cache` out";
            self.error("E0102", value.span, message, help);
        }
    }

    /// Sites of a key that is `all` or a list.
    fn sites_of(&mut self, fields: &Fields) -> Vec<SiteId> {
        match fields.get("sites").map(|value| &value.data) {
            Some(Data::Text(_)) => self.out.network.sites.ids().collect(),
            _ => {
                let found = self.references(Entity::Site, fields, "sites");
                found.into_iter().map(SiteId).collect()
            }
        }
    }

    fn edge_caches(&mut self, fields: &Fields) {
        if self.out.caches.services.is_empty() && self.sink.error_count() == 0 {
            let message = "there are caches, but no service has `cache`".to_owned();
            let help = "say what they may keep: `cache: {objects: 100000, zipf: 0.8}` of a service";
            self.error("E0102", fields.span, message, help);
        }
        self.out.caches.origin = self.reference(Entity::Node, fields, "origin").map(NodeId);
        self.out.caches.origin_time = fields.time("origin_time").unwrap_or(SimSpan::ZERO);
        self.out.caches.warm = fields.text("start").is_none_or(|word| &**word == "warm");
        let mut sites: BTreeMap<SiteId, SiteCache> = BTreeMap::new();
        for row in fields.rows("at") {
            let upper = self.reference(Entity::Site, row, "upper").map(SiteId);
            let capacity_bytes = row.count("capacity").unwrap_or(0) as f64;
            for site in self.sites_of(row) {
                let next = upper.filter(|&next| next != site);
                sites.insert(site, SiteCache { site, capacity_bytes, next });
            }
        }
        if let Some(site) = sites.keys().copied().find(|&site| asks_itself(&sites, site)) {
            let id = &self.out.network.sites[site].id;
            let message = format!("the caches above `{id}` ask each other in a circle");
            let help = "leave `upper` out for the cache that is to ask the origin";
            self.sink.push(Diagnostic::new("E0415", fields.place("at"), message).help(help));
        }
        self.out.caches.sites = sites.into_values().collect();
    }

    fn admission(&mut self, fields: &Fields) {
        let mut known: BTreeSet<(TenantId, SiteId)> = BTreeSet::new();
        for row in fields.rows("buckets") {
            let tenant = self.reference(Entity::Tenant, row, "tenant").map(TenantId);
            let sites = self.sites_of(row);
            let Some(tenant) = tenant else { continue };
            if let Some(site) = sites.iter().find(|&&site| !known.insert((tenant, site))) {
                let site = &self.out.network.sites[*site].id;
                let message = format!("this tenant has a bucket at `{site}` already");
                self.error("E0302", row.span, message, "give a tenant one bucket at a site");
            }
            self.out.admission.buckets.push(TenantBucket {
                tenant,
                sites,
                rate_per_s: row.number("rate").unwrap_or(0.0),
                burst_requests: row.count("burst").unwrap_or(0) as f64,
            });
        }
        if let Some(shed) = fields.fields("shed") {
            let sites = self.sites_of(shed);
            self.out.admission.shed = Some(ShedPlan { sites, terms: shed_terms(shed) });
        }
        self.out.admission.filter = fields.fields("filter").map(filter_terms);
    }
}

/// Whether the caches that a site asks lead in a circle.
fn asks_itself(sites: &BTreeMap<SiteId, SiteCache>, site: SiteId) -> bool {
    let mut at = site;
    for _ in 0..=sites.len() {
        match sites.get(&at).and_then(|row| row.next) {
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

fn shed_terms(fields: &Fields) -> ShedTerms {
    let seconds = |key| fields.time(key).map_or(1.0, SimSpan::seconds);
    let period_s = seconds("period");
    let control = if fields.text("control").is_some_and(|word| &**word == "aimd") {
        Control::Aimd {
            increase: fields.number("increase").unwrap_or(0.02),
            decrease: fields.number("decrease").unwrap_or(0.1),
        }
    } else {
        Control::pi(period_s, fields.number("pole").unwrap_or(0.5))
    };
    ShedTerms { target_s: seconds("target"), period_s, control, error_cost: 0.0 }
}

fn filter_terms(fields: &Fields) -> FilterTerms {
    let seconds = |key| fields.time(key).map_or(0.0, SimSpan::seconds);
    FilterTerms {
        local_delay_s: seconds("local_delay"),
        global_delay_s: seconds("global_delay"),
        false_positive: fields.number("false_positive").unwrap_or(0.0),
        leak: fields.number("leak").unwrap_or(0.0),
        hold_s: seconds("hold"),
    }
}
