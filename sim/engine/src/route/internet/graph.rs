//! The Internet as autonomous systems and their business relations, in compressed rows.
//!
//! An AS is named by its *index*: the position of its number in ascending order. Lower index means
//! lower AS number, so ties are broken by index. The neighbours of an AS lie in one array, grouped
//! by relation, each group in ascending order.

use super::build::{self, GraphError};
use std::sync::Arc;

/// What a neighbour is to an AS: the AS earns from customers and pays providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Relation {
    /// It pays us.
    Customer = 0,
    /// Settlement-free, over a session of its own.
    Peer = 1,
    /// Settlement-free, over a route server.
    RouteServer = 2,
    /// We pay it.
    Provider = 3,
}

impl Relation {
    /// All relations in order of preference.
    pub const ALL: [Relation; 4] =
        [Relation::Customer, Relation::Peer, Relation::RouteServer, Relation::Provider];

    /// The same link seen from the other end.
    #[must_use]
    pub fn inverse(self) -> Relation {
        match self {
            Relation::Customer => Relation::Provider,
            Relation::Provider => Relation::Customer,
            settlement_free => settlement_free,
        }
    }
}

/// A link between two ASes, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// One end.
    pub a: u32,
    /// The other end.
    pub b: u32,
    /// What `b` is to `a`.
    pub relation: Relation,
}

/// The graph: immutable, cheap to clone.
///
/// No AS is linked to itself, two ASes have at most one relation, and nobody is an indirect
/// provider of itself (Gao and Rexford, *Stable Internet routing without global coordination*,
/// 2001, section 2).
#[derive(Clone, Debug)]
pub struct AsGraph {
    rows: Arc<Rows>,
}

/// The compressed rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// AS numbers, ascending.
    pub(super) asns: Vec<u32>,
    /// Group `g` of AS `i` is `neighbours[bounds[4 i + g]..bounds[4 i + g + 1]]`.
    pub(super) bounds: Vec<u32>,
    /// Indices of neighbours.
    pub(super) neighbours: Vec<u32>,
}

impl AsGraph {
    /// Builds the graph. The same link given twice counts once.
    ///
    /// # Errors
    /// Everything that is wrong with the links, in order of position; see [`GraphError`].
    pub fn new(links: &[Link]) -> Result<AsGraph, Vec<GraphError>> {
        build::rows(links).map(|rows| AsGraph { rows: Arc::new(rows) })
    }

    /// The same graph with more links and their ASes. Indices may shift.
    ///
    /// # Errors
    /// As [`AsGraph::new`]; positions are those in `extra`, and those from `extra.len()` on mean
    /// links that the graph had.
    pub fn with_links(&self, extra: &[Link]) -> Result<AsGraph, Vec<GraphError>> {
        let links: Vec<Link> = extra.iter().copied().chain(self.links()).collect();
        AsGraph::new(&links)
    }

    /// Every link once, in a fixed order; `a` is the provider or has the lower number.
    pub fn links(&self) -> impl Iterator<Item = Link> + '_ {
        (0..self.len() as u32).flat_map(move |from| {
            Relation::ALL.into_iter().flat_map(move |relation| {
                self.neighbours(from, relation).iter().filter_map(move |&to| {
                    let once = match relation {
                        Relation::Customer => true,
                        Relation::Provider => false,
                        Relation::Peer | Relation::RouteServer => from < to,
                    };
                    once.then(|| Link { a: self.asn(from), b: self.asn(to), relation })
                })
            })
        })
    }

    /// Number of ASes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.asns.len()
    }

    /// Whether there is no AS.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.asns.is_empty()
    }

    /// Number of links.
    #[must_use]
    pub fn link_count(&self) -> usize {
        self.rows.neighbours.len() / 2
    }

    /// All AS numbers, ascending: position is index.
    #[must_use]
    pub fn asns(&self) -> &[u32] {
        &self.rows.asns
    }

    /// Number of the AS at an index below [`AsGraph::len`].
    #[inline]
    #[must_use]
    pub fn asn(&self, index: u32) -> u32 {
        self.rows.asns[index as usize]
    }

    /// Index of an AS number; none: not in the graph.
    #[must_use]
    pub fn index_of(&self, asn: u32) -> Option<u32> {
        self.rows.asns.binary_search(&asn).ok().map(|index| index as u32)
    }

    /// Number of ASes whose number is below `asn`: where it stands in the order of indices.
    #[must_use]
    pub fn rank_of(&self, asn: u32) -> u32 {
        self.rows.asns.partition_point(|&other| other < asn) as u32
    }

    /// Neighbours of one relation, ascending.
    #[inline]
    #[must_use]
    pub fn neighbours(&self, index: u32, relation: Relation) -> &[u32] {
        let at = index as usize * 4 + relation as usize;
        let bounds = &self.rows.bounds;
        &self.rows.neighbours[bounds[at] as usize..bounds[at + 1] as usize]
    }

    /// Neighbours of all relations: customers, peers, peers over route servers, providers.
    #[inline]
    #[must_use]
    pub fn all_neighbours(&self, index: u32) -> &[u32] {
        let at = index as usize * 4;
        let bounds = &self.rows.bounds;
        &self.rows.neighbours[bounds[at] as usize..bounds[at + 4] as usize]
    }

    /// What `neighbour` is to the AS; none: they are not linked.
    #[must_use]
    pub fn relation(&self, index: u32, neighbour: u32) -> Option<Relation> {
        Relation::ALL
            .into_iter()
            .find(|&relation| self.neighbours(index, relation).binary_search(&neighbour).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn link(a: u32, b: u32, relation: Relation) -> Link {
        Link { a, b, relation }
    }

    fn sample() -> Vec<Link> {
        vec![
            link(30, 10, Relation::Customer),
            link(4_200_000_000, 30, Relation::Customer),
            link(30, 20, Relation::Peer),
            link(7, 30, Relation::RouteServer),
            link(30, 8, Relation::Customer),
        ]
    }

    #[test]
    fn rows_are_grouped_and_sorted() {
        let graph = AsGraph::new(&sample()).unwrap();
        assert_eq!(graph.asns(), [7, 8, 10, 20, 30, 4_200_000_000]);
        let of = |relation| {
            let indices = graph.neighbours(4, relation).iter();
            indices.map(|&index| graph.asn(index)).collect::<Vec<_>>()
        };
        assert_eq!(of(Relation::Customer), [8, 10]);
        assert_eq!(of(Relation::Peer), [20]);
        assert_eq!(of(Relation::RouteServer), [7]);
        assert_eq!(of(Relation::Provider), [4_200_000_000]);
        assert_eq!(graph.all_neighbours(4), [1, 2, 3, 0, 5]);
        assert_eq!(graph.relation(1, 4), Some(Relation::Provider));
        assert_eq!(graph.relation(1, 2), None);
        assert_eq!((graph.link_count(), graph.index_of(9), graph.rank_of(9)), (5, None, 2));
    }

    #[test]
    fn more_links_give_the_graph_of_all_links() {
        let graph = AsGraph::new(&sample()).unwrap();
        let more = [link(20, 64_512, Relation::Customer), link(30, 20, Relation::Peer)];
        let larger = graph.with_links(&more).unwrap();
        let all = [sample(), more[..1].to_vec()].concat();
        let direct = AsGraph::new(&all).unwrap();
        assert_eq!(larger.asns(), direct.asns());
        assert!(larger.links().eq(direct.links()));
        let wrong = [link(20, 1, Relation::Peer), link(10, 30, Relation::Customer)];
        let errors = graph.with_links(&wrong).unwrap_err();
        assert!(
            matches!(errors[0], GraphError::Contradiction { first: 1, second, .. } if second >= 2),
            "{errors:?}"
        );
    }
}
