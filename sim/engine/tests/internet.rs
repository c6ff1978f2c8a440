//! Routing on AS graphs against an independent, naive recomputation, and by its properties.

// Helpers of tests are tests, too; the lints know only the functions marked as such.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::route::internet::{
    Announcements, AsGraph, Class, InvalidRoutes, Link, NextHop, Relation, Seed, Solution,
    Unsettled, Validity, Workspace, Zombie, generate, solve_many,
};
use steerlab_engine::run::{RunExecutor, Serial};

fn link(a: u32, b: u32, relation: Relation) -> Link {
    Link { a, b, relation }
}

fn stream(seed: u64) -> Stream {
    Stream::new(StreamKey { seed, replication: 0, purpose: "test", entity: 0 })
}

/// A small hierarchy with numbers in random order, some peers over route servers.
fn small_graph(chance: &mut Stream) -> AsGraph {
    let ases = 6 + chance.below(40) as usize;
    let tier1 = 2;
    let links = ases + chance.below((ases * (ases - 1) / 4 - ases) as u64) as usize;
    let mut made = generate(ases, links.max(ases - tier1 + 1), chance.next_u64()).unwrap();
    for link in &mut made {
        if link.relation == Relation::Peer && chance.below(3) == 0 {
            link.relation = Relation::RouteServer;
        }
    }
    AsGraph::new(&made).unwrap()
}

/// Announcements with seeds of all kinds, wishes, links that are down, filters.
fn announcements(graph: &AsGraph, chance: &mut Stream) -> Announcements {
    let count = 1 + chance.below(4);
    let seeds = (0..count).map(|exit| seed(graph, exit as u32, chance)).collect();
    let mut announcements = Announcements { seeds, ..Announcements::default() };
    if chance.below(3) == 0 {
        flip_link(graph, &mut announcements, chance);
    }
    announcements
}

fn any_as(graph: &AsGraph, chance: &mut Stream) -> u32 {
    chance.below(graph.len() as u64) as u32
}

fn seed(graph: &AsGraph, exit: u32, chance: &mut Stream) -> Seed {
    let at = any_as(graph, chance);
    let learned = Class::ALL[chance.below(5) as usize];
    // 1,000,000 is in no graph here.
    let mut seed = match learned {
        Class::Own => Seed::origin(at, exit),
        learned => Seed::session(at, learned, 1_000_000, chance.below(3) as u16, exit),
    };
    let control = &mut seed.control;
    control.no_export = chance.below(12) == 0;
    let neighbours = graph.all_neighbours(at);
    let mut neighbour = || neighbours[chance.below(neighbours.len() as u64) as usize];
    let (one, other) = (neighbour(), neighbour());
    if chance.below(4) == 0 {
        control.no_export_to.push(one);
    }
    if chance.below(4) == 0 {
        control.prepend_to.push((other, 1 + chance.below(3) as u16));
    }
    control.validity =
        [Validity::Valid, Validity::Invalid, Validity::Unknown][chance.below(3) as usize];
    seed
}

fn flip_link(graph: &AsGraph, announcements: &mut Announcements, chance: &mut Stream) {
    let a = any_as(graph, chance);
    let neighbours = graph.all_neighbours(a);
    let b = neighbours[chance.below(neighbours.len() as u64) as usize];
    let down = &mut announcements.trouble.links_down;
    match down.iter().position(|&pair| pair == (a, b) || pair == (b, a)) {
        Some(at) => {
            down.remove(at);
        }
        None => down.push((a, b)),
    }
}

/// A route as the naive solver keeps it: everything, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Naive {
    local_preference: u32,
    class: Class,
    /// As received.
    path: Vec<u32>,
    seed: usize,
    /// Number of the neighbour; 0 for an origin.
    neighbour: u32,
    hop: NextHop,
}

/// All routes that an AS may choose from, given what everybody has.
fn offers(
    graph: &AsGraph,
    announcements: &Announcements,
    state: &[Option<Naive>],
    at: u32,
) -> Vec<Naive> {
    let mut offers = Vec::new();
    for (position, seed) in announcements.seeds.iter().enumerate().filter(|(_, s)| s.at == at) {
        offers.push(Naive {
            local_preference: seed.local_preference(),
            class: seed.learned,
            path: seed.path.clone(),
            seed: position,
            neighbour: seed.path.first().copied().unwrap_or(0),
            hop: NextHop::Seed(position),
        });
    }
    let trouble = &announcements.trouble;
    for relation in Relation::ALL {
        for &from in graph.neighbours(at, relation) {
            let Some(route) = &state[from as usize] else { continue };
            let control = &announcements.seeds[route.seed].control;
            let own_wish = matches!(route.hop, NextHop::Seed(_));
            let barred = own_wish && (control.no_export || control.no_export_to.contains(&at));
            let up = !trouble.links_down.iter().any(|p| *p == (at, from) || *p == (from, at));
            let exported = matches!(route.class, Class::Own | Class::Customer)
                || relation == Relation::Provider
                || trouble.leaks.contains(&from);
            if barred || !up || !exported {
                continue;
            }
            let asked = control.prepend_to.iter().filter(|(to, _)| own_wish && *to == at);
            let copies = 1 + asked.map(|(_, times)| usize::from(*times)).sum::<usize>();
            let mut path = vec![graph.asn(from); copies];
            path.extend(&route.path);
            let class = Class::of(relation);
            let set = trouble.preferences.iter().find(|p| (p.0, p.1) == (at, from));
            offers.push(Naive {
                local_preference: set.map_or(class.local_preference(), |p| p.2),
                class,
                path,
                seed: route.seed,
                neighbour: graph.asn(from),
                hop: NextHop::As(from),
            });
        }
    }
    for offer in &mut offers {
        let invalid = announcements.seeds[offer.seed].control.validity == Validity::Invalid;
        if invalid && trouble.validators.contains(&(at, InvalidRoutes::Depreference)) {
            offer.local_preference = 0;
        }
    }
    offers.retain(|offer| {
        let invalid = announcements.seeds[offer.seed].control.validity == Validity::Invalid;
        let limit = trouble.path_limits.iter().find(|limit| limit.0 == at);
        let own = offer.class == Class::Own;
        !(offer.path.contains(&graph.asn(at)) && !own
            || invalid && trouble.validators.contains(&(at, InvalidRoutes::Drop))
            || limit.is_some_and(|limit| offer.path.len() > usize::from(limit.1)))
    });
    offers.sort_by_key(|o| (u32::MAX - o.local_preference, o.path.len(), o.neighbour, o.seed));
    offers
}

/// Everybody looks at everybody again and again until nothing changes.
fn naive(graph: &AsGraph, announcements: &Announcements) -> Vec<Option<Naive>> {
    let mut state = vec![None; graph.len()];
    for _ in 0..10 * graph.len() + 10 {
        let next: Vec<Option<Naive>> = (0..graph.len() as u32)
            .map(|at| offers(graph, announcements, &state, at).into_iter().next())
            .collect();
        if next == state {
            return state;
        }
        state = next;
    }
    panic!("Gao-Rexford policies settle");
}

/// Compares every class, path and set of equally good next hops.
fn assert_same(
    graph: &AsGraph,
    announcements: &Announcements,
    solution: &Solution,
    state: &[Option<Naive>],
) {
    let routes = solution.routes(graph, announcements);
    for at in 0..graph.len() as u32 {
        let mut path = Vec::new();
        routes.path(at, &mut path);
        match &state[at as usize] {
            None => assert_eq!((solution.class(at), path.len()), (None, 0)),
            Some(route) => {
                assert_eq!(solution.class(at), Some(route.class), "{at}");
                assert_eq!(path[0], graph.asn(at));
                assert_eq!(path[1..], route.path, "AS {} {announcements:?}", path[0]);
                assert_eq!(solution.length(at) as usize, route.path.len());
                let seed = &announcements.seeds[route.seed];
                assert_eq!(routes.seed(at), Some(seed));
                let offers = offers(graph, announcements, state, at);
                let best = |o: &Naive| (o.local_preference, o.path.len());
                let equal = offers.iter().filter(|o| best(o) == best(&offers[0]));
                let equal: Vec<NextHop> = equal.map(|o| o.hop).collect();
                assert_eq!(routes.equal_next_hops(at), equal);
            }
        }
    }
}

/// A path goes up, across at most once, and down.
fn assert_valley_free(graph: &AsGraph, path: &[u32]) {
    let mut phase = 0;
    let mut path: Vec<u32> = path.iter().filter_map(|&asn| graph.index_of(asn)).collect();
    path.dedup();
    let mut seen = path.clone();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), path.len(), "a loop");
    for pair in path.windows(2) {
        let step = match graph.relation(pair[0], pair[1]).unwrap() {
            Relation::Provider => 0,
            Relation::Peer | Relation::RouteServer => 1,
            Relation::Customer => 2,
        };
        assert!(step > phase || step == phase && step != 1, "a valley in {path:?}");
        phase = step;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn paths_and_sets_are_those_of_a_naive_recomputation(key in any::<u64>()) {
        let mut chance = stream(key);
        let graph = small_graph(&mut chance);
        let mut announcements = announcements(&graph, &mut chance);
        let trouble = &mut announcements.trouble;
        if chance.below(2) == 0 {
            let drop = |_| (any_as(&graph, &mut chance), InvalidRoutes::Drop);
            trouble.validators = (0..5).map(drop).collect();
            trouble.validators.sort_by_key(|row| row.0);
            trouble.validators.dedup();
        }
        if chance.below(3) == 0 {
            trouble.path_limits.push((any_as(&graph, &mut chance), 1 + chance.below(4) as u16));
        }
        if chance.below(4) == 0 {
            // Our own network is in the graph, and rejects what it announced.
            let own = graph.asn(any_as(&graph, &mut chance));
            for seed in &mut announcements.seeds {
                if seed.learned == Class::Own {
                    *seed = Seed::session(seed.at, Class::Customer, own, 0, seed.exit);
                }
                seed.path.iter_mut().for_each(|asn| *asn = own);
            }
            announcements.seeds.retain(|seed| graph.asn(seed.at) != own);
        }
        let mut workspace = Workspace::default();
        let solution = Solution::solve(&graph, &announcements, &mut workspace).unwrap();
        let state = naive(&graph, &announcements);
        assert_same(&graph, &announcements, &solution, &state);
        let routes = solution.routes(&graph, &announcements);
        for at in 0..graph.len() as u32 {
            let mut path = Vec::new();
            routes.path(at, &mut path);
            let outside = routes.seed(at).map_or(0, |seed| seed.path.len());
            assert_valley_free(&graph, &path[..path.len() - outside]);
        }
    }

    #[test]
    fn a_settled_state_is_stable_whatever_is_wrong(key in any::<u64>()) {
        let mut chance = stream(key);
        let graph = small_graph(&mut chance);
        let mut announcements = announcements(&graph, &mut chance);
        let trouble = &mut announcements.trouble;
        for _ in 0..chance.below(3) {
            trouble.leaks.push(any_as(&graph, &mut chance));
        }
        for _ in 0..chance.below(4) {
            let at = any_as(&graph, &mut chance);
            let neighbours = graph.all_neighbours(at);
            let neighbour = neighbours[chance.below(neighbours.len() as u64) as usize];
            if !trouble.preferences.iter().any(|p| (p.0, p.1) == (at, neighbour)) {
                trouble.preferences.push((at, neighbour, 50 * chance.below(10) as u32));
            }
        }
        if chance.below(3) == 0 {
            let validator = (any_as(&graph, &mut chance), InvalidRoutes::Depreference);
            trouble.validators.push(validator);
        }
        let states = match Solution::solve(&graph, &announcements, &mut Workspace::default()) {
            Ok(solution) => vec![solution],
            Err(Unsettled::NotUnique { states, differing }) => {
                prop_assert!(!differing.is_empty());
                states.to_vec()
            }
            Err(Unsettled::Diverged { changing }) => {
                prop_assert!(!changing.is_empty());
                Vec::new()
            }
        };
        for solution in states {
            let routes = solution.routes(&graph, &announcements);
            let state: Vec<Option<Naive>> = (0..graph.len() as u32).map(|at| {
                let hop = routes.next_hop(at)?;
                let class = routes.class(at)?;
                let mut path = Vec::new();
                routes.path(at, &mut path);
                let seed = announcements.seeds.iter().position(|s| Some(s) == routes.seed(at))?;
                let neighbour = path.get(1).copied().unwrap_or(0);
                let path = path[1..].to_vec();
                Some(Naive { local_preference: 0, class, path, seed, neighbour, hop })
            }).collect();
            for at in 0..graph.len() as u32 {
                let best = offers(&graph, &announcements, &state, at).into_iter().next();
                let best = best.map(|best| (best.class, best.path, best.hop));
                let have = state[at as usize].clone().map(|have| (have.class, have.path, have.hop));
                prop_assert_eq!(have, best);
            }
        }
    }
}

#[test]
fn following_1000_changes_gives_what_solving_from_scratch_gives() {
    let mut workspace = Workspace::default();
    let (mut changes, mut quiet) = (0, 0);
    for graph_seed in 0..25 {
        let mut chance = stream(graph_seed);
        let graph = match graph_seed % 5 {
            0 => AsGraph::new(&generate(2_000, 9_000, graph_seed).unwrap()).unwrap(),
            _ => small_graph(&mut chance),
        };
        // In some graphs our own network is there, and rejects what it announced.
        let own = (graph_seed % 5 == 1).then(|| graph.asn(any_as(&graph, &mut chance)));
        let entry = |exit: u32, chance: &mut Stream| {
            let Some(own) = own else { return seed(&graph, exit, chance) };
            let mut seed = seed(&graph, exit, chance);
            if seed.learned == Class::Own {
                let session = Seed::session(seed.at, Class::Peer, own, 1, exit);
                seed = Seed { control: seed.control, ..session };
            }
            seed.path.iter_mut().for_each(|asn| *asn = own);
            seed
        };
        let mut now = Announcements::default();
        for exit in 0..12 {
            now.seeds.push(entry(exit, &mut chance));
        }
        let mut solution = Solution::solve(&graph, &now, &mut workspace).unwrap();
        for exit in 100..140 {
            let before = now.clone();
            let at = chance.below(now.seeds.len() as u64) as usize;
            match chance.below(5) {
                0 if now.seeds.len() > 1 => {
                    now.seeds.remove(at);
                }
                1 => now.seeds.insert(at, entry(exit, &mut chance)),
                2 => now.seeds[at] = entry(exit, &mut chance),
                3 => now.seeds[at].path.extend(vec![own.unwrap_or(1_000_000); 2]),
                _ => flip_link(&graph, &mut now, &mut chance),
            }
            let old = solution.clone();
            let changed = solution.change(&graph, &before, &now, &mut workspace).unwrap();
            let scratch = Solution::solve(&graph, &now, &mut Workspace::default()).unwrap();
            assert_eq!(solution, scratch, "graph {graph_seed}, change {exit}");
            let (old, new) = (old.routes(&graph, &before), solution.routes(&graph, &now));
            for at in 0..graph.len() as u32 {
                let told = changed.binary_search(&at).is_ok();
                let hop = |routes: &steerlab_engine::route::internet::Routes<'_>| {
                    let hop = routes.next_hop(at);
                    match hop {
                        Some(NextHop::Seed(_)) => {
                            (routes.class(at), None, routes.seed(at).cloned())
                        }
                        hop => (routes.class(at), hop, None),
                    }
                };
                assert!(told || hop(&old) == hop(&new), "AS {at} changed and is not in the list");
            }
            quiet += usize::from(changed.is_empty());
            changes += 1;
        }
    }
    assert_eq!(changes, 1_000);
    assert!(quiet < changes / 2, "most changes change nothing: {quiet}");
}

/// Provider 1 of 2 and 3; 2 and 3 peer; 4 is a customer of 2, 5 of 3.
fn diamond() -> AsGraph {
    AsGraph::new(&[
        link(1, 2, Relation::Customer),
        link(1, 3, Relation::Customer),
        link(2, 3, Relation::Peer),
        link(2, 4, Relation::Customer),
        link(3, 5, Relation::Customer),
    ])
    .unwrap()
}

fn index(graph: &AsGraph, asn: u32) -> u32 {
    graph.index_of(asn).unwrap()
}

fn path(graph: &AsGraph, announcements: &Announcements, solution: &Solution, asn: u32) -> Vec<u32> {
    let mut path = Vec::new();
    solution.routes(graph, announcements).path(index(graph, asn), &mut path);
    path
}

fn solve(graph: &AsGraph, announcements: &Announcements) -> Solution {
    Solution::solve(graph, announcements, &mut Workspace::default()).unwrap()
}

#[test]
fn a_leak_draws_traffic_through_the_leaker() {
    // 6 is a customer of 1 and of 2; 7 is the origin, a customer of 1.
    let links: Vec<Link> = [
        link(1, 6, Relation::Customer),
        link(2, 6, Relation::Customer),
        link(1, 7, Relation::Customer),
        link(1, 2, Relation::Peer),
    ]
    .into();
    let graph = AsGraph::new(&links).unwrap();
    let mut announced = Announcements::origins(&[index(&graph, 7)]);
    assert_eq!(path(&graph, &announced, &solve(&graph, &announced), 2), [2, 1, 7]);
    announced.trouble.leaks.push(index(&graph, 6));
    // 2 prefers its customer, however long the path.
    assert_eq!(path(&graph, &announced, &solve(&graph, &announced), 2), [2, 6, 1, 7]);
    assert_eq!(path(&graph, &announced, &solve(&graph, &announced), 1), [1, 7]);
}

#[test]
fn a_hijack_splits_the_graph_and_validation_stops_it() {
    let graph = diamond();
    let (victim, thief) = (index(&graph, 4), index(&graph, 5));
    let mut announced = Announcements::origins(&[victim, thief]);
    announced.seeds[0].control.validity = Validity::Valid;
    announced.seeds[1].control.validity = Validity::Invalid;
    let solution = solve(&graph, &announced);
    assert_eq!(path(&graph, &announced, &solution, 1), [1, 2, 4]);
    assert_eq!(path(&graph, &announced, &solution, 3), [3, 5]);
    announced.trouble.validators = vec![(index(&graph, 3), InvalidRoutes::Drop)];
    let solution = solve(&graph, &announced);
    assert_eq!(path(&graph, &announced, &solution, 3), [3, 2, 4]);
    assert_eq!(path(&graph, &announced, &solution, 5), [5]);
    announced.trouble.validators[0].1 = InvalidRoutes::Depreference;
    assert_eq!(path(&graph, &announced, &solve(&graph, &announced), 3), [3, 2, 4]);
    // With nothing else, a depreferenced route is taken.
    announced.seeds.remove(0);
    assert_eq!(path(&graph, &announced, &solve(&graph, &announced), 3), [3, 5]);
}

#[test]
fn a_forged_path_is_longer_and_rejected_by_the_victim() {
    let graph = diamond();
    let mut announced = Announcements::origins(&[index(&graph, 4), index(&graph, 5)]);
    announced.seeds[1].path = vec![4];
    let solution = solve(&graph, &announced);
    assert_eq!(path(&graph, &announced, &solution, 1), [1, 2, 4]);
    assert_eq!(path(&graph, &announced, &solution, 3), [3, 5, 4]);
    assert_eq!(path(&graph, &announced, &solution, 4), [4]);
}

#[test]
fn a_more_specific_hijack_is_a_prefix_of_its_own_that_reaches_all() {
    let graph = diamond();
    let prefixes = [index(&graph, 4), index(&graph, 5)].map(|at| Announcements::origins(&[at]));
    let solved = solve_many(&graph, &prefixes, &Serial);
    let specific = solved[1].as_ref().unwrap();
    // Longest match: whoever has the more specific route uses it, the victim too.
    assert_eq!(specific.reached(), graph.len());
    assert_eq!(path(&graph, &prefixes[1], specific, 4), [4, 2, 3, 5]);
}

/// 0 is a customer of 1, 2 and 3, which peer with each other and prefer the next one round.
fn bad_gadget(round: bool) -> (AsGraph, Announcements) {
    let graph = AsGraph::new(&[
        link(1, 9, Relation::Customer),
        link(2, 9, Relation::Customer),
        link(3, 9, Relation::Customer),
        link(1, 2, Relation::Peer),
        link(2, 3, Relation::Peer),
        link(3, 1, Relation::Peer),
    ])
    .unwrap();
    let mut announced = Announcements::origins(&[index(&graph, 9)]);
    let mut prefers = vec![(1, 2), (2, 3)];
    if round {
        prefers.push((3, 1));
    }
    announced.trouble.preferences =
        prefers.iter().map(|&(a, b)| (index(&graph, a), index(&graph, b), 500)).collect();
    (graph, announced)
}

#[test]
fn a_bad_gadget_is_reported_with_those_that_go_round() {
    let (graph, announced) = bad_gadget(true);
    match Solution::solve(&graph, &announced, &mut Workspace::default()) {
        Err(Unsettled::Diverged { changing }) => assert_eq!(changing, [0, 1, 2]),
        other => panic!("{other:?}"),
    }
    let (graph, announced) = bad_gadget(false);
    let solution = solve(&graph, &announced);
    assert_eq!(path(&graph, &announced, &solution, 2), [2, 3, 9]);
    assert_eq!(path(&graph, &announced, &solution, 1), [1, 9]);
}

#[test]
fn disagree_has_two_states_and_both_are_told() {
    let graph = AsGraph::new(&[
        link(1, 9, Relation::Customer),
        link(2, 9, Relation::Customer),
        link(1, 2, Relation::Peer),
    ])
    .unwrap();
    let mut announced = Announcements::origins(&[index(&graph, 9)]);
    announced.trouble.preferences = vec![(0, 1, 500), (1, 0, 500)];
    match Solution::solve(&graph, &announced, &mut Workspace::default()) {
        Err(Unsettled::NotUnique { states, differing }) => {
            assert_eq!(differing, [0, 1]);
            let mut paths = states.each_ref().map(|state| {
                [path(&graph, &announced, state, 1), path(&graph, &announced, state, 2)]
            });
            paths.sort();
            assert_eq!(paths[0], [vec![1, 2, 9], vec![2, 9]]);
            assert_eq!(paths[1], [vec![1, 9], vec![2, 1, 9]]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wedgie_is_told_to_have_two_states() {
    // RFC 4264, the 3/4 wedgie: our network buys from 4, and from 2 as a backup that 2 is asked to
    // prefer less than its provider 3; 3 and 4 peer.
    let graph =
        AsGraph::new(&[link(3, 2, Relation::Customer), link(3, 4, Relation::Peer)]).unwrap();
    let mut backup = Seed::session(index(&graph, 2), Class::Customer, 64_512, 0, 1);
    backup.control.local_preference = Some(50);
    let primary = Seed::session(index(&graph, 4), Class::Customer, 64_512, 0, 0);
    let announced = Announcements { seeds: vec![primary, backup], ..Announcements::default() };
    match Solution::solve(&graph, &announced, &mut Workspace::default()) {
        Err(Unsettled::NotUnique { states, .. }) => {
            let mut paths = states.each_ref().map(|state| path(&graph, &announced, state, 3));
            paths.sort();
            assert_eq!(paths, [vec![3, 2, 64_512], vec![3, 4, 64_512]]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_zombie_keeps_what_was_withdrawn_and_only_that() {
    let graph = diamond();
    let before = Announcements::origins(&[index(&graph, 4)]);
    let solution = solve(&graph, &before);
    let three = index(&graph, 3);
    let zombie = Zombie::of(&solution.routes(&graph, &before), three).unwrap();
    let mut after = Announcements::default();
    after.trouble.zombies.push(zombie.clone());
    let stuck = solve(&graph, &after);
    assert_eq!(path(&graph, &after, &stuck, 3), [3, 2, 4]);
    // Its customer hears it, the others do not.
    assert_eq!(path(&graph, &after, &stuck, 5), [5, 3, 2, 4]);
    assert_eq!(stuck.reached(), 2);
    // While the neighbour announces something, the zombie has what the neighbour says.
    let mut again = before.clone();
    again.seeds[0].path = vec![4, 4];
    again.trouble.zombies.push(zombie);
    assert_eq!(path(&graph, &again, &solve(&graph, &again), 3), [3, 2, 4, 4, 4]);
}

/// Runs jobs backwards.
struct Backwards;

impl RunExecutor for Backwards {
    fn execute(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).rev().for_each(job);
    }
}

#[test]
fn the_order_of_prefixes_does_not_matter() {
    let graph = AsGraph::new(&generate(300, 1_500, 7).unwrap()).unwrap();
    let prefixes: Vec<Announcements> = (0..40).map(|at| Announcements::origins(&[at])).collect();
    let forwards = solve_many(&graph, &prefixes, &Serial);
    assert_eq!(forwards, solve_many(&graph, &prefixes, &Backwards));
}

#[test]
fn a_chain_longer_than_any_path_ends_where_paths_end() {
    let links: Vec<Link> = (1..70_000).map(|asn| link(asn + 1, asn, Relation::Customer)).collect();
    let graph = AsGraph::new(&links).unwrap();
    let solution = solve(&graph, &Announcements::origins(&[0]));
    assert_eq!(solution.reached(), 65_535);
    assert_eq!(solution.length(65_534), 65_534);
}
