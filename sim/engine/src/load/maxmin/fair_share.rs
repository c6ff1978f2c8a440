//! Sharing by bandwidth functions over tunnels in order of preference, as B4 does it.
//!
//! Each demand says how much it wants at which fair share (a piecewise linear function) and over
//! which tunnels, the best first. The fair share of all rises together; each demand puts what its
//! function says on its best tunnel. When an edge is full, the tunnels over it freeze and their
//! demands go on with their next tunnel. It ends when every demand has what it wants at most or no
//! tunnel left (Jain et al., *B4*, SIGCOMM 2013, section 5).

/// Bandwidth by fair share: straight lines between points, from (0, 0) on, flat after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct BandwidthFunction {
    /// (fair share, bandwidth), both ascending.
    points: Vec<(f64, f64)>,
}

impl BandwidthFunction {
    /// The sum of what applications want: each a weight (bandwidth per fair share) up to a demand.
    ///
    /// # Panics
    /// If a weight or demand is not above 0 and finite.
    #[must_use]
    pub fn of_applications(applications: &[(f64, f64)]) -> BandwidthFunction {
        let sound = |x: f64| x > 0.0 && x < f64::INFINITY;
        assert!(applications.iter().all(|&(weight, demand)| sound(weight) && sound(demand)));
        let mut ends: Vec<f64> = applications.iter().map(|&(w, demand)| demand / w).collect();
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        let at = |share: f64| applications.iter().map(|&(w, demand)| (w * share).min(demand)).sum();
        BandwidthFunction { points: ends.into_iter().map(|share| (share, at(share))).collect() }
    }

    /// A function through points (fair share, bandwidth) after (0, 0).
    ///
    /// # Errors
    /// What is wrong with the points.
    pub fn through(points: Vec<(f64, f64)>) -> Result<BandwidthFunction, &'static str> {
        let mut last = (0.0, 0.0);
        for &(share, bandwidth) in &points {
            if !(share > last.0 && share < f64::INFINITY) {
                return Err("fair shares must be finite and ascend from above 0");
            }
            if !(bandwidth >= last.1 && bandwidth < f64::INFINITY) {
                return Err("bandwidths must be finite and must not descend");
            }
            last = (share, bandwidth);
        }
        Ok(BandwidthFunction { points })
    }

    /// Bandwidth wanted at a fair share.
    #[must_use]
    pub fn at(&self, share: f64) -> f64 {
        let mut last = (0.0, 0.0);
        for &point in &self.points {
            if share < point.0 {
                return last.1 + (point.1 - last.1) * (share - last.0) / (point.0 - last.0);
            }
            last = point;
        }
        last.1
    }

    /// Slope just above a fair share, and where it ends.
    fn piece(&self, share: f64) -> Option<(f64, f64)> {
        let next = self.points.iter().position(|point| point.0 > share)?;
        let last = if next == 0 { (0.0, 0.0) } else { self.points[next - 1] };
        let point = self.points[next];
        Some(((point.1 - last.1) / (point.0 - last.0), point.0))
    }
}

/// A way from source to destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Edges, by index of capacity.
    pub edges: Vec<usize>,
}

/// A group of flows with the same ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What it wants.
    pub function: BandwidthFunction,
    /// Its tunnels, best first.
    pub tunnels: Vec<Tunnel>,
}

/// An edge that became full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Freeze {
    /// Fair share at that time.
    pub fair_share: f64,
    /// Edge.
    pub edge: usize,
}

/// Outcome of [`fair_share`].
#[derive(Clone, Debug, PartialEq)]
pub struct FairShare {
    /// Bandwidth by demand and tunnel.
    pub bandwidth: Vec<Vec<f64>>,
    /// Fair share at which each demand stopped; infinite if it has all it wants.
    pub reached: Vec<f64>,
    /// Edges that became full, in order.
    pub freezes: Vec<Freeze>,
}

/// Fills tunnels until demands are met or tunnels are exhausted. Capacities and bandwidths share
/// one unit.
///
/// # Panics
/// If a tunnel names an edge that does not exist, or a capacity is negative or no number.
#[must_use]
pub fn fair_share(capacity: &[f64], demands: &[Demand]) -> FairShare {
    assert!(capacity.iter().all(|&c| c >= 0.0), "capacities are at least 0");
    let mut state = Filling {
        room: capacity.to_vec(),
        full: capacity.iter().map(|&c| c == 0.0).collect(),
        tunnel: vec![0; demands.len()],
        outcome: FairShare {
            bandwidth: demands.iter().map(|d| vec![0.0; d.tunnels.len()]).collect(),
            reached: vec![f64::INFINITY; demands.len()],
            freezes: Vec::new(),
        },
    };
    let mut share = 0.0;
    while let Some(next) = state.step(capacity, demands, share) {
        share = next;
    }
    state.outcome
}

struct Filling {
    room: Vec<f64>,
    full: Vec<bool>,
    /// Tunnel that each demand fills now.
    tunnel: Vec<usize>,
    outcome: FairShare,
}

impl Filling {
    /// From one fair share to the next where a slope or a tunnel changes; none when all is done.
    fn step(&mut self, capacity: &[f64], demands: &[Demand], share: f64) -> Option<f64> {
        let mut slope = vec![0.0; self.room.len()];
        let mut slopes = vec![None; demands.len()];
        let mut until = f64::INFINITY;
        for (index, demand) in demands.iter().enumerate() {
            let Some((rise, end)) = demand.function.piece(share) else {
                continue;
            };
            let open = |tunnel: &Tunnel| !tunnel.edges.iter().any(|&edge| self.full[edge]);
            while demand.tunnels.get(self.tunnel[index]).is_some_and(|tunnel| !open(tunnel)) {
                self.tunnel[index] += 1;
            }
            let Some(tunnel) = demand.tunnels.get(self.tunnel[index]) else {
                let reached = &mut self.outcome.reached[index];
                *reached = reached.min(share);
                continue;
            };
            slopes[index] = Some(rise);
            until = until.min(end);
            tunnel.edges.iter().for_each(|&edge| slope[edge] += rise);
        }
        if slopes.iter().all(Option::is_none) {
            return None;
        }
        let fills = |edge: usize| share + self.room[edge] / slope[edge];
        let rising = (0..slope.len()).filter(|&edge| slope[edge] > 0.0);
        let first = rising.clone().map(fills).fold(f64::INFINITY, f64::min);
        let next = until.min(first);
        let filled: Vec<usize> = rising
            .filter(|&edge| fills(edge) - next <= 1e-12 * next.max(capacity[edge] / slope[edge]))
            .collect();
        for (index, rise) in slopes.iter().enumerate() {
            if let Some(rise) = rise {
                self.outcome.bandwidth[index][self.tunnel[index]] += rise * (next - share);
            }
        }
        for (room, slope) in self.room.iter_mut().zip(&slope) {
            *room = (*room - slope * (next - share)).max(0.0);
        }
        for edge in filled {
            self.full[edge] = true;
            self.room[edge] = 0.0;
            self.outcome.freezes.push(Freeze { fair_share: next, edge });
        }
        Some(next)
    }
}
