//! SNDlib: networks and demands in the native text format and in XML, static and dynamic.
//!
//! Source: SNDlib 1.0, Orlowski, Pióro, Tomaszewski, Wessäly, Networks 55(3), 2010; the format is
//! described at sndlib.zib.de. Rules: a link is undirected and has its capacity in each direction;
//! the capacity is the pre-installed one if above 0, else the largest module; weights are 1 (the
//! format has none; its costs are costs of building); demands go from source to target as written,
//! times the routing unit. A file without unit is taken as Mbit/s. Limits: 64 MiB a file.

mod native;
mod series;
mod xml;

use super::common::archive;
use super::common::compose::compose;
use super::common::draft::{Draft, DraftLink, DraftNode, Traffic, count_note, place_on_earth};
use super::common::names::{base_name, stem};
use super::common::problem::{E_NAME, E_NUMBER, E_SYNTAX, Problem, Problems, shown};
use super::common::stamp::Stamp;
use super::common::text::Text;
use super::common::units::{MAX_RATE_BPS, scaled_f64, scaled_u64};
use super::{DemandInput, Document, ImportError, ImportInput, Imported, Importer};
use series::SeriesReader;
use std::collections::BTreeMap;

/// The importer.
pub(super) struct Sndlib;

/// A file of either format, as text; numbers are judged later.
#[derive(Debug, Default)]
struct Content {
    unit: Option<String>,
    granularity: Option<String>,
    time: Option<String>,
    origin: Option<String>,
    /// The file says that coordinates are positions in a drawing.
    pixels: bool,
    nodes: Vec<NodeRow>,
    links: Vec<LinkRow>,
    demands: Vec<DemandRow>,
    has_paths: bool,
}

/// A node as written.
#[derive(Debug)]
struct NodeRow {
    id: String,
    /// x and y, or longitude and latitude.
    xy: Option<[String; 2]>,
    offset: usize,
}

/// A link as written.
#[derive(Debug)]
struct LinkRow {
    id: String,
    ends: [String; 2],
    installed: Option<String>,
    modules: Vec<String>,
    offset: usize,
}

/// A demand as written.
#[derive(Debug)]
struct DemandRow {
    ends: [String; 2],
    routing_unit: Option<String>,
    value: String,
    /// It limits the length of its paths.
    bounded: bool,
    offset: usize,
}

/// Nodes by name.
type NodeIndex = BTreeMap<String, usize>;

/// Demands of one file by (from, to) with remarks on them.
#[derive(Debug, Default)]
struct Demands {
    rates_bps: BTreeMap<(usize, usize), f64>,
    remarks: Remarks,
}

/// Things to be told about demands, counted.
#[derive(Clone, Copy, Debug, Default)]
struct Remarks {
    no_unit: bool,
    own: usize,
    repeated: usize,
    routing_units: usize,
    bounded: usize,
}

impl Importer for Sndlib {
    fn name(&self) -> &'static str {
        "sndlib"
    }

    fn summary(&self) -> &'static str {
        "SNDlib networks (.txt, .xml) with their demands, or with a dynamic series as demands \
         (folder, .tar, .tar.gz, .tar.xz)"
    }

    fn source(&self) -> &'static str {
        "sndlib.zib.de; Orlowski, Pióro, Tomaszewski, Wessäly, SNDlib 1.0, Networks 55(3), 2010"
    }

    fn import(&self, input: &ImportInput) -> Result<Imported, ImportError> {
        let (mut draft, index) = network(input)?;
        match &input.demands {
            None => {}
            Some(DemandInput::File(document)) => match archive::packing(document)? {
                None => single(document, &index, &mut draft)?,
                Some(packing) => {
                    let mut reader = SeriesReader::new(&document.name, &index);
                    let mut visit = |name: &str, bytes: &[u8]| reader.file(name, bytes);
                    archive::for_each_file(document, packing, &mut visit)?;
                    series(reader, input, &mut draft)?;
                }
            },
            Some(DemandInput::Folder(folder)) => {
                let mut reader = SeriesReader::new(folder.name(), &index);
                reader.folder(folder.as_ref())?;
                series(reader, input, &mut draft)?;
            }
        }
        compose(draft, input)
    }
}

/// Parses either format.
fn parse(text: &Text<'_>) -> Result<Content, Problem> {
    let trimmed = text.text.trim_start();
    if trimmed.starts_with('<') {
        xml::parse(text)
    } else if trimmed.starts_with("?SNDlib") {
        native::parse(text)
    } else {
        Err(text
            .problem(E_SYNTAX, 0, "not an SNDlib file")
            .why("a native file begins with '?SNDlib native format', an XML file with '<'")
            .help("check that the file is the one you meant"))
    }
}

/// The network file: nodes, links and its own demands.
fn network(input: &ImportInput) -> Result<(Draft, NodeIndex), ImportError> {
    let file = &input.topology;
    let text = Text::decode(&file.name, &file.bytes)?;
    let mut notes = Vec::new();
    text.note_encoding(&mut notes);
    let content = parse(&text)?;
    let mut problems = Problems::default();
    let index = node_index(&text, &content, &mut problems);
    let nodes = nodes(&text, &content, &mut problems, &mut notes);
    let unit = unit_power(&text, content.unit.as_deref(), &mut problems);
    let fallback_bps = input.options.fallback_capacity_bps;
    let links = links(&text, &content, &index, (unit, fallback_bps), &mut problems, &mut notes);
    let mut traffic = Traffic::None;
    if input.demands.is_none() {
        let demands = demands(&text, &content, &index, unit, &mut problems);
        demands.remarks.note(&mut notes);
        note_demands(&content, &demands, &mut notes);
        let start = content.time.as_deref().and_then(Stamp::parse);
        traffic = Traffic::Static { rates_bps: demands.rates_bps, start };
    }
    problems.finish(())?;
    let stem = stem(&file.name);
    let origin = content.origin.map_or_else(String::new, |origin| format!(" Origin: {origin}."));
    let description = format!("Imported from SNDlib file {}.{origin}", base_name(&file.name));
    let label = format!("{stem} (SNDlib)");
    Ok((Draft { label, description, nodes, links, traffic, notes }, index))
}

fn node_index(text: &Text<'_>, content: &Content, problems: &mut Problems) -> NodeIndex {
    let mut index = NodeIndex::new();
    for (number, node) in content.nodes.iter().enumerate() {
        if index.insert(node.id.clone(), number).is_some() {
            let what = format!("a second node {}", shown(&node.id));
            problems.push(
                text.problem(E_NAME, node.offset, what)
                    .why("links and demands name nodes, so each name means one")
                    .help("rename one of the two"),
            );
        }
    }
    index
}

fn nodes(
    text: &Text<'_>,
    content: &Content,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Vec<DraftNode> {
    let mut points = Vec::new();
    for node in &content.nodes {
        let point = node.xy.as_ref().map(|xy| xy.each_ref().map(|part| scaled_f64(part, 0)));
        points.push(match point {
            Some([Some(x), Some(y)]) => Some((x, y)),
            None => None,
            Some(_) => {
                let what = format!("coordinates of {} are no numbers", shown(&node.id));
                problems.push(bad_number(text, node.offset, what));
                None
            }
        });
    }
    let all = || points.iter().flatten();
    let outside = all().any(|&(x, y)| place_on_earth(y, x).is_none());
    // Real places all on whole degrees do not happen; drawings on a grid do.
    let whole = all().count() > 2 && all().all(|&(x, y)| x.fract() == 0.0 && y.fract() == 0.0);
    let drawing = content.pixels || outside || whole;
    if drawing && all().next().is_some() {
        let why = match (content.pixels, outside) {
            (true, _) => "the file says so",
            (_, true) => "some are no longitude and latitude",
            _ => "all are whole numbers",
        };
        notes.push(format!("coordinates are positions in a drawing ({why}): not used"));
    }
    let at = |point: &Option<(f64, f64)>| point.filter(|_| !drawing);
    let place = |point| at(point).and_then(|(x, y)| place_on_earth(y, x));
    let rows = content.nodes.iter().zip(&points);
    rows.map(|(node, point)| DraftNode { name: node.id.clone(), at: place(point) }).collect()
}

fn links(
    text: &Text<'_>,
    content: &Content,
    index: &NodeIndex,
    (unit, fallback_bps): (Unit, u64),
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Vec<DraftLink> {
    if unit.assumed {
        notes.push(NO_UNIT.to_owned());
    }
    let (mut loops, mut by_module, mut without, mut rounded) = (0, 0, 0, 0);
    let mut seen = BTreeMap::new();
    let mut links = Vec::new();
    for row in &content.links {
        if seen.insert(row.id.as_str(), ()).is_some() {
            let what = format!("a second link {}", shown(&row.id));
            let problem = text.problem(E_NAME, row.offset, what);
            problems.push(problem.why("a link's name means one link").help("rename one"));
        }
        let ends = ends(text, &row.ends, row.offset, index, problems);
        let mut read = |value: &String| {
            let read = scaled_u64(value, unit.power);
            if read.is_none() {
                let what = format!("capacity {} of link {}", shown(value), shown(&row.id));
                problems.push(bad_number(text, row.offset, what));
            }
            let (bps, exact) = read?;
            rounded += usize::from(!exact);
            Some(bps)
        };
        let installed = row.installed.as_ref().and_then(&mut read).filter(|bps| *bps > 0);
        let largest = row.modules.iter().filter_map(&mut read).max().filter(|bps| *bps > 0);
        by_module += usize::from(installed.is_none() && largest.is_some());
        without += usize::from(installed.is_none() && largest.is_none());
        let bps = installed.or(largest).unwrap_or(fallback_bps);
        let Some([from, to]) = ends else { continue };
        if from == to {
            loops += 1;
            continue;
        }
        links.push(DraftLink {
            names: vec![row.id.clone()],
            ends: [from, to],
            capacity_bps: [bps; 2],
            weight: [1; 2],
            delay_ns: None,
        });
    }
    let what = "[link|links] without pre-installed capacity: the largest module is used";
    count_note(notes, by_module, what);
    let fallback = super::common::units::rate_text(fallback_bps);
    let what = format!("[link|links] with neither capacity nor modules: {fallback} assumed");
    count_note(notes, without, &what);
    count_note(notes, loops, "[link|links] from a node to itself dropped");
    count_note(notes, rounded, "[capacity|capacities] rounded to a whole bit/s");
    notes.push("link capacity holds in each direction; every link has weight 1".to_owned());
    links
}

/// The nodes at the ends of a link or demand.
fn ends(
    text: &Text<'_>,
    names: &[String; 2],
    offset: usize,
    index: &NodeIndex,
    problems: &mut Problems,
) -> Option<[usize; 2]> {
    for name in names.iter().filter(|name| !index.contains_key(*name)) {
        let known: Vec<&str> = index.keys().take(8).map(String::as_str).collect();
        let what = format!("there is no node {}", shown(name));
        problems.push(
            text.problem(E_NAME, offset, what)
                .why("a link or demand runs between two nodes of the network")
                .help(format!("nodes are named such as {}", known.join(", "))),
        );
    }
    Some([*index.get(&names[0])?, *index.get(&names[1])?])
}

fn bad_number(text: &Text<'_>, offset: usize, what: String) -> Problem {
    text.problem(E_NUMBER, offset, format!("{what}: not a usable number"))
        .why("a guess here would make every result wrong")
        .help(format!("use a decimal number from 0 to {MAX_RATE_BPS} bit/s"))
}

/// Power of ten of a file's unit of rate.
#[derive(Clone, Copy)]
struct Unit {
    power: i32,
    /// The file names no unit.
    assumed: bool,
}

/// The remark on a file without a unit.
const NO_UNIT: &str = "the file names no unit: Mbit/s assumed";

/// The unit of a file: Mbit/s where it names none. A unit that is named but not known is refused:
/// one network of the collection has bit/s, and a guess would be wrong by a factor of a million.
fn unit_power(text: &Text<'_>, unit: Option<&str>, problems: &mut Problems) -> Unit {
    let name = unit.unwrap_or("").trim().to_ascii_uppercase();
    if name.is_empty() {
        return Unit { power: 6, assumed: true };
    }
    let prefix = name.strip_suffix("BITPERSEC").or_else(|| name.strip_suffix("BITSPERSEC"));
    let power = match prefix {
        Some("") => Some(0),
        Some("K") => Some(3),
        Some("M") => Some(6),
        Some("G") => Some(9),
        Some("T") => Some(12),
        _ => None,
    };
    if power.is_none() {
        problems.push(
            Problem::new(E_NUMBER, text.file, format!("the unit {} is not known", shown(&name)))
                .why("a guessed unit would make every rate wrong")
                .help("use BITPERSEC, KBITPERSEC, MBITPERSEC, GBITPERSEC or TBITPERSEC"),
        );
    }
    Unit { power: power.unwrap_or(6), assumed: false }
}

/// The demands of a file, summed by pair in file order.
fn demands(
    text: &Text<'_>,
    content: &Content,
    index: &NodeIndex,
    unit: Unit,
    problems: &mut Problems,
) -> Demands {
    let mut out = Demands::default();
    out.remarks.no_unit = unit.assumed;
    for row in &content.demands {
        let ends = ends(text, &row.ends, row.offset, index, problems);
        let value = scaled_f64(&row.value, unit.power).filter(|rate| *rate >= 0.0);
        let factor = match &row.routing_unit {
            None => Some(1.0),
            Some(factor) => scaled_f64(factor, 0).filter(|factor| *factor > 0.0),
        };
        let (Some(value), Some(factor)) = (value, factor) else {
            let name = row.ends.join(" to ");
            let what = format!("demand {} of {}", shown(&row.value), shown(&name));
            problems.push(bad_number(text, row.offset, what));
            continue;
        };
        out.remarks.routing_units += usize::from(factor != 1.0);
        out.remarks.bounded += usize::from(row.bounded);
        let Some([from, to]) = ends else { continue };
        if from == to {
            out.remarks.own += 1;
            continue;
        }
        out.remarks.repeated += usize::from(out.rates_bps.contains_key(&(from, to)));
        *out.rates_bps.entry((from, to)).or_insert(0.0) += value * factor;
    }
    out
}

impl Remarks {
    /// Adds what one more file has to tell.
    fn merge(&mut self, other: Remarks) {
        self.no_unit |= other.no_unit;
        self.own += other.own;
        self.repeated += other.repeated;
        self.routing_units += other.routing_units;
        self.bounded += other.bounded;
    }

    fn note(self, notes: &mut Vec<String>) {
        let what = "[demand|demands] from a node to itself dropped";
        count_note(notes, self.own, what);
        let what = "[demand|demands] of a pair that had one already: added";
        count_note(notes, self.repeated, what);
        let what = "[demand|demands] multiplied by the routing unit";
        count_note(notes, self.routing_units, what);
        let what =
            "[demand|demands] with a limit on the length of its paths: the limit is not used";
        count_note(notes, self.bounded, what);
    }
}

fn note_demands(content: &Content, demands: &Demands, notes: &mut Vec<String>) {
    let rates = &demands.rates_bps;
    let both = rates.keys().any(|&(from, to)| rates.contains_key(&(to, from)));
    if !rates.is_empty() && !both {
        notes.push(
            "no pair has demands in both directions: the file may mean both; each demand is taken \
             from its source to its target, as written"
                .to_owned(),
        );
    }
    if content.has_paths {
        notes.push("the file's admissible paths are not used".to_owned());
    }
}

/// Demands from one file.
fn single(file: &Document, index: &NodeIndex, draft: &mut Draft) -> Result<(), ImportError> {
    let text = Text::decode(&file.name, &file.bytes)?;
    text.note_encoding(&mut draft.notes);
    let content = parse(&text)?;
    let mut problems = Problems::default();
    let unit = unit_power(&text, content.unit.as_deref(), &mut problems);
    let demands = demands(&text, &content, index, unit, &mut problems);
    problems.finish(())?;
    if unit.assumed {
        draft.notes.push(format!("demands: {NO_UNIT}"));
    }
    demands.remarks.note(&mut draft.notes);
    note_demands(&content, &demands, &mut draft.notes);
    let start = content.time.as_deref().and_then(Stamp::parse);
    draft.traffic = Traffic::Static { rates_bps: demands.rates_bps, start };
    draft.description.push_str(&format!(" Demands from {}.", base_name(&file.name)));
    Ok(())
}

/// Demands from many files.
fn series(
    reader: SeriesReader<'_>,
    input: &ImportInput,
    draft: &mut Draft,
) -> Result<(), ImportError> {
    let name = base_name(reader.name()).to_owned();
    let options = &input.options;
    let (series, origin) = reader.finish(options, &mut draft.notes)?;
    draft.traffic = Traffic::Series(series);
    draft.description.push_str(&format!(" Demands from {name}."));
    if let Some(origin) = origin {
        draft.description.push_str(&format!(" Origin of the demands: {origin}."));
    }
    Ok(())
}
