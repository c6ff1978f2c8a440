//! What both sides play: links, routes and flows, in numbers and as the file the peer reads.

use std::fmt::Write as _;
use steerlab_engine::route::PathTree;

/// A flow, as the file has it.
#[derive(Clone, Copy)]
pub struct Flow {
    pub start_ns: u64,
    /// Index of its route.
    pub route: usize,
    pub bytes: u64,
    /// Largest rate, bytes per second.
    pub cap: Option<f64>,
}

/// A way between two hosts.
pub struct Route {
    pub source: usize,
    pub target: usize,
    pub links: Vec<u32>,
}

#[derive(Default)]
pub struct Platform {
    pub hosts: usize,
    /// Bytes per second.
    pub links: Vec<f64>,
    pub routes: Vec<Route>,
    pub flows: Vec<Flow>,
}

impl Platform {
    /// The file that the peer reads. Numbers are written so that they read back the same.
    pub fn text(&self) -> String {
        let mut text = format!("hosts {}\n", self.hosts);
        for bytes_per_second in &self.links {
            let _ = writeln!(text, "link {bytes_per_second:?}");
        }
        for Route { source, target, links } in &self.routes {
            let _ = write!(text, "route {source} {target}");
            links.iter().for_each(|link| {
                let _ = write!(text, " {link}");
            });
            text.push('\n');
        }
        for flow in &self.flows {
            let Route { source, target, .. } = &self.routes[flow.route];
            let cap = flow.cap.unwrap_or(0.0);
            let Flow { start_ns, bytes, .. } = flow;
            let _ = writeln!(text, "flow {start_ns} {source} {target} {bytes} {cap:?}");
        }
        text
    }

    /// A small network of links and flows over random paths, drawn from a seed: 10 to 60 links,
    /// 20 to 200 flows over 1 to 8 links each, every third with a cap.
    pub fn random(seed: u64) -> Platform {
        let mut draws = Draws(seed);
        let links = 10 + draws.below(51) as usize;
        let flows = 20 + draws.below(181) as usize;
        // Capacities and sizes over three and four decades.
        let links: Vec<f64> =
            (0..links).map(|_| (1e6 * 10_f64.powf(3.0 * draws.uniform())).round()).collect();
        let mut platform = Platform { hosts: 2 * flows, links, ..Platform::default() };
        for flow in 0..flows {
            let mut free: Vec<u32> = (0..platform.links.len() as u32).collect();
            let hops = 1 + draws.below(8) as usize;
            let path = (0..hops).map(|_| {
                let at = draws.below(free.len() as u64) as usize;
                free.swap_remove(at)
            });
            let links = path.collect();
            platform.routes.push(Route { source: 2 * flow, target: 2 * flow + 1, links });
            let cap =
                (draws.below(3) == 0).then(|| (1e5 * 10_f64.powf(3.0 * draws.uniform())).round());
            platform.flows.push(Flow {
                start_ns: draws.below(10_000_000_000),
                route: flow,
                bytes: (1e4 * 10_f64.powf(4.0 * draws.uniform())).round() as u64,
                cap,
            });
        }
        platform
    }

    /// The network of a REPETITA file with one shortest path for every pair of nodes: route
    /// `source * nodes + target`, without links where both are the same.
    pub fn network(text: &str) -> Result<Platform, String> {
        let section = |name: &'static str| {
            let mut lines = text.lines().skip_while(move |line| !line.starts_with(name));
            let count = lines.next().and_then(|line| line.split(' ').nth(1)?.trim().parse().ok());
            let count: usize = count.ok_or(format!("no section {name}"))?;
            Ok::<_, String>(lines.skip(1).take(count))
        };
        let nodes = section("NODES")?.count();
        let (mut arcs, mut links) = (Vec::new(), Vec::new());
        for line in section("EDGES")? {
            let cells: Vec<u64> =
                line.split(' ').skip(1).filter_map(|cell| cell.parse().ok()).collect();
            let [from, to, weight, kbps, _] = cells[..] else {
                return Err(format!("bad line: {line}"));
            };
            arcs.push((from as u32, to as u32, weight));
            links.push(kbps as f64 * 125.0);
        }
        let mut platform = Platform { hosts: nodes, links, ..Platform::default() };
        for source in 0..nodes {
            let tree = PathTree::from(source as u32, nodes, &arcs);
            for target in 0..nodes {
                let path = tree.path(target as u32);
                let path = path.ok_or(format!("no way from node {source} to node {target}"))?;
                let links = path.iter().map(|arc| arc.0).collect();
                platform.routes.push(Route { source, target, links });
            }
        }
        Ok(platform)
    }
}

/// SplitMix64: small, well known, the same everywhere.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// 0 included, 1 not.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// The finish of SplitMix64.
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
