//! Who lands where, who moved, and why.

use super::parts::{arm_name, figure, table};
use crate::number::quantity;
use crate::plots::axis::TimeScale;
use crate::plots::{Figures, MovedGroup, churn_table};
use crate::rows::Missing;
use crate::text;
use crate::words;
use maud::{Markup, html};
use steerlab_results::view::RunView;

/// Most arms with a table of causes.
const TABLES_MAX: usize = 8;

/// Catchments, churn and the largest moves. Nothing where no users come from client groups.
pub fn section(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        @if !view.scenario.client_groups.is_empty() {
            section #catchment {
                h2 { "Who lands where" }
                @for shown in &figures.catchment { (figure(view, shown, data)) }
                (churn(view, figures, data))
            }
        }
    }
}

fn churn(view: &RunView, figures: &Figures, data: bool) -> Markup {
    html! {
        h3 #churn { "Who moved, and what it cost" }
        @match &figures.churn {
            Err(Missing(why)) => p.absent { (why) },
            Ok(churn) => {
                @for arm in (0..churn.arms.len()).filter(|arm| *arm == 0 || churn.arms[*arm] != churn.arms[0]).take(TABLES_MAX) {
                    @if churn.arms.len() > 1 { h4 { (arm_name(view, arm)) } }
                    @let grid = churn_table(churn, arm, &figures.scale);
                    @if grid.rows.is_empty() { p { "Nobody moved." } } @else { (table(&grid)) }
                }
                (like_baseline(view, (1..churn.arms.len()).filter(|arm| churn.arms[*arm] == churn.arms[0])))
                p.how {
                    strong { "How to read. " }
                    "Moved: requests per second of the users whose landing site changed. First to last \
                     move: how long users went on moving. Done after: time from the cause to the last \
                     move. Lost: what routing lost from the first move until the next cause moved \
                     somebody. Numbers are means over replications, also of how many \
                     times an action came; the instant is that of its first time. Losses are known by bucket, so \
                     one in which two causes fall is shared out."
                }
                (figure(view, &figures.churn_bars, data))
                (why(view, figures))
            }
        }
    }
}

fn like_baseline(view: &RunView, arms: impl Iterator<Item = usize>) -> Markup {
    let name = |arm: usize| text::clean(&view.summary.arms[arm].arm);
    let like: Vec<String> = arms.map(name).collect();
    html! {
        @if !like.is_empty() {
            p { "As under " (name(0)) ": " (words::list(&like)) "." }
        }
    }
}

fn why(view: &RunView, figures: &Figures) -> Markup {
    html! {
        h3 { "Why the largest groups moved" }
        @match &figures.largest {
            Err(Missing(why)) => p.absent { (why) },
            Ok(largest) => {
                @for (arm, groups) in &largest.arms {
                    details.data open[*arm == 0] {
                        summary { (arm_name(view, *arm)) " (" (text::count(groups.len(), "largest group")) ", replication " (largest.replication) ")" }
                        (moves(&figures.scale, groups))
                    }
                }
                (like_baseline(view, largest.like_baseline.iter().copied()))
                @if largest.left_out > 0 { p.quiet { (text::count(largest.left_out, "more arm")) " in the table of moves." } }
                p.how {
                    strong { "How to read. " }
                    "The way is the AS path from the users to the last network before ours, where routing \
                     knows one. The reason is that of the first network on it that had a choice. All \
                     listed moves are in the table of moves."
                }
            }
        }
    }
}

fn moves(scale: &TimeScale, groups: &[MovedGroup]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Moves" {
            table.moves {
                thead { tr {
                    th.n scope="col" { "When" } th scope="col" { "From → to" } th scope="col" { "Way" }
                    th scope="col" { "Why" } th scope="col" { "After" }
                } }
                @for group in groups {
                    tbody {
                        tr { th.group colspan="5" scope="rowgroup" {
                            strong { (group.name) } " to " (group.prefix) ", "
                            (quantity(group.requests_per_s, "requests/s"))
                        } }
                        @for row in &group.moves {
                            tr {
                                td.n { (scale.instant(row.time_s)) }
                                td { (row.from) " → " (row.to) }
                                td.way { @if row.path.is_empty() { "–" } @else { code { (row.path) } } }
                                td { (row.reason) }
                                td { (row.cause) }
                            }
                        }
                        @if group.left_out > 0 {
                            tr { td.quiet colspan="5" { (text::count(group.left_out, "later move")) " of this group" } }
                        }
                    }
                }
            }
        }
    }
}
