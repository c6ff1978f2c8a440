//! The sites that ASes were measured to reach: one JSON object, AS number to list of sites.
//!
//! Read by hand, because positions of all findings are wanted and the form is small.

use crate::import::Document;
use crate::import::common::problem::{
    E_NAME, E_NUMBER, E_SYNTAX, ImportError, Problem, Problems, shown,
};
use std::collections::BTreeMap;

/// Positions of sites by AS number: those an AS was measured to reach, ascending, at least one.
pub type MeasuredSites = BTreeMap<u32, Vec<usize>>;

/// Reads a map. `sites` gives the sites their positions.
///
/// # Errors
/// The first place where the file is no such object; every AS number and site that is wrong or
/// there twice.
pub fn read_measured_sites(
    document: &Document,
    sites: &[String],
) -> Result<MeasuredSites, ImportError> {
    let mut reader = Reader {
        document,
        bytes: &document.bytes,
        at: 0,
        sites,
        problems: Problems::default(),
        found: MeasuredSites::new(),
    };
    if let Err(problem) = reader.object() {
        reader.problems.push(problem);
    }
    reader.problems.finish(reader.found)
}

struct Reader<'a> {
    document: &'a Document,
    bytes: &'a [u8],
    at: usize,
    sites: &'a [String],
    problems: Problems,
    found: MeasuredSites,
}

impl Reader<'_> {
    fn object(&mut self) -> Result<(), Problem> {
        self.expect(b'{')?;
        if self.next() != Some(b'}') {
            loop {
                self.member()?;
                if self.next() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
        }
        self.expect(b'}')?;
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.broken("the end of the file")),
        }
    }

    /// `"64512": ["sitea"]`, or the site without brackets.
    fn member(&mut self) -> Result<(), Problem> {
        self.next();
        let start = self.at;
        let asn = self.number(start)?;
        self.expect(b':')?;
        let mut sites = Vec::new();
        if self.next() == Some(b'[') {
            self.at += 1;
            loop {
                self.site(&mut sites)?;
                if self.next() != Some(b',') {
                    break;
                }
                self.at += 1;
            }
            self.expect(b']')?;
        } else {
            self.site(&mut sites)?;
        }
        sites.sort_unstable();
        sites.dedup();
        let Some(asn) = asn else { return Ok(()) };
        if self.found.insert(asn, sites).is_some() {
            let problem = self.problem(E_NAME, start, format!("AS {asn} is there twice"));
            let why = "it would be unclear which of the two holds";
            self.problems.push(problem.why(why).help("keep one of them"));
        }
        Ok(())
    }

    fn number(&mut self, start: usize) -> Result<Option<u32>, Problem> {
        let word = self.string()?;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        let asn = word.parse().ok().filter(|&asn: &u32| asn > 0 && digits);
        if asn.is_none() {
            let what = format!("{} is no AS number", shown(&word));
            let problem = self.problem(E_NUMBER, start, what);
            let why = "AS numbers are 1 to 4294967295";
            self.problems.push(problem.why(why).help("repair or take out the member"));
        }
        Ok(asn)
    }

    fn site(&mut self, sites: &mut Vec<usize>) -> Result<(), Problem> {
        self.next();
        let start = self.at;
        let word = self.string()?;
        match self.sites.iter().position(|site| *site == word) {
            Some(site) => sites.push(site),
            None => {
                let what = format!("{} is none of the sites", shown(&word));
                let problem = self.problem(E_NAME, start, what);
                let help = format!("the sites are {}", self.sites.join(", "));
                self.problems.push(problem.why("no other site announces").help(help));
            }
        }
        Ok(())
    }

    /// A string in double quotes without escapes.
    fn string(&mut self) -> Result<String, Problem> {
        if self.next() != Some(b'"') {
            return Err(self.broken("a string in double quotes"));
        }
        let rest = &self.bytes[self.at + 1..];
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
        let closed = end.filter(|&end| rest[end] == b'"');
        let word = closed.and_then(|end| std::str::from_utf8(&rest[..end]).ok());
        let Some(word) = word else {
            return Err(self.broken("a string in double quotes, without escapes,"));
        };
        self.at += word.len() + 2;
        Ok(word.to_owned())
    }

    /// The next byte that is no white space.
    fn next(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.at..)?;
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Problem> {
        if self.next() != Some(wanted) {
            return Err(self.broken(&format!("`{}`", char::from(wanted))));
        }
        self.at += 1;
        Ok(())
    }

    fn broken(&self, wanted: &str) -> Problem {
        let found = match self.bytes.get(self.at) {
            None => "the file ends".to_owned(),
            Some(byte) => format!("there is {}", shown(&char::from(*byte).to_string())),
        };
        self.problem(E_SYNTAX, self.at, format!("{found} where {wanted} belongs"))
            .why("the file is one JSON object that gives each AS number a list of sites")
            .help("repair the file, or fetch it again")
    }

    /// A finding at a byte.
    fn problem(&self, code: &'static str, at: usize, what: String) -> Problem {
        if self.problems.is_full() {
            // Only counted: the way to its place would be walked for nothing.
            return Problem::new(code, &self.document.name, what);
        }
        let before = String::from_utf8_lossy(&self.bytes[..at.min(self.bytes.len())]);
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() as u32 + 1;
        Problem::new(code, &self.document.name, what).at((line, column))
    }
}
