//! Sites, colos, pools, neighbours, links.

use super::{Resolver, number_of};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan};
use steerlab_engine::net::geo::{backbone_delay, internet_delay};
use steerlab_engine::net::{
    ColoId, Link, LinkKind, Neighbour, NeighbourKind, NodeId, NodeKind, Pool, SiteId, SrlgId,
};
use steerlab_engine::route::bgp::Relation;

impl Resolver<'_> {
    pub(super) fn network(&mut self, fields: &Fields) {
        for (index, site) in fields.rows("sites").enumerate() {
            let named = self.define(Entity::Site, site, index);
            self.site(site, named);
        }
        for (index, neighbour) in fields.rows("neighbours").enumerate() {
            let named = self.define(Entity::Neighbour, neighbour, index);
            self.neighbour(neighbour, named);
        }
        let mut without_delay: Vec<Span> = Vec::new();
        for (index, link) in fields.rows("links").enumerate() {
            self.define(Entity::Link, link, index);
            if self.link(link) {
                without_delay.push(link.span);
            }
        }
        if let Some(first) = without_delay.first() {
            let count = without_delay.len();
            self.sink.push(
                Diagnostic::new(
                    "W0801",
                    *first,
                    format!("{count} links have `delay: auto`, but an end without a place"),
                )
                .help("their delay is 0: give both ends `at:`, or the link a `delay:`"),
            );
        }
    }

    fn node_name(&mut self, name: &str, node: NodeId, span: Span) {
        self.names.define(Entity::Node, Arc::from(name), node.0, span, self.sink);
    }

    /// Adds a site; a second one of a name (`named` is false) is not reported again for its parts.
    fn site(&mut self, fields: &Fields, named: bool) {
        let (id, span) = (fields.string("id"), fields.place("id"));
        let site = self.out.network.add_site(&id, &fields.label(), fields.point("at"));
        let colos: Vec<&Fields> = fields.rows("colos").collect();
        if let (Some(_), Some(pools)) = (fields.get("colos"), fields.get("pools")) {
            let message = "a site has `colos` or `pools`, not both".to_owned();
            self.error("E0408", pools.span, message, "move the pools into one of the colos");
        }
        if colos.is_empty() {
            let colo = self.colo(site, &id, fields, named);
            if named {
                let node = self.out.network.colos[colo].node;
                self.node_name(&id, node, span);
            }
            return;
        }
        for (index, colo) in colos.into_iter().enumerate() {
            let name = format!("{id}/{}", colo.string("id"));
            let place = colo.place("id");
            let colo = self.colo(site, &name, colo, named);
            if !named {
                continue;
            }
            let node = self.out.network.colos[colo].node;
            self.node_name(&name, node, place);
            if index == 0 {
                self.node_name(&id, node, span);
            }
        }
    }

    /// A colo with the pools of `fields`.
    fn colo(&mut self, site: SiteId, name: &str, fields: &Fields, named: bool) -> ColoId {
        let colo = self.out.network.add_colo(site, name);
        for pool in fields.rows("pools") {
            let id = format!("{name}/{}", pool.string("id"));
            let index = self.out.network.pools.len();
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let place = pool.place("id");
            if named {
                let name = Arc::from(id.as_str());
                self.names.define(Entity::Pool, name, index, place, self.sink);
            }
            self.out.network.add_pool(Pool {
                id,
                colo,
                servers: number_of(pool.count("servers"), 1),
                cores: number_of(pool.count("cores"), 1),
                core_speed: pool.number("core_speed").unwrap_or(1.0),
            });
        }
        colo
    }

    fn neighbour(&mut self, fields: &Fields, named: bool) {
        let kind = match fields.text("kind").map_or("", |text| &**text) {
            "eyeball" => NeighbourKind::Eyeball,
            "peer" => NeighbourKind::Peer,
            "cloud" => NeighbourKind::Cloud,
            _ => NeighbourKind::Transit,
        };
        self.relationships.push(match fields.text("relationship").map(|text| &**text) {
            Some("provider") => Some(Relation::Provider),
            Some("peer") => Some(Relation::Peer),
            Some("route-server") => Some(Relation::RouteServer),
            Some("customer") => Some(Relation::Customer),
            _ => None,
        });
        let neighbour = self.out.network.add_neighbour(Neighbour {
            id: fields.string("id"),
            label: fields.label(),
            asn: fields.count("asn").and_then(|asn| u32::try_from(asn).ok()),
            kind,
            location: fields.point("at"),
            node: NodeId(0),
            blocks: number_of(fields.count("blocks"), 1),
        });
        let node = self.out.network.neighbours[neighbour].node;
        if let Some(id) = fields.text("id").filter(|_| named) {
            self.node_name(id, node, fields.place("id"));
        }
    }

    /// Adds a link. Whether its delay is zero because an end has no place.
    fn link(&mut self, fields: &Fields) -> bool {
        let mut nodes = Vec::new();
        for value in fields.items("ends") {
            nodes.extend(self.find(Entity::Node, value).map(NodeId));
        }
        let ends = match nodes.as_slice() {
            [a, b] => Some([*a, *b]),
            _ => None,
        };
        let kind = self.link_kind(fields, ends);
        let locations = ends.map(|ends| ends.map(|end| self.out.network.node_location(end)));
        let distance_km = match locations {
            Some([Some(a), Some(b)]) => Some(a.distance_km(b)),
            _ => None,
        };
        let given = fields.time("delay");
        let auto = distance_km.map(|km| match kind {
            LinkKind::Backbone | LinkKind::Dci => backbone_delay(km),
            _ => internet_delay(km),
        });
        let capacity = pair(fields, "capacity");
        if capacity == Some([0, 0]) {
            let message = "this link has no capacity in either direction".to_owned();
            self.error("E0409", fields.place("capacity"), message, "give one direction some");
        }
        let preference = fields.count("preference").and_then(|value| u32::try_from(value).ok());
        let link = Link {
            id: fields.string("id"),
            label: fields.label(),
            kind,
            ends: ends.unwrap_or([NodeId(0); 2]),
            capacity_bps: capacity.unwrap_or([0; 2]),
            weight: pair(fields, "weight").unwrap_or([1; 2]),
            delay: given.or(auto).unwrap_or(SimSpan::ZERO),
            lag_members: number_of(fields.count("lag_members"), 1),
            buffer: fields.time("buffer").unwrap_or(SimSpan::ZERO),
            scheduling: self.scheduling(fields),
            srlgs: self.srlgs(fields),
            preference: preference.unwrap_or(kind.default_preference()),
            distance_km,
            model: self.link_model(fields),
        };
        self.out.network.links.push(link);
        given.is_none() && ends.is_some() && distance_km.is_none()
    }

    /// The kind of a link: as written, or what its ends suggest. Ends that do not fit are reported.
    fn link_kind(&mut self, fields: &Fields, ends: Option<[NodeId; 2]>) -> LinkKind {
        let written = fields.text("kind").and_then(|text| kind_of(text));
        let Some(ends) = ends else { return written.unwrap_or(LinkKind::Backbone) };
        let network = &self.out.network;
        let sites = ends.map(|end| network.node_site(end));
        let neighbour = ends.iter().find_map(|end| match network.nodes[*end] {
            NodeKind::Neighbour(neighbour) => Some(network.neighbours[neighbour].kind),
            NodeKind::Colo(_) => None,
        });
        let suggested = match neighbour {
            None if sites[0] == sites[1] => LinkKind::Dci,
            None => LinkKind::Backbone,
            Some(NeighbourKind::Transit) => LinkKind::Transit,
            Some(NeighbourKind::Eyeball) => LinkKind::Pni,
            Some(NeighbourKind::Peer) => LinkKind::Ixp,
            Some(NeighbourKind::Cloud) => LinkKind::Cloud,
        };
        let kind = written.unwrap_or(suggested);
        let ours = matches!(kind, LinkKind::Backbone | LinkKind::Dci);
        let (message, help) = if ends[0] == ends[1] {
            ("both ends of this link are the same".to_owned(), "name two different ends")
        } else if sites == [None, None] {
            let message = "this link joins two neighbours".to_owned();
            (message, "one end must be ours: nothing of ours passes between neighbours")
        } else if ours && neighbour.is_some() {
            let message = format!("a `{}` link cannot end at a neighbour", kind.name());
            (message, "use `pni`, `ixp`, `transit`, `cloud` or `access`, or leave out `kind`")
        } else if !ours && neighbour.is_none() {
            let message = format!("a `{}` link must end at a neighbour", kind.name());
            (message, "use `backbone` or `dci`, or leave out `kind`")
        } else {
            return kind;
        };
        self.error("E0403", fields.place("ends"), message, help);
        kind
    }

    fn srlgs(&mut self, fields: &Fields) -> Vec<SrlgId> {
        let mut ids = Vec::new();
        for value in fields.items("srlgs") {
            let Some(name) = value.text() else { continue };
            let id = match self.names.get(Entity::Srlg, name) {
                Some(index) => SrlgId(index),
                None => {
                    let id = self.out.network.srlgs.push(name.to_string());
                    let index = u32::try_from(id.index()).unwrap_or(u32::MAX);
                    let name = Arc::clone(name);
                    self.names.define(Entity::Srlg, name, index, value.span, self.sink);
                    id
                }
            };
            ids.push(id);
        }
        ids.sort();
        ids.dedup();
        ids
    }
}

/// A value for both directions, or one each.
fn pair(fields: &Fields, key: &str) -> Option<[u64; 2]> {
    match &fields.get(key)?.data {
        Data::Count(both) => Some([*both; 2]),
        Data::Map(each) => Some([each.count("forward")?, each.count("back")?]),
        _ => None,
    }
}

/// The pairs of a mapping from names to values.
pub(super) fn dict<'f>(fields: &'f Fields, key: &str) -> &'f [(Value, Value)] {
    match fields.get(key).map(|value| &value.data) {
        Some(Data::Dict(pairs)) => pairs,
        _ => &[],
    }
}

fn kind_of(text: &str) -> Option<LinkKind> {
    use LinkKind::{Access, Backbone, Cloud, Dci, Ixp, Pni, Transit};
    [Backbone, Dci, Pni, Ixp, Transit, Cloud, Access].into_iter().find(|kind| kind.name() == text)
}
