//! Internet Topology Zoo: GraphML networks.
//!
//! Source: Knight, Nguyen, Falkner, Bowden, Roughan, The Internet Topology Zoo, IEEE JSAC 29(9),
//! 2011; files at topology-zoo.org. GraphML: `key` elements name attributes, `node` and `edge`
//! hold them in `data`. Speeds: `LinkSpeedRaw` (bit/s), else `LinkSpeed` with `LinkSpeedUnits`,
//! else a rate in `LinkLabel`, else the stated default. The format has no demands and no weights.
//! Limits: 64 MiB a file, 2,000,000 elements.

use super::common::compose::compose;
use super::common::draft::{
    DirectedEdge, Draft, DraftLink, DraftNode, Traffic, count_note, pair_edges, place_on_earth,
};
use super::common::names::{base_name, stem};
use super::common::problem::{E_NAME, E_NUMBER, E_OPTION, E_SYNTAX, Problem, Problems, shown};
use super::common::text::Text;
use super::common::units::{rate_text, scaled_f64, scaled_u64};
use super::common::xml::{self, Element};
use super::{ImportError, ImportInput, Imported, Importer};
use std::collections::BTreeMap;

/// The importer.
pub(super) struct TopologyZoo;

/// What the `key` elements say: (kind of element, attribute) of each key id, with the default.
struct Keys {
    by_id: BTreeMap<String, (String, Option<String>)>,
}

/// Counts of what was assumed about edges.
#[derive(Default)]
struct Counts {
    loops: usize,
    from_label: usize,
    without: usize,
    bound: usize,
}

impl Importer for TopologyZoo {
    fn name(&self) -> &'static str {
        "topology-zoo"
    }

    fn summary(&self) -> &'static str {
        "Internet Topology Zoo networks (.graphml); they hold no demands"
    }

    fn source(&self) -> &'static str {
        "topology-zoo.org; Knight, Nguyen, Falkner, Bowden, Roughan, IEEE JSAC 29(9), 2011"
    }

    fn import(&self, input: &ImportInput) -> Result<Imported, ImportError> {
        let file = &input.topology;
        if input.demands.is_some() {
            let problem = Problem::new(E_OPTION, &file.name, "demands were given")
                .why("this format has no demands, so their nodes could not be matched")
                .help("leave them out and write demands into the scenario");
            return Err(problem.into());
        }
        let text = Text::decode(&file.name, &file.bytes)?;
        let mut notes = Vec::new();
        text.note_encoding(&mut notes);
        let root = xml::parse(&text)?;
        let graph = graph(&text, &root, &mut notes)?;
        let keys = Keys::read(&root);
        let mut problems = Problems::default();
        let (nodes, index) = nodes(&text, graph, &keys, &mut problems, &mut notes);
        let fallback = input.options.fallback_capacity_bps;
        let links = links(&text, graph, &keys, &index, fallback, &mut problems, &mut notes);
        problems.finish(())?;
        notes.push("the format has no demands: none are set".to_owned());
        notes.push("the format has no IGP weights: every link has weight 1".to_owned());
        let of_graph = |name: &str| keys.value(graph, name).unwrap_or_default();
        let network = match of_graph("Network") {
            empty if empty.is_empty() => stem(&file.name).to_owned(),
            network => network,
        };
        let label = format!("{network} (Internet Topology Zoo)");
        let mut description = format!("Imported from {}.", base_name(&file.name));
        for (name, words) in
            [("GeoExtent", "Extent"), ("NetworkDate", "Date"), ("Source", "Source")]
        {
            let value = of_graph(name);
            if !value.is_empty() {
                description.push_str(&format!(" {words}: {value}."));
            }
        }
        let traffic = Traffic::None;
        compose(Draft { label, description, nodes, links, traffic, notes }, input)
    }
}

/// The graph element; nested graphs and hyperedges are not read.
fn graph<'a>(
    text: &Text<'_>,
    root: &'a Element,
    notes: &mut Vec<String>,
) -> Result<&'a Element, Problem> {
    let graph = root.child("graph").filter(|_| root.name == "graphml");
    let Some(graph) = graph else {
        return Err(text
            .problem(E_SYNTAX, root.offset, "no element 'graph' inside an element 'graphml'")
            .why("a GraphML file holds a graph")
            .help("check that the file is the one you meant"));
    };
    let others = root.children("graph").count() - 1;
    count_note(notes, others, "more [graph|graphs] in the file: only the first is read");
    let nested = graph.children("node").filter(|node| node.child("graph").is_some()).count();
    count_note(notes, nested, "[node|nodes] with a graph inside: only the outer graph is read");
    count_note(notes, graph.children("hyperedge").count(), "[hyperedge|hyperedges] dropped");
    Ok(graph)
}

impl Keys {
    fn read(root: &Element) -> Keys {
        let mut by_id = BTreeMap::new();
        for key in root.children("key") {
            let name = key.attribute("attr.name").or_else(|| key.attribute("name"));
            if let (Some(id), Some(name)) = (key.attribute("id"), name) {
                let default = key.child_text("default").map(str::to_owned);
                by_id.insert(id.to_owned(), (name.to_owned(), default));
            }
        }
        Keys { by_id }
    }

    /// The value of an attribute of an element; none where it has none.
    fn value(&self, element: &Element, name: &str) -> Option<String> {
        let named = |id: &str| self.by_id.get(id).is_some_and(|(key, _)| key == name);
        let own = element.children("data").find(|data| data.attribute("key").is_some_and(named));
        own.map(|data| data.text.clone()).filter(|value| !value.is_empty())
    }

    /// The default of a key of this name, if any.
    fn default(&self, name: &str) -> Option<String> {
        self.by_id.values().find(|(key, _)| key == name).and_then(|(_, default)| default.clone())
    }

    fn or_default(&self, element: &Element, name: &str) -> Option<String> {
        self.value(element, name).or_else(|| self.default(name))
    }
}

/// Nodes in file order, and their numbers by GraphML id.
fn nodes(
    text: &Text<'_>,
    graph: &Element,
    keys: &Keys,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> (Vec<DraftNode>, BTreeMap<String, usize>) {
    let mut nodes = Vec::new();
    let mut index = BTreeMap::new();
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    let (mut external, mut junctions, mut outside) = (0, 0, 0);
    for node in graph.children("node") {
        let id = node.attribute("id").unwrap_or_default();
        if id.is_empty() || index.insert(id.to_owned(), nodes.len()).is_some() {
            let what = format!("a node with the id {}", shown(id));
            problems.push(
                text.problem(E_NAME, node.offset, what)
                    .why("every node needs an id of its own, which edges use")
                    .help("give it one"),
            );
        }
        external += usize::from(keys.value(node, "Internal").is_some_and(|value| value == "0"));
        junctions += usize::from(keys.value(node, "hyperedge").is_some_and(|value| value == "1"));
        let mut degrees = |name: &str| {
            let value = keys.or_default(node, name)?;
            let read = scaled_f64(&value, 0);
            if read.is_none() {
                let what = format!("{name} {} is no number", shown(&value));
                problems.push(bad_number(text, node, what));
            }
            read
        };
        let at = match (degrees("Latitude"), degrees("Longitude")) {
            (Some(lat), Some(lon)) => {
                let at = place_on_earth(lat, lon);
                outside += usize::from(at.is_none());
                at
            }
            _ => None,
        };
        let name = keys.or_default(node, "label").unwrap_or_else(|| id.to_owned());
        *labels.entry(name.clone()).or_default() += 1;
        nodes.push(DraftNode { name, at });
    }
    let shared = labels.values().filter(|count| **count > 1).sum();
    count_note(notes, shared, "[node shares its|nodes share a] label: ids got numbers behind them");
    count_note(notes, external, "[node|nodes] outside the network (Internal=0) kept");
    count_note(
        notes,
        junctions,
        "[node that is a junction|nodes that are junctions] of links (hyperedge=1) kept",
    );
    let what = "[node|nodes] whose coordinates are no longitude and latitude: not used";
    count_note(notes, outside, what);
    (nodes, index)
}

fn bad_number(text: &Text<'_>, element: &Element, what: String) -> Problem {
    text.problem(E_NUMBER, element.offset, what)
        .why("a guess here would make every result wrong")
        .help("correct the value or remove it")
}

fn links(
    text: &Text<'_>,
    graph: &Element,
    keys: &Keys,
    index: &BTreeMap<String, usize>,
    fallback_bps: u64,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Vec<DraftLink> {
    let directed_default = graph.attribute("edgedefault") == Some("directed");
    let mut counts = Counts::default();
    let mut links = Vec::new();
    let mut directed_edges = Vec::new();
    for edge in graph.children("edge") {
        let Some(ends) = ends(text, edge, index, problems) else { continue };
        if ends[0] == ends[1] {
            counts.loops += 1;
            continue;
        }
        let bps = speed(text, edge, keys, &mut counts, problems).unwrap_or(fallback_bps);
        let id = edge.attribute("id").filter(|id| !id.is_empty()).map(str::to_owned);
        let directed = edge.attribute("directed").map_or(directed_default, |value| value == "true");
        if directed {
            directed_edges.push(DirectedEdge {
                name: id,
                ends,
                capacity_bps: bps,
                weight: 1,
                delay_ns: None,
            });
        } else {
            links.push(DraftLink {
                names: id.into_iter().collect(),
                ends,
                capacity_bps: [bps; 2],
                weight: [1; 2],
                delay_ns: None,
            });
        }
    }
    links.extend(pair_edges(&directed_edges, notes));
    count_note(notes, counts.loops, "[edge|edges] from a node to itself dropped");
    count_note(notes, counts.from_label, "[link speed|link speeds] read from the label");
    let what =
        "[link|links] with a bound instead of a speed (such as '< 10 Gbps'): the bound is used";
    count_note(notes, counts.bound, what);
    let what = format!("[link|links] without a speed: {} assumed", rate_text(fallback_bps));
    count_note(notes, counts.without, &what);
    links
}

fn ends(
    text: &Text<'_>,
    edge: &Element,
    index: &BTreeMap<String, usize>,
    problems: &mut Problems,
) -> Option<[usize; 2]> {
    let mut end = |attribute: &str| {
        let id = edge.attribute(attribute).unwrap_or_default();
        let node = index.get(id).copied();
        if node.is_none() {
            let what = format!("the edge's {attribute} {} is no node", shown(id));
            problems.push(
                text.problem(E_NAME, edge.offset, what)
                    .why("an edge runs between two nodes of the graph")
                    .help("correct the id or remove the edge"),
            );
        }
        node
    };
    let (from, to) = (end("source"), end("target"));
    Some([from?, to?])
}

/// The speed of an edge in bit/s; none (counted) where the file has none.
fn speed(
    text: &Text<'_>,
    edge: &Element,
    keys: &Keys,
    counts: &mut Counts,
    problems: &mut Problems,
) -> Option<u64> {
    let label = keys.value(edge, "LinkLabel");
    counts.bound += usize::from(label.as_deref().is_some_and(|label| label.contains(['<', '>'])));
    let raw = keys.or_default(edge, "LinkSpeedRaw");
    let units = keys.or_default(edge, "LinkSpeedUnits");
    let power = units.as_deref().and_then(|unit| unit.chars().next()).and_then(prefix_power);
    let parts = keys.or_default(edge, "LinkSpeed").zip(power);
    let (value, power) = match (raw, parts) {
        (Some(raw), _) => (raw, 0),
        (None, Some(parts)) => parts,
        (None, None) => {
            let bps = label.as_deref().and_then(rate_in_label);
            counts.from_label += usize::from(bps.is_some());
            counts.without += usize::from(bps.is_none());
            return bps;
        }
    };
    match scaled_u64(&value, power) {
        Some((bps, _)) if bps > 0 => Some(bps),
        _ => {
            let what = format!("link speed {} is out of range", shown(&value));
            problems.push(bad_number(text, edge, what));
            None
        }
    }
}

/// Power of ten of a unit's prefix.
fn prefix_power(prefix: char) -> Option<i32> {
    match prefix {
        'K' | 'k' => Some(3),
        'M' | 'm' => Some(6),
        'G' | 'g' => Some(9),
        'T' | 't' => Some(12),
        _ => None,
    }
}

/// The largest rate in a label such as `Peering, 1-10Gbps`, `OC-192c` or `STM-16`, bit/s.
fn rate_in_label(label: &str) -> Option<u64> {
    let mut largest = None;
    let mut rest = label;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let before = rest[..at].trim_end_matches(['-', ' ']).to_ascii_uppercase();
        let length =
            rest[at..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len() - at);
        let number = rest[at..at + length].trim_end_matches('.');
        rest = &rest[at + length..];
        let unit = rest.trim_start();
        let power = unit.chars().next().and_then(prefix_power);
        let power = power.filter(|_| unit[1..].starts_with(['b', 'B', 'i']));
        let bps = match power {
            Some(power) => scaled_u64(number, power).map(|(bps, _)| bps),
            // SONET and SDH: multiples of 51.84 and 155.52 Mbit/s (ITU-T G.707).
            None if before.ends_with("OC") => multiple(number, 51_840_000),
            None if before.ends_with("STM") => multiple(number, 155_520_000),
            None => None,
        };
        largest = largest.max(bps.filter(|bps| *bps > 0));
    }
    largest
}

fn multiple(number: &str, unit_bps: u64) -> Option<u64> {
    number.parse::<u64>().ok().filter(|count| *count <= 10_000).map(|count| count * unit_bps)
}

#[cfg(test)]
mod tests {
    use super::rate_in_label;

    #[test]
    fn rates_in_labels() {
        for (label, bps) in [
            ("10 Gbps", Some(10_000_000_000)),
            ("155 Mbit/s", Some(155_000_000)),
            ("Peering, 1-10Gbps", Some(10_000_000_000)),
            ("< 2.5 Gbps", Some(2_500_000_000)),
            ("45 Mbps DS-3", Some(45_000_000)),
            ("OC-192c", Some(9_953_280_000)),
            ("STM 16", Some(2_488_320_000)),
            ("<45Mb", Some(45_000_000)),
            ("Completion 2007-2008", None),
            ("5 men", None),
            ("Grün 3 µ", None),
            ("", None),
        ] {
            assert_eq!(rate_in_label(label), bps, "{label}");
        }
    }
}
