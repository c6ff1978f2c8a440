//! DNS steering through whole runs: what is known by arithmetic, and what control theory says.

use steerlab_engine::kernel::{SimSpan, SimTime, Stream, math};
use steerlab_engine::net::testing::plain_site;
use steerlab_engine::net::{Network, SiteId};
use steerlab_engine::record::{
    ActionRecord, Bucket, EventRecord, NoRecorder, Recorder, RunId, RunTotals,
};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Caches, ClientGroup, ClientGroupId, Demand, DemandId, DemandNoise, Dns, DnsName, NameId,
    NamedDemand, Prefix, PrefixId, Profile, ProfileId, Rate, ResolverId, Scenario, ServiceId,
    SharedResolver, Source, Surge, Target, TenantId,
};
use steerlab_engine::steer::{
    Action, AnswerScope, Ask, Descriptor, FeedKind, Param, ParamKind, ParamValue, Policy,
    PolicyRegistry, Refusal, Surface, View,
};

const WWW: NameId = NameId(0);
/// Prefix `a` is announced at site 0 only, `b` at site 1 only.
const A: PrefixId = PrefixId(0);
const B: PrefixId = PrefixId(1);
const RATE: f64 = 1_000.0;

fn seconds(seconds: u64) -> SimSpan {
    SimSpan::from_seconds(seconds)
}

/// Two sites, one unicast prefix each, and client groups of equal demand that ask for `www`, which
/// is answered with `a`. DNS actions take effect at once.
fn scenario(groups: usize, ttl: SimSpan, caches: Caches) -> Scenario {
    let mut network = Network::default();
    plain_site(&mut network, "s0");
    plain_site(&mut network, "s1");
    let mut scenario = plain(network, "script");
    for (id, site) in [("a", SiteId(0)), ("b", SiteId(1))] {
        scenario.prefixes.push(Prefix { id: id.to_owned(), sites: vec![site], value: 1.0 });
    }
    scenario.dns.names.push(DnsName {
        id: "www".to_owned(),
        ttl,
        candidates: vec![A, B],
        weights: vec![1.0, 0.0],
    });
    scenario.dns.caches = caches;
    for index in 0..groups {
        let group = scenario.client_groups.push(ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location: None,
            neighbour: None,
            asn: None,
            weight: 1.0,
            rtt: Vec::new(),
        });
        scenario.dns.mixes.push(Vec::new());
        let first = DemandId(u32::try_from(scenario.demands.len()).expect("few"));
        scenario.dns.demands.push(NamedDemand { id: format!("d{index}"), name: WWW, first });
        for prefix in [A, B] {
            scenario.demands.push(Demand {
                id: format!("d{index}/{}", scenario.prefixes[prefix].id),
                source: Source::Clients(group),
                target: Target::Prefix(prefix),
                service: ServiceId(1),
                tenant: TenantId(0),
                rate: Rate::RequestsPerS(RATE / groups as f64),
                profile: None,
            });
        }
    }
    scenario.actuators[Surface::Dns as usize].delay = SimSpan::ZERO;
    scenario.bucket = seconds(2);
    scenario.client_bucket = scenario.horizon;
    scenario
}

fn obeying() -> Caches {
    Caches { floor_share: 0.0, sticky_share: 0.0, ..Caches::default() }
}

/// Asks at given seconds.
struct Script(Vec<(u64, Action)>);

impl Policy for Script {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        for (at, action) in &self.0 {
            if view.now == SimTime::ZERO.after(seconds(*at)) {
                let _ = ask.request(action.clone(), "test");
            }
        }
    }
}

const BASE: Descriptor = Descriptor {
    name: "script",
    version: 1,
    summary: "",
    source: "",
    surfaces: &[Surface::Dns],
    feeds: &[],
    default_period: SimSpan::from_seconds(1),
    params: &[],
    build: |_| Box::new(Script(Vec::new())),
    check: |_| Ok(()),
};

macro_rules! script {
    ($name:ident, $steps:expr) => {
        struct $name;
        impl PolicyRegistry for $name {
            fn descriptors(&self) -> &[Descriptor] {
                static LIST: [Descriptor; 1] =
                    [Descriptor { build: |_| Box::new(Script($steps)), ..BASE }];
                &LIST
            }
        }
    };
}

fn answer(scope: AnswerScope, answer: &[(PrefixId, f64)]) -> Action {
    Action::SetAnswer { name: WWW, scope, answer: answer.to_vec() }
}

/// Requests at site 0 and site 1 in every bucket, per second; actions and events.
#[derive(Default)]
struct Seen {
    landed: Vec<[f64; 2]>,
    offered: Vec<f64>,
    refusals: Vec<Option<Refusal>>,
    events: Vec<(SimTime, String, String)>,
}

impl Recorder for Seen {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        let of = |site: usize| bucket.sites[site].landed_requests_per_s;
        self.landed.push([of(0), of(1)]);
        self.offered.push(bucket.total.flow.offered_requests);
    }
    fn action(&mut self, action: &ActionRecord<'_>) {
        self.refusals.push(action.refusal);
    }
    fn event(&mut self, event: &EventRecord<'_>) {
        self.events.push((event.at, event.kind.to_owned(), event.label.to_owned()));
    }
}

fn play(
    scenario: &Scenario,
    registry: &dyn PolicyRegistry,
    recorder: &mut dyn Recorder,
) -> RunTotals {
    let id = RunId { arm: ArmId(0), replication: 0 };
    run(scenario, id, registry, recorder, Limits::default(), &|| false)
        .expect("no limit is in reach")
}

/// Mean over [from, to] of what is left on the old answer `t` after a change, with TTL 20 s and
/// the published tail: written here again, by a fine sum, to be compared with.
fn left(caches: &Caches, ttl_s: f64, from: f64, to: f64) -> f64 {
    let at = |t: f64| {
        let uniform = |longest: f64| (1.0 - t / longest).max(0.0);
        let obey = 1.0 - caches.floor_share - caches.sticky_share;
        obey * uniform(ttl_s)
            + caches.floor_share * uniform(caches.ttl_floor.seconds().max(ttl_s))
            + caches.sticky_share * math::exp(-t / caches.sticky_mean.seconds())
    };
    let steps = 2_000;
    let width = (to - from) / f64::from(steps);
    (0..steps).map(|i| at(from + (f64::from(i) + 0.5) * width)).sum::<f64>() / f64::from(steps)
}

script!(SwitchAt100, vec![(100, answer(AnswerScope::All, &[(B, 1.0)]))]);

#[test]
fn a_switched_answer_is_followed_as_caches_age() {
    for caches in [obeying(), Caches::default()] {
        let mut scenario = scenario(1, seconds(20), caches);
        scenario.horizon = seconds(200);
        let mut seen = Seen::default();
        let totals = play(&scenario, &SwitchAt100, &mut seen);
        for (index, landed) in seen.landed.iter().enumerate() {
            let start = index as f64 * 2.0;
            assert!((seen.offered[index] - RATE).abs() < 1e-9, "nothing is lost or made");
            // A step of two seconds while caches empty, one of 52.2 s afterwards.
            let old = match start - 100.0 {
                age if age < 0.0 => 1.0,
                age if age < 60.0 && caches.floor_share > 0.0 => {
                    left(&caches, 20.0, age, age + 2.0)
                }
                age if age < 20.0 => left(&caches, 20.0, age, age + 2.0),
                age if caches.sticky_share == 0.0 && age >= 20.0 => 0.0,
                _ => break,
            };
            assert!((landed[0] / RATE - old).abs() < 1e-7, "{start}: {} of {old}", landed[0]);
            assert!((landed[0] + landed[1] - RATE).abs() < 1e-9);
        }
        // What the run says of staleness is the area under the curve.
        let area = 100.0 * left(&caches, 20.0, 0.0, 100.0) / 200.0;
        let stale = totals.dns_stale_requests / totals.dns_requests;
        assert!(caches.sticky_share > 0.0 || (stale - area).abs() < 1e-9, "{stale} {area}");
        assert_eq!(totals.actions_applied, 1);
    }
}

/// V25: 90 % within 60 s, 2 % after 15 minutes. Constant parts of the curve are long by then, so
/// the mean over the part that holds the instant is compared.
#[test]
fn the_published_tail_comes_out_of_a_run() {
    let mut scenario = scenario(1, seconds(20), Caches::default());
    scenario.horizon = seconds(9_000);
    scenario.bucket = seconds(10);
    scenario.client_bucket = scenario.horizon;
    let mut seen = Seen::default();
    play(&scenario, &SwitchAt100, &mut seen);
    let old = |second: usize| seen.landed[second / 10][0] / RATE;
    assert!(old(150) > 0.10 && old(160) < 0.10, "{} {}", old(150), old(160));
    assert!((old(1_000) - 0.02).abs() < 0.002, "{}", old(1_000));
    assert_eq!(old(8_990), 0.0);
    let settled = seen.events.iter().find(|(_, kind, _)| kind == "dns-settled").expect("settles");
    let expected_s = 522.0 * math::ln(0.112 / 1e-6);
    let settled_s = settled.0.seconds() - 100.0;
    assert!((expected_s..=expected_s + 53.0).contains(&settled_s), "{settled_s} {expected_s}");
    let told = seen.events.iter().find(|(_, kind, _)| kind == "dns-answer").expect("told");
    assert_eq!(told.2, "b 1.000; 0.000 of the requests did not follow the last change yet");
    let last = seen.events.iter().map(|event| event.0).max();
    assert_eq!(last, Some(settled.0), "nothing happens any more");
}

script!(
    BackAndForth,
    vec![
        (100, answer(AnswerScope::All, &[(B, 1.0)])),
        (108, answer(AnswerScope::All, &[(A, 3.0), (B, 1.0)])),
    ]
);

#[test]
fn a_change_before_the_last_has_aged_out() {
    let mut scenario = scenario(1, seconds(20), obeying());
    scenario.horizon = seconds(140);
    let mut seen = Seen::default();
    play(&scenario, &BackAndForth, &mut seen);
    // Middle of the bucket [112, 114): 5/20 fetched since 108, 8/20 between, 7/20 before.
    let a = seen.landed[56][0] / RATE;
    assert!((a - (0.25 * 0.75 + 0.35)).abs() < 1e-9, "{a}");
    assert!((seen.landed[69][0] / RATE - 0.75).abs() < 1e-12);
}

script!(
    Scopes,
    vec![
        (0, answer(AnswerScope::All, &[(B, 1.0)])),
        (10, answer(AnswerScope::ClientGroup(ClientGroupId(0)), &[(A, 1.0)])),
        (20, answer(AnswerScope::Resolver(ResolverId(1)), &[(A, 1.0)])),
        (30, answer(AnswerScope::ClientGroup(ClientGroupId(0)), &[])),
    ]
);

/// Group 0 asks 40 % through a public resolver with client subnet, 60 % through one without. Group
/// 1 asks through its own.
#[test]
fn the_narrowest_scope_that_a_query_tells_decides() {
    let mut scenario = scenario(2, seconds(1), obeying());
    for ecs in [true, false] {
        let id = format!("public-{ecs}");
        scenario.dns.resolvers.push(SharedResolver { id, location: None, ecs });
    }
    scenario.dns.mixes[0] = vec![(ResolverId(0), 0.4), (ResolverId(1), 0.6)];
    scenario.horizon = seconds(40);
    let mut seen = Seen::default();
    play(&scenario, &Scopes, &mut seen);
    let a = |second: usize| seen.landed[second / 2][0] / RATE;
    // What is asked at the very start is how the run begins: no caches to age.
    for (second, expected) in [(0, 0.0), (8, 0.0), (14, 0.2), (24, 0.5), (34, 0.3)] {
        assert!((a(second) - expected).abs() < 1e-12, "{second}: {}", a(second));
    }
}

script!(
    Refused,
    vec![
        (1, answer(AnswerScope::All, &[(A, 1.0)])),
        (2, answer(AnswerScope::All, &[(A, 0.0)])),
        (3, answer(AnswerScope::All, &[(A, f64::NAN)])),
        (4, answer(AnswerScope::All, &[(A, 1.0), (A, 1.0)])),
        (5, answer(AnswerScope::All, &[(PrefixId(2), 1.0)])),
        (6, answer(AnswerScope::All, &[(PrefixId(9), 1.0)])),
        (7, answer(AnswerScope::Resolver(ResolverId(0)), &[(B, 1.0)])),
        (8, answer(AnswerScope::ClientGroup(ClientGroupId(0)), &[(B, 1.0)])),
        (9, answer(AnswerScope::All, &[])),
        (10, Action::FollowIgp),
        (11, answer(AnswerScope::All, &[(A, f64::MAX), (B, f64::MAX)])),
        (12, answer(AnswerScope::Resolver(ResolverId(1)), &[(B, 1.0)])),
    ]
);

#[test]
fn requests_that_mean_nothing_are_refused() {
    let mut scenario = scenario(1, seconds(20), obeying());
    scenario.prefixes.push(Prefix { id: "c".to_owned(), sites: vec![SiteId(0)], value: 1.0 });
    let (location, ecs) = (None, false);
    scenario.dns.resolvers.push(SharedResolver { id: "unused".to_owned(), location, ecs });
    scenario.dns.resolvers.push(SharedResolver { id: "public".to_owned(), location, ecs });
    scenario.dns.mixes[0] = vec![(ResolverId(1), 1.0)];
    let mut seen = Seen::default();
    let totals = play(&scenario, &Refused, &mut seen);
    let expected = [
        Some(Refusal::NoChange),
        Some(Refusal::OutOfRange),
        Some(Refusal::OutOfRange),
        Some(Refusal::NotACandidate),
        Some(Refusal::NotACandidate),
        Some(Refusal::UnknownEntity),
        Some(Refusal::ScopeNotSeen),
        Some(Refusal::ScopeNotSeen),
        Some(Refusal::NoChange),
        Some(Refusal::NotItsSurface),
        Some(Refusal::OutOfRange),
        None,
    ];
    assert_eq!(seen.refusals, expected);
    assert_eq!((totals.actions_refused, totals.actions_applied), (11, 1));
}

script!(
    Undo,
    vec![(100, answer(AnswerScope::All, &[(B, 1.0)])), (200, answer(AnswerScope::All, &[])),]
);

#[test]
fn users_who_follow_answers_are_moved_and_an_answer_undone_is_a_flap() {
    let mut scenario = scenario(2, seconds(20), obeying());
    scenario.horizon = seconds(300);
    let totals = play(&scenario, &Undo, &mut NoRecorder);
    assert_eq!(totals.flaps, 1);
    // Everybody moves twice.
    assert!((totals.moved_requests_per_s - 2.0 * RATE).abs() < 1e-6);
}

script!(
    Restless,
    (0..60)
        .map(|index| {
            let scope = match index % 3 {
                0 => AnswerScope::All,
                _ => AnswerScope::ClientGroup(ClientGroupId(index % 2)),
            };
            let weight = f64::from(index % 7) + 0.1;
            (u64::from(index) * 17, answer(scope, &[(A, weight), (B, 1.0)]))
        })
        .collect()
);

/// What is asked for does not depend on how it is answered: not by noise, not by surges, not by
/// the daily shape, and nothing is lost between the parts.
#[test]
fn a_name_is_asked_for_as_much_as_a_prefix() {
    let mut named = scenario(2, seconds(20), Caches::default());
    named.horizon = seconds(1_200);
    named.demand_noise = DemandNoise { cv: 0.3, step: seconds(7) };
    named.profiles.push(Profile {
        id: "day".to_owned(),
        peak_time: seconds(3_600),
        trough_ratio: 0.4,
        local_time: false,
    });
    named.demands.rows_mut().iter_mut().for_each(|row| row.profile = Some(ProfileId(0)));
    named.surges.push(Surge {
        at: SimTime::ZERO.after(seconds(300)),
        until: SimTime::ZERO.after(seconds(500)),
        ramp: seconds(50),
        factor: 3.0,
        demands: named.demands.ids().collect(),
        label: String::new(),
    });
    let mut plain = named.clone();
    plain.dns = Dns::default();
    plain.demands = (0..2)
        .map(|group| {
            let mut row = named.demands[DemandId(2 * group)].clone();
            row.id = format!("d{group}");
            row
        })
        .collect();
    plain.surges[0].demands = plain.demands.ids().collect();
    let (mut with, mut without) = (Seen::default(), Seen::default());
    let totals = play(&named, &Restless, &mut with);
    play(&plain, &Quiet, &mut without);
    assert_eq!(totals.actions_refused, 0);
    for (with, without) in with.offered.iter().zip(&without.offered) {
        assert!((with - without).abs() <= 1e-11 * without, "{with} {without}");
    }
    assert!(with.landed.iter().any(|landed| landed[1] > 100.0), "answers were followed");
}

script!(Quiet, Vec::new());

/// Holds the share of site 0 at a target: V14 of the case list, x(t+1) = x(t) - g (measured - r),
/// with the lag of the TTL between request and measurement.
struct Integral {
    gain: f64,
    hold: SimSpan,
    weight: f64,
    changed_at: SimTime,
}

const TARGET: f64 = 0.3;

impl Policy for Integral {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let Some(sample) = view.site_feed else { return };
        // Nothing that was seen before the last change has had its effect says anything of it.
        if view.now.since(self.changed_at) < self.hold {
            return;
        }
        let [first, second] = [&sample.values[0], &sample.values[1]];
        let share = first.requests_per_s / (first.requests_per_s + second.requests_per_s);
        let weight = (self.weight - self.gain * (share - TARGET)).clamp(0.001, 0.999);
        if (weight - self.weight).abs() > 1e-4 {
            (self.weight, self.changed_at) = (weight, view.now);
            let split = answer(AnswerScope::All, &[(A, weight), (B, 1.0 - weight)]);
            let _ = ask.request(split, "test");
        }
    }
}

struct Controller;

impl PolicyRegistry for Controller {
    fn descriptors(&self) -> &[Descriptor] {
        const GAIN: Param = Param {
            name: "gain",
            kind: ParamKind::Ratio { min: 0.0, max: 2.0 },
            default: None,
            doc: "",
        };
        const HOLD: Param = Param {
            name: "hold",
            kind: ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(1_000) },
            ..GAIN
        };
        static LIST: [Descriptor; 1] = [Descriptor {
            feeds: &[FeedKind::Sites],
            params: &[GAIN, HOLD],
            build: |params| {
                Box::new(Integral {
                    gain: params.ratio("gain"),
                    hold: params.span("hold"),
                    weight: 1.0,
                    changed_at: SimTime::ZERO,
                })
            },
            ..BASE
        }];
        &LIST
    }
}

/// Largest minus smallest share of site 0 in the second half of an hour, and its last value.
fn swing(gain: f64, hold: SimSpan) -> (f64, f64) {
    let mut scenario = scenario(1, seconds(60), obeying());
    scenario.horizon = seconds(3_600);
    scenario.bucket = seconds(10);
    scenario.client_bucket = scenario.horizon;
    scenario.feeds[FeedKind::Sites as usize].delay = SimSpan::ZERO;
    let spec = &mut scenario.arms.rows_mut()[0].policies[0];
    spec.period = seconds(10);
    spec.params = vec![
        ("gain".to_owned(), ParamValue::Ratio(gain)),
        ("hold".to_owned(), ParamValue::Span(hold)),
    ];
    let mut seen = Seen::default();
    play(&scenario, &Controller, &mut seen);
    let late = seen.landed[180..].iter().map(|landed| landed[0] / RATE);
    let (low, high) = late.clone().fold((1.0_f64, 0.0_f64), |(l, h), x| (l.min(x), h.max(x)));
    (high - low, late.clone().next_back().expect("an hour"))
}

#[test]
fn a_controller_faster_than_the_ttl_swings_and_a_hold_cures_it() {
    let (fast, _) = swing(1.0, SimSpan::ZERO);
    assert!(fast > 0.5, "period 10 s, TTL 60 s, gain 1: {fast}");
    // The hold covers the TTL and one period of the feed: no lag is left, and V14 allows gain 1.
    let (held, end) = swing(1.0, seconds(70));
    assert!(held < 1e-3 && (end - TARGET).abs() < 1e-3, "{held} {end}");
    // So does a small gain without hold, more slowly.
    let (slow, end) = swing(0.1, SimSpan::ZERO);
    assert!(slow < 1e-2 && (end - TARGET).abs() < 1e-2, "{slow} {end}");
}
