//! Many small random scenarios, each with everything at once: whatever happens, nothing panics
//! (the engine asserts conservation and capacity itself), accounts agree with each other, and how
//! results are bucketed changes nothing.

use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::net::testing::{plain_link, plain_neighbour};
use steerlab_engine::net::{
    Billing, GeoPoint, LinkId, LinkKind, NeighbourId, NeighbourKind, Network, NodeId, NodeKind,
    Pool, PoolId, Queueing, Scheduling, SiteId, SrlgId,
};
use steerlab_engine::record::{
    ArcTotals, Bucket, ClientRow, DropCause, Flow, Recorder, RunId, RunTotals, SiteTotals,
};
use steerlab_engine::route::k_shortest_paths;
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, Class, ClassId, ClientGroup, ClientGroupId, Demand, Elastic, Matrix, MatrixId,
    Prefix, PrefixId, Profile, ProfileId, Rate, Scenario, Service, ServiceId, Source, Surge,
    Target, Tenant, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{
    Action, Ask, Descriptor, FeedKind, Policy, PolicyRegistry, Surface, Tunnel, TunnelPair, View,
};

const SCENARIOS: u64 = 500;
const SECOND: u64 = 1_000_000_000;

/// Small draws from a stream.
struct Dice(Stream);

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice(Stream::new(StreamKey { seed, replication: 0, purpose: "swarm", entity: 0 }))
    }

    /// Whole number from `low` to `high`, both included.
    fn whole(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    fn index(&mut self, count: usize) -> usize {
        self.0.below(count as u64) as usize
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())]
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.0.uniform() < probability
    }

    /// One to a thousand times `base`.
    fn size(&mut self, base: f64) -> f64 {
        base * self.pick(&[1.0, 3.0, 10.0, 30.0, 100.0, 1_000.0])
    }

    /// An instant up to the horizon: often a whole second, sometimes the very start or end.
    fn instant(&mut self, horizon: SimSpan) -> SimTime {
        SimTime(match self.whole(0, 9) {
            0 => 0,
            1 => horizon.0,
            2 | 3 => self.0.below(horizon.0 + 1),
            _ => self.0.below(horizon.0 / SECOND + 1) * SECOND,
        })
    }

    fn id<I: Id>(&mut self, count: usize) -> I {
        I::from_index(self.index(count))
    }
}

/// Asks for something random, right or wrong, at about every second decision.
struct Chaos;

impl Policy for Chaos {
    fn decide(&mut self, view: &View<'_>, stream: &mut Stream, ask: &mut Ask<'_>) {
        let mut dice = Dice::new(stream.next_u64());
        while dice.chance(0.5) {
            // A refusal is as good as anything else here.
            let _refused = ask.request(random_action(view, &mut dice), "chance");
        }
    }
}

fn random_action(view: &View<'_>, dice: &mut Dice) -> Action {
    let sites = view.network.sites.len();
    // One more than there are: sometimes unknown.
    let neighbours = view.network.neighbours.len() + 1;
    let prefix: PrefixId = dice.id(view.prefixes.len() + 1);
    let (site, to): (SiteId, SiteId) = (dice.id(sites), dice.id(sites + 1));
    let tenant: TenantId = dice.id(view.tenants.len());
    let neighbour: NeighbourId = dice.id(neighbours);
    let rate_bps = dice.pick(&[0.0, 1e3, 1e5, 1e6, 1e7, f64::NAN]);
    match dice.whole(0, 8) {
        0 => Action::Withdraw { prefix, site },
        1 => Action::Announce { prefix, site },
        2 | 3 => {
            let share = dice.pick(&[0.0, 0.1, 0.5, 0.9, 1.0, 1.5]);
            Action::Spill { from: site, to, tenant: dice.chance(0.3).then_some(tenant), share }
        }
        4 => Action::FollowIgp,
        5 => random_tunnels(view, dice),
        6 => Action::LimitTenant { tenant, neighbour, rate_bps },
        7 => Action::RemarkTenant { tenant, neighbour, rate_bps },
        _ => Action::LiftTenantLimit { tenant, neighbour },
    }
}

fn random_tunnels(view: &View<'_>, dice: &mut Dice) -> Action {
    let nodes = view.network.nodes.len();
    let mut pairs: Vec<(NodeId, NodeId)> =
        (0..dice.whole(0, 4)).map(|_| (dice.id(nodes), dice.id(nodes))).collect();
    pairs.sort();
    pairs.dedup();
    let tunnels = |(from, to): (NodeId, NodeId)| {
        let paths = k_shortest_paths(view.adjacency, from, to, 3, &|_| true);
        let share = 1.0 / paths.len() as f64;
        let tunnels = paths.into_iter().map(|(_, arcs)| Tunnel { arcs, share }).collect();
        TunnelPair { from, to, tunnels }
    };
    let pairs: Vec<TunnelPair> = pairs
        .into_iter()
        .map(tunnels)
        .filter(|pair| !pair.tunnels.is_empty() || dice.chance(0.05))
        .collect();
    Action::SetTunnels(pairs.into())
}

struct OnlyChaos;

impl PolicyRegistry for OnlyChaos {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "chaos",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[Surface::Announce, Surface::Spill, Surface::Paths, Surface::Admit],
            feeds: &FeedKind::ALL,
            default_period: SimSpan::from_seconds(1),
            params: &[],
            build: |_| Box::new(Chaos),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

fn random_place(dice: &mut Dice) -> Option<GeoPoint> {
    let point = GeoPoint { lat: dice.whole(0, 120) as f64 - 60.0, lon: dice.whole(0, 359) as f64 };
    dice.chance(0.9).then_some(GeoPoint { lon: point.lon - 180.0, ..point })
}

/// Sites with colos and pools (or without), neighbours, and links that may lead one way only.
fn random_network(dice: &mut Dice, classes: usize) -> Network {
    let mut network = Network::default();
    network.srlgs.push("duct".to_owned());
    for index in 0..dice.whole(1, 5) {
        let name = format!("s{index}");
        let place = random_place(dice);
        let site = network.add_site(&name, "", place);
        for colo in 0..dice.pick(&[1, 1, 2, 3]) {
            let colo = network.add_colo(site, &format!("{name}/{colo}"));
            for pool in 0..dice.pick(&[0, 1, 1, 2]) {
                network.add_pool(Pool {
                    id: format!("{name}/{}/{pool}", colo.0),
                    colo,
                    servers: dice.whole(1, 4) as u32,
                    cores: dice.whole(1, 2) as u32,
                    core_speed: dice.pick(&[0.5, 1.0, 2.0]),
                });
            }
        }
    }
    let ours: Vec<NodeId> = network.nodes.ids().collect();
    let kinds =
        [NeighbourKind::Eyeball, NeighbourKind::Transit, NeighbourKind::Peer, NeighbourKind::Cloud];
    for index in 0..dice.whole(0, 3) {
        let blocks = dice.pick(&[1, 4, 20, 64]);
        plain_neighbour(&mut network, &format!("n{index}"), dice.pick(&kinds), blocks);
    }
    let nodes = network.nodes.len();
    for index in 0..dice.whole(0, 14) {
        let ends = [dice.pick(&ours), dice.id(nodes)];
        if ends[0] != ends[1] {
            random_link(&mut network, dice, &format!("l{index}"), ends, classes);
        }
    }
    network
}

fn random_link(
    network: &mut Network,
    dice: &mut Dice,
    name: &str,
    mut ends: [NodeId; 2],
    classes: usize,
) {
    let kind = match network.nodes[ends[1]] {
        NodeKind::Neighbour(neighbour) => match network.neighbours[neighbour].kind {
            NeighbourKind::Transit => LinkKind::Transit,
            NeighbourKind::Cloud => LinkKind::Cloud,
            _ => dice.pick(&[LinkKind::Pni, LinkKind::Ixp, LinkKind::Access]),
        },
        NodeKind::Colo(_) if network.node_site(ends[0]) == network.node_site(ends[1]) => {
            LinkKind::Dci
        }
        NodeKind::Colo(_) => LinkKind::Backbone,
    };
    if dice.chance(0.3) {
        ends.swap(0, 1);
    }
    let mut link = plain_link(name, kind, ends, dice.size(1e5) as u64);
    if dice.chance(0.2) {
        link.capacity_bps[dice.index(2)] = 0;
    }
    link.weight = [dice.whole(1, 3), dice.whole(1, 3)];
    link.delay = SimSpan::from_millis(dice.whole(0, 50));
    link.buffer = SimSpan::from_millis(dice.whole(0, 100));
    link.lag_members = dice.whole(1, 4) as u32;
    link.distance_km = Some(100.0);
    if dice.chance(0.3) {
        link.srlgs.push(SrlgId(0));
    }
    if dice.chance(0.4) {
        let mut weights: Vec<f64> = (0..classes).map(|_| dice.pick(&[0.0, 1.0, 2.5])).collect();
        weights[dice.index(classes)] = 1.0;
        link.scheduling = Scheduling::Weighted(weights);
    }
    network.links.push(link);
}

fn random_scenario(seed: u64) -> Scenario {
    let dice = &mut Dice::new(seed);
    let classes = dice.whole(1, 3) as usize;
    let network = random_network(dice, classes);
    let mut scenario = plain(network, "chaos");
    scenario.seed = seed;
    scenario.classes =
        (0..classes).map(|index| Class { id: format!("c{index}"), weight: 1.0 }).collect();
    for index in 1..dice.whole(1, 3) {
        let id = format!("t{index}");
        scenario.tenants.push(Tenant { id, label: String::new(), budget_bps: None });
    }
    scenario.services = (0..dice.whole(2, 4))
        .map(|index| Service {
            id: format!("v{index}"),
            class: ClassId(dice.index(classes) as u32),
            cpu_s: dice.pick(&[0.0, 0.001, 0.01, 0.1]),
            request_bytes: dice.pick(&[0.0, 100.0, 1e3]),
            response_bytes: dice.pick(&[100.0, 1e4]),
            setup_round_trips: dice.pick(&[1.0, 2.5]),
            elastic: None,
            tcp: None,
            flow: None,
        })
        .collect();
    random_times(&mut scenario, dice);
    random_traffic(&mut scenario, dice);
    random_surges(&mut scenario, dice);
    scenario.timeline = (0..dice.whole(0, 12))
        .map(|_| TimelineEvent {
            at: dice.instant(scenario.horizon),
            agent: "scenario".to_owned(),
            label: String::new(),
            change: random_change(&scenario, dice),
        })
        .collect();
    scenario.timeline.sort_by_key(|event| event.at);
    scenario
}

/// Horizon, steps, convergence, feeds, actuators: sometimes zero, rarely in step with each other.
fn random_times(scenario: &mut Scenario, dice: &mut Dice) {
    let spans = [0, 1, SECOND / 3, SECOND, 7 * SECOND, 60 * SECOND];
    scenario.horizon = SimSpan(dice.pick(&[30, 60, 100, 200]) * SECOND + dice.pick(&spans[..4]));
    scenario.traffic_step = SimSpan(dice.pick(&spans[3..]));
    scenario.demand_noise.cv = dice.pick(&[0.0, 0.3, 2.0]);
    scenario.demand_noise.step = SimSpan(dice.pick(&[5, 13, 60]) * SECOND);
    scenario.queue_limit = SimSpan(dice.pick(&spans));
    scenario.start_time_of_day = SimSpan(dice.whole(0, 86_399) * SECOND);
    scenario.routing.igp_convergence = SimSpan(dice.pick(&spans));
    scenario.routing.bgp_convergence_min = SimSpan(dice.pick(&spans));
    scenario.routing.bgp_convergence_mean = SimSpan(dice.pick(&spans));
    scenario.routing.landing_noise = dice.pick(&[0.0, 0.5]);
    for feed in &mut scenario.feeds {
        feed.period = SimSpan(dice.pick(&spans[2..]));
        feed.delay = SimSpan(dice.pick(&spans));
        feed.noise = dice.pick(&[0.0, 0.2, 3.0]);
    }
    for actuator in &mut scenario.actuators {
        actuator.delay = SimSpan(dice.pick(&spans));
        actuator.jitter = SimSpan(dice.pick(&spans));
        actuator.failure = dice.pick(&[0.0, 0.2]);
    }
    scenario.arms[ArmId(0)].policies[0].period = SimSpan(dice.pick(&[1, 7, 20]) * SECOND);
}

fn random_traffic(scenario: &mut Scenario, dice: &mut Dice) {
    let (sites, nodes) = (scenario.network.sites.len(), scenario.network.nodes.len());
    let neighbours = scenario.network.neighbours.len();
    scenario.profiles.push(Profile {
        id: "day".to_owned(),
        peak_time: SimSpan(dice.whole(0, 86_399) * SECOND),
        trough_ratio: 0.3,
        local_time: dice.chance(0.5),
    });
    // The last row begins after the horizon.
    let times = [0, 11, 40, 100_000].map(|second| SimTime(second * SECOND));
    scenario.matrices.push(Matrix {
        file: String::new(),
        sha256: String::new(),
        scale: 1.0,
        times: times.to_vec().into(),
        columns: 1,
        rates_bps: (0..4).map(|_| dice.size(1e4)).collect::<Vec<_>>().into(),
    });
    for index in 0..dice.whole(1, 3) {
        let mut announcing: Vec<SiteId> =
            (0..sites).filter(|_| dice.chance(0.7)).map(SiteId::from_index).collect();
        if announcing.is_empty() {
            announcing.push(SiteId(0));
        }
        scenario.prefixes.push(Prefix { id: format!("p{index}"), sites: announcing, value: 1.0 });
    }
    for index in 0..dice.pick(&[0, 1, 2, 5]) {
        let group = ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location: random_place(dice),
            neighbour: (neighbours > 0 && dice.chance(0.7)).then(|| dice.id(neighbours)),
            asn: None,
            weight: 1.0,
            rtt: Vec::new(),
        };
        let group: ClientGroupId = scenario.client_groups.push(group);
        for _ in 0..dice.whole(0, 3) {
            let prefix = Target::Prefix(dice.id(scenario.prefixes.len()));
            let rate = Rate::RequestsPerS(dice.size(1.0));
            random_demand(scenario, dice, (Source::Clients(group), prefix), rate);
        }
    }
    for _ in 0..dice.pick(&[0, 2, 6]) {
        let ends = (Source::Node(dice.id(nodes)), Target::Node(dice.id(nodes)));
        let rate = if dice.chance(0.3) {
            Rate::Recorded { matrix: MatrixId(0), column: 0 }
        } else {
            Rate::Bps(dice.pick(&[0.0, 1e4, 1e5, 1e6, 1e7]))
        };
        random_demand(scenario, dice, ends, rate);
    }
}

fn random_demand(scenario: &mut Scenario, dice: &mut Dice, ends: (Source, Target), rate: Rate) {
    let service: ServiceId = dice.id(scenario.services.len());
    scenario.demands.push(Demand {
        id: format!("d{}", scenario.demands.len()),
        source: ends.0,
        target: ends.1,
        service,
        tenant: dice.id(scenario.tenants.len()),
        rate,
        profile: dice.chance(0.3).then_some(ProfileId(0)),
    });
}

fn random_surges(scenario: &mut Scenario, dice: &mut Dice) {
    for _ in 0..dice.pick(&[0, 0, 1, 2]) {
        let (a, b) = (dice.instant(scenario.horizon), dice.instant(scenario.horizon));
        let (at, until) = (a.min(b), if dice.chance(0.2) { SimTime::NEVER } else { a.max(b) });
        let longest = until.since(at).0.min(scenario.horizon.0) / 2;
        let ramp = if dice.chance(0.5) { SimSpan::ZERO } else { SimSpan(dice.whole(0, longest)) };
        let factor = dice.pick(&[0.0, 0.5, 3.0, 20.0]);
        let demands = scenario.demands.ids().filter(|_| dice.chance(0.5)).collect();
        scenario.surges.push(Surge { at, until, ramp, factor, demands, label: String::new() });
    }
}

fn random_change(scenario: &Scenario, dice: &mut Dice) -> Change {
    let network = &scenario.network;
    let share = dice.pick(&[0.0, 0.3, 0.5, 1.0]);
    let site: SiteId = dice.id(network.sites.len());
    let general = match dice.whole(0, 9) {
        0 | 1 => Change::SiteFails(site),
        2 => Change::SiteRestored(site),
        3 => Change::SrlgFails(SrlgId(0)),
        4 => Change::SrlgRestored(SrlgId(0)),
        5 => Change::FeedOutage(dice.pick(&FeedKind::ALL), dice.instant(scenario.horizon)),
        6 if network.pools.is_empty() => Change::Mark,
        6 | 7 if !network.pools.is_empty() => {
            Change::ServersDown(dice.id::<PoolId>(network.pools.len()), share)
        }
        _ => Change::Mark,
    };
    if network.links.is_empty() || dice.chance(0.5) {
        return general;
    }
    let link: LinkId = dice.id(network.links.len());
    let links = network.links.ids().filter(|_| dice.chance(0.5)).collect();
    match dice.whole(0, 4) {
        0 => Change::LinkFails(link),
        1 => Change::LinkRestored(link),
        2 => Change::LinkMembersDown(link, dice.whole(0, 4) as u32),
        3 => {
            let if_above = dice.chance(0.5).then_some(share);
            Change::NeighbourWithdraws { links, share, if_above }
        }
        _ => Change::NeighbourRestores { links },
    }
}

/// Adds up everything that rows tell, as amounts.
#[derive(Default)]
struct Sums {
    total: Flow,
    flows: Vec<Flow>,
    clients: Flow,
    arcs: Vec<ArcTotals>,
    sites: Vec<SiteTotals>,
    waiting: f64,
    moved: f64,
    until: SimTime,
    capacity_bps: Vec<f64>,
}

impl Sums {
    fn new(network: &Network) -> Sums {
        let configured = network.links.rows().iter().flat_map(|link| link.capacity_bps);
        Sums {
            arcs: vec![ArcTotals::default(); network.arc_count()],
            sites: vec![SiteTotals::default(); network.sites.len()],
            capacity_bps: configured.map(|bps| bps as f64).collect(),
            ..Sums::default()
        }
    }
}

fn times(flow: &Flow, seconds: f64) -> Flow {
    Flow {
        offered_bits: flow.offered_bits * seconds,
        served_bits: flow.served_bits * seconds,
        dropped_bits: flow.dropped_bits.map(|bits| bits * seconds),
        queued_bits: flow.queued_bits * seconds,
        offered_requests: flow.offered_requests * seconds,
        served_requests: flow.served_requests * seconds,
        dropped_requests: flow.dropped_requests * seconds,
        queued_requests: flow.queued_requests * seconds,
    }
}

impl Recorder for Sums {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        assert_eq!(bucket.start, self.until, "buckets follow each other");
        assert!(bucket.end > bucket.start, "no bucket is empty");
        self.until = bucket.end;
        let seconds = bucket.end.since(bucket.start).seconds();
        self.total.add(&times(&bucket.total.flow, seconds));
        self.flows.resize(bucket.tenants.len(), Flow::default());
        for (sum, row) in self.flows.iter_mut().zip(bucket.tenants) {
            sum.add(&times(&row.flow, seconds));
        }
        for row in bucket.arcs {
            let capacity_bps = self.capacity_bps[row.arc.index()];
            assert!(row.carried_bps <= capacity_bps * (1.0 + 1e-9), "{row:?}");
            assert!(row.utilisation_max >= row.utilisation_mean * (1.0 - 1e-9), "{row:?}");
            assert!(row.placed_bps >= 0.0 && row.carried_bps >= 0.0, "{row:?}");
            assert!(row.dropped_bps >= -1e-9 * capacity_bps, "{row:?}");
            let sum = &mut self.arcs[row.arc.index()];
            sum.carried_bits += row.carried_bps * seconds;
            sum.dropped_bits += row.dropped_bps * seconds;
            sum.utilisation_max = sum.utilisation_max.max(row.utilisation_max);
        }
        self.waiting = bucket.sites.iter().map(|row| row.queued_requests).sum();
        for (sum, row) in self.sites.iter_mut().zip(bucket.sites) {
            assert!(row.landed_requests_per_s >= 0.0 && row.egress_bps >= 0.0, "{row:?}");
            assert!(row.queued_requests >= 0.0, "{row:?}");
            sum.served_requests += row.served_requests_per_s * seconds;
            sum.dropped_requests += row.dropped_requests_per_s * seconds;
            sum.cpu_utilisation_max = sum.cpu_utilisation_max.max(row.cpu_utilisation_max);
        }
        let latency = bucket.total.latency_ms;
        for value in [latency.mean, latency.p50, latency.p95, latency.p99] {
            assert!(value.is_finite() && value >= 0.0, "{latency:?}");
        }
        assert!(latency.p50 <= latency.p95 && latency.p95 <= latency.p99, "{latency:?}");
        self.moved += bucket.total.moved_requests_per_s;
    }

    fn client_bucket(&mut self, start: SimTime, end: SimTime, rows: &[ClientRow]) {
        for row in rows {
            assert!(row.latency_ms_mean.is_finite() && row.latency_ms_mean >= 0.0, "{row:?}");
            self.clients.add(&times(&row.flow, end.since(start).seconds()));
        }
    }
}

/// Equal but for rounding of sums as large as `scale`.
fn assert_close(ours: f64, theirs: f64, scale: f64, what: &str) {
    let error = (ours - theirs).abs();
    assert!(error <= 1e-8 * scale + 1e-5, "{what}: {ours} against {theirs}");
}

fn parts(flow: &Flow) -> Vec<f64> {
    let bits = [flow.offered_bits, flow.served_bits, flow.queued_bits];
    let requests =
        [flow.offered_requests, flow.served_requests, flow.dropped_requests, flow.queued_requests];
    bits.into_iter().chain(flow.dropped_bits).chain(requests).collect()
}

fn assert_same_flow(ours: &Flow, theirs: &Flow, what: &str) {
    let scale = ours.offered_bits.max(theirs.offered_bits);
    for (a, b) in parts(ours).into_iter().zip(parts(theirs)) {
        assert!(a >= -1e-8 * scale - 1e-5, "{what}: negative amount in {ours:?}");
        assert_close(a, b, scale, what);
    }
}

fn play(scenario: &Scenario) -> (RunTotals, Sums) {
    let mut sums = Sums::new(&scenario.network);
    let id = RunId { arm: ArmId(0), replication: 1 };
    let limits = Limits { events_max: 200_000 };
    let totals = run(scenario, id, &OnlyChaos, &mut sums, limits, &|| false);
    (totals.expect("a small run ends"), sums)
}

/// Rows add up to totals, and offered is served, dropped or queued.
fn assert_accounts(scenario: &Scenario, totals: &RunTotals, sums: &Sums) {
    assert_eq!(sums.until, SimTime::ZERO.after(scenario.horizon));
    assert_same_flow(&totals.total, &sums.total, "total");
    for (ours, theirs) in totals.flows.iter().zip(&sums.flows) {
        assert_same_flow(ours, theirs, "tenant and class");
    }
    let flow = &totals.total;
    let fate = flow.served_bits + flow.dropped_bits_total() + flow.queued_bits;
    assert_close(flow.offered_bits, fate, flow.offered_bits, "bits");
    let fate = flow.served_requests + flow.dropped_requests + flow.queued_requests;
    assert_close(flow.offered_requests, fate, flow.offered_requests, "requests");
    // Requests also wait in front of links that have a memory.
    if scenario.network.links.rows().iter().all(|link| !link.model.backlog) {
        assert_close(flow.queued_requests, sums.waiting, flow.offered_requests, "waiting");
    }
    let clients = &sums.clients;
    for (ours, theirs) in [
        (flow.offered_requests, clients.offered_requests),
        (flow.served_requests, clients.served_requests),
        (flow.dropped_requests, clients.dropped_requests),
        (flow.queued_requests, clients.queued_requests),
    ] {
        assert_close(ours, theirs, flow.offered_requests, "client groups");
    }
    let seconds = scenario.horizon.seconds();
    for (index, (ours, theirs)) in totals.arcs.iter().zip(&sums.arcs).enumerate() {
        let scale = ours.carried_bits + ours.dropped_bits;
        assert_close(ours.carried_bits, theirs.carried_bits, scale, "carried");
        assert_close(ours.dropped_bits, theirs.dropped_bits, scale, "dropped by links");
        assert_eq!(ours.utilisation_max, theirs.utilisation_max);
        assert!(ours.overload_s <= seconds * (1.0 + 1e-9));
        assert!(ours.carried_bits <= sums.capacity_bps[index] * seconds * (1.0 + 1e-9));
    }
    for (ours, theirs) in totals.sites.iter().zip(&sums.sites) {
        assert_close(ours.served_requests, theirs.served_requests, flow.offered_requests, "site");
        assert_close(ours.dropped_requests, theirs.dropped_requests, flow.offered_requests, "site");
        assert_eq!(ours.cpu_utilisation_max, theirs.cpu_utilisation_max);
    }
    assert_close(totals.moved_requests_per_s, sums.moved, totals.moved_requests_per_s, "moved");
    // Without requests, what links lose is what traffic loses (a source that is down sends nothing).
    if flow.offered_requests == 0.0 {
        let by_links: f64 = totals.arcs.iter().map(|arc| arc.dropped_bits).sum();
        let full = flow.dropped_bits[DropCause::LinkFull as usize];
        let down = flow.dropped_bits[DropCause::Down as usize];
        let slack = 1e-8 * flow.offered_bits + 1e-5;
        assert!(full <= by_links + slack && by_links <= full + down + slack, "links and traffic");
    }
}

/// Gives links queues, memory, marks, shares of tenants and prices, and services senders that adapt.
fn random_options(scenario: &mut Scenario, dice: &mut Dice) {
    let tenants = scenario.tenants.len();
    for link in scenario.network.links.rows_mut() {
        let model = &mut link.model;
        model.queueing = dice.pick(&[Queueing::None, Queueing::Mm1, Queueing::Md1]);
        model.backlog = dice.whole(0, 2) == 0;
        model.ecn = (dice.whole(0, 3) == 0).then_some(SimSpan::from_millis(1));
        if dice.whole(0, 3) == 0 {
            model.tenant_weights = (0..tenants).map(|_| dice.pick(&[0.5, 1.0, 3.0])).collect();
        }
        if model.backlog {
            link.buffer = dice.pick(&[SimSpan::from_millis(1), SimSpan::from_seconds(5)]);
        }
        if dice.whole(0, 4) == 0 {
            let billing = Billing { price_per_mbps: 1.0, commit_bps: 0, percentile: 0.95 };
            link.model.billing = Some(billing);
        }
    }
    for service in scenario.services.rows_mut() {
        if dice.whole(0, 2) == 0 {
            service.elastic = Some(Elastic { weight: dice.pick(&[1.0, 4.0]) });
        }
    }
}

#[test]
fn options_of_links_and_services_keep_the_accounts() {
    let (mut waited, mut throttled) = (0, 0);
    for seed in 0..SCENARIOS / 2 {
        let mut scenario = random_scenario(seed);
        random_options(&mut scenario, &mut Dice::new(seed + 1_000_000));
        let shown = std::panic::catch_unwind(move || {
            scenario.bucket = scenario.horizon;
            scenario.client_bucket = scenario.horizon;
            let (wide, wide_sums) = play(&scenario);
            assert_accounts(&scenario, &wide, &wide_sums);
            scenario.bucket = SimSpan(7 * SECOND + 1);
            scenario.client_bucket = SimSpan(3 * scenario.bucket.0);
            let (narrow, narrow_sums) = play(&scenario);
            assert_accounts(&scenario, &narrow, &narrow_sums);
            assert_eq!(wide.fingerprint, narrow.fingerprint);
            assert_same_flow(&wide.total, &narrow.total, "other buckets");
            assert_eq!(wide.bills.len(), narrow.bills.len());
            wide
        });
        let totals = shown.unwrap_or_else(|_| panic!("seed {seed} fails, see above"));
        waited += u32::from(totals.total.queued_bits > 0.0);
        throttled += u32::from(totals.total.dropped_bits[DropCause::Throttled as usize] > 0.0);
    }
    assert!(waited > 15 && throttled > 30, "{waited} {throttled}");
}

#[test]
fn random_scenarios_keep_their_accounts() {
    let (mut actions, mut waited, mut dropped) = (0, 0, 0);
    for seed in 0..SCENARIOS {
        let mut scenario = random_scenario(seed);
        let shown = std::panic::catch_unwind(move || {
            scenario.bucket = scenario.horizon;
            scenario.client_bucket = scenario.horizon;
            let (wide, wide_sums) = play(&scenario);
            assert_accounts(&scenario, &wide, &wide_sums);
            scenario.bucket = SimSpan(7 * SECOND + 1);
            scenario.client_bucket = SimSpan(3 * scenario.bucket.0);
            let (narrow, narrow_sums) = play(&scenario);
            assert_accounts(&scenario, &narrow, &narrow_sums);
            assert_eq!(wide.fingerprint, narrow.fingerprint);
            assert_eq!((wide.events, wide.flaps), (narrow.events, narrow.flaps));
            assert_same_flow(&wide.total, &narrow.total, "other buckets");
            let moved = wide.moved_requests_per_s;
            assert_close(moved, narrow.moved_requests_per_s, moved, "moved, other buckets");
            wide
        });
        let totals = shown.unwrap_or_else(|_| panic!("seed {seed} fails, see above"));
        actions += totals.actions_applied;
        waited += u32::from(totals.total.queued_requests > 0.0);
        dropped += u32::from(totals.total.dropped_bits_total() > 0.0);
    }
    // The swarm visits what it is meant to visit.
    assert!(actions > 5_000 && waited > 30 && dropped > 300, "{actions} {waited} {dropped}");
}
