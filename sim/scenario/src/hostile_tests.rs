//! The hostile corpus and random damage: every finding at its place, no panic, no long wait.

use crate::diagnostic::Severity;
use crate::load::{load_file, load_text};
use crate::testing::vocabulary;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

type Place = (String, u32, u32);

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/hostile"))
}

/// Every error that `expected.tsv` lists, by file.
fn expected() -> BTreeMap<String, Vec<Place>> {
    let table = std::fs::read_to_string(folder().join("expected.tsv")).expect("the index");
    let mut files: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, code, line, column] = cells.as_slice() else { panic!("four cells: {line}") };
        let place = (code.to_string(), line.parse().unwrap(), column.parse().unwrap());
        files.entry((*file).to_owned()).or_default().push(place);
    }
    files
}

#[test]
fn every_hostile_file_is_refused_with_exactly_these_errors() {
    let mut wrong = Vec::new();
    for (file, mut places) in expected() {
        let begin = Instant::now();
        let loaded = load_file(&folder().join(&file), &vocabulary());
        let took = begin.elapsed();
        let mut found: Vec<Place> = loaded
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .map(|diagnostic| (diagnostic.code.to_owned(), diagnostic.line(), diagnostic.column()))
            .collect();
        found.sort();
        places.sort();
        assert!(loaded.scenario.is_none(), "{file} was accepted");
        let shown = crate::render(&loaded, true) + &crate::to_json(&loaded);
        assert!(shown.len() < 1 << 20, "{file}: {} bytes of diagnostics", shown.len());
        // A debug build is several times slower than what people run.
        if found != places || took > Duration::from_secs(5) {
            wrong.push(format!("{file}: expected {places:?}, found {found:?}, took {took:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_index_names_every_file_and_many_codes() {
    let indexed: BTreeSet<String> = expected().into_keys().collect();
    let present: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    assert_eq!(indexed, present);
    assert!(indexed.len() >= 150, "{}", indexed.len());
    let codes: BTreeSet<String> =
        expected().into_values().flatten().map(|(code, ..)| code).collect();
    assert!(codes.len() >= 40, "{codes:?}");
}

/// Loads and shows; whatever happens must be told, never a panic.
fn survive(text: &[u8]) {
    let loaded = load_text("fuzz", text, &vocabulary());
    let errors = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
    assert_eq!(loaded.scenario.is_none(), errors || loaded.omitted > 0);
    let shown = crate::render(&loaded, false);
    assert!(shown.lines().all(|line| !line.starts_with("::")));
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
    for diagnostic in &loaded.diagnostics {
        assert!(!diagnostic.message.is_empty() && !diagnostic.help.is_empty(), "{diagnostic:?}");
        if let Some(span) = diagnostic.span {
            assert!(span.line >= 1 && span.column >= 1, "{diagnostic:?}");
        }
    }
}

/// Pieces that mean something to YAML or to the language.
const PIECES: &[&str] = &[
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: *a",
    "!!",
    "|\n",
    ">\n",
    "# ",
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "? ",
    "-1",
    "0",
    "1e309",
    ".nan",
    "10Gbps",
    "5ms",
    "all",
    "sites",
    "ends",
    "id",
    "null",
    "~",
    "\u{202e}",
    "\u{feff}",
    "\r",
    "ö",
    "999999999999",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn arbitrary_pieces_never_panic(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60),
    ) {
        survive(pieces.concat().as_bytes());
    }

    #[test]
    fn damaged_scenarios_never_panic(
        damage in proptest::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..12, proptest::sample::select(PIECES)),
            1..6,
        ),
        demo in any::<bool>(),
    ) {
        let source = if demo { crate::DEMO } else { crate::TEMPLATE };
        let mut text = source.as_bytes().to_vec();
        for (at, remove, piece) in damage {
            let at = at.index(text.len());
            let end = (at + remove).min(text.len());
            text.splice(at..end, piece.bytes());
        }
        survive(&text);
    }

    #[test]
    fn random_replacements_never_panic(
        path in "[a-z0-9_.]{0,24}",
        value in "\\PC{0,12}",
    ) {
        let sets = [(path, value)];
        let loaded = crate::load_text_with("t", crate::TEMPLATE.as_bytes(), &sets, &vocabulary());
        let _ = crate::render(&loaded, false);
    }
}
