//! `dns-steer` through whole runs.

use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::net::{GeoPoint, Network, Pool, SiteId};
use steerlab_engine::record::{Bucket, Recorder, RunId, RunTotals};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Caches, Change, ClientGroup, Demand, DemandId, DnsName, NameId, NamedDemand, PolicySpec,
    Prefix, PrefixId, Rate, ResolverId, Scenario, ServiceId, SharedResolver, Source, Target,
    TenantId, TimelineEvent,
};
use steerlab_engine::steer::{FeedKind, ParamKind, ParamValue, PolicyRegistry, Surface};
use steerlab_policies::BuiltIn;

const NEW_YORK: GeoPoint = GeoPoint { lat: 40.71, lon: -74.01 };
const AMSTERDAM: GeoPoint = GeoPoint { lat: 52.37, lon: 4.90 };
const BOSTON: GeoPoint = GeoPoint { lat: 42.36, lon: -71.06 };
const PARIS: GeoPoint = GeoPoint { lat: 48.86, lon: 2.35 };
const LONDON: GeoPoint = GeoPoint { lat: 51.51, lon: -0.13 };

/// Site 0 in New York, site 1 in Amsterdam, each with `cores` (100 requests/s a core) and a
/// unicast prefix; `www` with TTL 60 s, answered with New York at first. Caches obey.
fn world(cores: [u32; 2], groups: &[(GeoPoint, f64)], params: &[(&str, ParamValue)]) -> Scenario {
    let mut network = Network::default();
    for (id, at, cores) in [("nyc", NEW_YORK, cores[0]), ("ams", AMSTERDAM, cores[1])] {
        let site = network.add_site(id, id, Some(at));
        let colo = network.add_colo(site, id);
        network.add_pool(Pool {
            id: format!("{id}/pool"),
            colo,
            servers: 1,
            cores,
            core_speed: 1.0,
        });
    }
    let mut scenario = plain(network, "dns-steer");
    let candidates = vec![PrefixId(0), PrefixId(1)];
    for (id, site) in [("only-nyc", SiteId(0)), ("only-ams", SiteId(1))] {
        scenario.prefixes.push(Prefix { id: id.to_owned(), sites: vec![site], value: 1.0 });
    }
    scenario.dns.names.push(DnsName {
        id: "www".to_owned(),
        ttl: SimSpan::from_seconds(60),
        candidates: candidates.clone(),
        weights: vec![1.0, 0.0],
    });
    scenario.dns.caches = Caches { floor_share: 0.0, sticky_share: 0.0, ..Caches::default() };
    for (index, (at, rate)) in groups.iter().enumerate() {
        let group = scenario.client_groups.push(ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location: Some(*at),
            neighbour: None,
            asn: None,
            weight: *rate,
            rtt: Vec::new(),
        });
        scenario.dns.mixes.push(Vec::new());
        let first = DemandId(2 * index as u32);
        scenario.dns.demands.push(NamedDemand { id: format!("d{index}"), name: NameId(0), first });
        for &prefix in &candidates {
            scenario.demands.push(Demand {
                id: format!("d{index}/{}", prefix.0),
                source: Source::Clients(group),
                target: Target::Prefix(prefix),
                service: ServiceId(1),
                tenant: TenantId(0),
                rate: Rate::RequestsPerS(*rate),
                profile: None,
            });
        }
    }
    scenario.arms.rows_mut()[0].policies = vec![policy(params)];
    scenario.actuators[Surface::Dns as usize].delay = SimSpan::from_seconds(5);
    scenario.bucket = SimSpan::from_seconds(10);
    scenario.client_bucket = scenario.horizon;
    scenario
}

/// The policy with its defaults but for these.
fn policy(params: &[(&str, ParamValue)]) -> PolicySpec {
    let descriptor = BuiltIn.find("dns-steer").expect("registered");
    let value = |name: &str, kind: ParamKind, default: &str| {
        let given = params.iter().find(|(given, _)| *given == name);
        given.map_or_else(
            || match kind {
                ParamKind::Choice(_) => ParamValue::Choice(default.to_owned()),
                ParamKind::Span { .. } => ParamValue::Span(SimSpan::from_seconds(180)),
                _ => {
                    let percent = default.trim_end_matches('%').parse::<f64>().expect("percent");
                    ParamValue::Ratio(percent / 100.0)
                }
            },
            |(_, value)| value.clone(),
        )
    };
    let of = |param: &steerlab_engine::steer::Param| {
        (param.name.to_owned(), value(param.name, param.kind, param.default.expect("defaults")))
    };
    PolicySpec {
        name: "dns-steer".to_owned(),
        period: SimSpan::from_seconds(10),
        params: descriptor.params.iter().map(of).collect(),
    }
}

fn mode(name: &str) -> (&'static str, ParamValue) {
    ("mode", ParamValue::Choice(name.to_owned()))
}

fn hold(seconds: u64) -> (&'static str, ParamValue) {
    ("hold", ParamValue::Span(SimSpan::from_seconds(seconds)))
}

/// Requests per second at the two sites and their utilisation, in buckets of ten seconds.
#[derive(Default)]
struct Seen {
    landed: Vec<[f64; 2]>,
    used: Vec<[f64; 2]>,
}

impl Recorder for Seen {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.landed.push([0, 1].map(|site: usize| bucket.sites[site].landed_requests_per_s));
        self.used.push([0, 1].map(|site: usize| bucket.sites[site].cpu_utilisation_mean));
    }
}

fn play(scenario: &Scenario) -> (Seen, RunTotals) {
    let mut seen = Seen::default();
    let id = RunId { arm: ArmId(0), replication: 0 };
    let totals = run(scenario, id, &BuiltIn, &mut seen, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (seen, totals)
}

fn at(seconds: u64, change: Change) -> TimelineEvent {
    TimelineEvent {
        at: SimTime::ZERO.after(SimSpan::from_seconds(seconds)),
        agent: "scenario".to_owned(),
        label: String::new(),
        change,
    }
}

#[test]
fn geo_places_users_by_what_queries_tell() {
    let groups = [(BOSTON, 100.0), (PARIS, 300.0)];
    let (seen, totals) = play(&world([100, 100], &groups, &[mode("geo")]));
    assert_eq!(seen.landed[0], [100.0, 300.0], "from the first instant on");
    assert_eq!(seen.landed[59], [100.0, 300.0]);
    assert_eq!(totals.actions_refused, 0);
    // A public resolver in New York, used by half of Paris: misplaced without client subnet.
    for (ecs, landed) in [(false, [250.0, 150.0]), (true, [100.0, 300.0])] {
        let mut scenario = world([100, 100], &groups, &[mode("geo")]);
        let id = "public".to_owned();
        scenario.dns.resolvers.push(SharedResolver { id, location: Some(NEW_YORK), ecs });
        scenario.dns.mixes[1] = vec![(ResolverId(0), 0.5)];
        let (seen, _) = play(&scenario);
        assert_eq!(seen.landed[59], landed, "ecs: {ecs}");
    }
    // Who cannot be told apart keeps the common answer, and is asked for once only.
    let mut scenario = world([100, 100], &groups, &[mode("geo"), hold(0)]);
    scenario.dns.resolvers.push(SharedResolver { id: "r".to_owned(), location: None, ecs: false });
    scenario.dns.mixes[1] = vec![(ResolverId(0), 1.0)];
    let (seen, totals) = play(&scenario);
    assert_eq!((seen.landed[59], totals.actions_refused), ([400.0, 0.0], 1));
}

#[test]
fn users_leave_a_dead_site_and_come_back_after_the_hold() {
    for name in ["geo", "failover", "capacity"] {
        let mut scenario = world([100, 100], &[(BOSTON, 100.0)], &[mode(name)]);
        scenario.horizon = SimSpan::from_seconds(900);
        scenario.timeline =
            vec![at(200, Change::SiteFails(SiteId(0))), at(300, Change::SiteRestored(SiteId(0)))];
        let (seen, _) = play(&scenario);
        assert_eq!(seen.landed[19], [100.0, 0.0], "{name}");
        // Feed up to 11 s, decision up to 10 s, actuator 5 s, TTL 60 s: all gone by 290 s.
        assert_eq!(seen.landed[29], [0.0, 100.0], "{name}");
        assert_eq!(seen.landed[36], [0.0, 100.0], "{name}: it waits");
        assert_eq!(seen.landed[89], [100.0, 0.0], "{name}: it comes back");
    }
}

#[test]
fn failover_does_not_look_at_load() {
    // 150 requests/s need 1.5 cores.
    let scenario = world([1, 100], &[(BOSTON, 150.0)], &[mode("failover"), hold(0)]);
    let (seen, totals) = play(&scenario);
    assert_eq!((seen.landed[59], totals.actions_applied), ([150.0, 0.0], 0));
}

/// Utilisation of site 1 in the last half hour of two: smallest and largest.
fn late(params: &[(&str, ParamValue)]) -> ([f64; 2], f64) {
    // Amsterdam is nearest to all and has 10 cores for 15; London counts 10 times what it does.
    let groups = [(PARIS, 900.0), (LONDON, 600.0)];
    let mut scenario = world([100, 10], &groups, params);
    scenario.client_groups.rows_mut()[1].weight = 60.0;
    scenario.horizon = SimSpan::from_seconds(7_200);
    scenario.client_bucket = scenario.horizon;
    scenario.feeds[FeedKind::Sites as usize].delay = SimSpan::from_seconds(5);
    let (seen, totals) = play(&scenario);
    let late = seen.used[540..].iter().map(|used| used[1]);
    let bounds = late.fold([f64::MAX, 0.0_f64], |[low, high], x| [low.min(x), high.max(x)]);
    (bounds, totals.actions_applied as f64)
}

#[test]
fn capacity_settles_with_a_hold_and_swings_without() {
    // TTL 60 s, period 10 s, feed 15 s, actuator 5 s: a hold of 120 s covers them.
    let ([low, high], actions) = late(&[mode("capacity"), hold(120)]);
    assert!(high <= 0.9 && low >= 0.6 && high - low < 0.02, "{low} {high}");
    assert!(actions < 20.0, "{actions}");
    let ([low, high], actions) = late(&[mode("capacity"), hold(0)]);
    assert!(high - low > 0.3, "{low} {high}");
    assert!(actions > 50.0, "{actions}");
}
