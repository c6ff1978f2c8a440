//! A BGP network with one speaker for each AS, from a list of relationships.

use super::model::{
    BgpNetwork, BgpPrefix, DecisionOptions, Mrai, Relation, Session, SessionSide, Speaker,
    SpeakerId, Validation,
};
use crate::kernel::SimSpan;

/// Makes a network of one speaker for each AS, in order of AS numbers, one session for each link and
/// the given prefixes. Router ids and addresses are the AS numbers, so the lowest neighbour wins a
/// tie. A link (a, b, relation) says what b is to a; `delay` is that of every session.
///
/// Returns the network and the AS numbers in the order of speakers.
#[must_use]
pub fn from_as_graph(
    links: &[(u32, u32, Relation)],
    prefixes: usize,
    delay: SimSpan,
) -> (BgpNetwork, Vec<u32>) {
    let mut asns: Vec<u32> = links.iter().flat_map(|&(a, b, _)| [a, b]).collect();
    asns.sort_unstable();
    asns.dedup();
    let speaker = |asn: u32| {
        let place = asns.binary_search(&asn).expect("every AS of a link was listed");
        SpeakerId(place as u32)
    };
    let mut network = BgpNetwork { decision: DecisionOptions::default(), ..BgpNetwork::default() };
    for &asn in &asns {
        network.speakers.push(plain_speaker(format!("as{asn}"), asn, asn));
    }
    for &(a, b, relation) in links {
        network.sessions.push(Session {
            id: format!("as{a}-as{b}"),
            ends: [speaker(a), speaker(b)],
            sides: [plain_side(relation, a), plain_side(reverse(relation), b)],
            delay,
            delay_jitter: 0.0,
            up: true,
        });
    }
    for index in 0..prefixes {
        network.prefixes.push(BgpPrefix { id: format!("prefix-{index}"), parent: None });
    }
    (network, asns)
}

/// What one end is to the other, if the other is `relation` to it. A route server's other side is a
/// peer.
#[must_use]
pub fn reverse(relation: Relation) -> Relation {
    match relation {
        Relation::Customer => Relation::Provider,
        Relation::Provider => Relation::Customer,
        Relation::RouteServer => Relation::Peer,
        Relation::Peer | Relation::Plain | Relation::Internal => relation,
        Relation::ReflectorClient => Relation::Internal,
    }
}

/// A speaker without damping, validation or processing time.
#[must_use]
pub fn plain_speaker(id: String, asn: u32, router_id: u32) -> Speaker {
    Speaker {
        id,
        asn,
        router_id,
        location: None,
        cluster_id: None,
        validation: Validation::Ignore,
        damping: None,
        processing: SimSpan::ZERO,
        path_length_max: None,
    }
}

/// A session side without policies, pacing or limits, that is its own next hop.
#[must_use]
pub fn plain_side(relation: Relation, address: u32) -> SessionSide {
    SessionSide {
        relation,
        address,
        import: Vec::new(),
        export: Vec::new(),
        mrai: Mrai::default(),
        prefixes_max: None,
        restart: None,
        next_hop_self: true,
    }
}
