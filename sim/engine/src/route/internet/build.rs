//! From links to compressed rows, in time linear in the links, and what can be wrong with them.

use super::graph::{Link, Relation, Rows};

/// What is wrong with a list of links. Positions count from 0 in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphError {
    /// An AS is linked to itself.
    SelfLink {
        /// Position of the link.
        link: usize,
        /// The AS number.
        asn: u32,
    },
    /// Two ASes have two relations.
    Contradiction {
        /// Position of the earlier link.
        first: usize,
        /// Position of the later link.
        second: usize,
        /// Both AS numbers, as in the later link.
        asns: (u32, u32),
    },
    /// Each AS is a provider of the next, and the last one of the first.
    ProviderCycle {
        /// The AS numbers, the lowest first.
        asns: Vec<u32>,
        /// Position of the link between each and the next.
        links: Vec<usize>,
    },
    /// More than 2^31 − 2 ASes or ends of links cannot be numbered.
    TooLarge,
}

/// Most ends of links: group bounds are 32 bits, and the top bit of an index marks a seed.
const ENDS_MAX: usize = (1 << 31) - 2;

/// Most pages of 65,536 numbers in the table from numbers to indices: 16 MiB.
const PAGES_MAX: usize = 64;

/// Builds the rows, or says everything that is wrong.
pub(super) fn rows(links: &[Link]) -> Result<Rows, Vec<GraphError>> {
    if links.len() > ENDS_MAX / 2 {
        return Err(vec![GraphError::TooLarge]);
    }
    let selfish = links.iter().enumerate().filter(|(_, link)| link.a == link.b);
    let mut errors: Vec<GraphError> =
        selfish.map(|(at, link)| GraphError::SelfLink { link: at, asn: link.a }).collect();
    if !errors.is_empty() {
        let others: Vec<usize> =
            (0..links.len()).filter(|&at| links[at].a != links[at].b).collect();
        let kept: Vec<Link> = others.iter().map(|&at| links[at]).collect();
        errors.extend(checked(&kept).err().into_iter().flatten().map(|e| e.moved(&others)));
        errors.sort_by_key(GraphError::position);
        return Err(errors);
    }
    checked(links)
}

/// The rows of links between different ASes.
fn checked(links: &[Link]) -> Result<Rows, Vec<GraphError>> {
    let mut rows = unchecked(links);
    let mut errors = Vec::new();
    if has_double(&rows) {
        let (kept, contradictions) = unique(links);
        errors = contradictions;
        rows = unchecked(&kept.iter().map(|&at| links[at]).collect::<Vec<_>>());
    }
    errors.extend(provider_cycle(&rows).map(|cycle| name_cycle(links, &rows, &cycle)));
    errors.sort_by_key(GraphError::position);
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// The rows of links, with neighbours named twice if there are such.
fn unchecked(links: &[Link]) -> Rows {
    let numbering = Numbering::new(links);
    let count = numbering.asns.len();
    let ends: Vec<(u32, u32)> =
        links.iter().map(|link| (numbering.index(link.a), numbering.index(link.b))).collect();
    // Ends filed by neighbour first: taking them in that order fills every group in order.
    let mut filed = vec![0_u32; count + 1];
    let mut bounds = vec![0_u32; count * 4 + 1];
    for (link, &(a, b)) in links.iter().zip(&ends) {
        filed[b as usize + 1] += 1;
        filed[a as usize + 1] += 1;
        bounds[slot(a, link.relation) + 1] += 1;
        bounds[slot(b, link.relation.inverse()) + 1] += 1;
    }
    accumulate(&mut filed);
    accumulate(&mut bounds);
    let mut slots = vec![0_u32; links.len() * 2];
    let mut cursor = filed.clone();
    for (link, &(a, b)) in links.iter().zip(&ends) {
        slots[take(&mut cursor, b as usize)] = slot(a, link.relation) as u32;
        slots[take(&mut cursor, a as usize)] = slot(b, link.relation.inverse()) as u32;
    }
    let mut neighbours = vec![0_u32; links.len() * 2];
    cursor = bounds.clone();
    for to in 0..count {
        for &slot in &slots[filed[to] as usize..filed[to + 1] as usize] {
            neighbours[take(&mut cursor, slot as usize)] = to as u32;
        }
    }
    Rows { asns: numbering.asns, bounds, neighbours }
}

fn slot(index: u32, relation: Relation) -> usize {
    index as usize * 4 + relation as usize
}

/// Counts, each at the position behind its own, become starts.
fn accumulate(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

fn take(cursor: &mut [u32], at: usize) -> usize {
    let place = cursor[at];
    cursor[at] += 1;
    place as usize
}

/// AS numbers in order, and the way back.
struct Numbering {
    asns: Vec<u32>,
    /// Index of each number, by its upper 16 bits and then its lower; none if numbers are spread
    /// over so many pages that the table would be large.
    pages: Option<Vec<Vec<u32>>>,
}

impl Numbering {
    fn new(links: &[Link]) -> Numbering {
        let mut used = vec![false; 1 << 16];
        for link in links {
            used[(link.a >> 16) as usize] = true;
            used[(link.b >> 16) as usize] = true;
        }
        if used.iter().filter(|used| **used).count() > PAGES_MAX {
            let mut asns: Vec<u32> = links.iter().flat_map(|link| [link.a, link.b]).collect();
            asns.sort_unstable();
            asns.dedup();
            return Numbering { asns, pages: None };
        }
        let page = |used: &bool| if *used { vec![0_u32; 1 << 16] } else { Vec::new() };
        let mut pages: Vec<Vec<u32>> = used.iter().map(page).collect();
        for asn in links.iter().flat_map(|link| [link.a, link.b]) {
            pages[(asn >> 16) as usize][(asn & 0xffff) as usize] = 1;
        }
        let mut asns = Vec::new();
        for (high, page) in (0_u32..).zip(&mut pages) {
            for (low, place) in (0_u32..).zip(page.iter_mut()).filter(|(_, place)| **place == 1) {
                *place = asns.len() as u32;
                asns.push(high << 16 | low);
            }
        }
        Numbering { asns, pages: Some(pages) }
    }

    #[inline]
    fn index(&self, asn: u32) -> u32 {
        match &self.pages {
            Some(pages) => pages[(asn >> 16) as usize][(asn & 0xffff) as usize],
            None => self.asns.partition_point(|&other| other < asn) as u32,
        }
    }
}

/// Whether an AS has a neighbour twice.
fn has_double(rows: &Rows) -> bool {
    let count = rows.asns.len();
    let mut seen_by = vec![u32::MAX; count];
    (0..count).any(|from| {
        let range = rows.bounds[from * 4] as usize..rows.bounds[from * 4 + 4] as usize;
        rows.neighbours[range].iter().any(|&to| {
            let seen = seen_by[to as usize] == from as u32;
            seen_by[to as usize] = from as u32;
            seen
        })
    })
}

/// Positions of the first link of each pair of ASes, and all contradictions.
fn unique(links: &[Link]) -> (Vec<usize>, Vec<GraphError>) {
    let key = |at: usize| {
        let link = links[at];
        if link.a < link.b {
            (link.a, link.b, link.relation)
        } else {
            (link.b, link.a, link.relation.inverse())
        }
    };
    let mut order: Vec<usize> = (0..links.len()).collect();
    order.sort_unstable_by_key(|&at| (key(at).0, key(at).1, at));
    let mut kept = Vec::new();
    let mut errors = Vec::new();
    for pair in order.chunk_by(|&x, &y| (key(x).0, key(x).1) == (key(y).0, key(y).1)) {
        kept.push(pair[0]);
        let other = pair.iter().find(|&&at| key(at).2 != key(pair[0]).2);
        errors.extend(other.map(|&second| GraphError::Contradiction {
            first: pair[0],
            second,
            asns: (links[second].a, links[second].b),
        }));
    }
    kept.sort_unstable();
    (kept, errors)
}

/// Indices of ASes each of which is a provider of the next, and the last of the first.
fn provider_cycle(rows: &Rows) -> Option<Vec<u32>> {
    let group = |index: u32, relation: Relation| {
        let at = slot(index, relation);
        &rows.neighbours[rows.bounds[at] as usize..rows.bounds[at + 1] as usize]
    };
    let count = rows.asns.len() as u32;
    let mut left: Vec<u32> =
        (0..count).map(|index| group(index, Relation::Provider).len() as u32).collect();
    let mut free: Vec<u32> = (0..count).filter(|&index| left[index as usize] == 0).collect();
    let mut done = 0;
    while let Some(provider) = free.pop() {
        done += 1;
        for &customer in group(provider, Relation::Customer) {
            left[customer as usize] -= 1;
            if left[customer as usize] == 0 {
                free.push(customer);
            }
        }
    }
    if done == count {
        return None;
    }
    // Whoever is left has a provider that is left: going up must come round.
    let mut at = (0..count).find(|&index| left[index as usize] > 0)?;
    let mut visited = vec![false; count as usize];
    let mut way = Vec::new();
    while !visited[at as usize] {
        visited[at as usize] = true;
        way.push(at);
        let mut providers = group(at, Relation::Provider).iter();
        at = *providers.find(|&&provider| left[provider as usize] > 0)?;
    }
    let start = way.iter().position(|&index| index == at)?;
    let mut cycle = way.split_off(start);
    cycle.reverse();
    let lowest = (0..cycle.len()).min_by_key(|&place| cycle[place])?;
    cycle.rotate_left(lowest);
    Some(cycle)
}

fn name_cycle(links: &[Link], rows: &Rows, cycle: &[u32]) -> GraphError {
    let asns: Vec<u32> = cycle.iter().map(|&index| rows.asns[index as usize]).collect();
    let position = |provider: u32, customer: u32| {
        links.iter().position(|link| {
            let down = (link.a, link.b, link.relation) == (provider, customer, Relation::Customer);
            down || (link.a, link.b, link.relation) == (customer, provider, Relation::Provider)
        })
    };
    let next = asns.iter().cycle().skip(1);
    let links = asns.iter().zip(next).filter_map(|(&a, &b)| position(a, b)).collect();
    GraphError::ProviderCycle { asns, links }
}

impl GraphError {
    /// The same about positions in a longer list.
    fn moved(self, to: &[usize]) -> GraphError {
        match self {
            GraphError::SelfLink { link, asn } => GraphError::SelfLink { link: to[link], asn },
            GraphError::Contradiction { first, second, asns } => {
                GraphError::Contradiction { first: to[first], second: to[second], asns }
            }
            GraphError::ProviderCycle { asns, links } => {
                let links = links.into_iter().map(|link| to[link]).collect();
                GraphError::ProviderCycle { asns, links }
            }
            GraphError::TooLarge => GraphError::TooLarge,
        }
    }

    /// Position of the link at which it shows.
    #[must_use]
    pub fn position(&self) -> usize {
        match self {
            GraphError::SelfLink { link, .. } => *link,
            GraphError::Contradiction { second, .. } => *second,
            GraphError::ProviderCycle { links, .. } => links.iter().copied().max().unwrap_or(0),
            GraphError::TooLarge => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::AsGraph;
    use super::*;

    fn link(a: u32, b: u32, relation: Relation) -> Link {
        Link { a, b, relation }
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_position() {
        let errors = AsGraph::new(&[
            link(1, 2, Relation::Customer),
            link(5, 5, Relation::Peer),
            link(2, 1, Relation::Peer),
            link(1, 2, Relation::Customer),
            link(3, 4, Relation::Peer),
            link(4, 3, Relation::RouteServer),
        ])
        .unwrap_err();
        let expected = [
            GraphError::SelfLink { link: 1, asn: 5 },
            GraphError::Contradiction { first: 0, second: 2, asns: (2, 1) },
            GraphError::Contradiction { first: 4, second: 5, asns: (4, 3) },
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn a_link_given_twice_counts_once() {
        let twice = [link(1, 2, Relation::Customer), link(2, 1, Relation::Provider)];
        assert_eq!(AsGraph::new(&twice).unwrap().link_count(), 1);
    }

    #[test]
    fn a_provider_cycle_is_named() {
        let errors = AsGraph::new(&[
            link(9, 1, Relation::Customer),
            link(7, 5, Relation::Customer),
            link(6, 7, Relation::Customer),
            link(6, 5, Relation::Provider),
            link(5, 8, Relation::Customer),
        ])
        .unwrap_err();
        let cycle = GraphError::ProviderCycle { asns: vec![5, 6, 7], links: vec![3, 2, 1] };
        assert_eq!(errors, [cycle]);
    }

    #[test]
    fn widely_spread_numbers_work_as_well() {
        let links: Vec<Link> =
            (0..200_u32).map(|k| link(0, (k + 1) << 24 | k, Relation::Customer)).collect();
        let graph = AsGraph::new(&links[..199]).unwrap();
        assert_eq!(graph.len(), 200);
        assert!(graph.asns().is_sorted());
        assert_eq!(graph.neighbours(0, Relation::Customer).len(), 199);
    }
}
