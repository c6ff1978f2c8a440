//! Landing by BGP where routing ends, found at once on the graph of all ASes.

use super::bgp::{
    BgpSpec, OwnSession, SPECIFIC, arbitrary_exits, is_arbitrary, own_sessions, way_words,
};
use super::walk::{Places, Step, walk};
use super::{Explanation, Fate, HopChoice, LandingModel, Offer, RouteChoice, Trouble};
use crate::kernel::{Id, SimTime, Table};
use crate::net::{GeoPoint, LinkId};
use crate::record::{DropCause, Warning};
use crate::route::bgp::Validation;
use crate::route::internet::{
    self, Announcements, Class, Control, Inquiry, InvalidRoutes, NextHop, Seed, Solution,
    Unsettled, Validity, Workspace, Zombie,
};
use crate::scenario::{ClientGroupId, PrefixId, Scenario};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Exit of a seed that is not ours: whoever announces it keeps the traffic.
const FOREIGN: u32 = u32::MAX;

/// Routes to one block of addresses.
#[derive(Debug, Default)]
struct Block {
    announcements: Announcements,
    solution: Solution,
    /// What is wrong with the solution, for people; none: it is the only one.
    unsettled: Option<String>,
}

/// What a prefix looks like from outside.
#[derive(Debug, Default)]
struct Prefix {
    offers: Vec<Offer>,
    whole: Block,
    /// Only while somebody announces more specific blocks: they win wherever they are heard.
    specific: Option<Block>,
    /// What becomes of each client group's traffic.
    fates: Vec<Fate>,
    /// Groups on whose way an AS had a choice about which geography says nothing.
    arbitrary: usize,
    /// What was wrong with solutions so far, for people, each once, and since when.
    doubts: Vec<(SimTime, String)>,
}

impl Prefix {
    /// Notes what is wrong from `now` on, in place of what an earlier solution of the same instant
    /// said: nobody was sent anywhere by that.
    fn note_doubts(&mut self, now: SimTime) {
        self.doubts.retain(|(at, _)| *at != now);
        for what in [&self.whole].into_iter().chain(&self.specific) {
            let Some(words) = &what.unsettled else { continue };
            if self.doubts.len() < DOUBTS_MAX && self.doubts.iter().all(|(_, known)| known != words)
            {
                self.doubts.push((now, words.clone()));
            }
        }
    }
}

/// Most of them that are told of one prefix.
const DOUBTS_MAX: usize = 10;

/// Routing is where it would settle; users follow after a convergence time of the world.
#[derive(Debug)]
pub struct DirectLanding {
    spec: Arc<BgpSpec>,
    sessions: Table<LinkId, Option<OwnSession>>,
    places: Places,
    /// Per client group: index of its AS, and its place.
    groups: Vec<(Option<u32>, Option<GeoPoint>)>,
    prefixes: Table<PrefixId, Prefix>,
    troubles: Vec<Trouble>,
    /// Links whose session is down.
    sessions_down: BTreeSet<LinkId>,
    workspace: Workspace,
}

impl DirectLanding {
    /// The model of a scenario whose routing is `spec`.
    #[must_use]
    pub fn new(scenario: &Scenario, spec: &BgpSpec) -> DirectLanding {
        let groups = scenario.client_groups.rows().iter();
        let groups =
            groups.map(|row| (row.asn.and_then(|asn| spec.graph.index_of(asn)), row.location));
        DirectLanding {
            sessions: own_sessions(scenario, spec),
            places: Places::new(spec),
            groups: groups.collect(),
            prefixes: scenario.prefixes.ids().map(|_| Prefix::default()).collect(),
            troubles: Vec::new(),
            sessions_down: BTreeSet::new(),
            workspace: Workspace::default(),
            spec: Arc::new(spec.clone()),
        }
    }

    fn index(&self, asn: u32) -> Option<u32> {
        self.spec.graph.index_of(asn)
    }

    /// What validation says of an origin.
    fn validity(&self, prefix: PrefixId, origin: u32, more_specific: bool) -> Validity {
        let mut covered = false;
        for roa in self.spec.roas.iter().filter(|roa| roa.prefix == prefix) {
            covered = true;
            if roa.asn == origin && (roa.more_specifics || !more_specific) {
                return Validity::Valid;
            }
        }
        if covered { Validity::Invalid } else { Validity::Unknown }
    }

    /// A session of ours as the neighbour hears it.
    fn own_seed(&self, prefix: PrefixId, offer: &Offer) -> Option<Seed> {
        let link = offer.link?;
        let session = self.sessions[link]?;
        let at = self.index(session.asn)?;
        let asked = &offer.attributes;
        let index = |asn: &u32| self.index(*asn);
        let class = session.we_are_class();
        let mut seed = Seed::session(at, class, self.spec.asn, u16::from(asked.prepend), link.0);
        seed.control = Control {
            no_export: asked.no_export,
            no_export_to: asked.no_export_to.iter().filter_map(index).collect(),
            prepend_to: asked
                .prepend_to
                .iter()
                .filter_map(|(asn, times)| Some((self.index(*asn)?, u16::from(*times))))
                .collect(),
            local_preference: asked.local_pref,
            blackhole: asked.blackhole,
            validity: self.validity(prefix, self.spec.asn, false),
        };
        Some(seed)
    }

    /// Seeds of those who announce our prefix, or more specific blocks of it, without being us.
    fn foreign_seeds(&self, prefix: PrefixId, specific: bool) -> Vec<Seed> {
        let mut seeds = Vec::new();
        for trouble in &self.troubles {
            let Trouble::Hijack { asn, prefix: theirs, more_specific, pretends } = trouble else {
                continue;
            };
            let Some(at) = self.index(*asn) else { continue };
            if *theirs != prefix || *more_specific != specific {
                continue;
            }
            let mut seed = Seed::origin(at, FOREIGN);
            let origin = if *pretends { self.spec.asn } else { *asn };
            seed.control.validity = self.validity(prefix, origin, specific);
            if *pretends {
                seed.path = vec![self.spec.asn];
            }
            // An AS originates a block once: as it began to last.
            seeds.retain(|known: &Seed| known.at != at);
            seeds.push(seed);
        }
        seeds
    }

    /// What others do, on the graph's own terms.
    fn trouble(&self) -> internet::Trouble {
        let mut out = internet::Trouble {
            validators: self
                .spec
                .validators
                .iter()
                .filter_map(|(asn, mode)| {
                    let mode = match mode {
                        Validation::Drop => InvalidRoutes::Drop,
                        Validation::Depreference => InvalidRoutes::Depreference,
                        Validation::Ignore => return None,
                    };
                    Some((self.index(*asn)?, mode))
                })
                .collect(),
            ..internet::Trouble::default()
        };
        for trouble in &self.troubles {
            match trouble {
                Trouble::Leak { asn } => out.leaks.extend(self.index(*asn)),
                Trouble::Depeering { a, b } => {
                    out.links_down.extend(self.index(*a).zip(self.index(*b)));
                }
                Trouble::LocalPref { asn, neighbour, value } => {
                    // The last one to begin counts.
                    let Some(pair) = self.index(*asn).zip(self.index(*neighbour)) else { continue };
                    out.preferences.retain(|&(a, b, _)| (a, b) != pair);
                    out.preferences.push((pair.0, pair.1, *value));
                }
                Trouble::Hijack { .. } | Trouble::Blackhole { .. } | Trouble::Zombie { .. } => {}
            }
        }
        out
    }

    /// What ASes which ignore withdrawals keep of what they have now: routes of neighbours, and of
    /// us while the session is up. `seeds` are our sessions that announce the prefix.
    fn kept(&self, block: &Block, seeds: &[Seed]) -> (Vec<Zombie>, Vec<Seed>) {
        let (mut zombies, mut kept) = (Vec::new(), Vec::new());
        if block.solution == Solution::default() {
            return (zombies, kept);
        }
        let routes = block.solution.routes(&self.spec.graph, &block.announcements);
        for trouble in &self.troubles {
            let Trouble::Zombie { asn } = trouble else { continue };
            let Some(at) = self.index(*asn) else { continue };
            zombies.extend(Zombie::of(&routes, at));
            if let Some(NextHop::Seed(number)) = routes.next_hop(at) {
                let seed = &block.announcements.seeds[number];
                let up = !self.sessions_down.contains(&LinkId(seed.exit));
                let gone = seeds.iter().all(|other| other.exit != seed.exit);
                if seed.exit != FOREIGN && up && gone {
                    kept.push(seed.clone());
                }
            }
        }
        (zombies, kept)
    }

    fn solve(&mut self, now: SimTime, prefix: PrefixId) {
        let mut trouble = self.trouble();
        let row = &self.prefixes[prefix];
        let own = row.offers.iter().filter_map(|offer| {
            Some((self.own_seed(prefix, offer)?, offer.attributes.med.unwrap_or(0)))
        });
        let own = least_med(own.collect()).into_iter();
        let mut seeds: Vec<Seed> = own.chain(self.foreign_seeds(prefix, false)).collect();
        let (zombies, kept) = self.kept(&row.whole, &seeds);
        trouble.zombies = zombies;
        seeds.extend(kept);
        // Among equal sessions with one neighbour the first link wins, as the lowest address does.
        seeds.sort_by_key(|seed| seed.exit);
        let whole = self.announcements(seeds, trouble.clone());
        trouble.zombies.clear();
        let seeds = self.foreign_seeds(prefix, true);
        let specific = (!seeds.is_empty()).then(|| self.announcements(seeds, trouble));
        let row = &mut self.prefixes[prefix];
        let (before, before_specific) =
            (std::mem::take(&mut row.whole), row.specific.take().unwrap_or_default());
        let whole = self.solved(whole, before);
        let specific = specific.map(|announcements| self.solved(announcements, before_specific));
        let row = &mut self.prefixes[prefix];
        (row.whole, row.specific) = (whole, specific);
        let (fates, arbitrary) = self.find_fates(prefix);
        let row = &mut self.prefixes[prefix];
        (row.fates, row.arbitrary) = (fates, arbitrary);
        row.note_doubts(now);
    }

    /// Nobody validates what it announces itself, and we, who announce the prefix, do not pass on
    /// what others say of it.
    fn announcements(&self, seeds: Vec<Seed>, mut trouble: internet::Trouble) -> Announcements {
        let announces = |at| seeds.iter().any(|seed| seed.at == at && seed.learned == Class::Own);
        trouble.validators.retain(|(at, _)| !announces(*at));
        let foreign = seeds.iter().any(|seed| seed.exit == FOREIGN);
        if let Some(us) = self.index(self.spec.asn).filter(|_| foreign) {
            let neighbours = self.spec.graph.all_neighbours(us).iter();
            trouble.links_down.extend(neighbours.map(|&neighbour| (us, neighbour)));
        }
        Announcements { seeds, trouble }
    }

    /// The routes of announcements, from those of earlier ones where that is quicker.
    fn solved(&mut self, announcements: Announcements, before: Block) -> Block {
        let graph = &self.spec.graph;
        let mut known = before.solution;
        let found = if known == Solution::default() || before.unsettled.is_some() {
            Solution::solve(graph, &announcements, &mut self.workspace)
        } else {
            let (from, to) = (&before.announcements, &announcements);
            known.change(graph, from, to, &mut self.workspace).map(|_| known)
        };
        let (solution, unsettled) = match found {
            Ok(solution) => (solution, None),
            Err(Unsettled::NotUnique { states, differing }) => {
                let [first, _] = *states;
                let who = names(differing.iter().map(|&at| graph.asn(at)));
                (
                    first,
                    Some(format!("there is more than one stable state; timing decides for {who}")),
                )
            }
            Err(Unsettled::Diverged { changing }) => {
                let who = names(changing.iter().map(|&at| graph.asn(at)));
                let words = format!(
                    "routing never settles: it goes on changing at {who}; what is shown is \
                         routing without the preferences and leaks that cause it"
                );
                return self.calm(announcements, words);
            }
        };
        Block { announcements, solution, unsettled }
    }

    /// What routing would be if nobody leaked or preferred otherwise: it always settles.
    fn calm(&mut self, mut announcements: Announcements, words: String) -> Block {
        announcements.trouble.leaks.clear();
        announcements.trouble.preferences.clear();
        announcements.trouble.zombies.clear();
        announcements.trouble.validators.clear();
        for seed in &mut announcements.seeds {
            seed.control.local_preference = None;
        }
        let solution = Solution::solve(&self.spec.graph, &announcements, &mut self.workspace)
            .expect("routes that are preferred and exported by relation settle in one state");
        Block { announcements, solution, unsettled: Some(words) }
    }

    /// The way of a group's traffic through the ASes to where it ends. Every AS on it follows the
    /// most specific block that it has a route to.
    fn way(&self, blocks: &[Questions<'_>], group: ClientGroupId) -> Vec<Step<Hop>> {
        let (Some(at), location) = self.groups[group.index()] else { return Vec::new() };
        walk(
            (at, location),
            &self.places,
            |at| {
                let block = followed(blocks, at);
                let hops = blocks[block].equal_next_hops(at);
                hops.into_iter().map(|next| Hop { block, next }).collect()
            },
            |hop| match hop.next {
                NextHop::As(next) => Some(next),
                // A withdrawn route is followed to whoever told it, who may have another one.
                NextHop::Zombie(number) => {
                    Some(blocks[hop.block].announcements().trouble.zombies[number].from)
                }
                NextHop::Seed(_) => None,
            },
            |hop| match hop.next {
                NextHop::Seed(seed) => {
                    let exit = blocks[hop.block].announcements().seeds[seed].exit;
                    self.session(exit).and_then(|own| own.location)
                }
                NextHop::As(_) | NextHop::Zombie(_) => None,
            },
            |at| {
                let block = followed(blocks, at);
                blocks[block].inquiry.next_hop(at).map(|next| Hop { block, next })
            },
        )
    }

    /// Whether an AS discards what it gets for our prefixes.
    fn discards(&self, at: u32) -> bool {
        let asn = self.spec.graph.asn(at);
        self.troubles
            .iter()
            .any(|row| matches!(row, Trouble::Blackhole { asn: who } if *who == asn))
    }

    /// Our session that an exit names; none: it is not ours.
    fn session(&self, exit: u32) -> Option<OwnSession> {
        self.sessions.get(LinkId(exit)).copied().flatten()
    }

    /// What can be asked about the blocks of a prefix, the most specific first.
    fn questions(&self, prefix: PrefixId) -> Vec<Questions<'_>> {
        let row = &self.prefixes[prefix];
        let blocks = row.specific.iter().chain([&row.whole]);
        blocks
            .map(|block| {
                let routes = block.solution.routes(&self.spec.graph, &block.announcements);
                Questions { block, inquiry: routes.inquire(), known: RefCell::new(BTreeMap::new()) }
            })
            .collect()
    }

    /// Finds what becomes of every group's traffic to a prefix, and for how many of them a choice
    /// was arbitrary.
    fn find_fates(&self, prefix: PrefixId) -> (Vec<Fate>, usize) {
        let mut arbitrary = 0;
        let blocks = self.questions(prefix);
        let groups = (0..self.groups.len()).map(ClientGroupId::from_index);
        let fates = groups
            .map(|group| {
                let way = self.way(&blocks, group);
                arbitrary += usize::from(is_arbitrary(&way));
                self.end(&blocks, &way)
            })
            .collect();
        (fates, arbitrary)
    }

    fn end(&self, blocks: &[Questions<'_>], way: &[Step<Hop>]) -> Fate {
        let no_route = Fate::Lost(DropCause::NoRoute);
        let Some(last) = way.last() else { return no_route };
        // Who only sends is not who discards: users' own AS does too, if it is named.
        if way.iter().any(|step| self.discards(step.at)) {
            return Fate::Lost(DropCause::Blackhole);
        }
        let (block, exit) = match last.hop {
            Some(Hop { block, next: NextHop::Seed(seed) }) => {
                let seed = &blocks[block].announcements().seeds[seed];
                if seed.control.blackhole {
                    return Fate::Lost(DropCause::Blackhole);
                }
                (block, seed.exit)
            }
            Some(_) => return Fate::Lost(DropCause::Loop),
            None if way.len() == 1 => return no_route,
            // A network on the way keeps a route that is not there any more.
            None => return Fate::Lost(DropCause::Blackhole),
        };
        match self.session(exit) {
            Some(own) => {
                let hops = blocks[block].equal_next_hops(last.at);
                let equal = hops.iter().filter_map(|hop| match *hop {
                    NextHop::Seed(seed) => {
                        self.session(blocks[block].announcements().seeds[seed].exit)
                    }
                    NextHop::As(_) | NextHop::Zombie(_) => None,
                });
                Fate::Lands(own.landing(equal))
            }
            None => Fate::Lost(DropCause::Hijacked),
        }
    }
}

/// Many questions about one block.
struct Questions<'a> {
    block: &'a Block,
    inquiry: Inquiry<'a>,
    /// Equally good next hops of ASes that were asked about: most groups share their way.
    known: RefCell<BTreeMap<u32, Vec<NextHop>>>,
}

/// Where an AS sends traffic, and by which block (position in the list of [`Questions`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hop {
    block: usize,
    next: NextHop,
}

/// The most specific block that an AS has a route to; the last if it has none.
fn followed(blocks: &[Questions<'_>], at: u32) -> usize {
    let heard = blocks.iter().position(|row| row.block.solution.class(at).is_some());
    heard.unwrap_or(blocks.len() - 1)
}

impl Questions<'_> {
    fn announcements(&self) -> &Announcements {
        &self.block.announcements
    }

    fn equal_next_hops(&self, at: u32) -> Vec<NextHop> {
        let mut known = self.known.borrow_mut();
        known.entry(at).or_insert_with(|| self.inquiry.equal_next_hops(at)).clone()
    }
}

/// Seeds of ours that are left when a neighbour has compared their discriminators (RFC 4271, section
/// 9.1.2.2 c): it never takes one if another one, as good until then, has a lower number. Without
/// one it is 0.
fn least_med(own: Vec<(Seed, u32)>) -> Vec<Seed> {
    let standing = |seed: &Seed| (seed.at, seed.local_preference(), seed.path.len());
    let mut least = BTreeMap::new();
    for (seed, med) in &own {
        let known = least.entry(standing(seed)).or_insert(*med);
        *known = (*known).min(*med);
    }
    let left = own.into_iter().filter(|(seed, med)| least[&standing(seed)] == *med);
    left.map(|(seed, _)| seed).collect()
}

/// A few AS numbers for people.
fn names(asns: impl Iterator<Item = u32>) -> String {
    let all: Vec<String> = asns.map(|asn| format!("AS{asn}")).collect();
    match all.len() {
        0..=5 => all.join(", "),
        more => format!("{} and {} more", all[..5].join(", "), more - 5),
    }
}

impl LandingModel for DirectLanding {
    fn announce(&mut self, now: SimTime, prefix: PrefixId, offers: &[Offer]) -> bool {
        let row = &mut self.prefixes[prefix];
        if row.offers == offers && row.whole.solution != Solution::default() {
            return false;
        }
        row.offers = offers.to_vec();
        self.solve(now, prefix);
        true
    }

    fn set_session(&mut self, _now: SimTime, link: LinkId, up: bool) {
        if up {
            self.sessions_down.remove(&link);
        } else {
            self.sessions_down.insert(link);
        }
    }

    fn set_trouble(&mut self, now: SimTime, trouble: &Trouble, on: bool) {
        self.troubles.retain(|row| row != trouble);
        if on {
            self.troubles.push(trouble.clone());
        }
        let prefixes: Vec<PrefixId> = self.prefixes.ids().collect();
        prefixes.into_iter().for_each(|prefix| self.solve(now, prefix));
    }

    fn fate(&self, group: ClientGroupId, prefix: PrefixId) -> Fate {
        let known = self.prefixes[prefix].fates.get(group.index());
        known.copied().unwrap_or(Fate::Lost(DropCause::NoRoute))
    }

    fn explain(&self, group: ClientGroupId, prefix: PrefixId) -> Explanation {
        let blocks = self.questions(prefix);
        let way = self.way(&blocks, group);
        if way.is_empty() {
            return Explanation::Words("the group is in no AS of the graph".to_owned());
        }
        let hops = way.iter().map(|step| {
            let discards = self.discards(step.at);
            let block = followed(&blocks, step.at);
            let questions = &blocks[block];
            let rows = questions.inquiry.explain(step.at).into_iter().map(|row| {
                let taken = step.hop == Some(Hop { block, next: row.hop });
                let own = match row.hop {
                    NextHop::Seed(seed) => self.session(questions.announcements().seeds[seed].exit),
                    NextHop::As(_) | NextHop::Zombie(_) => None,
                };
                let specific = if block + 1 < blocks.len() { SPECIFIC } else { "" };
                RouteChoice {
                    as_path: row.path,
                    site: own.map(|own| own.site),
                    learned_from: row.class.name(),
                    taken,
                    reason: way_words(taken, discards, step, &row.standing) + specific,
                }
            });
            let mut routes: Vec<RouteChoice> = rows.collect();
            routes.sort_by_key(|row| !row.taken);
            HopChoice { asn: self.spec.graph.asn(step.at), routes }
        });
        Explanation::Hops(hops.collect())
    }

    fn caveats(&self) -> Vec<Warning> {
        let mut rows = Vec::new();
        for row in self.prefixes.rows() {
            let last = [&row.whole].into_iter().chain(&row.specific);
            let last: Vec<&String> = last.filter_map(|block| block.unsettled.as_ref()).collect();
            for (at, what) in &row.doubts {
                let until = if last.contains(&what) { " to the end" } else { "" };
                let from_s = at.since(SimTime::ZERO).seconds();
                let message = format!("from {from_s} s{until} of the run {what}");
                rows.push(Warning { code: "W0104", message });
            }
        }
        let arbitrary = self.prefixes.rows().iter().map(|row| row.arbitrary).max().unwrap_or(0);
        rows.extend(arbitrary_exits(arbitrary, self.groups.len()));
        rows
    }
}
