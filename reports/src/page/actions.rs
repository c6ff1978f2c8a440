//! What the policies asked for, why, and what became of it.

use super::parts::{arm_name, table};
use crate::number::number;
use crate::plots::Grid;
use crate::plots::axis::TimeScale;
use crate::rows::{Missing, Rows};
use crate::text;
use crate::words;
use maud::{Markup, html};
use std::collections::BTreeMap;
use steerlab_results::view::RunView;

/// Most actions listed for an arm.
const LISTED_MAX: usize = 60;

/// What became of an action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Effective,
    Lost,
    Refused,
}

/// One asked action.
struct Asked {
    arm: usize,
    replication: u64,
    asked_s: f64,
    effect_s: f64,
    /// Policy, surface, action, target, cause, refusal.
    words: [String; 6],
}

impl Asked {
    fn fate(&self) -> Fate {
        match (self.words[5].is_empty(), self.effect_s.is_finite()) {
            (false, _) => Fate::Refused,
            (true, true) => Fate::Effective,
            (true, false) => Fate::Lost,
        }
    }
}

/// Counts and list of actions.
pub fn section(view: &RunView, scale: &TimeScale) -> Markup {
    html! {
        section #actions {
            h2 { "What the policies did" }
            @match read(view) {
                Err(Missing(why)) => p.absent { "Actions are left out. " (why) },
                Ok(actions) if actions.is_empty() => p { "No policy asked for anything." },
                Ok(actions) => {
                    (table(&counts(view, &actions)))
                    p.how {
                        strong { "How to read. " }
                        "Numbers are means over replications. Took effect: the action reached the \
                         network after its actuator's delay. Refused: the engine declined it at \
                         once, with the reason in the list. Lost: the actuator failed."
                    }
                    (answers(view))
                    @for arm in 0..view.summary.arms.len() { (list(view, scale, &actions, arm)) }
                }
            }
        }
    }
}

/// How often DNS answers changed and how many users had not followed.
fn answers(view: &RunView) -> Markup {
    let runs = f64::from(view.summary.replications.max(1));
    let mut changes = vec![0_u32; view.summary.arms.len()];
    if let Ok(rows) = Rows::open(view, "events")
        && let Ok(kinds) = rows.texts("kind")
    {
        for row in (0..rows.len()).filter(|&row| kinds.at(row) == "dns-answer") {
            rows.arm(row).into_iter().for_each(|arm| changes[arm] += 1);
        }
    }
    let stale = |arm: usize| {
        let metrics = &view.summary.arms[arm].metrics;
        let found = metrics
            .iter()
            .find(|value| value.metric == "dns_stale_answer_ratio_mean" && value.labels.is_empty());
        found.map_or("–".to_owned(), words::metric_mean)
    };
    let row = |arm: usize| {
        let name = text::clean(&view.summary.arms[arm].arm);
        vec![name, number(f64::from(changes[arm]) / runs), stale(arm)]
    };
    html! {
        @if changes.iter().any(|count| *count > 0) {
            h3 { "DNS answers" }
            (table(&Grid {
                head: ["arm", "answers changed", "requests after an earlier answer"].map(str::to_owned).to_vec(),
                rows: (0..changes.len()).map(row).collect(),
                word_columns: 1,
                note: "An answer counts when it comes into force. Requests after an earlier answer: \
                       users whose cached answer was not the last one given \
                       (dns_stale_answer_ratio_mean)."
                    .to_owned(),
            }))
        }
    }
}

fn read(view: &RunView) -> Result<Vec<Asked>, Missing> {
    let rows = Rows::open(view, "actions")?;
    let asked = rows.numbers("time_s").or_else(|_| rows.numbers("asked_s"))?;
    let effect = rows.numbers("effect_s")?;
    let columns = ["policy", "surface", "action", "target", "cause", "refusal"];
    let texts = columns.map(|column| rows.texts(column).ok());
    let mut out: Vec<Asked> = (0..rows.len())
        .filter_map(|row| {
            Some(Asked {
                arm: rows.arm(row)?,
                replication: rows.replication(row),
                asked_s: asked.at(row),
                effect_s: effect.at(row),
                words: texts
                    .map(|texts| texts.map_or(String::new(), |texts| text::clean(texts.at(row)))),
            })
        })
        .collect();
    out.sort_by(|a, b| {
        (a.arm, a.replication).cmp(&(b.arm, b.replication)).then(a.asked_s.total_cmp(&b.asked_s))
    });
    Ok(out)
}

fn counts(view: &RunView, actions: &[Asked]) -> Grid {
    let mut tally: BTreeMap<(usize, &str, &str), [u32; 3]> = BTreeMap::new();
    for action in actions {
        let key = (action.arm, action.words[0].as_str(), action.words[2].as_str());
        tally.entry(key).or_default()[action.fate() as usize] += 1;
    }
    let runs = f64::from(view.summary.replications.max(1));
    let mean = |count: u32| number(f64::from(count) / runs);
    let mut rows: Vec<Vec<String>> = tally
        .into_iter()
        .map(|((arm, policy, action), [effective, lost, refused])| {
            vec![
                text::clean(&view.summary.arms[arm].arm),
                policy.to_owned(),
                action.to_owned(),
                mean(effective + lost + refused),
                mean(effective),
                mean(refused),
                mean(lost),
            ]
        })
        .collect();
    for (index, arm) in view.summary.arms.iter().enumerate() {
        if !actions.iter().any(|action| action.arm == index) {
            let zero = || "0".to_owned();
            let mut row = vec![text::clean(&arm.arm), "–".to_owned(), "–".to_owned()];
            row.extend([zero(), zero(), zero(), zero()]);
            rows.insert(0, row);
        }
    }
    let head = ["arm", "policy", "action", "asked", "took effect", "refused", "lost"];
    Grid {
        head: head.map(str::to_owned).to_vec(),
        rows,
        word_columns: 3,
        note: if view.summary.replications > 1 {
            "Per replication.".to_owned()
        } else {
            String::new()
        },
    }
}

fn list(view: &RunView, scale: &TimeScale, actions: &[Asked], arm: usize) -> Markup {
    let first = actions.iter().map(|action| action.replication).min().unwrap_or(0);
    let of: Vec<&Asked> =
        actions.iter().filter(|action| action.arm == arm && action.replication == first).collect();
    let instant =
        |time_s: f64| if time_s.is_finite() { scale.instant(time_s) } else { "–".to_owned() };
    html! {
        @if !of.is_empty() {
            details.data open[of.len() <= 12] {
                summary {
                    "Actions of " (arm_name(view, arm)) ", replication " (first)
                    " (" (of.len()) ")"
                }
                div.scroll tabindex="0" role="group" aria-label="Actions" {
                    table {
                        thead { tr {
                            th.n scope="col" { "Asked" } th.n scope="col" { "In effect" }
                            th scope="col" { "Action" } th scope="col" { "Target" }
                            th scope="col" { "Cause" } th scope="col" { "Outcome" }
                        } }
                        tbody {
                            @for action in of.iter().take(LISTED_MAX) {
                                tr {
                                    td.n { (instant(action.asked_s)) }
                                    td.n { (instant(action.effect_s)) }
                                    td { (action.words[2]) }
                                    td { (action.words[3]) }
                                    td { (action.words[4]) }
                                    td {
                                        @match action.fate() {
                                            Fate::Effective => "took effect",
                                            Fate::Lost => span.wo.word { "lost" },
                                            Fate::Refused => span.wo.word { "refused: " (action.words[5]) },
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                @if of.len() > LISTED_MAX {
                    p.quiet { "The first " (LISTED_MAX) " of " (number(of.len() as f64)) "; all are in the table of actions." }
                }
            }
        }
    }
}
