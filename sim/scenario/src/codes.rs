//! Every diagnostic code, once: what it means, why it is refused, an example and its repair.

use crate::examples;
use std::fmt::Write as _;

/// One code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub code: &'static str,
    /// Title, a few words.
    pub title: &'static str,
    /// Why it is wrong, one line; shown with every finding.
    pub why: &'static str,
}

const fn entry(code: &'static str, title: &'static str, why: &'static str) -> Entry {
    Entry { code, title, why }
}

/// All codes in order. `E` is an error, `W` a warning. A code never changes its meaning.
pub(crate) const CODES: &[Entry] = &[
    entry("E0001", "not YAML", "a scenario is one YAML document"),
    entry("E0002", "empty file", "a scenario needs at least a name, a seed, a horizon and an arm"),
    entry("E0003", "not text", "scenario files are UTF-8 text without control characters"),
    entry("E0004", "file too large", "files are limited so that a wrong file cannot fill memory"),
    entry("E0005", "tab as indentation", "YAML indents with spaces only"),
    entry(
        "E0006",
        "too many or too deep values",
        "nesting, values and aliases are limited so that a small file cannot fill memory",
    ),
    entry("E0007", "duplicate key", "it would be unclear which of the two values holds"),
    entry("E0008", "tag", "the meaning of a value follows from its key alone"),
    entry("E0009", "several documents", "one file holds one scenario"),
    entry("E0010", "key that is not text", "every key of the language is a plain word"),
    entry("E0011", "alias or merge key", "an alias repeats something that is complete"),
    entry("E0012", "text too long", "a text value is limited to 64 KiB"),
    entry("E0101", "unknown key", "a misspelt key would silently do nothing"),
    entry("E0102", "missing key", "there is no value that would be right for everybody"),
    entry("E0103", "wrong shape", "a value, a list and a mapping mean different things"),
    entry("E0104", "not exactly one choice", "these keys exclude each other and one is needed"),
    entry("E0105", "wrong number of items", "the list has a fixed or smallest length"),
    entry("E0107", "`--set` without a place", "a replacement needs a value to replace"),
    entry("E0201", "not such a quantity", "quantities are read strictly, nothing is guessed"),
    entry("E0202", "out of range", "values outside the range make no sense or cannot be computed"),
    entry("E0203", "not one of the words", "only these words have a meaning here"),
    entry("E0204", "not an id", "ids appear in file names, tables and commands"),
    entry("E0205", "missing or unknown unit", "a number without its unit can be read in two ways"),
    entry("E0206", "clock time without start", "without a start the run has no clock"),
    entry("E0207", "before the start", "a run begins at its start"),
    entry("E0301", "unknown name", "a name must refer to something in the scenario"),
    entry("E0302", "duplicate name", "a name must mean one thing"),
    entry("E0303", "too many", "counts are limited before anything is allocated"),
    entry("E0401", "too many steps", "a run has at most 10,000,000 buckets, steps or samples"),
    entry("E0402", "bucket not a multiple", "coarse buckets are sums of fine ones"),
    entry("E0403", "ends that do not fit", "this pair of ends cannot carry such traffic"),
    entry("E0405", "weights add up to zero", "shares are relative to the sum of the weights"),
    entry("E0406", "empty interval", "something that ends must end after it begins"),
    entry("E0407", "more members than there are", "a bundle loses at most all of its members"),
    entry("E0408", "keys that contradict", "the two keys say different things about the same"),
    entry("E0409", "no capacity", "a link carries something in at least one direction"),
    entry("E0410", "not a neighbour's link", "an agent acts on sessions of its own network"),
    entry("E0411", "shortest above longest", "the range would be empty"),
    entry("E0412", "rate too high", "rates are limited to 10^18 bit/s"),
    entry("E0413", "shares above the whole", "shares of the same are at most all of it"),
    entry("E0414", "not an answer of the name", "a name is answered with one of its answers only"),
    entry(
        "E0415",
        "caches in a circle",
        "what no cache holds must come from the origin in the end",
    ),
    entry("E0416", "nothing to zoom on", "only servers can be played request by request"),
    entry("E0417", "rates below flows", "links would carry more than they can"),
    entry("E0421", "needs BGP", "only a model with ASes can play what ASes do or are asked to do"),
    entry("E0422", "unknown AS", "an AS without sessions hears nothing and does nothing"),
    entry("E0423", "no such announcement", "a prefix is announced over a session of its site"),
    entry("E0424", "model without its data", "a model needs what it is made of"),
    entry(
        "E0425",
        "relationships that contradict",
        "routing needs one relationship for every pair",
    ),
    entry("E0426", "needs `solver: events`", "only messages meet the policies of single sessions"),
    entry("E0427", "no such session", "settings of a session that is not there would do nothing"),
    entry("E0501", "path not allowed", "a scenario reads files from its own folder only"),
    entry("E0502", "file cannot be read", "everything a scenario names is read before it runs"),
    entry("E0503", "included twice", "every file is included once, and never by itself"),
    entry("E0504", "data file not usable", "recorded data must be complete and valid"),
    entry("E0601", "unknown policy or balancer", "only registered ones can run"),
    entry(
        "E0602",
        "parameters that contradict",
        "a policy or balancer cannot work with these values",
    ),
    entry("E0701", "not a check", "a check compares a metric with a number or another metric"),
    entry("E0702", "unknown metric", "only metrics of the catalogue are measured"),
    entry("E0703", "unknown label or value", "a label must select something that is measured"),
    entry("E0704", "unit does not fit", "numbers with different units cannot be compared"),
    entry("W0801", "no delay known", "a delay of zero is faster than light"),
    entry("W0802", "after the end", "what happens after the end of the run has no effect"),
    entry("W0803", "no path", "traffic without a path is lost from the first moment on"),
    entry("W0804", "demand never served", "its loss would hide every other loss"),
    entry("W0805", "check decided in advance", "a check that cannot change tells nothing"),
    entry("W0806", "daily shape without start", "the time of day decides where the peak falls"),
    entry("W0807", "recording too short", "values held constant are not recorded values"),
    entry("W0808", "surge without demand", "a surge of nothing changes nothing"),
    entry("W0809", "more work than servers", "the scenario is overloaded before anything fails"),
    entry("W0810", "replay of nothing", "a recording in which nothing happens changes nothing"),
    entry(
        "W0811",
        "own sessions in the AS graph",
        "our sessions are those over `links`, no others",
    ),
];

/// Codes of imports, in order. What fails there is a file of others, so there is no example in our
/// language.
const IMPORT_CODES: &[Entry] = &[
    entry("E0250", "input not readable", "what cannot be read whole is not imported in part"),
    entry("E0251", "input not of the format", "a file that breaks its grammar can mean anything"),
    entry(
        "E0252",
        "number not usable in the input",
        "a network with a wrong number is another one",
    ),
    entry("E0253", "name not usable in the input", "a name must refer to one thing"),
    entry("E0254", "archive damaged or hostile", "archives are read with limits, in memory only"),
    entry("E0255", "time stamp not usable", "matrices are put in order by their time stamps"),
    entry("E0256", "option that does not fit", "the scenario would not mean what was asked for"),
    entry(
        "E0257",
        "relations that contradict",
        "who pays whom decides every route between two ASes",
    ),
    entry("E0258", "provider cycle", "nobody is an indirect provider of itself"),
    entry("E0259", "AS linked to itself", "a relation is between two ASes"),
];

/// Codes of tables of ours that are not part of a scenario, in order.
pub(crate) const TABLE_CODES: &[Entry] = &[
    entry("E0260", "not a table of the format", "a column read as another one changes every row"),
    entry("E0261", "row not usable", "a table with rows left out is another table"),
    entry("E0262", "row given twice", "it would be unclear which of the two rows holds"),
];

/// Codes of runs and comparisons, in order: things to know before trusting the figures. What they
/// are about is seen in results, not in a line of the scenario.
const RESULT_CODES: &[Entry] = &[
    entry("W0101", "shares did not settle", "loss on links that fill each other is approximate"),
    entry("W0102", "clients without a site", "their traffic is lost, whatever a policy does"),
    entry("W0103", "users that were not measured", "their landing is a guess by distance"),
    entry("W0104", "routing without one outcome", "what is shown is one of several, or none"),
    entry("W0105", "exits chosen without geography", "large networks hand over at many places"),
    entry("W0901", "different seeds", "unpaired draws hide small differences"),
    entry("W0902", "different scenarios", "a difference need not be due to the policies"),
    entry("W0903", "different numbers of replications", "only pairs can be compared"),
    entry("W0904", "different versions", "a version may play the same scenario differently"),
    entry("W0905", "nothing to compare in a metric", "no value is neither better nor worse"),
    entry(
        "W0906",
        "figures that are not numbers",
        "what cannot be computed is left out, not guessed",
    ),
];

/// Every code there is.
fn all() -> impl Iterator<Item = &'static Entry> {
    CODES.iter().chain(IMPORT_CODES).chain(TABLE_CODES).chain(RESULT_CODES)
}

/// The entry of a code that a diagnostic may have.
pub(crate) fn find(code: &str) -> Option<&'static Entry> {
    CODES.iter().chain(TABLE_CODES).find(|entry| entry.code == code)
}

/// All codes with their titles, in order.
#[must_use]
pub fn codes() -> Vec<(&'static str, &'static str)> {
    let mut codes: Vec<_> = all().map(|entry| (entry.code, entry.title)).collect();
    codes.sort_unstable();
    codes
}

/// A page about a code: why it is refused, a failing example and its repair. None: no such code.
#[must_use]
pub fn explain(code: &str) -> Option<String> {
    let entry = all().find(|entry| entry.code.eq_ignore_ascii_case(code))?;
    let mut page = format!("{}: {}\n\nWhy: {}.\n", entry.code, entry.title, entry.why);
    if let Some(example) = examples::find(entry.code) {
        let indented = |text: &str| {
            text.lines().fold(String::new(), |mut page, line| {
                let _ = writeln!(page, "    {line}");
                page
            })
        };
        let _ = write!(page, "\nThis fails:\n\n{}", indented(&example.failing_shown()));
        let _ = write!(page, "\nThis works:\n\n{}", indented(example.fixed));
        if !example.note.is_empty() {
            let _ = write!(page, "\n{}\n", example.note);
        }
    }
    Some(page)
}
