//! What the policy looks at: who asks, what is up, how near it is, how much room there is.

use super::fill::{Pair, fill};
use steerlab_engine::kernel::Id;
use steerlab_engine::net::SiteId;
use steerlab_engine::scenario::NameId;
use steerlab_engine::steer::{AnswerScope, SiteReading, View};

/// Somebody who can be given an answer of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub scope: AnswerScope,
    /// Place on the unit sphere.
    place: [f64; 3],
    /// Usual share of demand.
    weight: f64,
}

/// Share of queries for each candidate of a name.
pub(super) type Shares = Vec<f64>;

/// A view, prepared.
pub(super) struct Scene<'a> {
    pub view: &'a View<'a>,
    /// Everybody whose place is known: client groups, and resolvers that do not tell them apart.
    pub askers: Vec<Asker>,
    /// Per prefix: sites that announce it, as far as we know, and answer, as far as the feed says.
    pub usable: Vec<Vec<SiteId>>,
    sites: Vec<Option<[f64; 3]>>,
}

/// What greedy fill works with.
pub(super) struct Loads {
    /// Requests per second of each asker towards each name, estimated.
    volumes: Vec<f64>,
    /// Requests per second that each site can be given.
    rooms: Vec<f64>,
}

/// Square of the chord between two unit vectors: grows with distance and costs no arc sine.
fn chord(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

impl<'a> Scene<'a> {
    pub fn new(view: &'a View<'a>) -> Scene<'a> {
        let alive = |site: SiteId| view.site(site).is_none_or(|reading| reading.alive);
        let usable = view.prefixes.iter().map(|(prefix, row)| {
            let announces = |site: &SiteId| view.announced[prefix][site.index()] && alive(*site);
            row.sites.iter().copied().filter(announces).collect()
        });
        let sites = view.network.sites.rows().iter();
        Scene {
            view,
            askers: askers(view),
            usable: usable.collect(),
            sites: sites.map(|site| site.location.map(|at| at.unit_vector())).collect(),
        }
    }

    /// The nearest of some sites, with a measure of its distance; the first of equals.
    pub fn nearest_site(&self, from: &Asker, sites: &[SiteId]) -> Option<(SiteId, f64)> {
        let distance = |site: &SiteId| Some((*site, chord(from.place, self.sites[site.index()]?)));
        sites.iter().filter_map(distance).min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }

    /// For each asker the nearest candidate alone; the first of equals. Nobody near: no share.
    pub fn nearest_candidates(&self, name: NameId) -> Vec<Shares> {
        let candidates = &self.view.dns.names[name].candidates;
        let of = |asker: &Asker| {
            let near = candidates.iter().enumerate().filter_map(|(index, prefix)| {
                let (_, distance) = self.nearest_site(asker, &self.usable[prefix.index()])?;
                Some((index, distance))
            });
            let best = near.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            let mut shares = vec![0.0; candidates.len()];
            if let Some((index, _)) = best {
                shares[index] = 1.0;
            }
            shares
        };
        self.askers.iter().map(of).collect()
    }

    /// Room at every site: what answers in force plan there, under the sites that were usable when
    /// they were given, plus what `free` makes of its reading. None without a sample.
    pub fn loads(
        &self,
        usable: &[Vec<SiteId>],
        target: f64,
        free: &dyn Fn(&SiteReading) -> f64,
    ) -> Option<Loads> {
        let sample = self.view.site_feed?;
        let measured: f64 = sample.values.iter().map(|site| site.requests_per_s).sum();
        let weights: f64 = self.askers.iter().map(|asker| asker.weight).sum();
        let names = self.view.dns.names.len() as f64;
        let scale = if weights > 0.0 { measured / weights / names } else { 0.0 };
        let volumes: Vec<f64> = self.askers.iter().map(|asker| asker.weight * scale).collect();
        let mut planned = vec![0.0; sample.values.len()];
        for name in self.view.dns.names.ids() {
            for (asker, volume) in self.askers.iter().zip(&volumes) {
                for (site, share) in self.planned_at(name, asker, usable) {
                    planned[site.index()] += share * volume;
                }
            }
        }
        let capacities: Vec<f64> =
            self.view.network.sites.ids().map(|site| self.capacity(site)).collect();
        let work = |(site, capacity): (&SiteReading, &f64)| {
            if capacity.is_finite() { site.cpu_utilisation * capacity } else { 0.0 }
        };
        let worked: f64 = sample.values.iter().zip(&capacities).map(work).sum();
        let per_request = if measured > 0.0 { worked / measured } else { 0.0 };
        let room = |index: usize| {
            let reading = &sample.values[index];
            if reading.cpu_utilisation > 0.0 {
                (planned[index] + free(reading)).max(0.0)
            } else if per_request > 0.0 {
                // Nothing to extrapolate from: what its servers could do of the mean request.
                target * capacities[index] / per_request
            } else {
                f64::INFINITY
            }
        };
        Some(Loads { volumes, rooms: (0..sample.values.len()).map(room).collect() })
    }

    /// CPU of a site as configured; infinite where servers are not modelled.
    fn capacity(&self, site: SiteId) -> f64 {
        let network = self.view.network;
        let pools = |colo: &steerlab_engine::net::ColoId| network.colos[*colo].pools.iter();
        let mut pools = network.sites[site].colos.iter().flat_map(pools).peekable();
        if pools.peek().is_none() {
            return f64::INFINITY;
        }
        pools.map(|&pool| network.pools[pool].capacity()).sum()
    }

    /// Where an asker's own answer leads to, with its shares.
    fn planned_at(
        &self,
        name: NameId,
        asker: &Asker,
        usable: &[Vec<SiteId>],
    ) -> Vec<(SiteId, f64)> {
        let Some(answer) = self.view.dns.answers.get(&(name, asker.scope)) else {
            return Vec::new();
        };
        let candidates = self.view.dns.names[name].candidates.iter();
        candidates
            .zip(answer.iter())
            .filter(|(_, share)| **share > 0.0)
            .filter_map(|(prefix, share)| {
                let sites = usable.get(prefix.index())?;
                self.nearest_site(asker, sites).map(|(site, _)| (site, *share))
            })
            .collect()
    }

    /// Greedy fill for a name. Names share the rooms evenly.
    pub fn fill(&self, loads: &Loads, name: NameId) -> Vec<Shares> {
        let candidates = &self.view.dns.names[name].candidates;
        let mut pairs = Vec::new();
        let mut sites_of = Vec::new();
        for (demand, asker) in self.askers.iter().enumerate() {
            let mut sites: Vec<Option<SiteId>> = Vec::new();
            for prefix in candidates {
                let near = self.nearest_site(asker, &self.usable[prefix.index()]);
                // Several candidates may lead to one site: the first of them stands for it.
                let near = near.filter(|(site, _)| !sites.contains(&Some(*site)));
                sites.push(near.map(|(site, _)| site));
                pairs.extend(near.map(|(site, distance)| Pair {
                    demand,
                    place: site.index(),
                    distance,
                }));
            }
            sites_of.push(sites);
        }
        let names = self.view.dns.names.len() as f64;
        let rooms: Vec<f64> = loads.rooms.iter().map(|room| room / names).collect();
        let filled = fill(&loads.volumes, &rooms, pairs);
        let by_candidate = |(row, sites): (Vec<f64>, &Vec<Option<SiteId>>)| {
            sites.iter().map(|site| site.map_or(0.0, |site| row[site.index()])).collect()
        };
        filled.into_iter().zip(&sites_of).map(by_candidate).collect()
    }
}

fn askers(view: &View<'_>) -> Vec<Asker> {
    let groups = view.dns.groups.iter().filter_map(|(id, group)| {
        let scope = AnswerScope::ClientGroup(id);
        Some(Asker { scope, place: group.location?.unit_vector(), weight: group.weight })
    });
    let blind = view.dns.resolvers.iter().filter(|(_, resolver)| !resolver.ecs);
    let resolvers = blind.filter_map(|(id, resolver)| {
        // Who is behind it is in the groups' figures already.
        let scope = AnswerScope::Resolver(id);
        Some(Asker { scope, place: resolver.location?.unit_vector(), weight: 0.0 })
    });
    groups.chain(resolvers).collect()
}
