//! Made-up worlds of a given size, for benchmarks and first experiments.
//!
//! The world is written in the language itself and then read like any included file, so every
//! check holds for it too. Chance comes from the engine's keyed streams: the same keys give the
//! same text on every machine, and more client groups do not move the first ones.

use crate::typed::Fields;
use std::fmt::Write as _;
use steerlab_engine::kernel::{Stream, StreamKey, entity_hash, math};

/// Metros: latitude, longitude, and inhabitants of the urban area in millions (rounded general
/// knowledge; they only shape made-up worlds).
const METROS: [(f64, f64, f64); 72] = [
    (35.68, 139.69, 37.0),
    (28.61, 77.21, 32.0),
    (31.23, 121.47, 28.0),
    (23.81, 90.41, 23.0),
    (-23.55, -46.63, 22.0),
    (19.43, -99.13, 22.0),
    (30.04, 31.24, 22.0),
    (19.08, 72.88, 21.0),
    (34.69, 135.50, 19.0),
    (40.71, -74.01, 19.0),
    (24.86, 67.01, 17.0),
    (41.01, 28.98, 15.0),
    (6.52, 3.38, 15.0),
    (-34.60, -58.38, 15.0),
    (14.60, 120.98, 14.0),
    (-22.91, -43.17, 13.0),
    (12.97, 77.59, 13.0),
    (34.05, -118.24, 12.5),
    (55.76, 37.62, 12.5),
    (13.08, 80.27, 11.5),
    (4.71, -74.07, 11.3),
    (48.86, 2.35, 11.1),
    (-6.21, 106.85, 11.0),
    (-12.05, -77.04, 11.0),
    (13.76, 100.50, 10.9),
    (37.57, 126.98, 9.9),
    (51.51, -0.13, 9.5),
    (35.69, 51.39, 9.4),
    (41.88, -87.63, 8.9),
    (10.82, 106.63, 9.0),
    (3.15, 101.70, 8.4),
    (22.32, 114.17, 7.6),
    (24.71, 46.68, 7.5),
    (-26.20, 28.05, 6.1),
    (1.35, 103.82, 6.0),
    (40.42, -3.70, 6.7),
    (43.65, -79.38, 6.3),
    (29.76, -95.37, 6.6),
    (25.76, -80.19, 6.3),
    (32.78, -96.80, 6.5),
    (33.75, -84.39, 6.0),
    (38.91, -77.04, 5.5),
    (39.95, -75.17, 5.8),
    (41.39, 2.17, 5.7),
    (59.93, 30.34, 5.5),
    (-33.87, 151.21, 5.1),
    (-37.81, 144.96, 5.2),
    (-1.29, 36.82, 5.1),
    (52.52, 13.41, 4.5),
    (42.36, -71.06, 4.4),
    (33.45, -112.07, 4.7),
    (41.90, 12.50, 4.3),
    (37.77, -122.42, 3.3),
    (47.61, -122.33, 3.5),
    (45.46, 9.19, 3.2),
    (-33.92, 18.42, 4.9),
    (25.20, 55.27, 3.5),
    (37.98, 23.73, 3.2),
    (38.72, -9.14, 3.0),
    (50.45, 30.52, 3.0),
    (53.48, -2.24, 2.8),
    (44.43, 26.10, 1.8),
    (48.21, 16.37, 2.0),
    (52.23, 21.01, 1.8),
    (50.11, 8.68, 2.3),
    (52.37, 4.90, 2.5),
    (59.33, 18.07, 1.7),
    (55.68, 12.57, 1.4),
    (50.85, 4.35, 2.1),
    (53.35, -6.26, 1.3),
    (60.17, 24.94, 1.3),
    (-36.85, 174.76, 1.7),
];

/// CPU time of a generated request, seconds; the text below says the same.
const CPU_S: f64 = 0.005;
/// Bits of a generated request and its answer.
const BITS: f64 = 51_000.0 * 8.0;
/// Cores of a generated server.
const CORES: f64 = 64.0;

/// A place with its unit vector, for fast comparisons of distance.
#[derive(Clone, Copy)]
struct Place {
    lat: f64,
    lon: f64,
    vector: [f64; 3],
}

impl Place {
    fn new(lat: f64, lon: f64) -> Place {
        let lat = lat.clamp(-85.0, 85.0);
        let lon = if lon > 180.0 {
            lon - 360.0
        } else if lon < -180.0 {
            lon + 360.0
        } else {
            lon
        };
        let radians = std::f64::consts::PI / 180.0;
        let (phi, lambda) = (lat * radians, lon * radians);
        let vector = [
            math::cos(phi) * math::cos(lambda),
            math::cos(phi) * math::sin(lambda),
            math::sin(phi),
        ];
        Place { lat, lon, vector }
    }

    /// Larger is nearer.
    fn nearness(&self, other: &Place) -> f64 {
        self.vector.iter().zip(&other.vector).map(|(a, b)| a * b).sum()
    }
}

fn stream(seed: u64, kind: &str, id: &str) -> Stream {
    Stream::new(StreamKey {
        seed,
        replication: 0,
        purpose: "generate",
        entity: entity_hash(kind, id),
    })
}

/// The world of checked `generate` keys, in the language itself.
pub(crate) fn text(fields: &Fields) -> Option<String> {
    let seed = fields.count("seed")?;
    let rate = fields.number("rate")?;
    let sites = places(seed, usize::try_from(fields.count("sites")?).ok()?);
    let groups = groups(seed, usize::try_from(fields.count("client_groups")?).ok()?);
    let share = shares(&sites, &groups);
    let headroom = fields.number("headroom")?;
    let degree = usize::try_from(fields.count("backbone_degree")?).ok()?;
    let trough = fields.number("trough_ratio")?;
    let mut out = String::from("# Made by `generate`.\nsites:\n");
    for (index, place) in sites.iter().enumerate() {
        let requests = rate * share[index] * headroom;
        let servers = math::floor(requests * CPU_S / CORES) + 2.0;
        let _ = writeln!(
            out,
            "  - {{id: {}, at: [{:.4}, {:.4}], pools: [{{id: a, servers: {servers:.0}, cores: 64}}]}}",
            site_id(index),
            place.lat,
            place.lon
        );
    }
    out.push_str("neighbours: [{id: generated-transit, kind: transit}]\nlinks:\n");
    for (index, share) in share.iter().enumerate() {
        let site = site_id(index);
        // Nobody connects a site with less than 10 Gbit/s.
        let gbps = math::floor(rate * share * headroom * BITS / 1e9) + 10.0;
        let _ = writeln!(
            out,
            "  - {{id: {site}-transit, ends: [{site}, generated-transit], capacity: {gbps:.0}Gbps, \
             delay: 1ms}}"
        );
    }
    for (a, b) in backbone(&sites, degree) {
        let (a, b) = (site_id(a), site_id(b));
        let _ = writeln!(out, "  - {{id: {a}-{b}, ends: [{a}, {b}], capacity: 400Gbps}}");
    }
    out.push_str("client_groups:\n");
    for (index, (place, weight)) in groups.iter().enumerate() {
        let _ = writeln!(
            out,
            "  - {{id: {}, at: [{:.4}, {:.4}], neighbour: generated-transit, weight: {weight:.6}}}",
            group_id(index),
            place.lat,
            place.lon
        );
    }
    out.push_str(
        "prefixes: [{id: generated}]\n\
         services: [{id: generated, cpu: 5ms, request: 1kB, response: 50kB}]\n",
    );
    let profile = if trough < 1.0 {
        let _ = writeln!(
            out,
            "profiles: [{{id: generated, peak: 20:30, trough_ratio: {trough}, local: true}}]"
        );
        ", profile: generated"
    } else {
        ""
    };
    let milli = math::floor(rate * 1_000.0);
    let _ = writeln!(
        out,
        "demands: [{{id: generated, clients: all, prefix: generated, service: generated, rate: \
         {:.3}rps{profile}}}]",
        milli / 1_000.0
    );
    Some(out)
}

fn site_id(index: usize) -> String {
    format!("site-{:04}", index + 1)
}

fn group_id(index: usize) -> String {
    format!("group-{:05}", index + 1)
}

/// Sites: the metros in order, then again beside them.
fn places(seed: u64, count: usize) -> Vec<Place> {
    let place = |index: usize| {
        let (lat, lon, _) = METROS[index % METROS.len()];
        if index < METROS.len() {
            return Place::new(lat, lon);
        }
        let mut stream = stream(seed, "site", &site_id(index));
        Place::new(lat + 4.0 * (stream.uniform() - 0.5), lon + 6.0 * (stream.uniform() - 0.5))
    };
    (0..count).map(place).collect()
}

/// Client groups around metros chosen by population, with log-normal weights.
fn groups(seed: u64, count: usize) -> Vec<(Place, f64)> {
    let people: f64 = METROS.iter().map(|(_, _, people)| people).sum();
    let group = |index: usize| {
        let mut stream = stream(seed, "client-group", &group_id(index));
        let mut left = stream.uniform() * people;
        let metro = METROS
            .iter()
            .find(|(_, _, people)| {
                left -= people;
                left < 0.0
            })
            .unwrap_or(&METROS[0]);
        let place = Place::new(metro.0 + 1.5 * stream.normal(), metro.1 + 2.0 * stream.normal());
        (place, math::exp(stream.normal()))
    };
    (0..count).map(group).collect()
}

/// Share of all weight that is nearest to each site.
fn shares(sites: &[Place], groups: &[(Place, f64)]) -> Vec<f64> {
    let mut share = vec![0.0; sites.len()];
    let total: f64 = groups.iter().map(|(_, weight)| weight).sum();
    for (place, weight) in groups {
        let mut best = (0, f64::NEG_INFINITY);
        for (index, site) in sites.iter().enumerate() {
            let nearness = site.nearness(place);
            if nearness > best.1 {
                best = (index, nearness);
            }
        }
        share[best.0] += weight / total;
    }
    share
}

/// Pairs of sites with a backbone link: a ring by longitude, so that all are joined, and the
/// nearest ones. None with degree 0.
fn backbone(sites: &[Place], degree: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    if degree == 0 || sites.len() < 2 {
        return pairs;
    }
    let mut ring: Vec<usize> = (0..sites.len()).collect();
    ring.sort_by(|a, b| sites[*a].lon.total_cmp(&sites[*b].lon).then(a.cmp(b)));
    let next = ring.iter().cycle().skip(1);
    pairs.extend(ring.iter().zip(next).map(|(a, b)| (*a.min(b), *a.max(b))));
    for (index, site) in sites.iter().enumerate() {
        let mut others: Vec<(f64, usize)> = sites
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(other, place)| (-site.nearness(place), other))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        pairs.extend(others.iter().take(degree).map(|(_, o)| (index.min(*o), index.max(*o))));
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use crate::load_text;
    use crate::testing::vocabulary;
    use steerlab_engine::scenario::{Rate, Scenario};

    fn world(sites: u64, groups: u64, seed: u64) -> Scenario {
        let text = format!(
            "format: steerlab-scenario/1\nname: g\nseed: 1\nhorizon: 1h\n\
             start: 2025-08-21T16:00:00Z\narms: [{{id: a, policies: [static-anycast]}}]\n\
             generate: {{sites: {sites}, client_groups: {groups}, seed: {seed}, rate: 100krps}}\n"
        );
        let loaded = load_text("g", text.as_bytes(), &vocabulary());
        assert!(loaded.diagnostics.is_empty(), "{}", crate::render(&loaded, false));
        loaded.scenario.expect("a world")
    }

    #[test]
    fn a_world_has_the_size_asked_for_and_carries_its_demand() {
        let world = world(90, 400, 7);
        assert_eq!(world.network.sites.len(), 90);
        assert_eq!(world.client_groups.len(), 400);
        assert_eq!(world.demands.len(), 400);
        let total: f64 = world
            .demands
            .rows()
            .iter()
            .map(|demand| match demand.rate {
                Rate::RequestsPerS(rate) => rate,
                _ => 0.0,
            })
            .sum();
        assert!((total - 100_000.0).abs() < 1e-3, "{total}");
        let cores: f64 = world.network.pools.rows().iter().map(|pool| pool.capacity()).sum();
        assert!(cores > 100_000.0 * 0.005 * 1.5, "{cores}");
    }

    #[test]
    fn the_same_seed_gives_the_same_world_and_growth_keeps_what_was_there() {
        assert_eq!(world(20, 50, 7), world(20, 50, 7));
        let (small, large) = (world(20, 50, 7), world(20, 60, 7));
        assert_eq!(small.client_groups.rows()[..50], large.client_groups.rows()[..50]);
        assert_ne!(world(20, 50, 8).client_groups, small.client_groups);
        assert_eq!(world(1, 1, 7).network.links.len(), 1);
    }
}
