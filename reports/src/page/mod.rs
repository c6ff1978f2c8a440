//! `report.html`: one file, no network, no scripts.
//!
//! The order of the sections is that of the questions a reader asks: did it pass, can I trust it,
//! how do I get it again, where, when, how often, how much, and who paid for it.

mod actions;
mod catchment;
mod figures;
mod parts;
mod tables;
mod trust;
mod verdict;

pub use parts::picture_title;

use crate::figure::svg;
use crate::plots::Figures;
use crate::{text, words};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use steerlab_results::view::RunView;

const STYLE: &str = include_str!("page.css");

/// Nothing may be loaded and nothing may run; styles are in the page, images only as data.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// Largest report, bytes; beyond it the numbers behind the figures are left to the tables.
const BYTES_MAX: usize = 8 << 20;

/// How much goes into the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The data tables under the figures.
    pub data: bool,
    /// The embedded scenario.
    pub scenario: bool,
}

/// The whole page.
#[must_use]
pub fn page(view: &RunView) -> String {
    let figures = Figures::of(view);
    let details = [(true, true), (true, false), (false, false)];
    let mut out = String::new();
    for (data, scenario) in details {
        out = render(view, &figures, Detail { data, scenario });
        if out.len() <= BYTES_MAX {
            break;
        }
    }
    out
}

fn render(view: &RunView, figures: &Figures, detail: Detail) -> String {
    let title = title(view);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content={ "steerlab " (text::clean(&view.manifest.provenance.version)) };
                title { (title) " · Steerlab report" }
                style { (PreEscaped(svg::STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the verdict" }
                (masthead(view, figures, &title))
                main #main {
                    (verdict::section(view))
                    (trust::warnings(view))
                    (trust::provenance(view, detail.scenario))
                    (figures::map(view, figures, detail.data))
                    (figures::timelines(view, figures, detail.data))
                    (figures::details(view, figures, detail.data))
                    (catchment::section(view, figures, detail.data))
                    (figures::distributions(view, figures, detail.data))
                    (tables::metrics(view))
                    (figures::differences(view, figures, detail.data))
                    (actions::section(view, &figures.scale))
                    (trust::assumptions(view))
                }
                footer {
                    p { "Made by Steerlab " (text::clean(&view.manifest.provenance.version))
                        " from the tables of one run directory. The page loads nothing and runs nothing." }
                }
            }
        }
    }
    .into_string()
}

fn title(view: &RunView) -> String {
    let label = text::clean(&view.scenario.label);
    if label.is_empty() { text::clean(&view.summary.scenario) } else { label }
}

fn masthead(view: &RunView, figures: &Figures, title: &str) -> Markup {
    let sections = [
        ("verdict", "Verdict"),
        ("provenance", "Provenance"),
        ("map", "Map"),
        ("timelines", "Timelines"),
        ("details", "Requests and flows"),
        ("catchment", "Catchment"),
        ("distributions", "Distributions"),
        ("metrics", "Metrics"),
        ("comparison", "Comparison"),
        ("actions", "Actions"),
        ("assumptions", "Assumptions"),
    ];
    let there = |id: &str| match id {
        "details" => !figures.details.is_empty(),
        "catchment" => !view.scenario.client_groups.is_empty(),
        _ => true,
    };
    html! {
        header.top {
            p.eyebrow { "Steerlab report" }
            h1 { (title) }
            p.lead { (words::setting(view)) }
            @if !view.scenario.description.is_empty() {
                details.about {
                    summary { "About this scenario" }
                    @for paragraph in text::clean_lines(&view.scenario.description).split("\n\n") {
                        p { (paragraph) }
                    }
                }
            }
            (arms(view))
            nav aria-label="Sections" {
                @for (id, name) in sections.iter().filter(|(id, _)| there(id)) { a href={ "#" (id) } { (name) } }
            }
        }
    }
}

/// The arms with their colours: the key to everything below.
fn arms(view: &RunView) -> Markup {
    html! {
        ul.arms aria-label="Arms" {
            @for (index, arm) in view.summary.arms.iter().enumerate() {
                li {
                    (parts::arm_swatch(index))
                    span {
                        strong { (text::clean(&arm.arm)) }
                        @if index == 0 && view.summary.arms.len() > 1 { span.tag { "baseline" } }
                        @if !arm.label.is_empty() && arm.label != arm.arm {
                            br; span.quiet { (text::clean(&arm.label)) }
                        }
                        br; span.quiet { (arm.policies.iter().map(|policy| text::clean(policy)).collect::<Vec<_>>().join(", ")) }
                    }
                }
            }
        }
    }
}
