//! Caches against naive ones, theory against simulation, simulation against published figures.

// The naive sums are on purpose independent of the engine's mathematics.
#![allow(clippy::disallowed_methods, clippy::excessive_precision, clippy::type_complexity)]

use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::load::cache::che::{self, Eviction, Load};
use steerlab_engine::load::cache::{
    Alias, Cache, Cascade, Content, Expiring, Fifo, Hop, Lfu, Lookup, Lru, Mixture, Place,
    Popularity, RandomEviction, S3Fifo, Sampler, Source, Spectrum, Tiers, Unbounded, Warmth,
    zipf_mass,
};

fn stream(purpose: &'static str, entity: u64) -> Stream {
    Stream::new(StreamKey { seed: 20_261_121, replication: 0, purpose, entity })
}

fn zipf(objects: u64, alpha: f64) -> Popularity {
    Popularity::Zipf { objects, alpha }
}

fn spectrum(popularity: &Popularity) -> Arc<Spectrum> {
    Arc::new(Spectrum::new(popularity).expect("valid by construction"))
}

fn load(rate_per_s: f64, popularity: &Popularity) -> Load {
    Load { rate_per_s, bytes: 1.0, spectrum: spectrum(popularity) }
}

fn close(ours: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((ours - expected).abs() <= tolerance, "{what}: {ours}, expected {expected}");
}

/// Objects, exponent, capacity; LRU, FIFO and random, perfect LFU; characteristic time in requests.
const KNOWN: [(u64, f64, f64, [f64; 4]); 24] = [
    (
        10_000,
        0.6,
        10.0,
        [0.004953875466889553, 0.004874942826915084, 0.04561970488745729, 10.024995067036702],
    ),
    (
        10_000,
        0.6,
        100.0,
        [0.04318661766328859, 0.03964905411184179, 0.1419690416173883, 102.33649930420493],
    ),
    (
        10_000,
        0.6,
        1000.0,
        [0.24320618734495683, 0.22003457242684588, 0.3861353718310886, 1173.6528303293662],
    ),
    (
        10_000,
        0.8,
        10.0,
        [0.028240320638735415, 0.026259792313843802, 0.1315024629121522, 10.148482453356072],
    ),
    (
        10_000,
        0.8,
        100.0,
        [0.15662463575929514, 0.133624677081965, 0.3000458544346665, 110.79084573336952],
    ),
    (
        10_000,
        0.8,
        1000.0,
        [0.43665972223071803, 0.3941791006378304, 0.5706175855129897, 1472.4795322065831],
    ),
    (
        10_000,
        1.0,
        10.0,
        [0.12995600918884515, 0.11160765826987412, 0.2992527736794751, 10.785182623260757],
    ),
    (
        10_000,
        1.0,
        100.0,
        [0.3905254854106506, 0.34233210003405873, 0.5299945153632355, 141.23681845439307],
    ),
    (
        10_000,
        1.0,
        1000.0,
        [0.6756017935096096, 0.6309060041401948, 0.764790780603953, 2352.1784197337056],
    ),
    (
        10_000,
        1.2,
        10.0,
        [0.34334132156684494, 0.2869150330704272, 0.5141986745596774, 12.811975994182351],
    ),
    (
        10_000,
        1.2,
        100.0,
        [0.6563414468009116, 0.60330717847607, 0.7507658275046021, 225.63879405844312],
    ),
    (
        10_000,
        1.2,
        1000.0,
        [0.8614348032139983, 0.8318472531608739, 0.9034454900897962, 5026.885062595603],
    ),
    (
        1_000_000,
        0.6,
        1000.0,
        [0.010780582571151155, 0.00975839721158067, 0.06018601304754885, 1005.807401477768],
    ),
    (
        1_000_000,
        0.6,
        10_000.0,
        [0.05800837725734058, 0.051918806077850294, 0.15586765015114096, 10356.664804019681],
    ),
    (
        1_000_000,
        0.6,
        100_000.0,
        [0.25566863314046434, 0.23251802839091387, 0.3962304818438063, 119275.95195642],
    ),
    (
        1_000_000,
        0.8,
        1000.0,
        [0.1000211178614619, 0.08623815045050892, 0.20679593725629816, 1073.7018201042736],
    ),
    (
        1_000_000,
        0.8,
        10_000.0,
        [0.2319053455312688, 0.2073054503347879, 0.3624072277239528, 12106.143280915801],
    ),
    (
        1_000_000,
        0.8,
        100_000.0,
        [0.4871132931052287, 0.4481732862951971, 0.6090664367545691, 161659.75895769856],
    ),
    (
        1_000_000,
        1.0,
        1000.0,
        [0.4031040621189623, 0.36683157669769656, 0.5200870554054345, 1501.4139587013829],
    ),
    (
        1_000_000,
        1.0,
        10_000.0,
        [0.5851380802582556, 0.5501743067141436, 0.6800383432900738, 20649.747372183185],
    ),
    (
        1_000_000,
        1.0,
        100_000.0,
        [0.7793571706548883, 0.748836587362064, 0.8400177647127709, 345670.0487537238],
    ),
    (
        1_000_000,
        1.2,
        1000.0,
        [0.7596167536689061, 0.7262828500052734, 0.8217739753768095, 3330.354925880447],
    ),
    (
        1_000_000,
        1.2,
        10_000.0,
        [0.8753591519108113, 0.8554221524644524, 0.9095999530587405, 61913.64338847005],
    ),
    (
        1_000_000,
        1.2,
        100_000.0,
        [0.9498108941463499, 0.9390648894308778, 0.9650270604433928, 1387218.6129825488],
    ),
];

#[test]
fn closed_forms_meet_the_known_answers() {
    for (objects, alpha, capacity, [lru, fifo, lfu, time]) in KNOWN {
        let load = load(1.0, &zipf(objects, alpha));
        let loads = std::slice::from_ref(&load);
        let what = format!("{objects} objects, alpha {alpha}, capacity {capacity}");
        let time_s = che::characteristic_time_s(Eviction::Lru, loads, capacity);
        close(time_s / time, 1.0, 1e-8, &format!("{what}, characteristic time"));
        close(che::hit_ratio(Eviction::Lru, &load, time_s), lru, 1e-9, &format!("{what}, LRU"));
        let time_s = che::characteristic_time_s(Eviction::FifoOrRandom, loads, capacity);
        let ours = che::hit_ratio(Eviction::FifoOrRandom, &load, time_s);
        close(ours, fifo, 1e-9, &format!("{what}, FIFO"));
        let ours = che::perfect_lfu_hit_ratios(loads, capacity)[0];
        close(ours, lfu, 1e-9, &format!("{what}, LFU"));
    }
}

#[test]
fn grouped_sums_meet_whole_sums() {
    for objects in [257, 1000, 100_000, 3_000_000_u32] {
        for alpha in [0.0, 0.3, 0.8, 1.0, 1.3, 2.5] {
            let spectrum = spectrum(&zipf(u64::from(objects), alpha));
            let weights: Vec<f64> = (1..=objects).map(|r| f64::from(r).powf(-alpha)).collect();
            // The smallest first, so that rounding does not add up.
            let mass: f64 = weights.iter().rev().sum();
            let what = format!("{objects} objects, alpha {alpha}");
            close(zipf_mass(u64::from(objects), alpha) / mass, 1.0, 1e-11, &what);
            for requests in [1.0, 1e3, 1e6] {
                let kept = |p: f64| 1.0 - (-p * requests).exp();
                let whole: f64 = weights.iter().rev().map(|w| kept(w / mass)).sum();
                close(spectrum.sum(kept) / whole, 1.0, 1e-8, &format!("{what}, kept"));
                let hits: f64 = weights.iter().rev().map(|w| w / mass * kept(w / mass)).sum();
                close(spectrum.sum(|p| p * kept(p)), hits, 1e-9, &format!("{what}, hits"));
            }
        }
    }
    // As many as a large catalogue: the sum of all probabilities, and a head.
    let large = spectrum(&zipf(100_000_000, 0.9));
    close(large.sum(|p| p), 1.0, 1e-12, "all of 10^8");
    close(large.sum(|_| 1.0), 1e8, 1e-3, "10^8 objects");
    assert!(large.points().len() < 400, "{} points", large.points().len());
}

/// Hit ratio of a cache of objects of size 1 after a warm-up of as many requests.
fn simulate(cache: &mut dyn Cache, sampler: &Sampler, requests: u32, purpose: u64) -> f64 {
    let mut draw = stream("requests", purpose);
    let mut hits = 0_u32;
    for index in 0..2 * requests {
        let object = sampler.sample(&mut draw);
        let hit = cache.request(object, 1, SimTime(u64::from(index))).is_hit();
        hits += u32::from(hit && index >= requests);
    }
    f64::from(hits) / f64::from(requests)
}

#[test]
fn simulated_caches_meet_ches_approximation() {
    for (objects, alpha, capacity, [lru, fifo, lfu, _]) in KNOWN {
        if objects != 10_000 || capacity < 100.0 {
            continue;
        }
        let sampler = zipf(objects, alpha).sampler().expect("valid by construction");
        let bytes = capacity as u64;
        let random = RandomEviction::new(bytes, stream("eviction", 0));
        let cases: [(&str, Box<dyn Cache>, f64); 4] = [
            ("LRU", Box::new(Lru::new(bytes)), lru),
            ("FIFO", Box::new(Fifo::new(bytes)), fifo),
            ("random", Box::new(random), fifo),
            ("LFU", Box::new(Lfu::perfect(bytes)), lfu),
        ];
        for (name, mut cache, expected) in cases {
            let requests = if name == "LRU" { 500_000 } else { 150_000 };
            let ours = simulate(&mut *cache, &sampler, requests, 1);
            // Four standard errors (hits of neighbouring requests are nearly independent), what
            // Che's approximation is off by at a hundred objects, and for LFU what counts learn
            // late.
            let error = 4.0 * (expected * (1.0 - expected) / f64::from(requests)).sqrt();
            let model = if name == "LFU" { 1e-2 } else { 3e-4 };
            close(ours, expected, error + model, &format!("{name}, alpha {alpha}, {capacity}"));
        }
    }
}

/// An LRU or FIFO cache as a list that is searched.
#[derive(Default)]
struct Naive {
    kept: Vec<(u32, u64)>,
    capacity: u64,
    promote: bool,
}

impl Naive {
    fn request(&mut self, object: u32, bytes: u64) -> Lookup {
        if let Some(place) = self.kept.iter().position(|&(kept, _)| kept == object) {
            if self.promote {
                let known = self.kept.remove(place);
                self.kept.push(known);
            }
            return Lookup::Hit;
        }
        if bytes <= self.capacity {
            while self.bytes() + bytes > self.capacity {
                self.kept.remove(0);
            }
            self.kept.push((object, bytes));
        }
        Lookup::Miss
    }

    fn bytes(&self) -> u64 {
        self.kept.iter().map(|&(_, bytes)| bytes).sum()
    }
}

#[test]
fn lru_and_fifo_do_what_naive_lists_do() {
    for case in 0..200 {
        let mut draw = stream("naive", case);
        let capacity = 1 + draw.below(60);
        let sampler = zipf(1 + draw.below(50), 0.7).sampler().expect("valid by construction");
        let sizes = 1 + draw.below(12);
        let mut lists =
            [false, true].map(|promote| Naive { capacity, promote, ..Naive::default() });
        let mut ours: [Box<dyn Cache>; 2] =
            [Box::new(Fifo::new(capacity)), Box::new(Lru::new(capacity))];
        for step in 0..600_u64 {
            let object = sampler.sample(&mut draw);
            let bytes = 1 + draw.below(sizes);
            for (naive, ours) in lists.iter_mut().zip(&mut ours) {
                assert_eq!(
                    ours.request(object, bytes, SimTime(step)),
                    naive.request(object, bytes)
                );
                assert_eq!((ours.bytes(), ours.objects()), (naive.bytes(), naive.kept.len()));
                assert!(ours.bytes() <= capacity);
                if step == 300 {
                    ours.flush();
                    naive.kept.clear();
                }
            }
        }
    }
}

/// S3-FIFO of objects of size 1, by the text of the paper's algorithm 1.
#[derive(Default)]
struct NaiveS3 {
    small: Vec<u32>,
    main: Vec<u32>,
    ghost: Vec<u32>,
    count: std::collections::BTreeMap<u32, u8>,
    capacity: usize,
}

impl NaiveS3 {
    fn request(&mut self, object: u32) -> Lookup {
        if self.small.contains(&object) || self.main.contains(&object) {
            let count = self.count.entry(object).or_default();
            *count = (*count + 1).min(3);
            return Lookup::Hit;
        }
        // The new object's name leaves the ghosts before anything else enters them.
        let ghost = self.ghost.iter().position(|&known| known == object);
        if let Some(place) = ghost {
            self.ghost.remove(place);
        }
        while self.small.len() + self.main.len() >= self.capacity {
            self.evict();
        }
        self.count.insert(object, 0);
        if ghost.is_some() {
            self.main.push(object)
        } else {
            self.small.push(object)
        }
        Lookup::Miss
    }

    fn evict(&mut self) {
        if self.small.len() >= (self.capacity / 10).max(1) || self.main.is_empty() {
            while !self.small.is_empty() {
                let oldest = self.small.remove(0);
                if self.count[&oldest] > 1 {
                    self.count.insert(oldest, 0);
                    self.main.push(oldest);
                } else {
                    self.ghost.push(oldest);
                    if self.ghost.len() > self.capacity - self.capacity / 10 {
                        self.ghost.remove(0);
                    }
                    return;
                }
            }
        }
        loop {
            let oldest = self.main.remove(0);
            let count = self.count[&oldest];
            if count == 0 {
                return;
            }
            self.count.insert(oldest, count - 1);
            self.main.push(oldest);
        }
    }
}

#[test]
fn s3_fifo_does_what_the_paper_says() {
    for case in 0..100 {
        let mut draw = stream("s3", case);
        let capacity = 2 + draw.below(60);
        let sampler =
            zipf(2 * capacity + draw.below(200), 0.8).sampler().expect("valid by construction");
        let mut naive = NaiveS3 { capacity: capacity as usize, ..NaiveS3::default() };
        let mut ours = S3Fifo::new(capacity);
        for step in 0..3000_u64 {
            let object = sampler.sample(&mut draw);
            let lookup = ours.request(object, 1, SimTime(step));
            assert_eq!(lookup, naive.request(object), "case {case}, step {step}");
            assert_eq!(ours.bytes(), (naive.small.len() + naive.main.len()) as u64);
            assert_eq!(ours.objects() as u64, ours.bytes());
        }
    }
}

#[test]
fn s3_fifo_holds_its_bytes_and_beats_lru_on_many_objects_asked_once() {
    let mut draw = stream("s3-bytes", 0);
    let sampler = zipf(3000, 0.9).sampler().expect("valid by construction");
    let mut cache = S3Fifo::new(50_000);
    for step in 0..100_000_u64 {
        let object = sampler.sample(&mut draw);
        cache.request(object, 1 + u64::from(object % 97) * 10, SimTime(step));
        assert!(cache.bytes() <= 50_000);
    }
    let kept: u64 =
        (0..3000).filter(|&o| cache.contains(o)).map(|o| 1 + u64::from(o % 97) * 10).sum();
    assert_eq!(kept, cache.bytes());
    assert_eq!((0..3000).filter(|&o| cache.contains(o)).count(), cache.objects());
    // Half of the requests are for objects that never come again.
    let mut hits = [0, 0];
    let mut caches: [Box<dyn Cache>; 2] = [Box::new(Lru::new(500)), Box::new(S3Fifo::new(500))];
    for step in 0..200_000_u32 {
        let once = draw.uniform() < 0.5;
        let object = if once { 3000 + step } else { sampler.sample(&mut draw) };
        for (cache, hits) in caches.iter_mut().zip(&mut hits) {
            *hits += u32::from(cache.request(object, 1, SimTime(u64::from(step))).is_hit());
        }
    }
    assert!(f64::from(hits[1]) > 1.1 * f64::from(hits[0]), "S3-FIFO {} LRU {}", hits[1], hits[0]);
}

#[test]
fn frequency_counts_decide_who_stays() {
    let mut perfect = Lfu::perfect(2);
    let mut in_cache = Lfu::in_cache(2);
    let at = SimTime(0);
    for object in [1, 1, 1, 2, 2] {
        perfect.request(object, 1, at);
        in_cache.request(object, 1, at);
    }
    // A newcomer: counted at once, kept only by the cache that keeps all newcomers.
    perfect.request(3, 1, at);
    in_cache.request(3, 1, at);
    assert!(perfect.contains(2) && !perfect.contains(3));
    assert!(!in_cache.contains(2) && in_cache.contains(3));
    // At its second request it is as frequent as 2 and used later.
    perfect.request(3, 1, at);
    assert!(!perfect.contains(2) && perfect.contains(3));
    // Counts outlive the stay in a perfect cache only.
    perfect.request(2, 1, at);
    assert!(perfect.contains(2), "its third request");
    in_cache.request(2, 1, at);
    assert!(in_cache.contains(2) && !in_cache.contains(3));
    // Larger than the whole cache.
    assert_eq!(perfect.request(9, 3, at), Lookup::Miss);
    assert!(!perfect.contains(9) && perfect.objects() == 2);
}

#[test]
fn draws_follow_their_weights() {
    let draws = 400_000;
    for (name, popularity) in [
        ("zipf .7", zipf(50, 0.7)),
        ("zipf 1", zipf(50, 1.0)),
        ("zipf 1.7", zipf(50, 1.7)),
        ("zipf 0", zipf(50, 0.0)),
        ("one", zipf(1, 1.0)),
        ("list", Popularity::Weights(Arc::new(vec![3.0, 0.0, 1.0, 0.5, 7.0, 1e-9]))),
    ] {
        let sampler = popularity.sampler().expect("valid by construction");
        let weights: Vec<f64> = match &popularity {
            Popularity::Zipf { objects, alpha } => {
                (1..=*objects).map(|rank| (rank as f64).powf(-alpha)).collect()
            }
            Popularity::Weights(weights) => weights.to_vec(),
        };
        let sum: f64 = weights.iter().sum();
        let mut counts = vec![0_u32; weights.len()];
        let mut draw = stream("weights", 0);
        for _ in 0..draws {
            counts[sampler.sample(&mut draw) as usize] += 1;
        }
        for (index, (count, weight)) in counts.iter().zip(&weights).enumerate() {
            let p = weight / sum;
            let error = (p * (1.0 - p) / f64::from(draws)).sqrt();
            let what = format!("{name}, object {index}");
            close(f64::from(*count) / f64::from(draws), p, 4.5 * error + 1e-8, &what);
        }
    }
    assert!(Alias::new(&[]).is_none());
    assert!(Alias::new(&[0.0]).is_none());
    assert!(Alias::new(&[1.0, -1.0]).is_none());
    assert!(Alias::new(&[1.0, f64::NAN]).is_none());
    assert!(zipf(0, 1.0).sampler().is_none());
    assert!(zipf(10, -0.1).sampler().is_none());
    assert!(Spectrum::new(&zipf(0, 1.0)).is_none());
}

#[test]
fn populations_with_their_own_sizes_share_a_cache() {
    // Many small popular objects, fewer large ones with another law, and a list.
    let list = Popularity::Weights(Arc::new((1..=200).map(|r| 1.0 / f64::from(r)).collect()));
    let populations = [(3.0, zipf(5000, 0.9)), (1.0, zipf(2000, 0.6)), (0.5, list)];
    let bytes = [1, 7, 3];
    let loads: Vec<Load> = populations
        .iter()
        .zip(bytes)
        .map(|((rate, law), bytes)| Load { bytes: bytes as f64, ..load(*rate, law) })
        .collect();
    let capacity = 3000;
    let time_s = che::characteristic_time_s(Eviction::Lru, &loads, capacity as f64);
    let lfu = che::perfect_lfu_hit_ratios(&loads, capacity as f64);
    let mixture = Mixture::new(&populations).expect("valid by construction");
    let mut cache = Lru::new(capacity);
    let mut draw = stream("mixture", 0);
    let (mut asked, mut hits) = ([0_u32; 3], [0_u32; 3]);
    for step in 0..1_000_000_u32 {
        let (population, object) = mixture.sample(&mut draw);
        let population = population as usize;
        let hit = cache.request(object, bytes[population], SimTime(u64::from(step))).is_hit();
        if step >= 200_000 {
            asked[population] += 1;
            hits[population] += u32::from(hit);
        }
    }
    for (index, load) in loads.iter().enumerate() {
        let expected = che::hit_ratio(Eviction::Lru, load, time_s);
        let ours = f64::from(hits[index]) / f64::from(asked[index]);
        let error = 4.0 * (expected * (1.0 - expected) / f64::from(asked[index])).sqrt();
        close(ours, expected, error + 3e-4, &format!("population {index}"));
    }
    // What keeps the densest hits more of all.
    let rate = |ratios: &dyn Fn(usize) -> f64| -> f64 {
        loads.iter().enumerate().map(|(index, load)| load.rate_per_s * ratios(index)).sum()
    };
    let lru = rate(&|index| che::hit_ratio(Eviction::Lru, &loads[index], time_s));
    assert!(rate(&|index| lfu[index]) > lru);
    // And it fills its capacity: the densest by brute force.
    let mut densities: Vec<(f64, usize)> = Vec::new();
    for (index, load) in loads.iter().enumerate() {
        let Popularity::Zipf { objects, alpha } = &populations[index].1 else {
            let mass = zipf_mass(200, 1.0);
            densities.extend((1..=200).map(|r| (0.5 / 3.0 / f64::from(r) / mass, index)));
            continue;
        };
        let mass = zipf_mass(*objects, *alpha);
        let density = |r: u64| load.rate_per_s / load.bytes * (r as f64).powf(-alpha) / mass;
        densities.extend((1..=*objects).map(|r| (density(r), index)));
    }
    densities.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut left, mut best) = (capacity as f64, [0.0; 3]);
    for (density, index) in densities {
        let part = (left / loads[index].bytes).min(1.0);
        best[index] += part * density * loads[index].bytes / loads[index].rate_per_s;
        left -= part * loads[index].bytes;
    }
    for index in 0..3 {
        close(lfu[index], best[index], 2e-3, &format!("densest, population {index}"));
    }
}

#[test]
fn everything_fits_or_nothing_does() {
    let all = load(5.0, &zipf(100, 0.8));
    let loads = std::slice::from_ref(&all);
    let time_s = che::characteristic_time_s(Eviction::Lru, loads, 100.0);
    assert!(time_s.is_infinite());
    close(che::hit_ratio(Eviction::Lru, &all, time_s), 1.0, 1e-12, "all fits");
    assert_eq!(che::characteristic_time_s(Eviction::Lru, loads, 0.0), 0.0);
    assert_eq!(che::hit_ratio(Eviction::Lru, &all, 0.0), 0.0);
    let idle = load(0.0, &zipf(100, 0.8));
    assert_eq!(che::hit_ratio(Eviction::Lru, &idle, f64::INFINITY), 0.0);
    close(che::perfect_lfu_hit_ratios(loads, 1e9)[0], 1.0, 1e-12, "all fits in LFU");
    assert_eq!(che::perfect_lfu_hit_ratios(&[idle, all], 1e9)[0], 0.0);
    // One object short of all: Newton's method must still arrive.
    let close_call = load(1.0, &zipf(1_000_000, 0.8));
    let time_s =
        che::characteristic_time_s(Eviction::Lru, std::slice::from_ref(&close_call), 999_999.0);
    let kept = close_call.spectrum.sum(|p| 1.0 - (-p * time_s).exp());
    close(kept, 999_999.0, 1e-3, "kept");
}

/// Mean hit ratio of one object with Poisson requests.
fn one_object(cache: &mut dyn Cache, rate_per_s: f64, others_per_s: f64, purpose: u64) -> f64 {
    let mut draw = stream("one", purpose);
    let (mut now_s, mut asked, mut hits) = (0.0, 0_u32, 0_u32);
    let mut other = 0;
    while asked < 60_000 {
        now_s += draw.exponential() / (rate_per_s + others_per_s);
        let now = SimTime((now_s * 1e9) as u64);
        if draw.uniform() * (rate_per_s + others_per_s) < rate_per_s {
            asked += 1;
            hits += u32::from(cache.request(0, 1, now).is_hit());
        } else {
            // A stream of objects that never come again (numbers reused long after).
            other = other % 100_000 + 1;
            cache.request(other, 1, now);
        }
    }
    f64::from(hits) / f64::from(asked)
}

#[test]
fn objects_expire_as_renewal_theory_says() {
    let ttl = SimSpan::from_seconds(6);
    for (index, rate) in [0.05, 0.3, 1.0].into_iter().enumerate() {
        let ours = one_object(&mut Expiring::new(Unbounded::new(), ttl), rate, 0.0, index as u64);
        close(ours, rate * 6.0 / (1.0 + rate * 6.0), 8e-3, "without renewal");
        let mut renewed = Expiring::renewed_by_hits(Unbounded::new(), ttl);
        let ours = one_object(&mut renewed, rate, 0.0, 10 + index as u64);
        close(ours, 1.0 - (-rate * 6.0_f64).exp(), 8e-3, "renewed");
        // Behind it an LRU list through which 200 others pass in 2, 5 or 20 seconds.
        for (turn, time_s) in [2.0, 5.0, 20.0].into_iter().enumerate() {
            if rate < 0.1 {
                continue;
            }
            let mut cache = Expiring::new(Lru::new(200), ttl);
            let purpose = 100 + 10 * index as u64 + turn as u64;
            // 200 others evict it.
            let ours = one_object(&mut cache, rate, 200.0 / time_s, purpose);
            let expected = che::lru_ttl_object_hit_ratio(rate, time_s, 6.0);
            close(ours, expected, 1e-2, &format!("rate {rate}, characteristic time {time_s}"));
        }
    }
    let theory = |time_s, ttl_s| che::lru_ttl_object_hit_ratio(2.0, time_s, ttl_s);
    close(theory(f64::INFINITY, 3.0), 6.0 / 7.0, 1e-12, "never evicted");
    close(theory(3.0, f64::INFINITY), 1.0 - (-6.0_f64).exp(), 1e-12, "never expires");
    close(theory(1e-3, 1e3), 1.0 - (-2e-3_f64).exp(), 1e-12, "evicted at once");
}

/// Hits of simulated requests in bins of time, averaged over replications, beside the model's.
fn transient(
    capacity: u64,
    phases: &[(f64, Vec<f64>)],
    populations: &[Popularity],
    replications: u64,
) -> Vec<(f64, f64, f64)> {
    let bins_per_phase = 10_usize;
    let bins = bins_per_phase * phases.len();
    let (mut asked, mut hits) = (vec![0_u32; bins], vec![0_u32; bins]);
    for replication in 0..replications {
        let mut draw = stream("transient", replication);
        let mut cache = Lru::new(capacity);
        for (phase, (span_s, rates)) in phases.iter().enumerate() {
            let members: Vec<(f64, Popularity)> =
                rates.iter().copied().zip(populations.iter().cloned()).collect();
            let mixture = Mixture::new(&members).expect("valid by construction");
            let rate: f64 = rates.iter().sum();
            let mut at_s = draw.exponential() / rate;
            while at_s < *span_s {
                let bin = (at_s / span_s * bins_per_phase as f64) as usize;
                let (_, object) = mixture.sample(&mut draw);
                let hit = cache.request(object, 1, SimTime(0)).is_hit();
                asked[phase * bins_per_phase + bin] += 1;
                hits[phase * bins_per_phase + bin] += u32::from(hit);
                at_s += draw.exponential() / rate;
            }
        }
    }
    let members = populations.iter().map(|popularity| (1.0, spectrum(popularity)));
    let mut warmth = Warmth::new(capacity as f64, members, 0.0);
    let mut start_s = 0.0;
    let mut results = Vec::new();
    for (phase, (span_s, rates)) in phases.iter().enumerate() {
        let total: f64 = rates.iter().sum();
        warmth.set_rates(rates);
        for bin in 0..bins_per_phase {
            // The mean over the bin by the midpoints of eight parts.
            let mut mean = 0.0;
            for part in 0..8 {
                let at = (bin as f64 + (f64::from(part) + 0.5) / 8.0) / bins_per_phase as f64;
                warmth.advance(start_s + at * span_s);
                let hit = |(index, rate): (usize, &f64)| rate / total * warmth.hit_ratio(index);
                mean += rates.iter().enumerate().map(hit).sum::<f64>() / 8.0;
            }
            let n = f64::from(asked[phase * bins_per_phase + bin]);
            let ours = f64::from(hits[phase * bins_per_phase + bin]) / n;
            results.push((ours, mean, n));
        }
        start_s += span_s;
        warmth.advance(start_s);
    }
    results
}

#[test]
fn a_cold_cache_warms_up_as_the_window_grows() {
    for alpha in [0.6, 0.8, 1.0, 1.2] {
        let results = transient(1000, &[(40.0, vec![200.0])], &[zipf(10_000, alpha)], 40);
        let (first, last) = (results[0].1, results[9].1);
        assert!(last > first + 0.1, "alpha {alpha}: from {first} to {last}");
        for (bin, (ours, expected, n)) in results.into_iter().enumerate() {
            let error = 4.0 * (expected * (1.0 - expected) / n).sqrt();
            close(ours, expected, error + 1e-3, &format!("alpha {alpha}, bin {bin}"));
        }
    }
}

#[test]
fn a_cache_turns_over_when_its_users_change() {
    // The first users, then others beside them, then the others alone at a lower rate, then the
    // first again.
    let phases = [
        (30.0, vec![300.0, 0.0]),
        (10.0, vec![300.0, 300.0]),
        (20.0, vec![0.0, 150.0]),
        (10.0, vec![300.0, 0.0]),
    ];
    let results = transient(800, &phases, &[zipf(5000, 0.9), zipf(20_000, 0.7)], 60);
    for (bin, (ours, expected, n)) in results.into_iter().enumerate() {
        let error = 4.0 * (expected * (1.0 - expected) / n).sqrt();
        close(ours, expected, error + 2e-3, &format!("bin {bin}"));
    }
}

#[test]
fn warmth_ends_in_the_steady_state_and_starts_anew() {
    let law = zipf(10_000, 0.8);
    let mut warmth = Warmth::new(1000.0, [(1.0, spectrum(&law))], 5.0);
    warmth.set_rates(&[10.0]);
    warmth.advance(6.0);
    close(warmth.window_s(), 1.0, 1e-12, "a cold cache remembers since its start");
    for step in 0..1000 {
        warmth.advance(6.0 + f64::from(step));
    }
    close(warmth.window_s() * 10.0, 1472.4795322065831, 1e-6, "characteristic time");
    close(warmth.hit_ratio(0), 0.43665972223071803, 1e-9, "hit ratio");
    close(warmth.bytes(), 1000.0, 1e-6, "full");
    // Twice the requests, the same objects: half the time, the same hits.
    warmth.set_rates(&[20.0]);
    warmth.advance(2000.0);
    close(warmth.window_s() * 20.0, 1472.4795322065831, 1e-6, "characteristic time");
    // Less room now, more later: what went is gone until asked for.
    warmth.set_capacity(100.0);
    close(warmth.hit_ratio(0), 0.15662463575929514, 1e-9, "hit ratio");
    warmth.set_capacity(1000.0);
    close(warmth.hit_ratio(0), 0.15662463575929514, 1e-9, "hit ratio");
    warmth.advance(4000.0);
    close(warmth.hit_ratio(0), 0.43665972223071803, 1e-9, "hit ratio");
    warmth.flush();
    assert_eq!((warmth.hit_ratio(0), warmth.bytes(), warmth.window_s()), (0.0, 0.0, 0.0));
}

/// Origin fetches per second and object of caches of a TTL of 60 s at `pops` PoPs, with or without
/// an upper tier, at .1 requests per second, PoP and object.
fn origin_fetches_per_s(pops: u32, tiered: bool) -> f64 {
    let (objects, span_s, rate) = (10_u32, 10_000.0, 0.1);
    let ttl = SimSpan::from_seconds(60);
    let cache = || -> Box<dyn Cache> { Box::new(Expiring::new(Unbounded::new(), ttl)) };
    let mut tiers = Tiers::new((0..=pops).map(|_| cache()), false);
    let mut draw = stream("tiers", u64::from(pops));
    let total = rate * f64::from(pops * objects);
    let mut now_s = 0.0;
    let mut counted = false;
    let mut origin = 0_u32;
    loop {
        now_s += draw.exponential() / total;
        if now_s > 1.1 * span_s {
            return f64::from(origin) / span_s / f64::from(objects);
        }
        counted |= now_s > 0.1 * span_s;
        let pop = draw.below(u64::from(pops)) as u32;
        let object = draw.below(u64::from(objects)) as u32;
        let hop = |cache| Hop { cache, fetch: SimSpan::ZERO };
        let way = Tiers::way(hop(pop), None, tiered.then(|| hop(pops)));
        let fetch = tiers.request(&way, object, 1, SimTime((now_s * 1e9) as u64));
        origin += u32::from(counted && fetch.source == Source::Origin);
    }
}

#[test]
fn an_upper_tier_saves_the_origin_most_fetches() {
    let (pops, rate, ttl_s) = (100.0, 0.1, 60.0);
    let flat = pops * rate / (1.0 + rate * ttl_s);
    let tiered = flat / (1.0 + flat * ttl_s);
    close(flat, 1.4286, 5e-5, "flat");
    close(tiered, 0.01647, 5e-6, "one upper tier");
    close(flat / tiered, 86.7, 0.05, "saved");
    let simulated = origin_fetches_per_s(100, false);
    close(simulated / flat, 1.0, 0.01, "flat, simulated");
    // The misses of one PoP are no Poisson stream: none comes within 60 s of another. The PoP whose
    // miss filled the upper tier is just about to ask again when the upper copy expires, so it
    // expires for a shorter while: 60 s + 1 / (99 x .0142857 + .1) s a cycle instead of 60.7 s.
    let cycle_s = ttl_s + 1.0 / (99.0 * rate / (1.0 + rate * ttl_s) + rate);
    let simulated = origin_fetches_per_s(100, true);
    close(simulated * cycle_s, 1.0, 1e-3, "tiered, simulated");
    close(simulated / tiered, 1.0, 2e-3, "tiered, simulated against Poisson");
}

#[test]
fn ways_meet_the_caches_their_tiers_say() {
    let seconds = SimSpan::from_seconds;
    let at = |s| SimTime(0).after(seconds(s));
    let hop = |cache, s| Hop { cache, fetch: seconds(s) };
    let way = Tiers::way(hop(0, 1), Some(hop(1, 2)), Some(hop(2, 4)));
    let lru = || -> Box<dyn Cache> { Box::new(Lru::new(10)) };
    let mut tiers = Tiers::new((0..4).map(|_| lru()), true);
    let first = tiers.request(&way, 7, 1, at(0));
    assert_eq!((first.source, first.ready), (Source::Origin, at(7)));
    // While it comes, others wait for it: here, at the hub (which has it at 6), at the upper tier
    // (at 4).
    assert_eq!(tiers.request(&way, 7, 1, at(3)).ready, at(7));
    let other = Tiers::way(hop(3, 1), Some(hop(1, 2)), Some(hop(2, 4)));
    let joined = tiers.request(&other, 7, 1, at(5));
    assert_eq!((joined.source, joined.ready), (Source::Cache(1), at(7)));
    assert_eq!(tiers.counts(1).joined, 1);
    assert_eq!(tiers.counts(2).fetches, 1);
    // Later it is there.
    let hit = tiers.request(&way, 7, 1, at(8));
    assert_eq!((hit.source, hit.ready), (Source::Cache(0), at(8)));
    // Cold again, the hub has it.
    tiers.flush(0);
    let refill = tiers.request(&way, 7, 1, at(9));
    assert_eq!((refill.source, refill.ready), (Source::Cache(1), at(10)));
    assert_eq!(tiers.counts(0).fetched_bytes, 2);
    // An upper tier's own users skip the hop to it.
    let own = Tiers::way(hop(2, 1), None, Some(hop(2, 4)));
    assert_eq!(own, vec![hop(2, 4)]);
}

#[test]
fn without_coalescing_every_request_of_a_missing_object_fetches_it() {
    let hop = |cache| Hop { cache, fetch: SimSpan::from_seconds(10) };
    for (coalesce, fetches) in [(true, 1), (false, 10)] {
        let mut tiers = Tiers::new([Box::new(Lru::new(10)) as Box<dyn Cache>], coalesce);
        for second in 0..12_u64 {
            tiers.request(&[hop(0)], 1, 1, SimTime(0).after(SimSpan::from_seconds(second)));
        }
        let counts = tiers.counts(0);
        assert_eq!((counts.fetches, counts.requests), (fetches, 12));
        assert_eq!(counts.hits, 2);
        assert_eq!(counts.joined, 12 - 2 - fetches);
    }
}

/// Exact caches and the cascade side by side: shares of the users' requests by place that miss, and
/// origin fetches per second, in bins of time.
struct SideBySide<'a> {
    places: &'a [Place],
    law: Popularity,
    ttl_s: Option<f64>,
    /// Requests per second by place.
    rates: &'a [f64],
    bins: usize,
    bin_s: f64,
    replications: u64,
}

impl SideBySide<'_> {
    fn ways(&self) -> Vec<Vec<Hop>> {
        let hop = |place: usize| Hop { cache: place as u32, fetch: SimSpan::ZERO };
        (0..self.places.len())
            .map(|place| {
                let next = |at: &usize| self.places[*at].next;
                std::iter::successors(Some(place), next).map(hop).collect()
            })
            .collect()
    }

    /// (requests of users, misses of users) by place, and origin fetches, of each bin.
    fn exact(&self) -> Vec<(Vec<f64>, Vec<f64>, f64)> {
        let ways = self.ways();
        let sampler = self.law.sampler().expect("valid by construction");
        let which = Alias::new(self.rates).expect("valid by construction");
        let total: f64 = self.rates.iter().sum();
        let n = self.places.len();
        let mut bins = vec![(vec![0.0; n], vec![0.0; n], 0.0); self.bins];
        for replication in 0..self.replications {
            let cache = |place: &Place| -> Box<dyn Cache> {
                let lru = Lru::new(place.capacity_bytes as u64);
                match self.ttl_s {
                    Some(ttl_s) => Box::new(Expiring::new(lru, SimSpan((ttl_s * 1e9) as u64))),
                    None => Box::new(lru),
                }
            };
            let mut tiers = Tiers::new(self.places.iter().map(cache), false);
            let mut draw = stream("cascade", replication);
            let mut now_s = draw.exponential() / total;
            while now_s < self.bin_s * self.bins as f64 {
                let place = which.sample(&mut draw) as usize;
                let object = sampler.sample(&mut draw);
                let now = SimTime((now_s * 1e9) as u64);
                let fetch = tiers.request(&ways[place], object, 1, now);
                let bin = &mut bins[(now_s / self.bin_s) as usize];
                bin.0[place] += 1.0;
                bin.1[place] += f64::from(u8::from(fetch.source != Source::Cache(0)));
                bin.2 += f64::from(u8::from(fetch.source == Source::Origin));
                now_s += draw.exponential() / total;
            }
        }
        bins
    }

    /// Miss ratio of users by place, and origin fetches per second, of each bin.
    fn fluid(&self) -> Vec<(Vec<f64>, f64)> {
        let content = Content { bytes: 1.0, spectrum: spectrum(&self.law), ttl_s: self.ttl_s };
        let mut cascade =
            Cascade::new(self.places.to_vec(), vec![content], 0.0).expect("valid by construction");
        let rates: Vec<Vec<f64>> = self.rates.iter().map(|&rate| vec![rate]).collect();
        let mut bins = Vec::new();
        let parts = 10_u32;
        for bin in 0..self.bins {
            let (mut own, mut origin) = (vec![0.0; self.places.len()], 0.0);
            for part in 0..parts {
                let step_s = self.bin_s / f64::from(parts);
                let misses = cascade.set_rates(&rates, 0.5 * step_s);
                for (place, row) in misses.iter().enumerate() {
                    own[place] += row[0].own / f64::from(parts);
                    if self.places[place].next.is_none() {
                        origin += row[0].passed_per_s / f64::from(parts);
                    }
                }
                cascade.advance((bin as f64 + f64::from(part + 1) / f64::from(parts)) * self.bin_s);
            }
            bins.push((own, origin));
        }
        bins
    }

    fn compare(&self, tolerance: f64, origin_tolerance: f64) {
        for (bin, (exact, fluid)) in self.exact().into_iter().zip(self.fluid()).enumerate() {
            for place in 0..self.places.len() {
                if exact.0[place] > 0.0 {
                    let ours = exact.1[place] / exact.0[place];
                    let error = 4.0 * (ours * (1.0 - ours) / exact.0[place]).sqrt();
                    let what = format!("bin {bin}, place {place}");
                    close(fluid.0[place], ours, error + tolerance, &what);
                }
            }
            let span_s = self.bin_s * self.replications as f64;
            let error = 4.0 * exact.2.sqrt() / span_s;
            let ours = exact.2 / span_s;
            let slack = error + origin_tolerance * ours;
            close(fluid.1, ours, slack, &format!("bin {bin}, origin"));
        }
    }
}

#[test]
fn upper_tiers_warm_up_as_exact_ones_do() {
    let upper = |capacity_bytes| Place { capacity_bytes, next: None };
    let lower = |capacity_bytes, next| Place { capacity_bytes, next: Some(next) };
    // What lower caches miss is no Poisson stream: with few of them the model lets the upper tier
    // miss too often, while it fills most of all.
    // Five lower caches of different sizes and rates ask an upper one that has users, too.
    let places = [
        lower(200.0, 5),
        lower(300.0, 5),
        lower(200.0, 5),
        lower(100.0, 5),
        lower(200.0, 5),
        upper(2000.0),
    ];
    SideBySide {
        places: &places,
        law: zipf(20_000, 0.8),
        ttl_s: None,
        rates: &[100.0, 200.0, 100.0, 50.0, 100.0, 50.0],
        bins: 10,
        bin_s: 10.0,
        replications: 6,
    }
    .compare(4e-3, 0.03);
    // A hub between them.
    let places = [lower(200.0, 2), lower(200.0, 2), lower(800.0, 3), upper(3000.0)];
    SideBySide {
        places: &places,
        law: zipf(10_000, 1.0),
        ttl_s: None,
        rates: &[100.0, 150.0, 0.0, 0.0],
        bins: 8,
        bin_s: 15.0,
        replications: 8,
    }
    .compare(4e-3, 0.12);
    assert!(Cascade::new(vec![lower(1.0, 1), lower(1.0, 0)], vec![], 0.0).is_none());
}

#[test]
fn the_tiers_of_100_pops_are_exact_under_poisson_requests() {
    // V32 in the large: 100 lower caches and an upper one, all without limit, after many lifetimes.
    let mut places = vec![Place { capacity_bytes: 1e9, next: Some(100) }; 100];
    places.push(Place { capacity_bytes: 1e9, next: None });
    let objects = 5;
    let content =
        Content { bytes: 1.0, spectrum: spectrum(&zipf(objects, 0.0)), ttl_s: Some(60.0) };
    let mut cascade = Cascade::new(places, vec![content], 0.0).expect("valid by construction");
    let mut rates = vec![vec![0.1 * objects as f64]; 100];
    rates.push(vec![0.0]);
    cascade.set_rates(&rates, 0.0);
    cascade.advance(6000.0);
    let misses = cascade.set_rates(&rates, 0.0);
    let lower: f64 = misses[..100].iter().map(|row| row[0].passed_per_s).sum();
    close(lower / objects as f64, 1.4286, 5e-5, "flat");
    close(misses[100][0].passed_per_s / objects as f64, 0.01647, 5e-6, "tiered");
    close(misses[0][0].at_next, 0.01647 / 1.4286, 1e-5, "share that misses in the upper tier, too");
}
