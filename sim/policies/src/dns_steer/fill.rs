//! Greedy fill: demands take the nearest place with room, and only what finds none is split off.

/// A wish: a demand, a place, how far apart they are (any increasing measure).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    pub demand: usize,
    pub place: usize,
    pub distance: f64,
}

/// Shares of each demand at each place, row after row. Pairs are served from near to far, ties by
/// demand, then place. What finds no room anywhere stays at the demand's nearest place; a demand
/// without any pair has a row of zeros.
pub(super) fn fill(demands: &[f64], rooms: &[f64], mut pairs: Vec<Pair>) -> Vec<Vec<f64>> {
    pairs.sort_by(|a, b| {
        (a.distance.total_cmp(&b.distance))
            .then(a.demand.cmp(&b.demand))
            .then(a.place.cmp(&b.place))
    });
    let mut rooms = rooms.to_vec();
    let mut left = demands.to_vec();
    let mut nearest: Vec<Option<usize>> = vec![None; demands.len()];
    let mut placed = vec![vec![0.0; rooms.len()]; demands.len()];
    for &Pair { demand, place, .. } in &pairs {
        nearest[demand].get_or_insert(place);
        let amount = left[demand].min(rooms[place]).max(0.0);
        placed[demand][place] += amount;
        left[demand] -= amount;
        rooms[place] -= amount;
    }
    for (demand, row) in placed.iter_mut().enumerate() {
        let Some(nearest) = nearest[demand] else { continue };
        row[nearest] += left[demand].max(0.0);
        let total: f64 = row.iter().sum();
        if total > 0.0 {
            row.iter_mut().for_each(|amount| *amount /= total);
        } else {
            // Nobody there: where they would go if somebody were.
            row[nearest] = 1.0;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(demand: usize, place: usize, distance: f64) -> Pair {
        Pair { demand, place, distance }
    }

    #[test]
    fn the_farthest_demand_of_a_full_place_is_the_one_that_is_split() {
        let pairs = vec![
            pair(0, 0, 1.0),
            pair(1, 0, 2.0),
            pair(0, 1, 9.0),
            pair(1, 1, 3.0),
            pair(2, 1, 0.5),
            pair(2, 0, 8.0),
        ];
        let shares = fill(&[10.0, 10.0, 10.0], &[15.0, 100.0], pairs);
        assert_eq!(shares, [vec![1.0, 0.0], vec![0.5, 0.5], vec![0.0, 1.0]]);
    }

    #[test]
    fn without_room_demands_stay_near() {
        let pairs = vec![pair(0, 0, 1.0), pair(0, 1, 2.0)];
        let shares = fill(&[10.0, 5.0, 0.0], &[4.0, 1.0], pairs.clone());
        assert_eq!(shares[0], [0.9, 0.1]);
        assert_eq!(shares[1], [0.0, 0.0], "no pair, no share");
        let nobody = fill(&[0.0], &[4.0, 1.0], pairs);
        assert_eq!(nobody[0], [1.0, 0.0]);
        let unlimited = fill(&[10.0], &[f64::INFINITY, 0.0], vec![pair(0, 0, 1.0)]);
        assert_eq!(unlimited[0], [1.0, 0.0]);
    }
}
