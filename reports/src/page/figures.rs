//! The sections made of figures.

use super::parts::figure;
use crate::plots::Figures;
use crate::{text, words};
use maud::{Markup, html};
use steerlab_results::view::RunView;

/// Where it happened.
pub fn map(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        section #map {
            h2 { "Where it happened" }
            (figure(view, &figures.map, data))
        }
    }
}

/// What happened when, and the events behind the flags.
pub fn timelines(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        section #timelines {
            h2 { "What happened when" }
            @if let Some(thinned) = words::thinned(view) { p.quiet { (thinned) } }
            (events(view, figures))
            @for shown in &figures.timelines { (figure(view, shown, data)) }
        }
    }
}

fn events(view: &RunView, figures: &Figures) -> Markup {
    let marks = &figures.marks;
    html! {
        @if let Some(missing) = &marks.missing {
            p.absent { "Events are left out. " (missing.0) }
        } @else if marks.events.is_empty() {
            p { "No events: the scenario lets nothing happen." }
        } @else {
            p.key { "Numbered flags in the timelines:" }
            ol.events {
                @for mark in &marks.events {
                    li {
                        (mark.words(&figures.scale))
                        @if !mark.arms.iter().all(|&there| there) {
                            span.quiet {
                                " (only "
                                (view.summary.arms.iter().zip(&mark.arms).filter(|(_, there)| **there)
                                    .map(|(arm, _)| text::clean(&arm.arm)).collect::<Vec<_>>().join(", "))
                                ")"
                            }
                        }
                    }
                }
            }
            @if marks.events_left_out > 0 {
                p.quiet { (text::count(marks.events_left_out, "later event")) " without a number; all are in the table of events." }
            }
            @if view.summary.replications > 1 {
                p.quiet { "Flags and triangles show the first replication." }
            }
        }
    }
}

/// Requests and flows one by one, and bills; nothing where there is nothing of the kind.
pub fn details(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        @if !figures.details.is_empty() {
            section #details {
                h2 { "Requests, flows and bills" }
                @for shown in &figures.details { (figure(view, shown, data)) }
            }
        }
    }
}

/// How often it was how bad.
pub fn distributions(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        section #distributions {
            h2 { "How often it was how bad" }
            (figure(view, &figures.distributions, data))
        }
    }
}

/// What the policies changed.
pub fn differences(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        section #comparison {
            h2 { "What the policies changed" }
            @if view.summary.arms.len() < 2 {
                p.absent { "There is one arm. Add a second one to the scenario to compare policies on the same traffic and failures." }
            } @else {
                @for shown in &figures.differences { (figure(view, shown, data)) }
            }
        }
    }
}
