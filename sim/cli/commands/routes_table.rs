//! Paths of all ASes as text: a table, and a digest of it.

use sha2::{Digest, Sha256};
use std::io::{self, Write};
use steerlab_engine::route::internet::{Announcements, AsGraph, NextHop, Routes, Solution};

/// Text is handed on in pieces of about this many bytes.
const PIECE_BYTES: usize = 256 << 10;

/// Solutions of several prefixes on one graph.
pub struct Paths<'a> {
    graph: &'a AsGraph,
    prefixes: &'a [Announcements],
    solutions: &'a [Solution],
    names: Vec<Name>,
}

/// An AS number as text.
#[derive(Clone, Copy, Default)]
struct Name {
    bytes: [u8; 10],
    length: u8,
}

impl Name {
    fn new(asn: u32) -> Name {
        let mut name = Name::default();
        let mut rest = name.bytes.as_mut_slice();
        let before = rest.len();
        write!(rest, "{asn}").expect("ten digits hold any AS number");
        name.length = (before - rest.len()) as u8;
        name
    }

    #[inline]
    fn text(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl<'a> Paths<'a> {
    /// Prepares the names of all ASes.
    pub fn new(
        graph: &'a AsGraph,
        prefixes: &'a [Announcements],
        solutions: &'a [Solution],
    ) -> Paths<'a> {
        let names = graph.asns().iter().map(|&asn| Name::new(asn)).collect();
        Paths { graph, prefixes, solutions, names }
    }

    fn routes(&self, prefix: usize) -> Routes<'a> {
        self.solutions[prefix].routes(self.graph, &self.prefixes[prefix])
    }

    /// Writes `asn,prefix,class,as_path` lines: by prefix, then by AS number.
    ///
    /// # Errors
    /// If the text cannot be written.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"asn,prefix,class,as_path\n")?;
        let mut text = Vec::with_capacity(PIECE_BYTES + 4096);
        for prefix in 0..self.prefixes.len() {
            let routes = self.routes(prefix);
            for (at, name) in (0_u32..).zip(&self.names) {
                let Some(class) = self.solutions[prefix].class(at) else { continue };
                text.extend_from_slice(name.text());
                write!(text, ",{prefix},")?;
                text.extend_from_slice(class.name().as_bytes());
                text.push(b',');
                self.push_path(&routes, at, &mut text);
                text.push(b'\n');
                if text.len() >= PIECE_BYTES {
                    out.write_all(&text)?;
                    text.clear();
                }
            }
        }
        out.write_all(&text)
    }

    /// First 16 hex digits of SHA-256 over the lines `asn,prefix,as-path`, in order of the numbers.
    pub fn digest(&self) -> String {
        let prefixes: Vec<(String, Routes<'_>)> = (0..self.prefixes.len())
            .map(|prefix| (prefix.to_string(), self.routes(prefix)))
            .collect();
        let mut hash = Sha256::new();
        let mut text = Vec::with_capacity(PIECE_BYTES + 4096);
        for at in 0..self.graph.len() as u32 {
            for (label, routes) in &prefixes {
                if routes.next_hop(at).is_none() {
                    continue;
                }
                text.extend_from_slice(self.names[at as usize].text());
                text.push(b',');
                text.extend_from_slice(label.as_bytes());
                text.push(b',');
                self.push_path(routes, at, &mut text);
                text.push(b'\n');
            }
            if text.len() >= PIECE_BYTES {
                hash.update(&text);
                text.clear();
            }
        }
        hash.update(&text);
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Appends the path of an AS to an origin.
    #[inline]
    fn push_path(&self, routes: &Routes<'_>, at: u32, text: &mut Vec<u8>) {
        text.extend_from_slice(self.names[at as usize].text());
        let mut hop = routes.next_hop(at);
        while let Some(NextHop::As(next)) = hop {
            text.push(b'-');
            text.extend_from_slice(self.names[next as usize].text());
            hop = routes.next_hop(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decimal() {
        for asn in [1, 10, 65_535, u32::MAX] {
            assert_eq!(Name::new(asn).text(), asn.to_string().as_bytes());
        }
    }
}
