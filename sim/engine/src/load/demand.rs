//! How much of each demand there is at an instant: base rate x daily shape x surges x noise.

use crate::kernel::{Id, SimSpan, SimTime, Stream, Table, math};
use crate::scenario::{DemandId, MatrixId, Rate, Scenario, Source, Surge};

/// Rate of every demand, kept up to date as time moves on.
///
/// Rates are requests per second for demands of client groups, bits per second otherwise. They are
/// constant between the instants at which the world calls [`Demands::refresh`].
#[derive(Debug)]
pub struct Demands {
    /// Current rates.
    pub rate: Vec<f64>,
    noise: Vec<f64>,
    /// One a demand that draws noise; empty without noise.
    streams: Vec<Option<Stream>>,
    surges_of: Vec<Vec<u32>>,
    matrix_row: Table<MatrixId, usize>,
    /// Peak time of each demand's profile, shifted to UTC.
    peak_ns: Vec<u64>,
    /// Rate of each demand towards a DNS name, all its parts together.
    pub whole: Vec<f64>,
    /// Whether a demand is a part of a whole but not its first; empty without DNS names.
    follows: Vec<bool>,
    /// Share of each demand in the whole it is part of; empty without DNS names.
    share: Vec<f64>,
}

const DAY_NS: u64 = 86_400_000_000_000;

impl Demands {
    /// Demand state at the scenario's start.
    #[must_use]
    pub fn new(scenario: &Scenario, replication: u32) -> Demands {
        let count = scenario.demands.len();
        let noisy = scenario.demand_noise.cv > 0.0;
        let streams = scenario
            .demands
            .iter()
            .filter(|_| noisy)
            .map(|(id, demand)| {
                // Parts of one demand towards a name vary as one: the first draws for all.
                let whole = scenario.dns.whole_of(id).map(|(_, whole)| whole);
                let name = whole.map_or(demand.id.as_str(), |whole| whole.id.as_str());
                let key = scenario.stream_key(replication, "demand-noise", "demand", name);
                whole.is_none_or(|whole| whole.first == id).then(|| Stream::new(key))
            })
            .collect();
        let mut surges_of = vec![Vec::new(); count];
        for (index, surge) in scenario.surges.iter().enumerate() {
            for demand in &surge.demands {
                surges_of[demand.index()].push(index as u32);
            }
        }
        let mut demands = Demands {
            rate: vec![0.0; count],
            noise: vec![1.0; count],
            streams,
            surges_of,
            matrix_row: Table::filled(scenario.matrices.len(), 0),
            peak_ns: scenario.demands.ids().map(|demand| peak_utc_ns(scenario, demand)).collect(),
            whole: vec![0.0; scenario.dns.demands.len()],
            follows: follows(scenario),
            share: if scenario.dns.demands.is_empty() { Vec::new() } else { vec![1.0; count] },
        };
        demands.redraw_noise(scenario);
        demands
    }

    /// Draws the next noise factor of every demand: log-normal with mean 1.
    pub fn redraw_noise(&mut self, scenario: &Scenario) {
        let cv = scenario.demand_noise.cv;
        let variance = math::ln(1.0 + cv * cv);
        let sigma = math::sqrt(variance);
        for (factor, stream) in self.noise.iter_mut().zip(&mut self.streams) {
            let Some(stream) = stream else { continue };
            *factor = math::exp(sigma * stream.normal() - variance / 2.0);
        }
    }

    /// Moves a matrix to the row that holds from `now` on.
    pub fn advance_matrix(&mut self, scenario: &Scenario, matrix: MatrixId, now: SimTime) {
        let times = &scenario.matrices[matrix].times;
        let row = &mut self.matrix_row[matrix];
        while *row + 1 < times.len() && times[*row + 1] <= now {
            *row += 1;
        }
    }

    /// Computes all rates for the step that begins at `now` and lasts `step`: shapes and ramps are
    /// taken at its middle.
    pub fn refresh(&mut self, scenario: &Scenario, now: SimTime, step: SimSpan) {
        let middle = now.after(SimSpan(step.0 / 2));
        let surge_factor: Vec<f64> =
            scenario.surges.iter().map(|surge| surge_factor_at(surge, now, middle)).collect();
        let time_of_day = (scenario.start_time_of_day.0 + middle.0) % DAY_NS;
        for (id, demand) in scenario.demands.iter() {
            let index = id.index();
            if self.follows.get(index).copied().unwrap_or(false) {
                continue;
            }
            let base = match demand.rate {
                Rate::RequestsPerS(rate) | Rate::Bps(rate) => rate,
                Rate::Recorded { matrix, column } => {
                    let table = &scenario.matrices[matrix];
                    let row = self.matrix_row[matrix] * table.columns as usize;
                    table.rates_bps[row + column as usize] * table.scale
                }
            };
            let shape = match demand.profile {
                None => 1.0,
                Some(profile) => {
                    let trough = scenario.profiles[profile].trough_ratio;
                    let after_peak = (time_of_day + DAY_NS - self.peak_ns[index]) % DAY_NS;
                    let angle = 2.0 * std::f64::consts::PI * (after_peak as f64 / DAY_NS as f64);
                    trough + (1.0 - trough) * (0.5 + 0.5 * math::cos(angle))
                }
            };
            let surge: f64 =
                self.surges_of[index].iter().map(|&surge| surge_factor[surge as usize]).product();
            self.rate[index] = base * shape * surge * self.noise[index];
        }
        for (index, demand) in scenario.dns.demands.iter().enumerate() {
            // The first part has been given the rate of all.
            self.whole[index] = self.rate[demand.first.index()];
            for part in scenario.dns.parts(demand) {
                self.rate[part] = self.whole[index] * self.share[part];
            }
        }
    }

    /// Shares out a demand towards a name, the `index`th, anew over its parts.
    pub fn share_out(&mut self, index: usize, parts: std::ops::Range<usize>, shares: &[f64]) {
        for (part, share) in parts.zip(shares) {
            self.share[part] = *share;
            self.rate[part] = self.whole[index] * share;
        }
    }
}

/// Whether each demand is a part of a demand towards a DNS name but not its first.
fn follows(scenario: &Scenario) -> Vec<bool> {
    if scenario.dns.demands.is_empty() {
        return Vec::new();
    }
    let mut follows = vec![false; scenario.demands.len()];
    for demand in &scenario.dns.demands {
        scenario.dns.parts(demand).skip(1).for_each(|part| follows[part] = true);
    }
    follows
}

/// When a demand peaks in UTC: local solar time is UTC + longitude / 15 h.
fn peak_utc_ns(scenario: &Scenario, demand: DemandId) -> u64 {
    let row = &scenario.demands[demand];
    let Some(profile) = row.profile else { return 0 };
    let profile = &scenario.profiles[profile];
    let lon = match row.source {
        Source::Clients(group) if profile.local_time => {
            scenario.client_groups[group].location.map_or(0.0, |point| point.lon)
        }
        _ => 0.0,
    };
    let east_ns = lon / 360.0 * DAY_NS as f64;
    let shift = if east_ns < 0.0 { DAY_NS - ((-east_ns) as u64) % DAY_NS } else { east_ns as u64 };
    (profile.peak_time.0 % DAY_NS + DAY_NS - shift % DAY_NS) % DAY_NS
}

/// Factor of a surge during a step. Whether it has begun or ended is judged at the step's start,
/// which falls on `at` and `until` exactly; ramps are taken at the step's middle.
fn surge_factor_at(surge: &Surge, start: SimTime, middle: SimTime) -> f64 {
    if start < surge.at || start >= surge.until {
        return 1.0;
    }
    let ramp = surge.ramp.0 as f64;
    let up = if surge.ramp.0 == 0 { 1.0 } else { middle.since(surge.at).0 as f64 / ramp };
    let down = if surge.ramp.0 == 0 || surge.until == SimTime::NEVER {
        1.0
    } else {
        surge.until.since(middle).0 as f64 / ramp
    };
    1.0 + (surge.factor - 1.0) * up.min(down).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surge_ramps_up_holds_and_ramps_down() {
        let surge = Surge {
            at: SimTime(100),
            until: SimTime(200),
            ramp: SimSpan(20),
            factor: 3.0,
            demands: Vec::new(),
            label: String::new(),
        };
        let at = |t| surge_factor_at(&surge, SimTime(t), SimTime(t));
        assert_eq!(at(99), 1.0);
        assert_eq!(at(110), 2.0);
        assert_eq!(at(150), 3.0);
        assert_eq!(at(190), 2.0);
        assert_eq!(at(200), 1.0);
        let step = Surge { ramp: SimSpan::ZERO, until: SimTime::NEVER, ..surge };
        assert_eq!(surge_factor_at(&step, SimTime(100), SimTime(100)), 3.0);
        assert_eq!(surge_factor_at(&step, SimTime(u64::MAX - 1), SimTime(u64::MAX - 1)), 3.0);
    }
}
