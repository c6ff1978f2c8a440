//! Demands: of client groups, between nodes, recorded.

use super::Resolver;
use crate::diagnostic::{Diagnostic, quote};
use crate::files;
use crate::hex;
use crate::limits;
use crate::load::refused_file;
use crate::matrix;
use crate::table::Entity;
use crate::typed::{Data, Fields};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::net::NodeId;
use steerlab_engine::scenario::{
    ClientGroupId, Demand, DemandId, Matrix, NameId, NamedDemand, PrefixId, ProfileId, Rate,
    ServiceId, Source, Target, TenantId,
};

/// What all demands of one entry share.
#[derive(Clone, Copy)]
struct Common {
    service: ServiceId,
    tenant: TenantId,
    profile: Option<ProfileId>,
}

impl Resolver<'_> {
    pub(super) fn demands(&mut self, fields: &Fields) {
        let groups = self.out.client_groups.len() as u64;
        let mut expanded = 0_u64;
        for (index, demand) in fields.rows("demands").enumerate() {
            self.define(Entity::Demand, demand, index);
            let common = self.common(demand);
            let first = self.out.demands.len();
            match demand.mapping.name {
                "demand_of_clients" => {
                    let clients = demand.get("clients");
                    let asking = match clients.map(|value| &value.data) {
                        Some(Data::Text(_)) => groups,
                        _ => clients.map_or(0, |value| value.items().len() as u64),
                    };
                    expanded = expanded.saturating_add(asking * self.parts_of(demand));
                    if expanded > limits::DEMANDS_MAX {
                        self.too_many(demand);
                        return;
                    }
                    self.demand_of_clients(demand, common);
                }
                "demand_between_nodes" => self.demand_between_nodes(demand, common),
                _ => self.demand_of_matrix(demand, common),
            }
            let ids = first..self.out.demands.len();
            let id = |index| DemandId(u32::try_from(index).unwrap_or(u32::MAX));
            let ids: Vec<DemandId> = ids.map(id).collect();
            if demand.mapping.name == "demand_of_clients" && demand.flag("attack") == Some(true) {
                self.out.admission.attacks.extend(&ids);
            }
            self.demand_sets.push(ids);
        }
    }

    fn too_many(&mut self, fields: &Fields) {
        let message = format!("the demands become more than {}", limits::DEMANDS_MAX);
        let help = "name fewer client groups, or join demands";
        self.error("E0303", fields.span, message, help);
    }

    fn common(&mut self, fields: &Fields) -> Common {
        let service = self.reference(Entity::Service, fields, "service").unwrap_or(0);
        let tenant = self.reference(Entity::Tenant, fields, "tenant").unwrap_or(0);
        let profile = match fields.mapping.position("profile") {
            Some(_) => self.reference(Entity::Profile, fields, "profile").map(ProfileId),
            None => None,
        };
        Common { service: ServiceId(service), tenant: TenantId(tenant), profile }
    }

    fn push_demand(&mut self, id: String, ends: (Source, Target), rate: Rate, common: Common) {
        self.out.demands.push(Demand {
            id,
            source: ends.0,
            target: ends.1,
            service: common.service,
            tenant: common.tenant,
            rate,
            profile: common.profile,
        });
    }

    fn demand_of_clients(&mut self, fields: &Fields, common: Common) {
        let groups: Vec<ClientGroupId> = match fields.get("clients").map(|value| &value.data) {
            Some(Data::Text(_)) => self.out.client_groups.ids().collect(),
            _ => {
                let found = self.references(Entity::ClientGroup, fields, "clients");
                found.into_iter().map(ClientGroupId).collect()
            }
        };
        let prefix = self.reference(Entity::Prefix, fields, "prefix").map(PrefixId);
        let name = self.reference(Entity::DnsName, fields, "name").map(NameId);
        let rate = fields.number("rate").unwrap_or(0.0);
        let total: f64 = groups.iter().map(|group| self.out.client_groups[*group].weight).sum();
        if total <= 0.0 {
            let message = "these client groups have no weight to share the rate by".to_owned();
            let help = "add client groups, or give one a `weight` above 0";
            self.error("E0405", fields.place("clients"), message, help);
            return;
        }
        if let Some(service) = self.out.services.get(common.service) {
            let bits = rate * (service.request_bytes + service.response_bytes) * 8.0;
            if bits > limits::RATE_BPS_MAX as f64 {
                let message = "this rate of requests is more than 10^18 bit/s".to_owned();
                let help = "lower the rate, or the bytes of the service";
                self.error("E0412", fields.place("rate"), message, help);
            }
        }
        let id = fields.string("id");
        for group in groups {
            let row = &self.out.client_groups[group];
            let share = Rate::RequestsPerS(rate * (row.weight / total));
            let demand = format!("{id}/{}", row.id);
            if let Some(prefix) = prefix {
                let ends = (Source::Clients(group), Target::Prefix(prefix));
                self.push_demand(demand, ends, share, common);
            } else if let Some(name) = name {
                self.demand_of_name(demand, (group, name), share, common);
            }
        }
    }

    /// One demand for every answer the name may have; their shares are the run's.
    fn demand_of_name(
        &mut self,
        id: String,
        (group, name): (ClientGroupId, NameId),
        rate: Rate,
        common: Common,
    ) {
        let Some(row) = self.out.dns.names.get(name) else { return };
        let first = DemandId(u32::try_from(self.out.demands.len()).unwrap_or(u32::MAX));
        for prefix in row.candidates.clone() {
            let part = format!("{id}/{}", self.out.prefixes[prefix].id);
            let ends = (Source::Clients(group), Target::Prefix(prefix));
            self.push_demand(part, ends, rate, common);
        }
        self.out.dns.demands.push(NamedDemand { id, name, first });
    }

    /// Engine demands that a demand of client groups becomes for each group.
    fn parts_of(&self, fields: &Fields) -> u64 {
        let name = fields.get("name").and_then(|value| value.text());
        let name = name.and_then(|name| self.names.get(Entity::DnsName, name)).map(NameId);
        let row = name.and_then(|name| self.out.dns.names.get(name));
        row.map_or(1, |row| row.candidates.len() as u64)
    }

    fn demand_between_nodes(&mut self, fields: &Fields, common: Common) {
        let from = self.reference(Entity::Node, fields, "from").map(NodeId);
        let to = self.reference(Entity::Node, fields, "to").map(NodeId);
        let (Some(from), Some(to)) = (from, to) else { return };
        if from == to {
            let message = "this demand leads from a node to itself".to_owned();
            self.error("E0403", fields.place("to"), message, "name two different nodes");
        }
        let rate = Rate::Bps(fields.count("rate").unwrap_or(0) as f64);
        self.push_demand(fields.string("id"), (Source::Node(from), Target::Node(to)), rate, common);
    }

    fn demand_of_matrix(&mut self, fields: &Fields, common: Common) {
        let Some(spec) = fields.fields("matrix") else { return };
        let Some(file) = spec.get("file") else { return };
        let Some(name) = file.text().map(Arc::clone) else { return };
        let read =
            self.root.resolve(&name).and_then(|path| files::read(&path, limits::DATA_BYTES_MAX));
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(refused) => {
                self.sink.push(refused_file(&refused, &name, file.span));
                return;
            }
        };
        let scale = spec.number("scale").unwrap_or(1.0);
        let recorded = matrix::read(&bytes).and_then(|read| check_recorded(read, scale));
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(problem) => {
                self.sink.push(
                    Diagnostic::new(
                        "E0504",
                        file.span,
                        format!("the file {}: {problem}", quote(&name)),
                    )
                    .help("make the file again with `steerlab import`"),
                );
                return;
            }
        };
        if (self.out.demands.len() + recorded.pairs.len()) as u64 > limits::DEMANDS_MAX {
            self.too_many(fields);
            return;
        }
        self.warn_if_short(&recorded.times, file.span);
        let columns = u32::try_from(recorded.pairs.len()).unwrap_or(u32::MAX);
        let matrix = self.out.matrices.push(Matrix {
            file: name.to_string(),
            sha256: hex(&Sha256::digest(&bytes)),
            scale,
            times: Arc::new(recorded.times),
            columns,
            rates_bps: Arc::new(recorded.rates_bps),
        });
        let id = fields.string("id");
        for (column, (from, to)) in (0..columns).zip(&recorded.pairs) {
            let mut node = |name: &str| {
                let found = self.names.get(Entity::Node, name);
                if found.is_none() {
                    let errors = self.sink.error_count();
                    let mut unknown = self.names.unknown(Entity::Node, name, file.span, errors);
                    unknown.message += ", but this file has traffic of it";
                    self.sink.push(unknown);
                }
                found.map(NodeId)
            };
            let (Some(source), Some(target)) = (node(from), node(to)) else { continue };
            let ends = (Source::Node(source), Target::Node(target));
            self.push_demand(
                format!("{id}/{from}/{to}"),
                ends,
                Rate::Recorded { matrix, column },
                common,
            );
        }
    }

    fn warn_if_short(&mut self, times: &[SimTime], span: crate::source::Span) {
        let [.., before, last] = times else { return };
        let end = SimSpan(last.0).0.saturating_add(last.since(*before).0);
        if end < self.horizon.0 {
            self.sink.push(
                Diagnostic::new("W0807", span, "the recording ends before the run does")
                    .help("its last values hold until the end: shorten `horizon`, or record more"),
            );
        }
    }
}

/// What the engine relies on; a matrix file may have been made by anybody.
fn check_recorded(
    read: matrix::RecordedMatrix,
    scale: f64,
) -> Result<matrix::RecordedMatrix, String> {
    if read.times.first() != Some(&SimTime::ZERO) {
        return Err("its first instant is not 0".into());
    }
    if read.times.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err("its instants do not ascend".into());
    }
    if read.pairs.iter().any(|(from, to)| from == to) {
        return Err("it has traffic from a node to itself".into());
    }
    if Some(read.rates_bps.len()) != read.times.len().checked_mul(read.pairs.len()) {
        return Err("it does not have one rate for every instant and pair".into());
    }
    let limit = limits::RATE_BPS_MAX as f64;
    if read.rates_bps.iter().any(|rate| !(0.0..=limit).contains(&(rate * scale))) {
        return Err("a rate is negative, not finite or above 10^18 bit/s".into());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> matrix::RecordedMatrix {
        matrix::RecordedMatrix {
            times: vec![SimTime(0), SimTime(5)],
            pairs: vec![("a".into(), "b".into())],
            rates_bps: vec![1.0, 2.0],
        }
    }

    #[test]
    fn recordings_are_not_trusted() {
        assert!(check_recorded(recorded(), 1.0).is_ok());
        let wrong = |change: fn(&mut matrix::RecordedMatrix), scale| {
            let mut read = recorded();
            change(&mut read);
            check_recorded(read, scale).is_err()
        };
        assert!(wrong(|read| read.times[0] = SimTime(1), 1.0));
        assert!(wrong(|read| read.times[1] = SimTime(0), 1.0));
        assert!(wrong(|read| read.pairs[0].1 = "a".into(), 1.0));
        assert!(wrong(|read| read.rates_bps.truncate(1), 1.0));
        assert!(wrong(|read| read.rates_bps[0] = -1.0, 1.0));
        assert!(wrong(|read| read.rates_bps[0] = f64::NAN, 1.0));
        assert!(wrong(|_| {}, 1e18));
    }
}
