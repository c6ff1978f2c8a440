//! AS relationships as CAIDA publishes them: the graph of the Internet of a month.
//!
//! Source: Luckie, Huffaker, Dhamdhere, Giotsas, claffy, *AS Relationships, Customer Cones, and
//! Validation*, 2013; the CAIDA AS Relationships Dataset. Format: lines `a|b|-1` (a is a provider
//! of b) and `a|b|0` (peers), in serial-2 with the source behind a further `|`; lines with `#` are
//! comments. Plain, .gz or .bz2. Limits: 1 GiB packed, 256 MiB of text, AS numbers 1 to
//! 4,294,967,295.

use super::Document;
use super::common::problem::{
    E_ARCHIVE, E_CYCLE, E_NUMBER, E_RELATIONS, E_SELF_LINK, E_SYNTAX, ImportError, Problem,
    Problems, shown,
};
use std::borrow::Cow;
use std::io::Read;
use steerlab_engine::route::internet::{AsGraph, GraphError, Link, Relation};

/// Most bytes of text, unpacked.
const MAX_TEXT_BYTES: u64 = 256 << 20;

/// Numbers of a cycle that are shown; the others are counted.
const CYCLE_SHOWN: usize = 20;

/// Reads a graph.
///
/// # Errors
/// All that is wrong with the file, in order of lines; nothing is loaded then.
pub fn read_as_rel(document: &Document) -> Result<AsGraph, ImportError> {
    let text = unpacked(document)?;
    let mut problems = Problems::default();
    let mut links = Vec::with_capacity(text.len() / 16);
    let mut scanner = Scanner::new(&text);
    let mut readable = true;
    while let Some(line) = scanner.next_line() {
        match line {
            Ok(link) => links.push(link),
            Err(start) => {
                readable = false;
                problems.push(malformed(document, &text, start, scanner.line));
            }
        }
    }
    if links.is_empty() && readable {
        let problem = Problem::new(E_SYNTAX, &document.name, "there is no relation in the file")
            .why("a graph without links connects nobody")
            .help("give a file with lines such as `3356|64512|-1`");
        problems.push(problem);
    }
    match AsGraph::new(&links) {
        Ok(graph) => problems.finish(graph),
        Err(errors) => {
            let lines = line_numbers(&text);
            for error in errors {
                problems.push(relation_problem(document, &lines, &links, error));
            }
            Err(problems.sorted())
        }
    }
}

/// The text of a file, unpacked if it is packed.
fn unpacked(document: &Document) -> Result<Cow<'_, [u8]>, Problem> {
    let packed = document.bytes.as_slice();
    let reader: Box<dyn Read + '_> = if packed.starts_with(b"\x1f\x8b") {
        Box::new(flate2::read::MultiGzDecoder::new(packed))
    } else if packed.starts_with(b"BZh") {
        Box::new(bzip2::read::MultiBzDecoder::new(packed))
    } else {
        return match packed.len() as u64 {
            0..=MAX_TEXT_BYTES => Ok(Cow::Borrowed(packed)),
            _ => Err(too_large(document)),
        };
    };
    let mut text = Vec::new();
    reader.take(MAX_TEXT_BYTES + 1).read_to_end(&mut text).map_err(|error| {
        Problem::new(E_ARCHIVE, &document.name, format!("the file cannot be unpacked: {error}"))
            .why("a part of the relations would be missing")
            .help("fetch the file again")
    })?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        return Err(too_large(document));
    }
    Ok(Cow::Owned(text))
}

fn too_large(document: &Document) -> Problem {
    let what = format!("the text has more than {MAX_TEXT_BYTES} bytes");
    Problem::new(E_ARCHIVE, &document.name, what)
        .why("a graph of all ASes has about 15 MB; a limit keeps a wrong file from filling memory")
        .help("check that this is a file of AS relationships")
}

/// Reads line by line, byte by byte: a month of the Internet has half a million lines.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// Number of the line read last, from 1.
    line: u32,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8]) -> Scanner<'a> {
        Scanner { text, at: 0, line: 0 }
    }

    /// The next line that is neither empty nor a comment: its link, or where it starts if it is
    /// malformed.
    #[inline]
    fn next_line(&mut self) -> Option<Result<Link, usize>> {
        loop {
            let start = self.at;
            let first = *self.text.get(start)?;
            self.line += 1;
            if first == b'#' || first == b'\n' || first == b'\r' {
                self.skip_line();
                if first != b'\r' || self.text[start + 1..self.at].trim_ascii().is_empty() {
                    continue;
                }
                return Some(Err(start));
            }
            let link = self.link();
            if link.is_none() {
                self.at = start;
            }
            self.skip_line();
            return Some(link.ok_or(start));
        }
    }

    #[inline]
    fn link(&mut self) -> Option<Link> {
        let a = self.number()?;
        let b = self.number()?;
        let relation = match self.text.get(self.at)? {
            b'0' => Relation::Peer,
            b'-' if self.text.get(self.at + 1) == Some(&b'1') => {
                self.at += 1;
                Relation::Customer
            }
            _ => return None,
        };
        self.at += 1;
        match self.text.get(self.at) {
            None | Some(b'\n' | b'|') => {}
            Some(b'\r') if matches!(self.text.get(self.at + 1), None | Some(b'\n')) => {}
            Some(_) => return None,
        }
        Some(Link { a, b, relation })
    }

    /// A number from 1 and the bar behind it.
    #[inline]
    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        let start = self.at;
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b'0'..=b'9' if self.at - start <= 10 => {
                    value = value * 10 + u64::from(byte - b'0');
                }
                b'|' => return u32::try_from(value).ok().filter(|&value| value > 0),
                _ => return None,
            }
        }
    }

    #[inline]
    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
        self.at += end;
    }
}

/// What is wrong with a line that is no relation.
fn malformed(document: &Document, text: &[u8], start: usize, line: u32) -> Problem {
    let rest = &text[start..];
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let row = String::from_utf8_lossy(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]));
    let mut column = 1;
    let problem = |code, column: usize, what: String| {
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        Problem::new(code, &document.name, what).at((line, column))
    };
    let fields: Vec<&str> = row.splitn(4, '|').collect();
    for (place, name) in ["first AS", "second AS"].iter().enumerate() {
        let field = fields.get(place).copied().unwrap_or_default();
        let digits = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            let what = format!("{} is no AS number ({name})", shown(field));
            return problem(E_SYNTAX, column, what)
                .why("a line is `a|b|-1` or `a|b|0`, in serial-2 with `|source` behind")
                .help("correct the line, or fetch the file again");
        }
        if field.len() > 10 || field.parse::<u32>().map_or(true, |asn| asn == 0) {
            return problem(E_NUMBER, column, format!("{} is out of range ({name})", shown(field)))
                .why("AS numbers are 1 to 4294967295, without leading zeros beyond ten digits")
                .help("correct the number, or fetch the file again");
        }
        column += field.chars().count() + 1;
    }
    let what = match fields.get(2) {
        None => "the relation is missing".to_owned(),
        Some(field) => format!("{} is no relation", shown(field)),
    };
    problem(E_SYNTAX, column.min(row.chars().count() + 1), what)
        .why("-1 means that the first AS is a provider of the second, 0 that they are peers")
        .help("write -1 or 0")
}

/// Line of each link, from 1.
fn line_numbers(text: &[u8]) -> Vec<u32> {
    let mut lines = Vec::new();
    let mut scanner = Scanner::new(text);
    while let Some(line) = scanner.next_line() {
        if line.is_ok() {
            lines.push(scanner.line);
        }
    }
    lines
}

/// What is wrong with relations that are well written.
fn relation_problem(
    document: &Document,
    lines: &[u32],
    links: &[Link],
    error: GraphError,
) -> Problem {
    let at = |code, link: usize, what: String| {
        Problem::new(code, &document.name, what).at((lines[link], 1))
    };
    match error {
        GraphError::SelfLink { link, asn } => {
            at(E_SELF_LINK, link, format!("AS {asn} is linked to itself"))
                .why("a relation is between two ASes")
                .help("remove the line")
        }
        GraphError::Contradiction { first, second, .. } => {
            let what = format!(
                "{}, but line {}: {}",
                said(links[second]),
                lines[first],
                said(links[first])
            );
            at(E_RELATIONS, second, what)
                .why("who pays whom decides every route between the two")
                .help("remove one of the two lines")
        }
        GraphError::ProviderCycle { asns, links: around } => {
            let mut shown: Vec<String> =
                asns.iter().take(CYCLE_SHOWN).map(u32::to_string).collect();
            if asns.len() > CYCLE_SHOWN {
                shown.push(format!("... {} more ...", asns.len() - CYCLE_SHOWN));
            }
            shown.extend(asns.first().map(u32::to_string));
            let mut at_lines: Vec<u32> = around.iter().map(|&link| lines[link]).collect();
            let place = at_lines.iter().copied().max().unwrap_or(0);
            at_lines.truncate(CYCLE_SHOWN);
            let what = format!(
                "provider cycle {} (lines {})",
                shown.join(" > "),
                at_lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
            );
            Problem::new(E_CYCLE, &document.name, what)
                .at((place, 1))
                .why("nobody is an indirect provider of itself; routing need not settle then")
                .help("remove or turn round one of these lines")
        }
        GraphError::TooLarge => {
            Problem::new(E_ARCHIVE, &document.name, "more links than can be numbered")
                .why("ends of links are numbered with 31 bits")
                .help("check that this is a file of AS relationships")
        }
    }
}

fn said(link: Link) -> String {
    match link.relation {
        Relation::Customer => format!("AS {} is a provider of AS {}", link.a, link.b),
        Relation::Provider => format!("AS {} is a provider of AS {}", link.b, link.a),
        Relation::Peer | Relation::RouteServer => {
            format!("AS {} and AS {} are peers", link.a, link.b)
        }
    }
}
