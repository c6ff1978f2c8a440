//! Join the shortest queue with two or three exponential servers, solved exactly.
//!
//! The state is how long the shortest queue is (the level) and how much longer the others are (the
//! phase). All levels but the lowest look alike, so the chain is a quasi-birth-death process with
//! a matrix-geometric solution. The differences are cut where they have practically no mass; the
//! levels are not cut at all.
//!
//! Sources: M. F. Neuts, Matrix-Geometric Solutions in Stochastic Models (1981); G. Latouche and
//! V. Ramaswami, A logarithmic reduction algorithm for quasi-birth-death processes (1993).

use super::matrix::Matrix;

/// What the exact solution gives.
#[derive(Clone, Copy, Debug)]
pub struct Solution {
    /// Mean time in system, in service times.
    pub sojourn_mean: f64,
    /// Probability that an arrival finds no server idle.
    pub waits: f64,
    /// Probability of the largest differences that are kept: what the cut neglects is smaller.
    pub cut: f64,
}

/// Mean time in system of join-the-shortest-queue, for 2 or 3 servers and a load per server below
/// 1.
#[must_use]
pub fn join_shortest(load: f64, servers: usize) -> Solution {
    assert!(load > 0.0 && load < 1.0 && (2..=3).contains(&servers));
    let chain = Chain::new(load, servers);
    let rate = chain.rate_matrix();
    let bottom = chain.lowest_level(&rate);
    let size = bottom.len();
    // Sums over all levels: pi0 (I - R)^-1 and pi0 R (I - R)^-2.
    let all = Matrix::identity(size).plus(-1.0, &rate).solve(Matrix::identity(size));
    let phases = all.left(&bottom);
    let total: f64 = phases.iter().sum();
    let levels: f64 = all.left(&rate.left(&phases)).iter().sum();
    let more: f64 =
        phases.iter().zip(&chain.phases).map(|(p, d)| p * d.iter().sum::<usize>() as f64).sum();
    let number = (servers as f64 * levels + more) / total;
    let widest = chain.width;
    let cut = phases.iter().zip(&chain.phases).filter(|(_, d)| d[0] == widest).map(|(p, _)| p);
    Solution {
        sojourn_mean: number / (load * servers as f64),
        waits: 1.0 - bottom.iter().sum::<f64>() / total,
        cut: cut.sum::<f64>() / total,
    }
}

/// The chain: what leads up, sideways and down from a level that is not the lowest.
struct Chain {
    width: usize,
    /// How much longer the other queues are than the shortest, longest first.
    phases: Vec<Vec<usize>>,
    up: Matrix,
    side: Matrix,
    down: Matrix,
    /// Sideways from the lowest level, where servers may be idle.
    lowest: Matrix,
}

impl Chain {
    fn new(load: f64, servers: usize) -> Chain {
        let width = if servers == 2 { 48 } else { 22 };
        let phases: Vec<Vec<usize>> = if servers == 2 {
            (0..=width).map(|d| vec![d]).collect()
        } else {
            (0..=width).flat_map(|a| (0..=a).map(move |b| vec![a, b])).collect()
        };
        let zero = || Matrix::zero(phases.len());
        let (up, side, down, lowest) = (zero(), zero(), zero(), zero());
        let mut chain = Chain { width, phases, up, side, down, lowest };
        for from in 0..chain.phases.len() {
            chain.arrival(from, load * servers as f64);
            chain.departures(from);
        }
        chain
    }

    fn index(&self, mut differences: Vec<usize>) -> usize {
        differences.sort_unstable_by(|a, b| b.cmp(a));
        self.phases.iter().position(|one| *one == differences).expect("within the width")
    }

    /// The shortest queue grows. If it was the only shortest one, the level rises.
    fn arrival(&mut self, from: usize, rate: f64) {
        let mut differences = self.phases[from].clone();
        if let Some(tied) = differences.iter().position(|&d| d == 0) {
            differences[tied] = 1;
            let to = self.index(differences);
            for local in [&mut self.side, &mut self.lowest] {
                local.add(from, to, rate);
                local.add(from, from, -rate);
            }
        } else {
            let to = self.index(differences.iter().map(|d| d - 1).collect());
            self.up.add(from, to, rate);
            self.side.add(from, from, -rate);
            self.lowest.add(from, from, -rate);
        }
    }

    /// Each busy server finishes at rate 1.
    fn departures(&mut self, from: usize) {
        let differences = self.phases[from].clone();
        let mut shortest = 1.0;
        for (i, &longer) in differences.iter().enumerate() {
            if longer == 0 {
                shortest += 1.0;
                continue;
            }
            let mut next = differences.clone();
            next[i] -= 1;
            let to = self.index(next);
            for local in [&mut self.side, &mut self.lowest] {
                local.add(from, to, 1.0);
                local.add(from, from, -1.0);
            }
        }
        // One of the shortest queues shrinks: all others are one longer than it. At the width this
        // is left out, which is where the chain is cut.
        if differences[0] < self.width {
            let to = self.index(differences.iter().map(|d| d + 1).collect());
            self.down.add(from, to, shortest);
            self.side.add(from, from, -shortest);
        }
    }

    /// R: from a level to the next, by logarithmic reduction.
    fn rate_matrix(&self) -> Matrix {
        let size = self.phases.len();
        let negative = Matrix::zero(size).plus(-1.0, &self.side);
        let mut up = negative.clone().solve(self.up.clone());
        let mut down = negative.clone().solve(self.down.clone());
        let (mut first, mut path) = (down.clone(), up.clone());
        // The error squares at each step; 64 steps are far more than any load below 1 needs.
        for _ in 0..64 {
            let stay = up.times(&down).plus(1.0, &down.times(&up));
            let middle = Matrix::identity(size).plus(-1.0, &stay);
            let twice_up = up.times(&up);
            let twice_down = down.times(&down);
            up = middle.clone().solve(twice_up);
            down = middle.solve(twice_down);
            let step = path.times(&down);
            first = first.plus(1.0, &step);
            path = path.times(&up);
            if step.norm() < 1e-15 {
                break;
            }
        }
        let inner = negative.plus(-1.0, &self.up.times(&first));
        // R = up * inner^-1; solved from the left through the inverse.
        self.up.times(&inner.solve(Matrix::identity(size)))
    }

    /// Weights of the phases of the lowest level: the left null vector of lowest + R * down.
    fn lowest_level(&self, rate: &Matrix) -> Vec<f64> {
        let size = self.phases.len();
        let balance = self.lowest.plus(1.0, &rate.times(&self.down));
        // Transposed, with the first weight set to 1 in place of the first (dependent) equation.
        let mut system = Matrix::zero(size);
        let mut right = Matrix::zero(size);
        system.add(0, 0, 1.0);
        right.add(0, 0, 1.0);
        for row in 1..size {
            for column in 0..size {
                system.add(row, column, balance.at(column, row));
            }
        }
        let solved = system.solve(right);
        (0..size).map(|row| solved.at(row, 0)).collect()
    }
}
