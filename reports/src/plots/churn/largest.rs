//! The largest groups that moved, with their ways and the reasons.

use super::episodes::place_name;
use crate::rows::{Missing, Rows};
use crate::text;
use std::collections::BTreeMap;
use steerlab_results::view::RunView;

/// Most groups of the baseline; of other arms.
const GROUPS_MAX: [usize; 2] = [6, 3];
/// Most moves listed of one group.
const MOVES_MAX: usize = 6;
/// Most arms with a list.
const ARMS_LISTED_MAX: usize = 6;
/// Most networks of a path that are shown.
const HOPS_MAX: usize = 24;

/// One move.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// When, seconds.
    pub time_s: f64,
    /// After what.
    pub cause: String,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// Requests per second of the group.
    pub requests_per_s: f64,
    /// AS path for people; empty if routing knows none.
    pub path: String,
    /// Why it goes there.
    pub reason: String,
}

/// One group with its moves in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedGroup {
    /// Id.
    pub name: String,
    /// Towards which prefix.
    pub prefix: String,
    /// Its largest rate among the moves.
    pub requests_per_s: f64,
    /// The moves.
    pub moves: Vec<Moved>,
    /// Moves that are not listed.
    pub left_out: usize,
}

/// The largest moved groups by arm.
#[derive(Clone, Debug, Default)]
pub struct LargestMoves {
    /// Arms with a list: position and groups.
    pub arms: Vec<(usize, Vec<MovedGroup>)>,
    /// Arms whose listed moves are those of the baseline.
    pub like_baseline: Vec<usize>,
    /// Arms left out because there are too many.
    pub left_out: usize,
    /// Which replication.
    pub replication: u64,
}

impl LargestMoves {
    /// Reads the table of moves.
    ///
    /// # Errors
    /// Why there is nothing to tell.
    pub fn of(view: &RunView) -> Result<LargestMoves, Missing> {
        let rows = Rows::open(view, "moves")?;
        let replication = (0..rows.len()).map(|row| rows.replication(row)).min().unwrap_or(0);
        let mut out = LargestMoves { replication, ..LargestMoves::default() };
        for arm in 0..view.summary.arms.len() {
            let groups = groups(view, &rows, arm, replication, GROUPS_MAX[usize::from(arm > 0)])?;
            if groups.is_empty() {
                continue;
            }
            let baseline = out.arms.first().filter(|(first, _)| *first == 0);
            if baseline.is_some_and(|(_, first)| first.starts_with(&groups)) {
                out.like_baseline.push(arm);
            } else if out.arms.len() == ARMS_LISTED_MAX {
                out.left_out += 1;
            } else {
                out.arms.push((arm, groups));
            }
        }
        Ok(out)
    }
}

fn groups(
    view: &RunView,
    rows: &Rows<'_>,
    arm: usize,
    replication: u64,
    most: usize,
) -> Result<Vec<MovedGroup>, Missing> {
    let [groups, prefixes, causes, from, to, paths, reasons] =
        ["client_group", "prefix", "cause", "from", "to", "as_path", "reason"]
            .map(|column| rows.texts(column));
    let (groups, prefixes, causes, from, to) = (groups?, prefixes?, causes?, from?, to?);
    let (paths, reasons) = (paths?, reasons?);
    let rates = rows.numbers("requests_per_s")?;
    let mut by_group: BTreeMap<(&str, &str), (f64, Vec<usize>)> = BTreeMap::new();
    for row in 0..rows.len() {
        let rate = rates.at(row);
        let here = rows.arm(row) == Some(arm) && rows.replication(row) == replication;
        if here && rate >= 0.0 && rate.is_finite() && rows.time_s(row).is_finite() {
            let entry = by_group.entry((groups.at(row), prefixes.at(row))).or_default();
            entry.0 = entry.0.max(rate);
            entry.1.push(row);
        }
    }
    let mut ranked: Vec<((&str, &str), (f64, Vec<usize>))> = by_group.into_iter().collect();
    ranked.sort_by(|a, b| b.1.0.total_cmp(&a.1.0).then(a.0.cmp(&b.0)));
    ranked.truncate(most);
    let one = |row: usize| Moved {
        time_s: rows.time_s(row),
        cause: text::clean(causes.at(row)),
        from: place_name(view, from.at(row)),
        to: place_name(view, to.at(row)),
        requests_per_s: rates.at(row),
        path: path_words(paths.at(row)),
        reason: text::clean(reasons.at(row)).replacen(": taken: ", ": ", 1),
    };
    let group =
        |((name, prefix), (requests_per_s, mut list)): ((&str, &str), (f64, Vec<usize>))| {
            list.sort_by(|&a, &b| rows.time_s(a).total_cmp(&rows.time_s(b)).then(a.cmp(&b)));
            let left_out = list.len().saturating_sub(MOVES_MAX);
            list.truncate(MOVES_MAX);
            MovedGroup {
                name: text::clean(name),
                prefix: text::clean(prefix),
                requests_per_s,
                moves: list.into_iter().map(one).collect(),
                left_out,
            }
        };
    Ok(ranked.into_iter().map(group).collect())
}

/// `1004 → 100 → 200`; a network that puts itself in front again is counted: `100 ×3`.
fn path_words(path: &str) -> String {
    let mut hops: Vec<(String, usize)> = Vec::new();
    for hop in path.split_whitespace() {
        match hops.last_mut() {
            Some((last, times)) if last == hop => *times += 1,
            _ => hops.push((text::clean(hop), 1)),
        }
    }
    let shown = hops.iter().take(HOPS_MAX).map(|(hop, times)| match times {
        1 => hop.clone(),
        n => format!("{hop} ×{n}"),
    });
    let mut out = shown.collect::<Vec<_>>().join(" → ");
    if hops.len() > HOPS_MAX {
        out.push_str(&format!(" → {} more", hops.len() - HOPS_MAX));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_readable() {
        assert_eq!(path_words("1004 100 200"), "1004 → 100 → 200");
        assert_eq!(path_words("7 100 100 100 5"), "7 → 100 ×3 → 5");
        assert_eq!(path_words(""), "");
        let long: Vec<String> = (0..40).map(|asn| asn.to_string()).collect();
        assert!(path_words(&long.join(" ")).ends_with("23 → 16 more"));
    }
}
