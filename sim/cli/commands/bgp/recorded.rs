//! Shows what became of recorded routes: what was played, and how best routes moved.

use super::moves::{Move, Taken, Why};
use super::show::{Shown, path_text};
use crate::table;
use serde_json::{Value, json};
use std::fmt::Write as _;
use steerlab_scenario::bgp::LabReplay;

impl Shown<'_> {
    pub(super) fn recorded_text(&self, text: &mut String) {
        let Some(replay) = &self.lab.replay else { return };
        let _ = writeln!(
            text,
            "recorded: {} peers, {} routes held at {}, {} updates after that; {} rows not played",
            replay.peers.len(),
            replay.held,
            replay.clock(steerlab_engine::kernel::SimTime::ZERO),
            replay.updates,
            replay.left_out
        );
        for note in &replay.notes {
            let _ = writeln!(text, "assumed: {note}");
        }
        let moves = &self.played.moves;
        let rows: Vec<Vec<String>> = moves
            .iter()
            .map(|row| {
                vec![
                    row.at.seconds().to_string(),
                    replay.clock(row.at),
                    self.prefix(row.prefix).to_owned(),
                    taken_text(row.before.as_ref()),
                    taken_text(row.after.as_ref()),
                    self.why_text(row),
                ]
            })
            .collect();
        let head = ["time s", "recorded at", "prefix", "from path", "to path", "why"];
        let name = self.name(replay.to);
        let _ = write!(text, "\nmoves of the best routes of {name}: {}\n", rows.len());
        text.push_str(&table::plain(&head, &rows));
    }

    /// Who told a route.
    fn teller(&self, taken: Option<&Taken>) -> &str {
        taken.and_then(|taken| taken.from).map_or("itself", |from| self.name(from))
    }

    fn why_text(&self, row: &Move) -> String {
        let (old, new) = (self.teller(row.before.as_ref()), self.teller(row.after.as_ref()));
        match row.why {
            Why::First => format!("first route, from {new}"),
            Why::Replaced => format!("{old} announced another"),
            Why::Withdrawn => format!("{old} withdrew"),
            Why::Worse(step) => format!("{old} announced another, which lost at {step} to {new}"),
            Why::Beaten(step) => format!("lost at {step} to {new}"),
            Why::Refused(refusal) => {
                format!("refused from {old}: {}", refusal.words(self.network()))
            }
        }
    }

    pub(super) fn recorded_json(&self, replay: &LabReplay) -> Value {
        let moves = self.played.moves.iter().map(|row| {
            json!({
                "at_ns": row.at.0,
                "recorded_at": replay.clock(row.at),
                "prefix": self.prefix(row.prefix),
                "from_path": row.before.as_ref().map(|taken| &taken.path),
                "to_path": row.after.as_ref().map(|taken| &taken.path),
                "from_peer": row.before.as_ref().map(|_| self.teller(row.before.as_ref())),
                "to_peer": row.after.as_ref().map(|_| self.teller(row.after.as_ref())),
                "why": self.why_text(row),
            })
        });
        json!({
            "speaker": self.name(replay.to),
            "peers": replay.peers.len(),
            "routes_held": replay.held,
            "updates": replay.updates,
            "rows_not_played": replay.left_out,
            "assumed": replay.notes,
            "moves": moves.collect::<Vec<_>>(),
        })
    }
}

fn taken_text(taken: Option<&Taken>) -> String {
    taken.map_or_else(|| "none".to_owned(), |taken| path_text(&taken.path))
}
