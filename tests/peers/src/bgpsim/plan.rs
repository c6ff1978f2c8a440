//! What both sides play: a network of the Topology Zoo with costs, borders and announcements drawn
//! from a seed.

use bgpsim::prelude::*;
use bgpsim::topology_zoo::TopologyZoo;
use std::str::FromStr;

/// AS of the network.
pub const INTERNAL_AS: u32 = 65_500;
/// Outside routers.
pub const EXTERNALS: usize = 5;
/// Reflectors, if there are any: the routers with most links.
pub const REFLECTORS: usize = 3;

/// How the routers of the network tell each other routes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ibgp {
    /// Three reflectors in full mesh; everybody else is a client of each.
    Reflectors,
    /// Full mesh.
    Mesh,
}

impl Ibgp {
    pub fn name(self) -> &'static str {
        match self {
            Ibgp::Reflectors => "rr",
            Ibgp::Mesh => "mesh",
        }
    }
}

/// Which run.
pub struct Plan {
    pub network: String,
    pub ibgp: Ibgp,
    pub prefixes: u32,
}

/// An announcement of an outside router.
pub struct Announcement {
    pub external: usize,
    pub prefix: u32,
    /// AS path behind the outside router's own AS.
    pub path: Vec<u32>,
    pub med: u32,
}

/// A run in numbers. Routers are 0 to n - 1, outside routers follow.
pub struct Drawn {
    pub routers: usize,
    pub links: Vec<(usize, usize, u32)>,
    /// Router that each outside router is connected to.
    pub borders: Vec<usize>,
    /// AS of each outside router.
    pub external_as: Vec<u32>,
    /// iBGP sessions; `true`: the second is a client of the first.
    pub sessions: Vec<(usize, usize, bool)>,
    pub announcements: Vec<Announcement>,
    pub prefixes: u32,
    /// The link that fails: the first of the best connected router.
    pub failing: usize,
    /// The outside router that withdraws everything.
    pub withdrawing: usize,
}

/// SplitMix64: small, well known, the same everywhere.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }
}

impl Plan {
    /// Draws everything that is drawn.
    pub fn draw(&self) -> Result<Drawn, String> {
        let zoo = TopologyZoo::from_str(&self.network)
            .map_err(|_| format!("the zoo has no {}", self.network))?;
        let pairs = links_of(zoo);
        let routers = zoo.num_internals();
        let seed = self.network.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
        let mut draws = Draws(seed);
        let links: Vec<(usize, usize, u32)> =
            pairs.iter().map(|&(a, b)| (a, b, 10 + draws.below(91) as u32)).collect();
        let degree =
            |router: usize| links.iter().filter(|(a, b, _)| *a == router || *b == router).count();
        let mut by_degree: Vec<usize> = (0..routers).collect();
        by_degree.sort_by_key(|&router| (std::cmp::Reverse(degree(router)), router));
        let mut free: Vec<usize> = (0..routers).collect();
        let borders: Vec<usize> =
            (0..EXTERNALS).map(|_| free.remove(draws.below(free.len() as u64) as usize)).collect();
        // In a full mesh MED is safe, so some outside routers share an AS there.
        let external_as = match self.ibgp {
            Ibgp::Reflectors => vec![100, 101, 102, 103, 104],
            Ibgp::Mesh => vec![100, 100, 101, 101, 102],
        };
        let mut announcements = Vec::new();
        for prefix in 0..self.prefixes {
            // The small runs test many cases, the large one repeats a published measurement.
            let plain = self.prefixes > 100;
            for external in 0..EXTERNALS {
                let length = draws.below(3);
                let med = draws.below(3) as u32;
                let silent = draws.below(4) == 0;
                if silent && !plain {
                    continue;
                }
                let length = if plain { 1 } else { length };
                let path = (0..length).map(|hop| 1 + hop as u32).collect();
                announcements.push(Announcement { external, prefix, path, med });
            }
        }
        let hub = by_degree[0];
        let failing = links.iter().position(|(a, b, _)| *a == hub || *b == hub);
        Ok(Drawn {
            routers,
            sessions: sessions(self.ibgp, routers, &by_degree),
            failing: failing.ok_or("a network without links")?,
            links,
            borders,
            external_as,
            announcements,
            prefixes: self.prefixes,
            withdrawing: draws.below(EXTERNALS as u64) as usize,
        })
    }
}

fn sessions(ibgp: Ibgp, routers: usize, by_degree: &[usize]) -> Vec<(usize, usize, bool)> {
    let mut found = Vec::new();
    match ibgp {
        Ibgp::Mesh => {
            for a in 0..routers {
                found.extend((a + 1..routers).map(|b| (a, b, false)));
            }
        }
        Ibgp::Reflectors => {
            let reflectors = &by_degree[..REFLECTORS];
            for (position, &a) in reflectors.iter().enumerate() {
                found.extend(reflectors[position + 1..].iter().map(|&b| (a, b, false)));
                let clients = (0..routers).filter(|router| !reflectors.contains(router));
                found.extend(clients.map(|client| (a, client, true)));
            }
        }
    }
    found
}

/// The links of a network of the zoo, each once, between routers that are all inside.
fn links_of(zoo: TopologyZoo) -> Vec<(usize, usize)> {
    let net: Network<SimplePrefix, _, GlobalOspf> =
        zoo.build_internal(BasicEventQueue::new(), INTERNAL_AS);
    let graph = net.get_topology();
    let ends = graph.edge_indices().filter_map(|edge| graph.edge_endpoints(edge));
    let mut pairs: Vec<(usize, usize)> =
        ends.map(|(a, b)| (a.index().min(b.index()), a.index().max(b.index()))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}
