//! The recorded data sets themselves, where they are at hand.

use super::*;
use std::path::PathBuf;

/// The folder of recorded data; none (said aloud) where it is absent.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
pub(super) fn data(folder: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("STEERLAB_DATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let path = root.join(folder);
    if !path.is_dir() {
        eprintln!("SKIPPED: no recorded data at {} (set STEERLAB_DATA)", path.display());
        return None;
    }
    Some(path)
}

/// The files of a folder with an ending, by name.
fn files(folder: &std::path::Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no {ending} in {}", folder.display());
    files
}

fn open(path: &std::path::Path) -> ImportInput {
    let topology = read_limited(path).expect("readable");
    ImportInput { topology, demands: None, options: ImportOptions::default() }
}

#[test]
fn every_sndlib_network_reads_alike_in_both_formats() {
    let Some(folder) = data("sndlib") else { return };
    for path in files(&folder.join("native"), ".txt") {
        let native = import("sndlib", &open(&path));
        assert_valid_ids(&native);
        let xml = folder.join("xml").join(path.file_stem().expect("stem")).with_extension("xml");
        if !xml.is_file() {
            continue;
        }
        let xml = import("sndlib", &open(&xml));
        assert_valid_ids(&xml);
        assert_eq!(native.files, xml.files, "{}", path.display());
        let links = |imported: &Imported| {
            let lines = imported.yaml.lines().filter(|line| line.contains("kind: backbone"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(links(&native), links(&xml), "{}", path.display());
    }
}

#[test]
fn every_repetita_graph_keeps_every_demand() {
    let Some(folder) = data("repetita/2016TopologyZooUCL_unary") else { return };
    for path in files(&folder, ".graph") {
        let mut input = open(&path);
        let demands = read_limited(&path.with_extension("0000.demands")).expect("demands");
        let text = String::from_utf8(demands.bytes.clone()).expect("text");
        let kbps: u64 = text
            .lines()
            .skip(2)
            .filter_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                (words.len() == 4 && words[1] != words[2]).then(|| words[3].parse::<u64>().unwrap())
            })
            .sum();
        input.demands = Some(DemandInput::File(demands));
        let imported = import("repetita", &input);
        assert_valid_ids(&imported);
        let totals = matrix_of(&imported).totals_bps();
        assert_eq!(totals, [kbps as f64 * 1e3], "{}", path.display());
    }
}

#[test]
fn every_topology_zoo_graph_imports() {
    let Some(folder) = data("topologyzoo/graphml") else { return };
    for path in files(&folder, ".graphml") {
        let imported = import("topology-zoo", &open(&path));
        assert_valid_ids(&imported);
        assert!(imported.files.is_empty());
    }
}

#[test]
fn the_dynamic_series_stop_at_their_gaps() {
    let Some(folder) = data("sndlib-dynamic") else { return };
    let Some(native) = data("sndlib/native") else { return };
    let open_series = |network: &str, archive: &str| {
        let mut input = open(&native.join(network));
        input.demands = Some(DemandInput::open(&folder.join(archive)).expect("readable"));
        input
    };
    let name = "directed-geant-uhlig-15min-over-4months-ALL.PARTIAL.tar.xz";
    let geant = import("sndlib", &open_series("geant.txt", name));
    has_note(&geant, "2 all-zero matrices treated as missing");
    assert!(geant.yaml.contains("start: \"2005-05-04T15:30:00Z\""), "{}", geant.yaml);
    let matrix = matrix_of(&geant);
    assert_eq!((matrix.times.len(), matrix.pairs.len()), (322, 454));
    let name = "directed-abilene-zhang-5min-over-6months-ALL.PARTIAL.tar.xz";
    let abilene = import("sndlib", &open_series("abilene.txt", name));
    assert!(abilene.yaml.contains("horizon: 14d\nbucket: 5min\n"), "{}", abilene.yaml);
    has_note(&abilene, "the series continues at 2004-04-02T00:00:00Z after a gap of 18d");
    let matrix = matrix_of(&abilene);
    assert_eq!((matrix.times.len(), matrix.pairs.len()), (14 * 288, 132));
    // Totals of the first three matrices, from an independent exact reading of the archive.
    let known_bps = [2_541_720_094.0, 2_501_239_845.0, 2_620_687_595.0];
    assert_eq!(matrix.totals_bps()[..3], known_bps);
}
