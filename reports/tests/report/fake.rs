//! A made-up run directory, large enough to look real: 20 sites, 2 arms, 5 replications, 120
//! buckets. The numbers mean nothing; they only have the shape of an incident.

use crate::fake_summary::{manifest, summary};
use steerlab_results::engine::kernel::{SimSpan, Table};
use steerlab_results::engine::net::{GeoPoint, Link, LinkKind, Network, Pool, Scheduling, SiteId};
use steerlab_results::engine::route::landing::LandingSpec;
use steerlab_results::engine::scenario::{
    ActuatorSpec, Arm, Class, ClientGroup, CompareSpec, DemandNoise, FeedSpec, Fidelity,
    RoutingSpec, Scenario, Tenant,
};
use steerlab_results::view::{ColumnData, DataColumn, DataTable, RunView, Thinned};

/// How large the made-up run is.
#[derive(Clone, Copy)]
pub struct Shape {
    pub arms: usize,
    pub replications: u64,
    pub buckets: usize,
    pub sites: usize,
    pub groups: usize,
}

pub const USUAL: Shape = Shape { arms: 2, replications: 5, buckets: 120, sites: 20, groups: 160 };

const CITIES: [(&str, f64, f64); 20] = [
    ("lhr", 51.5, -0.1),
    ("fra", 50.1, 8.7),
    ("cdg", 48.9, 2.4),
    ("ams", 52.4, 4.9),
    ("mad", 40.4, -3.7),
    ("waw", 52.2, 21.0),
    ("jfk", 40.7, -74.0),
    ("ord", 41.9, -87.6),
    ("dfw", 32.8, -96.8),
    ("lax", 34.1, -118.2),
    ("sea", 47.6, -122.3),
    ("gru", -23.5, -46.6),
    ("jnb", -26.2, 28.0),
    ("nbo", -1.3, 36.8),
    ("bom", 19.1, 72.9),
    ("sin", 1.35, 103.8),
    ("hkg", 22.3, 114.2),
    ("nrt", 35.7, 139.7),
    ("syd", -33.9, 151.2),
    ("dxb", 25.2, 55.3),
];

const LINKS: [(usize, usize); 30] = [
    (0, 1),
    (0, 2),
    (0, 3),
    (1, 3),
    (1, 2),
    (2, 4),
    (1, 5),
    (0, 6),
    (2, 6),
    (6, 7),
    (7, 8),
    (8, 9),
    (9, 10),
    (7, 10),
    (6, 11),
    (4, 11),
    (4, 12),
    (12, 13),
    (13, 19),
    (19, 14),
    (14, 15),
    (15, 16),
    (16, 17),
    (17, 9),
    (17, 10),
    (15, 18),
    (18, 9),
    (1, 19),
    (5, 19),
    (11, 12),
];

/// A number in [0, 1) from a few keys; the same on every machine.
pub fn noise(keys: &[u64]) -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for &key in keys {
        state = (state ^ key).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 32;
    }
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

pub const ARMS: [&str; 3] = ["do-nothing", "spill", "withdraw"];

pub fn scenario(shape: Shape) -> Scenario {
    let mut network = Network::default();
    for index in 0..shape.sites {
        let (id, lat, lon) = CITIES[index % 20];
        let id = if index < 20 { id.to_owned() } else { format!("{id}{index}") };
        let place = GeoPoint { lat: lat + (index / 20) as f64, lon };
        let site = network.add_site(&id, &id, Some(place));
        let colo = network.add_colo(site, &id);
        network.add_pool(Pool {
            id: format!("{id}/pool"),
            colo,
            servers: 40,
            cores: 64,
            core_speed: 1.0,
        });
    }
    for &(a, b) in LINKS.iter().filter(|(a, b)| *a < shape.sites && *b < shape.sites) {
        let ends = [SiteId(a as u32), SiteId(b as u32)].map(|site| network.site_node(site));
        network.links.push(Link {
            id: format!("{}-{}", CITIES[a].0, CITIES[b].0),
            label: String::new(),
            kind: LinkKind::Backbone,
            ends,
            capacity_bps: [400_000_000_000; 2],
            weight: [10; 2],
            delay: SimSpan::from_millis(12),
            lag_members: 4,
            buffer: SimSpan::from_millis(50),
            scheduling: Scheduling::StrictPriority,
            srlgs: vec![],
            preference: 0,
            distance_km: None,
            model: Default::default(),
        });
    }
    let client_groups: Table<_, _> = (0..shape.groups)
        .map(|index| {
            let (city, lat, lon) = CITIES[index % 20];
            let far = |salt| (noise(&[index as u64, salt]) - 0.5) * 16.0;
            ClientGroup {
                id: format!("as{}-{city}", 64_500 + index),
                label: String::new(),
                location: Some(GeoPoint { lat: lat + far(1), lon: lon + far(2) }),
                neighbour: None,
                asn: None,
                weight: 1.0,
                rtt: vec![],
            }
        })
        .collect();
    rest(shape, network, client_groups)
}

fn arm(index: usize) -> Arm {
    let label = ["What happens without steering", "Spill to neighbours above 90 %", ""][index % 3];
    Arm {
        id: ARMS[index % 3].to_owned(),
        label: label.to_owned(),
        policies: vec![],
        balancer: None,
    }
}

fn rest(
    shape: Shape,
    network: Network,
    client_groups: Table<steerlab_results::engine::scenario::ClientGroupId, ClientGroup>,
) -> Scenario {
    let feed = FeedSpec {
        period: SimSpan::from_seconds(30),
        delay: SimSpan::from_seconds(15),
        noise: 0.02,
    };
    let actuator = ActuatorSpec {
        delay: SimSpan::from_seconds(20),
        jitter: SimSpan::from_seconds(10),
        failure: 0.01,
    };
    Scenario {
        name: "fibre-cut-at-peak".to_owned(),
        label: "Two transatlantic fibres cut at the evening peak".to_owned(),
        description: "At 40 minutes a shared conduit fails and takes both Atlantic paths.\n\nThe \
                      question is whether spilling load between sites loses less traffic than \
                      doing nothing, and who pays for it."
            .to_owned(),
        assumptions: vec![
            "Server capacity is that of the reference generation in every site.".to_owned(),
            "Demand follows a made-up daily shape.".to_owned(),
        ],
        seed: 20_240_611,
        start_time_of_day: SimSpan::from_seconds(18 * 3_600),
        start: "2025-03-14T18:00:00Z".to_owned(),
        horizon: SimSpan::from_seconds(7_200),
        bucket: SimSpan::from_seconds(60),
        client_bucket: SimSpan::from_seconds(600),
        traffic_step: SimSpan::from_seconds(60),
        replications: shape.replications as u32,
        network,
        classes: [Class { id: "interactive".to_owned(), weight: 1.0 }].into_iter().collect(),
        tenants: [Tenant { id: "all".to_owned(), label: String::new(), budget_bps: None }]
            .into_iter()
            .collect(),
        services: Table::new(),
        prefixes: Table::new(),
        client_groups,
        profiles: Table::new(),
        matrices: Table::new(),
        demands: Table::new(),
        demand_noise: DemandNoise { cv: 0.1, step: SimSpan::from_seconds(60) },
        surges: vec![],
        fidelity: Fidelity::Fluid,
        timeline: vec![],
        queue_limit: SimSpan::from_seconds(2),
        zoom: Vec::new(),
        routing: RoutingSpec {
            igp_convergence: SimSpan::from_millis(500),
            bgp_convergence_min: SimSpan::from_seconds(5),
            bgp_convergence_mean: SimSpan::from_seconds(30),
            bgp_convergence_max: SimSpan::from_seconds(180),
            landing_noise: 0.2,
        },
        landing: LandingSpec::Nearest,
        announcements: Vec::new(),
        dns: Default::default(),
        caches: Default::default(),
        admission: Default::default(),
        feeds: vec![feed; 4],
        actuators: vec![actuator; 7],
        arms: (0..shape.arms).map(arm).collect(),
        checks: vec![],
        compare: CompareSpec { metrics: vec![], margin: 0.05, confidence: 0.95 },
    }
}

/// A table under construction: rows of (text, number) cells in column order.
struct Builder {
    name: &'static str,
    texts: Vec<(&'static str, Vec<String>)>,
    numbers: Vec<(&'static str, Vec<f64>)>,
    replications: Vec<u64>,
}

impl Builder {
    fn new(name: &'static str, texts: &[&'static str], numbers: &[&'static str]) -> Builder {
        Builder {
            name,
            texts: texts.iter().map(|&name| (name, Vec::new())).collect(),
            numbers: numbers.iter().map(|&name| (name, Vec::new())).collect(),
            replications: Vec::new(),
        }
    }

    fn row(&mut self, replication: u64, texts: &[&str], numbers: &[f64]) {
        assert_eq!((texts.len(), numbers.len()), (self.texts.len(), self.numbers.len()));
        self.replications.push(replication);
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.1.push((*text).to_owned());
        }
        for (column, number) in self.numbers.iter_mut().zip(numbers) {
            column.1.push(*number);
        }
    }

    fn table(self) -> DataTable {
        let text = |(name, values): (&str, Vec<String>)| {
            let mut dictionary: Vec<String> = Vec::new();
            let mut known = std::collections::BTreeMap::new();
            let codes = values
                .into_iter()
                .map(|value| {
                    *known.entry(value.clone()).or_insert_with(|| {
                        dictionary.push(value);
                        dictionary.len() as u32 - 1
                    })
                })
                .collect();
            column(name, ColumnData::Text { dictionary, codes })
        };
        let mut columns: Vec<DataColumn> = self.texts.into_iter().map(text).collect();
        columns.push(column("replication", ColumnData::U64(self.replications)));
        columns.extend(
            self.numbers.into_iter().map(|(name, values)| column(name, ColumnData::F64(values))),
        );
        DataTable { name: self.name.to_owned(), columns }
    }
}

fn column(name: &str, data: ColumnData) -> DataColumn {
    DataColumn { name: name.to_owned(), meaning: String::new(), data }
}

/// How bad it is: rises at bucket 40 of 120, falls when the arm has acted.
fn trouble(arm: usize, part: f64) -> f64 {
    let start = 1.0 / 3.0;
    let end = [0.85, 0.48, 0.55][arm % 3];
    if part < start {
        0.0
    } else if part < end {
        ((part - start) * 20.0).min(1.0)
    } else {
        (1.0 - (part - end) * 12.0).max(0.0)
    }
}

pub fn view(shape: Shape) -> RunView {
    let scenario = scenario(shape);
    let tables = vec![
        actions(shape),
        client_groups(shape, &scenario),
        events(shape),
        links(shape, &scenario),
        moves(shape, &scenario),
        sites(shape, &scenario),
        totals(shape),
    ];
    RunView {
        dir: "unused".into(),
        summary: summary(shape),
        manifest: manifest(),
        scenario,
        tables,
        thinned: Thinned::default(),
    }
}

/// Calls `f(arm, replication, bucket, time)` for every bucket of every run.
fn every(shape: Shape, buckets: usize, width_s: f64, mut f: impl FnMut(usize, u64, usize, f64)) {
    for arm in 0..shape.arms {
        for replication in 0..shape.replications {
            for bucket in 0..buckets {
                f(arm, replication, bucket, bucket as f64 * width_s);
            }
        }
    }
}

fn totals(shape: Shape) -> DataTable {
    let mut table = Builder::new(
        "totals",
        &["arm"],
        &[
            "time_s",
            "bucket_s",
            "offered_bps",
            "served_bps",
            "dropped_bps",
            "dropped_bps_link_full",
            "dropped_bps_loop",
            "dropped_bps_blackhole",
            "moved_requests_per_s",
            "latency_ms_p50",
            "latency_ms_p95",
            "latency_ms_p99",
        ],
    );
    let width = 7_200.0 / shape.buckets as f64;
    every(shape, shape.buckets, width, |arm, replication, bucket, time| {
        let part = time / 7_200.0;
        let bad = trouble(arm, part);
        let shake = 1.0 + 0.03 * (noise(&[replication, bucket as u64, 7]) - 0.5);
        let offered = 2.4e12 * (0.8 + 0.2 * (part * 3.0).sin()) * shake;
        let dropped =
            offered * bad * (0.11 - 0.02 * arm as f64) * (0.8 + 0.4 * noise(&[replication, 9]));
        table.row(
            replication,
            &[ARMS[arm % 3]],
            &[
                time,
                width,
                offered,
                offered - dropped,
                dropped,
                dropped * 0.7,
                dropped * 0.1,
                dropped * 0.2,
                if moving(time, width) { 90_000.0 } else { 0.0 },
                24.0 + bad * 6.0 + arm as f64,
                71.0 + bad * 60.0 * shake,
                118.0 + bad * 160.0 * shake,
            ],
        );
    });
    table.table()
}

fn sites(shape: Shape, scenario: &Scenario) -> DataTable {
    let mut table = Builder::new(
        "sites",
        &["arm", "site"],
        &[
            "time_s",
            "cpu_utilisation_mean",
            "cpu_utilisation_max",
            "landed_requests_per_s",
            "egress_bps",
            "up",
        ],
    );
    let width = 7_200.0 / shape.buckets as f64;
    every(shape, shape.buckets, width, |arm, replication, bucket, time| {
        let bad = trouble(arm, time / 7_200.0);
        for (index, site) in scenario.network.sites.rows().iter().enumerate() {
            let base = 0.35 + 0.4 * noise(&[index as u64, 3]);
            let shake = 0.02 * noise(&[index as u64, bucket as u64, replication]);
            let hit =
                if index < 4 { bad * (0.55 - 0.1 * arm as f64) } else { bad * 0.05 * arm as f64 };
            let load = base + hit + shake;
            let up = if index == 5 && bad > 0.9 { 0.0 } else { 1.0 };
            table.row(
                replication,
                &[ARMS[arm % 3], &site.id],
                &[time, load, load * 1.04, 4e4 * (0.2 + noise(&[index as u64, 5])), 1e11, up],
            );
        }
    });
    table.table()
}

fn links(shape: Shape, scenario: &Scenario) -> DataTable {
    let mut table = Builder::new(
        "links",
        &["arm", "link", "direction"],
        &["time_s", "utilisation_mean", "utilisation_max", "dropped_bps", "capacity_bps"],
    );
    let width = 7_200.0 / shape.buckets as f64;
    every(shape, shape.buckets, width, |arm, replication, bucket, time| {
        let bad = trouble(arm, time / 7_200.0);
        for (index, link) in scenario.network.links.rows().iter().enumerate() {
            for (back, direction) in ["forward", "back"].into_iter().enumerate() {
                let base = 0.2 + 0.4 * noise(&[index as u64, back as u64, 11]);
                let hit = if index % 7 == 0 { bad * 0.7 } else { 0.0 };
                let load = base + hit + 0.02 * noise(&[index as u64, bucket as u64, replication]);
                let down = index == 7 && bad > 0.5;
                table.row(
                    replication,
                    &[ARMS[arm % 3], &link.id, direction],
                    &[
                        time,
                        if down { 0.0 } else { load },
                        if down { 0.0 } else { load * 1.05 },
                        ((load - 1.0) * 4e11).max(0.0),
                        if down { 0.0 } else { 4e11 },
                    ],
                );
            }
        }
    });
    table.table()
}

/// Whether users move in a bucket: after the failure and after the repair.
fn moving(time: f64, width: f64) -> bool {
    [2_400.0, 6_120.0].iter().any(|at| (time..time + width).contains(at))
}

/// Where a group lands: at the site of its city, or elsewhere while that one is in trouble.
fn landing(scenario: &Scenario, group: usize, bad: f64) -> &str {
    let sites = scenario.network.sites.rows();
    let home = group % 20;
    match (bad > 0.5, home) {
        (true, 0) => &sites[3].id,
        (true, 1) => "",
        _ => &sites[group % sites.len()].id,
    }
}

fn client_groups(shape: Shape, scenario: &Scenario) -> DataTable {
    let mut table = Builder::new(
        "client_groups",
        &["arm", "client_group", "landing_site"],
        &[
            "time_s",
            "offered_bps",
            "dropped_bps",
            "offered_requests_per_s",
            "served_requests_per_s",
            "latency_ms_mean",
        ],
    );
    every(shape, 12, 600.0, |arm, replication, bucket, time| {
        let bad = trouble(arm, (time + 300.0) / 7_200.0);
        for (index, group) in scenario.client_groups.rows().iter().enumerate() {
            let key = index as u64;
            let offered = 2e9 * (0.1 + noise(&[key, 21]));
            let hit = if index % 20 < 4 { 1.0 } else { 0.0 };
            let dropped = offered * bad * hit * (0.3 - 0.12 * arm as f64);
            let moved = if arm > 0 && hit > 0.0 { 25.0 * (noise(&[key, 22]) - 0.3) } else { 0.0 };
            let latency = 12.0
                + 90.0 * noise(&[key, 23]).powi(3)
                + bad * moved
                + noise(&[key, bucket as u64, replication]);
            table.row(
                replication,
                &[ARMS[arm % 3], &group.id, landing(scenario, index, bad)],
                &[time, offered, dropped, offered / 1e5, (offered - dropped) / 1e5, latency],
            );
        }
    });
    table.table()
}

/// The ten largest groups of each instant, as routing tells them.
fn moves(shape: Shape, scenario: &Scenario) -> DataTable {
    let mut table = Builder::new(
        "moves",
        &["arm", "cause", "client_group", "prefix", "from", "to", "as_path", "reason"],
        &["time_s", "requests_per_s"],
    );
    let groups = scenario.client_groups.rows();
    let moved: Vec<usize> = (0..groups.len()).filter(|group| group % 20 < 2).take(10).collect();
    for arm in 0..shape.arms {
        for replication in 0..shape.replications {
            for (step, &group) in moved.iter().enumerate() {
                let (home, away) = (landing(scenario, group, 0.0), landing(scenario, group, 1.0));
                let away = if away.is_empty() { "loop" } else { away };
                let rate = 1_000.0 + 100.0 * step as f64 + 10.0 * arm as f64;
                let id = groups[group].id.as_str();
                // The ten largest move at one instant; whoever is not listed moves with them.
                let later = if moved.len() < 10 { 0.1 * step as f64 } else { 0.0 };
                let mut row = |cause, from, to, path, time: f64| {
                    let why = "AS64512: taken: local preference 100, path length 2";
                    let words = [ARMS[arm % 3], cause, id, "anycast", from, to, path, why];
                    table.row(replication, &words, &[time + later, rate]);
                };
                row("Conduit cut off Cornwall", home, away, "64512 64600 64600 64700", 2_400.2);
                row("Spliced", away, home, "64512 64700", 6_120.3);
            }
        }
    }
    table.table()
}

fn events(shape: Shape) -> DataTable {
    let mut table =
        Builder::new("events", &["arm", "kind", "agent", "entity", "label"], &["time_s"]);
    for arm in 0..shape.arms {
        for replication in 0..shape.replications {
            let mut row = |time: f64, words: [&str; 4]| {
                let [kind, agent, entity, label] = words;
                table.row(replication, &[ARMS[arm % 3], kind, agent, entity, label], &[time]);
            };
            row(2_400.0, ["srlg-fails", "scenario", "atlantic", "Conduit cut off Cornwall"]);
            row(2_400.5, ["igp-converged", "network", "backbone", ""]);
            row(
                2_520.0,
                [
                    "neighbour-withdraws",
                    "cloud-automation",
                    "jfk-pni",
                    "Cloud operator drains one session",
                ],
            );
            row(3_300.0, ["surge", "scenario", "video", "Match kicks off"]);
            row(6_120.0, ["srlg-restored", "scenario", "atlantic", "Spliced"]);
        }
    }
    table.table()
}

fn actions(shape: Shape) -> DataTable {
    let mut table = Builder::new(
        "actions",
        &["arm", "policy", "surface", "action", "target", "cause", "refusal"],
        &["number", "time_s", "effect_s"],
    );
    for arm in 1..shape.arms {
        for replication in 0..shape.replications {
            for number in 0..9_u64 {
                let asked = 2_460.0 + number as f64 * 90.0;
                let refused = number == 4;
                let effect = if refused || number == 6 { f64::NAN } else { asked + 24.0 };
                table.row(
                    replication,
                    &[
                        ARMS[arm % 3],
                        "greedy-spill/1",
                        "spill",
                        "spill",
                        "lhr to ams, 20 %",
                        "lhr at 112 % CPU, above 90 %",
                        if refused { "no-change" } else { "" },
                    ],
                    &[number as f64, asked, effect],
                );
            }
        }
    }
    table.table()
}
