//! Admission at the sites: token buckets, filters, shedding. What is turned away has come in over
//! the entry links and goes no further.

use super::{Event, World, phase, source};
use crate::kernel::{Id, SimSpan, SimTime};
use crate::load::admission::{AttackFilter, Shed, TokenBucket};
use crate::load::fluid::Refused;
use crate::net::SiteId;
use crate::scenario::{DemandId, Scenario, TenantId};

/// All that admission remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdmissionState {
    active: bool,
    /// By demand; empty if there is no attack.
    attacks: Vec<bool>,
    buckets: Vec<Bucket>,
    /// By service; none where it is never attacked.
    filters: Vec<Option<AttackFilter>>,
    /// By site.
    sheds: Vec<Option<Shed>>,
    /// When buckets were last brought up to date.
    until: SimTime,
}

#[derive(Clone, Debug)]
struct Bucket {
    site: SiteId,
    tenant: TenantId,
    bucket: TokenBucket,
    /// Requests per second that came since the last solution.
    offered_per_s: f64,
}

impl AdmissionState {
    pub fn new(scenario: &Scenario) -> AdmissionState {
        let plan = &scenario.admission;
        if plan.is_empty() {
            return AdmissionState::default();
        }
        let sites = scenario.network.sites.len();
        let mut attacks = vec![false; scenario.demands.len()];
        let mut filters = vec![None; scenario.services.len()];
        for demand in &plan.attacks {
            attacks[demand.index()] = true;
            if let Some(terms) = plan.filter {
                let service = scenario.demands[*demand].service;
                filters[service.index()] = Some(AttackFilter::new(terms, sites));
            }
        }
        let mut buckets = Vec::new();
        for row in &plan.buckets {
            buckets.extend(row.sites.iter().map(|&site| Bucket {
                site,
                tenant: row.tenant,
                bucket: TokenBucket::new(row.rate_per_s, row.burst_requests, 0.0),
                offered_per_s: 0.0,
            }));
        }
        let mut sheds = vec![None; sites];
        if let Some(shed) = &plan.shed {
            for site in &shed.sites {
                sheds[site.index()] = Some(Shed::new(shed.terms, scenario.classes.len()));
            }
        }
        AdmissionState { active: true, attacks, buckets, filters, sheds, until: SimTime::ZERO }
    }

    pub fn is_empty(&self) -> bool {
        !self.active
    }

    /// Whether a demand is part of an attack.
    pub fn attacks(&self, demand: DemandId) -> bool {
        self.attacks.get(demand.index()).copied().unwrap_or(false)
    }
}

impl World<'_> {
    /// Brings buckets and filters up to this instant: under the rates of the last solution until
    /// now, with the attacks of the present rates from now on.
    pub(super) fn advance_admission(&mut self) {
        let seconds = self.now.since(self.admission.until).seconds();
        self.admission.until = self.now;
        for row in &mut self.admission.buckets {
            row.bucket.admit(row.offered_per_s, seconds);
        }
        let now_s = self.now.seconds();
        for service in 0..self.admission.filters.len() {
            if self.admission.filters[service].is_none() {
                continue;
            }
            let mut arrives = vec![false; self.scenario.network.sites.len()];
            for (index, bundle) in self.bundles.list.iter().enumerate() {
                let attacked = bundle.service.index() == service && self.is_attack(index);
                if let (true, Some(site)) = (attacked, bundle.landing) {
                    arrives[site.index()] |= self.fluid.rate[index] > 0.0 && !bundle.dead;
                }
            }
            if let Some(filter) = &mut self.admission.filters[service] {
                for (site, arrives) in arrives.into_iter().enumerate() {
                    filter.observe(site, now_s, arrives);
                }
            }
        }
    }

    /// Sets what is turned away of every bundle, from what reaches the sites: under the last
    /// solution of this instant, or, if there is none yet, if nothing is lost. Adds all that the
    /// next solution depends on to `wishes`.
    pub(super) fn refuse(&mut self, first: bool, wishes: &mut Vec<f64>) {
        if self.admission.is_empty() {
            return;
        }
        let now_s = self.now.seconds();
        let mut refused = vec![Refused::default(); self.bundles.list.len()];
        let mut left = vec![0.0; refused.len()];
        for (index, bundle) in self.bundles.list.iter().enumerate() {
            let Some(site) = bundle.landing.filter(|_| bundle.requests) else { continue };
            let mut passes = 1.0;
            if let Some(filter) =
                &self.admission.filters.get(bundle.service.index()).and_then(Option::as_ref)
            {
                let (attack, legitimate) = filter.passing(site.index(), now_s);
                passes = if self.is_attack(index) { attack } else { legitimate };
            }
            refused[index].filtered = 1.0 - passes;
            let rate = if first { self.fluid.rate[index] } else { self.fluid.reaching(index) };
            left[index] = rate * passes;
        }
        self.throttle(&left, &mut refused);
        for (index, bundle) in self.bundles.list.iter().enumerate() {
            let Some(site) = bundle.landing.filter(|_| bundle.requests) else { continue };
            if let Some(Some(shed)) = self.admission.sheds.get(site.index())
                && bundle.cpu_s > 0.0
            {
                let kept = 1.0 - refused[index].filtered - refused[index].over_budget;
                refused[index].shed = kept * (1.0 - shed.parts()[bundle.class.index()]);
            }
        }
        for (bundle, refused) in self.bundles.list.iter_mut().zip(refused) {
            wishes.push(refused.admitted());
            bundle.refused = refused;
        }
    }

    /// What token buckets turn away of the rates that come to them.
    fn throttle(&mut self, rates: &[f64], refused: &mut [Refused]) {
        for row in &mut self.admission.buckets {
            let mine: Vec<usize> = (0..rates.len())
                .filter(|&index| {
                    let bundle = &self.bundles.list[index];
                    bundle.requests
                        && (bundle.landing, bundle.tenant) == (Some(row.site), row.tenant)
                })
                .collect();
            row.offered_per_s = mine.iter().map(|&index| rates[index]).sum();
            if row.offered_per_s > 0.0 {
                let passing = row.bucket.passing_per_s(row.offered_per_s) / row.offered_per_s;
                for index in mine {
                    refused[index].over_budget = (1.0 - refused[index].filtered) * (1.0 - passing);
                }
            }
        }
    }

    /// Controllers of shedding look at their queues.
    pub(super) fn look_at_queues(&mut self) {
        let network = &self.scenario.network;
        for (site, row) in network.sites.iter() {
            let colos = row.colos.iter();
            let capacity: f64 = colos
                .clone()
                .map(|&colo| self.colos[colo].capacity)
                .filter(|capacity| capacity.is_finite())
                .sum();
            let waiting: f64 = colos.map(|&colo| self.backlogs[colo].work_cpu_s).sum();
            let mut offered = vec![0.0; self.scenario.classes.len()];
            for (index, bundle) in self.bundles.list.iter().enumerate() {
                if bundle.landing == Some(site) && bundle.requests && !bundle.dead {
                    let kept = 1.0 - bundle.refused.filtered - bundle.refused.over_budget;
                    let work = self.fluid.reaching(index) * kept * bundle.cpu_s;
                    offered[bundle.class.index()] += work / capacity;
                }
            }
            if let Some(shed) = &mut self.admission.sheds[site.index()]
                && capacity > 0.0
            {
                shed.look(waiting / capacity, &offered);
            }
        }
    }

    /// Schedules the next instant at which a bucket runs empty or a filter changes.
    pub(super) fn foresee_admission(&mut self) {
        let now_s = self.now.seconds();
        let buckets = self.admission.buckets.iter().filter(|row| row.bucket.tokens() > 0.0);
        let empty = buckets.filter_map(|row| row.bucket.empty_in_s(row.offered_per_s));
        let filters = self.admission.filters.iter().flatten();
        let changes = filters.filter_map(|filter| filter.next_change_s(now_s));
        let next_s = empty.chain(changes.map(|at_s| at_s - now_s)).min_by(f64::total_cmp);
        if let Some(next_s) = next_s {
            let at = self.now.after(SimSpan::from_seconds_f64_ceil(next_s).max(SimSpan(1)));
            let event = Event::Admission(self.solution);
            self.outbox.push((at, phase::CHANGE, source::ADMISSION, event));
        }
    }
}
