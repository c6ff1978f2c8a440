//! The announcements of one prefix in a form that is quick to ask, and the rules of routing.

use super::announce::{Announcements, Class, InvalidRoutes, Seed, Validity, rejecting};
use super::graph::{AsGraph, Relation};
use super::solution::{Choice, PATH_LENGTH_MAX, SEED, rank};

/// Announcements, sorted.
pub(super) struct Terms<'a> {
    pub(super) graph: &'a AsGraph,
    pub(super) announcements: &'a Announcements,
    /// (AS, position of a seed there).
    seeds: Vec<(u32, u32)>,
    /// Place of each seed among the neighbours of its AS when all else is equal; see
    /// [`Terms::order`].
    orders: Vec<u32>,
    /// ASes that reject each seed because its path names them.
    pub(super) rejecting: Vec<Vec<u32>>,
    leaks: Vec<u32>,
    links_down: Vec<(u32, u32)>,
    limits: Vec<(u32, u16)>,
    validators: Vec<(u32, InvalidRoutes)>,
    preferences: Vec<(u32, u32, u32)>,
    plain: bool,
}

impl<'a> Terms<'a> {
    pub(super) fn new(graph: &'a AsGraph, announcements: &'a Announcements) -> Terms<'a> {
        let trouble = &announcements.trouble;
        let mut seeds: Vec<(u32, u32)> =
            (0_u32..).zip(&announcements.seeds).map(|(number, seed)| (seed.at, number)).collect();
        seeds.sort_unstable();
        assert!(
            seeds.last().is_none_or(|last| (last.0 as usize) < graph.len()),
            "a seed is at an AS of the graph"
        );
        let orders = announcements
            .seeds
            .iter()
            .map(|seed| seed.path.first().map_or(0, |&asn| 2 * graph.rank_of(asn)))
            .collect();
        let both = |&(a, b): &(u32, u32)| [(a, b), (b, a)];
        let rejecting: Vec<Vec<u32>> =
            announcements.seeds.iter().map(|seed| rejecting(graph, seed)).collect();
        let mut validators = trouble.validators.clone();
        validators.sort_by_key(|row| row.0);
        let plain = trouble.is_empty() && rejecting.iter().all(Vec::is_empty);
        Terms {
            graph,
            announcements,
            seeds,
            orders,
            rejecting,
            leaks: sorted(trouble.leaks.clone()),
            links_down: sorted(trouble.links_down.iter().flat_map(both).collect()),
            limits: sorted(trouble.path_limits.clone()),
            validators,
            preferences: sorted(trouble.preferences.clone()),
            plain,
        }
    }

    /// Whether no AS does anything but follow the standard rules.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Order of next hops of equally good routes: lowest neighbour AS number first, seeds by the
    /// number of the neighbour they are heard from.
    #[inline]
    pub(super) fn order(&self, next: u32) -> u32 {
        if next & SEED == 0 {
            return 2 * next + 1;
        }
        self.orders.get((next & !SEED) as usize).copied().unwrap_or(0)
    }

    /// Whether `a` comes before `b` when both are equally good.
    #[inline]
    pub(super) fn before(&self, a: u32, b: u32) -> bool {
        (self.order(a), a) < (self.order(b), b)
    }

    /// What seed number `number` offers to its AS; none: the path is too long.
    pub(super) fn seed_choice(&self, number: u32) -> Option<Choice> {
        let seed = &self.announcements.seeds[number as usize];
        let length = u32::try_from(seed.path.len()).ok().filter(|&len| len <= PATH_LENGTH_MAX)?;
        Some(Choice { rank: rank(seed.learned, length), next: SEED | number })
    }

    /// Whether an AS rejects what comes from a seed because the seed's path names it.
    pub(super) fn rejects(&self, seed: usize, at: u32) -> bool {
        self.rejecting[seed].binary_search(&at).is_ok()
    }

    /// What the seeds at an AS offer it.
    pub(super) fn seeds_at(&self, at: u32) -> impl Iterator<Item = Choice> + '_ {
        let begin = self.seeds.partition_point(|&(other, _)| other < at);
        let here = self.seeds[begin..].iter().take_while(move |&&(other, _)| other == at);
        here.filter_map(|&(_, number)| self.seed_choice(number))
    }

    /// Whether an AS imports a path of this length from an origin of this validity.
    pub(super) fn takes(&self, at: u32, length: u32, validity: Validity) -> bool {
        let limit = find(&self.limits, |row| row.0, at).map(|row| u32::from(row.1));
        let drops =
            validity == Validity::Invalid && self.validators.contains(&(at, InvalidRoutes::Drop));
        limit.is_none_or(|limit| length <= limit) && !drops
    }

    /// Whether two neighbours talk to each other.
    pub(super) fn is_up(&self, a: u32, b: u32) -> bool {
        self.links_down.is_empty() || self.links_down.binary_search(&(a, b)).is_err()
    }

    /// Whether an AS announces everything to everybody.
    pub(super) fn leaks(&self, at: u32) -> bool {
        !self.leaks.is_empty() && self.leaks.binary_search(&at).is_ok()
    }

    /// How many times too often `from` names itself when it announces what it chose to `to`; none:
    /// it does not announce it, because the seed asks for that.
    #[inline]
    pub(super) fn wishes(&self, chosen: Choice, to: u32) -> Option<u32> {
        let Some(seed) = chosen.seed() else { return Some(0) };
        let Some(seed) = self.announcements.seeds.get(seed) else { return Some(0) };
        let control = &seed.control;
        if control.no_export || control.no_export_to.contains(&to) {
            return None;
        }
        let asked = control.prepend_to.iter().filter(|(towards, _)| *towards == to);
        Some(asked.map(|(_, times)| u32::from(*times)).sum())
    }

    /// What `from`, which is `relation` to `to`, offers `to`; none: nothing, or what is rejected
    /// for its length. Loops and validity are up to the caller.
    pub(super) fn offer(
        &self,
        choices: &[Choice],
        from: u32,
        to: u32,
        relation: Relation,
    ) -> Option<Choice> {
        let chosen = choices[from as usize];
        if !chosen.has_route() {
            return None;
        }
        let down = relation == Relation::Provider;
        let exported = chosen.class() <= Class::Customer || down || self.leaks(from);
        if !exported || !self.is_up(from, to) {
            return None;
        }
        let length = chosen.length() + 1 + self.wishes(chosen, to)?;
        let fits = length <= PATH_LENGTH_MAX && self.takes(to, length, Validity::Unknown);
        fits.then(|| Choice { rank: rank(Class::of(relation), length), next: from })
    }

    /// Local preference that an AS gives an offer whose origin has this validity.
    pub(super) fn local_preference(&self, at: u32, offer: Choice, validity: Validity) -> u32 {
        if validity == Validity::Invalid && self.validator(at) == Some(InvalidRoutes::Depreference)
        {
            return 0;
        }
        if let Some(seed) = offer.seed() {
            let seed = self.announcements.seeds.get(seed);
            return seed.map_or(offer.class().local_preference(), Seed::local_preference);
        }
        find(&self.preferences, |row| (row.0, row.1), (at, offer.next))
            .map_or(offer.class().local_preference(), |row| row.2)
    }

    fn validator(&self, at: u32) -> Option<InvalidRoutes> {
        find(&self.validators, |row| row.0, at).map(|row| row.1)
    }

    /// Whether an AS looks at the validity of origins.
    pub(super) fn validates(&self, at: u32) -> bool {
        self.validator(at).is_some()
    }

    /// Whether anybody looks at the validity of origins.
    pub(super) fn anybody_validates(&self) -> bool {
        !self.validators.is_empty()
    }
}

fn sorted<T: Ord>(mut rows: Vec<T>) -> Vec<T> {
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The first row of a key in sorted rows.
fn find<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K, wanted: K) -> Option<&T> {
    let at = rows.partition_point(|row| key(row) < wanted);
    rows.get(at).filter(|row| key(row) == wanted)
}
