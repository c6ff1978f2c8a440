//! What a scenario text becomes.

use crate::load::{Loaded, load_text, load_text_with};
use crate::testing::vocabulary;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::net::{
    Billing, GeoPoint, LinkId, LinkKind, LinkModel, PoolId, Queueing, Scheduling, SiteId,
};
use steerlab_engine::scenario::{
    Change, ClientGroupId, DemandId, Elastic, NameId, PrefixId, Rate, ResolverId, Scenario, Source,
    Target, Tcp, TcpModel, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{Action, AnswerScope, FeedKind, ParamValue, Surface};

fn load(text: &str) -> Loaded {
    let head = "format: steerlab-scenario/1\nname: t\nseed: 7\n";
    load_text("t.yaml", format!("{head}{text}").as_bytes(), &vocabulary())
}

fn scenario(text: &str) -> Scenario {
    let loaded = load(text);
    loaded.scenario.clone().unwrap_or_else(|| panic!("{}", crate::render(&loaded, false)))
}

fn codes(text: &str) -> Vec<&'static str> {
    load(text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

const ARMS: &str = "arms: [{id: now, policies: [static-anycast]}]\n";
const SITES: &str = "sites: [{id: ams, at: [52.37, 4.90]}, {id: fra, at: [50.11, 8.68]}, {id: lon, at: [51.51, -0.13]}]\n";

fn seconds(value: u64) -> SimSpan {
    SimSpan::from_seconds(value)
}

#[test]
fn the_smallest_scenario_has_the_documented_defaults() {
    let scenario = scenario(&format!("horizon: 90min\n{ARMS}"));
    assert_eq!((scenario.seed, scenario.replications), (7, 1));
    assert_eq!((scenario.bucket, scenario.traffic_step), (seconds(60), seconds(60)));
    assert_eq!(scenario.client_bucket, seconds(240));
    assert_eq!(scenario.queue_limit, seconds(10));
    assert_eq!(scenario.label, "t");
    assert_eq!(scenario.classes.rows()[0].id, "default");
    assert_eq!(scenario.tenants.rows()[0].id, "default");
    let service = &scenario.services.rows()[0];
    assert_eq!(
        (service.id.as_str(), service.cpu_s, service.response_bytes),
        ("transfer", 0.0, 0.0)
    );
    assert_eq!(scenario.demand_noise.cv, 0.0);
    assert_eq!(scenario.feed(FeedKind::Links).period, seconds(6));
    assert_eq!(scenario.feed(FeedKind::Topology).delay, seconds(1));
    assert_eq!(scenario.actuator(Surface::Announce).delay, seconds(5));
    assert_eq!(scenario.actuator(Surface::Admit).delay, seconds(2));
    assert_eq!(scenario.routing.bgp_convergence_max, seconds(180));
    assert_eq!(scenario.compare.metrics.len(), 2);
    assert_eq!(scenario.arms.rows()[0].policies[0].period, seconds(10));
}

#[test]
fn client_buckets_fit_short_and_odd_runs() {
    let of = |text: &str| scenario(&format!("{text}\n{ARMS}")).client_bucket;
    assert_eq!(of("horizon: 90s\nbucket: 60s"), seconds(60));
    assert_eq!(of("horizon: 7d\nbucket: 60s"), seconds(3_600));
    assert_eq!(of("horizon: 1d\nbucket: 7min"), seconds(9 * 420));
    assert_eq!(of("horizon: 1d\nbucket: 2h"), seconds(7_200));
    assert_eq!(of("horizon: 10s\nbucket: 1min"), seconds(60));
}

#[test]
fn the_network_is_built_as_written() {
    let scenario = scenario(&format!(
        "horizon: 1h\n{ARMS}
sites:
  - id: ams
    at: [52.37, 4.90]
    colos: [{{id: c1, pools: [{{id: old, servers: 10, cores: 32, core_speed: 0.5}}]}}, {{id: c2}}]
  - {{id: fra, label: Frankfurt, at: [50.11, 8.68], pools: [{{id: a, servers: 2, cores: 8}}]}}
neighbours: [{{id: isp, kind: eyeball, asn: 64500, blocks: 4}}]
classes: [{{id: gold, weight: 3}}, {{id: rest}}]
links:
  - {{id: inside, ends: [ams/c1, ams/c2], capacity: 1Tbps}}
  - {{id: long, ends: [ams, fra], capacity: {{forward: 100Gbps, back: 40Gbps}}, weight: {{forward: 5, back: 6}}, srlgs: [cable]}}
  - {{id: out, ends: [fra, isp], capacity: 10Gbps, delay: 2ms, srlgs: [cable], lag_members: 4,
     scheduling: {{weights: {{rest: 7}}}}}}
"
    ));
    let network = &scenario.network;
    let colos: Vec<&str> = network.colos.rows().iter().map(|colo| colo.id.as_str()).collect();
    assert_eq!(colos, ["ams/c1", "ams/c2", "fra"]);
    let pools: Vec<&str> = network.pools.rows().iter().map(|pool| pool.id.as_str()).collect();
    assert_eq!(pools, ["ams/c1/old", "fra/a"]);
    assert_eq!(network.pools.rows()[0].capacity(), 160.0);
    let [inside, long, out] = network.links.rows() else { panic!("three links") };
    assert_eq!((inside.kind, inside.delay), (LinkKind::Dci, SimSpan::ZERO));
    assert_eq!(long.kind, LinkKind::Backbone);
    assert_eq!(long.ends[0], network.site_node(SiteId(0)));
    assert_eq!((long.capacity_bps, long.weight), ([100_000_000_000, 40_000_000_000], [5, 6]));
    // 363 km of great circle at 1.5 times the time of light in fibre: 2.7 ms one way.
    assert!((long.delay.millis() - 2.7).abs() < 0.1, "{:?}", long.delay);
    assert!((long.distance_km.unwrap() - 363.0).abs() < 3.0);
    assert_eq!(
        (out.kind, out.delay, out.preference),
        (LinkKind::Pni, SimSpan::from_millis(2), 300)
    );
    assert_eq!((out.lag_members, out.distance_km), (4, None));
    assert_eq!(out.scheduling, Scheduling::Weighted(vec![3.0, 7.0]));
    assert_eq!(long.srlgs, out.srlgs);
    assert_eq!(network.srlgs.rows(), ["cable"]);
    assert_eq!(network.neighbours.rows()[0].asn, Some(64_500));
    assert_eq!(network.neighbours.rows()[0].blocks, 4);
}

const USERS: &str = "
neighbours: [{id: isp, kind: eyeball}]
links: [{id: out, ends: [ams, isp], capacity: 1Tbps, delay: 1ms}, {id: ams-fra, ends: [ams, fra], capacity: 1Tbps, lag_members: 8}]
tenants: [{id: shop, budget: 5Gbps}, {id: film}]
services:
  - {id: web, cpu: 1500us, request: 1kB, response: 4KiB, protocol: http3}
  - {id: old, response: 10kB, protocol: http1-tls12}
prefixes: [{id: any}, {id: some, sites: [fra, ams], value: 9}]
client_groups:
  - {id: near, at: [52.0, 5.0], weight: 3, neighbour: isp}
  - {id: far, at: [-33.9, 151.2], weight: 1, rtt: {fra: 280ms, ams: 270ms}}
profiles: [{id: evening, peak: 20:30, trough_ratio: 35%}]
demands:
  - {id: pages, clients: all, prefix: any, service: web, rate: 1krps, profile: evening}
  - {id: films, clients: [far], prefix: some, service: old, tenant: film, rate: 8rps}
  - {id: bulk, from: ams, to: fra, rate: 2.5Gbps}
";

#[test]
fn demands_of_clients_are_shared_by_weight() {
    let scenario =
        scenario(&format!("horizon: 1h\nstart: 2025-08-21T16:00:00Z\n{SITES}{ARMS}{USERS}"));
    let rows = scenario.demands.rows();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["pages/near", "pages/far", "films/far", "bulk"]);
    let rates: Vec<Rate> = rows.iter().map(|row| row.rate).collect();
    let expected = [
        Rate::RequestsPerS(750.0),
        Rate::RequestsPerS(250.0),
        Rate::RequestsPerS(8.0),
        Rate::Bps(2.5e9),
    ];
    assert_eq!(rates, expected);
    assert!(rows[0].profile.is_some() && rows[2].profile.is_none());
    assert_eq!((rows[0].tenant, rows[2].tenant), (TenantId(0), TenantId(1)));
    assert!(matches!((rows[3].source, rows[3].target), (Source::Node(_), Target::Node(_))));
    let web = &scenario.services.rows()[0];
    assert_eq!((web.cpu_s, web.request_bytes, web.response_bytes), (0.0015, 1_000.0, 4_096.0));
    assert_eq!((web.setup_round_trips, scenario.services.rows()[1].setup_round_trips), (2.0, 4.0));
    assert_eq!(scenario.prefixes.rows()[0].sites.len(), 3);
    assert_eq!(scenario.prefixes.rows()[1].sites, [SiteId(0), SiteId(1)]);
    let far = &scenario.client_groups.rows()[1];
    assert_eq!(
        far.rtt,
        [(SiteId(0), SimSpan::from_millis(270)), (SiteId(1), SimSpan::from_millis(280))]
    );
    assert_eq!(far.location, Some(GeoPoint { lat: -33.9, lon: 151.2 }));
    assert_eq!(scenario.profiles.rows()[0].peak_time, seconds(73_800));
    assert_eq!(scenario.start_time_of_day, seconds(57_600));
    assert_eq!(scenario.tenants.rows()[0].budget_bps, Some(5_000_000_000));
}

#[test]
fn surges_find_their_demands() {
    let scenario = scenario(&format!(
        "horizon: 1h\nstart: 2025-08-21T16:00:00Z\n{SITES}{ARMS}{USERS}
surges:
  - {{at: 10m, until: 20m, ramp: 5m, factor: 3, demands: [pages]}}
  - {{at: 16:30, factor: 2, tenants: [film]}}
  - {{at: 1m, factor: 2, neighbours: [isp]}}
  - {{at: 1m, factor: 2, near: {{at: [52.37, 4.90], radius_km: 100}}}}
"
    ));
    let found: Vec<Vec<u32>> = scenario
        .surges
        .iter()
        .map(|surge| surge.demands.iter().map(|DemandId(id)| *id).collect())
        .collect();
    assert_eq!(found, [vec![0, 1], vec![2], vec![0], vec![0]]);
    assert_eq!(scenario.surges[0].until, SimTime(seconds(1_200).0));
    assert_eq!(scenario.surges[1].at, SimTime(seconds(1_800).0));
    assert_eq!(scenario.surges[1].until, SimTime::NEVER);
}

#[test]
fn events_and_agents_make_one_timeline() {
    let scenario = scenario(&format!(
        "horizon: 1h\n{}{ARMS}{}
events:
  - fail: {{site: lon, at: 30m, until: 40m, label: power}}
  - degrade: {{link: ams-fra, members_down: 2, at: 5m}}
  - servers-down: {{pool: fra/a, share: 25%, at: 5m, until: 6m}}
  - feed-outage: {{feed: links, at: 1m, until: 2m}}
  - mark: {{at: 59m, label: end}}
agents:
  - {{id: isp-te, steps: [withdraw: {{links: [out], share: 50%, at: 35m}}, restore: {{links: [out], at: 36m}}]}}
",
        SITES.replace("8.68]}", "8.68], pools: [{id: a, servers: 4, cores: 8}]}"),
        USERS.replace("profiles: [{id: evening, peak: 20:30, trough_ratio: 35%}]", "").replace(", profile: evening", "")
    ));
    let minutes = |event: &TimelineEvent| event.at.0 / seconds(60).0;
    let seen: Vec<(u64, &str, &Change)> = scenario
        .timeline
        .iter()
        .map(|event| (minutes(event), event.agent.as_str(), &event.change))
        .collect();
    let links = vec![LinkId(0)];
    let expected = [
        (1, "scenario", Change::FeedOutage(FeedKind::Links, SimTime(seconds(120).0))),
        (5, "scenario", Change::LinkMembersDown(LinkId(1), 2)),
        (5, "scenario", Change::ServersDown(PoolId(0), 0.25)),
        (6, "scenario", Change::ServersDown(PoolId(0), 0.0)),
        (30, "scenario", Change::SiteFails(SiteId(2))),
        (
            35,
            "isp-te",
            Change::NeighbourWithdraws { links: links.clone(), share: 0.5, if_above: None },
        ),
        (36, "isp-te", Change::NeighbourRestores { links }),
        (40, "scenario", Change::SiteRestored(SiteId(2))),
        (59, "scenario", Change::Mark),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(at, agent, change)| (*at, *agent, change)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn policies_get_all_their_parameters() {
    let scenario = scenario(&format!(
        "horizon: 1h\n{SITES}prefixes: [{{id: p}}]\nneighbours: [{{id: isp, kind: peer}}]
arms:
  - id: a
    policies:
      - threshold-withdraw: {{high: 80%, hold: 2min, most: 5, choice: value, spare: 40Gbps, period: 30s}}
      - scripted:
          steps:
            - {{at: 20m, spill: {{from: fra, to: ams, share: 0.25}}, cause: relief}}
            - {{at: 10m, withdraw: {{prefix: p, site: fra}}}}
            - {{at: 30m, limit-tenant: {{tenant: default, neighbour: isp, rate: 1Gbps}}}}
            - {{at: 40m, follow-igp: true}}
"
    ));
    let [threshold, scripted] = scenario.arms.rows()[0].policies.as_slice() else { panic!("two") };
    assert_eq!(threshold.period, seconds(30));
    let value = |name: &str| &threshold.params.iter().find(|(key, _)| key == name).unwrap().1;
    assert_eq!(value("high"), &ParamValue::Ratio(0.8));
    assert_eq!(value("low"), &ParamValue::Ratio(0.6));
    assert_eq!(value("hold"), &ParamValue::Span(seconds(120)));
    assert_eq!(value("most"), &ParamValue::Count(5));
    assert_eq!(value("choice"), &ParamValue::Choice("value".into()));
    assert_eq!(value("spare"), &ParamValue::Rate(40_000_000_000));
    let ParamValue::Script(steps) = &scripted.params[0].1 else { panic!("a script") };
    let names: Vec<&str> = steps.iter().map(|step| step.action.name()).collect();
    assert_eq!(names, ["withdraw", "spill", "limit-tenant", "follow-igp"]);
    assert_eq!((steps[0].cause.as_str(), steps[1].cause.as_str()), ("script", "relief"));
    assert!(matches!(steps[1].action, Action::Spill { share, tenant: None, .. } if share == 0.25));
}

#[test]
fn feeds_and_actuators_are_set_one_by_one() {
    let scenario = scenario(&format!(
        "horizon: 1h\n{ARMS}feeds: {{sites: {{noise: 5%}}}}\n\
         actuators: {{announce: {{jitter: 3s, failure: 1%}}, admit: 9s}}\n\
         routing: {{landing_noise: 0, bgp_convergence: {{mean: 10s}}}}\n"
    ));
    let sites = scenario.feed(FeedKind::Sites);
    assert_eq!((sites.period, sites.delay, sites.noise), (seconds(10), seconds(5), 0.05));
    let announce = scenario.actuator(Surface::Announce);
    assert_eq!((announce.delay, announce.jitter, announce.failure), (seconds(5), seconds(3), 0.01));
    assert_eq!(scenario.actuator(Surface::Admit).delay, seconds(9));
    assert_eq!(scenario.routing.landing_noise, 0.0);
    assert_eq!(scenario.routing.bgp_convergence_mean, seconds(10));
    let oracle = self::scenario(&format!("horizon: 1h\n{ARMS}feeds: {{oracle: true}}\n"));
    assert!(
        oracle.feeds.iter().all(|feed| feed.delay == SimSpan::ZERO && feed.period == seconds(1))
    );
}

#[test]
fn all_mistakes_are_found_in_one_pass() {
    let found = codes(&format!(
        "horizon: 1\nbucket: 1min\nsites: [{{id: ams, att: [1, 2]}}, {{id: ams}}]\n{ARMS}\
         links: [{{id: l, ends: [ams, frx], capacity: 10gbps}}]\nchecks: [x < 1]\nlabl: a\n"
    ));
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, ["E0101", "E0101", "E0205", "E0205", "E0301", "E0302", "E0702"]);
}

#[test]
fn replacements_reach_what_is_written_and_what_is_not() {
    let text = format!(
        "format: steerlab-scenario/1\nname: t\nseed: 7\nhorizon: 1h\n{SITES}{ARMS}\
         links: [{{id: ams-fra, ends: [ams, fra], capacity: 10Gbps}}]\n"
    );
    let with = |sets: &[(&str, &str)]| {
        let sets: Vec<_> = sets.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        load_text_with("t", text.as_bytes(), &sets, &vocabulary())
    };
    let changed = with(&[
        ("replications", "9"),
        ("links.0.capacity", "20Gbps"),
        ("links.ams-fra.weight", "4"),
        ("feeds.sites.noise", "2%"),
        ("arms.now.policies.0", "threshold-withdraw"),
        ("arms.0.policies.0.threshold-withdraw.high", "70%"),
    ]);
    let scenario = changed.scenario.unwrap();
    assert_eq!(scenario.replications, 9);
    let link = &scenario.network.links.rows()[0];
    assert_eq!((link.capacity_bps[0], link.weight[0]), (20_000_000_000, 4));
    assert_eq!(scenario.feeds[0].noise, 0.02);
    assert_eq!(scenario.arms.rows()[0].policies[0].params[0].1, ParamValue::Ratio(0.7));
    let place = |sets: &[(&str, &str)]| {
        let loaded = with(sets);
        let first = &loaded.diagnostics[0];
        (first.code, first.file.clone(), first.column())
    };
    let line = "command line".to_owned();
    assert_eq!(place(&[("links.0.capacity", "fast")]), ("E0201", line.clone(), 24));
    assert_eq!(place(&[("links.9.capacity", "1Gbps")]), ("E0107", line.clone(), 7));
    assert_eq!(place(&[("seed.x", "1")]), ("E0107", line.clone(), 7));
    assert_eq!(place(&[("sede", "1")]), ("E0101", line, 7));
}

#[test]
fn includes_append_lists() {
    let folder = crate::testing::Folder::new("includes");
    folder.write(
        "more.yaml",
        b"links: [{id: l, ends: [ams, fra], capacity: 1Gbps}]\nincludes: [third.yaml]\n",
    );
    folder.write("third.yaml", b"sites: [{id: par}]\nreplications: 3\n");
    let text = format!(
        "format: steerlab-scenario/1\nname: t\nseed: 7\nhorizon: 1h\n{SITES}{ARMS}includes: [more.yaml]\n"
    );
    let path = folder.write("main.yaml", text.as_bytes());
    let loaded = crate::load_file(&path, &vocabulary());
    let shown = loaded.sources.files()[2].name.clone();
    assert_eq!(shown, path.with_file_name("third.yaml").display().to_string());
    let scenario = loaded.scenario.unwrap();
    assert_eq!(scenario.network.sites.len(), 4);
    assert_eq!((scenario.network.links.len(), scenario.replications), (1, 3));
}

#[test]
fn a_missing_file_is_one_error_without_a_place() {
    let loaded = crate::load_file(std::path::Path::new("no/such/file.yaml"), &vocabulary());
    assert!(loaded.scenario.is_none());
    let [only] = loaded.diagnostics.as_slice() else { panic!("one") };
    assert_eq!((only.code, only.line(), only.file.as_str()), ("E0502", 0, "no/such/file.yaml"));
    assert!(crate::render(&loaded, false).contains("there is no such file"));
}

#[test]
fn recordings_become_one_demand_a_pair() {
    let folder = crate::testing::Folder::new("recordings");
    folder.write("hour.csv", crate::testing::ONE_HOUR);
    let text = |sites: &str| {
        format!(
            "format: steerlab-scenario/1\nname: t\nseed: 7\nhorizon: 1h\n{sites}{ARMS}\
             links: [{{id: l, ends: [ams, fra], capacity: 1Gbps}}]\n\
             demands: [{{id: tm, matrix: {{file: hour.csv, scale: 2}}}}]\n"
        )
    };
    let path = folder.write("main.yaml", text(SITES).as_bytes());
    let scenario = crate::load_file(&path, &vocabulary()).scenario.unwrap();
    let ids: Vec<&str> = scenario.demands.rows().iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["tm/ams/fra", "tm/fra/ams"]);
    let matrix = &scenario.matrices.rows()[0];
    assert_eq!((matrix.file.as_str(), matrix.scale, matrix.columns), ("hour.csv", 2.0, 2));
    assert_eq!(*matrix.times, [SimTime(0), SimTime(seconds(1_800).0)]);
    assert_eq!(*matrix.rates_bps, [1_000.0, 2_000.0, 3_000.0, 4_000.0]);
    assert!(matches!(scenario.demands.rows()[1].rate, Rate::Recorded { column: 1, .. }));
    // What is recorded is part of the scenario's identity.
    let before = crate::content_sha256(&scenario);
    let other =
        String::from_utf8(crate::testing::ONE_HOUR.to_vec()).unwrap().replace("4000", "4001");
    folder.write("hour.csv", other.as_bytes());
    let changed = crate::load_file(&path, &vocabulary()).scenario.unwrap();
    assert_ne!(crate::content_sha256(&changed), before);
    // Names in the recording must exist.
    let path = folder.write("main.yaml", text("sites: [{id: ams}, {id: lon}]\n").as_bytes());
    let loaded = crate::load_file(&path, &vocabulary());
    let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
    assert!(
        loaded.scenario.is_none() && codes.iter().filter(|code| **code == "E0301").count() >= 2
    );
}

#[test]
fn what_outlasts_the_run_is_fine_and_what_begins_after_it_is_not() {
    let with = |at: &str, until: &str| {
        codes(&format!(
            "horizon: 1h\n{SITES}{ARMS}events: [fail: {{site: ams, at: {at}, until: {until}}}]\n"
        ))
    };
    assert_eq!(with("30m", "2h"), [] as [&str; 0]);
    assert_eq!(with("90m", "2h"), ["W0802"]);
    assert_eq!(with("1h", "2h"), [] as [&str; 0]);
}

const NAMED: &str = "\
horizon: 1h
sites: [{id: ams, at: [52.37, 4.90]}, {id: fra, at: [50.11, 8.68]}]
prefixes: [{id: any}, {id: only-fra, sites: [fra]}]
client_groups: [{id: g1, weight: 3}, {id: g2}]
services: [{id: web, cpu: 1ms, response: 10kB}]
demands: [{id: users, clients: all, name: www, rate: 4krps}]
";

fn named(dns: &str) -> String {
    format!("{NAMED}{ARMS}dns:\n{dns}")
}

#[test]
fn a_demand_towards_a_name_becomes_one_for_each_answer() {
    let scenario = scenario(&named(
        "  names: [{id: www, ttl: 20s, answers: [only-fra, any]}]
  resolvers:
    - {id: isp, share: 30%, ecs: true}
    - {id: public, at: [50.11, 8.68], shares: {g2: 70%}}
",
    ));
    scenario.assert_consistent();
    let dns = &scenario.dns;
    let ids: Vec<&str> = scenario.demands.rows().iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["users/g1/only-fra", "users/g1/any", "users/g2/only-fra", "users/g2/any"]);
    let rates: Vec<Rate> = scenario.demands.rows().iter().map(|row| row.rate).collect();
    assert_eq!(rates[0], Rate::RequestsPerS(3_000.0));
    assert_eq!(rates[0], rates[1], "each part has the whole rate; the run shares it out");
    assert_eq!(dns.demands.len(), 2);
    assert_eq!((dns.demands[1].id.as_str(), dns.demands[1].first), ("users/g2", DemandId(2)));
    assert_eq!(dns.names.rows()[0].weights, [1.0, 0.0], "all with the first answer as written");
    assert_eq!(dns.caches, steerlab_engine::scenario::Caches::default());
    assert_eq!(dns.mixes[0], [(ResolverId(0), 0.3)]);
    assert_eq!(dns.mixes[1], [(ResolverId(0), 0.3), (ResolverId(1), 0.7)]);
    assert!(dns.resolvers.rows()[0].ecs && !dns.resolvers.rows()[1].ecs);
}

#[test]
fn weights_of_answers_are_shares_of_their_sum() {
    let scenario = scenario(&named(
        "  names: [{id: www, answers: [any, only-fra], weights: {any: 1, only-fra: 3}}]\n",
    ));
    assert_eq!(scenario.dns.names.rows()[0].weights, [0.25, 0.75]);
    assert_eq!(scenario.dns.names.rows()[0].ttl, seconds(60));
}

#[test]
fn a_scenario_without_names_says_nothing_of_dns() {
    let without = scenario(&format!("horizon: 1h\n{ARMS}"));
    assert!(!crate::scenario_json(&without).contains("dns\": {"));
    let json = serde_json::to_value(&without).expect("JSON");
    assert_eq!(json.get("dns"), None);
}

#[test]
fn what_is_wrong_with_dns_is_said_in_one_pass() {
    let of = |dns: &str| codes(&named(dns));
    let www = "  names: [{id: www, answers: [any, only-fra]}]\n";
    assert_eq!(of("  names: [{id: ww, answers: [any]}]\n"), ["E0301"]);
    assert_eq!(of("  names: [{id: www, answers: [any, any]}]\n"), ["E0302"]);
    assert_eq!(of("  names: [{id: www, answers: []}]\n"), ["E0105"]);
    assert_eq!(of("  names: [{id: www, answers: [any], weights: {any: 0}}]\n"), ["E0405"]);
    assert_eq!(of("  names: [{id: www, answers: [any], weights: {only-fra: 1}}]\n"), ["E0414"]);
    assert_eq!(of("  names: [{id: www, ttl: 0s, answers: [any]}]\n"), ["E0202"]);
    assert_eq!(
        of(&format!("{www}  resolvers: [{{id: a, share: 60%}}, {{id: b, shares: {{g2: 41%}}}}]\n")),
        ["E0413"]
    );
    assert_eq!(
        of(&format!("{www}  resolvers: [{{id: a, shares: {{g3: 1%}}}}]\n  sticky_share: 99%\n")),
        ["E0301", "E0413"]
    );
    let both = format!("{}  - {{id: d, clients: all, prefix: any, name: www, rate: 1rps}}\n", "");
    let text = named(www).replace("demands: [", &format!("demands:\n{both}  - "));
    let text = text.replace("rate: 4krps}]", "rate: 4krps}");
    assert_eq!(codes(&text), ["E0104"]);
}

#[test]
fn a_script_answers_names() {
    let arms = |steps: &str| {
        let arms = format!("arms: [{{id: now, policies: [scripted: {{steps: [{steps}]}}]}}]\n");
        named(
            "  names: [{id: www, answers: [any, only-fra]}]\n  resolvers: [{id: r, share: 10%}]\n",
        )
        .replace(ARMS, &arms)
    };
    let good = scenario(&arms(
        "{at: 1m, answer: {name: www, to: {any: 1, only-fra: 3}}}, \
         {at: 2m, answer: {name: www, client_group: g2, to: {only-fra: 1, any: 0}}}, \
         {at: 3m, answer: {name: www, resolver: r}}",
    ));
    let ParamValue::Script(steps) = &good.arms.rows()[0].policies[0].params[0].1 else {
        panic!("a script")
    };
    let actions: Vec<&Action> = steps.iter().map(|step| &step.action).collect();
    let name = NameId(0);
    let of = |scope, answer: &[(PrefixId, f64)]| Action::SetAnswer {
        name,
        scope,
        answer: answer.to_vec(),
    };
    assert_eq!(
        actions,
        [
            &of(AnswerScope::All, &[(PrefixId(0), 1.0), (PrefixId(1), 3.0)]),
            &of(AnswerScope::ClientGroup(ClientGroupId(1)), &[(PrefixId(1), 1.0)]),
            &of(AnswerScope::Resolver(ResolverId(0)), &[]),
        ]
    );
    let wrong = |step: &str| codes(&arms(step));
    assert_eq!(wrong("{at: 1m, answer: {name: www, to: {nobody: 1}}}"), ["E0301"]);
    assert_eq!(wrong("{at: 1m, answer: {name: www, to: {any: 0}}}"), ["E0405"]);
    assert_eq!(wrong("{at: 1m, answer: {name: w, to: {any: 1}}}"), ["E0301"]);
    let both = "{at: 1m, answer: {name: www, client_group: g1, resolver: r}}";
    assert_eq!(wrong(both), ["E0408"]);
}

#[test]
fn a_script_weighs_servers() {
    let arms = |to: &str| {
        let pools = "8.68], pools: [{id: a, servers: 2, cores: 8}, {id: b, servers: 1, cores: 8}]}";
        let sites = SITES
            .replace("8.68]}", pools)
            .replace("-0.13]}", "-0.13], pools: [{id: a, servers: 1, cores: 8}]}");
        let step = format!("{{at: 1m, set-weights: {{to: {to}}}}}");
        let arms = format!("arms: [{{id: now, policies: [scripted: {{steps: [{step}]}}]}}]\n");
        format!("horizon: 1h\n{sites}prefixes: [{{id: p}}]\n{arms}")
    };
    let good = scenario(&arms("{fra/b: 0.5, fra/a: 1}"));
    let ParamValue::Script(steps) = &good.arms.rows()[0].policies[0].params[0].1 else {
        panic!("a script")
    };
    let Action::SetWeights { colo, weights } = &steps[0].action else { panic!("weights") };
    assert_eq!(good.network.colos[*colo].id, "fra");
    assert_eq!(***weights, [1.0, 1.0, 0.5]);
    let drained = scenario(&arms("{fra/b: 1}"));
    let ParamValue::Script(steps) = &drained.arms.rows()[0].policies[0].params[0].1 else {
        panic!("a script")
    };
    let Action::SetWeights { weights, .. } = &steps[0].action else { panic!("weights") };
    assert_eq!(***weights, [0.0, 0.0, 1.0]);
    assert_eq!(codes(&arms("{fra/a: 0}")), ["E0405"]);
    assert_eq!(codes(&arms("{fra/a: 1, lon/a: 1}")), ["E0408"]);
    assert_eq!(codes(&arms("{fra/z: 1}")), ["E0301"]);
}

#[test]
fn links_and_services_have_options() {
    let options = "
sites: [{id: ams, at: [52.37, 4.90]}, {id: fra, at: [50.11, 8.68]}]
tenants: [{id: shop}, {id: video}]
services:
  - {id: web, response: 10kB}
  - {id: video, response: 1MB, elastic: {weight: 3}, tcp: {model: mathis, window: 64kB, loss: 0.1%, flows: 8}}
  - {id: bulk, response: 1MB, elastic: true}
links:
  - {id: plain, ends: [ams, fra], capacity: 10Gbps}
  - {id: deep, ends: [ams, fra], capacity: 10Gbps, backlog: true, ecn: 1ms, scheduling: per-tenant,
     queueing: {model: mg1, packet: 500B, cv2: 2.5}}
  - {id: paid, ends: [ams, fra], capacity: 10Gbps, queueing: md1, scheduling: {tenants: {video: 4}},
     billing: {price_per_mbps: 0.5, commit: 1Gbps}}
";
    let scenario = scenario(&format!("horizon: 1h\n{ARMS}{options}"));
    let [plain, deep, paid] = scenario.network.links.rows() else { panic!("three links") };
    assert!(plain.model.is_default());
    assert_eq!(
        deep.model,
        LinkModel {
            queueing: Queueing::Mg1,
            packet_bits: 4_000.0,
            packet_cv2: 2.5,
            backlog: true,
            ecn: Some(SimSpan::from_millis(1)),
            tenant_weights: vec![1.0, 1.0],
            billing: None,
        }
    );
    assert_eq!(deep.scheduling, Scheduling::StrictPriority);
    assert_eq!((paid.model.queueing, paid.model.packet_bits), (Queueing::Md1, 12_000.0));
    assert_eq!(paid.model.tenant_weights, [1.0, 4.0]);
    let billing = Billing { price_per_mbps: 0.5, commit_bps: 1_000_000_000, percentile: 0.95 };
    assert_eq!(paid.model.billing, Some(billing));
    let [web, video, bulk] = scenario.services.rows() else { panic!("three services") };
    assert_eq!((web.elastic, web.tcp), (None, None));
    assert_eq!(video.elastic, Some(Elastic { weight: 3.0 }));
    let tcp = Tcp {
        model: TcpModel::Mathis,
        window_bytes: 64_000.0,
        mss_bytes: 1_460.0,
        loss_ratio: 0.001,
        flows: Some(8),
    };
    assert_eq!(video.tcp, Some(tcp));
    assert_eq!(bulk.elastic, Some(Elastic { weight: 1.0 }));
}
