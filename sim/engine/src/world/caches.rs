//! Caches of the colos: what they miss becomes traffic of its own, from the origin or another cache.
//!
//! How much each cache misses is [`Cascade`]'s matter. Here misses become bundles, and what happens
//! to these becomes losses and waits of the requests behind them. A site that is down has lost what
//! its caches held; caches that would ask it ask whom it would have asked.

use super::World;
use crate::kernel::{Id, SimSpan, SimTime};
use crate::load::cache::{Cascade, Content, Misses, Place, Spectrum};
use crate::load::fluid::Fetched;
use crate::load::links::Path;
use crate::net::{NodeId, NodeKind, SiteId};
use crate::scenario::Scenario;
use std::sync::Arc;

/// All caches of a run: one in every colo, of no capacity where the scenario states none.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheState {
    cascade: Option<Cascade>,
    /// Seconds that had passed in the caches when the run began; none: they are still to be warmed.
    before_s: Option<f64>,
    /// By place.
    places: Vec<Colo>,
    /// Content of each service that caches may keep.
    kind_of: Vec<Option<usize>>,
    /// Bits of an object by content.
    object_bits: Vec<f64>,
    /// Requests per second by place and content.
    rates: Vec<Vec<f64>>,
    misses: Vec<Vec<Misses>>,
}

#[derive(Clone, Debug)]
struct Colo {
    site: SiteId,
    node: NodeId,
    /// Place that it asks as written, where that is up.
    next: Option<usize>,
    up: bool,
    /// Bundle of what it fetches, by content.
    bundles: Vec<u32>,
}

/// Shares of the misses of a place that are lost, by cause, and the seconds the others wait.
#[derive(Clone, Copy, Debug, Default)]
struct Fetching {
    lost: [f64; 3],
    wait_s: f64,
}

impl Fetching {
    fn lost(&self) -> f64 {
        self.lost.iter().sum()
    }
}

impl CacheState {
    pub fn new(scenario: &Scenario) -> CacheState {
        let (plan, network) = (&scenario.caches, &scenario.network);
        if plan.is_empty() {
            return CacheState::default();
        }
        let cache_of = |site: SiteId| plan.sites.iter().find(|row| row.site == site);
        let first_place = |site: SiteId| network.sites[site].colos[0].index();
        let mut places = Vec::new();
        let mut rows = Vec::new();
        for colo in network.colos.rows() {
            let cache = cache_of(colo.site);
            let next = cache.and_then(|row| row.next).map(first_place);
            rows.push(Place {
                capacity_bytes: cache.map_or(0.0, |row| row.capacity_bytes),
                next: None,
            });
            let bundles = Vec::new();
            places.push(Colo { site: colo.site, node: colo.node, next, up: true, bundles });
        }
        let mut kind_of = vec![None; scenario.services.len()];
        let mut contents = Vec::new();
        for row in &plan.services {
            kind_of[row.service.index()] = Some(contents.len());
            let spectrum = Spectrum::new(&row.popularity)
                .expect("scenarios state popularities of at least one object");
            contents.push(Content {
                bytes: row.object_bytes,
                spectrum: Arc::new(spectrum),
                ttl_s: row.ttl.map(SimSpan::seconds),
            });
        }
        let object_bits = contents.iter().map(|content| content.bytes * 8.0).collect();
        let none = vec![vec![0.0; contents.len()]; places.len()];
        let misses = vec![vec![Misses::default(); contents.len()]; places.len()];
        let cascade = Cascade::new(rows, contents, 0.0).expect("no cache asks another one yet");
        let cascade = Some(cascade);
        let before_s = (!plan.warm).then_some(0.0);
        CacheState { cascade, before_s, places, kind_of, object_bits, rates: none, misses }
    }

    pub fn is_empty(&self) -> bool {
        self.cascade.is_none()
    }

    /// Lets time pass under the rates of the last solution.
    pub fn advance(&mut self, now: SimTime) {
        if let Some(cascade) = &mut self.cascade {
            cascade.advance(self.before_s.unwrap_or(0.0) + now.seconds());
        }
    }

    /// The place at a node.
    fn place_at(&self, node: NodeId) -> Option<usize> {
        self.places.iter().position(|colo| colo.node == node)
    }

    /// The first cache up the chain that is up; none: the origin.
    fn next_up(&self, place: usize) -> Option<usize> {
        let mut next = self.places[place].next;
        // As many steps as there are places lead out of every chain without a circle.
        for _ in 0..self.places.len() {
            match next {
                Some(asked) if !self.places[asked].up => next = self.places[asked].next,
                _ => break,
            }
        }
        next.filter(|&asked| asked != place && self.places[asked].up)
    }
}

#[allow(clippy::needless_range_loop)] // Contents index several tables at once.
impl World<'_> {
    /// After a change of the network: who asks whom, and by which bundles.
    pub(super) fn assign_fetches(&mut self) {
        if self.caches.is_empty() {
            return;
        }
        self.caches.advance(self.now);
        for place in 0..self.caches.places.len() {
            let colo = &mut self.caches.places[place];
            let up = self.truth.site_up[colo.site];
            if up != colo.up {
                colo.up = up;
                if let Some(cascade) = &mut self.caches.cascade {
                    cascade.flush(place);
                }
            }
        }
        let Some(origin) = self.scenario.caches.origin else { return };
        let services: Vec<_> =
            self.scenario.caches.services.iter().map(|row| row.service).collect();
        for place in 0..self.caches.places.len() {
            let next = self.caches.next_up(place);
            if let Some(cascade) = &mut self.caches.cascade {
                let set = cascade.set_next(place, next);
                assert!(set, "scenarios have no caches that ask each other in a circle");
            }
            let from = next.map_or(origin, |next| self.caches.places[next].node);
            let to = self.caches.places[place].node;
            let bundles =
                services.iter().map(|&service| self.fetch_bundle(from, to, service)).collect();
            self.caches.places[place].bundles = bundles;
        }
    }

    /// Sets rates of fetches and what they do to requests, from what arrives at the caches:
    /// under the last solution of this instant, or, if there is none yet, if nothing is lost. Adds
    /// all that the next solution depends on to `wishes`.
    pub(super) fn fetch(&mut self, first: bool, halfway: bool, wishes: &mut Vec<f64>) {
        if self.caches.is_empty() {
            return;
        }
        self.count_cache_requests(first);
        let step = self.scenario.traffic_step.0;
        let ahead_s = SimSpan(step - self.now.0 % step).seconds() / 2.0;
        let caches = &mut self.caches;
        let Some(cascade) = &mut caches.cascade else { return };
        if caches.before_s.is_none() {
            caches.before_s = Some(cascade.settle(&caches.rates));
        }
        caches.misses = cascade.set_rates(&caches.rates, ahead_s);
        let fetching = self.fetching();
        for place in 0..self.caches.places.len() {
            let next = self.caches.cascade.as_ref().and_then(|cascade| cascade.next(place));
            for kind in 0..self.caches.object_bits.len() {
                let misses = self.caches.misses[place][kind];
                let lost = next.map_or(0.0, |next| misses.at_next * fetching[next][kind].lost());
                let bundle = self.caches.places[place].bundles[kind] as usize;
                let mut bps = misses.passed_per_s * (1.0 - lost) * self.caches.object_bits[kind];
                if halfway {
                    bps = 0.5 * (bps + self.fluid.rate[bundle]);
                }
                self.fluid.rate[bundle] = bps;
                wishes.push(bps);
            }
        }
        for bundle in &mut self.bundles.list {
            let Some(kind) = self.caches.kind_of[bundle.service.index()] else { continue };
            if !bundle.requests {
                continue;
            }
            for branch in &mut bundle.branches {
                let Some(place) = self.caches.place_at(branch.node) else { continue };
                let (own, fetch) = (self.caches.misses[place][kind].own, fetching[place][kind]);
                let got = 1.0 - own * fetch.lost();
                let waiting = own * (1.0 - fetch.lost()) * fetch.wait_s;
                branch.fetch = Fetched {
                    lost: fetch.lost.map(|share| share * own),
                    misses: own,
                    wait_s: if got > 0.0 { waiting / got } else { 0.0 },
                };
                wishes.extend([got, branch.fetch.wait_s]);
            }
        }
    }

    /// What arrives at every cache for every content, requests per second.
    fn count_cache_requests(&mut self, first: bool) {
        let caches = &mut self.caches;
        caches.rates.iter_mut().for_each(|rates| rates.fill(0.0));
        for (index, bundle) in self.bundles.list.iter().enumerate() {
            let Some(kind) = caches.kind_of[bundle.service.index()] else { continue };
            if !bundle.requests || bundle.dead {
                continue;
            }
            for (number, branch) in bundle.branches.iter().enumerate() {
                let Some(place) = caches.place_at(branch.node) else { continue };
                let share = if first {
                    branch.share * bundle.refused.admitted()
                } else {
                    let accepted = branch.colo.map_or(1.0, |colo| self.colos[colo].accepted);
                    self.fluid.outcome[index].branches[number].arriving * accepted
                };
                caches.rates[place][kind] += self.fluid.rate[index] * share;
            }
        }
    }

    /// What becomes of the misses of every place and content, by the last solution.
    fn fetching(&self) -> Vec<Vec<Fetching>> {
        let kinds = self.caches.object_bits.len();
        let mut all = vec![vec![Fetching::default(); kinds]; self.caches.places.len()];
        let Some(cascade) = &self.caches.cascade else { return all };
        // Those that are asked before those that ask.
        for &place in cascade.order().iter().rev() {
            for kind in 0..kinds {
                let own = self.own_fetch(self.caches.places[place].bundles[kind] as usize);
                let mut fetch = own;
                match cascade.next(place) {
                    None => fetch.wait_s += self.scenario.caches.origin_time.seconds(),
                    Some(next) => {
                        let (above, share) =
                            (all[next][kind], self.caches.misses[place][kind].at_next);
                        let got = 1.0 - share * above.lost();
                        for (lost, lost_above) in fetch.lost.iter_mut().zip(above.lost) {
                            *lost = share * lost_above + got * *lost;
                        }
                        fetch.wait_s += share * above.wait_s;
                    }
                }
                all[place][kind] = fetch;
            }
        }
        all
    }

    /// Losses and time of one bundle of fetches, there and back.
    fn own_fetch(&self, bundle: usize) -> Fetching {
        // Bundles that are new have no outcome yet: nothing is lost until they have.
        let Some(outcome) = self.fluid.outcome.get(bundle) else { return Fetching::default() };
        let Some(branch) = outcome.branches.first() else { return Fetching::default() };
        let mut lost = [branch.egress[1], branch.egress[2], branch.egress[3]];
        if self.bundles.list[bundle].dead {
            lost = [0.0, 1.0, 0.0];
        }
        let way_s = branch.waits.propagation_s + self.outside_s(bundle);
        let wait_s = 2.0 * way_s + branch.waits.link_queue_s;
        Fetching { lost, wait_s }
    }

    /// Seconds on the links from a neighbour that has the origin. Elsewhere these belong to the
    /// users' round trips; here they are our own wait.
    fn outside_s(&self, bundle: usize) -> f64 {
        let (network, bundle) = (&self.scenario.network, &self.bundles.list[bundle]);
        let (Some(branch), Some(&(Path::Dag(dag), _))) =
            (bundle.branches.first(), bundle.exits.first())
        else {
            return 0.0;
        };
        if !matches!(network.nodes[branch.node], NodeKind::Neighbour(_)) {
            return 0.0;
        }
        let first = self.routes.dag(dag).next(branch.node).iter();
        first.map(|(arc, share)| share * network.links[arc.link()].delay.seconds()).sum()
    }

    /// Counts what caches did under the present solution.
    pub(super) fn count_caches(&mut self, seconds: f64) {
        for (place, colo) in self.caches.places.iter().enumerate() {
            let origin = self.caches.cascade.as_ref().is_some_and(|all| all.next(place).is_none());
            let count = &mut self.ledger.sites[colo.site.index()].cached;
            for (kind, &bundle) in colo.bundles.iter().enumerate() {
                let requests = self.caches.rates[place][kind] * seconds;
                count[0] += requests;
                count[1] += requests * (1.0 - self.caches.misses[place][kind].own);
                let outcome = &self.fluid.outcome[bundle as usize];
                let bits = self.fluid.rate[bundle as usize] * seconds * outcome.served;
                count[2] += bits;
                count[3] += if origin { bits } else { 0.0 };
            }
        }
    }
}
