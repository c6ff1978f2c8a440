//! `steerlab import` of recordings that become tables: observed routes, catchments.

use super::import::show;
use super::write_file;
use crate::args::{ImportArgs, WeightKind};
use crate::console::{Console, shown};
use crate::exit::Exit;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use steerlab_results::disk::{Disk, DiskFile};
use steerlab_results::error::StoreError;
use steerlab_results::workspace::Workspace;
use steerlab_scenario::catchment::{CatchmentSource, WeightBy, convert_catchment};
use steerlab_scenario::import::read_limited;
use steerlab_scenario::import::routes::{
    Both, CsvRoutes, MrtOptions, ParquetRoutes, RouteObservation, RouteReadError, RouteSink,
    RoutesHead, RoutesRead, UpdateCollector, read_bgplay, read_mrt,
};

/// Imports observed routes. All files are there in full or none is.
pub fn routes(console: &Console, args: &ImportArgs) -> Exit {
    let output = args.output.clone().unwrap_or_else(|| default_output(&args.input, "routes"));
    let parquet = match output.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => false,
        Some("parquet") => true,
        _ => {
            let what = format!("{}: neither .csv nor .parquet", output.display());
            return console.fail(Exit::BadInput, &what, "name the file with one of these endings");
        }
    };
    if args.updates.as_ref() == Some(&output) {
        let what = "--output and --updates name the same file";
        return console.fail(Exit::BadInput, what, "name two files");
    }
    let targets: Vec<&Path> = [Some(&output), args.updates.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    if let Err(exit) = may_write(console, &targets, args.force) {
        return exit;
    }
    match write_routes(args, &output, parquet) {
        Ok(read) => {
            tell(console, &read);
            targets.iter().for_each(|path| console.say(&format!("wrote {}", shown(path))));
            Exit::Done
        }
        Err(Failed::Input(error)) => {
            show(console, &error);
            Exit::BadInput
        }
        Err(Failed::Read(path, error)) => {
            let what = format!("cannot read {}: {error}", path.display());
            console.fail(Exit::BadInput, &what, "check the path and the permissions")
        }
        Err(Failed::Write(error)) => {
            let what =
                format!("cannot {} {}: {}", error.action, error.path.display(), error.source);
            console.fail(Exit::CannotWrite, &what, "check the path, its rights and the free space")
        }
    }
}

/// Imports a measured catchment.
pub fn catchment(console: &Console, args: &ImportArgs) -> Exit {
    let Some(source) = args.from.as_deref().and_then(CatchmentSource::of) else {
        let what = match &args.from {
            None => "`catchment` needs --from".to_owned(),
            Some(from) => format!("--from: no form `{from}` of catchments"),
        };
        let help = format!("forms are {}", CatchmentSource::NAMES.join(", "));
        return console.fail(Exit::BadInput, &what, &help);
    };
    let output = args.output.clone().unwrap_or_else(|| default_output(&args.input, "catchment"));
    if let Err(exit) = may_write(console, &[&output], args.force) {
        return exit;
    }
    let weight_by = match args.weight {
        Some(WeightKind::Probes) => WeightBy::Probes,
        Some(WeightKind::Queries) | None => WeightBy::Queries,
    };
    let document = read_limited(&args.input);
    match document.and_then(|document| convert_catchment(source, weight_by, &document)) {
        Ok(converted) => {
            let text = converted.table.to_csv();
            if let Err(exit) = write_file(console, &output, text.as_bytes()) {
                return exit;
            }
            converted.notes.iter().for_each(|note| console.say(&format!("assumed: {note}")));
            let rows = converted.table.rows().len();
            console.say(&format!("wrote {}: {rows} rows", shown(&output)));
            Exit::Done
        }
        Err(error) => {
            show(console, &error);
            Exit::BadInput
        }
    }
}

/// `NAME.KIND.csv` here, where NAME is the input's name up to its first dot.
fn default_output(input: &Path, kind: &str) -> PathBuf {
    let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').find(|part| !part.is_empty()).unwrap_or("recording");
    PathBuf::from(format!("{stem}.{kind}.csv"))
}

fn may_write(console: &Console, paths: &[&Path], force: bool) -> Result<(), Exit> {
    match paths.iter().find(|path| path.exists() && !force) {
        None => Ok(()),
        Some(path) => Err(console.fail(
            Exit::BadInput,
            &format!("{} exists", path.display()),
            "choose another name with --output, or replace it with --force",
        )),
    }
}

/// Says what was read and what was left out.
fn tell(console: &Console, read: &RoutesRead) {
    let counts = &read.counts;
    for note in &read.notes {
        console.say(&format!("assumed: {note}"));
    }
    if counts.state_changes > 0 {
        let changes = counts.state_changes;
        console.say(&format!("assumed: {changes} changes of session states left out"));
    }
    console.say(&format!(
        "read {} records: {} table rows, {} announcements, {} withdrawals of {} prefixes by {} \
         peers",
        counts.records,
        counts.table_rows,
        counts.announcements,
        counts.withdrawals,
        counts.prefixes,
        counts.peers
    ));
}

/// Why nothing was written.
enum Failed {
    Input(steerlab_scenario::import::ImportError),
    Read(PathBuf, io::Error),
    Write(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Write(error)
    }
}

/// Reads and writes; the files are put in place at the end.
fn write_routes(args: &ImportArgs, output: &Path, parquet: bool) -> Result<RoutesRead, Failed> {
    let disk = Disk::default();
    let table = Part::new(&disk, output)?;
    let head = RoutesHead::of(&args.input.to_string_lossy());
    let cannot = |source: io::Error| StoreError::new(output, "write", source);
    let file = disk.create(&table.part)?;
    let mut routes = if parquet {
        Routes::Parquet(Box::new(ParquetRoutes::new(file, &head).map_err(cannot)?))
    } else {
        Routes::Csv(Box::new(CsvRoutes::new(file, &head).map_err(cannot)?))
    };
    let mut collector = args.updates.as_ref().map(|_| UpdateCollector::default());
    let read = match &mut collector {
        Some(collector) => read_routes(args, &mut Both(&mut routes, collector)),
        None => read_routes(args, &mut routes),
    };
    let read = read.map_err(|failed| match failed {
        Failed::Write(error) => Failed::Write(StoreError::new(output, "write", error.source)),
        other => other,
    })?;
    let file = match routes {
        Routes::Csv(routes) => routes.into_inner(),
        Routes::Parquet(routes) => routes.finish().map_err(cannot)?,
    };
    file.finish()?;
    let mut parts = vec![table];
    if let (Some(collector), Some(path)) = (collector, &args.updates) {
        let part = Part::new(&disk, path)?;
        let mut file = disk.create(&part.part)?;
        let cannot = |source: io::Error| StoreError::new(path, "write", source);
        collector.write(&mut file).map_err(cannot)?;
        file.finish()?;
        parts.push(part);
    }
    for part in parts {
        disk.rename(&part.part, &part.path)?;
        disk.sync_dir(&part.folder)?;
    }
    Ok(read)
}

fn read_routes(args: &ImportArgs, sink: &mut dyn RouteSink) -> Result<RoutesRead, Failed> {
    let read = if args.importer == "mrt" {
        let cannot = |error| Failed::Read(args.input.clone(), error);
        let file = File::open(&args.input).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            return Err(cannot(io::Error::other("it is not a regular file")));
        }
        let options = MrtOptions { skip_damaged: args.skip_damaged };
        read_mrt(&args.input.to_string_lossy(), file, metadata.len(), options, sink)
    } else {
        let document = read_limited(&args.input).map_err(Failed::Input)?;
        read_bgplay(&document, sink)
    };
    read.map_err(|error| match error {
        RouteReadError::Input(error) => Failed::Input(error),
        RouteReadError::Sink(error) => Failed::Write(StoreError::new(&args.input, "write", error)),
    })
}

/// A file being written where nobody sees it; gone again unless it is renamed.
struct Part {
    part: PathBuf,
    path: PathBuf,
    folder: PathBuf,
    // Dropping it removes what is left in it.
    _workspace: Workspace,
}

impl Part {
    fn new(disk: &Disk, path: &Path) -> Result<Part, StoreError> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new(".")).to_owned();
        let workspace = Workspace::new(&folder, disk)
            .map_err(|error| StoreError { path: path.to_owned(), ..error })?;
        let part = workspace.path("part");
        Ok(Part { part, path: path.to_owned(), folder, _workspace: workspace })
    }
}

/// The table in the form asked for.
enum Routes {
    Csv(Box<CsvRoutes<DiskFile>>),
    Parquet(Box<ParquetRoutes<DiskFile>>),
}

impl RouteSink for Routes {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        match self {
            Routes::Csv(routes) => routes.take(row),
            Routes::Parquet(routes) => routes.take(row),
        }
    }
}
