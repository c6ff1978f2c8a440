//! REPETITA: `.graph` networks with `.demands` matrices.
//!
//! Source: Gay, Schaus, Vissicchio, REPETITA: Repeatable Experiments for Performance Evaluation of
//! Traffic-Engineering Algorithms, arXiv 1710.08665, 2017. Format: `NODES n`, a line of column
//! names, rows `label x y` (longitude, latitude); `EDGES n`, column names, rows `label src dest
//! weight bw delay` (directed; kbit/s, microseconds); demands: `DEMANDS n`, column names, rows
//! `label src dest bw` (kbit/s). Nodes are numbered from 0. Limits: 64 MiB a file.

use super::common::compose::compose;
use super::common::draft::{
    DirectedEdge, Draft, DraftNode, Traffic, count_note, pair_edges, place_on_earth,
};
use super::common::names::{base_name, stem};
use super::common::problem::{E_NAME, E_NUMBER, E_OPTION, E_SYNTAX, Problem, Problems, shown};
use super::common::text::Text;
use super::common::units::{scaled_f64, scaled_u64};
use super::{DemandInput, Document, ImportError, ImportInput, Imported, Importer};
use std::collections::BTreeMap;

/// The importer.
pub(super) struct Repetita;

/// A network as a `.graph` file has it: every direction of a link on its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepetitaGraph {
    /// Names of the nodes, by number.
    pub nodes: Vec<String>,
    /// Directed edges, by number; those from a node to itself are left out.
    pub edges: Vec<RepetitaEdge>,
    /// Every assumption made.
    pub notes: Vec<String>,
}

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepetitaEdge {
    /// Tail and head.
    pub ends: [u32; 2],
    /// IGP weight, at least 1.
    pub weight: u64,
    /// Capacity, bit/s, at least 1.
    pub capacity_bps: u64,
}

/// Reads a `.graph` file.
///
/// # Errors
/// All problems that one pass could find.
pub fn read_graph(file: &Document) -> Result<RepetitaGraph, ImportError> {
    let text = Text::decode(&file.name, &file.bytes)?;
    let mut notes = Vec::new();
    text.note_encoding(&mut notes);
    let mut problems = Problems::default();
    let mut rows = Rows::new(&text);
    let nodes = nodes(&mut rows, &mut problems, &mut notes)?;
    let edges = edges(&mut rows, nodes.len(), &mut problems, &mut notes)?;
    problems.finish(())?;
    let edge = |edge: &DirectedEdge| RepetitaEdge {
        // The file's limit keeps node numbers far below 2^32.
        ends: edge.ends.map(|end| end as u32),
        weight: edge.weight,
        capacity_bps: edge.capacity_bps,
    };
    let nodes = nodes.into_iter().map(|node| node.name).collect();
    Ok(RepetitaGraph { nodes, edges: edges.iter().map(edge).collect(), notes })
}

/// A line that is not empty: where it begins, and its words.
struct Row<'a> {
    offset: usize,
    words: Vec<&'a str>,
}

/// The rows of a file, one after the other.
struct Rows<'a> {
    text: &'a Text<'a>,
    rows: std::vec::IntoIter<Row<'a>>,
}

impl Importer for Repetita {
    fn name(&self) -> &'static str {
        "repetita"
    }

    fn summary(&self) -> &'static str {
        "REPETITA networks (.graph) with one matrix (.demands)"
    }

    fn source(&self) -> &'static str {
        "github.com/svissicchio/Repetita; Gay, Schaus, Vissicchio, arXiv 1710.08665, 2017"
    }

    fn import(&self, input: &ImportInput) -> Result<Imported, ImportError> {
        let file = &input.topology;
        let text = Text::decode(&file.name, &file.bytes)?;
        let mut notes = Vec::new();
        text.note_encoding(&mut notes);
        let mut problems = Problems::default();
        let mut rows = Rows::new(&text);
        let nodes = nodes(&mut rows, &mut problems, &mut notes)?;
        let edges = edges(&mut rows, nodes.len(), &mut problems, &mut notes)?;
        let links = pair_edges(&edges, &mut notes);
        let stem = stem(&file.name);
        let label = format!("{stem} (REPETITA)");
        let mut description = format!("Imported from REPETITA file {}.", base_name(&file.name));
        let mut traffic = Traffic::None;
        match &input.demands {
            None => notes.push("no demands given".to_owned()),
            Some(DemandInput::Folder(folder)) => {
                let problem = Problem::new(E_OPTION, folder.name(), "the demands are a folder")
                    .why("this format has one matrix in one file")
                    .help("give one .demands file");
                return Err(problem.into());
            }
            Some(DemandInput::File(file)) => {
                let text = Text::decode(&file.name, &file.bytes)?;
                text.note_encoding(&mut notes);
                let rates_bps = demands(&text, nodes.len(), &mut problems, &mut notes)?;
                description.push_str(&format!(" Demands from {}.", base_name(&file.name)));
                traffic = Traffic::Static { rates_bps, start: None };
            }
        }
        problems.finish(())?;
        compose(Draft { label, description, nodes, links, traffic, notes }, input)
    }
}

impl<'a> Rows<'a> {
    fn new(text: &'a Text<'a>) -> Self {
        let mut offset = 0;
        let mut rows = Vec::new();
        for line in text.text.split_inclusive('\n') {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !words.is_empty() {
                rows.push(Row { offset, words });
            }
            offset += line.len();
        }
        Rows { text, rows: rows.into_iter() }
    }

    /// The rows of a section: its heading `NAME n`, a line of column names, then n rows.
    fn section(&mut self, name: &str, width: usize) -> Result<Vec<Row<'a>>, Problem> {
        let text = self.text;
        let wrong = |offset: usize, what: String| {
            text.problem(E_SYNTAX, offset, what)
                .why(format!("section {name} is its heading '{name} n', column names and n rows"))
                .help("check that the file is the one you meant, and whole")
        };
        let end = text.text.len();
        let Some(heading) = self.rows.next() else {
            return Err(wrong(end, format!("the file ends before section {name}")));
        };
        let count = match heading.words.as_slice() {
            [first, count] if *first == name => count.parse::<usize>().ok(),
            _ => None,
        };
        let Some(count) = count else {
            let found = shown(&heading.words.join(" "));
            return Err(wrong(heading.offset, format!("{found} where '{name} n' should be")));
        };
        if self.rows.next().is_none_or(|columns| columns.words[0] != "label") {
            return Err(wrong(heading.offset, format!("no column names behind '{name}'")));
        }
        let mut rows = Vec::new();
        for number in 0..count {
            let Some(row) = self.rows.next() else {
                return Err(wrong(end, format!("{number} rows in {name} instead of {count}")));
            };
            if row.words.len() != width {
                let what =
                    format!("{} words in a row of {name} instead of {width}", row.words.len());
                return Err(wrong(row.offset, what));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Refuses anything behind the last section.
    fn end(&mut self) -> Result<(), Problem> {
        let Some(row) = self.rows.next() else { return Ok(()) };
        Err(self
            .text
            .problem(E_SYNTAX, row.offset, "a row behind the last one announced")
            .why("the number of rows and the rows themselves disagree")
            .help("correct the number in the heading"))
    }
}

fn bad(text: &Text<'_>, row: &Row<'_>, what: &str, word: &str) -> Problem {
    text.problem(E_NUMBER, row.offset, format!("{what} {} is out of range", shown(word)))
        .why("a guess here would make every result wrong")
        .help("use a plain number; weights are at least 1, bandwidths and delays at least 0")
}

fn nodes(
    rows: &mut Rows<'_>,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Result<Vec<DraftNode>, Problem> {
    let text = rows.text;
    let mut nodes = Vec::new();
    let mut outside = 0;
    for row in rows.section("NODES", 3)? {
        let number = |word: &str| scaled_f64(word, 0);
        let at = match (number(row.words[1]), number(row.words[2])) {
            (Some(lon), Some(lat)) => {
                let at = place_on_earth(lat, lon);
                outside += usize::from(at.is_none());
                at
            }
            _ => {
                problems.push(bad(text, &row, "a coordinate of", row.words[0]));
                None
            }
        };
        nodes.push(DraftNode { name: row.words[0].to_owned(), at });
    }
    let what = "[node|nodes] whose coordinates are no longitude and latitude: not used";
    count_note(notes, outside, what);
    Ok(nodes)
}

/// The two node numbers of a row.
fn ends(
    text: &Text<'_>,
    row: &Row<'_>,
    nodes: usize,
    problems: &mut Problems,
) -> Option<[usize; 2]> {
    let end = |word: &str| word.parse::<usize>().ok().filter(|node| *node < nodes);
    let ends = [end(row.words[1]), end(row.words[2])];
    for (end, word) in ends.iter().zip(&row.words[1..3]) {
        if end.is_none() {
            let what = format!("there is no node {}", shown(word));
            problems.push(
                text.problem(E_NAME, row.offset, what)
                    .why("edges and demands name nodes by their number")
                    .help(format!("use a number below {nodes}, the number of nodes")),
            );
        }
    }
    Some([ends[0]?, ends[1]?])
}

fn edges(
    rows: &mut Rows<'_>,
    nodes: usize,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Result<Vec<DirectedEdge>, Problem> {
    let text = rows.text;
    let (mut loops, mut rounded) = (0, 0);
    let mut edges = Vec::new();
    for row in rows.section("EDGES", 6)? {
        let ends = ends(text, &row, nodes, problems);
        let weight = scaled_u64(row.words[3], 0).filter(|(weight, exact)| *weight > 0 && *exact);
        let capacity = scaled_u64(row.words[4], 3).filter(|(bps, _)| *bps > 0);
        let delay = scaled_u64(row.words[5], 3);
        let (Some(weight), Some(capacity), Some(delay)) = (weight, capacity, delay) else {
            let (what, word) = match (weight, capacity) {
                (None, _) => ("weight", row.words[3]),
                (_, None) => ("bandwidth", row.words[4]),
                _ => ("delay", row.words[5]),
            };
            problems.push(bad(text, &row, what, word));
            continue;
        };
        rounded += usize::from(!capacity.1) + usize::from(!delay.1);
        match ends {
            Some([from, to]) if from == to => loops += 1,
            Some(ends) => edges.push(DirectedEdge {
                name: Some(row.words[0].to_owned()),
                ends,
                capacity_bps: capacity.0,
                weight: weight.0,
                delay_ns: Some(delay.0),
            }),
            None => {}
        }
    }
    rows.end()?;
    count_note(notes, loops, "[edge|edges] from a node to itself dropped");
    let what = "[value|values] rounded to a whole bit/s or nanosecond";
    count_note(notes, rounded, what);
    Ok(edges)
}

/// Demands summed by pair in file order. Whole kbit/s stay exact: a sum is rounded only above
/// 2^53 bit/s.
fn demands(
    text: &Text<'_>,
    nodes: usize,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<(usize, usize), f64>, Problem> {
    let mut rows = Rows::new(text);
    let (mut own, mut repeated) = (0, 0);
    let mut rates_bps = BTreeMap::new();
    for row in rows.section("DEMANDS", 4)? {
        let ends = ends(text, &row, nodes, problems);
        let rate = scaled_f64(row.words[3], 3).filter(|rate| *rate >= 0.0);
        let Some(rate) = rate else {
            problems.push(bad(text, &row, "bandwidth", row.words[3]));
            continue;
        };
        match ends {
            Some([from, to]) if from == to => own += 1,
            Some([from, to]) => {
                repeated += usize::from(rates_bps.contains_key(&(from, to)));
                *rates_bps.entry((from, to)).or_insert(0.0) += rate;
            }
            None => {}
        }
    }
    rows.end()?;
    count_note(notes, own, "[demand|demands] from a node to itself dropped");
    let what = "[demand|demands] of a pair that had one already: added";
    count_note(notes, repeated, what);
    Ok(rates_bps)
}
