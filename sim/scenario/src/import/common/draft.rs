//! A network and its traffic between a format and the scenario language.

use super::stamp::Stamp;
use std::collections::BTreeMap;

/// Everything an importer found, in the file's own order.
#[derive(Debug)]
pub(crate) struct Draft {
    /// One line for people.
    pub(crate) label: String,
    /// Where it comes from.
    pub(crate) description: String,
    pub(crate) nodes: Vec<DraftNode>,
    pub(crate) links: Vec<DraftLink>,
    pub(crate) traffic: Traffic,
    /// Every assumption made.
    pub(crate) notes: Vec<String>,
}

/// A node.
#[derive(Debug)]
pub(crate) struct DraftNode {
    /// Its name in the file.
    pub(crate) name: String,
    /// Latitude and longitude, degrees.
    pub(crate) at: Option<(f64, f64)>,
}

/// A link with a value for each direction: from the first end, from the second.
#[derive(Debug)]
pub(crate) struct DraftLink {
    /// Its names in the file, the first becomes the id; without any, its ends name it.
    pub(crate) names: Vec<String>,
    pub(crate) ends: [usize; 2],
    pub(crate) capacity_bps: [u64; 2],
    pub(crate) weight: [u64; 2],
    /// One-way delay; none where the file gives none.
    pub(crate) delay_ns: Option<u64>,
}

/// What the network carries.
#[derive(Debug)]
pub(crate) enum Traffic {
    /// The format holds no demands.
    None,
    /// One matrix.
    Static {
        /// Rates in bit/s by (from, to).
        rates_bps: BTreeMap<(usize, usize), f64>,
        /// When it was measured, if known.
        start: Option<Stamp>,
    },
    /// A series of matrices.
    Series(Series),
}

/// A series of matrices, times from its own start.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) start: Stamp,
    pub(crate) step_ns: u64,
    pub(crate) horizon_ns: u64,
    pub(crate) times_ns: Vec<u64>,
    pub(crate) pairs: Vec<(usize, usize)>,
    /// Row after row.
    pub(crate) rates_bps: Vec<f64>,
}

/// An edge of one direction only.
#[derive(Debug)]
pub(crate) struct DirectedEdge {
    pub(crate) name: Option<String>,
    pub(crate) ends: [usize; 2],
    pub(crate) capacity_bps: u64,
    pub(crate) weight: u64,
    pub(crate) delay_ns: Option<u64>,
}

/// Joins opposite edges into links: the k-th edge from a to b with the k-th from b to a, in file
/// order. An edge without a partner becomes a link of one direction.
pub(crate) fn pair_edges(edges: &[DirectedEdge], notes: &mut Vec<String>) -> Vec<DraftLink> {
    let mut by_ends: BTreeMap<[usize; 2], Vec<usize>> = BTreeMap::new();
    let mut occurrence = Vec::new();
    for (index, edge) in edges.iter().enumerate() {
        let same = by_ends.entry(edge.ends).or_default();
        occurrence.push(same.len());
        same.push(index);
    }
    let (mut single, mut unequal) = (0, 0);
    let mut links = Vec::new();
    for (index, edge) in edges.iter().enumerate() {
        let opposite = by_ends.get(&[edge.ends[1], edge.ends[0]]);
        let partner = opposite.and_then(|list| list.get(occurrence[index])).copied();
        let mut link = DraftLink {
            names: edge.name.iter().cloned().collect(),
            ends: edge.ends,
            capacity_bps: [edge.capacity_bps, 0],
            weight: [edge.weight; 2],
            delay_ns: edge.delay_ns,
        };
        match partner {
            Some(partner) if partner < index => continue,
            Some(partner) => {
                let back = &edges[partner];
                link.names.extend(back.name.clone());
                link.capacity_bps[1] = back.capacity_bps;
                link.weight[1] = back.weight;
                unequal += usize::from(back.delay_ns != edge.delay_ns);
                link.delay_ns = edge.delay_ns.max(back.delay_ns);
            }
            None => single += 1,
        }
        links.push(link);
    }
    count_note(notes, single, "one-directional [link|links]: the file has no edge back");
    count_note(
        notes,
        unequal,
        "[link|links] whose two directions differ in delay: the longer is used for both",
    );
    links
}

/// Adds a remark with its count where there is something to count. `[one|many]` in the text stands
/// for the form that agrees with the count.
pub(crate) fn count_note(notes: &mut Vec<String>, count: usize, text: &str) {
    if count == 0 {
        return;
    }
    let mut note = format!("{count} ");
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let (forms, after) = after.split_once(']').expect("a text of ours closes its bracket");
        let (one, many) = forms.split_once('|').expect("a text of ours has both forms");
        note.push_str(before);
        note.push_str(if count == 1 { one } else { many });
        rest = after;
    }
    notes.push(note + rest);
}

/// Reads a pair of coordinates; none (to be counted) where they are no place on the Earth.
pub(crate) fn place_on_earth(lat: f64, lon: f64) -> Option<(f64, f64)> {
    let valid = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
    valid.then_some((lat + 0.0, lon + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_pair_by_occurrence() {
        let edge = |name: &str, from, to, capacity_bps, delay| DirectedEdge {
            name: Some(name.to_owned()),
            ends: [from, to],
            capacity_bps,
            weight: capacity_bps + 1,
            delay_ns: Some(delay),
        };
        let edges = [
            edge("a", 0, 1, 1, 10),
            edge("b", 0, 1, 2, 10),
            edge("c", 1, 0, 3, 10),
            edge("d", 1, 0, 4, 20),
            edge("e", 2, 0, 5, 10),
        ];
        let mut notes = Vec::new();
        let links = pair_edges(&edges, &mut notes);
        let seen: Vec<_> = links.iter().map(|l| (l.names.join("+"), l.capacity_bps)).collect();
        let expected = [("a+c", [1, 3]), ("b+d", [2, 4]), ("e", [5, 0])];
        assert_eq!(seen, expected.map(|(name, capacity)| (name.to_owned(), capacity)));
        assert_eq!(links[1].weight, [3, 5]);
        assert_eq!(links[1].delay_ns, Some(20));
        assert_eq!(notes.len(), 2);
        assert!(notes[0].starts_with("1 one-directional link:"), "{notes:?}");
    }

    #[test]
    fn counting() {
        let mut notes = Vec::new();
        count_note(&mut notes, 3, "self-loop [link|links] dropped");
        assert_eq!(notes, ["3 self-loop links dropped"]);
    }
}
