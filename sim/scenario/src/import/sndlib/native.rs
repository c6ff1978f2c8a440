//! The native format: sections of rows in round brackets, `#` for remarks.

use super::super::common::problem::{E_SYNTAX, Problem, shown};
use super::super::common::text::Text;
use super::{Content, DemandRow, LinkRow, NodeRow};

/// The sections behind META.
const SECTIONS: [&str; 4] = ["NODES", "LINKS", "DEMANDS", "ADMISSIBLE_PATHS"];

/// A word and where it begins. Brackets are words of their own.
type Word<'a> = (usize, &'a str);

/// Reads words, skipping remarks.
struct Words<'a> {
    text: &'a Text<'a>,
    at: usize,
}

/// Parses a file.
pub(super) fn parse(text: &Text<'_>) -> Result<Content, Problem> {
    let first = text.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let at = text.text.find("?SNDlib").unwrap_or(0);
    if first.contains("type:") && !first.contains("type: network") {
        return Err(text
            .problem(E_SYNTAX, at, "the file holds no network")
            .why("only files of 'type: network' have nodes, links and demands")
            .help("give the network file"));
    }
    let start = at + text.text[at..].find('\n').unwrap_or(text.text.len() - at);
    let mut words = Words { text, at: start };
    let mut content = Content::default();
    while let Some((offset, section)) = words.next() {
        words.expect("(")?;
        match section {
            "META" => meta(&mut words, &mut content)?,
            "NODES" => rows(&mut words, &mut |words, id| node(words, id, &mut content))?,
            "LINKS" => rows(&mut words, &mut |words, id| link(words, id, &mut content))?,
            "DEMANDS" => rows(&mut words, &mut |words, id| demand(words, id, &mut content))?,
            "ADMISSIBLE_PATHS" => content.has_paths |= words.skip_to_close()? > 0,
            other => {
                return Err(text
                    .problem(E_SYNTAX, offset, format!("unknown section {}", shown(other)))
                    .why("its rows could change what the network means")
                    .help("sections are META, NODES, LINKS, DEMANDS and ADMISSIBLE_PATHS"));
            }
        }
    }
    Ok(content)
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let text: &'a str = &self.text.text;
        loop {
            let rest = &text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                break;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
        let rest = &text[self.at..];
        let length = match rest.chars().next()? {
            '(' | ')' => 1,
            _ => {
                rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len())
            }
        };
        let word = (self.at, &rest[..length]);
        self.at += length;
        Some(word)
    }

    /// The next word, which must exist.
    fn some(&mut self, what: &str) -> Result<Word<'a>, Problem> {
        match self.next() {
            Some((offset, word)) if word == "(" || word == ")" => {
                Err(self.wrong(offset, what, word))
            }
            Some(word) => Ok(word),
            None => Err(self.wrong(self.at, what, "the end of the file")),
        }
    }

    fn expect(&mut self, wanted: &str) -> Result<(), Problem> {
        match self.next() {
            Some((_, word)) if word == wanted => Ok(()),
            Some((offset, word)) => Err(self.wrong(offset, wanted, word)),
            None => Err(self.wrong(self.at, wanted, "the end of the file")),
        }
    }

    fn wrong(&self, offset: usize, wanted: &str, found: &str) -> Problem {
        self.text
            .problem(E_SYNTAX, offset, format!("{} where {wanted} should be", shown(found)))
            .why("nothing behind this place can be trusted")
            .help("compare the row with the remark above its section")
    }

    /// Skips to the bracket that closes the current one; returns the number of words inside.
    fn skip_to_close(&mut self) -> Result<usize, Problem> {
        let (mut depth, mut count) = (1, 0);
        loop {
            match self.next() {
                None => return Err(self.wrong(self.at, ")", "the end of the file")),
                Some((_, "(")) => depth += 1,
                Some((_, ")")) if depth == 1 => return Ok(count),
                Some((_, ")")) => depth -= 1,
                Some(_) => count += 1,
            }
        }
    }

    /// `( a b )`.
    fn pair(&mut self, what: &str) -> Result<[String; 2], Problem> {
        self.expect("(")?;
        let pair = [self.some(what)?.1.to_owned(), self.some(what)?.1.to_owned()];
        self.expect(")")?;
        Ok(pair)
    }

    /// The next word, which stays.
    fn peek(&mut self) -> Option<&'a str> {
        let before = self.at;
        let word = self.next();
        self.at = before;
        word.map(|(_, word)| word)
    }
}

/// `key = free text` until a line that begins with the closing bracket, or ends with it before the
/// next section.
fn meta(words: &mut Words<'_>, content: &mut Content) -> Result<(), Problem> {
    let text: &str = &words.text.text;
    for line in text[words.at..].split_inclusive('\n') {
        words.at += line.len();
        let line = line.trim();
        if line.starts_with(')') {
            return Ok(());
        }
        let next = words.peek().is_none_or(|word| SECTIONS.contains(&word));
        let closed = line.strip_suffix(')').filter(|_| next);
        if let Some((key, value)) = closed.unwrap_or(line).split_once('=') {
            let value = Some(value.trim().to_owned());
            match key.trim() {
                "unit" => content.unit = value,
                "granularity" => content.granularity = value,
                "time" => content.time = value,
                "origin" => content.origin = value,
                _ => {}
            }
        }
        if closed.is_some() {
            return Ok(());
        }
    }
    Err(words.wrong(words.at, ")", "the end of the file"))
}

/// Takes the rest of a row whose first word has been read.
type Row<'a, 'b> = dyn FnMut(&mut Words<'a>, Word<'a>) -> Result<(), Problem> + 'b;

/// Rows until the closing bracket; each begins with its id.
fn rows<'a>(words: &mut Words<'a>, row: &mut Row<'a, '_>) -> Result<(), Problem> {
    loop {
        match words.next() {
            None => return Err(words.wrong(words.at, ")", "the end of the file")),
            Some((_, ")")) => return Ok(()),
            Some((offset, "(")) => return Err(words.wrong(offset, "an id", "(")),
            Some(id) => row(words, id)?,
        }
    }
}

fn node(words: &mut Words<'_>, id: Word<'_>, content: &mut Content) -> Result<(), Problem> {
    let xy = if words.peek() == Some("(") { Some(words.pair("a coordinate")?) } else { None };
    content.nodes.push(NodeRow { id: id.1.to_owned(), xy, offset: id.0 });
    Ok(())
}

fn link(words: &mut Words<'_>, id: Word<'_>, content: &mut Content) -> Result<(), Problem> {
    let ends = words.pair("a node")?;
    let installed = Some(words.some("the pre-installed capacity")?.1.to_owned());
    for what in ["the cost of that capacity", "the routing cost", "the setup cost"] {
        words.some(what)?;
    }
    words.expect("(")?;
    let mut modules = Vec::new();
    loop {
        match words.next() {
            Some((_, ")")) => break,
            Some((offset, "(")) => return Err(words.wrong(offset, "a module's capacity", "(")),
            Some((_, capacity)) => modules.push(capacity.to_owned()),
            None => return Err(words.wrong(words.at, ")", "the end of the file")),
        }
        words.some("a module's cost")?;
    }
    content.links.push(LinkRow { id: id.1.to_owned(), ends, installed, modules, offset: id.0 });
    Ok(())
}

fn demand(words: &mut Words<'_>, id: Word<'_>, content: &mut Content) -> Result<(), Problem> {
    let ends = words.pair("a node")?;
    let routing_unit = Some(words.some("the routing unit")?.1.to_owned());
    let value = words.some("the demand")?.1.to_owned();
    let bounded = words.some("the longest path or UNLIMITED")?.1 != "UNLIMITED";
    content.demands.push(DemandRow { ends, routing_unit, value, bounded, offset: id.0 });
    Ok(())
}
