//! A week of recorded matrices on Abilene with a cut in the middle, against known answers.

use crate::support::data;
use crate::support::ecmp::Network;
use crate::support::folder::Folder;
use crate::support::program::{Finished, Program};
use crate::support::table::Table;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

const BUCKET_S: f64 = 300.0;
/// 3d12h, the start of a bucket.
const CUT_S: f64 = 302_400.0;
const HORIZON_S: f64 = 604_800.0;
/// The published answers were computed from matrices rounded to a kilobit per second per demand.
const ROUNDED: f64 = 5e-6;
const CUT_LINK: &str = "ATLAng_HSTNng";

/// Where the recorded network, matrices and answers are.
struct Recorded {
    network: PathBuf,
    matrices: PathBuf,
    answers: PathBuf,
}

impl Recorded {
    fn find() -> Option<Recorded> {
        Some(Recorded {
            network: data("sndlib/native/abilene.txt")?,
            matrices: data(
                "sndlib-dynamic/directed-abilene-zhang-5min-over-6months-ALL.PARTIAL.tar.xz",
            )?,
            answers: data("sndlib-dynamic/mlu-abilene.csv.gz")?,
        })
    }

    fn import(&self, folder: &Folder, words: &str) -> Finished {
        Program::new(folder.path())
            .args(["import", "sndlib"])
            .args([&self.network])
            .args(["--demands".as_ref(), self.matrices.as_os_str()])
            .args(words.split_whitespace())
            .exits(0)
    }
}

/// What a run told of one arm, by start of the bucket.
struct Told {
    /// Utilisation of (link, direction).
    arcs: BTreeMap<(String, String), Vec<(f64, f64)>>,
    placed_on_cut_link: Vec<(f64, f64)>,
    carried_on_cut_link: Vec<(f64, f64)>,
    /// (start, offered, served, dropped).
    totals: Vec<(f64, [f64; 3])>,
    /// (instant, kind) of everything that happened to the network.
    events: Vec<(f64, String)>,
}

impl Told {
    fn read(folder: &Path, of: &str) -> Told {
        let mut told = Told {
            arcs: BTreeMap::new(),
            placed_on_cut_link: Vec::new(),
            carried_on_cut_link: Vec::new(),
            totals: Vec::new(),
            events: Vec::new(),
        };
        let links = Table::read(&folder.join("links.csv"));
        let numbers = ["time_s", "utilisation_max", "placed_bps", "carried_bps"];
        for ([arm, link, direction], [time, utilisation, placed, carried]) in
            links.select(["arm", "link", "direction"], numbers)
        {
            if arm != of {
                continue;
            }
            let arc = (link.to_owned(), direction.to_owned());
            told.arcs.entry(arc).or_default().push((time, utilisation));
            if link == CUT_LINK {
                told.placed_on_cut_link.push((time, placed));
                told.carried_on_cut_link.push((time, carried));
            }
        }
        let totals = Table::read(&folder.join("totals.csv"));
        let flows = ["time_s", "offered_bps", "served_bps", "dropped_bps"];
        for ([arm], [time, offered, served, dropped]) in totals.select(["arm"], flows) {
            if arm == of {
                told.totals.push((time, [offered, served, dropped]));
            }
        }
        let events = Table::read(&folder.join("events.csv"));
        for ([arm, kind], [time]) in events.select(["arm", "kind"], ["time_s"]) {
            if arm == of {
                told.events.push((time, kind.to_owned()));
            }
        }
        told
    }

    /// Largest utilisation of any arc per bucket.
    fn largest(&self) -> Vec<f64> {
        let count = self.totals.len();
        let arcs = || self.arcs.values();
        assert!(arcs().all(|rows| rows.len() == count), "a row per arc and bucket");
        (0..count).map(|at| arcs().map(|rows| rows[at].1).fold(0.0, f64::max)).collect()
    }

    fn instant(&self, kind: &str) -> f64 {
        let mut found = self.events.iter().filter(|(_, found)| found == kind);
        let instant = found.next().unwrap_or_else(|| panic!("no {kind}: {:?}", self.events)).0;
        assert!(found.next().is_none(), "{kind} once");
        instant
    }
}

/// Largest utilisation of each matrix under even splits over paths of fewest hops, by its time.
fn answers(path: &Path) -> BTreeMap<String, f64> {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let table = Table::parse(&text);
    table
        .select(["time"], ["mlu_ecmp_hops"])
        .map(|([time], [mlu])| (time.to_owned(), mlu))
        .collect()
}

/// Name of the matrix of a bucket, such as 20040301-0005.
fn stamp(bucket: usize) -> String {
    let minutes = bucket * 5;
    format!("200403{:02}-{:02}{:02}", 1 + minutes / 1_440, minutes / 60 % 24, minutes % 60)
}

/// Text between two marks, each time they occur.
fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(start).skip(1).map(move |rest| rest.split(end).next().unwrap())
}

/// The network of an SNDlib file: both directions of every link, every link one hop. Names are
/// (link, direction).
fn read_network(path: &Path) -> (Network, Vec<(String, String)>) {
    let text = std::fs::read_to_string(path).unwrap();
    let section = |name: &str| {
        let part = between(&text, name, "\n)").next().unwrap().to_owned();
        let lines = part.lines().skip(1).map(|line| line.replace(['(', ')'], " "));
        let rows = lines.map(|line| line.split_whitespace().map(str::to_owned).collect());
        rows.collect::<Vec<Vec<String>>>()
    };
    let nodes = section("NODES (").into_iter().map(|row| row[0].clone()).collect();
    let mut network = Network { nodes, arcs: Vec::new() };
    let mut names = Vec::new();
    for row in section("LINKS (") {
        // id, source, target, pre-installed capacity, and what it costs.
        let (from, to) = (network.node(&row[1]), network.node(&row[2]));
        let capacity: f64 = row[3].parse().unwrap();
        network.arcs.extend([(from, to, 1.0, capacity), (to, from, 1.0, capacity)]);
        names.extend(["forward", "back"].map(|direction| (row[0].clone(), direction.to_owned())));
    }
    (network, names)
}

/// The matrices with these stamps, straight from the archive.
fn read_matrices(
    path: &Path,
    network: &Network,
    stamps: &[String],
) -> BTreeMap<String, Vec<(usize, usize, f64)>> {
    let file = std::fs::File::open(path).unwrap();
    let reader = lzma_rust2::XzReader::new(std::io::BufReader::new(file), true);
    let mut archive = tar::Archive::new(reader);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let Some(stamp) = stamps.iter().find(|stamp| name.ends_with(&format!("{stamp}.xml")))
        else {
            continue;
        };
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let one = |demand, tag: &str| {
            let (start, end) = (format!("<{tag}>"), format!("</{tag}>"));
            between(demand, &start, &end).next().unwrap().trim().to_owned()
        };
        let demands = between(&text, "<demand ", "</demand>").map(|demand| {
            let node = |tag| network.node(&one(demand, tag));
            (node("source"), node("target"), one(demand, "demandValue").parse().unwrap())
        });
        found.insert(stamp.clone(), demands.collect());
        if found.len() == stamps.len() {
            break;
        }
    }
    assert_eq!(found.len(), stamps.len(), "matrices in the archive");
    found
}

fn close(left: f64, right: f64, relative: f64) -> bool {
    (left - right).abs() <= relative * left.abs().max(right.abs())
}

#[test]
fn a_week_with_a_cut_is_what_independent_computations_say() {
    let Some(recorded) = Recorded::find() else { return };
    let folder = Folder::new("abilene");
    let cut = format!("--cut {CUT_LINK}@3d12h");
    let arms = "--arms spf-ecmp,wcmp-k-shortest";
    recorded.import(&folder, &format!("{arms} {cut} --for 7d -o abilene.yaml"));
    Program::new(folder.path())
        .args(["run", "abilene.yaml", "--csv", "csv", "--no-report", "--quiet"])
        .exits(0);
    let csv = folder.join("csv");
    let spf = Told::read(&csv, "spf-ecmp");
    let wcmp = Told::read(&csv, "wcmp-k-shortest");
    for told in [&spf, &wcmp] {
        let starts: Vec<f64> = told.totals.iter().map(|row| row.0).collect();
        let expected: Vec<f64> = (0..2_016).map(|at| at as f64 * BUCKET_S).collect();
        assert_eq!(starts, expected);
        assert!(close(expected[2_015] + BUCKET_S, HORIZON_S, 0.0));
    }
    before_the_cut_as_published(&spf, &answers(&recorded.answers));
    each_arc_as_computed(&spf, &recorded);
    loss_ends_with_convergence(&spf, "igp-converged");
    loss_ends_with_convergence(&wcmp, "action-effective");
}

/// Per matrix, the largest utilisation of all arcs.
fn before_the_cut_as_published(spf: &Told, answers: &BTreeMap<String, f64>) {
    let largest = spf.largest();
    let buckets = (CUT_S / BUCKET_S) as usize;
    for (bucket, &found) in largest[..buckets].iter().enumerate() {
        let expected = answers[&stamp(bucket)];
        assert!(close(found, expected, ROUNDED), "{}: {found}, not {expected}", stamp(bucket));
    }
    // After it, they are those of another network.
    let mut after = buckets + 1..largest.len();
    let same = after.find(|&at| close(largest[at], answers[&stamp(at)], ROUNDED));
    assert_eq!(same, None, "a bucket does not know of the cut");
}

/// Every arc, at some instants before and after the cut, from the matrices themselves.
fn each_arc_as_computed(spf: &Told, recorded: &Recorded) {
    let (network, names) = read_network(&recorded.network);
    assert_eq!((network.nodes.len(), names.len()), (12, 30));
    let cut = |network: &Network| {
        let mut cut = network.clone();
        for (arc, name) in names.iter().enumerate() {
            if name.0 == CUT_LINK {
                // No path is longer than this.
                cut.arcs[arc].2 = 1e6;
            }
        }
        cut
    };
    let cut = cut(&network);
    let buckets = [0, 1, 500, 1_000, 1_007, 1_009, 1_010, 1_300, 1_700, 2_015];
    let stamps: Vec<String> = buckets.iter().map(|&bucket| stamp(bucket)).collect();
    let matrices = read_matrices(&recorded.matrices, &network, &stamps);
    for (bucket, stamp) in buckets.into_iter().zip(stamps) {
        let before = bucket as f64 * BUCKET_S < CUT_S;
        let network = if before { &network } else { &cut };
        let expected = network.utilisations(&matrices[&stamp]);
        for (name, expected) in names.iter().zip(expected) {
            let found = spf.arcs[name][bucket].1;
            // Rates are whole bits per second in a scenario, as they are in these matrices.
            let fine = (found - expected).abs() <= 1e-9 * expected;
            assert!(fine, "{stamp} {name:?}: {found}, not {expected}");
        }
    }
}

/// Nothing is lost but what was on the cut link from the cut until traffic had moved away.
fn loss_ends_with_convergence(told: &Told, moved: &str) {
    let cut = told.instant("link-fails");
    assert!(close(cut, CUT_S, 0.0));
    let moved: f64 = told
        .events
        .iter()
        .filter(|(time, kind)| kind == moved && *time > cut)
        .map(|(time, _)| *time)
        .next()
        .expect("traffic moves");
    assert!(moved > cut && moved < cut + BUCKET_S, "moved at {moved}");
    let on_link = |rows: &[(f64, f64)], start: f64| -> f64 {
        rows.iter().filter(|(time, _)| *time == start).map(|(_, value)| value).sum()
    };
    for &(start, [offered, served, dropped]) in &told.totals {
        assert!(close(offered, served + dropped, 1e-9), "{start} s: conservation");
        if start == CUT_S {
            // What routing still placed there is all that is lost.
            let placed = on_link(&told.placed_on_cut_link, start);
            assert!(close(dropped, placed, 1e-6), "{dropped} lost, {placed} placed");
            // Demand differs little between two matrices.
            let before = on_link(&told.placed_on_cut_link, start - BUCKET_S);
            let share = (moved - cut) / BUCKET_S;
            assert!(close(placed, before * share, 0.1), "{placed}: {before} for {share}");
        } else {
            assert!(dropped <= 1e-12 * offered, "{start} s: {dropped} lost");
        }
    }
    for rows in [&told.placed_on_cut_link, &told.carried_on_cut_link] {
        let late = rows.iter().filter(|(time, _)| *time > CUT_S);
        assert!(late.clone().count() > 2_000);
        assert!(late.clone().all(|(_, value)| *value == 0.0), "traffic on a cut link");
    }
    let at_cut = on_link(&told.carried_on_cut_link, CUT_S);
    assert!(at_cut == 0.0, "{at_cut} carried over a cut link");
}

#[test]
fn nothing_happens_unless_it_is_asked_for() {
    let Some(recorded) = Recorded::find() else { return };
    let folder = Folder::new("abilene-calm");
    let network = recorded.network.to_str().unwrap();
    Program::new(folder.path())
        .args(["import", "sndlib", network, "-o", "calm.yaml", "--arms", "spf-ecmp"])
        .exits(0);
    let text = std::fs::read_to_string(folder.join("calm.yaml")).unwrap();
    assert!(!text.contains("events:"), "{text}");
    Program::new(folder.path())
        .args(["run", "calm.yaml", "--csv", "csv", "--no-report", "--quiet"])
        .exits(0);
    let events = Table::read(&folder.join("csv").join("events.csv"));
    let kinds: Vec<&str> = events.select(["kind"], ["time_s"]).map(|([kind], _)| kind).collect();
    assert_eq!(kinds, ["action-effective"], "only the policy's own beginning");
}
