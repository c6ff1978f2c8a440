//! Classes, tenants, services, prefixes, client groups, profiles.

use super::Resolver;
use super::network::dict;
use crate::table::{Entity, PROTOCOLS};
use crate::typed::{Data, Fields};
use std::sync::Arc;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::net::{NeighbourId, SiteId};
use steerlab_engine::scenario::{
    Class, ClassId, ClientGroup, DemandNoise, Elastic, Prefix, Profile, Service, Tcp, TcpModel,
    Tenant,
};

impl Resolver<'_> {
    /// Classes come first: links need them.
    pub(super) fn classes(&mut self, fields: &Fields) {
        for (index, class) in fields.rows("classes").enumerate() {
            self.define(Entity::Class, class, index);
            let weight = class.number("weight").unwrap_or(1.0);
            self.out.classes.push(Class { id: class.string("id"), weight });
        }
        if self.out.classes.is_empty() {
            self.implied(Entity::Class, "default", fields);
            self.out.classes.push(Class { id: "default".into(), weight: 1.0 });
        }
    }

    /// Makes the name of a row known that nobody wrote.
    fn implied(&mut self, entity: Entity, name: &str, fields: &Fields) {
        self.names.define(entity, Arc::from(name), 0, fields.span, self.sink);
    }

    pub(super) fn traffic(&mut self, fields: &Fields) {
        self.services(fields);
        for (index, prefix) in fields.rows("prefixes").enumerate() {
            self.define(Entity::Prefix, prefix, index);
            self.prefix(prefix);
        }
        for (index, group) in fields.rows("client_groups").enumerate() {
            self.define(Entity::ClientGroup, group, index);
            self.client_group(group);
        }
        for (index, profile) in fields.rows("profiles").enumerate() {
            self.define(Entity::Profile, profile, index);
            self.out.profiles.push(Profile {
                id: profile.string("id"),
                peak_time: profile.time("peak").unwrap_or(SimSpan::ZERO),
                trough_ratio: profile.number("trough_ratio").unwrap_or(1.0),
                local_time: profile.flag("local").unwrap_or(true),
            });
        }
        if let Some(noise) = fields.fields("demand_noise") {
            let step = self.step(noise, "step");
            self.out.demand_noise = DemandNoise { cv: noise.number("cv").unwrap_or(0.0), step };
        }
    }

    pub(super) fn tenants(&mut self, fields: &Fields) {
        for (index, tenant) in fields.rows("tenants").enumerate() {
            self.define(Entity::Tenant, tenant, index);
            self.out.tenants.push(Tenant {
                id: tenant.string("id"),
                label: tenant.label(),
                budget_bps: tenant.count("budget"),
            });
        }
        if self.out.tenants.is_empty() {
            self.implied(Entity::Tenant, "default", fields);
            let id = "default".to_owned();
            self.out.tenants.push(Tenant { label: id.clone(), id, budget_bps: None });
        }
    }

    fn services(&mut self, fields: &Fields) {
        for (index, service) in fields.rows("services").enumerate() {
            self.define(Entity::Service, service, index);
            let class = self.reference(Entity::Class, service, "class");
            let protocol = service.text("protocol");
            let round_trips = PROTOCOLS
                .iter()
                .find(|(name, _)| protocol.is_some_and(|text| **text == **name))
                .map_or(1.0, |(_, round_trips)| *round_trips);
            let flow = self.flow(service);
            let tcp = service.fields("tcp").map(|fields| self.tcp(fields));
            self.out.services.push(Service {
                id: service.string("id"),
                class: ClassId(class.unwrap_or(0)),
                cpu_s: service.time("cpu").unwrap_or(SimSpan::ZERO).seconds(),
                request_bytes: service.count("request").unwrap_or(0) as f64,
                response_bytes: service.count("response").unwrap_or(0) as f64,
                setup_round_trips: round_trips,
                elastic: elastic(service),
                tcp,
                flow,
            });
        }
        if self.out.services.is_empty() {
            self.implied(Entity::Service, "transfer", fields);
            self.out.services.push(Service {
                id: "transfer".into(),
                class: ClassId(0),
                cpu_s: 0.0,
                request_bytes: 0.0,
                response_bytes: 0.0,
                setup_round_trips: 0.0,
                elastic: None,
                tcp: None,
                flow: None,
            });
        }
    }

    fn prefix(&mut self, fields: &Fields) {
        let sites = match fields.get("sites").map(|value| &value.data) {
            Some(Data::Text(_)) => self.out.network.sites.ids().collect(),
            _ => {
                let found = self.references(Entity::Site, fields, "sites");
                found.into_iter().map(SiteId).collect()
            }
        };
        let value = fields.number("value").unwrap_or(1.0);
        self.out.prefixes.push(Prefix { id: fields.string("id"), sites, value });
    }

    fn client_group(&mut self, fields: &Fields) {
        let neighbour = self.reference(Entity::Neighbour, fields, "neighbour").map(NeighbourId);
        let theirs = neighbour.and_then(|id| self.out.network.neighbours.get(id)?.asn);
        let mut rtt = Vec::new();
        for (site, value) in dict(fields, "rtt") {
            let site = self.find(Entity::Site, site).map(SiteId);
            rtt.extend(site.zip(value.time()));
        }
        rtt.sort();
        self.out.client_groups.push(ClientGroup {
            id: fields.string("id"),
            label: fields.label(),
            location: fields.point("at"),
            neighbour,
            asn: fields.count("asn").and_then(|asn| u32::try_from(asn).ok()).or(theirs),
            weight: fields.number("weight").unwrap_or(1.0),
            rtt,
        });
    }
}

/// How a service's senders adapt: `true`, or a weight.
fn elastic(service: &Fields) -> Option<Elastic> {
    match service.fields("elastic") {
        Some(detail) => Some(Elastic { weight: detail.number("weight").unwrap_or(1.0) }),
        None => (service.flag("elastic") == Some(true)).then_some(Elastic { weight: 1.0 }),
    }
}

impl Resolver<'_> {
    /// What limits a service's connections.
    fn tcp(&mut self, fields: &Fields) -> Tcp {
        for key in ["window", "mss"] {
            if fields.count(key) == Some(0) {
                let message = format!("`{key}` is 0 B: a connection could carry nothing");
                self.error("E0202", fields.place(key), message, "at least 1B");
            }
        }
        let mathis = fields.text("model").is_some_and(|model| &**model == "mathis");
        Tcp {
            model: if mathis { TcpModel::Mathis } else { TcpModel::Pftk },
            window_bytes: fields.count("window").unwrap_or(65_536) as f64,
            mss_bytes: fields.count("mss").unwrap_or(1_460) as f64,
            loss_ratio: fields.number("loss").unwrap_or(0.0),
            flows: fields.count("flows").and_then(|flows| u32::try_from(flows).ok()),
        }
    }
}
