//! Recorded routes and catchments through the command line, on real files where they are at hand.

use crate::support::data;
use crate::support::folder::{Folder, tree};
use crate::support::program::{Program, steerlab};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const HEAD: &str = "# format: steerlab-catchment/1\nkind,id,site,weight\n";

/// Runs `steerlab import WORDS` with a file of the recorded data.
fn import(folder: &Folder, format: &str, file: &Path, words: &str) -> Program {
    let program = Program::new(folder.path()).args(["import", format]).args([file]);
    program.args(words.split_whitespace())
}

#[test]
fn a_table_of_routes_is_written_whole_or_not_at_all() {
    let Some(file) = data("mrt/ripe-rrc00-1999.12-updates.19991214.1621.gz") else { return };
    let folder = Folder::new("routes");
    let words = "--out r.csv --updates u.csv";
    let finished = import(&folder, "mrt", &file, words).exits(0);
    let said = "54126 announcements, 1363 withdrawals of 39882 prefixes by 6 peers";
    assert!(finished.stderr.contains(said), "{}", finished.stderr);
    let routes = std::fs::read_to_string(folder.join("r.csv")).unwrap();
    assert!(routes.starts_with("# format: steerlab-observed-routes/1\n# source: ripe-rrc00"));
    assert_eq!(routes.lines().count(), 3 + 54_126 + 1_363);
    let updates = std::fs::read_to_string(folder.join("u.csv")).unwrap();
    assert!(updates.starts_with("# format: steerlab-bgp-updates/1\n# start: 1999-12-14T16:"));
    assert_eq!(updates.lines().count(), 3 + 54_126 + 1_363);
    let times: Vec<u64> = updates
        .lines()
        .skip(3)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert!(times.is_sorted() && times[0] == 0);

    // The same input is the same file, packed or not, whatever was there before.
    let before = tree(folder.path());
    import(&folder, "mrt", &file, words).exits(2);
    import(&folder, "mrt", &file, &format!("{words} --force")).exits(0);
    assert_eq!(tree(folder.path()), before);

    // A file that is cut off leaves nothing, not even in place of an old one.
    let bytes = std::fs::read(&file).unwrap();
    let cut = folder.write("cut.gz", &bytes[..bytes.len() / 2]);
    let before = tree(folder.path());
    for words in ["--out new.csv --updates new-u.csv", "--out new.parquet", "--out r.csv --force"] {
        let finished = import(&folder, "mrt", &cut, words).exits(2);
        assert!(finished.stderr.contains("error[E0251]"), "{}", finished.stderr);
        assert!(finished.stderr.contains("record ") && finished.stderr.contains("at byte "));
        assert_eq!(tree(folder.path()), before, "{words}");
    }
}

#[test]
fn routes_as_parquet_are_the_same_for_every_run() {
    let Some(file) = data("bgp-events/youtube-pakistan-20080224.bgplay.json") else { return };
    let folder = Folder::new("routes-parquet");
    import(&folder, "bgplay", &file, "--out a.parquet --updates u.csv").exits(0);
    import(&folder, "bgplay", &file, "--out b.parquet").exits(0);
    let bytes = std::fs::read(folder.join("a.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert_eq!(bytes, std::fs::read(folder.join("b.parquet")).unwrap());
    let updates = std::fs::read_to_string(folder.join("u.csv")).unwrap();
    let kinds =
        updates.lines().skip(3).fold(BTreeMap::new(), |mut kinds: BTreeMap<_, u32>, line| {
            *kinds.entry(line.split(',').nth(4).unwrap().to_owned()).or_default() += 1;
            kinds
        });
    let expected = [("announce", 477), ("table", 110), ("withdraw", 7)];
    assert_eq!(kinds, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    assert!(
        updates.contains("\n173,2497,198.32.176.24,208.65.153.0/24,announce,2497 3491 17557\n")
    );
}

#[test]
fn options_that_do_not_belong_together_are_refused() {
    let folder = Folder::new("routes-options");
    folder.write("x", "x");
    for (words, says) in [
        ("import mrt x --arms static-anycast", "--arms does not go with `mrt`"),
        ("import mrt x --from 2004-03-02", "--from does not go with `mrt`"),
        ("import catchment x --updates u.csv", "--updates does not go with"),
        ("import bgplay x --skip-damaged", "--skip-damaged does not go with"),
        ("import sndlib x --updates u.csv", "--updates does not go with"),
        ("import catchment x --from peering-json --weight probes", "--weight does not go with"),
        ("import catchment x", "needs --from"),
        ("import catchment x --from nothing", "atlas-dns, peering-json"),
        ("import mrt x --out r.txt", "neither .csv nor .parquet"),
        ("import mrt x --out r.csv --updates r.csv", "the same file"),
        ("import mrt nothing", "cannot read nothing"),
        ("import mrt .", "not a regular file"),
        ("import mrt x", "error[E0251]"),
        ("import bgplay x", "not JSON"),
        ("compare-catchment x x", "error[E0260]"),
        ("compare-catchment nothing x", "error[E0502]"),
        ("compare-catchment x x --agreement-min 2", "--agreement-min"),
    ] {
        let finished = steerlab(folder.path(), words).exits(2);
        assert!(finished.stderr.contains(says), "{words}: {}", finished.stderr);
        assert_eq!(tree(folder.path()).len(), 1, "{words}: nothing is written");
    }
}

#[test]
fn tables_are_compared_and_judged_only_when_asked() {
    let folder = Folder::new("compare-catchment");
    folder.write(
        "model.csv",
        format!("{HEAD}as,1,ams,\nas,2,ams,\nas,3,fra,\nclient-group,g,fra,\n"),
    );
    folder.write("seen.csv", format!("{HEAD}as,1,ams,1\nas,2,fra,8\nas,3,fra,1\nas,4,fra,1\n"));
    let words = "compare-catchment model.csv seen.csv";
    let shown = steerlab(folder.path(), &format!("{words} --by kind")).exits(0);
    for says in
        ["66.7", "20", "only modelled", "20.8", "weights are those of the measured table", "as"]
    {
        assert!(shown.stdout.contains(says), "{says}: {}", shown.stdout);
    }
    let json = steerlab(folder.path(), &format!("{words} --format json")).exits(0).json();
    assert_eq!(json["format"], "steerlab-catchment-comparison/1");
    assert_eq!(json["overall"]["rows_both"], 3);
    assert_eq!(json["overall"]["rows_agreeing"], 2);
    assert_eq!(json["overall"]["agreement_weight_ratio"], 0.2);
    assert_eq!(json["overall"]["rows_only_modelled"], 1);
    assert_eq!(json["overall"]["rows_only_measured"], 1);
    assert_eq!(json["disagreements"][0]["id"], "2");
    assert_eq!(json["disagreements"][0]["measured"], "fra");
    let again = steerlab(folder.path(), &format!("{words} --format json")).exits(0).json();
    assert_eq!(json, again);
    steerlab(folder.path(), &format!("{words} --format md")).exits(0);
    steerlab(folder.path(), &format!("{words} --agreement-min 60%")).exits(0);
    let failed = steerlab(folder.path(), &format!("{words} --agreement-min 0.8")).exits(1);
    assert!(failed.stderr.contains("66.7"), "{}", failed.stderr);
    assert!(!failed.stdout.is_empty(), "the answer is there all the same");
    folder.write("other.csv", format!("{HEAD}as,9,ams,\n"));
    let none = steerlab(folder.path(), "compare-catchment model.csv other.csv").exits(4);
    assert!(none.stderr.contains("no client in common"), "{}", none.stderr);

    folder.write("bad.csv", format!("{HEAD}as,1,,\nas,AS2,ams,\nas,3,ams,-1\n"));
    let refused = steerlab(folder.path(), "compare-catchment bad.csv seen.csv").exits(2);
    for place in ["bad.csv:3:6", "bad.csv:4:4", "bad.csv:5:10"] {
        assert!(refused.stderr.contains(place), "{place}: {}", refused.stderr);
    }
}

/// The majority site and the number of queries of every AS, straight from the file.
fn majority(answers: &Value) -> BTreeMap<u64, (String, usize)> {
    let mut seen: BTreeMap<u64, BTreeMap<String, usize>> = BTreeMap::new();
    for answer in answers.as_array().unwrap() {
        let site = answer["dst_city"].as_str().unwrap().to_owned();
        *seen.entry(answer["asn_v4"].as_u64().unwrap()).or_default().entry(site).or_default() += 1;
    }
    let best = |(asn, sites): (u64, BTreeMap<String, usize>)| {
        let most = *sites.values().max().unwrap();
        let site = sites.iter().find(|(_, count)| **count == most).unwrap().0.clone();
        (asn, (site, sites.values().sum()))
    };
    seen.into_iter().map(best).collect()
}

#[test]
fn the_african_catchment_becomes_a_table() {
    let Some(file) = data("cloudflare-dns-catchment-2015/anycast.json") else { return };
    let folder = Folder::new("atlas");
    import(&folder, "catchment", &file, "--from atlas-dns --out day1.csv").exits(0);
    let answers = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let expected = majority(&answers);
    let text = std::fs::read_to_string(folder.join("day1.csv")).unwrap();
    let rows: BTreeMap<u64, (String, usize)> = text
        .lines()
        .skip(2)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let [_, asn, site, weight, rtt_ms] = fields[..] else { panic!("{line}") };
            assert!(rtt_ms.parse::<f64>().unwrap() > 0.0);
            (asn.parse().unwrap(), (site.to_owned(), weight.parse().unwrap()))
        })
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(rows.len(), 60);
    assert_eq!(rows.values().map(|row| row.1).sum::<usize>(), 2_684);
    let json = steerlab(folder.path(), "compare-catchment day1.csv day1.csv --format json")
        .exits(0)
        .json();
    assert_eq!(json["overall"]["agreement_ratio"], 1.0);
}

#[test]
fn measured_maps_of_one_experiment_agree_with_each_other() {
    let experiment = "peering-catchments/experiments/3_ufmg01_uw01";
    let names =
        ["dp_pings_est_as_to_mux_catchment.json", "dp_trace_est_ra_as_to_mux_catchment.json"];
    let folder = Folder::new("peering");
    for (name, out) in names.iter().zip(["pings.csv", "trace.csv"]) {
        let Some(file) = data(&format!("{experiment}/{name}")) else { return };
        let words = format!("--from peering-json --out {out}");
        import(&folder, "catchment", &file, &words).exits(0);
        let map: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let rows = std::fs::read_to_string(folder.join(out)).unwrap().lines().count() - 2;
        assert_eq!(rows, map.as_object().unwrap().len(), "{name}");
    }
    let words = "compare-catchment trace.csv pings.csv --format json --agreement-min 80%";
    let json = steerlab(folder.path(), words).exits(0).json();
    assert_eq!(json["weights_of"], "neither");
    let cells = json["confusion"].as_array().unwrap();
    let sum: u64 = cells.iter().map(|cell| cell["rows"].as_u64().unwrap()).sum();
    assert_eq!(sum, json["overall"]["rows_both"].as_u64().unwrap());
}
