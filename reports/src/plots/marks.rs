//! Events and actions: the marks that all timelines carry.

use super::axis::TimeScale;
use crate::figure::{Ink, Layer};
use crate::rows::{Missing, Rows};
use crate::text;
use crate::words;
use steerlab_results::view::RunView;

/// Most events that get a number; the others are counted.
const NUMBERED_MAX: usize = 40;

/// Closest two flags may stand, pixels.
const FLAG_GAP_PX: f64 = 18.0;

/// Who reports what the network itself did (such as convergence); told in numbers only.
const NETWORK_AGENT: &str = "network";

/// A numbered event.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// When, seconds.
    pub time_s: f64,
    /// What kind: `link-fails`.
    pub kind: String,
    /// Whose doing.
    pub agent: String,
    /// What it happened to.
    pub entity: String,
    /// What people call it.
    pub label: String,
    /// In which arms it happened, by position.
    pub arms: Vec<bool>,
}

/// Marks of one run directory; those of the first replication stand for all.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Numbered events in order of time; number = position + 1.
    pub events: Vec<Mark>,
    /// Events that got no number because there were too many.
    pub events_left_out: usize,
    /// Times at which actions took effect, per arm.
    pub action_times_s: Vec<Vec<f64>>,
    /// Why there are no events.
    pub missing: Option<Missing>,
}

impl Marks {
    /// The marks of a run directory.
    #[must_use]
    pub fn of(view: &RunView) -> Marks {
        let arms = view.summary.arms.len();
        let mut marks = Marks { action_times_s: vec![Vec::new(); arms], ..Marks::default() };
        match events(view, arms) {
            Ok(mut events) => {
                marks.events_left_out = events.len().saturating_sub(NUMBERED_MAX);
                events.truncate(NUMBERED_MAX);
                marks.events = events;
            }
            Err(missing) => marks.missing = Some(missing),
        }
        if let Ok(rows) = Rows::open(view, "actions") {
            for (arm, time_s) in effects(&rows) {
                marks.action_times_s[arm].push(time_s);
            }
        }
        marks
    }

    /// Flags and ticks of one arm on an axis from `first` to `last` over `width_px` pixels. All
    /// arms' events are shown when `arm` is none.
    #[must_use]
    pub fn layers(
        &self,
        arm: Option<usize>,
        (first, last): (f64, f64),
        width_px: f64,
    ) -> Vec<Layer> {
        let mut out = Vec::new();
        let per_px = (last - first) / width_px;
        if let Some(arm) = arm {
            let mut drawn = f64::NEG_INFINITY;
            for &time_s in &self.action_times_s[arm] {
                if time_s - drawn >= 3.0 * per_px {
                    out.push(Layer::Tick(time_s, Ink::Text));
                    drawn = time_s;
                }
            }
        }
        let mut group: Option<(f64, usize, usize)> = None;
        let flag = |(at, from, to): (f64, usize, usize)| {
            let words = if from == to { from.to_string() } else { format!("{from}–{to}") };
            Layer::Flag(at, words)
        };
        for (index, mark) in self.events.iter().enumerate() {
            if arm.is_some_and(|arm| !mark.arms[arm]) || mark.time_s > last || mark.time_s < first {
                continue;
            }
            let number = index + 1;
            group = match group {
                Some((at, from, _)) if mark.time_s - at < FLAG_GAP_PX * per_px => {
                    Some((at, from, number))
                }
                Some(before) => {
                    out.push(flag(before));
                    Some((mark.time_s, number, number))
                }
                None => Some((mark.time_s, number, number)),
            };
        }
        out.extend(group.map(flag));
        out
    }

    /// Whether any arm acted.
    #[must_use]
    pub fn has_actions(&self) -> bool {
        self.action_times_s.iter().any(|times| !times.is_empty())
    }
}

impl Mark {
    /// One line for the list under the timelines.
    #[must_use]
    pub fn words(&self, scale: &TimeScale) -> String {
        // The kind comes first: failure and repair often carry the same label.
        let what = words::event(&self.kind, &self.entity, &self.label);
        let mut out = format!("{}: {what}", scale.instant(self.time_s));
        if !self.agent.is_empty() && self.agent != "scenario" {
            out.push_str(&format!(", by {}", self.agent));
        }
        out
    }
}

fn events(view: &RunView, arms: usize) -> Result<Vec<Mark>, Missing> {
    let rows = Rows::open(view, "events")?;
    let kinds = rows.texts("kind")?;
    let agents = rows.texts("agent").ok();
    let entities = rows.texts("entity").ok();
    let labels = rows.texts("label").ok();
    let first = (0..rows.len()).map(|row| rows.replication(row)).min().unwrap_or(0);
    let mut found: Vec<Mark> = Vec::new();
    for row in 0..rows.len() {
        let agent = agents.map_or("", |agents| agents.at(row));
        let (Some(arm), time_s) = (rows.arm(row), rows.time_s(row)) else { continue };
        if rows.replication(row) != first || agent == NETWORK_AGENT || !time_s.is_finite() {
            continue;
        }
        let mark = Mark {
            time_s,
            kind: text::clean(kinds.at(row)),
            agent: text::clean(agent),
            entity: text::clean(entities.map_or("", |entities| entities.at(row))),
            label: text::clean(labels.map_or("", |labels| labels.at(row))),
            arms: vec![false; arms],
        };
        found.push(mark);
        if let Some(mark) = found.last_mut() {
            mark.arms[arm] = true;
        }
    }
    found.sort_by(|a, b| {
        let key = |mark: &Mark| (mark.kind.clone(), mark.entity.clone(), mark.label.clone());
        a.time_s.total_cmp(&b.time_s).then_with(|| key(a).cmp(&key(b)))
    });
    found.dedup_by(|later, kept| {
        let same = later.time_s == kept.time_s
            && later.kind == kept.kind
            && later.entity == kept.entity
            && later.label == kept.label
            && later.agent == kept.agent;
        if same {
            for (kept, later) in kept.arms.iter_mut().zip(&later.arms) {
                *kept |= later;
            }
        }
        same
    });
    Ok(found)
}

/// (arm, time of effect) of the first replication's actions that were not refused, by time.
fn effects(rows: &Rows<'_>) -> Vec<(usize, f64)> {
    let effect = rows.numbers("effect_s").ok();
    let asked = rows.numbers("time_s").or_else(|_| rows.numbers("asked_s")).ok();
    let refusals = rows.texts("refusal").ok();
    let first = (0..rows.len()).map(|row| rows.replication(row)).min().unwrap_or(0);
    let mut out = Vec::new();
    for row in (0..rows.len()).filter(|&row| rows.replication(row) == first) {
        let refused = refusals.is_some_and(|refusals| !refusals.at(row).is_empty());
        let time_s = match (effect, asked) {
            (Some(effect), _) => effect.at(row),
            (None, Some(asked)) => asked.at(row),
            (None, None) => f64::NAN,
        };
        if let (Some(arm), true, false) = (rows.arm(row), time_s.is_finite(), refused) {
            out.push((arm, time_s));
        }
    }
    out.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    out
}
