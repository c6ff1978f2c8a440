//! `steerlab lab`: plays load labs, shows what came out beside theory, and judges it.

mod judge;
mod play;
mod show;

use super::vocabulary;
use crate::args::{LabArgs, LabFormat};
use crate::console::Console;
use crate::exit::Exit;
use crate::workers::Workers;
use judge::{Judged, Results};
use std::path::{Path, PathBuf};
use steerlab_scenario::load_lab::{LoadLab, load_lab};

/// Plays labs one after the other; the worst outcome counts.
pub fn lab(console: &Console, args: &LabArgs) -> Exit {
    let mut sets = Vec::new();
    for set in &args.set {
        let Some((path, value)) = set.split_once('=') else {
            let what = format!("`--set {set}` has no `=`");
            return console.fail(Exit::BadInput, &what, "write `--set PATH=VALUE`");
        };
        sets.push((path.to_owned(), value.to_owned()));
    }
    let workers = match Workers::new(args.jobs) {
        Ok(workers) => workers,
        Err(problem) => {
            let what = format!("cannot start threads: {problem}");
            return console.fail(Exit::BadInput, &what, "ask for fewer with --jobs");
        }
    };
    // All files are read first: a mistake in the last one is found before the first is played.
    let mut labs = Vec::new();
    let mut wrong = false;
    for path in &args.files {
        let path = file_of(path);
        let loaded = load_lab(&path, &sets, &vocabulary());
        match loaded.lab {
            Some(lab) => labs.push(lab),
            None => {
                wrong = true;
                if args.format == LabFormat::Json {
                    console.answer(&steerlab_scenario::to_json(&loaded.findings));
                } else {
                    console.err(&steerlab_scenario::render(&loaded.findings, console.color_err));
                }
            }
        }
    }
    if wrong {
        return Exit::BadInput;
    }
    let mut answers = Vec::new();
    let mut failed = false;
    for mut lab in labs {
        lab.seed = args.seed.unwrap_or(lab.seed);
        lab.replications = args.replications.unwrap_or(lab.replications);
        let (judged, missed) = played(&lab, args.coverage, &workers);
        failed |= missed;
        match args.format {
            LabFormat::Text => console.answer(&show::text(&lab, &judged)),
            LabFormat::Json => answers.push(show::json(&lab, &judged)),
        }
    }
    if args.format == LabFormat::Json {
        console.answer(&show::whole(answers).to_string());
    }
    if failed { Exit::Failed } else { Exit::Done }
}

/// A folder stands for the lab in it.
fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("lab.yaml") } else { path.to_path_buf() }
}

/// Plays a lab, and again with other seeds if its intervals are to be tried.
fn played(lab: &LoadLab, coverage: Option<u32>, workers: &Workers) -> (Judged, bool) {
    let results = Results::of(lab, lab.seed, workers);
    let mut judged = judge::judge(lab, &results);
    let missed = judged.verdicts.iter().any(|verdict| !verdict.met);
    if let Some(rounds) = coverage {
        judge::cover(lab, rounds, &mut judged, |seed| Results::of(lab, seed, workers));
    }
    (judged, missed)
}

#[cfg(test)]
mod tests {
    use super::file_of;
    use std::path::Path;

    #[test]
    fn a_folder_stands_for_its_lab() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/load");
        assert!(file_of(&own).ends_with("lab.yaml"));
        assert_eq!(file_of(Path::new("x.yaml")), Path::new("x.yaml"));
    }
}
