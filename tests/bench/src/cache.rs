//! Caches of a million objects, in requests per processor second of this process. Requests are
//! drawn beforehand.

use crate::measure;
use steerlab_engine::kernel::{SimTime, Stream, StreamKey};
use steerlab_engine::load::cache::che::{self, Eviction, Load};
use steerlab_engine::load::cache::{Cache, Fifo, Lfu, Lru, Popularity, S3Fifo, Spectrum};

const CAPACITY: u64 = 1_000_000;

/// Prints what each policy does under Zipf laws over ten million objects, a uniform law over twice
/// the cache, and a cache that holds everything.
///
/// # Errors
/// None; the others of its kind have some.
pub fn print(requests: u64, repeats: usize) -> Result<(), String> {
    println!("{}", measure::machine());
    println!("caches of {CAPACITY} objects, {requests} requests after as many to warm up");
    println!("objects   alpha  policy    million/cpu s  hit ratio  Che");
    for (objects, alpha) in
        [(10_000_000, 0.8), (10_000_000, 1.0), (2_000_000, 0.0), (1_000_000, 0.8), (1_000_000, 0.0)]
    {
        let law = Popularity::Zipf { objects, alpha };
        let drawn = draw(&law, requests)?;
        let spectrum = Spectrum::new(&law).ok_or("the law has objects")?;
        let load = Load { rate_per_s: 1.0, bytes: 1.0, spectrum: spectrum.into() };
        type Build = fn() -> Box<dyn Cache>;
        let policies: [(&str, Build, Option<Eviction>); 4] = [
            ("lru", || Box::new(Lru::new(CAPACITY)), Some(Eviction::Lru)),
            ("fifo", || Box::new(Fifo::new(CAPACITY)), Some(Eviction::FifoOrRandom)),
            ("s3-fifo", || Box::new(S3Fifo::new(CAPACITY)), None),
            ("lfu", || Box::new(Lfu::in_cache(CAPACITY)), None),
        ];
        for (name, build, eviction) in policies {
            let (mut seconds_min, mut hit_ratio) = (f64::INFINITY, 0.0);
            for _ in 0..repeats.max(1) {
                let mut cache = build();
                play(&mut *cache, &drawn);
                let start = measure::own_cpu_seconds();
                hit_ratio = play(&mut *cache, &drawn) as f64 / drawn.len() as f64;
                seconds_min = seconds_min.min(measure::own_cpu_seconds() - start);
            }
            let rate = drawn.len() as f64 / seconds_min / 1e6;
            let expected = eviction.map_or("-".to_owned(), |eviction| {
                let loads = std::slice::from_ref(&load);
                let time_s = che::characteristic_time_s(eviction, loads, CAPACITY as f64);
                format!("{:.4}", che::hit_ratio(eviction, &load, time_s))
            });
            println!(
                "{objects:<9} {alpha:<6} {name:<9} {rate:>13.1}  {hit_ratio:>9.4}  {expected}"
            );
        }
    }
    Ok(())
}

fn draw(law: &Popularity, requests: u64) -> Result<Vec<u32>, String> {
    let sampler = law.sampler().ok_or("the law has objects")?;
    let key = StreamKey { seed: 1, replication: 0, purpose: "cache-requests", entity: 0 };
    let mut stream = Stream::new(key);
    let start = measure::own_cpu_seconds();
    let drawn: Vec<u32> = (0..requests).map(|_| sampler.sample(&mut stream)).collect();
    let seconds = measure::own_cpu_seconds() - start;
    println!("  {:.1} million draws per processor second", requests as f64 / seconds / 1e6);
    Ok(drawn)
}

/// Hits of all requests.
fn play(cache: &mut dyn Cache, requests: &[u32]) -> u64 {
    let hits = requests.iter().filter(|&&object| cache.request(object, 1, SimTime(0)).is_hit());
    hits.count() as u64
}
