//! Small networks for tests.

use super::{
    Link, LinkKind, Neighbour, NeighbourId, NeighbourKind, Network, NodeId, Scheduling, SiteId,
};
use crate::kernel::{SimSpan, Table};

/// A link with plain defaults: weight 1, strict priority, no delay.
#[must_use]
pub fn plain_link(id: &str, kind: LinkKind, ends: [NodeId; 2], capacity_bps: u64) -> Link {
    Link {
        id: id.to_owned(),
        label: String::new(),
        kind,
        ends,
        capacity_bps: [capacity_bps; 2],
        weight: [1, 1],
        delay: SimSpan::ZERO,
        lag_members: 1,
        buffer: SimSpan::ZERO,
        scheduling: Scheduling::StrictPriority,
        srlgs: Vec::new(),
        preference: kind.default_preference(),
        distance_km: None,
        model: super::LinkModel::default(),
    }
}

/// Adds a site with one colo of the same name.
pub fn plain_site(network: &mut Network, id: &str) -> SiteId {
    let site = network.add_site(id, id, None);
    network.add_colo(site, id);
    site
}

/// Adds a neighbour.
pub fn plain_neighbour(
    network: &mut Network,
    id: &str,
    kind: NeighbourKind,
    blocks: u32,
) -> NeighbourId {
    network.add_neighbour(Neighbour {
        id: id.to_owned(),
        label: String::new(),
        asn: None,
        kind,
        location: None,
        node: NodeId(0),
        blocks,
    })
}

/// `n` sites `s0`.. in a row, backbone links `l0`.. of equal capacity between consecutive ones.
#[must_use]
pub fn line_network(n: usize, capacity_bps: u64) -> Network {
    let mut network = Network { links: Table::new(), ..Network::default() };
    for index in 0..n {
        plain_site(&mut network, &format!("s{index}"));
    }
    for index in 1..n {
        let ends = [NodeId(index as u32 - 1), NodeId(index as u32)];
        network.links.push(plain_link(
            &format!("l{}", index - 1),
            LinkKind::Backbone,
            ends,
            capacity_bps,
        ));
    }
    network
}

/// Two sites with no link of their own, both connected to one peer.
#[must_use]
pub fn neighbour_between() -> Network {
    let mut network = Network::default();
    let a = plain_site(&mut network, "a");
    let b = plain_site(&mut network, "b");
    let peer = plain_neighbour(&mut network, "peer", NeighbourKind::Peer, 1);
    for (name, site) in [("pa", a), ("pb", b)] {
        let ends = [network.site_node(site), network.neighbours[peer].node];
        network.links.push(plain_link(name, LinkKind::Pni, ends, 1_000));
    }
    network
}
