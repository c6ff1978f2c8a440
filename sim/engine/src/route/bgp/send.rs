//! Messages: pace of what is sent (MRAI), time on the way, arrival.

use super::attrs::{AttrId, NOTHING};
use super::model::{BgpPrefixId, MraiScope};
use super::sim::{BgpSim, RouteSink, Sent};
use super::state::{EndId, Event, Flight, PHASE_ARRIVE, PHASE_TIMER, Update};
use super::watch::zobrist;
use crate::kernel::stream::single_uniform;
use crate::kernel::{Id, SimSpan, SimTime, StreamKey};

impl BgpSim {
    /// Sends what may go now; the rest waits for its timer (RFC 4271, 9.2.1.1).
    pub(super) fn send(&mut self, id: EndId, out: &mut Vec<Update>, sink: &mut dyn RouteSink) {
        let end = &mut self.ends[id as usize];
        let mrai = end.mrai;
        if mrai.interval == SimSpan::ZERO {
            self.transmit(id, out, sink);
            return;
        }
        out.retain(|&(prefix, route)| {
            let waits = route != NOTHING || mrai.withdrawals_wait;
            let armed = match mrai.scope {
                MraiScope::Peer => end.armed,
                MraiScope::Prefix => end.armed_prefixes.contains(&prefix),
            };
            if waits && armed {
                end.pending.insert(prefix);
                return false;
            }
            end.pending.remove(&prefix);
            true
        });
        self.transmit(id, out, sink);
        self.arm(id, out);
    }

    /// Starts the timers for what was just sent.
    fn arm(&mut self, id: EndId, sent: &[Update]) {
        let mrai = self.ends[id as usize].mrai;
        let counts = |route: AttrId| route != NOTHING || mrai.withdrawals_wait;
        match mrai.scope {
            MraiScope::Peer => {
                if sent.iter().any(|&(_, route)| counts(route)) {
                    self.ends[id as usize].armed = true;
                    self.start_timer(id, None);
                }
            }
            MraiScope::Prefix => {
                for &(prefix, route) in sent {
                    if counts(route) {
                        self.ends[id as usize].armed_prefixes.insert(prefix);
                        self.start_timer(id, Some(prefix));
                    }
                }
            }
        }
    }

    fn start_timer(&mut self, id: EndId, prefix: Option<u32>) {
        let mrai = self.ends[id as usize].mrai;
        let factor =
            if mrai.jitter > 0.0 { 1.0 - mrai.jitter * self.draw(id, "bgp-mrai") } else { 1.0 };
        let at = self.clock.now().after(stretched(mrai.interval, factor));
        let end = &mut self.ends[id as usize];
        end.expiries.insert(prefix.unwrap_or(NOTHING), at);
        let event = Event::Mrai { end: id, epoch: end.epoch, prefix };
        let source = self.source_of(id);
        self.clock.schedule(at, PHASE_TIMER, source, event);
    }

    /// An advertisement timer expired: what waits goes out, as it is now, and the timer starts
    /// again if anything did. What is again as it was said last is not said.
    pub(super) fn timer_expired(
        &mut self,
        id: EndId,
        epoch: u32,
        prefix: Option<u32>,
        sink: &mut dyn RouteSink,
    ) {
        let end = &mut self.ends[id as usize];
        if end.epoch != epoch {
            return;
        }
        end.expiries.remove(&prefix.unwrap_or(NOTHING));
        let waiting: Vec<u32> = match prefix {
            None => {
                end.armed = false;
                std::mem::take(&mut end.pending).into_iter().collect()
            }
            Some(prefix) => {
                end.armed_prefixes.remove(&prefix);
                if end.pending.remove(&prefix) { vec![prefix] } else { Vec::new() }
            }
        };
        let mut out: Vec<Update> =
            waiting.into_iter().map(|prefix| (prefix, self.wanted(id, prefix))).collect();
        // What was told last is taken out of the message, so it does not start the timer either.
        self.transmit(id, &mut out, sink);
        self.arm(id, &out);
    }

    /// Puts one message on its way. What the far end already knows is taken out of it.
    fn transmit(&mut self, id: EndId, out: &mut Vec<Update>, sink: &mut dyn RouteSink) {
        let now = self.clock.now();
        let prefixes = self.network.prefixes.len();
        let end = &mut self.ends[id as usize];
        if end.sent.is_empty() {
            end.sent = vec![NOTHING; prefixes];
        }
        out.retain(|&(prefix, route)| {
            let told = std::mem::replace(&mut end.sent[prefix as usize], route);
            if told == route {
                return false;
            }
            for value in [told, route] {
                if value != NOTHING {
                    self.watch.told ^= zobrist(u64::from(prefix), id, value);
                }
            }
            let announced = route != NOTHING;
            if announced {
                self.counts.announcements += 1;
            } else {
                self.counts.withdrawals += 1;
            }
            let prefix = BgpPrefixId(prefix);
            sink.sent(now, Sent { session: end.session, from: end.speaker, prefix, announced });
            true
        });
        if out.is_empty() {
            return;
        }
        self.counts.messages += 1;
        self.routers[end.speaker.index()].spoke = true;
        let (delay, jitter) = (end.delay, end.delay_jitter);
        let factor = if jitter > 0.0 && delay != SimSpan::ZERO {
            1.0 + jitter * self.draw(id, "bgp-delay")
        } else {
            1.0
        };
        let to = id ^ 1;
        let far = &mut self.ends[to as usize];
        let earliest = far.flights.back().map_or(SimTime::ZERO, |flight| flight.arrives);
        let arrives = now.after(stretched(delay, factor)).max(earliest);
        far.flights.push_back(Flight { arrives, updates: out.clone() });
        let event = Event::Deliver { to, epoch: far.epoch };
        let source = self.source_of(id);
        self.clock.schedule(arrives, PHASE_ARRIVE, source, event);
    }

    /// A message arrives and waits for the speaker.
    pub(super) fn deliver(&mut self, to: EndId, epoch: u32) {
        let end = &mut self.ends[to as usize];
        if end.epoch != epoch {
            return;
        }
        let flight = end.flights.pop_front().expect("every arrival has its message");
        let speaker = end.speaker;
        self.routers[speaker.index()].inbox.push((to, flight.updates));
        self.wake(speaker);
    }

    /// A uniform draw in [0, 1) of an end's own.
    fn draw(&mut self, id: EndId, purpose: &'static str) -> f64 {
        let end = &mut self.ends[id as usize];
        end.draws += 1;
        self.watch.draws += 1;
        let entity = end.entity ^ end.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        single_uniform(StreamKey {
            seed: self.seed,
            replication: self.replication,
            purpose,
            entity,
        })
    }
}

/// A span times a factor, rounded up to a nanosecond.
fn stretched(span: SimSpan, factor: f64) -> SimSpan {
    if factor == 1.0 { span } else { SimSpan::from_seconds_f64_ceil(span.seconds() * factor) }
}
