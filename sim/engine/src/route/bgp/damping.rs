//! Route-flap damping (RFC 2439): penalties that decay, suppression, reuse.

use super::model::{Damping, SpeakerId};
use super::sim::BgpSim;
use super::state::{EndId, Event, PHASE_ARRIVE};
use crate::kernel::{Fingerprint, Id, SimSpan, SimTime, math};
use std::collections::BTreeMap;

/// The flap history of one route on one session.
#[derive(Clone, Copy, Debug)]
struct History {
    penalty: f64,
    /// When the penalty had this value.
    at: SimTime,
    suppressed: bool,
    /// Counts penalties: a reuse timer of an earlier one is void.
    generation: u32,
}

impl History {
    fn penalty_at(&self, now: SimTime, half_life: SimSpan) -> f64 {
        let halvings = now.since(self.at).seconds() / half_life.seconds();
        self.penalty * math::exp(-halvings * std::f64::consts::LN_2)
    }
}

/// All flap histories.
#[derive(Clone, Debug, Default)]
pub(super) struct DampingTable {
    histories: BTreeMap<(EndId, u32), History>,
}

impl DampingTable {
    #[inline]
    pub(super) fn suppresses(&self, end: EndId, prefix: u32) -> bool {
        !self.histories.is_empty()
            && self.histories.get(&(end, prefix)).is_some_and(|history| history.suppressed)
    }

    /// Adds a penalty. Returns how long the route stays unused from now on and the number of the
    /// penalty, if it is suppressed.
    fn punish(
        &mut self,
        key: (EndId, u32),
        now: SimTime,
        rule: &Damping,
        penalty: f64,
    ) -> Option<(SimSpan, u32)> {
        let fresh = History { penalty: 0.0, at: now, suppressed: false, generation: 0 };
        let history = self.histories.entry(key).or_insert(fresh);
        // The ceiling is what decays to the reuse threshold in the longest time of suppression.
        let span = rule.max_suppress.seconds() / rule.half_life.seconds();
        let ceiling = rule.reuse_below * math::exp(span * std::f64::consts::LN_2);
        history.penalty = (history.penalty_at(now, rule.half_life) + penalty).min(ceiling);
        history.at = now;
        history.generation += 1;
        history.suppressed |= history.penalty >= rule.suppress_above;
        history.suppressed.then(|| {
            let halvings = math::ln(history.penalty / rule.reuse_below) / std::f64::consts::LN_2;
            let wait = SimSpan::from_seconds_f64_ceil(halvings * rule.half_life.seconds());
            (wait, history.generation)
        })
    }

    /// The histories as they count for what happens next.
    pub(super) fn absorb(&self, now: SimTime, hash: &mut Fingerprint) {
        for ((end, prefix), history) in &self.histories {
            hash.absorb(u64::from(*end) << 32 | u64::from(*prefix));
            hash.absorb(u64::from(history.suppressed));
            hash.absorb(now.since(history.at).0);
            hash.absorb_f64(history.penalty);
        }
    }
}

impl BgpSim {
    /// Whether damping keeps a held route out of the decision.
    #[inline]
    pub(super) fn damped(&self, end: EndId, prefix: u32) -> bool {
        self.damping.suppresses(end, prefix)
    }

    /// Counts a withdrawal (`true`) or a change of attributes against a route.
    pub(super) fn flapped(&mut self, id: EndId, prefix: u32, withdrawn: bool) {
        let end = &self.ends[id as usize];
        let speaker: SpeakerId = end.speaker;
        let Some(rule) = self.network.speakers[speaker].damping else { return };
        if end.is_internal() {
            return;
        }
        let penalty = if withdrawn { rule.withdrawal_penalty } else { rule.change_penalty };
        let now = self.clock.now();
        if let Some((wait, generation)) = self.damping.punish((id, prefix), now, &rule, penalty) {
            let source = self.source_of(id);
            let event = Event::Reuse { end: id, prefix, generation };
            self.clock.schedule(now.after(wait), PHASE_ARRIVE, source, event);
        }
    }

    /// A reuse timer expired.
    pub(super) fn reuse(&mut self, end: EndId, prefix: u32, generation: u32) {
        let history = self.damping.histories.get_mut(&(end, prefix));
        let history = history.expect("a reuse timer belongs to a history");
        if history.generation == generation {
            history.suppressed = false;
            let speaker = self.ends[end as usize].speaker;
            self.routers[speaker.index()].dirty.push((prefix, false));
            self.wake(speaker);
        }
    }
}
