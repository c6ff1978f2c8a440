//! The decision process: which route is best, and at which step every other one lost.
//!
//! Steps follow RFC 4271, 9.1.2.2, with RFC 4456 (originator, cluster list) and RFC 6811
//! (validation). Each step narrows the set of candidates. So MED, which compares routes of one
//! neighbour AS only, cannot make the result depend on the order of arrival.

use super::model::{DecisionOptions, Origin};
use crate::kernel::SimTime;

/// A step of the decision process, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A route of one's own beats every learned one.
    Local,
    /// A route taken in spite of its invalid origin loses to every other.
    Validation,
    /// Higher local preference.
    LocalPref,
    /// Shorter AS path.
    PathLength,
    /// Lower origin.
    Origin,
    /// Lower MED, among routes of one neighbour AS unless the options say otherwise.
    Med,
    /// Learned by eBGP over learned by iBGP.
    Ebgp,
    /// Nearer exit.
    IgpCost,
    /// Held longer (option; eBGP only).
    Oldest,
    /// Lower originator or router id.
    RouterId,
    /// Shorter cluster list.
    ClusterList,
    /// Lower address of the far end.
    PeerAddress,
    /// Two sessions with one address at the far end: the one listed first.
    SessionOrder,
}

impl Step {
    /// Name as in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Step::Local => "local-route",
            Step::Validation => "validation",
            Step::LocalPref => "local-preference",
            Step::PathLength => "path-length",
            Step::Origin => "origin",
            Step::Med => "med",
            Step::Ebgp => "ebgp-over-ibgp",
            Step::IgpCost => "igp-cost",
            Step::Oldest => "oldest",
            Step::RouterId => "router-id",
            Step::ClusterList => "cluster-list-length",
            Step::PeerAddress => "peer-address",
            Step::SessionOrder => "session-order",
        }
    }
}

/// What the decision process looks at in one route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Originated by this speaker.
    pub local: bool,
    /// Taken in spite of its invalid origin.
    pub depreferenced: bool,
    /// Local preference.
    pub local_pref: u32,
    /// Elements of the AS path, prepends counted.
    pub path_length: u32,
    /// Origin attribute.
    pub origin: Origin,
    /// MED, if any.
    pub med: Option<u32>,
    /// Nearest AS of the path; none for a route of the own AS.
    pub neighbour_as: Option<u32>,
    /// Learned by eBGP (or local).
    pub ebgp: bool,
    /// Cost to the exit; 0 for eBGP.
    pub igp_cost: u64,
    /// Since when it is held.
    pub since: SimTime,
    /// Originator if reflected, else router id of the far end.
    pub router_id: u32,
    /// Clusters passed.
    pub cluster_list_length: u32,
    /// Address of the far end.
    pub peer_address: u32,
    /// Position of the session.
    pub session_order: u32,
}

/// Which candidate lost where: (candidate, step, to which candidate).
pub type Loss = (usize, Step, usize);

/// Working memory of the decision process, kept between decisions.
#[derive(Clone, Debug, Default)]
pub struct Decider {
    alive: Vec<usize>,
}

impl Decider {
    /// The candidates that nothing up to and including the IGP cost separates, in order.
    pub fn equally_good(&mut self, ranks: &[Rank], options: DecisionOptions) -> &[usize] {
        self.start(ranks);
        self.until_igp_cost(ranks, options, &mut |_, _, _| {});
        &self.alive
    }

    /// The best candidate; none if there is no candidate.
    pub fn best(&mut self, ranks: &[Rank], options: DecisionOptions) -> Option<usize> {
        if ranks.len() < 2 {
            return (ranks.len() == 1).then_some(0);
        }
        self.start(ranks);
        self.until_igp_cost(ranks, options, &mut |_, _, _| {});
        self.tie_break(ranks, options, &mut |_, _, _| {});
        self.alive.first().copied()
    }

    /// The best candidate, and where each other one lost and to whom.
    pub fn explain(
        &mut self,
        ranks: &[Rank],
        options: DecisionOptions,
    ) -> (Option<usize>, Vec<Loss>) {
        let mut lost: Vec<(usize, Step, Option<usize>)> = Vec::new();
        self.start(ranks);
        let mut note = |loser, step, to| lost.push((loser, step, to));
        self.until_igp_cost(ranks, options, &mut note);
        self.tie_break(ranks, options, &mut note);
        let best = self.alive.first().copied();
        // At every step but MED the best one holds the winning value.
        let losses = lost
            .into_iter()
            .filter_map(|(loser, step, to)| Some((loser, step, to.or(best)?)))
            .collect();
        (best, losses)
    }

    fn start(&mut self, ranks: &[Rank]) {
        self.alive.clear();
        self.alive.extend(0..ranks.len());
    }

    /// Keeps the candidates with the least `value`.
    #[inline]
    fn keep<K: Ord>(
        &mut self,
        step: Step,
        value: impl Fn(usize) -> K,
        lost: &mut impl FnMut(usize, Step, Option<usize>),
    ) {
        if self.alive.len() < 2 {
            return;
        }
        let Some(least) = self.alive.iter().map(|&at| value(at)).min() else { return };
        self.alive.retain(|&at| {
            let stays = value(at) == least;
            if !stays {
                lost(at, step, None);
            }
            stays
        });
    }

    fn until_igp_cost(
        &mut self,
        ranks: &[Rank],
        options: DecisionOptions,
        lost: &mut impl FnMut(usize, Step, Option<usize>),
    ) {
        self.keep(Step::Local, |at| !ranks[at].local, lost);
        self.keep(Step::Validation, |at| ranks[at].depreferenced, lost);
        self.keep(Step::LocalPref, |at| std::cmp::Reverse(ranks[at].local_pref), lost);
        self.keep(Step::PathLength, |at| ranks[at].path_length, lost);
        self.keep(Step::Origin, |at| ranks[at].origin, lost);
        self.keep_med(ranks, options, lost);
        self.keep(Step::Ebgp, |at| !ranks[at].ebgp, lost);
        self.keep(Step::IgpCost, |at| ranks[at].igp_cost, lost);
    }

    /// RFC 4271, 9.1.2.2 c: a route goes if another one of the same neighbour AS has a lower MED.
    fn keep_med(
        &mut self,
        ranks: &[Rank],
        options: DecisionOptions,
        lost: &mut impl FnMut(usize, Step, Option<usize>),
    ) {
        if self.alive.len() < 2 {
            return;
        }
        let missing = if options.missing_med_is_worst { u32::MAX } else { 0 };
        let med = |at: usize| ranks[at].med.unwrap_or(missing);
        if options.always_compare_med {
            self.keep(Step::Med, med, lost);
            return;
        }
        let first = med(self.alive[0]);
        if self.alive.iter().all(|&at| med(at) == first) {
            return;
        }
        let before = self.alive.clone();
        self.alive.retain(|&at| {
            let rivals =
                before.iter().filter(|&&r| ranks[r].neighbour_as == ranks[at].neighbour_as);
            let better = rivals.copied().min_by_key(|&rival| med(rival));
            let better = better.filter(|&rival| med(rival) < med(at));
            if better.is_some() {
                lost(at, Step::Med, better);
            }
            better.is_none()
        });
    }

    fn tie_break(
        &mut self,
        ranks: &[Rank],
        options: DecisionOptions,
        lost: &mut impl FnMut(usize, Step, Option<usize>),
    ) {
        if options.prefer_oldest && self.alive.iter().all(|&at| ranks[at].ebgp) {
            self.keep(Step::Oldest, |at| ranks[at].since, lost);
        }
        self.keep(Step::RouterId, |at| ranks[at].router_id, lost);
        self.keep(Step::ClusterList, |at| ranks[at].cluster_list_length, lost);
        self.keep(Step::PeerAddress, |at| ranks[at].peer_address, lost);
        self.keep(Step::SessionOrder, |at| ranks[at].session_order, lost);
    }
}
