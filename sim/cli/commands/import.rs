//! `steerlab import`: recorded data as a scenario.

use super::write_file;
use crate::args::ImportArgs;
use crate::console::Console;
use crate::exit::Exit;
use std::path::{Path, PathBuf};
use steerlab_scenario::import::{
    Cut, DemandInput, DiskFolder, ImportError, ImportInput, ImportOptions, Imported, importer,
    importers, parse_capacity, read_limited,
};

/// Imports.
pub fn import(console: &Console, args: &ImportArgs) -> Exit {
    let Some(format) = importer(&args.importer) else {
        let known: Vec<&str> = importers().iter().map(|importer| importer.name()).collect();
        return console.fail(
            Exit::BadInput,
            &format!("no importer `{}`", args.importer),
            &format!("formats are {}", known.join(", ")),
        );
    };
    let imported = input(args).and_then(|input| format.import(&input));
    match imported {
        Ok(imported) => write(console, args, &imported),
        Err(error) => {
            console.err(&error.to_string());
            Exit::BadInput
        }
    }
}

fn input(args: &ImportArgs) -> Result<ImportInput, ImportError> {
    let demands = match &args.demands {
        None => None,
        Some(path) if path.is_dir() => Some(DemandInput::Folder(Box::new(DiskFolder::new(path)))),
        Some(path) => Some(DemandInput::File(read_limited(path)?)),
    };
    let name = args.name.clone().or_else(|| {
        let stem = args.output.as_deref()?.file_stem()?;
        Some(stem.to_string_lossy().into_owned())
    });
    let options = ImportOptions {
        name,
        arms: args.arms.clone(),
        cuts: args.cut.iter().map(|cut| Cut::parse(cut)).collect::<Result<_, _>>()?,
        scale: args.scale,
        from: args.from.clone(),
        length: args.length.clone(),
        fallback_capacity_bps: parse_capacity(&args.fallback_capacity).unwrap_or(0),
    };
    Ok(ImportInput { topology: read_limited(&args.input)?, demands, options })
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
    let file = output.display();
    console.say(&format!("wrote {file}\nnext:\n  steerlab run {file}"));
    Exit::Done
}
