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
    /// Nearest AS of the path; the own AS for a route of its own.
    pub neighbour_as: u32,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Stream, StreamKey};

    const PLAIN: Rank = Rank {
        local: false,
        depreferenced: false,
        local_pref: 100,
        path_length: 3,
        origin: Origin::Egp,
        med: Some(10),
        neighbour_as: 1,
        ebgp: false,
        igp_cost: 10,
        since: SimTime(10),
        router_id: 10,
        cluster_list_length: 3,
        peer_address: 10,
        session_order: 10,
    };
    const OPTIONS: DecisionOptions = DecisionOptions {
        always_compare_med: false,
        missing_med_is_worst: false,
        prefer_oldest: false,
        multipath: false,
    };

    /// A route that is worse than [`PLAIN`] at every step after the one it wins.
    fn better_at(step: Step) -> Rank {
        let at = |this: Step| step.cmp(&this);
        let least = |this, better, same, worse| match at(this) {
            std::cmp::Ordering::Equal => better,
            std::cmp::Ordering::Greater => same,
            std::cmp::Ordering::Less => worse,
        };
        Rank {
            local: step == Step::Local,
            depreferenced: step < Step::Validation,
            local_pref: least(Step::LocalPref, 101, 100, 99),
            path_length: least(Step::PathLength, 2, 3, 4),
            origin: match least(Step::Origin, 0, 1, 2) {
                0 => Origin::Igp,
                1 => Origin::Egp,
                _ => Origin::Incomplete,
            },
            med: Some(least(Step::Med, 9, 10, 11)),
            neighbour_as: 1,
            ebgp: step == Step::Ebgp,
            igp_cost: u64::from(least(Step::IgpCost, 9, 10, 11)),
            since: SimTime(u64::from(least(Step::Oldest, 9, 10, 11))),
            router_id: least(Step::RouterId, 9, 10, 11),
            cluster_list_length: least(Step::ClusterList, 2, 3, 4),
            peer_address: least(Step::PeerAddress, 9, 10, 11),
            session_order: least(Step::SessionOrder, 9, 10, 11),
        }
    }

    #[test]
    fn each_step_decides_before_all_later_ones() {
        use Step::*;
        let steps = [
            Local,
            LocalPref,
            PathLength,
            Origin,
            Med,
            Ebgp,
            IgpCost,
            RouterId,
            ClusterList,
            PeerAddress,
            SessionOrder,
        ];
        let mut decider = Decider::default();
        for step in steps {
            for place in 0..2 {
                let mut ranks = vec![PLAIN];
                ranks.insert(place, better_at(step));
                let (best, losses) = decider.explain(&ranks, OPTIONS);
                assert_eq!((best, losses), (Some(place), vec![(1 - place, step, place)]));
                assert_eq!(decider.best(&ranks, OPTIONS), Some(place));
            }
        }
        let last_resort = Rank { depreferenced: true, ..better_at(LocalPref) };
        let (best, losses) = decider.explain(&[last_resort, PLAIN], OPTIONS);
        assert_eq!((best, losses), (Some(1), vec![(0, Validation, 1)]));
    }

    #[test]
    fn the_oldest_wins_only_if_asked_for_and_only_among_external_routes() {
        let older = Rank { ebgp: true, ..better_at(Step::Oldest) };
        let newer = Rank { ebgp: true, ..PLAIN };
        let asked = DecisionOptions { prefer_oldest: true, ..OPTIONS };
        let mut decider = Decider::default();
        assert_eq!(decider.explain(&[newer, older], asked).1, [(0, Step::Oldest, 1)]);
        assert_eq!(decider.explain(&[newer, older], OPTIONS).1, [(1, Step::RouterId, 0)]);
        let (older, newer) = (Rank { ebgp: false, ..older }, PLAIN);
        assert_eq!(decider.explain(&[newer, older], asked).1, [(1, Step::RouterId, 0)]);
    }

    #[test]
    fn med_counts_within_a_neighbour_as_whatever_the_order() {
        // The example that goes wrong when routes are compared in the order of arrival: b loses to
        // c by MED, c to a by router id; without c, b would win over a.
        let a = Rank { med: Some(50), neighbour_as: 2, router_id: 2, ..PLAIN };
        let b = Rank { med: Some(30), neighbour_as: 1, router_id: 1, ..PLAIN };
        let c = Rank { med: Some(20), neighbour_as: 1, router_id: 3, ..PLAIN };
        let routes = [a, b, c];
        let mut decider = Decider::default();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let ranks = order.map(|route| routes[route]);
            let place = |route| order.iter().position(|at| *at == route).unwrap();
            let (best, losses) = decider.explain(&ranks, OPTIONS);
            assert_eq!(best, Some(place(0)));
            assert!(losses.contains(&(place(1), Step::Med, place(2))));
            assert!(losses.contains(&(place(2), Step::RouterId, place(0))));
            let always = DecisionOptions { always_compare_med: true, ..OPTIONS };
            assert_eq!(decider.best(&ranks, always), Some(place(2)));
        }
        assert_eq!(decider.best(&[a, b], OPTIONS), Some(1));
        let none = Rank { med: None, ..b };
        assert_eq!(decider.best(&[c, none], OPTIONS), Some(1));
        let worst = DecisionOptions { missing_med_is_worst: true, ..OPTIONS };
        assert_eq!(decider.best(&[c, none], worst), Some(0));
    }

    #[test]
    fn the_winner_never_depends_on_the_order_and_stands_among_its_equals() {
        let mut stream =
            Stream::new(StreamKey { seed: 1, replication: 0, purpose: "decide-test", entity: 0 });
        let mut decider = Decider::default();
        for _ in 0..5_000 {
            let count = 2 + stream.below(6);
            let mut ranks: Vec<Rank> = (0..count)
                .map(|order| Rank {
                    local_pref: 100 + stream.below(2) as u32,
                    path_length: 1 + stream.below(2) as u32,
                    med: [None, Some(1), Some(2)][stream.below(3) as usize],
                    neighbour_as: stream.below(3) as u32,
                    ebgp: stream.below(2) == 0,
                    igp_cost: stream.below(2),
                    router_id: stream.below(3) as u32,
                    cluster_list_length: stream.below(2) as u32,
                    peer_address: stream.below(2) as u32,
                    session_order: order as u32,
                    ..PLAIN
                })
                .collect();
            let best = decider.best(&ranks, OPTIONS).map(|at| ranks[at]);
            let (explained, losses) = decider.explain(&ranks, OPTIONS);
            assert_eq!(explained.map(|at| ranks[at]), best);
            assert_eq!(losses.len(), ranks.len() - 1);
            let good: Vec<Rank> =
                decider.equally_good(&ranks, OPTIONS).iter().map(|&at| ranks[at]).collect();
            assert!(best.is_some_and(|best| good.contains(&best)));
            for _ in 0..3 {
                let (a, b) = (stream.below(count) as usize, stream.below(count) as usize);
                ranks.swap(a, b);
                assert_eq!(decider.best(&ranks, OPTIONS).map(|at| ranks[at]), best);
            }
        }
    }
}
