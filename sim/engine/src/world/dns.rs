//! DNS answers in force, and which of them users follow.

use super::requests::FLAP_WINDOW;
use super::{Event, World, phase, source};
use crate::kernel::{Id, SimSpan, SimTime, Table};
use crate::record::Recorder;
use crate::route::dns::{Ageing, Answers};
use crate::scenario::{ClientGroupId, NameId, PrefixId, ResolverId, Scenario};
use crate::steer::{AnswerScope, Refusal};
use std::collections::BTreeMap;
use std::rc::Rc;

/// One way in which a client group asks for a name.
#[derive(Clone, Debug)]
struct Way {
    /// A shared resolver; none: the group's own.
    resolver: Option<ResolverId>,
    /// Whether its queries tell who asks.
    tells_group: bool,
    /// Share of the group's requests.
    share: f64,
    answers: Answers,
}

/// A client group that asks for a name.
#[derive(Clone, Debug)]
struct Asker {
    name: NameId,
    group: ClientGroupId,
    ways: Vec<Way>,
    /// Its demands towards the name, as positions in the scenario's list.
    demands: Vec<usize>,
    /// Share of its requests for each candidate now.
    shares: Vec<f64>,
    /// Share of its requests that follow an earlier answer than the last.
    stale: f64,
    /// Whether not everybody follows the last answer yet.
    moving: bool,
}

impl Asker {
    /// Shares between two instants, from what has been answered.
    fn refresh(&mut self, ageing: &Ageing, interval: (SimTime, SimTime)) {
        self.shares.fill(0.0);
        self.stale = 0.0;
        self.moving = false;
        for way in &self.ways {
            let stale = way.answers.add_shares(ageing, interval, way.share, &mut self.shares);
            self.stale += way.share * stale;
            self.moving |= !way.answers.settled();
        }
        let total: f64 = self.shares.iter().sum();
        assert!((total - 1.0).abs() < 1e-12, "shares of answers add up to {total}");
    }
}

/// Answers of a scope that were replaced, for telling what undoes an earlier change.
#[derive(Clone, Debug)]
struct Replaced {
    at: SimTime,
    before: Option<Rc<[f64]>>,
}

/// DNS during a run.
#[derive(Debug)]
pub(crate) struct DnsState {
    /// Answers as last requested, by scope; they may not be in force yet.
    pub requested: BTreeMap<(NameId, AnswerScope), Rc<[f64]>>,
    in_force: BTreeMap<(NameId, AnswerScope), Rc<[f64]>>,
    replaced: BTreeMap<(NameId, AnswerScope), Replaced>,
    ageing: Table<NameId, Ageing>,
    askers: Vec<Asker>,
    asker_of: BTreeMap<(NameId, ClientGroupId), usize>,
    /// Asker of each group whose first demand is towards a name.
    main: Vec<Option<usize>>,
    /// Number of the step that is due; steps foreseen before a later change are void.
    number: u64,
    /// Instant of the step that is due, if any is.
    due_at: Option<SimTime>,
    /// Requests towards names so far.
    pub requests: f64,
    /// Those of them that followed an earlier answer than the last.
    pub stale_requests: f64,
}

/// A request's weights as shares of queries for each candidate of a name; none where it is empty.
fn shares_of(scenario: &Scenario, name: NameId, answer: &[(PrefixId, f64)]) -> Option<Rc<[f64]>> {
    let total: f64 = answer.iter().map(|(_, weight)| weight).sum();
    let of = |prefix: &PrefixId| answer.iter().find(|(given, _)| given == prefix);
    let candidates = scenario.dns.names[name].candidates.iter();
    (!answer.is_empty())
        .then(|| candidates.map(|prefix| of(prefix).map_or(0.0, |given| given.1 / total)).collect())
}

impl DnsState {
    pub fn new(scenario: &Scenario) -> DnsState {
        let dns = &scenario.dns;
        let mut askers: Vec<Asker> = Vec::new();
        let mut known: BTreeMap<(NameId, ClientGroupId), usize> = BTreeMap::new();
        for (index, demand) in dns.demands.iter().enumerate() {
            let key = (demand.name, dns.group_of(scenario, demand));
            let asker = *known.entry(key).or_insert_with(|| {
                askers.push(new_asker(scenario, key.0, key.1));
                askers.len() - 1
            });
            askers[asker].demands.push(index);
        }
        let mut main = vec![None; scenario.client_groups.len()];
        let mut seen = vec![false; scenario.client_groups.len()];
        for (id, demand) in scenario.demands.iter().filter(|_| !dns.is_empty()) {
            if let crate::scenario::Source::Clients(group) = demand.source
                && !std::mem::replace(&mut seen[group.index()], true)
            {
                let whole = dns.whole_of(id).map(|(_, whole)| whole.name);
                main[group.index()] = whole.and_then(|name| known.get(&(name, group)).copied());
            }
        }
        let ageing = dns.names.rows().iter().map(|name| Ageing::new(name.ttl, &dns.caches));
        DnsState {
            requested: BTreeMap::new(),
            in_force: BTreeMap::new(),
            replaced: BTreeMap::new(),
            ageing: ageing.collect(),
            askers,
            asker_of: known,
            main,
            number: 0,
            due_at: None,
            requests: 0.0,
            stale_requests: 0.0,
        }
    }

    /// Number of the step that is due.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The prefix that most requests of a group go to, if its first demand is towards a name; the
    /// first of equals.
    pub fn main_prefix(&self, scenario: &Scenario, group: ClientGroupId) -> Option<PrefixId> {
        let asker = &self.askers[(*self.main.get(group.index())?)?];
        let candidates = &scenario.dns.names[asker.name].candidates;
        let mut best = 0;
        for (index, share) in asker.shares.iter().enumerate() {
            if *share > asker.shares[best] {
                best = index;
            }
        }
        Some(candidates[best])
    }

    /// Checks a request whose entities all exist.
    pub fn check(
        &self,
        scenario: &Scenario,
        name: NameId,
        scope: AnswerScope,
        answer: &[(PrefixId, f64)],
    ) -> Result<(), Refusal> {
        let candidates = &scenario.dns.names[name].candidates;
        let twice = |index: usize| answer[..index].iter().any(|(p, _)| *p == answer[index].0);
        if answer.iter().any(|(prefix, _)| !candidates.contains(prefix))
            || (0..answer.len()).any(twice)
        {
            return Err(Refusal::NotACandidate);
        }
        let total: f64 = answer.iter().map(|(_, weight)| weight).sum();
        if answer.iter().any(|(_, weight)| *weight <= 0.0 || weight.is_nan()) || !total.is_finite()
        {
            return Err(Refusal::OutOfRange);
        }
        let seen = |way: &Way, group: ClientGroupId| match scope {
            AnswerScope::All => true,
            AnswerScope::ClientGroup(wanted) => group == wanted && way.tells_group,
            AnswerScope::Resolver(wanted) => way.resolver == Some(wanted),
        };
        let asks = |asker: &Asker| asker.ways.iter().any(|way| seen(way, asker.group));
        if !self.asking(name, scope).any(|index| asks(&self.askers[index])) {
            return Err(Refusal::ScopeNotSeen);
        }
        let known = self.requested.get(&(name, scope));
        let same = match shares_of(scenario, name, answer) {
            Some(shares) if scope == AnswerScope::All && known.is_none() => {
                *shares == *scenario.dns.names[name].weights
            }
            Some(shares) => known == Some(&shares),
            None => known.is_none(),
        };
        if same { Err(Refusal::NoChange) } else { Ok(()) }
    }

    /// A request is under way.
    pub fn note_request(
        &mut self,
        scenario: &Scenario,
        name: NameId,
        scope: AnswerScope,
        answer: &[(PrefixId, f64)],
    ) {
        match shares_of(scenario, name, answer) {
            Some(shares) => self.requested.insert((name, scope), shares),
            None => self.requested.remove(&(name, scope)),
        };
    }

    /// What a query is answered with: the narrowest scope it is known to be in decides.
    fn answer_to(&self, scenario: &Scenario, asker: &Asker, way: &Way) -> Rc<[f64]> {
        let of = |scope| self.in_force.get(&(asker.name, scope));
        let group = way.tells_group.then_some(AnswerScope::ClientGroup(asker.group));
        group
            .and_then(of)
            .or_else(|| way.resolver.and_then(|id| of(AnswerScope::Resolver(id))))
            .or_else(|| of(AnswerScope::All))
            .map_or_else(|| Rc::from(scenario.dns.names[asker.name].weights.as_slice()), Rc::clone)
    }

    /// Puts an answer in force. Returns whether it undoes the last change of its scope soon after.
    fn put(&mut self, now: SimTime, key: (NameId, AnswerScope), shares: Option<Rc<[f64]>>) -> bool {
        let before = match &shares {
            Some(shares) => self.in_force.insert(key, Rc::clone(shares)),
            None => self.in_force.remove(&key),
        };
        let last = self.replaced.insert(key, Replaced { at: now, before });
        last.is_some_and(|last| last.before == shares && now.since(last.at) <= FLAP_WINDOW)
    }

    /// Who asks for a name and may be in a scope.
    fn asking(&self, name: NameId, scope: AnswerScope) -> impl Iterator<Item = usize> + '_ {
        let (from, to) = match scope {
            AnswerScope::ClientGroup(group) => (group, group),
            _ => (ClientGroupId(0), ClientGroupId(u32::MAX)),
        };
        self.asker_of.range((name, from)..=(name, to)).map(|(_, index)| *index)
    }

    /// Whoever may be in a scope gets what is in force now.
    fn answer_again(
        &mut self,
        scenario: &Scenario,
        name: NameId,
        scope: AnswerScope,
        now: SimTime,
    ) {
        for index in self.asking(name, scope).collect::<Vec<_>>() {
            for way in 0..self.askers[index].ways.len() {
                let asker = &self.askers[index];
                let answer = self.answer_to(scenario, asker, &asker.ways[way]);
                let answers = &mut self.askers[index].ways[way].answers;
                if now == SimTime::ZERO {
                    // How a run begins is known to all caches.
                    *answers = Answers::always(answer);
                } else {
                    answers.change(now, &answer);
                }
            }
            self.askers[index].moving = true;
        }
    }

    /// How long shares may be taken as constant from now on; none if nothing moves. Forgets what
    /// has aged out.
    fn next_step(&mut self, now: SimTime) -> Option<SimSpan> {
        let mut least: Option<f64> = None;
        for asker in self.askers.iter_mut().filter(|asker| asker.moving) {
            let ageing = &self.ageing[asker.name];
            for way in &mut asker.ways {
                way.answers.forget(ageing, now);
                if let Some(changed_at) = way.answers.changed_at() {
                    let step_s = ageing.step_s(now.since(changed_at).seconds());
                    least = Some(least.map_or(step_s, |least| least.min(step_s)));
                }
            }
        }
        least.map(SimSpan::from_seconds_f64_ceil)
    }
}

fn new_asker(scenario: &Scenario, name: NameId, group: ClientGroupId) -> Asker {
    let dns = &scenario.dns;
    let start: Rc<[f64]> = Rc::from(dns.names[name].weights.as_slice());
    let way = |resolver: Option<ResolverId>, share: f64| Way {
        resolver,
        tells_group: resolver.is_none_or(|id| dns.resolvers[id].ecs),
        share,
        answers: Answers::always(Rc::clone(&start)),
    };
    let mix = &dns.mixes[group.index()];
    let mut ways: Vec<Way> = mix.iter().map(|&(id, share)| way(Some(id), share)).collect();
    let own = 1.0 - mix.iter().map(|(_, share)| share).sum::<f64>();
    if own > 1e-12 || ways.is_empty() {
        ways.push(way(None, own));
    }
    let total: f64 = ways.iter().map(|way| way.share).sum();
    ways.iter_mut().for_each(|way| way.share /= total);
    Asker {
        name,
        group,
        ways,
        demands: Vec::new(),
        shares: start.to_vec(),
        stale: 0.0,
        moving: false,
    }
}

impl World<'_> {
    /// Shares out what is asked for by name as the run begins.
    pub fn start_dns(&mut self) {
        for asker in 0..self.dns.askers.len() {
            self.share_out(asker);
        }
    }

    /// From now on queries of a scope are answered so.
    pub fn answer(
        &mut self,
        name: NameId,
        scope: AnswerScope,
        answer: &[(PrefixId, f64)],
        recorder: &mut dyn Recorder,
    ) {
        let shares = shares_of(self.scenario, name, answer);
        if self.dns.put(self.now, (name, scope), shares) {
            self.requests.flaps += 1;
        }
        self.tell_answer(name, scope, answer, recorder);
        self.dns.answer_again(self.scenario, name, scope, self.now);
        // One step for all answers that change at this instant.
        if self.dns.due_at != Some(self.now) {
            self.step_at(self.now, phase::TRAFFIC);
        }
    }

    /// Schedules the step in place of the one that was due.
    fn step_at(&mut self, at: SimTime, phase: crate::kernel::Phase) {
        self.dns.number += 1;
        self.dns.due_at = Some(at);
        self.outbox.push((at, phase, source::DNS, Event::DnsStep(self.dns.number)));
    }

    /// Answers changed, or caches have aged.
    pub fn age_answers(&mut self, recorder: &mut dyn Recorder) {
        if !self.move_shares() && self.now > SimTime::ZERO {
            self.tell(recorder, "dns-settled", "network", "", "");
        }
    }

    /// New shares for all askers that move, up to the next step, which is scheduled. Returns
    /// whether anybody still moves.
    fn move_shares(&mut self) -> bool {
        self.dns.due_at = None;
        let step = self.dns.next_step(self.now);
        let until = self.now.after(step.unwrap_or(SimSpan::ZERO));
        for index in 0..self.dns.askers.len() {
            if self.dns.askers[index].moving {
                let before = self.dns.askers[index].shares.clone();
                let asker = &mut self.dns.askers[index];
                asker.refresh(&self.dns.ageing[asker.name], (self.now, until));
                self.count_moved(index, &before);
                self.share_out(index);
            }
        }
        self.solution_stale = true;
        if step.is_some() {
            self.step_at(until, phase::TRAFFIC);
        }
        step.is_some()
    }

    fn share_out(&mut self, asker: usize) {
        let asker = &self.dns.askers[asker];
        for &demand in &asker.demands {
            let parts = self.scenario.dns.parts(&self.scenario.dns.demands[demand]);
            self.demands.share_out(demand, parts, &asker.shares);
        }
    }

    /// Requests whose landing site changed because they follow another answer.
    fn count_moved(&mut self, asker: usize, before: &[f64]) {
        if self.now == SimTime::ZERO {
            return;
        }
        let asker = &self.dns.askers[asker];
        let scenario = self.scenario;
        // What leaves a site for a prefix that lands there too has not moved.
        let mut gained: BTreeMap<Option<crate::net::SiteId>, f64> = BTreeMap::new();
        let candidates = &scenario.dns.names[asker.name].candidates;
        for ((&prefix, now), before) in candidates.iter().zip(&asker.shares).zip(before) {
            let fate = self.steering.fate(scenario.prefixes.len(), asker.group, prefix);
            *gained.entry(fate.site()).or_default() += now - before;
        }
        let moved: f64 = gained.values().filter(|share| **share > 0.0).sum();
        let rate: f64 = asker.demands.iter().map(|&demand| self.demands.whole[demand]).sum();
        self.ledger.moved_requests_per_s += moved * rate;
    }

    /// Tells of an answer before it is in force.
    fn tell_answer(
        &self,
        name: NameId,
        scope: AnswerScope,
        answer: &[(PrefixId, f64)],
        recorder: &mut dyn Recorder,
    ) {
        let (mut rate, mut stale) = (0.0, 0.0);
        for asker in self.dns.askers.iter().filter(|asker| asker.name == name) {
            let whole: f64 = asker.demands.iter().map(|&demand| self.demands.whole[demand]).sum();
            rate += whole;
            stale += whole * asker.stale;
        }
        let total: f64 = answer.iter().map(|(_, weight)| weight).sum();
        let words: Vec<String> = answer
            .iter()
            .map(|(prefix, weight)| {
                format!("{} {:.3}", self.scenario.prefixes[*prefix].id, weight / total)
            })
            .collect();
        let words = if words.is_empty() { "no own answer".to_owned() } else { words.join(", ") };
        let stale = if rate > 0.0 { stale / rate } else { 0.0 };
        let target = super::requests::answer_target(name, scope, self.scenario);
        let label =
            format!("{words}; {stale:.3} of the requests did not follow the last change yet");
        self.tell(recorder, "dns-answer", "network", &target, &label);
    }

    /// Counts requests towards names, and those that follow an earlier answer.
    pub fn count_dns(&mut self, seconds: f64) {
        for asker in &self.dns.askers {
            let rate: f64 = asker.demands.iter().map(|&demand| self.demands.whole[demand]).sum();
            self.dns.requests += rate * seconds;
            self.dns.stale_requests += rate * asker.stale * seconds;
        }
    }
}
