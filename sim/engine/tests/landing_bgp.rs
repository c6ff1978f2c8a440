//! Landing by BGP through whole runs: what is known by arithmetic on small AS graphs built by hand,
//! and both solvers against each other on random ones.

use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::net::testing::{plain_link, plain_neighbour};
use steerlab_engine::net::{
    GeoPoint, LinkId, LinkKind, NeighbourId, NeighbourKind, Network, SiteId,
};
use steerlab_engine::record::{Bucket, ClientRow, DropCause, Recorder, RunId, Warning};
use steerlab_engine::route::Fate;
use steerlab_engine::route::bgp::{Mrai, MraiScope, Relation as SessionRelation, Validation};
use steerlab_engine::route::internet::{AsGraph, Link, Relation};
use steerlab_engine::route::landing::bgp::{BgpSolver, BgpSpec, BgpTiming, Presence, Roa};
use steerlab_engine::route::landing::{Attributes, Explanation, LandingSpec, Trouble};
use steerlab_engine::run::{Limits, query_route, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    Announcement, ArmId, Change, ClientGroup, Demand, Prefix, PrefixId, Rate, Scenario, ServiceId,
    Source, Target, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{Descriptor, PolicyRegistry};

const OURS: u32 = 64_500;
const ANY: PrefixId = PrefixId(0);

struct NoPolicies;

impl PolicyRegistry for NoPolicies {
    fn descriptors(&self) -> &[Descriptor] {
        &[]
    }
}

fn seconds(seconds: f64) -> SimSpan {
    SimSpan((seconds * 1e9).round() as u64)
}

fn at(second: f64) -> SimTime {
    SimTime::ZERO.after(seconds(second))
}

/// `(a, b, what b is to a)`.
type AsLink = (u32, u32, Relation);

/// A session of ours: site, neighbour's AS, what the neighbour is to us.
type Own = (u32, u32, SessionRelation);

fn graph_relation(relation: SessionRelation) -> Relation {
    match relation {
        SessionRelation::Customer => Relation::Customer,
        SessionRelation::RouteServer => Relation::RouteServer,
        SessionRelation::Provider => Relation::Provider,
        _ => Relation::Peer,
    }
}

/// A world of ASes around our sites. Link `n` is the `n`-th session; there is one client group with
/// one unit of demand in each AS of `groups`.
fn world(links: &[AsLink], own: &[Own], groups: &[u32]) -> Scenario {
    let mut network = Network::default();
    let sites = own.iter().map(|(site, ..)| site + 1).max().unwrap_or(0);
    for site in 0..sites {
        let name = format!("s{site}");
        let id = network.add_site(&name, &name, None);
        network.add_colo(id, &name);
    }
    let mut relations = Vec::new();
    let mut all: Vec<Link> =
        links.iter().map(|&(a, b, relation)| Link { a, b, relation }).collect();
    for (number, &(site, asn, relation)) in own.iter().enumerate() {
        let known = network.neighbours.rows().iter().position(|row| row.asn == Some(asn));
        let neighbour = match known {
            Some(index) => NeighbourId(index as u32),
            None => {
                let kind = NeighbourKind::Transit;
                let id = plain_neighbour(&mut network, &format!("as{asn}"), kind, 1);
                network.neighbours[id].asn = Some(asn);
                relations.push(relation);
                all.push(Link { a: OURS, b: asn, relation: graph_relation(relation) });
                id
            }
        };
        let ends = [network.site_node(SiteId(site)), network.neighbours[neighbour].node];
        let link = plain_link(&format!("l{number}"), LinkKind::Transit, ends, 1_000_000_000_000);
        network.links.push(link);
    }
    let mut scenario = plain(network, "none");
    scenario.arms.rows_mut()[0].policies.clear();
    let everywhere = scenario.network.sites.ids().collect();
    scenario.prefixes.push(Prefix { id: "any".to_owned(), sites: everywhere, value: 1.0 });
    groups.iter().for_each(|&asn| add_group(&mut scenario, asn));
    scenario.landing = LandingSpec::Bgp(Box::new(BgpSpec {
        asn: OURS,
        file: None,
        links: Vec::new(),
        graph: Arc::new(AsGraph::new(&all).expect("a sound graph")),
        relations,
        solver: BgpSolver::Direct,
        timing: fixed_timing(0.0),
        presence: Vec::new(),
        roas: Vec::new(),
        validators: Vec::new(),
        policies: Default::default(),
        sessions: Vec::new(),
    }));
    scenario.routing.bgp_convergence_min = SimSpan::ZERO;
    scenario.routing.bgp_convergence_mean = SimSpan::ZERO;
    scenario.routing.bgp_convergence_max = SimSpan::ZERO;
    scenario.horizon = seconds(120.0);
    scenario.bucket = seconds(60.0);
    scenario.client_bucket = seconds(60.0);
    scenario
}

/// One client group with one unit of demand in an AS.
fn add_group(scenario: &mut Scenario, asn: u32) {
    let group = scenario.client_groups.push(ClientGroup {
        id: format!("in-as{asn}"),
        label: String::new(),
        location: None,
        neighbour: None,
        asn: Some(asn),
        weight: 1.0,
        rtt: Vec::new(),
    });
    scenario.dns.mixes.push(Vec::new());
    scenario.demands.push(Demand {
        id: format!("of-as{asn}"),
        source: Source::Clients(group),
        target: Target::Prefix(ANY),
        service: ServiceId(1),
        tenant: TenantId(0),
        rate: Rate::RequestsPerS(1.0),
        profile: None,
    });
}

/// A message takes 1 s and a speaker 0.5 s; no chance.
fn fixed_timing(mrai_s: f64) -> BgpTiming {
    BgpTiming {
        session_delay: seconds(1.0),
        session_jitter: 0.0,
        processing: seconds(0.5),
        mrai: Mrai {
            interval: seconds(mrai_s),
            jitter: 0.0,
            scope: MraiScope::Peer,
            withdrawals_wait: false,
        },
        damping: false,
        step: seconds(0.1),
    }
}

fn spec(scenario: &mut Scenario) -> &mut BgpSpec {
    match &mut scenario.landing {
        LandingSpec::Bgp(spec) => spec,
        other => panic!("{other:?}"),
    }
}

fn happens(scenario: &mut Scenario, second: f64, change: Change) {
    scenario.timeline.push(TimelineEvent {
        at: at(second),
        agent: "scenario".to_owned(),
        label: String::new(),
        change,
    });
}

/// What became of a group's traffic: its site or why it was lost.
#[derive(Clone, Debug, PartialEq)]
enum End {
    Site(u32),
    Lost(DropCause),
    /// Several things happened in one bucket.
    Mixed,
}

#[derive(Default)]
struct Seen {
    /// Per bucket of client groups, per group.
    ends: Vec<Vec<End>>,
    /// Per bucket and group: requests lost by cause, in units of the offered ones.
    lost: Vec<Vec<[f64; DropCause::ALL.len()]>>,
    warnings: Vec<Warning>,
    /// Per bucket and link: bit/s put on it.
    came_in: Vec<Vec<f64>>,
}

impl Recorder for Seen {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        let flow = bucket.total.flow;
        let gone = flow.served_bits + flow.dropped_bits_total() + flow.queued_bits;
        let placed = |link: usize| -> f64 {
            let rows = bucket.arcs.iter().filter(|row| row.arc.link().0 as usize == link);
            rows.map(|row| row.placed_bps).sum()
        };
        let links = bucket.arcs.iter().map(|row| row.arc.link().0 as usize + 1).max();
        self.came_in.push((0..links.unwrap_or(0)).map(placed).collect());
        assert!((flow.offered_bits - gone).abs() <= 1e-9 * flow.offered_bits, "{flow:?}");
    }

    fn client_bucket(&mut self, _start: SimTime, _end: SimTime, rows: &[ClientRow]) {
        self.ends.push(rows.iter().map(end).collect());
        let share =
            |row: &ClientRow| row.flow.dropped_bits.map(|bits| bits / row.flow.offered_bits);
        self.lost.push(rows.iter().map(share).collect());
    }

    fn warning(&mut self, warning: &Warning) {
        self.warnings.push(warning.clone());
    }
}

fn end(row: &ClientRow) -> End {
    let dropped = row.flow.dropped_bits;
    let causes: Vec<DropCause> =
        DropCause::ALL.into_iter().filter(|cause| dropped[*cause as usize] > 0.0).collect();
    match (causes.as_slice(), row.landing) {
        ([], Some(site)) => End::Site(site.0),
        ([cause], None) if row.flow.served_bits == 0.0 => End::Lost(*cause),
        _ => End::Mixed,
    }
}

fn play(scenario: &Scenario) -> Seen {
    let mut seen = Seen::default();
    let id = RunId { arm: ArmId(0), replication: 0 };
    run(scenario, id, &NoPolicies, &mut seen, Limits::default(), &|| false)
        .expect("no limit is in reach");
    seen
}

fn solved(scenario: &Scenario, solver: BgpSolver) -> Seen {
    let mut scenario = scenario.clone();
    spec(&mut scenario).solver = solver;
    play(&scenario)
}

const BOTH: [BgpSolver; 2] = [BgpSolver::Direct, BgpSolver::Events];

/// Ends in the last bucket, by both solvers, which must agree.
fn last_ends(scenario: &Scenario) -> Vec<End> {
    let [direct, events] =
        BOTH.map(|solver| solved(scenario, solver).ends.pop().expect("a bucket"));
    assert_eq!(direct, events, "the solvers differ");
    direct
}

use Relation::{Customer, Peer};

/// We buy of 1 at site 0 and of 2 at site 1; 1 and 2 peer; 3 buys of both, 4 of 1, 5 of 2.
const TWO_PROVIDERS: [AsLink; 5] =
    [(1, 2, Peer), (1, 3, Customer), (2, 3, Customer), (1, 4, Customer), (2, 5, Customer)];
const BUYS: SessionRelation = SessionRelation::Provider;

fn two_providers() -> Scenario {
    world(&TWO_PROVIDERS, &[(0, 1, BUYS), (1, 2, BUYS)], &[1, 2, 3, 4, 5])
}

fn announced(link: u32, site: u32, attributes: Attributes) -> Announcement {
    let link = Some(LinkId(link));
    Announcement { prefix: ANY, site: SiteId(site), link, announced: true, attributes }
}

const S0: End = End::Site(0);
const S1: End = End::Site(1);

#[test]
fn requests_to_neighbours_do_what_they_say() {
    let lost = |cause| End::Lost(cause);
    let asks = |attributes: Attributes| {
        let mut scenario = two_providers();
        scenario.announcements = vec![announced(0, 0, attributes)];
        last_ends(&scenario)
    };
    // Customers' routes first; 3 has two equal ones and takes the lower number.
    assert_eq!(asks(Attributes::default()), [S0, S1, S0, S0, S1]);
    // A longer path costs only whoever has another of the same kind.
    let prepended = Attributes { prepend: 3, ..Attributes::default() };
    assert_eq!(asks(prepended), [S0, S1, S1, S0, S1]);
    let kept = Attributes { no_export: true, ..Attributes::default() };
    assert_eq!(asks(kept), [S0, S1, S1, lost(DropCause::NoRoute), S1]);
    let not_to = Attributes { no_export_to: vec![3], ..Attributes::default() };
    assert_eq!(asks(not_to), [S0, S1, S1, S0, S1]);
    let longer = Attributes { prepend_to: vec![(3, 1)], ..Attributes::default() };
    assert_eq!(asks(longer), [S0, S1, S1, S0, S1]);
    // Below a peer's 300, 1 sends its own and its customers' traffic to 2.
    let low = Attributes { local_pref: Some(250), ..Attributes::default() };
    assert_eq!(asks(low), [S1, S1, S1, S1, S1]);
    let discard = Attributes { blackhole: true, ..Attributes::default() };
    let hole = || lost(DropCause::Blackhole);
    assert_eq!(asks(discard), [hole(), S1, hole(), hole(), S1]);
}

#[test]
fn a_discriminator_moves_a_neighbour_to_another_of_our_sites() {
    let med = |least: u32, other: Option<u32>| {
        let mut scenario = world(&[(1, 3, Customer)], &[(0, 1, BUYS), (1, 1, BUYS)], &[1, 3]);
        let with = |med| Attributes { med, ..Attributes::default() };
        scenario.announcements =
            vec![announced(0, 0, with(other)), announced(1, 1, with(Some(least)))];
        last_ends(&scenario)
    };
    assert_eq!(med(10, Some(20)), [S1, S1]);
    assert_eq!(med(20, Some(10)), [S0, S0]);
    // None is 0.
    assert_eq!(med(10, None), [S0, S0]);
    // A longer path loses before.
    let mut scenario = world(&[(1, 3, Customer)], &[(0, 1, BUYS), (1, 1, BUYS)], &[1, 3]);
    let longer = Attributes { prepend: 1, ..Attributes::default() };
    let worse = Attributes { med: Some(5), ..Attributes::default() };
    scenario.announcements = vec![announced(0, 0, longer), announced(1, 1, worse)];
    assert_eq!(last_ends(&scenario), [S1, S1]);
}

#[test]
fn trouble_elsewhere_does_what_arithmetic_says() {
    let lost = |cause| End::Lost(cause);
    let with = |trouble: Trouble, more: &dyn Fn(&mut Scenario)| {
        let mut scenario = two_providers();
        more(&mut scenario);
        happens(&mut scenario, 10.0, Change::RoutingTrouble(trouble.clone()));
        let during = last_ends(&scenario);
        // What ends leaves nothing behind.
        happens(&mut scenario, 30.0, Change::RoutingTroubleEnds(trouble));
        assert_eq!(last_ends(&scenario), [S0, S1, S0, S0, S1]);
        during
    };
    let nothing = |_: &mut Scenario| ();
    let hijack =
        |more_specific, pretends| Trouble::Hijack { asn: 5, prefix: ANY, more_specific, pretends };
    let taken = || lost(DropCause::Hijacked);
    // 5 is a customer of 2 as we are, and its number is lower than ours; 1 has us as a customer.
    assert_eq!(with(hijack(false, false), &nothing), [S0, taken(), S0, S0, taken()]);
    // Pretending makes the path longer by one: 2 stays with us, only the thief's own is lost.
    assert_eq!(with(hijack(false, true), &nothing), [S0, S1, S0, S0, taken()]);
    // More specific blocks win everywhere.
    assert_eq!(with(hijack(true, false), &nothing), [taken(), taken(), taken(), taken(), taken()]);
    let protect = |scenario: &mut Scenario| {
        let spec = spec(scenario);
        spec.roas = vec![Roa { prefix: ANY, asn: OURS, more_specifics: false }];
        spec.validators = vec![(2, Validation::Drop)];
    };
    assert_eq!(with(hijack(false, false), &protect), [S0, S1, S0, S0, taken()]);
    assert_eq!(with(hijack(true, false), &protect), [S0, S1, S0, S0, taken()]);
    // 3 tells each provider what it has of the other: to both a customer's route, but longer than
    // ours. Nothing moves until 1 does not hear us any more.
    assert_eq!(with(Trouble::Leak { asn: 3 }, &nothing), [S0, S1, S0, S0, S1]);
    let hole = || lost(DropCause::Blackhole);
    assert_eq!(with(Trouble::Blackhole { asn: 1 }, &nothing), [hole(), S1, hole(), hole(), S1]);
    assert_eq!(with(Trouble::Depeering { a: 3, b: 1 }, &nothing), [S0, S1, S1, S0, S1]);
    assert_eq!(with(Trouble::Depeering { a: 1, b: 2 }, &nothing), [S0, S1, S0, S0, S1]);
    let prefers = |value| Trouble::LocalPref { asn: 3, neighbour: 2, value };
    assert_eq!(with(prefers(150), &nothing), [S0, S1, S1, S0, S1]);
    assert_eq!(with(prefers(50), &nothing), [S0, S1, S0, S0, S1]);
}

/// At every instant somebody asks, the route that is said to be taken is there and leads where the
/// users are.
#[test]
fn what_is_explained_is_what_happens() {
    let mut refused = two_providers();
    spec(&mut refused).roas = vec![Roa { prefix: ANY, asn: OURS, more_specifics: false }];
    spec(&mut refused).validators = vec![(1, Validation::Drop), (2, Validation::Drop)];
    let hijack = Trouble::Hijack { asn: 5, prefix: ANY, more_specific: true, pretends: false };
    happens(&mut refused, 10.0, Change::RoutingTrouble(hijack));
    let chain = [(1, 2, Customer), (2, 3, Customer), (4, 3, Customer)];
    let mut kept = world(&chain, &[(0, 3, BUYS), (1, 4, BUYS)], &[1, 2, 3, 4]);
    happens(&mut kept, 10.0, Change::RoutingTrouble(Trouble::Zombie { asn: 2 }));
    happens(&mut kept, 20.0, Change::SessionDown(LinkId(0)));
    for (mut scenario, solver) in
        [(&refused, BOTH[0]), (&refused, BOTH[1]), (&kept, BOTH[0]), (&kept, BOTH[1])]
            .map(|(scenario, solver)| (scenario.clone(), solver))
    {
        spec(&mut scenario).solver = solver;
        for group in scenario.client_groups.ids() {
            let id = RunId { arm: ArmId(0), replication: 0 };
            let asked = query_route(&scenario, id, &NoPolicies, (group, ANY), at(60.0))
                .expect("no limit is in reach");
            assert_eq!(asked.fate, asked.next);
            let Explanation::Hops(hops) = asked.why else { panic!("no hops") };
            let taken = |place: usize| hops[place].routes.iter().find(|route| route.taken);
            for (place, hop) in hops.iter().enumerate() {
                assert!(taken(place).is_some(), "{solver:?}, {group:?}: {hop:?}");
            }
            let last = taken(hops.len() - 1).and_then(|route| route.site);
            if let Fate::Lands(landing) = asked.fate {
                assert_eq!(last, Some(landing.site), "{solver:?}, {group:?}");
            }
        }
    }
}

/// Two links to one neighbour at one site share what comes in, unless the neighbour hears us better
/// over one of them, or over one alone.
#[test]
fn users_come_in_over_the_links_that_routing_says() {
    let shares = |change: &dyn Fn(&mut Scenario)| {
        let mut scenario = world(&[(1, 3, Customer)], &[(0, 1, BUYS), (0, 1, BUYS)], &[3]);
        change(&mut scenario);
        BOTH.map(|solver| {
            let last = solved(&scenario, solver).came_in.pop().expect("a bucket");
            last.iter().map(|bps| bps / last.iter().sum::<f64>()).collect::<Vec<_>>()
        })
    };
    let of = |first: f64| [vec![first, 1.0 - first], vec![first, 1.0 - first]];
    assert_eq!(shares(&|_| ()), of(0.5));
    let longer = Attributes { prepend: 1, ..Attributes::default() };
    assert_eq!(shares(&|s| s.announcements = vec![announced(0, 0, longer.clone())]), of(0.0));
    let not = Announcement { announced: false, ..announced(1, 0, Attributes::default()) };
    assert_eq!(shares(&|s| s.announcements = vec![not.clone()]), of(1.0));
    let down = |s: &mut Scenario| happens(s, 10.0, Change::SessionDown(LinkId(0)));
    assert_eq!(shares(&down), of(0.0));
    let and_up = |s: &mut Scenario| {
        down(s);
        happens(s, 30.0, Change::SessionUp(LinkId(0)));
    };
    assert_eq!(shares(&and_up), of(0.5));
}

#[test]
fn what_began_twice_lasts_until_it_has_ended_twice() {
    let taken = || End::Lost(DropCause::Hijacked);
    let usual = [S0, S1, S0, S0, S1];
    let twice = |first: Trouble, second: Trouble| {
        let mut scenario = two_providers();
        happens(&mut scenario, 10.0, Change::RoutingTrouble(first.clone()));
        happens(&mut scenario, 20.0, Change::RoutingTrouble(second.clone()));
        let both = last_ends(&scenario);
        happens(&mut scenario, 30.0, Change::RoutingTroubleEnds(first));
        let one = last_ends(&scenario);
        happens(&mut scenario, 40.0, Change::RoutingTroubleEnds(second));
        assert_eq!(last_ends(&scenario), usual);
        (both, one)
    };
    let hijack = |pretends| Trouble::Hijack { asn: 5, prefix: ANY, more_specific: false, pretends };
    let plain = vec![S0, taken(), S0, S0, taken()];
    assert_eq!(twice(hijack(false), hijack(false)), (plain.clone(), plain.clone()));
    let forged = vec![S0, S1, S0, S0, taken()];
    assert_eq!(twice(hijack(true), hijack(false)), (plain.clone(), plain.clone()));
    assert_eq!(twice(hijack(false), hijack(true)), (forged.clone(), forged));
    let parted = vec![S0, S1, S1, S0, S1];
    let (a, b) = (Trouble::Depeering { a: 3, b: 1 }, Trouble::Depeering { a: 1, b: 3 });
    assert_eq!(twice(a, b), (parted.clone(), parted.clone()));
    let prefers = |value| Trouble::LocalPref { asn: 3, neighbour: 2, value };
    assert_eq!(twice(prefers(50), prefers(150)), (parted.clone(), parted.clone()));
    assert_eq!(twice(prefers(150), prefers(50)), (usual.to_vec(), usual.to_vec()));
    let mut scenario = two_providers();
    for (second, change) in [
        (10.0, Change::SessionDown(LinkId(0))),
        (20.0, Change::SessionDown(LinkId(0))),
        (30.0, Change::SessionUp(LinkId(0))),
    ] {
        happens(&mut scenario, second, change);
    }
    assert_eq!(last_ends(&scenario), [S1, S1, S1, S1, S1]);
    happens(&mut scenario, 40.0, Change::SessionUp(LinkId(0)));
    assert_eq!(last_ends(&scenario), usual);
}

/// 1, 2 and 3 sell to us and each prefers what the next one tells it over what we do: no state is
/// stable (Griffin, Shepherd, Wilfong 2002, "bad gadget").
#[test]
fn what_never_settles_is_told_by_both_solvers() {
    let ring = [(1, 2, Peer), (2, 3, Peer), (3, 1, Peer)];
    let own: Vec<Own> = (0..3).map(|site| (site, site + 1, BUYS)).collect();
    let mut scenario = world(&ring, &own, &[1, 2, 3]);
    for (asn, neighbour) in [(1, 2), (2, 3), (3, 1)] {
        let trouble = Trouble::LocalPref { asn, neighbour, value: 1_000 };
        happens(&mut scenario, 0.0, Change::RoutingTrouble(trouble));
    }
    let seen = solved(&scenario, BgpSolver::Events);
    assert!(unsettled(&seen));
    // The other solver says so too, even if it is over at the end; not if it is over at once.
    let preferred = scenario.timeline.clone();
    let ends = |scenario: &mut Scenario, second| {
        for event in &preferred {
            let Change::RoutingTrouble(trouble) = &event.change else { continue };
            happens(scenario, second, Change::RoutingTroubleEnds(trouble.clone()));
        }
    };
    let mut later = scenario.clone();
    ends(&mut later, 60.0);
    assert!(unsettled(&solved(&later, BgpSolver::Direct)));
    ends(&mut scenario, 0.0);
    assert!(!unsettled(&solved(&scenario, BgpSolver::Direct)));
}

#[test]
fn a_leak_takes_over_where_a_customer_route_beats_a_peers() {
    // We announce only to 2, so 1 hears us from its peer 2; then 3, customer of both, leaks 2's
    // route to 1, which prefers a customer's. Traffic still lands, over a longer way.
    let mut scenario = world(&TWO_PROVIDERS, &[(1, 2, BUYS), (0, 6, BUYS)], &[1, 2, 3, 4, 5]);
    happens(&mut scenario, 10.0, Change::RoutingTrouble(Trouble::Leak { asn: 3 }));
    assert_eq!(last_ends(&scenario), [S1, S1, S1, S1, S1]);
    // 3 discards what it attracts: 1 and its customer are lost, 2 never asked it.
    happens(&mut scenario, 11.0, Change::RoutingTrouble(Trouble::Blackhole { asn: 3 }));
    let hole = || End::Lost(DropCause::Blackhole);
    assert_eq!(last_ends(&scenario), [hole(), S1, hole(), hole(), S1]);
}

#[test]
fn a_zombie_sends_traffic_to_whoever_told_it() {
    // 1 - 2 - 3: providers downwards; we are 3's customer and nobody else's.
    let chain = [(1, 2, Customer), (2, 3, Customer)];
    let mut scenario = world(&chain, &[(0, 3, BUYS)], &[1, 2, 3]);
    happens(&mut scenario, 10.0, Change::RoutingTrouble(Trouble::Zombie { asn: 2 }));
    happens(&mut scenario, 20.0, Change::SessionDown(LinkId(0)));
    let hole = || End::Lost(DropCause::Blackhole);
    assert_eq!(last_ends(&scenario), [hole(), hole(), End::Lost(DropCause::NoRoute)]);
    // Whoever told it may have another way: 3 hears us from its provider 4 now. It does not tell
    // its provider 2, which keeps the old route and is right for the wrong reason.
    let more = [(1, 2, Customer), (2, 3, Customer), (4, 3, Customer)];
    let mut scenario = world(&more, &[(0, 3, BUYS), (1, 4, BUYS)], &[1, 2, 3, 4]);
    assert_eq!(last_ends(&scenario), [S0, S0, S0, S1]);
    happens(&mut scenario, 10.0, Change::RoutingTrouble(Trouble::Zombie { asn: 2 }));
    happens(&mut scenario, 20.0, Change::SessionDown(LinkId(0)));
    assert_eq!(last_ends(&scenario), [S1, S1, S1, S1]);
}

/// Message by message: per group, traffic lost by cause over the whole run, in seconds of its demand.
fn lost_s(mut scenario: Scenario) -> Vec<[f64; DropCause::ALL.len()]> {
    scenario.client_bucket = scenario.horizon;
    let horizon_s = scenario.horizon.seconds();
    let seen = solved(&scenario, BgpSolver::Events);
    assert_eq!(seen.warnings, [], "nothing to be careful about");
    let [rows] = &seen.lost[..] else { panic!("one bucket") };
    rows.iter().map(|row| row.map(|share| share * horizon_s)).collect()
}

fn assert_lost(seen: &[[f64; DropCause::ALL.len()]], expected: &[[f64; 3]]) {
    assert_eq!(seen.len(), expected.len());
    for (group, (row, [hole, circle, nothing])) in seen.iter().zip(expected).enumerate() {
        let mut wanted = [0.0; DropCause::ALL.len()];
        wanted[DropCause::Blackhole as usize] = *hole;
        wanted[DropCause::Loop as usize] = *circle;
        wanted[DropCause::NoRoute as usize] = *nothing;
        for (seen, wanted) in row.iter().zip(wanted) {
            assert!((seen - wanted).abs() < 1e-6, "group {group}: {row:?}, expected {wanted}");
        }
    }
}

/// A chain of providers upwards: 3 sells to 2, 2 to 1, 1 to us. A hop takes 1.5 s.
#[test]
fn a_black_hole_lasts_as_long_as_the_news_travels() {
    let chain = [(3, 2, Customer), (2, 1, Customer)];
    let mut scenario = world(&chain, &[(0, 1, BUYS)], &[1, 2, 3]);
    happens(&mut scenario, 20.0, Change::SessionDown(LinkId(0)));
    happens(&mut scenario, 80.0, Change::SessionUp(LinkId(0)));
    // Everybody is without a route for 60 s, each later by what the news took. Until it arrives,
    // they go on sending to 1, which discards.
    assert_lost(&lost_s(scenario), &[[0.0, 0.0, 60.0], [1.5, 0.0, 60.0], [3.0, 0.0, 60.0]]);
}

/// 2 and 3 peer, and both sell to 1, who sells to us. When 1 has lost us, each of them still has the
/// route that the other told it.
#[test]
fn two_peers_send_traffic_round_until_their_withdrawals_cross() {
    let triangle = [(2, 1, Customer), (3, 1, Customer), (2, 3, Peer)];
    let mut scenario = world(&triangle, &[(0, 1, BUYS)], &[1, 2, 3]);
    happens(&mut scenario, 20.0, Change::SessionDown(LinkId(0)));
    happens(&mut scenario, 80.0, Change::SessionUp(LinkId(0)));
    // 1 knows at 21.5 s, 2 and 3 at 23 s; they tell each other by 24.5 s and hear of us at 83 s.
    let expected = [[0.0, 0.0, 60.0], [1.5, 1.5, 58.5], [1.5, 1.5, 58.5]];
    assert_lost(&lost_s(scenario), &expected);
}

/// 2 sells to 1, who sells to us; our session goes down, up, down, up.
#[test]
fn the_pace_of_announcements_lengthens_an_outage_by_what_is_left_of_it() {
    let lost = |mrai_s: f64, wait: bool| {
        let mut scenario = world(&[(2, 1, Customer)], &[(0, 1, BUYS)], &[1, 2]);
        scenario.horizon = seconds(240.0);
        spec(&mut scenario).timing = fixed_timing(mrai_s);
        spec(&mut scenario).timing.mrai.withdrawals_wait = wait;
        let steps = [(100.0, false), (110.0, true), (120.0, false), (125.0, true)];
        for (second, up) in steps {
            let link = LinkId(0);
            let change = if up { Change::SessionUp(link) } else { Change::SessionDown(link) };
            happens(&mut scenario, second, change);
        }
        lost_s(scenario)
    };
    // 10 s and 5 s without a route; twice the news of it travels one hop more to 2.
    assert_lost(&lost(0.0, false), &[[0.0, 0.0, 15.0], [3.0, 0.0, 15.0]]);
    // Announced at 110 s, so not again before 140 s: 20 s in place of 5 s.
    assert_lost(&lost(30.0, false), &[[0.0, 0.0, 30.0], [3.0, 0.0, 30.0]]);
    // Withdrawals that wait, too: the first one starts the clock, so we are announced again at
    // 130 s, and the second withdrawal is never sent: by 160 s we are back.
    assert_lost(&lost(30.0, true), &[[0.0, 0.0, 30.0], [1.5, 0.0, 30.0]]);
}

fn below(stream: &mut Stream, n: u32) -> u32 {
    stream.below(u64::from(n)) as u32
}

fn asn_among(stream: &mut Stream, ases: u32) -> u32 {
    1 + below(stream, ases)
}

/// Providers have lower numbers than their customers, so nobody is his own provider.
fn hierarchy(stream: &mut Stream, ases: u32) -> Vec<AsLink> {
    let mut links = std::collections::BTreeMap::new();
    for asn in 2..=ases {
        for _ in 0..1 + below(stream, 3) {
            links.entry((asn_among(stream, asn - 1), asn)).or_insert(Customer);
        }
        for relation in [Peer, Relation::RouteServer] {
            if below(stream, 4) == 0 {
                links.entry((asn_among(stream, asn - 1), asn)).or_insert(relation);
            }
        }
    }
    links.into_iter().map(|((a, b), relation)| (a, b, relation)).collect()
}

fn random_attributes(stream: &mut Stream, ases: u32) -> Attributes {
    let mut some = |chance: u32| below(stream, chance) == 0;
    let [prepend, no_export, no_export_to, prepend_to, local_pref, discard] =
        [2, 12, 4, 4, 6, 20].map(&mut some);
    let mut asn = || asn_among(stream, ases);
    let mut attributes = Attributes { no_export, blackhole: discard, ..Attributes::default() };
    attributes.no_export_to = if no_export_to { vec![asn(), asn()] } else { Vec::new() };
    attributes.prepend_to = if prepend_to { vec![(asn(), 2)] } else { Vec::new() };
    attributes.prepend = if prepend { 1 + below(stream, 3) as u8 } else { 0 };
    attributes.local_pref = local_pref.then(|| [50, 150, 250, 350, 450][below(stream, 5) as usize]);
    attributes.med = (below(stream, 3) == 0).then(|| below(stream, 3));
    attributes
}

fn random_place(stream: &mut Stream) -> GeoPoint {
    let mut within = |degrees: u32| f64::from(below(stream, 2 * degrees)) - f64::from(degrees);
    GeoPoint { lat: within(60), lon: within(180) }
}

/// A random hierarchy with 3 to 6 sessions of ours, random requests, places for some.
fn random_world(stream: &mut Stream) -> (Scenario, u32) {
    let ases = 8 + below(stream, 40);
    let links = hierarchy(stream, ases);
    let relations = [
        SessionRelation::Provider,
        SessionRelation::Provider,
        SessionRelation::Peer,
        SessionRelation::RouteServer,
        SessionRelation::Customer,
    ];
    let sessions = 3 + below(stream, 4);
    let own: Vec<Own> = (0..sessions)
        .map(|number| {
            let relation = relations[below(stream, 5) as usize];
            // A customer of ours must not be above us as well.
            let asn = match relation {
                SessionRelation::Customer => ases - below(stream, 2),
                _ => asn_among(stream, ases - 2),
            };
            (number.min(below(stream, 5)), asn, relation)
        })
        .collect();
    let groups: Vec<u32> = (1..=ases).collect();
    let mut scenario = world(&links, &own, &groups);
    for (number, &(site, ..)) in own.iter().enumerate() {
        if below(stream, 2) == 0 {
            let attributes = random_attributes(stream, ases);
            scenario.announcements.push(announced(number as u32, site, attributes));
        }
    }
    if below(stream, 2) == 0 {
        for site in 0..scenario.network.sites.len() {
            scenario.network.sites.rows_mut()[site].location = Some(random_place(stream));
        }
        for group in scenario.client_groups.rows_mut() {
            group.location = Some(random_place(stream));
        }
        let presence = (1..=ases).filter(|_| below(stream, 3) > 0).collect::<Vec<_>>();
        spec(&mut scenario).presence = presence
            .into_iter()
            .map(|asn| Presence { asn, at: vec![random_place(stream), random_place(stream)] })
            .collect();
    }
    spec(&mut scenario).timing.session_jitter = 3.0;
    spec(&mut scenario).timing.mrai.interval = seconds(f64::from(below(stream, 3)) * 2.0);
    (scenario, ases)
}

fn random_trouble(stream: &mut Stream, links: &[Link], ases: u32) -> Trouble {
    let link = links[below(stream, links.len() as u32) as usize];
    let asn = asn_among(stream, ases);
    match below(stream, 5) {
        0 => Trouble::Hijack {
            asn,
            prefix: ANY,
            more_specific: below(stream, 3) == 0,
            pretends: below(stream, 2) == 0,
        },
        1 => Trouble::Leak { asn },
        2 => Trouble::Blackhole { asn },
        3 => Trouble::Depeering { a: link.a, b: link.b },
        _ => Trouble::LocalPref {
            asn: link.b,
            neighbour: link.a,
            value: [50, 250, 350][below(stream, 3) as usize],
        },
    }
}

/// Whether routing as such is in doubt: no stable state, or several.
fn unsettled(seen: &Seen) -> bool {
    seen.warnings.iter().any(|warning| warning.code == "W0104")
}

/// Whether somebody prefers or exports otherwise than by relation. Then there may be several stable
/// states, and which one is reached is a matter of history.
fn outside_the_rules(scenario: &Scenario) -> bool {
    let odd = |change: &Change| {
        matches!(change, Change::RoutingTrouble(Trouble::Leak { .. } | Trouble::LocalPref { .. }))
    };
    scenario.timeline.iter().any(|row| odd(&row.change))
        || scenario.announcements.iter().any(|row| row.attributes.local_pref.is_some())
}

fn add_trouble(scenario: &mut Scenario, stream: &mut Stream, ases: u32) {
    let graph = Arc::clone(&spec(scenario).graph);
    let links: Vec<Link> = graph.links().filter(|link| link.a != OURS && link.b != OURS).collect();
    for second in [5.0, 10.0] {
        let trouble = random_trouble(stream, &links, ases);
        happens(scenario, second, Change::RoutingTrouble(trouble));
    }
    if below(stream, 2) == 0 {
        let spec = spec(scenario);
        spec.roas = vec![Roa { prefix: ANY, asn: OURS, more_specifics: false }];
        let mode = [Validation::Drop, Validation::Depreference];
        spec.validators = (1..=ases).step_by(3).map(|asn| (asn, mode[asn as usize % 2])).collect();
    }
    let down = below(stream, scenario.network.links.len() as u32);
    happens(scenario, 15.0, Change::SessionDown(LinkId(down)));
}

/// What came of comparing the solvers on random worlds.
#[derive(Debug, Default)]
struct Comparison {
    /// Worlds where everybody fares alike.
    same: usize,
    /// Worlds of which one of the solvers says that there is no one stable state.
    unsettled: usize,
    /// Worlds outside the rules where the solvers are in different stable states.
    elsewhere: usize,
}

/// Plays random worlds with both solvers, at rest or in trouble. Within the rules there is one
/// stable state, and every group must fare alike in both.
fn compare_random(cases: u64, troubled: bool) -> Comparison {
    let mut out = Comparison::default();
    for case in 0..cases {
        let key = StreamKey { seed: 7, replication: 0, purpose: "landing-bgp", entity: case };
        let mut stream = Stream::new(key);
        let (mut scenario, ases) = random_world(&mut stream);
        if troubled {
            add_trouble(&mut scenario, &mut stream, ases);
        }
        scenario.horizon = seconds(600.0);
        let [direct, events] = BOTH.map(|solver| solved(&scenario, solver));
        let [one, other] = [&direct, &events].map(|seen| seen.ends.last().expect("a bucket"));
        if unsettled(&direct) || unsettled(&events) {
            out.unsettled += 1;
        } else if one == other {
            out.same += 1;
        } else {
            let differ = (1..).zip(one.iter().zip(other)).filter(|(_, (a, b))| a != b);
            let differ: Vec<(u32, _)> = differ.collect();
            assert!(
                outside_the_rules(&scenario),
                "case {case}: {differ:?}\n{:?}\n{:?}\n{:?}",
                scenario.timeline,
                scenario.announcements,
                scenario.landing,
            );
            out.elsewhere += 1;
        }
    }
    out
}

#[test]
fn both_solvers_land_everybody_at_the_same_place_at_rest() {
    let out = compare_random(200, false);
    assert_eq!(out.elsewhere, 0);
    assert!(out.same >= 190, "{out:?}");
}

#[test]
fn both_solvers_land_everybody_at_the_same_place_in_trouble() {
    let out = compare_random(200, true);
    assert!(out.same >= 180 && out.elsewhere <= 10, "{out:?}");
}
