//! AS paths that collectors see while one site announces alone.

use crate::import::Document;
use crate::import::common::problem::{
    E_NAME, E_NUMBER, E_SYNTAX, ImportError, Problem, Problems, shown,
};
use steerlab_engine::route::predict::AlonePaths;

/// Reads a file of paths. The announcer's part is cut off: everything from the first place of the
/// path's last AS number on. An empty file is a site that no collector sees.
///
/// # Errors
/// Every malformed row, with line and column, and rows that end with another announcer.
pub fn read_alone_paths(document: &Document) -> Result<AlonePaths, ImportError> {
    let text = std::str::from_utf8(&document.bytes).map_err(|error| {
        Problem::new(E_SYNTAX, &document.name, format!("is not text: {error}"))
            .why("a file of paths is plain text")
            .help("fetch the file again")
    })?;
    let mut problems = Problems::default();
    let mut paths = Vec::new();
    let mut announcer = None;
    for (line, row) in (1_u32..).zip(text.lines()) {
        let mut path = match parse_row(document, line, row) {
            Ok(path) => path,
            Err(error) => {
                problems.absorb(error);
                continue;
            }
        };
        let Some(&last) = path.last() else { continue };
        if *announcer.get_or_insert(last) != last {
            let what = format!("this path ends with AS {last}, earlier ones with another");
            let problem = Problem::new(E_NAME, &document.name, what).at((line, 1));
            problems.push(
                problem
                    .why("all paths lead to the same announcer")
                    .help("take out paths to other announcers"),
            );
        }
        let tail = path.iter().position(|&asn| asn == last).expect("the last one is there");
        path.truncate(tail);
        paths.push(path);
    }
    problems.finish(AlonePaths { paths })
}

/// The AS numbers of a row's path.
fn parse_row(document: &Document, line: u32, row: &str) -> Result<Vec<u32>, ImportError> {
    let mut problems = Problems::default();
    let fields: Vec<&str> = row.split('\t').collect();
    let [collector, peer, path] = fields.as_slice() else {
        let what = format!("{} fields, not 3", fields.len());
        return Err(Problem::new(E_SYNTAX, &document.name, what)
            .at((line, 1))
            .why("a row is collector, AS number and AS path, separated by tabs")
            .help("repair or take out the row")
            .into());
    };
    let mut column = collector.chars().count() as u32 + 2;
    let mut number = |word: &str, column: u32| match word.parse::<u32>() {
        Ok(asn) if asn > 0 && word.starts_with(|c: char| c.is_ascii_digit()) => Some(asn),
        _ => {
            let what = format!("{} is no AS number", shown(word));
            let problem = Problem::new(E_NUMBER, &document.name, what).at((line, column));
            problems.push(
                problem
                    .why("AS numbers are 1 to 4294967295")
                    .help("repair or take out the row; sets of ASes are not supported"),
            );
            None
        }
    };
    number(peer, column);
    column += peer.chars().count() as u32 + 1;
    let mut asns = Vec::new();
    for word in path.split(',') {
        asns.extend(number(word, column));
        column += word.chars().count() as u32 + 1;
    }
    problems.finish(asns)
}
