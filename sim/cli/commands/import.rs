//! `steerlab import`: recorded data as a scenario.

use super::{import_table, write_file};
use crate::args::{FALLBACK_CAPACITY, ImportArgs};
use crate::console::{Console, printable, shown};
use crate::exit::Exit;
use std::path::{Path, PathBuf};
use steerlab_engine::steer::{Descriptor, PolicyRegistry};
use steerlab_policies::BuiltIn;
use steerlab_scenario::import::{
    Cut, DemandInput, DiskFolder, ImportError, ImportInput, ImportOptions, Imported, importer,
    importers, parse_capacity, read_limited, recordings,
};

/// Problems shown; the rest is counted.
const PROBLEMS_SHOWN: usize = 20;
/// Longest name of a scenario.
const ID_CHARS_MAX: usize = 128;

/// Imports.
pub fn import(console: &Console, args: &ImportArgs) -> Exit {
    if let Some(option) = misplaced(args) {
        return console.fail(
            Exit::BadInput,
            &format!("{option} does not go with `{}`", args.importer),
            "see `steerlab import --help`",
        );
    }
    match args.importer.as_str() {
        "mrt" | "bgplay" => return import_table::routes(console, args),
        "catchment" => return import_table::catchment(console, args),
        _ => {}
    }
    let Some(format) = importer(&args.importer) else {
        let mut known: Vec<&str> = importers().iter().map(|importer| importer.name()).collect();
        known.extend(recordings().iter().map(|recording| recording.name));
        known.sort_unstable();
        return console.fail(
            Exit::BadInput,
            &format!("no importer `{}`", args.importer),
            &format!("formats are {}", known.join(", ")),
        );
    };
    // There is no place for parameters here, so none may be required.
    let runs_as_it_is = |one: &&Descriptor| one.params.iter().all(|param| param.default.is_some());
    let known = BuiltIn.descriptors().iter().filter(runs_as_it_is).map(|one| one.name);
    if let Some(arm) = args.arms.iter().find(|arm| known.clone().all(|name| name != **arm)) {
        return console.fail(
            Exit::BadInput,
            &format!("--arms: no policy `{arm}` that runs without parameters"),
            &format!("such policies are {}", known.collect::<Vec<_>>().join(", ")),
        );
    }
    let Some(fallback_bps) = parse_capacity(&args.fallback_capacity) else {
        return console.fail(
            Exit::BadInput,
            &format!("--fallback-capacity: `{}` is no capacity", args.fallback_capacity),
            "write a number and a unit, such as 10Gbps",
        );
    };
    let imported = input(args, fallback_bps).and_then(|input| format.import(&input));
    match imported {
        Ok(imported) => write(console, args, &imported),
        Err(error) => {
            show(console, &error);
            Exit::BadInput
        }
    }
}

/// An option that has no meaning for this format: it would silently do nothing.
fn misplaced(args: &ImportArgs) -> Option<&'static str> {
    let table = recordings().iter().any(|recording| recording.name == args.importer);
    let catchment = args.importer == "catchment";
    let given = [
        ("--demands", args.demands.is_some(), !table),
        ("--arms", !args.arms.is_empty(), !table),
        ("--cut", !args.cut.is_empty(), !table),
        ("--scale", args.scale != 1.0, !table),
        ("--from", args.from.is_some(), !table || catchment),
        ("--for", args.length.is_some(), !table),
        ("--fallback-capacity", args.fallback_capacity != FALLBACK_CAPACITY, !table),
        ("--name", args.name.is_some(), !table),
        ("--updates", args.updates.is_some(), table && !catchment),
        ("--skip-damaged", args.skip_damaged, args.importer == "mrt"),
        ("--weight", args.weight.is_some(), args.from.as_deref() == Some("atlas-dns")),
    ];
    given.iter().find(|(_, given, allowed)| *given && !allowed).map(|(option, ..)| *option)
}

/// Shows what is wrong with an input as findings in scenarios are shown.
pub fn show(console: &Console, error: &ImportError) {
    let (bold, off) = if console.color_err { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    for problem in error.problems.iter().take(PROBLEMS_SHOWN) {
        let place = match problem.line {
            0 => problem.file.clone(),
            line => format!("{}:{line}:{}", problem.file, problem.column),
        };
        let code = problem.code;
        console.err(&format!("{bold}error[{code}]{off}: {}", printable(&problem.what)));
        console.err(&printable(&format!(" --> {place}")));
        console.err(&printable(&format!("  = why: {}", problem.why)));
        console.err(&printable(&format!("  = help: {}\n", problem.help)));
    }
    let shown = error.problems.len().min(PROBLEMS_SHOWN);
    let more = error.omitted + (error.problems.len() - shown) as u64;
    if more > 0 {
        console.err(&format!("and {more} more"));
    }
}

fn input(args: &ImportArgs, fallback_capacity_bps: u64) -> Result<ImportInput, ImportError> {
    let demands = match &args.demands {
        None => None,
        Some(path) if path.is_dir() => Some(DemandInput::Folder(Box::new(DiskFolder::new(path)))),
        Some(path) => Some(DemandInput::File(read_limited(path)?)),
    };
    let name = args.name.clone().or_else(|| {
        let stem = args.output.as_deref()?.file_stem()?;
        Some(id(&stem.to_string_lossy()))
    });
    let options = ImportOptions {
        name,
        arms: args.arms.clone(),
        cuts: args.cut.iter().map(|cut| Cut::parse(cut)).collect::<Result<_, _>>()?,
        scale: args.scale,
        from: args.from.clone(),
        length: args.length.clone(),
        fallback_capacity_bps,
    };
    Ok(ImportInput { topology: read_limited(&args.input)?, demands, options })
}

/// A file name as the name of a scenario.
fn id(stem: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    stem.chars().take(ID_CHARS_MAX).map(|c| if allowed(c) { c } else { '-' }).collect()
}

fn write(console: &Console, args: &ImportArgs, imported: &Imported) -> Exit {
    let output =
        args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.yaml", imported.name)));
    let folder = output.parent().map(Path::to_owned).unwrap_or_default();
    let mut files = vec![(output.clone(), imported.yaml.as_bytes())];
    files.extend(imported.files.iter().map(|(name, bytes)| (folder.join(name), bytes.as_slice())));
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists() && !args.force) {
        return console.fail(
            Exit::BadInput,
            &format!("{} exists", path.display()),
            "choose another name with --output, or replace it with --force",
        );
    }
    // The scenario last: while it is not there, nothing refers to the other files.
    for (path, bytes) in files.iter().rev() {
        if let Err(exit) = write_file(console, path, bytes) {
            return exit;
        }
    }
    for note in &imported.notes {
        console.say(&format!("assumed: {note}"));
    }
    let file = shown(&output);
    console.say(&format!("wrote {file}\nnext:\n  steerlab run {file}"));
    Exit::Done
}
