//! Max-min fair sharing against a naive solver, textbooks, its certificate, and itself.

use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::load::maxmin::{
    BandwidthFunction, Bottleneck, Demand, Entity, EntityId, Problem, Sharing, Solution, Tunnel,
    Violation, certify, fair_share,
};

fn stream(entity: u64) -> Stream {
    Stream::new(StreamKey { seed: 4, replication: 0, purpose: "maxmin test", entity })
}

/// Progressive filling as in the textbook: raise all, freeze at the first event, again.
fn naive(problem: &Problem) -> Vec<f64> {
    let mut rate = vec![0.0; problem.entities.len()];
    let mut left = problem.capacity.clone();
    for priority in 0..8 {
        for &(resource, at, load) in &problem.background {
            if at == priority {
                left[resource] = (left[resource] - load).max(0.0);
            }
        }
        let mut active: Vec<usize> = (0..rate.len())
            .filter(|&e| problem.entities[e].0.priority == priority && problem.entities[e].1 > 0)
            .collect();
        let mut level = 0.0;
        while !active.is_empty() {
            let mut slope = vec![0.0; left.len()];
            let mut step = f64::INFINITY;
            for &e in &active {
                let (entity, count) = &problem.entities[e];
                for &(resource, coefficient) in &entity.rows {
                    slope[resource as usize] += coefficient * entity.weight * f64::from(*count);
                }
                if let Some(cap) = entity.cap {
                    step = f64::min(step, cap / entity.weight - level);
                }
            }
            let mut tight = None;
            for resource in 0..left.len() {
                if slope[resource] > 0.0 && left[resource] / slope[resource] <= step {
                    step = left[resource] / slope[resource];
                    tight = Some(resource);
                }
            }
            assert!(step < f64::INFINITY);
            level += step;
            for resource in 0..left.len() {
                left[resource] = (left[resource] - slope[resource] * step).max(0.0);
            }
            if let Some(resource) = tight {
                left[resource] = 0.0;
            }
            active.retain(|&e| {
                let entity = &problem.entities[e].0;
                rate[e] = level * entity.weight;
                let capped = tight.is_none()
                    && entity.cap.is_some_and(|cap| cap / entity.weight <= level * (1.0 + 1e-15));
                if capped {
                    rate[e] = entity.cap.expect("it is capped");
                }
                !capped && !entity.rows.iter().any(|row| Some(row.0 as usize) == tight)
            });
        }
    }
    rate
}

/// Draws whole numbers now and then, so that ties are common.
fn number(draw: &mut Stream, tidy: bool, top: u64) -> f64 {
    if tidy { 1.0 + draw.below(top) as f64 } else { 0.05 + top as f64 * draw.uniform() }
}

fn random_entity(draw: &mut Stream, resources: u64, tidy: bool) -> Entity {
    let hops = 1 + draw.below(resources.min(5));
    let mut path: Vec<u32> = Vec::new();
    while (path.len() as u64) < hops {
        let resource = draw.below(resources) as u32;
        if !path.contains(&resource) {
            path.push(resource);
        }
    }
    let split = draw.below(3) == 0;
    let coefficient = |draw: &mut Stream| {
        if !split {
            1.0
        } else if tidy {
            [0.25, 0.5, 1.0, 1.0 / 3.0][draw.below(4) as usize]
        } else {
            0.01 + draw.uniform()
        }
    };
    Entity {
        weight: if draw.below(2) == 0 { 1.0 } else { number(draw, tidy, 4) },
        cap: (draw.below(3) == 0).then(|| number(draw, tidy, 6)),
        priority: draw.below(4).saturating_sub(1) as u32,
        rows: path.iter().map(|&resource| (resource, coefficient(draw))).collect(),
    }
}

fn random_problem(draw: &mut Stream) -> Problem {
    let tidy = draw.below(2) == 0;
    let resources = 1 + draw.below(10);
    let capacity = (0..resources)
        .map(|_| if draw.below(15) == 0 { 0.0 } else { number(draw, tidy, 20) })
        .collect();
    let background = (0..draw.below(4))
        .map(|i| (draw.below(resources) as usize, i as u32 % 3, number(draw, tidy, 6)))
        .collect::<Vec<_>>();
    // One background a (resource, priority).
    let mut seen = Vec::new();
    let background = background
        .into_iter()
        .filter(|b| {
            let new = !seen.contains(&(b.0, b.1));
            seen.push((b.0, b.1));
            new
        })
        .collect();
    let entities = (0..1 + draw.below(25))
        .map(|_| (random_entity(draw, resources, tidy), draw.below(4) as u32))
        .collect();
    Problem { capacity, background, entities }
}

#[test]
fn agrees_with_naive_progressive_filling_on_random_cases() {
    let mut draw = stream(1);
    for case in 0..10_000 {
        let problem = random_problem(&mut draw);
        let expected = naive(&problem);
        let solution = problem.solve();
        for (e, (&ours, &theirs)) in solution.rate.iter().zip(&expected).enumerate() {
            // Rates that ought to be 0 are remainders of subtraction in the naive solver.
            let error = (ours - theirs).abs();
            assert!(
                error <= 1e-9 * theirs || error <= 1e-13,
                "case {case} entity {e}: {ours} and {theirs} in {problem:?}"
            );
        }
        let found = certify(&problem, &solution.rate, 1e-9)
            .unwrap_or_else(|violation| panic!("case {case}: {violation} in {problem:?}"));
        for (e, (ours, theirs)) in solution.bottleneck.iter().zip(&found).enumerate() {
            let none = Bottleneck::Nothing;
            assert_eq!(*ours == none, *theirs == none, "case {case} entity {e}");
        }
    }
}

fn bits(sharing: &Sharing, ids: &[EntityId]) -> Vec<u64> {
    let loads = (0..sharing.resources()).map(|r| sharing.load(r).to_bits());
    ids.iter().map(|&id| sharing.rate(id).to_bits()).chain(loads).collect()
}

fn scratch_bits(solution: &Solution) -> Vec<u64> {
    solution.rate.iter().chain(&solution.load).map(|x| x.to_bits()).collect()
}

/// One random change, to the problem and to the sharing alike.
fn change(
    problem: &mut Problem,
    sharing: &mut Sharing,
    ids: &mut Vec<EntityId>,
    draw: &mut Stream,
) {
    let resources = problem.capacity.len() as u64;
    let tidy = draw.below(2) == 0;
    let resource = draw.below(resources) as usize;
    let entity = draw.below(ids.len().max(1) as u64) as usize;
    match draw.below(7) {
        0 => {
            let capacity = if draw.below(5) == 0 { 0.0 } else { number(draw, tidy, 20) };
            problem.capacity[resource] = capacity;
            sharing.set_capacity(resource, capacity);
        }
        1 => {
            let (priority, load) = (draw.below(3) as u32, number(draw, tidy, 6) - 1.0);
            let load = load.max(0.0);
            problem.background.retain(|b| (b.0, b.1) != (resource, priority));
            problem.background.push((resource, priority, load));
            sharing.set_background(resource, priority, load);
        }
        2 if !ids.is_empty() => {
            sharing.remove(ids.swap_remove(entity));
            problem.entities.swap_remove(entity);
        }
        3 | 4 if !ids.is_empty() => {
            let count = draw.below(5) as u32;
            problem.entities[entity].1 = count;
            sharing.set_count(ids[entity], count);
        }
        _ => {
            let new = random_entity(draw, resources, tidy);
            let count = draw.below(4) as u32;
            ids.push(sharing.add(&new, count));
            problem.entities.push((new, count));
        }
    }
}

#[test]
fn changes_end_in_the_bytes_of_a_fresh_solution() {
    let mut draw = stream(2);
    for case in 0..400 {
        let mut problem = random_problem(&mut draw);
        let (mut sharing, mut ids) = problem.share();
        for step in 0..50 {
            for _ in 0..=draw.below(3) {
                change(&mut problem, &mut sharing, &mut ids, &mut draw);
            }
            sharing.settle();
            let fresh = problem.solve();
            assert_eq!(bits(&sharing, &ids), scratch_bits(&fresh), "case {case} step {step}");
            let reversed = Problem {
                entities: problem.entities.iter().rev().cloned().collect(),
                ..problem.clone()
            };
            let mut rates = reversed.solve().rate;
            rates.reverse();
            assert_eq!(rates, fresh.rate, "case {case} step {step}: order of entities");
        }
    }
}

#[test]
fn changes_in_a_large_network_end_in_the_bytes_of_a_fresh_solution() {
    let mut draw = stream(3);
    for tidy in [true, false] {
        let capacity: Vec<f64> = (0..80).map(|_| number(&mut draw, tidy, 20)).collect();
        let entities = (0..600)
            .map(|_| (random_entity(&mut draw, 80, tidy), 1 + draw.below(3) as u32))
            .collect();
        let mut problem = Problem { capacity, background: Vec::new(), entities };
        let (mut sharing, mut ids) = problem.share();
        for step in 0..300 {
            change(&mut problem, &mut sharing, &mut ids, &mut draw);
            sharing.settle();
            let fresh = problem.solve();
            assert_eq!(bits(&sharing, &ids), scratch_bits(&fresh), "step {step}");
            certify(&problem, &fresh.rate, 1e-10).unwrap();
        }
    }
}

fn plain(capacity: &[f64], paths: &[&[u32]]) -> Problem {
    Problem {
        capacity: capacity.to_vec(),
        background: Vec::new(),
        entities: paths.iter().map(|path| (Entity::over(path), 1)).collect(),
    }
}

fn assert_rates(problem: &Problem, expected: &[f64]) {
    let solution = problem.solve();
    for (ours, theirs) in solution.rate.iter().zip(expected) {
        assert!((ours - theirs).abs() <= 1e-15 * theirs.max(1.0), "{:?}", solution.rate);
    }
    certify(problem, &solution.rate, 1e-12).expect("textbooks are right");
}

#[test]
fn textbook_cases() {
    let parking: &[&[u32]] = &[&[0, 1, 2], &[0], &[1], &[2]];
    assert_rates(&plain(&[1.0; 3], parking), &[0.5; 4]);
    assert_rates(&plain(&[1.0, 2.0], &[&[0, 1], &[0], &[1]]), &[0.5, 0.5, 1.5]);
    let third = 1.0 / 3.0;
    assert_rates(
        &plain(&[1.0, 1.0, 1.0, 0.5], &[&[0, 1], &[0], &[0], &[1, 2], &[2, 3]]),
        &[third, third, third, 0.5, 0.5],
    );
}

#[test]
fn priorities_background_and_caps_by_hand() {
    let mut problem = plain(&[10.0], &[&[0], &[0], &[0]]);
    problem.background = vec![(0, 0, 1.0), (0, 1, 2.0)];
    problem.entities[0].0.cap = Some(3.0);
    problem.entities[1].0.priority = 1;
    problem.entities[2].0.priority = 1;
    problem.entities[2].0.weight = 3.0;
    // 1 background, 3 for the capped, 2 background, 4 shared 1 to 3.
    assert_rates(&problem, &[3.0, 1.0, 3.0]);
    let (sharing, _) = problem.share();
    assert_eq!(sharing.load(0), 10.0);
    assert_eq!(sharing.carried_background(0, 1), 2.0);
    assert_eq!(sharing.level(0, 1), Some(1.0));
    assert_eq!(sharing.level(0, 0), None);
    // A class above takes all; background below does not exceed what is left.
    problem.entities[0].0.cap = None;
    assert_rates(&problem, &[9.0, 0.0, 0.0]);
    let (sharing, _) = problem.share();
    assert_eq!(sharing.carried_background(0, 1), 0.0);
}

#[test]
fn certificate_tells_what_is_wrong() {
    let problem = plain(&[1.0, 2.0], &[&[0, 1], &[0], &[1]]);
    let judge = |rates: &[f64]| certify(&problem, rates, 1e-9);
    let fine = [Bottleneck::Resource(0), Bottleneck::Resource(0), Bottleneck::Resource(1)];
    assert_eq!(judge(&[0.5, 0.5, 1.5]), Ok(fine.to_vec()));
    assert_eq!(judge(&[0.5, 0.5]), Err(Violation::NoRate { entity: 2 }));
    assert_eq!(judge(&[0.5, f64::NAN, 1.5]), Err(Violation::NoRate { entity: 1 }));
    let overload = Violation::Overload { resource: 0, load: 1.1, capacity: 1.0 };
    assert_eq!(judge(&[0.5, 0.6, 1.5]), Err(overload));
    let idle = Violation::NoBottleneck { entity: 2, rate: 1.0 };
    assert_eq!(judge(&[0.5, 0.5, 1.0]), Err(idle));
    let unfair = Violation::NoBottleneck { entity: 0, rate: 0.25 };
    assert_eq!(judge(&[0.25, 0.75, 1.75]), Err(unfair));
    let mut capped = problem.clone();
    capped.entities[1].0.cap = Some(0.3);
    let above = Violation::AboveCap { entity: 1, rate: 0.5, cap: 0.3 };
    assert_eq!(certify(&capped, &[0.5, 0.5, 1.5], 1e-9), Err(above));
}

#[test]
fn nothing_binds_where_capacity_is_infinite() {
    let mut problem = plain(&[f64::INFINITY, 1.0], &[&[0], &[0, 1], &[]]);
    problem.entities[2].0.cap = Some(7.0);
    let solution = problem.solve();
    assert_eq!(solution.rate, [f64::INFINITY, 1.0, 7.0]);
    let found = [Bottleneck::Nothing, Bottleneck::Resource(1), Bottleneck::Cap];
    assert_eq!(solution.bottleneck, found);
    assert_eq!(certify(&problem, &solution.rate, 1e-9), Ok(found.to_vec()));
}

#[test]
fn b4_example_freezes_where_the_paper_says() {
    // Edges: AB, AC, CB, AD, DC; all 10 G.
    let tunnel = |edges: &[usize]| Tunnel { edges: edges.to_vec() };
    let demands = [
        Demand {
            function: BandwidthFunction::of_applications(&[(10.0, 15.0), (1.0, 5.0)]),
            tunnels: vec![tunnel(&[0]), tunnel(&[1, 2]), tunnel(&[3, 4, 2])],
        },
        Demand {
            function: BandwidthFunction::of_applications(&[(0.5, 10.0)]),
            tunnels: vec![tunnel(&[1]), tunnel(&[3, 4])],
        },
    ];
    let outcome = fair_share(&[10.0; 5], &demands);
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.max(1.0), "{a} and {b}");
    near(outcome.freezes[0].fair_share, 10.0 / 11.0);
    assert_eq!(outcome.freezes[0].edge, 0);
    near(outcome.freezes[1].fair_share, 10.0 / 3.0);
    assert_eq!(outcome.freezes[1].edge, 1);
    let expected = [vec![10.0, 25.0 / 3.0, 5.0 / 3.0], vec![5.0 / 3.0, 25.0 / 3.0]];
    for (ours, theirs) in outcome.bandwidth.iter().flatten().zip(expected.iter().flatten()) {
        near(*ours, *theirs);
    }
    assert_eq!(outcome.reached, [f64::INFINITY; 2]);
    near(demands[0].function.at(10.0 / 11.0), 10.0);
    assert!(BandwidthFunction::through(vec![(1.0, 2.0), (1.0, 3.0)]).is_err());
}
