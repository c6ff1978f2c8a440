//! From the cause a move names to the event or action that it was.

use crate::rows::Rows;
use crate::words;
use std::collections::BTreeMap;
use steerlab_results::view::RunView;

/// Something that made users move.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// When, seconds.
    pub at_s: f64,
    /// What, in words.
    pub words: String,
    /// The same without the label.
    pub short: String,
    /// Whether the scenario's timeline fixes its time, the same in every replication.
    pub fixed: bool,
}

/// Events and actions by arm, replication and the name that moves call them by.
pub struct Origins {
    by_name: BTreeMap<(usize, u64, String), Vec<Origin>>,
}

impl Origins {
    /// Those of a run directory; without tables of events and actions there are none.
    #[must_use]
    pub fn of(view: &RunView) -> Origins {
        let mut by_name: BTreeMap<(usize, u64, String), Vec<Origin>> = BTreeMap::new();
        let mut add = |arm, replication, name: String, origin: Origin| {
            by_name.entry((arm, replication, name)).or_default().push(origin);
        };
        if let Ok(rows) = Rows::open(view, "events")
            && let Ok(kinds) = rows.texts("kind")
        {
            let [agents, entities, labels] =
                ["agent", "entity", "label"].map(|column| rows.texts(column).ok());
            for row in 0..rows.len() {
                let at = |texts: Option<crate::rows::Texts<'_>>| {
                    texts.map_or(String::new(), |texts| texts.at(row).to_owned())
                };
                let (kind, entity, label) = (kinds.at(row), at(entities), at(labels));
                let Some(arm) = rows.arm(row) else { continue };
                if at(agents) == "network" || !rows.time_s(row).is_finite() {
                    continue;
                }
                let name =
                    if label.is_empty() { format!("{kind} {entity}") } else { label.clone() };
                let origin = Origin {
                    at_s: rows.time_s(row),
                    words: words::event(kind, &entity, &label),
                    short: words::event(kind, &entity, ""),
                    fixed: true,
                };
                add(arm, rows.replication(row), name, origin);
            }
        }
        if let Ok(rows) = Rows::open(view, "actions")
            && let (Ok(effects), Ok(actions), Ok(targets)) =
                (rows.numbers("effect_s"), rows.texts("action"), rows.texts("target"))
        {
            for row in 0..rows.len() {
                let (Some(arm), at_s) = (rows.arm(row), effects.at(row)) else { continue };
                if at_s.is_finite() {
                    let name = format!("{} {}", actions.at(row), targets.at(row));
                    let words = crate::text::clean(&name);
                    let origin = Origin { at_s, short: words.clone(), words, fixed: false };
                    add(arm, rows.replication(row), name, origin);
                }
            }
        }
        for list in by_name.values_mut() {
            list.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        }
        Origins { by_name }
    }

    /// The last thing of that name up to an instant.
    #[must_use]
    pub fn before(&self, arm: usize, replication: u64, name: &str, at_s: f64) -> Option<&Origin> {
        let list = self.by_name.get(&(arm, replication, name.to_owned()))?;
        list.iter().rev().find(|origin| origin.at_s <= at_s + 1e-6)
    }
}
