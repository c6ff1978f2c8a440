//! Closed forms against published and hand-computed values, and against each other.

// Checks against closed forms may use the platform's functions: they compare with a tolerance.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::theory::{
    admission, balance, cache, closed, control, general, jsq, markov, model, models, money,
    resilience, spill, tcp,
};

fn near(value: f64, expected: f64, relative: f64) {
    let error = (value - expected).abs();
    assert!(error <= relative * expected.abs().max(1e-300), "{value} is not {expected}");
}

/// The answer of a model for parameters as typed: `--load 0.9 --servers 4`.
fn ask(name: &str, words: &str) -> Vec<(String, f64)> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let texts: Vec<(String, String)> = words
        .chunks(2)
        .map(|pair| (pair[0].trim_start_matches('-').to_owned(), pair[1].to_owned()))
        .collect();
    let answers = model(name).unwrap().answer(&texts).unwrap();
    answers.iter().map(|answer| (answer.id(), answer.value)).collect()
}

fn value(name: &str, words: &str, id: &str) -> f64 {
    ask(name, words).into_iter().find(|(one, _)| one == id).unwrap().1
}

#[test]
fn every_model_answers_its_example_with_what_it_promises() {
    for model in models() {
        let answers = ask(model.name, model.example);
        assert!(!answers.is_empty(), "{}", model.name);
        for (id, value) in &answers {
            assert!(value.is_finite(), "{}: {id} is {value}", model.name);
        }
        let mut names: Vec<&str> = models().flat_map(|m| m.aliases.iter().copied()).collect();
        names.extend(models().map(|m| m.name));
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(all, names.len(), "two models share a name");
    }
}

#[test]
fn queues_of_several_servers() {
    // Values of the validation table: M/M/10 at 0.9 and M/M/100 at 0.95.
    near(markov::erlang_c(0.9, 10), 0.6687, 1e-4);
    near(1.0 + markov::wait_mean(0.9, 10), 1.6687, 1e-4);
    near(markov::erlang_c(0.95, 100), 0.5065, 1e-4);
    near(1.0 + markov::wait_mean(0.95, 100), 1.1013, 1e-4);
    // A system that never fills is M/M/c; one place a server is Erlang B.
    let wide = markov::finite_queue(3.2, 4, 4000);
    near(wide.waits, markov::erlang_c(0.8, 4), 1e-12);
    near(wide.number, 3.2 * (1.0 + markov::wait_mean(0.8, 4)), 1e-12);
    for servers in [1, 7, 400] {
        let offered = 0.9 * servers as f64;
        let lossy = markov::finite_queue(offered, servers, servers);
        near(lossy.blocking, markov::erlang_b(offered, servers), 1e-12);
        assert!(lossy.waits == 0.0);
    }
    // M/M/1/K by its closed form, below and above saturation.
    for load in [0.5_f64, 1.25] {
        let exact = (1.0 - load) * load.powi(6) / (1.0 - load.powi(7));
        near(markov::finite_queue(load, 1, 6).blocking, exact, 1e-12);
    }
}

#[test]
fn quantiles_invert_distributions() {
    for (load, servers) in [(0.5, 2), (0.75, 4), (0.9, 10), (0.95, 100)] {
        for at in [0.5, 0.9, 0.99, 0.999] {
            let t = markov::sojourn_quantile(load, servers, at);
            near(markov::sojourn_above(load, servers, t), 1.0 - at, 1e-9);
        }
    }
    // P(N <= n) = 1 - load^(n + 1): 0.8^n first falls to 0.1 or below at n = 11.
    assert!(general::shared_number_quantile(0.8, 0.9) == 10.0);
    assert!(general::shared_number_quantile(0.5, 0.5) == 0.0);
}

#[test]
fn shortest_queue_agrees_with_the_published_values() {
    near(jsq::join_shortest(0.9, 2).sojourn_mean, 5.474_912_819_857_644, 1e-9);
    near(jsq::join_shortest(0.8, 3).sojourn_mean, 2.285_547_606_325, 1e-9);
    // Nobody can do better with two servers than one queue for both, nor worse than two queues.
    for load in [0.1, 0.5, 0.99] {
        let solution = jsq::join_shortest(load, 2);
        assert!(solution.sojourn_mean > 1.0 + markov::wait_mean(load, 2));
        assert!(solution.sojourn_mean < 1.0 / (1.0 - load));
        assert!(solution.cut < 1e-15);
    }
}

#[test]
fn choices_round_robin_and_rings() {
    near(balance::choices_sojourn(0.99, 2), 5.432, 1e-4);
    near(balance::choices_sojourn(0.95, 3), 2.5351, 1e-4);
    near(balance::choices_at_least(0.9, 2, 3), 0.9_f64.powi(7), 1e-12);
    // Many servers dealt to in turn see regular arrivals: D/M/1.
    let busy = balance::round_robin_busy(0.8, 1_000_000);
    near(busy, (-(1.0 - busy) / 0.8).exp(), 1e-5);
    // The largest of the spacings of uniform points is a harmonic number of means.
    near(balance::ring_largest(100, 1), 5.187_377_517_639_621, 1e-12);
    // The published figures for a ring are of one hash each: about 1.25 and 1.13.
    assert!((1.15..1.3).contains(&balance::ring_largest(100, 100)));
    assert!((1.05..1.15).contains(&balance::ring_largest(100, 1000)));
    // Rings of random points: the largest share of 50 backends with 10 points each.
    let key = StreamKey { seed: 1, replication: 0, purpose: "ring", entity: 0 };
    let mut stream = Stream::new(key);
    let rings = 2000;
    let mut sum = 0.0;
    for _ in 0..rings {
        let mut points: Vec<(f64, usize)> = (0..500).map(|i| (stream.uniform(), i % 50)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut shares = [0.0; 50];
        let mut last = points[499].0 - 1.0;
        for (at, owner) in points {
            shares[owner] += at - last;
            last = at;
        }
        sum += 50.0 * shares.iter().copied().fold(0.0, f64::max);
    }
    near(sum / f64::from(rings), balance::ring_largest(50, 10), 0.01);
}

#[test]
fn loops_buckets_and_retries() {
    near(closed::mean_values(1, 10.0, &[0.3, 0.7]).response, 1.0, 1e-12);
    // Two equal stations without thinking: throughput n / (n + 1) of one.
    near(closed::mean_values(9, 0.0, &[1.0, 1.0]).throughput, 0.9, 1e-12);
    near(admission::bucket_passed(100.0, 500.0, 300.0, 10.0), 1500.0, 1e-15);
    near(admission::bucket_passed(100.0, 500.0, 120.0, 10.0), 1200.0, 1e-15);
    for (retries, expected) in [(1, 1.9), (2, 2.71), (3, 3.439)] {
        near(admission::tries(0.9, retries), expected, 1e-12);
    }
    // At the fixed point the tries that succeed fill the capacity.
    let failure = admission::overload_failure(1.5, 3);
    near(1.5 * admission::tries(failure, 3) * (1.0 - failure), 1.0, 1e-12);
}

#[test]
fn caches_and_answers() {
    near(100.0 * cache::ttl_fetches(0.1, 60.0), 1.4286, 1e-4);
    near(cache::tiered_fetches(100, 0.1, 60.0), 0.01647, 1e-3);
    near(value("tiered-cache", "--sites 100 --rate 0.1 --ttl 60", "origin_relief"), 86.7, 1e-3);
    near(control::dns_residual(15.0, 20.0, 0.0), 0.25, 1e-12);
    near(control::dns_residual(900.0, 20.0, 0.02), 0.02, 1e-12);
}

#[test]
fn tables_and_connections() {
    let maglev = |words: &str, id: &str| value("maglev", words, id);
    assert!(maglev("--backends 2 --weights 1,2", "entries{backend=1}") == 21_846.0);
    assert!(maglev("--backends 2 --weights 1,2", "entries{backend=2}") == 43_691.0);
    assert!(maglev("--backends 100", "share_max_over_mean") <= 1.01);
    assert!(maglev("--backends 100", "disruption_ratio") == 0.0);
    let moved = maglev("--backends 100 --remove 1", "disruption_ratio");
    assert!((0.0028..0.0112).contains(&moved), "about 0.56 %, within a factor of two: {moved}");
    // Who leaves orphans what it had; nothing else moves with a perfect table.
    let all = maglev("--backends 100 --remove 1", "moved_ratio");
    near(all - moved, 0.01, 0.02);
    let chain = |words: &str, id: &str| value("daisy-chain", words, id);
    assert!(chain("--rate 1000 --life 2", "broken{change=1}") == 0.0);
    near(
        chain("--rate 1000 --life 2 --gap 1", "broken{change=2}"),
        2000.0 * (-0.5_f64).exp(),
        1e-12,
    );
    near(chain("--rate 1000 --life 2 --chained 0", "broken{change=1}"), 2000.0, 1e-12);
}

#[test]
fn delayed_control_settles_below_its_limit_only() {
    let limits =
        [(0, 2.0), (1, 1.0), (2, 0.618), (3, 0.445), (5, 0.2846), (10, 0.1495), (20, 0.0766)];
    for (lag, expected) in limits {
        near(control::gain_limit(lag), expected, 1e-3);
        let play = |gain: f64, steps: usize| {
            let mut x = vec![1.0; lag as usize + 1];
            for t in lag as usize..steps {
                x.push((x[t] - gain * x[t - lag as usize]).clamp(-1e9, 1e9));
            }
            x
        };
        let late = |x: &[f64]| x[x.len() - 200..].iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(late(&play(0.95 * control::gain_limit(lag), 20_000)) < 1e-3, "lag {lag}");
        assert!(late(&play(1.05 * control::gain_limit(lag), 20_000)) > 1e3, "lag {lag}");
        let smooth = play(0.999 * control::gain_without_overshoot(lag), 5000);
        assert!(smooth.iter().all(|&v| v >= 0.0), "lag {lag}");
        let swings = play(1.3 * control::gain_without_overshoot(lag), 5000);
        assert!(swings.iter().any(|&v| v < 0.0), "lag {lag}");
    }
}

#[test]
fn failures_and_attacks() {
    let limits = [(1, 0.5), (2, 2.0 / 3.0), (3, 0.75), (5, 5.0 / 6.0)];
    for (neighbours, expected) in limits {
        near(resilience::failover_limit(neighbours), expected, 1e-15);
    }
    for (links, target, working) in [(3, 0.997, 3), (3, 0.9999, 2), (2, 0.998, 2), (2, 0.999, 1)] {
        assert_eq!(resilience::working_at(links, 0.001, target), working, "{links} {target}");
    }
    let (capacities, legitimate) = ([1.0, 1.0, 10.0], [0.2, 0.2, 2.0]);
    let served =
        |attack, to| 100.0 * resilience::legitimate_served(&capacities, &legitimate, attack, to);
    for (attack, absorb, big, small) in
        [(0.5, 100.0, 100.0, 100.0), (5.0, 93.27, 100.0, 86.42), (20.0, 92.08, 49.62, 84.15)]
    {
        near(served(attack, 0), absorb, 1e-4);
        near(served(attack, 2), big, 1e-4);
        near(served(attack, 1), small, 1e-4);
    }
    near(resilience::absorb_break_even(&capacities, &legitimate, 2).unwrap(), 8.677, 1e-4);
    assert!(resilience::absorb_break_even(&capacities, &legitimate, 1).is_none());
    near(value("detour", "--x 1.19", "detour_ratio"), 0.202, 2e-3);
    near(value("detour", "--x 2", "detour_ratio"), 0.525, 1e-12);
    near(value("least-request", "--weight 2 --active 4", "effective_weight"), 0.4, 1e-12);
}

#[test]
fn load_spills_between_priorities_as_documented() {
    for (healthy, loads) in [
        (&[72.0, 100.0][..], &[100, 0][..]),
        (&[71.0, 100.0], &[99, 1]),
        (&[50.0, 100.0], &[70, 30]),
        (&[25.0, 100.0], &[35, 65]),
        (&[25.0, 25.0], &[50, 50]),
        (&[25.0, 25.0, 100.0], &[35, 35, 30]),
        (&[25.0, 25.0, 20.0], &[36, 36, 28]),
        (&[20.0, 30.0], &[40, 60]),
        (&[0.0, 0.0], &[100, 0]),
    ] {
        assert_eq!(spill::priority_loads(healthy, 140.0), loads, "{healthy:?}");
    }
}

#[test]
fn percentile_bills() {
    assert_eq!(money::billed_rank(8640, 0.95), 8208);
    let month = |high: usize| {
        let mut series = vec![1.0; 8640 - high];
        series.extend(vec![10.0; high]);
        money::billed(&series, 0.95)
    };
    assert!(month(431) == 1.0 && month(432) == 1.0 && month(433) == 10.0);
    let ramp: Vec<f64> = (1..=8640).map(f64::from).collect();
    assert!(money::billed(&ramp, 0.95) == 8208.0);
    assert_eq!(money::billed_rank(20, 0.95), 19);
    assert_eq!(money::billed_rank(21, 0.95), 20);
    assert_eq!(money::billed_rank(1, 0.95), 1);
}

#[test]
fn tcp_models_meet_where_they_must() {
    let c = |loss| tcp::Connection { rtt: 0.1, loss, timeout: 1.0, window: 1e9, acked: 2.0 };
    // Rare losses: the square-root law; sqrt(3 / 4) / (0.1 sqrt(p)) for b = 2.
    near(tcp::mathis(&c(1e-4)), 0.75_f64.sqrt() / (0.1 * 0.01), 1e-12);
    near(tcp::padhye(&c(1e-7)), tcp::mathis(&c(1e-7)), 0.01);
    near(tcp::padhye_approximation(&c(1e-7)), tcp::mathis(&c(1e-7)), 0.01);
    // Frequent losses: timeouts rule, far below the square-root law.
    assert!(tcp::padhye(&c(0.2)) < 0.5 * tcp::mathis(&c(0.2)));
    // The window limits.
    let narrow = tcp::Connection { window: 10.0, ..c(1e-6) };
    near(tcp::padhye(&narrow), 100.0, 0.01);
    near(tcp::mathis(&narrow), 100.0, 1e-12);
    // By hand: p = 0.02, b = 2: E[W] = 2/3 + sqrt(8 * 0.98 / 0.12 + 4/9) = 8.7768; all terms of
    // the full model with rtt 0.1 and timeout 1.
    let w = 2.0 / 3.0 + (8.0 * 0.98 / 0.12 + 4.0 / 9.0_f64).sqrt();
    let k3 = 0.98_f64.powi(3);
    let q = (1.0 - k3) * (1.0 + k3 * (1.0 - 0.98_f64.powf(w - 3.0))) / (1.0 - 0.98_f64.powf(w));
    let p: f64 = 0.02;
    let g = 1.0
        + p
        + 2.0 * p.powi(2)
        + 4.0 * p.powi(3)
        + 8.0 * p.powi(4)
        + 16.0 * p.powi(5)
        + 32.0 * p.powi(6);
    let full = (0.98 / 0.02 + w + q / 0.98) / (0.1 * (w + 1.0) + q * g / 0.98);
    near(tcp::padhye(&c(0.02)), full, 1e-12);
}

#[test]
fn bad_parameters_are_named_with_their_range() {
    let wrong = |name: &str, words: &[(&str, &str)]| {
        let texts: Vec<(String, String)> =
            words.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        model(name).unwrap().answer(&texts).unwrap_err()
    };
    let all = wrong("mmc", &[("servers", "0"), ("load", "nan"), ("speed", "3")]);
    let named: Vec<&str> = all.iter().map(|one| one.parameter.as_str()).collect();
    assert_eq!(named, ["servers", "load", "speed"]);
    assert!(all[0].help.contains("from 1 to 100000"), "{:?}", all[0]);
    for (name, words, parameter, help) in [
        ("mm1", &[("load", "1")][..], "load", "below a load of 1"),
        ("mm1", &[("rate", "3"), ("service", "0.5")], "rate_per_s", "below a load of 1"),
        ("mm1", &[], "load", "rate_per_s"),
        ("mm1", &[("load", "0.5"), ("rate", "0.5")], "load", "one of them"),
        ("mmc", &[("load", "0.5")], "servers", "from 1"),
        ("mmck", &[("servers", "4"), ("places", "3"), ("load", "1")], "places", "a place"),
        ("mg1", &[("load", "0.5")], "cv2", "law"),
        ("mg1", &[("load", "0.5"), ("law", "pareto:0.5")], "law", "pareto:TAIL"),
        ("priority", &[("loads", "0.5,0.5")], "loads", "less than 1"),
        ("priority", &[("loads", "0.2,0.2"), ("cv2s", "1,1,1")], "cv2s", "one for all"),
        ("mm1", &[("load", "0.5"), ("rho", "0.5")], "load", "once"),
        ("tcp", &[("rtt", "0.1"), ("loss", "0")], "loss", "above 0"),
    ] {
        let troubles = wrong(name, words);
        assert_eq!(troubles.len(), 1, "{name}: {troubles:?}");
        assert_eq!(troubles[0].parameter, parameter, "{name}: {troubles:?}");
        assert!(troubles[0].help.contains(help), "{name}: {troubles:?}");
    }
}

#[test]
fn a_law_stands_for_its_variation() {
    let words = "--load 0.8 --law pareto:2.2";
    near(value("mg1", words, "wait_s_mean"), 6.5455, 1e-4);
    // Infinite variance: an infinite mean wait, said so.
    assert!(value("mg1", "--load 0.5 --law pareto:1.5", "wait_s_mean").is_infinite());
    near(value("mg1", "--load 50% --cv2 4 --service 2", "wait_s_mean"), 5.0, 1e-12);
}
