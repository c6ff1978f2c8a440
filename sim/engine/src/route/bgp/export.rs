//! What a route becomes when a speaker takes it from a session, and when it tells it on.

use super::attrs::{AttrId, Attributes, Class, EMPTY, NOTHING};
use super::model::{BgpPrefixId, Relation, SpeakerId, Validation, Validity};
use super::policy::{self, Place};
use super::sim::BgpSim;
use super::state::{EndId, LOCAL, REFUSED};
use super::view::Refusal;
use crate::kernel::Id;
use std::collections::BTreeMap;
use std::sync::Arc;

impl BgpSim {
    /// Numbers the ends of a speaker so that ends that export alike share a number. Policies may ask
    /// who the neighbour is, so ends with policies share one with those of the same AS only.
    pub(super) fn regroup(&mut self, speaker: SpeakerId) {
        let mut groups = BTreeMap::new();
        for &id in &self.routers[speaker.index()].ends {
            let end = &self.ends[id as usize];
            let asn = (!end.export.is_empty()).then_some(end.peer_asn);
            let key = (end.relation, end.next_hop_self, end.export.clone(), asn);
            let next = groups.len() as u32;
            self.ends[id as usize].group = *groups.entry(key).or_insert(next);
        }
        let router = &mut self.routers[speaker.index()];
        router.groups = groups.len() as u32;
        router.only_listens = groups.keys().all(|key| key.0 == Relation::Internal);
    }

    /// What a route becomes on import: attributes, or the number of a refusal.
    pub(super) fn import(&mut self, id: EndId, prefix: u32, raw: AttrId) -> AttrId {
        let route = *self.store.attributes(raw);
        let internal = self.ends[id as usize].is_internal();
        let imported = if internal {
            self.igp.ensure(route.exit);
            if self.ends[id as usize].import.is_empty() && route.originator.is_none() {
                return raw;
            }
            self.import_internal(id, prefix, route)
        } else {
            self.import_external(id, prefix, route)
        };
        match imported {
            Ok(unchanged) if unchanged == route => raw,
            Ok(route) => self.store.intern(route),
            Err(refusal) => REFUSED | self.refusal_number(refusal),
        }
    }

    fn refusal_number(&mut self, refusal: Refusal) -> u32 {
        let known = self.refusals.iter().position(|known| *known == refusal);
        let number = known.unwrap_or_else(|| {
            self.refusals.push(refusal);
            self.refusals.len() - 1
        });
        number as u32
    }

    fn import_internal(
        &mut self,
        id: EndId,
        prefix: u32,
        route: Attributes,
    ) -> Result<Attributes, Refusal> {
        let speaker = &self.network.speakers[self.ends[id as usize].speaker];
        if route.originator == Some(speaker.router_id) {
            return Err(Refusal::Originator);
        }
        let own_cluster = speaker.cluster_id.unwrap_or(speaker.router_id);
        if self.store.path(route.clusters).any(|cluster| cluster == own_cluster) {
            return Err(Refusal::ClusterLoop);
        }
        self.import_policies(id, prefix, route, None)
    }

    fn import_external(
        &mut self,
        id: EndId,
        prefix: u32,
        mut route: Attributes,
    ) -> Result<Attributes, Refusal> {
        let end = &self.ends[id as usize];
        let speaker = &self.network.speakers[end.speaker];
        if self.store.path(route.path).any(|asn| asn == end.asn) {
            return Err(Refusal::OwnAs);
        }
        let length = self.store.path_length(route.path);
        if speaker.path_length_max.is_some_and(|most| length > most) {
            return Err(Refusal::PathTooLong);
        }
        let origin = self.store.path_last(route.path).unwrap_or(end.peer_asn);
        let validity = self.origins.validity(BgpPrefixId(prefix), origin);
        let asked = policy::asked_local_pref(&self.store, route.communities, end.asn);
        route.local_pref = asked.unwrap_or_else(|| end.relation.default_local_pref());
        match (speaker.validation, validity) {
            (Validation::Drop, Validity::Invalid) => return Err(Refusal::Invalid),
            (Validation::Depreference, Validity::Invalid) => {
                (route.depreferenced, route.local_pref) = (true, 0);
            }
            _ => {}
        }
        route.class = Class::Learned(end.relation);
        (route.exit, route.next_hop) = (end.speaker, end.peer);
        let peer_asn = end.peer_asn;
        self.import_policies(id, prefix, route, Some(peer_asn))
    }

    fn import_policies(
        &mut self,
        id: EndId,
        prefix: u32,
        route: Attributes,
        prepends: Option<u32>,
    ) -> Result<Attributes, Refusal> {
        let end = &self.ends[id as usize];
        let place = Place {
            network: &self.network,
            origins: &self.origins,
            prefix: BgpPrefixId(prefix),
            own_asn: end.asn,
            neighbour_asn: end.peer_asn,
            prepends,
        };
        policy::apply(&mut self.store, &place, &end.import, route)
            .map_err(|(policy, rule)| Refusal::Policy { policy, rule })
    }

    /// What the best route becomes on export over this end; [`NOTHING`] if it is held back.
    ///
    /// The result is the same for all ends of a group if the route has no
    /// marks. What differs between them (is the session
    /// up, is the route from there) is asked before.
    pub(super) fn export(&mut self, id: EndId, prefix: u32) -> AttrId {
        let end = &self.ends[id as usize];
        let cell = self.cell(end.speaker, BgpPrefixId(prefix));
        let (from, route) = (cell.from, *self.store.attributes(cell.best));
        let marks = policy::marks(&self.store, route.communities, end.asn, end.peer_asn);
        // A mark tells those who hear the route; who sets it on a route of his own still sends it.
        if marks.no_advertise && from != LOCAL {
            return NOTHING;
        }
        let exported = if end.is_internal() {
            let route = self.reflected(id, from, route);
            self.export_policies(id, prefix, route, None)
        } else {
            let held = marks.not_to_neighbour || (marks.no_export && route.class != Class::Own);
            let leaks = self.routers[end.speaker.index()].leaks;
            if held || !(leaks || policy::exportable(route.class, end.relation)) {
                return NOTHING;
            }
            // A MED heard from others stays in this AS (RFC 4271, 5.1.4); what to do with that of
            // another router of one's own AS is left open, and real routers keep it inside, too.
            let med = if from == LOCAL { route.med } else { None };
            self.export_external(id, prefix, Attributes { med, ..route }, marks.prepends)
        };
        exported.map_or(NOTHING, |route| self.store.intern(route))
    }

    /// Marks of reflection and the next hop of a route told inside the AS.
    fn reflected(&mut self, id: EndId, from: EndId, mut route: Attributes) -> Attributes {
        let end = &self.ends[id as usize];
        let source = self.ends.get(from as usize).filter(|_| from != LOCAL);
        let Some(source) = source else { return route };
        if !source.is_internal() {
            if end.next_hop_self {
                route.next_hop = end.speaker;
            }
            return route;
        }
        let speaker = &self.network.speakers[end.speaker];
        route.originator = route.originator.or(Some(source.peer_router_id));
        let cluster = speaker.cluster_id.unwrap_or(speaker.router_id);
        route.clusters = self.store.prepend(cluster, route.clusters);
        route
    }

    fn export_external(
        &mut self,
        id: EndId,
        prefix: u32,
        route: Attributes,
        prepends: u32,
    ) -> Option<Attributes> {
        let end = &self.ends[id as usize];
        let (asn, speaker) = (end.asn, end.speaker);
        let mut route = self.export_policies(id, prefix, route, Some(asn))?;
        route.path = self.store.prepend_times(asn, prepends + 1, route.path);
        Some(Attributes {
            clusters: EMPTY,
            local_pref: 0,
            originator: None,
            exit: speaker,
            next_hop: speaker,
            class: Class::Learned(Relation::Plain),
            depreferenced: false,
            ..route
        })
    }

    fn export_policies(
        &mut self,
        id: EndId,
        prefix: u32,
        route: Attributes,
        prepends: Option<u32>,
    ) -> Option<Attributes> {
        let end = &self.ends[id as usize];
        if end.export.is_empty() {
            return Some(route);
        }
        let network = Arc::clone(&self.network);
        let place = Place {
            network: &network,
            origins: &self.origins,
            prefix: BgpPrefixId(prefix),
            own_asn: end.asn,
            neighbour_asn: end.peer_asn,
            prepends,
        };
        policy::apply(&mut self.store, &place, &end.export, route).ok()
    }
}
