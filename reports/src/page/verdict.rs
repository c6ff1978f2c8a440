//! The verdict: what was asked, what came out, in words.

use super::parts::arm_name;
use crate::text;
use crate::words::{self, Outcome};
use maud::{Markup, html};
use steerlab_results::view::RunView;

/// Verdict line, checks and summary.
pub fn section(view: &RunView) -> Markup {
    let outcome = Outcome::of(&view.summary.checks, &view.summary.comparison);
    let class = match outcome {
        Outcome::Pass => "pass",
        Outcome::PassButWorse => "mixed",
        Outcome::Fail => "fail",
        Outcome::Nothing => "none",
    };
    html! {
        section #verdict {
            h2.sr { "Verdict" }
            div class={ "banner " (class) } {
                span.symbol aria-hidden="true" { (outcome.symbol()) }
                div {
                    p.verdict { (words::verdict_line(view)) }
                    @if !view.summary.comparison.is_empty() {
                        p { (words::comparison_counts(&view.summary.comparison)) }
                    }
                }
            }
            p.summary {
                @for sentence in words::summary(view).into_iter().skip(1) { (sentence) " " }
            }
            @if !view.summary.checks.is_empty() { (checks(view)) }
        }
    }
}

fn checks(view: &RunView) -> Markup {
    let arm_index = |id: &str| view.summary.arms.iter().position(|arm| arm.arm == id);
    html! {
        div.scroll tabindex="0" role="group" aria-label="Checks" {
            table.checks {
                caption.sr { "Checks" }
                thead { tr {
                    th scope="col" { "Result" } th scope="col" { "Check" } th scope="col" { "Arm" }
                    th.n scope="col" { "Left side" } th.n scope="col" { "Right side" }
                } }
                tbody {
                    @for check in &view.summary.checks {
                        tr {
                            td {
                                @if check.pass { span.be.word { "✓ pass" } }
                                @else { span.wo.word { "✗ fail" } }
                            }
                            td { code { (text::clean(&check.text)) } }
                            td {
                                @match check.arm.as_deref().map(|id| (id, arm_index(id))) {
                                    Some((_, Some(arm))) => (arm_name(view, arm)),
                                    Some((id, None)) => (text::clean(id)),
                                    None => span.quiet { "named in the check" },
                                }
                            }
                            td.n { (words::side_of(check, check.left)) }
                            td.n { (words::side_of(check, check.right)) }
                        }
                    }
                }
            }
        }
    }
}
