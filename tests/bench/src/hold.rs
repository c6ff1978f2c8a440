//! The hold model: n events pending; pop the earliest, push one an exponential span later.

use crate::measure::own_cpu_seconds;
use crate::queues::{Binary, Engine, EventQueue, Ordered, Wide};
use crate::table::Table;
use serde::Serialize;
use steerlab_engine::kernel::{EventKey, Fingerprint, Phase, SimTime, Stream, StreamKey};

const PENDING: [u64; 7] = [2, 16, 100, 1_000, 10_000, 100_000, 1_000_000];
const STEPS: u64 = 4_000_000;
const REPEATS: usize = 3;

/// Time per event of one queue at every size.
#[derive(Clone, Debug, Serialize)]
pub struct HoldRow {
    pub queue: &'static str,
    /// (events pending, nanoseconds of processor time per event), least of the repeats.
    pub nanos_per_event: Vec<(u64, f64)>,
    /// Hash of all events popped; equal for all queues or one of them is wrong.
    pub fingerprint: u64,
}

fn stream() -> Stream {
    Stream::new(StreamKey { seed: 1, replication: 0, purpose: "hold", entity: 0 })
}

fn key_after(now: u64, chance: &mut Stream, counter: u64) -> EventKey {
    let time = now + (chance.exponential() * 1e9) as u64;
    EventKey::new(SimTime(time), Phase(0), 0, counter)
}

fn steps<Q: EventQueue>(
    queue: &mut Q,
    chance: &mut Stream,
    counter: &mut u64,
    count: u64,
    seen: &mut Fingerprint,
) {
    for _ in 0..count {
        let (key, event) = queue.pop().expect("the hold model never runs empty");
        seen.absorb(key.time().0 ^ event);
        queue.push(key_after(key.time().0, chance, *counter), *counter);
        *counter += 1;
    }
}

#[inline(never)]
fn one_size<Q: EventQueue>(pending: u64, seen: &mut Fingerprint) -> f64 {
    let (mut queue, mut chance, mut counter) = (Q::default(), stream(), 0);
    while counter < pending {
        queue.push(key_after(0, &mut chance, counter), counter);
        counter += 1;
    }
    // Past the start, where all events lie in one burst.
    steps(&mut queue, &mut chance, &mut counter, 2 * pending, seen);
    let start = own_cpu_seconds();
    steps(&mut queue, &mut chance, &mut counter, STEPS, seen);
    (own_cpu_seconds() - start) / STEPS as f64 * 1e9
}

fn row<Q: EventQueue>(queue: &'static str) -> HoldRow {
    eprintln!("hold model: {queue}");
    let mut seen = Fingerprint::default();
    let nanos_per_event = PENDING
        .iter()
        .map(|&pending| {
            let repeats = (0..REPEATS).map(|_| one_size::<Q>(pending, &mut seen));
            (pending, repeats.fold(f64::INFINITY, f64::min))
        })
        .collect();
    HoldRow { queue, nanos_per_event, fingerprint: seen.value() }
}

fn draws_alone() -> HoldRow {
    let (mut chance, mut seen) = (stream(), Fingerprint::default());
    let start = own_cpu_seconds();
    for counter in 0..4 * STEPS {
        seen.absorb(key_after(counter, &mut chance, 0).time().0);
    }
    let nanos = (own_cpu_seconds() - start) / (4 * STEPS) as f64 * 1e9;
    let nanos_per_event = PENDING.iter().map(|&pending| (pending, nanos)).collect();
    HoldRow { queue: "draws and hash alone", nanos_per_event, fingerprint: seen.value() }
}

/// Measures every queue.
///
/// # Errors
/// If two queues popped different events.
pub fn measure() -> Result<Vec<HoldRow>, String> {
    let rows = vec![
        row::<Engine>("**engine: heap and radix wheel**"),
        row::<Binary>("std BinaryHeap"),
        row::<Wide<4>>("4-ary heap"),
        row::<Wide<8>>("8-ary heap"),
        row::<Ordered>("std BTreeMap"),
    ];
    match rows.iter().find(|row| row.fingerprint != rows[0].fingerprint) {
        Some(row) => Err(format!("{} popped another order than {}", row.queue, rows[0].queue)),
        None => Ok(rows.into_iter().chain([draws_alone()]).collect()),
    }
}

/// The rows as a table.
pub fn table(rows: &[HoldRow]) -> Table {
    let mut head = vec!["queue, ns per event".to_owned()];
    head.extend(PENDING.iter().map(|pending| format!("{pending} pending")));
    let mut table = Table::new(head);
    for row in rows {
        let mut cells = vec![row.queue.to_owned()];
        cells.extend(row.nanos_per_event.iter().map(|(_, nanos)| format!("{nanos:.0}")));
        table.push(cells);
    }
    table
}

/// Measures and prints.
///
/// # Errors
/// As [`measure`].
pub fn print() -> Result<(), String> {
    println!("{}", table(&measure()?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<Q: EventQueue>() -> u64 {
        let (mut queue, mut chance, mut counter) = (Q::default(), stream(), 0);
        let mut seen = Fingerprint::default();
        while counter < 500 {
            queue.push(key_after(0, &mut chance, counter), counter);
            counter += 1;
        }
        steps(&mut queue, &mut chance, &mut counter, 5_000, &mut seen);
        seen.value()
    }

    #[test]
    fn all_queues_pop_the_same_order() {
        let expected = seen::<Ordered>();
        assert_eq!(seen::<Engine>(), expected);
        assert_eq!(seen::<Binary>(), expected);
        assert_eq!(seen::<Wide<4>>(), expected);
        assert_eq!(seen::<Wide<8>>(), expected);
    }
}
