//! `steerlab validate`: everything that is wrong, in one pass.

use super::vocabulary;
use crate::args::{Format, ValidateArgs};
use crate::console::Console;
use crate::exit::Exit;
use steerlab_scenario::Severity;

/// Checks each file.
pub fn validate(console: &Console, args: &ValidateArgs) -> Exit {
    let mut exit = Exit::Done;
    for file in &args.files {
        let loaded = steerlab_scenario::load_file(file, &vocabulary());
        if args.format == Format::Json {
            console.answer(&steerlab_scenario::to_json(&loaded));
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
                    file.display(),
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
    exit
}
