//! `steerlab report`: the report of a run directory, made again.

use super::write_file;
use crate::args::ReportArgs;
use crate::console::Console;
use crate::exit::Exit;
use std::path::Path;
use steerlab_results::view::RunView;

/// Makes the report.
pub fn report(console: &Console, args: &ReportArgs) -> Exit {
    let view = match RunView::read(&args.run) {
        Ok(view) => view,
        Err(error) => {
            return console.fail(
                Exit::BadInput,
                &error.to_string(),
                "name a run directory as `steerlab run` leaves it",
            );
        }
    };
    if args.markdown {
        console.answer(&steerlab_report::markdown(&view));
    }
    if let Err(exit) = write_pictures(console, &view, args.svg.as_deref(), args.junit.as_deref()) {
        return exit;
    }
    let path = args.output.clone().unwrap_or_else(|| args.run.join("report.html"));
    if let Err(exit) = write_file(console, &path, steerlab_report::html(&view).as_bytes()) {
        return exit;
    }
    console.say(&format!("report: {}", path.display()));
    Exit::Done
}

/// SVG files and JUnit XML, where asked for.
///
/// # Errors
/// The exit code, after the error has been shown.
pub fn write_pictures(
    console: &Console,
    view: &RunView,
    svg: Option<&Path>,
    junit: Option<&Path>,
) -> Result<(), Exit> {
    if let Some(folder) = svg {
        for figure in steerlab_report::figures(view) {
            write_file(
                console,
                &folder.join(format!("{}.svg", figure.name)),
                figure.svg.as_bytes(),
            )?;
        }
    }
    match junit {
        Some(path) => write_file(console, path, steerlab_report::junit(view).as_bytes()),
        None => Ok(()),
    }
}
