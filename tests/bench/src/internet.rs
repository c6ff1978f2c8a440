//! Routing on graphs of the whole Internet: processor seconds and memory, and the same work done by
//! bgpy where it is at hand.

use crate::measure::{self, Cost, own_cpu_seconds};
use crate::table::Table;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;
use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::route::internet::{
    Announcements, AsGraph, Relation, Seed, Solution, Workspace, generate,
};
use steerlab_scenario::import::{Document, read_as_rel};

/// The recorded graph, in the folder of recorded data.
const RECORDED: &str = "asrel/caida-20191201.as-rel2.txt.bz2";

/// 100 of its ASes.
const RECORDED_ORIGINS: &str = include_str!("../../system/internet-origins.txt");

/// The graph for growth: row counts of August 2026.
const GROWTH: (usize, usize, u64) = (78_000, 680_000, 1);

/// Processor seconds of the parts, in this process.
struct Parts {
    load: f64,
    solve_one: f64,
    solve_any: f64,
    solve_each: f64,
    change_mean: f64,
    change_median: f64,
    change_max: f64,
    changed_mean: f64,
    leak: f64,
}

/// A graph as a file, and who announces.
struct Input {
    name: &'static str,
    path: PathBuf,
    origins_path: PathBuf,
    text: Vec<u8>,
    origins: Vec<u32>,
}

/// Measures everything and prints tables.
///
/// # Errors
/// If a file is missing, or a program cannot be run.
pub fn print(repeats: usize, bgpy_python: Option<&str>) -> Result<(), String> {
    let folder = beside("bench-internet")?;
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    println!("Machine: {}.\n", measure::machine());
    let mut inputs = Vec::new();
    match recorded(&folder)? {
        Some(input) => inputs.push(input),
        None => println!("SKIPPED: no {RECORDED} in the data folder (set STEERLAB_DATA)\n"),
    }
    inputs.push(growth(&folder)?);
    for input in &inputs {
        let document = Document { name: input.name.to_owned(), bytes: input.text.clone() };
        let graph = read_as_rel(&document).map_err(|error| error.to_string())?;
        println!("{}: {} ASes, {} links\n", input.name, graph.len(), graph.link_count());
        print_parts(&parts(&document, &graph, input, repeats)?);
        print_whole(input, &graph, &folder, repeats)?;
        if let Some(python) = bgpy_python {
            print_bgpy(python, input, &folder)?;
        }
    }
    Ok(())
}

/// A path beside this program.
fn beside(name: &str) -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(here.parent().ok_or("this program lies in no folder")?.join(name))
}

fn recorded(folder: &Path) -> Result<Option<Input>, String> {
    let data = std::env::var_os("STEERLAB_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = data.join(RECORDED);
    if !path.exists() {
        return Ok(None);
    }
    let packed = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = Vec::new();
    let mut unpacked = bzip2::read::MultiBzDecoder::new(packed.as_slice());
    std::io::Read::read_to_end(&mut unpacked, &mut text).map_err(|error| error.to_string())?;
    let words = RECORDED_ORIGINS.split([',', '\n']).filter(|word| !word.is_empty());
    let origins = words.map(str::parse).collect::<Result<Vec<u32>, _>>();
    let origins = origins.map_err(|error| error.to_string())?;
    Input::new("CAIDA 2019-12", folder, "recorded", text, origins).map(Some)
}

fn growth(folder: &Path) -> Result<Input, String> {
    let (ases, links, seed) = GROWTH;
    let mut text = String::new();
    let mut asns = Vec::new();
    for link in generate(ases, links, seed)? {
        let relation = if link.relation == Relation::Customer { -1 } else { 0 };
        writeln!(text, "{}|{}|{relation}", link.a, link.b).map_err(|error| error.to_string())?;
        asns.extend([link.a, link.b]);
    }
    asns.sort_unstable();
    asns.dedup();
    let key = StreamKey { seed, replication: 0, purpose: "bench-origins", entity: 0 };
    let mut stream = Stream::new(key);
    let origins = (0..100).map(|_| asns[stream.below(asns.len() as u64) as usize]).collect();
    Input::new("generated 2026", folder, "generated", text.into_bytes(), origins)
}

impl Input {
    fn new(
        name: &'static str,
        folder: &Path,
        stem: &str,
        text: Vec<u8>,
        origins: Vec<u32>,
    ) -> Result<Input, String> {
        let path = folder.join(format!("{stem}.as-rel.txt"));
        let origins_path = folder.join(format!("{stem}.origins.txt"));
        let listed: Vec<String> = origins.iter().map(u32::to_string).collect();
        fs::write(&path, &text)
            .and_then(|()| fs::write(&origins_path, listed.join("\n")))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Input { name, path, origins_path, text, origins })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Mean processor seconds of some work, over so many times. The kernel may count in steps of
/// milliseconds, so single times of less mean nothing.
fn mean_seconds(times: usize, mut work: impl FnMut()) -> f64 {
    let begin = own_cpu_seconds();
    (0..times).for_each(|_| work());
    (own_cpu_seconds() - begin) / times as f64
}

fn parts(
    document: &Document,
    graph: &AsGraph,
    input: &Input,
    repeats: usize,
) -> Result<Parts, String> {
    let index = |&asn: &u32| graph.index_of(asn).ok_or(format!("AS {asn} is not in the graph"));
    let at = input.origins.iter().map(index).collect::<Result<Vec<u32>, _>>()?;
    let mut workspace = Workspace::default();
    let mut solve = |announced: &Announcements| {
        Solution::solve(graph, announced, &mut workspace).map_err(|_| "routing is not settled")
    };
    let one = Announcements::origins(&at[..1]);
    let any = Announcements::origins(&at);
    let each: Vec<Announcements> = at.iter().map(|&at| Announcements::origins(&[at])).collect();
    // The first solution makes the workspace.
    black_box(solve(&one)?);
    let solve_one = mean_seconds(100 * repeats, || drop(black_box(solve(&one))));
    let solve_any = mean_seconds(100 * repeats, || drop(black_box(solve(&any))));
    let solve_each = mean_seconds(repeats, || {
        each.iter().for_each(|announced| drop(black_box(solve(announced))));
    });
    // The AS with most providers leaks: it is the best connected customer.
    let leaker = (0..graph.len() as u32)
        .max_by_key(|&at| graph.neighbours(at, Relation::Provider).len())
        .ok_or("the graph is empty")?;
    let mut leak = any.clone();
    leak.trouble.leaks.push(leaker);
    let leak = mean_seconds(1, || drop(black_box(solve(&leak))));
    let (changes, changed) = changes(graph, &any, |_| {})?;
    let begin = own_cpu_seconds();
    let mut counted = 0;
    for _ in 0..repeats {
        self::changes(graph, &any, |_| counted += 1)?;
    }
    let change_mean = (own_cpu_seconds() - begin) / f64::from(counted.max(1));
    Ok(Parts {
        load: mean_seconds(10 * repeats, || drop(black_box(read_as_rel(document)))),
        solve_one,
        solve_any,
        solve_each,
        change_mean,
        change_max: changes.iter().copied().fold(0.0, f64::max),
        change_median: median(changes),
        changed_mean: changed,
        leak,
    })
}

/// Wall seconds of each change: every origin withdraws, comes back with one prepend, drops the
/// prepend. And the mean number of ASes that chose otherwise.
fn changes(
    graph: &AsGraph,
    any: &Announcements,
    mut done: impl FnMut(usize),
) -> Result<(Vec<f64>, f64), String> {
    let mut workspace = Workspace::default();
    let failed = |_| "routing is not settled".to_owned();
    let mut solution = Solution::solve(graph, any, &mut workspace).map_err(failed)?;
    let mut now = any.clone();
    let mut seconds = Vec::new();
    let mut changed = 0;
    for position in 0..any.seeds.len() {
        let mut prepended: Seed = any.seeds[position].clone();
        prepended.path = vec![graph.asn(prepended.at)];
        for step in 0..3 {
            let mut next = any.clone();
            match step {
                0 => drop(next.seeds.remove(position)),
                1 => next.seeds[position] = prepended.clone(),
                _ => {}
            }
            let begin = Instant::now();
            let result = solution.change(graph, &now, &next, &mut workspace);
            seconds.push(begin.elapsed().as_secs_f64());
            changed += result.map_err(failed)?.len();
            done(position);
            now = next;
        }
    }
    let mean = changed as f64 / seconds.len() as f64;
    Ok((seconds, mean))
}

fn print_parts(parts: &Parts) {
    let mut table = Table::new(["part", "CPU ms"].map(str::to_owned).to_vec());
    let mut row = |name: &str, seconds: f64| {
        table.push(vec![name.to_owned(), format!("{:.3}", seconds * 1e3)]);
    };
    row("load (text in memory to graph)", parts.load);
    row("solve, 1 origin", parts.solve_one);
    row("solve, 100 anycast origins", parts.solve_any);
    row("solve, 100 prefixes", parts.solve_each);
    row("change of one of 100 origins, mean", parts.change_mean);
    row("change of one of 100 origins, median of 300 (wall)", parts.change_median);
    row("change of one of 100 origins, largest (wall)", parts.change_max);
    row("solve with a route leak (general solver)", parts.leak);
    println!(
        "{table}\nASes that choose otherwise after a change, mean: {:.0}\n",
        parts.changed_mean
    );
}

/// Whole processes of `steerlab routes`.
fn print_whole(
    input: &Input,
    graph: &AsGraph,
    folder: &Path,
    repeats: usize,
) -> Result<(), String> {
    let thousand = folder.join("thousand.txt");
    let step = graph.len() / 1_000;
    let many: Vec<String> =
        graph.asns().iter().step_by(step.max(1)).take(1_000).map(u32::to_string).collect();
    fs::write(&thousand, many.join("\n")).map_err(|error| error.to_string())?;
    let out = folder.join("table.csv").to_string_lossy().into_owned();
    let mut table =
        Table::new(["whole process, one thread", "CPU s", "peak MiB"].map(str::to_owned).to_vec());
    let hundred = &input.origins_path;
    for (name, origins, words) in [
        ("1 origin, table written", hundred, vec!["--job", "one", "--out", &out]),
        ("100 anycast origins, table written", hundred, vec!["--job", "anycast", "--out", &out]),
        ("100 prefixes, digest", hundred, vec!["--job", "each", "--digest"]),
        ("100 prefixes, table written", hundred, vec!["--job", "each", "--out", &out]),
        ("1,000 prefixes, next hops kept", &thousand, vec!["--job", "each"]),
    ] {
        let cost = routes(input, origins, &words, repeats)?;
        let (cpu, memory) = (cost.cpu_seconds, cost.memory_mib_peak);
        table.push(vec![name.to_owned(), format!("{cpu:.2}"), format!("{memory:.0}")]);
    }
    println!("{table}");
    Ok(())
}

/// The median process of `steerlab routes`.
fn routes(input: &Input, origins: &Path, words: &[&str], repeats: usize) -> Result<Cost, String> {
    let program = beside("steerlab")?;
    if !program.exists() {
        let program = program.display();
        return Err(format!("{program} is missing; build it with: cargo build --release"));
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut arguments = vec!["routes".to_owned(), text(&input.path)];
    arguments.extend(["--origins-file".to_owned(), text(origins)]);
    arguments.extend(["--jobs", "1", "--quiet"].map(str::to_owned));
    arguments.extend(words.iter().map(|&word| word.to_owned()));
    let mut costs = measure::repeat(&text(&program), &arguments, repeats, |code| code == 0)?;
    Ok(costs.swap_remove(costs.len() / 2))
}

/// The same work by bgpy: every path compared, seconds as ratios.
fn print_bgpy(python: &str, input: &Input, folder: &Path) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bgpy_routes.py");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let head = [
        "job",
        "bgpy load s",
        "bgpy solve s",
        "bgpy whole s",
        "bgpy MiB",
        "ours whole s",
        "ratio whole",
        "paths",
        "equal",
    ];
    let mut table = Table::new(head.map(str::to_owned).to_vec());
    for job in ["one", "anycast"] {
        let (theirs, ours) = (folder.join("bgpy.csv"), folder.join("ours.csv"));
        let arguments = [
            text(&script),
            text(&input.path),
            text(&input.origins_path),
            job.to_owned(),
            text(&theirs),
        ];
        let cost = measure::run(python, &arguments)?;
        if cost.exit_code != 0 {
            return Err(format!("{python} {arguments:?} ended with code {}", cost.exit_code));
        }
        let said: serde_json::Value =
            serde_json::from_str(&cost.stdout).map_err(|error| error.to_string())?;
        let said = |name: &str| format!("{:.2}", said[name].as_f64().unwrap_or(f64::NAN));
        let ours_text = text(&ours);
        let own = routes(input, &input.origins_path, &["--job", job, "--out", &ours_text], 3)?;
        let (count, equal) = compare(&theirs, &ours)?;
        table.push(vec![
            job.to_owned(),
            said("load_cpu_s"),
            said("solve_cpu_s"),
            format!("{:.2}", cost.cpu_seconds),
            format!("{:.0}", cost.memory_mib_peak),
            format!("{:.2}", own.cpu_seconds),
            format!("{:.0}", cost.cpu_seconds / own.cpu_seconds.max(0.01)),
            count.to_string(),
            equal.to_string(),
        ]);
        if count != equal {
            println!("{table}");
            return Err(format!("{job}: {} paths differ from bgpy's", count - equal));
        }
    }
    println!("{table}");
    Ok(())
}

/// How many routes there are in either table, and how many paths are the same.
fn compare(theirs: &Path, ours: &Path) -> Result<(usize, usize), String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let (theirs, ours) = (read(theirs)?, read(ours)?);
    let pair = |row: &str| {
        let (asn, rest) = row.split_once(',').unwrap_or_default();
        (asn.to_owned(), rest.rsplit(',').next().unwrap_or_default().to_owned())
    };
    let mut theirs: Vec<(String, String)> = theirs.lines().map(pair).collect();
    let mut ours: Vec<(String, String)> = ours.lines().skip(1).map(pair).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    let count = theirs.len().max(ours.len());
    let equal = theirs.iter().filter(|row| ours.binary_search(row).is_ok()).count();
    Ok((count, equal))
}
