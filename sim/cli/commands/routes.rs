//! `steerlab routes`: the path of every AS of an Internet graph.

use super::import::show;
use super::routes_table::Paths;
use crate::args::{RoutesArgs, RoutesJob};
use crate::console::{Console, shown};
use crate::exit::Exit;
use crate::workers::Workers;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use steerlab_engine::route::internet::{Announcements, AsGraph, Solution, Unsettled, solve_many};
use steerlab_results::disk::Disk;
use steerlab_scenario::import::{ImportError, origins, parse_origins, read_as_rel, read_limited};

/// Solves and writes.
pub fn routes(console: &Console, args: &RoutesArgs) -> Exit {
    let begin = Instant::now();
    let (graph, prefixes) = match load(args) {
        Ok(loaded) => loaded,
        Err(error) => {
            show(console, &error);
            return Exit::BadInput;
        }
    };
    let loaded_ms = begin.elapsed().as_secs_f64() * 1e3;
    let workers = match Workers::new(args.jobs) {
        Ok(workers) => workers,
        Err(error) => {
            let what = format!("the system gives no threads: {error}");
            return console.fail(Exit::BadInput, &what, "ask for fewer with --jobs");
        }
    };
    let begin = Instant::now();
    let solved = solve_many(&graph, &prefixes, &workers);
    let solved_ms = begin.elapsed().as_secs_f64() * 1e3;
    let Ok(solutions) = solved.into_iter().collect::<Result<Vec<Solution>, Unsettled>>() else {
        unreachable!("plain announcements settle in one state");
    };
    let paths = Paths::new(&graph, &prefixes, &solutions);
    if let Some(out) = &args.out
        && let Err(exit) = write(console, out, &paths)
    {
        return exit;
    }
    console.say(&format!("loaded in {loaded_ms:.1} ms, solved in {solved_ms:.1} ms"));
    console.answer(&summary(&graph, &solutions));
    if args.digest {
        console.answer(&format!("digest: {}", paths.digest()));
    }
    Exit::Done
}

fn load(args: &RoutesArgs) -> Result<(AsGraph, Vec<Announcements>), ImportError> {
    let listed = match &args.origins_file {
        Some(path) => parse_origins(&read_limited(path)?)?,
        None => Vec::new(),
    };
    let graph = read_as_rel(&read_limited(&args.graph)?)?;
    let file = args.origins_file.as_deref().map(|path| path.display().to_string());
    let at = origins(&graph, &args.origins, &listed, file.as_deref().unwrap_or_default())?;
    let prefixes = match args.job {
        RoutesJob::One => vec![Announcements::origins(&at[..1])],
        RoutesJob::Anycast => vec![Announcements::origins(&at)],
        RoutesJob::Each => at.iter().map(|&at| Announcements::origins(&[at])).collect(),
    };
    Ok((graph, prefixes))
}

/// What was found, in words.
fn summary(graph: &AsGraph, solutions: &[Solution]) -> String {
    let reached: usize = solutions.iter().map(Solution::reached).sum();
    let hops: u64 = solutions
        .iter()
        .flat_map(|solution| (0..graph.len() as u32).map(|at| u64::from(solution.length(at))))
        .sum();
    // The AS itself is part of the path as it is written.
    let mean = if reached == 0 { 0.0 } else { hops as f64 / reached as f64 + 1.0 };
    format!(
        "ASes: {}\nlinks: {}\nprefixes: {}\nroutes: {reached}\npath length mean: {mean:.3} ASes",
        graph.len(),
        graph.link_count(),
        solutions.len()
    )
}

/// Writes the table so that it is there in full or not at all.
fn write(console: &Console, path: &Path, paths: &Paths<'_>) -> Result<(), Exit> {
    let disk = Disk::default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = Path::new(&part);
    let written = folder.map_or(Ok(()), |folder| disk.make_dirs(folder)).and_then(|()| {
        let mut file = disk.create(part)?;
        paths
            .write_table(&mut file)
            .and_then(|()| file.flush())
            .map_err(|source| steerlab_results::error::StoreError::new(part, "write", source))?;
        file.finish()?;
        disk.rename(part, path)
    });
    written.map_err(|error| {
        let _gone = disk.remove_file(part);
        let what = format!("cannot {} {}: {}", error.action, shown(&error.path), error.source);
        console.fail(Exit::CannotWrite, &what, "check the path, its rights and the free space")
    })
}
