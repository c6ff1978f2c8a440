//! `topology.json`: the network by name, for readers who do not want to follow ids.

use serde::{Deserialize, Serialize};
use steerlab_engine::net::{LinkKind, NeighbourKind, Network};

/// `topology.json`, format `steerlab-topology/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// `steerlab-topology/1`.
    pub format: String,
    /// Sites in scenario order.
    pub sites: Vec<TopologySite>,
    /// Neighbours in scenario order.
    pub neighbours: Vec<TopologyNeighbour>,
    /// Links in scenario order.
    pub links: Vec<TopologyLink>,
}

/// A site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopologySite {
    /// Id.
    pub id: String,
    /// Free text.
    pub label: String,
    /// Latitude in degrees, if known.
    pub lat: Option<f64>,
    /// Longitude in degrees, if known.
    pub lon: Option<f64>,
    /// Servers of all its pools.
    pub servers: u64,
    /// CPU-seconds of reference work per second; none without pools.
    pub capacity_cpu_s_per_s: Option<f64>,
}

/// A neighbour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopologyNeighbour {
    /// Id.
    pub id: String,
    /// Free text.
    pub label: String,
    /// What it is to us.
    pub kind: NeighbourKind,
    /// AS number, if given.
    pub asn: Option<u32>,
    /// Latitude in degrees, if known.
    pub lat: Option<f64>,
    /// Longitude in degrees, if known.
    pub lon: Option<f64>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopologyLink {
    /// Id.
    pub id: String,
    /// Free text.
    pub label: String,
    /// What kind of link.
    pub kind: LinkKind,
    /// Colo or neighbour at its first end.
    pub from: String,
    /// Colo or neighbour at its second end.
    pub to: String,
    /// Capacity forward and back, bit/s.
    pub capacity_bps: [u64; 2],
    /// One-way propagation delay, ms.
    pub delay_ms: f64,
    /// Length, if both ends have a location, km.
    pub distance_km: Option<f64>,
    /// Shared-risk groups.
    pub srlgs: Vec<String>,
}

impl Topology {
    /// The topology of a network.
    #[must_use]
    pub fn of(network: &Network) -> Topology {
        let sites = network.sites.rows().iter().map(|site| {
            let pools = || {
                let colos = site.colos.iter().map(|colo| &network.colos[*colo]);
                colos.flat_map(|colo| &colo.pools).map(|pool| &network.pools[*pool])
            };
            TopologySite {
                id: site.id.clone(),
                label: site.label.clone(),
                lat: site.location.map(|point| point.lat),
                lon: site.location.map(|point| point.lon),
                servers: pools().map(|pool| u64::from(pool.servers)).sum(),
                capacity_cpu_s_per_s: pools().map(|pool| pool.capacity()).reduce(|a, b| a + b),
            }
        });
        let neighbours = network.neighbours.rows().iter().map(|neighbour| TopologyNeighbour {
            id: neighbour.id.clone(),
            label: neighbour.label.clone(),
            kind: neighbour.kind,
            asn: neighbour.asn,
            lat: neighbour.location.map(|point| point.lat),
            lon: neighbour.location.map(|point| point.lon),
        });
        let links = network.links.rows().iter().map(|link| TopologyLink {
            id: link.id.clone(),
            label: link.label.clone(),
            kind: link.kind,
            from: network.node_name(link.ends[0]).to_owned(),
            to: network.node_name(link.ends[1]).to_owned(),
            capacity_bps: link.capacity_bps,
            delay_ms: link.delay.millis(),
            distance_km: link.distance_km,
            srlgs: link.srlgs.iter().map(|group| network.srlgs[*group].clone()).collect(),
        });
        Topology {
            format: "steerlab-topology/1".to_owned(),
            sites: sites.collect(),
            neighbours: neighbours.collect(),
            links: links.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[test]
    fn names_and_capacities_are_there() {
        let topology = Topology::of(&testkit::scenario().network);
        assert_eq!(topology.sites[0].servers, 1);
        assert_eq!(topology.sites[0].capacity_cpu_s_per_s, Some(4.0));
        assert_eq!(topology.sites[2].capacity_cpu_s_per_s, None);
        let link = &topology.links[1];
        assert_eq!((link.from.as_str(), link.to.as_str()), ("b", "c"));
        assert_eq!((link.capacity_bps, link.delay_ms), ([500, 0], 1.0));
    }
}
