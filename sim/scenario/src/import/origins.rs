//! AS numbers that announce: from a list of words, checked against a graph.

use super::Document;
use super::common::problem::{E_NAME, E_NUMBER, ImportError, Problem, Problems, shown};
use steerlab_engine::route::internet::AsGraph;

/// An AS number and where it was read: line and column, from 1.
pub type Listed = (u32, (u32, u32));

/// AS numbers of a file, separated by white space or commas.
///
/// # Errors
/// Every word that is no AS number.
pub fn parse_origins(document: &Document) -> Result<Vec<Listed>, ImportError> {
    let mut problems = Problems::default();
    let mut listed = Vec::new();
    for (line, row) in (1_u32..).zip(String::from_utf8_lossy(&document.bytes).lines()) {
        let mut column = 1;
        for word in row.split(|c: char| c == ',' || c.is_whitespace()) {
            if let Ok(asn) = word.parse::<u32>() {
                listed.push((asn, (line, column)));
            } else if !word.is_empty() {
                let what = format!("{} is no AS number", shown(word));
                let problem = Problem::new(E_NUMBER, &document.name, what).at((line, column));
                problems.push(
                    problem
                        .why("AS numbers are 1 to 4294967295")
                        .help("write numbers, separated by white space or commas"),
                );
            }
            column += word.chars().count() as u32 + 1;
        }
    }
    problems.finish(listed)
}

/// Indices of AS numbers from the command line and from a file, in this order.
///
/// # Errors
/// Numbers that are not in the graph, and lists without numbers.
pub fn origins(
    graph: &AsGraph,
    given: &[u32],
    listed: &[Listed],
    file: &str,
) -> Result<Vec<u32>, ImportError> {
    let mut problems = Problems::default();
    let mut at = Vec::new();
    let unknown = |asn: u32, file: &str, place| {
        Problem::new(E_NAME, file, format!("AS {asn} is not in the graph"))
            .at(place)
            .why("only an AS with a link can be heard")
            .help("correct the number, or take a graph that has this AS")
    };
    for &asn in given {
        match graph.index_of(asn) {
            Some(index) => at.push(index),
            None => problems.push(unknown(asn, "--origins", (0, 0))),
        }
    }
    for &(asn, place) in listed {
        match graph.index_of(asn) {
            Some(index) => at.push(index),
            None => problems.push(unknown(asn, file, place)),
        }
    }
    if given.is_empty() && listed.is_empty() {
        problems.push(
            Problem::new(E_NUMBER, file, "no AS number")
                .why("somebody must announce")
                .help("write at least one AS number"),
        );
    }
    problems.finish(at)
}
