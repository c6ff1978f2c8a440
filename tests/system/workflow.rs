//! What a newcomer does, from an empty folder.

use crate::support::folder::{Folder, tree};
use crate::support::program::{Program, steerlab};
use crate::support::{SMALL, root};
use serde_json::Value;
use std::path::Path;

fn json(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn summary(folder: &Folder) -> Value {
    json(&folder.join("runs/latest/summary.json"))
}

#[test]
fn from_an_empty_folder_to_a_report_and_its_explanation() {
    let folder = Folder::new("newcomer");
    let at = folder.path();
    let made = steerlab(at, "init lab.yaml").exits(0);
    // Each command names the next ones, and they work as they are written.
    let next: Vec<&str> =
        made.stderr.lines().filter_map(|line| line.trim().strip_prefix("steerlab ")).collect();
    assert_eq!(next, ["validate lab.yaml", "run lab.yaml"]);
    let valid = steerlab(at, next[0]).exits(0);
    assert!(valid.stdout.starts_with("lab.yaml: ok: "), "{valid:?}");
    assert_eq!(valid.stderr, "", "the starter has no warnings");
    let run = steerlab(at, next[1]).exits(0);
    for said in ["static", "threshold", "loss_ratio", "pass"] {
        assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
    }
    let named = |what: &str| {
        let line = run.stderr.lines().find_map(|line| line.strip_prefix(what));
        at.join(line.unwrap_or_else(|| panic!("{what} in {}", run.stderr)))
    };
    let (dir, report) = (named("run directory: "), named("report: "));
    assert_eq!(std::fs::canonicalize(at.join("runs/latest")).unwrap(), dir.canonicalize().unwrap());
    for file in ["manifest.json", "summary.json", "scenario.json", "topology.json", "columns.json"]
    {
        let format = json(&dir.join(file))["format"].clone();
        let expected = format.as_str().is_some_and(|format| format.starts_with("steerlab-"));
        assert!(expected || file == "scenario.json", "{file}: {format}");
    }
    let page = std::fs::read_to_string(report).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"), "one whole page");
    let run = format!("runs/{}", dir.file_name().unwrap().to_str().unwrap());
    let compared = steerlab(at, &format!("compare {run}")).run();
    assert!(
        [0, 1, 3].contains(&compared.code) && compared.stdout.contains("verdict"),
        "{compared:?}"
    );
    let route = "explain route lab.yaml --client berlin --at 20min";
    let route = steerlab(at, route).exits(0);
    assert!(route.stdout.starts_with("berlin lands at "), "{route:?}");
    assert!(
        route.stdout.lines().any(|line| line.starts_with("fra ")),
        "losers are told: {route:?}"
    );
    let actions = steerlab(at, "explain action runs/latest").exits(0);
    assert!(actions.stdout.contains("threshold-withdraw"), "{actions:?}");
    let one = steerlab(at, "explain action runs/latest --arm threshold --number 0").exits(0);
    assert_eq!(one.stdout.lines().count(), 2, "{one:?}");
}

#[test]
fn where_a_client_lands_follows_what_happens() {
    let folder = Folder::new("route");
    folder.small();
    let lands = |at: &str, client: &str| {
        let words = format!("explain route small.yaml --client {client} --at {at}");
        let finished = steerlab(folder.path(), &words).exits(0);
        finished.stdout.split(" for ").next().unwrap().to_owned()
    };
    let before = lands("1min", "berlin");
    let place = before.strip_prefix("berlin lands at ").unwrap().to_owned();
    assert!(["ams", "fra", "lon"].contains(&place.as_str()), "{before}");
    assert_ne!(lands("10min", "berlin"), "berlin lands at fra", "fra is down by then");
    assert_eq!(lands("19min", "berlin"), before, "all is as before when it is back");
}

#[test]
fn a_report_made_again_is_the_same() {
    let folder = Folder::new("report");
    folder.small();
    steerlab(folder.path(), "run small.yaml --junit junit.xml --svg svg").exits(0);
    let page = folder.join("runs/latest/report.html");
    let first = std::fs::read(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    // From an old run directory alone, somewhere else.
    let other = Folder::new("report-elsewhere");
    for (name, bytes) in tree(&folder.join("runs/latest/")) {
        other.write(&format!("old run/{name}"), bytes);
    }
    let words = ["report", "old run", "--junit", "junit.xml", "--svg", "svg"];
    Program::new(other.path()).args(words).exits(0);
    assert_eq!(std::fs::read(other.join("old run/report.html")).unwrap(), first);
    let junit = |folder: &Folder| std::fs::read(folder.join("junit.xml")).unwrap();
    assert_eq!(junit(&other), junit(&folder));
    assert_eq!(tree(&other.join("svg")), tree(&folder.join("svg")));
    steerlab(folder.path(), "report runs/latest --output again.html").exits(0);
    assert_eq!(std::fs::read(folder.join("again.html")).unwrap(), first);
    assert!(!page.exists(), "only where it was asked for");
}

#[test]
fn damaged_run_directories_are_refused() {
    let folder = Folder::new("damaged");
    folder.small();
    steerlab(folder.path(), "run small.yaml --no-report").exits(0);
    let whole = tree(&folder.join("runs/latest/"));
    for name in ["summary.json", "links.parquet", "manifest.json"] {
        let dir = format!("damaged-{name}");
        for (file, bytes) in &whole {
            let half = if file == name { bytes.len() / 2 } else { bytes.len() };
            folder.write(&format!("{dir}/{file}"), &bytes[..half]);
        }
        for words in ["report", "compare", "explain action"] {
            let finished = steerlab(folder.path(), &format!("{words} {dir}")).exits(2);
            assert!(finished.stderr.contains(name), "{words}: {}", finished.stderr);
        }
    }
}

#[test]
fn the_library_and_the_committed_schema_are_whole() {
    let folder = Folder::new("library");
    let at = folder.path();
    let listed = steerlab(at, "list scenarios --format json").exits(0).json();
    let rows = listed["rows"].as_array().unwrap();
    assert!(rows.len() >= 2, "{listed}");
    for row in rows {
        let name = row["scenario"].as_str().unwrap();
        Program::new(at)
            .args(["init", "--quiet", "--from", name, &format!("{name}.yaml")])
            .exits(0);
        let valid = Program::new(at).args(["validate", &format!("{name}.yaml")]).exits(0);
        assert_eq!(valid.stderr, "", "{name} has warnings");
    }
    let printed = steerlab(at, "schema").exits(0);
    let committed = root().join("scenarios/schema/scenario.schema.json");
    assert_eq!(printed.stdout, std::fs::read_to_string(committed).unwrap());
    let schema = printed.json();
    for policy in ["static-anycast", "threshold-withdraw", "spf-ecmp"] {
        assert!(schema.to_string().contains(policy), "the schema knows {policy}");
    }
    let reference = steerlab(at, "schema --reference").exits(0).stdout;
    assert!(reference.contains("threshold-withdraw") && reference.contains("E0101"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = steerlab(at, &format!("completions {shell}")).exits(0).stdout;
        assert!(script.contains("validate") && script.contains("max-events"), "{shell}");
    }
}

#[test]
fn every_scenario_file_of_the_repository_is_valid() {
    let folder = Folder::new("scenarios");
    let mut found = 0;
    let mut open = vec![root().join("scenarios")];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("hostile") {
                open.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let yaml = path.extension().is_some_and(|extension| extension == "yaml");
            // Others are parts that a scenario includes.
            if yaml && text.contains("\nformat: steerlab-scenario/1")
                || text.starts_with("format: steerlab-scenario/1")
            {
                Program::new(folder.path()).args(["validate".as_ref(), path.as_os_str()]).exits(0);
                found += 1;
            }
        }
    }
    assert!(found >= 2, "only {found} scenarios");
}

/// Every code has a page; every policy, metric, importer and format is said in full.
#[test]
fn what_is_listed_can_be_explained() {
    let folder = Folder::new("lists");
    let at = folder.path();
    let cells = |what: &str, column: &str| -> Vec<String> {
        let listed = steerlab(at, &format!("list {what} --format json")).exits(0).json();
        let cell = |row: &Value| row[column].as_str().unwrap_or_else(|| panic!("{row}")).to_owned();
        listed["rows"].as_array().unwrap().iter().map(cell).collect()
    };
    let codes = cells("codes", "code");
    assert!(codes.len() > 60, "{}", codes.len());
    for code in codes {
        let page = steerlab(at, &format!("explain {code}")).exits(0).stdout;
        assert!(page.starts_with(&code) && page.contains("Why: "), "{page}");
        let small = steerlab(at, &format!("explain {}", code.to_lowercase())).exits(0).stdout;
        assert_eq!(page, small);
    }
    assert!(cells("policies", "policy").len() >= 6);
    assert!(cells("metrics", "metric").contains(&"link_utilisation_max".to_owned()));
    assert!(cells("importers", "what_it_reads").len() >= 3);
    let markdown = steerlab(at, "list metrics --format md").exits(0).stdout;
    assert!(
        markdown.lines().all(|line| line.starts_with('|') && line.ends_with('|')),
        "{markdown}"
    );
}

#[test]
fn values_can_be_replaced_on_the_command_line() {
    let folder = Folder::new("set");
    folder.small();
    let run = |words: &str| {
        steerlab(folder.path(), &format!("run small.yaml --no-report {words}")).exits(0);
        summary(&folder)
    };
    let plain = run("");
    assert_eq!((&plain["seed"], &plain["replications"]), (&7.into(), &2.into()));
    let changed = run("--seed 8 --replications 3");
    assert_eq!((&changed["seed"], &changed["replications"]), (&8.into(), &3.into()));
    assert_ne!(plain["runs"][0]["fingerprint"], changed["runs"][0]["fingerprint"]);
    // By position, and by id; the reproduce line has it.
    let narrow = run("--set links.0.capacity=1Gbps --set sites.ams.pools.a.servers=21");
    assert_ne!(plain["scenario_sha256"], narrow["scenario_sha256"]);
    let manifest = json(&folder.join("runs/latest/manifest.json"));
    let again = manifest["provenance"]["reproduce"].as_str().unwrap();
    assert!(again.contains("--set 'links.0.capacity=1Gbps'"), "{again}");
    // The same as written in the file.
    folder.write(
        "small.yaml",
        SMALL.replace("ends: [ams, fra], capacity: 400Gbps", "ends: [ams, fra], capacity: 1Gbps"),
    );
    let written = run("--set sites.ams.pools.a.servers=21");
    assert_eq!(written["scenario_sha256"], narrow["scenario_sha256"]);
    folder.small();
    for (words, says) in [
        ("--set horizon", "no `=`"),
        ("--set =5", "E0107"),
        ("--set horizon=soon", "does not begin with a number"),
        ("--set horizon=20", "unit"),
        ("--set links.99.capacity=1Gbps", "no item `99`"),
        ("--set links.ams-fra.capacty=1Gbps", "did you mean `capacity`"),
        ("--set replications=0", "E0202"),
        ("--set arms.static.policies=nothing", "E0"),
    ] {
        let finished = steerlab(folder.path(), &format!("run small.yaml {words}")).exits(2);
        assert!(finished.stderr.contains(says), "{words}: {}", finished.stderr);
        assert!(finished.stderr.contains("help: "), "{words} says what to do: {}", finished.stderr);
    }
}

#[test]
fn run_directories_are_compared_with_each_other() {
    let folder = Folder::new("compare");
    folder.small();
    let at = folder.path();
    let quick = "--replications 5 --no-report --quiet";
    steerlab(at, &format!("run small.yaml --out before {quick}")).exits(0);
    steerlab(at, &format!("run small.yaml --out after {quick} --set demands.users.rate=1200krps"))
        .exits(0);
    let worse = steerlab(at, "compare before/latest after/latest --format json").exits(1).json();
    let rows = worse["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "one row an arm: {worse}");
    assert!(rows.iter().any(|row| row["verdict"] == "worse"), "{worse}");
    for row in rows {
        let mean = |key: &str| row[key].as_f64().unwrap();
        let difference = mean("candidate_mean") - mean("baseline_mean");
        assert!((difference - mean("difference")).abs() < 1e-12, "{row}");
        assert_eq!(row["n"], 5);
    }
    let better = steerlab(at, "compare after/latest before/latest --format json").exits(0).json();
    assert!(better["rows"].as_array().unwrap().iter().any(|row| row["verdict"] == "better"));
    let same = steerlab(at, "compare before/latest before/latest --format json").exits(0).json();
    let settled =
        |row: &Value| row["verdict"] == "no-material-difference" && row["difference"] == 0.0;
    assert!(same["rows"].as_array().unwrap().iter().all(settled), "{same}");
    let markdown = steerlab(at, "compare before/latest after/latest --format md").exits(1).stdout;
    assert!(markdown.contains("| --- |") || markdown.contains("|---"), "{markdown}");
}

/// The second time nothing is computed, and nothing changes.
#[test]
fn finished_runs_are_reused() {
    let folder = Folder::new("reuse");
    folder.small();
    let at = folder.path();
    steerlab(at, "run small.yaml").exits(0);
    let first = tree(&folder.join("runs"));
    let again = steerlab(at, "run small.yaml").exits(0);
    assert!(again.stderr.contains("4 of 4 runs from the store"), "{again:?}");
    assert_eq!(tree(&folder.join("runs")), first);
    // A third replication needs the third run of each arm only.
    let more = steerlab(at, "run small.yaml --replications 3").exits(0);
    assert!(more.stderr.contains("4 of 6 runs from the store"), "{more:?}");
    let anew = steerlab(at, "run small.yaml --no-cache").exits(0);
    assert!(anew.stderr.contains("0 of 4 runs from the store"), "{anew:?}");
    // A damaged run is done again.
    let damaged = first.keys().find(|name| name.ends_with(".run")).unwrap();
    std::fs::write(folder.join("runs").join(damaged), b"half").unwrap();
    let mended = steerlab(at, "run small.yaml").exits(0);
    assert!(mended.stderr.contains("3 of 4 runs from the store"), "{mended:?}");
}

#[test]
fn files_that_exist_are_replaced_only_if_asked() {
    let folder = Folder::new("force");
    let mine = folder.write("mine.yaml", "precious");
    steerlab(folder.path(), "init mine.yaml").exits(2);
    assert_eq!(std::fs::read(&mine).unwrap(), b"precious");
    steerlab(folder.path(), "init mine.yaml --force").exits(0);
    assert_ne!(std::fs::read(&mine).unwrap(), b"precious");
    folder.write("net.graph", "NODES 2\nlabel x y\na 0 0\nb 1 1\n\nEDGES 2\nlabel src dest weight bw delay\ne0 0 1 1 1000 10\ne1 1 0 1 1000 10\n");
    folder.write("net.yaml", "precious");
    let import = "import repetita net.graph";
    let refused = steerlab(folder.path(), import).exits(2);
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(std::fs::read(folder.join("net.yaml")).unwrap(), b"precious");
    steerlab(folder.path(), &format!("{import} --force")).exits(0);
    steerlab(folder.path(), "validate net.yaml").exits(0);
}

#[test]
fn imports_refuse_what_they_would_have_to_ignore() {
    let folder = Folder::new("import");
    folder.write("net.graph", "NODES 2\nlabel x y\na 0 0\nb 1 1\n\nEDGES 2\nlabel src dest weight bw delay\ne0 0 1 1 1000 10\ne1 1 0 1 1000 10\n");
    for (words, says) in [
        ("--arms nothing", "no policy `nothing`"),
        ("--arms scripted", "without parameters"),
        ("--fallback-capacity much", "no capacity"),
        ("--fallback-capacity 0Gbps", "no capacity"),
        ("--scale -1", "E0256"),
        ("--cut nothing@1m", "E0256"),
        ("--cut e0", "E0256"),
        ("--for long", "E0256"),
        ("--from monday", "E0256"),
        ("--name a/b", "E0256"),
    ] {
        let words = format!("import repetita net.graph -o x.yaml {words}");
        let finished = steerlab(folder.path(), &words).exits(2);
        assert!(finished.stderr.contains(says), "{words}: {}", finished.stderr);
        assert!(finished.stderr.contains("help: "), "{words}: {}", finished.stderr);
        assert!(!folder.join("x.yaml").exists(), "{words} writes nothing");
    }
    // A name made from a file name is made fit.
    let output = ["import", "repetita", "net.graph", "-o", "my network.yaml"];
    Program::new(folder.path()).args(output).exits(0);
    Program::new(folder.path()).args(["validate", "my network.yaml"]).exits(0);
}
