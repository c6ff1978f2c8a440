//! `steerlab validate`: everything that is wrong, in one pass.

use super::vocabulary;
use crate::args::{Format, ValidateArgs};
use crate::console::{Console, shown};
use crate::exit::Exit;
use serde_json::{Value, json};
use steerlab_scenario::Severity;

/// Checks each file.
pub fn validate(console: &Console, args: &ValidateArgs) -> Exit {
    let mut exit = Exit::Done;
    let mut answers = Vec::new();
    for file in &args.files {
        let loaded = steerlab_scenario::load_file(file, &vocabulary());
        if args.format == Format::Json {
            answers.push(steerlab_scenario::to_json(&loaded));
        } else {
            let text = steerlab_scenario::render(&loaded, console.color_err);
            if !text.is_empty() {
                console.err(&text);
            }
        }
        let warned = loaded.diagnostics.iter().any(|found| found.severity == Severity::Warning);
        match &loaded.scenario {
            None => exit = Exit::BadInput,
            Some(_) if warned && args.deny_warnings => exit = Exit::BadInput,
            Some(scenario) if args.format != Format::Json => {
                let network = &scenario.network;
                console.answer(&format!(
                    "{}: ok: {} sites, {} links, {} client groups, {} demands, {} arms, {} replications\n",
                    shown(file),
                    network.sites.len(),
                    network.links.len(),
                    scenario.client_groups.len(),
                    scenario.demands.len(),
                    scenario.arms.len(),
                    scenario.replications
                ));
            }
            Some(_) => {}
        }
    }
    if args.format == Format::Json {
        console.answer(&merged(&answers));
    }
    exit
}

/// The findings of several files as one document.
fn merged(answers: &[String]) -> String {
    let [answer] = answers else {
        let parts: Vec<Value> =
            answers.iter().filter_map(|answer| serde_json::from_str(answer).ok()).collect();
        let sum = |key: &str| parts.iter().filter_map(|part| part[key].as_u64()).sum::<u64>();
        let diagnostics: Vec<&Value> =
            parts.iter().filter_map(|part| part["diagnostics"].as_array()).flatten().collect();
        let whole = json!({
            "format": parts[0]["format"],
            "errors": sum("errors"),
            "warnings": sum("warnings"),
            "omitted": sum("omitted"),
            "diagnostics": diagnostics,
        });
        return format!("{whole:#}");
    };
    answer.clone()
}
