//! What a reader must know before and after the figures: warnings, provenance, assumptions.

use super::parts::table;
use crate::number::{duration, number, percent};
use crate::plots::Grid;
use crate::text;
use maud::{Markup, PreEscaped, html};
use steerlab_results::view::RunView;

/// Largest embedded scenario, bytes of JSON.
const SCENARIO_BYTES_MAX: usize = 400_000;
/// Largest scenario that is embedded with line breaks.
const PRETTY_BYTES_MAX: usize = 150_000;
/// Most warnings shown.
const WARNINGS_MAX: usize = 50;
/// Most runs, and most files, listed.
const RUNS_MAX: usize = 200;

/// What the model of this version leaves out, in every scenario.
pub const MODEL_LIMITS: [&str; 7] = [
    "Traffic is a fluid: rates that change at events and traffic steps. There are no packets and \
     no single requests, so bursts shorter than a traffic step are not seen. On a full link all \
     traffic of a class loses the same share.",
    "Demand does not react: users do not retry, transfers do not slow down, and nobody goes away \
     because it is slow.",
    "A client group lands as a whole. By default which site it lands at follows from round-trip \
     time or distance with the scenario's random error; with `routing.model: bgp` from AS paths and \
     business relationships, with `measured` from a table.",
    "Unless BGP is played message by message (`solver: events`), each client group follows a change \
     of announcements at one random instant, and path exploration, route damping and partial \
     reachability in between are not modelled.",
    "Nothing passes through a neighbour: other networks have no capacity limits of their own.",
    "Latency is set-up round trips, propagation, queueing and service. A link queues only while it \
     drops, then by its whole buffer; servers answer with the mean of an M/M/c queue, and with \
     their backlog when they are full. Loss recovery, congestion control and the user's own access \
     line are not in it.",
    "DNS answers act through shares of users that follow them as caches age, not through single \
     look-ups. Balancer weights and content caches are not modelled.",
];

/// Warnings to read before trusting the figures.
pub fn warnings(view: &RunView) -> Markup {
    let warnings = &view.summary.warnings;
    html! {
        section #warnings {
            h2 { "Before you trust this" }
            @if warnings.is_empty() {
                p { "No warnings. The model's assumptions are at the end of the page." }
            } @else {
                ul.warnings {
                    @for warning in warnings.iter().take(WARNINGS_MAX) {
                        li { strong { "! " (text::clean(&warning.code)) } " " (text::clean(&warning.message)) }
                    }
                }
                @if warnings.len() > WARNINGS_MAX {
                    p.quiet { "The first " (WARNINGS_MAX) " of " (warnings.len()) "; all are in summary.json." }
                }
            }
        }
    }
}

/// How it was made and how to get it again. The command line as typed stays in the manifest: it
/// holds paths and numbers of jobs, and equal runs have equal reports.
pub fn provenance(view: &RunView, scenario: bool) -> Markup {
    let summary = &view.summary;
    let made = &view.manifest.provenance;
    let facts = [
        ("Scenario", text::clean(&summary.scenario)),
        ("Scenario SHA-256", text::clean(&summary.scenario_sha256)),
        ("Seed", summary.seed.to_string()),
        ("Replications", summary.replications.to_string()),
        ("Confidence", percent(summary.confidence)),
        ("Steerlab", text::clean(&made.version)),
        ("Trajectory version", summary.trajectory_version.to_string()),
    ];
    html! {
        section #provenance {
            h2 { "Provenance" }
            p.key { "Reproduce with" }
            div.scroll tabindex="0" role="group" aria-label="Command" {
                pre.command { code { (text::clean(&made.reproduce)) } }
            }
            dl.facts {
                @for (name, value) in facts {
                    @if !value.is_empty() { div { dt { (name) } dd { (value) } } }
                }
            }
            details.data {
                summary { "Fingerprints of the runs (" (summary.runs.len()) ")" }
                (table(&runs(view)))
            }
            details.data {
                summary { "Files of the run directory (" (view.manifest.files.len()) ")" }
                (table(&files(view)))
            }
            @if scenario { (embedded(view)) }
            @else { p.quiet { "The scenario is not embedded because the page would be too large." } }
        }
    }
}

fn runs(view: &RunView) -> Grid {
    let rows = &view.summary.runs;
    let cells = rows.iter().take(RUNS_MAX).map(|run| {
        vec![
            text::clean(&run.arm),
            text::clean(&run.fingerprint),
            run.replication.to_string(),
            number(run.events as f64),
        ]
    });
    Grid {
        head: ["arm", "fingerprint", "replication", "events"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        word_columns: 2,
        note: if rows.len() > RUNS_MAX {
            format!("The first {RUNS_MAX} of {}; all are in summary.json.", rows.len())
        } else {
            String::new()
        },
    }
}

fn files(view: &RunView) -> Grid {
    let cells = view.manifest.files.iter().take(RUNS_MAX).map(|file| {
        vec![text::clean(&file.name), text::clean(&file.sha256), number(file.bytes as f64)]
    });
    Grid {
        head: ["file", "SHA-256", "bytes"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        word_columns: 2,
        note: String::new(),
    }
}

/// The scenario as data, so that the page alone is enough to run it again.
fn embedded(view: &RunView) -> Markup {
    // What acts or hides becomes a JSON escape, so the text stays the same data.
    let compact = serde_json::to_string(&view.scenario).unwrap_or_default();
    let pretty = (compact.len() <= PRETTY_BYTES_MAX)
        .then(|| serde_json::to_string_pretty(&view.scenario).unwrap_or_default());
    html! {
        @if compact.is_empty() || compact.len() > SCENARIO_BYTES_MAX {
            p.quiet { "The resolved scenario is too large to embed; it is in the run directory." }
        } @else {
            details.data {
                summary { "The resolved scenario" }
                p.quiet { "Recorded series are named by file and hash; they are not part of it." }
                pre #steerlab-scenario tabindex="0" { code { (PreEscaped(text::content(&text::json(&pretty.unwrap_or(compact))))) } }
            }
        }
    }
}

/// What the scenario assumes and what the model leaves out.
pub fn assumptions(view: &RunView) -> Markup {
    html! {
        section #assumptions {
            h2 { "Assumptions and limits" }
            h3 { "Of this scenario" }
            @if view.scenario.assumptions.is_empty() {
                p { "The scenario states none." }
            } @else {
                ul { @for words in &view.scenario.assumptions { li { (text::clean(words)) } } }
            }
            h3 { "Of the model" }
            ul { @for words in MODEL_LIMITS { li { (words) } } }
            h3 { "How policies see and act" }
            (table(&doors(view)))
        }
    }
}

/// `5 s`, or `5 s to 8 s` where a delay varies.
fn span(least: f64, jitter: f64) -> String {
    let shortest = duration(least);
    if jitter > 0.0 { format!("{shortest} to {}", duration(least + jitter)) } else { shortest }
}

/// Feeds and actuators as the scenario sets them.
fn doors(view: &RunView) -> Grid {
    let scenario = &view.scenario;
    let mut rows = Vec::new();
    let dash = || "–".to_owned();
    let feeds = ["sites", "links", "tenants", "topology"];
    for (name, feed) in feeds.iter().zip(&scenario.feeds) {
        rows.push(vec![
            "feed".to_owned(),
            (*name).to_owned(),
            duration(feed.period.seconds()),
            duration(feed.delay.seconds()),
            percent(feed.noise),
            dash(),
        ]);
    }
    let surfaces = ["announce", "dns", "spill", "balance", "paths", "egress", "admit"];
    for (name, actuator) in surfaces.iter().zip(&scenario.actuators) {
        rows.push(vec![
            "actuator".to_owned(),
            (*name).to_owned(),
            dash(),
            span(actuator.delay.seconds(), actuator.jitter.seconds()),
            dash(),
            percent(actuator.failure),
        ]);
    }
    Grid {
        head: ["kind", "name", "period", "delay", "noise", "failure"].map(str::to_owned).to_vec(),
        rows,
        word_columns: 2,
        note: "Policies decide on what feeds deliver and act through actuators; they never see \
               the true state."
            .to_owned(),
    }
}
