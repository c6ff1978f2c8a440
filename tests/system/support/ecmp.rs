//! Even splitting over shortest paths, written as plainly as it can be: Floyd-Warshall, then the
//! share of a demand recursively from node to node. Shares nothing with the engine.

/// A directed network.
#[derive(Clone, Default)]
pub struct Network {
    pub nodes: Vec<String>,
    /// (from, to, weight, capacity) per arc.
    pub arcs: Vec<(usize, usize, f64, f64)>,
}

impl Network {
    pub fn node(&self, name: &str) -> usize {
        self.nodes.iter().position(|node| node == name).unwrap_or_else(|| panic!("no node {name}"))
    }

    /// Shortest distances between all nodes.
    fn distances(&self) -> Vec<Vec<f64>> {
        let count = self.nodes.len();
        let mut distance = vec![vec![f64::INFINITY; count]; count];
        (0..count).for_each(|node| distance[node][node] = 0.0);
        for &(from, to, weight, _) in &self.arcs {
            distance[from][to] = distance[from][to].min(weight);
        }
        for via in 0..count {
            for from in 0..count {
                for to in 0..count {
                    let detour = distance[from][via] + distance[via][to];
                    distance[from][to] = distance[from][to].min(detour);
                }
            }
        }
        distance
    }

    /// Load on every arc when each demand (from, to, rate) is split evenly, at every node, over
    /// the arcs that lie on a shortest path. Parallel arcs count one each.
    pub fn loads(&self, demands: &[(usize, usize, f64)]) -> Vec<f64> {
        let distance = self.distances();
        let mut loads = vec![0.0; self.arcs.len()];
        for &(from, to, rate) in demands {
            if from != to && rate > 0.0 {
                self.send(&distance, from, to, rate, &mut loads);
            }
        }
        loads
    }

    /// Sends `rate` from a node on towards its target. Every path is followed on its own.
    fn send(&self, distance: &[Vec<f64>], at: usize, to: usize, rate: f64, loads: &mut [f64]) {
        if at == to {
            return;
        }
        assert!(distance[at][to].is_finite(), "{} is cut off", self.nodes[at]);
        let onward: Vec<usize> = (0..self.arcs.len())
            .filter(|&arc| {
                let (from, next, weight, _) = self.arcs[arc];
                from == at && weight + distance[next][to] <= distance[at][to] * (1.0 + 1e-12)
            })
            .collect();
        let share = rate / onward.len() as f64;
        for arc in onward {
            loads[arc] += share;
            self.send(distance, self.arcs[arc].1, to, share, loads);
        }
    }

    /// The same, as load over capacity.
    pub fn utilisations(&self, demands: &[(usize, usize, f64)]) -> Vec<f64> {
        let loads = self.loads(demands);
        loads.iter().zip(&self.arcs).map(|(load, arc)| load / arc.3).collect()
    }
}

/// A square of four nodes and a parallel arc on one side: three arcs leave a, so a third of the
/// demand takes each; worked out by hand.
#[test]
fn a_square_splits_as_by_hand() {
    let nodes = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let arcs = [(0, 1), (0, 1), (0, 2), (1, 3), (2, 3)];
    let arcs = arcs.map(|(from, to)| (from, to, 1.0, 2.0)).to_vec();
    let network = Network { nodes, arcs };
    assert_eq!(network.loads(&[(0, 3, 3.0)]), [1.0, 1.0, 1.0, 2.0, 1.0]);
    assert_eq!(network.utilisations(&[(0, 3, 3.0)]), [0.5, 0.5, 0.5, 1.0, 0.5]);
}
