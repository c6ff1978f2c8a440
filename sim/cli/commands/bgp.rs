//! `steerlab bgp`: plays a BGP lab, shows what came out, and judges what was expected.

mod judge;
mod moves;
mod play;
mod recorded;
mod show;

use super::vocabulary;
use crate::args::{BgpArgs, LabFormat};
use crate::console::Console;
use crate::exit::Exit;
use play::Played;
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{BgpPrefixId, SpeakerId};
use steerlab_scenario::bgp::BgpLab;

/// Plays a lab.
pub fn bgp(console: &Console, args: &BgpArgs) -> Exit {
    let sets = match replacements(&args.set) {
        Ok(sets) => sets,
        Err(problem) => return console.fail(Exit::BadInput, &problem, "write `--set PATH=VALUE`"),
    };
    let loaded = steerlab_scenario::bgp::load_lab(&args.lab, &sets, &vocabulary());
    let Some(mut lab) = loaded.lab else {
        if args.format == LabFormat::Json {
            console.answer(&steerlab_scenario::to_json(&loaded.findings));
        } else {
            console.err(&steerlab_scenario::render(&loaded.findings, console.color_err));
        }
        return Exit::BadInput;
    };
    lab.seed = args.seed.unwrap_or(lab.seed);
    let until = match args.until.as_deref().map(steerlab_scenario::parse_span).transpose() {
        Ok(until) => until.map(|span| SimTime(span.0)),
        Err(problem) => {
            return console.fail(Exit::BadInput, &format!("--until: {problem}"), "");
        }
    };
    let asked = match explained(&lab, &args.explain) {
        Ok(asked) => asked,
        Err(problem) => {
            let help = "write `--explain SPEAKER PREFIX` with names of the lab";
            return console.fail(Exit::BadInput, &problem, help);
        }
    };
    let played = play::play(&lab, until);
    // Looking at a part of a run judges nothing: what is expected is expected of the whole.
    let verdicts = if until.is_some() { Vec::new() } else { judge::judge(&lab, &played) };
    let stable = args.stable_states.then(|| play::stable(&lab, until));
    let shown = show::Shown { lab: &lab, played: &played, verdicts: &verdicts, stable, asked };
    console.answer(&if args.format == LabFormat::Json { shown.json() } else { shown.text() });
    exit(&lab, &played, &verdicts, until.is_some())
}

fn replacements(sets: &[String]) -> Result<Vec<(String, String)>, String> {
    let pair = |set: &String| {
        let (path, value) = set.split_once('=').ok_or(format!("`--set {set}` has no `=`"))?;
        Ok((path.to_owned(), value.to_owned()))
    };
    sets.iter().map(pair).collect()
}

/// 0 if it came to rest or did what was expected of it; a part of a run has no end to judge.
fn exit(lab: &BgpLab, played: &Played, verdicts: &[judge::Verdict], part: bool) -> Exit {
    let unmet = verdicts.iter().any(|verdict| verdict.problem.is_some());
    let restless = lab.expect.outcome.is_none()
        && played.outcome != steerlab_scenario::bgp::LabOutcome::Converged;
    if unmet || (restless && !part) { Exit::Failed } else { Exit::Done }
}

fn explained(lab: &BgpLab, words: &[String]) -> Result<Option<(SpeakerId, BgpPrefixId)>, String> {
    let [speaker, prefix] = words else { return Ok(None) };
    let mut speakers = lab.network.speakers.iter();
    let speaker_id = speakers.find(|(_, row)| row.id == *speaker).map(|(id, _)| id);
    let mut prefixes = lab.network.prefixes.iter();
    let prefix_id = prefixes.find(|(_, row)| row.id == *prefix).map(|(id, _)| id);
    match (speaker_id, prefix_id) {
        (None, _) => Err(format!("the lab has no speaker `{speaker}`")),
        (_, None) => Err(format!("the lab has no prefix `{prefix}`")),
        (Some(speaker), Some(prefix)) => Ok(Some((speaker, prefix))),
    }
}
