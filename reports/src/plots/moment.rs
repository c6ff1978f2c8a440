//! What the tables say of one moment.

use super::timeline::Context;
use crate::rows::{Cube, Missing, Rows};
use crate::text;
use std::collections::BTreeMap;
use steerlab_results::view::RunView;

/// What a site did at the moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SiteNow {
    /// CPU utilisation.
    pub load: f64,
    /// Requests or bits per second: only compared with other sites.
    pub size: f64,
    /// Whether it is down.
    pub down: bool,
    /// Whether the tables know it.
    pub known: bool,
}

/// What a link did at the moment, worse direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkNow {
    /// Utilisation.
    pub load: f64,
    /// Lost in both directions, bit/s.
    pub dropped_bps: f64,
    /// Whether a direction has no capacity.
    pub down: bool,
}

/// One arm at the moment, means over replications.
#[derive(Clone, Debug, Default)]
pub struct Now {
    /// By site.
    pub sites: Vec<SiteNow>,
    /// By link.
    pub links: Vec<LinkNow>,
    /// Lost bit/s by client group.
    pub lost_bps: Vec<f64>,
    /// Lost and offered bit/s of all.
    pub total: (f64, f64),
}

/// The bucket with the largest loss of any arm, or else with the largest offered traffic.
///
/// # Errors
/// If the totals do not say.
pub fn moment(context: &Context<'_>) -> Result<(f64, String), Missing> {
    let rows = Rows::open(context.view, "totals")?;
    let arms = &context.view.summary.arms;
    // What a policy drops on purpose is not what went wrong.
    let policed = rows.numbers("dropped_bps_policed").ok();
    let on_purpose = |row| policed.as_ref().map_or(0.0, |values| values.at(row));
    let peak = |column: &str, wanted: bool| -> Result<(f64, f64, usize), Missing> {
        let values = rows.numbers(column)?;
        let size = (arms.len(), 1);
        let value = |row| if wanted { values.at(row) } else { values.at(row) - on_purpose(row) };
        let cube = Cube::gather(&rows, &context.buckets, size, |_| Some(0), value);
        let mut best = (0.0, context.buckets[0], 0);
        for arm in 0..arms.len() {
            let spread = cube.spread(arm, 0);
            for (&time, &value) in context.buckets.iter().zip(&spread.mean) {
                if value > best.0 {
                    best = (value, time, arm);
                }
            }
        }
        Ok(best)
    };
    if context.buckets.is_empty() {
        return Err(Missing("The table `totals` has no rows with a time.".to_owned()));
    }
    let (lost, time, arm) = peak("dropped_bps", false)?;
    if lost > 0.0 {
        let words = if arms.len() > 1 {
            format!(
                "the bucket of the largest loss that no limit asked for, under {}.",
                text::clean(&arms[arm].arm)
            )
        } else {
            "the bucket of the largest loss.".to_owned()
        };
        return Ok((time, words));
    }
    let (_, time, _) = peak("offered_bps", true)?;
    Ok((time, "the bucket with the most offered traffic, as nothing is lost.".to_owned()))
}

/// Gathers what the tables say of an arm at a moment; what they do not say stays empty.
#[must_use]
pub fn now(view: &RunView, arm: usize, moment: f64) -> Now {
    let network = &view.scenario.network;
    let mut now = Now {
        sites: vec![SiteNow::default(); network.sites.len()],
        links: vec![LinkNow::default(); network.links.len()],
        lost_bps: vec![0.0; view.scenario.client_groups.len()],
        total: (0.0, 0.0),
    };
    let sites = index(network.sites.rows().iter().map(|site| site.id.as_str()));
    let links = index(network.links.rows().iter().map(|link| link.id.as_str()));
    let groups = index(view.scenario.client_groups.rows().iter().map(|group| group.id.as_str()));
    let mean = |table, key, column: &str| means(view, table, key, column, (arm, moment));
    for (id, load) in mean("sites", "site", "cpu_utilisation_max") {
        if let Some(&site) = sites.get(id) {
            now.sites[site].load = load;
            now.sites[site].known = true;
        }
    }
    let mut sizes = mean("sites", "site", "landed_requests_per_s");
    if sizes.iter().all(|(_, size)| *size <= 0.0) {
        sizes = mean("sites", "site", "egress_bps");
    }
    for (id, size) in sizes {
        sites.get(id).into_iter().for_each(|&site| now.sites[site].size = size);
    }
    for (id, up) in mean("sites", "site", "up") {
        sites.get(id).into_iter().for_each(|&site| now.sites[site].down = up < 0.5);
    }
    // What reaches a link, not what routing places on it: a link behind a bottleneck is not full.
    // The three columns have the same rows, so their means come in the same order.
    let carried = mean("links", "link", "carried_bps");
    let dropped = mean("links", "link", "dropped_bps");
    let capacity = mean("links", "link", "capacity_bps");
    for (((id, carried), (_, dropped)), (_, capacity)) in
        carried.iter().zip(&dropped).zip(&capacity)
    {
        if let (Some(&link), true) = (links.get(id), *capacity > 0.0) {
            now.links[link].load = now.links[link].load.max((carried + dropped) / capacity);
        }
    }
    for (id, dropped) in dropped {
        links.get(id).into_iter().for_each(|&link| now.links[link].dropped_bps += dropped);
    }
    for (id, capacity) in capacity {
        links.get(id).into_iter().for_each(|&link| now.links[link].down |= capacity <= 0.0);
    }
    for (id, lost) in mean("client_groups", "client_group", "dropped_bps") {
        groups.get(id).into_iter().for_each(|&group| now.lost_bps[group] = lost);
    }
    let total = |column| mean("totals", "arm", column).first().map_or(0.0, |(_, value)| *value);
    now.total = (total("dropped_bps"), total("offered_bps"));
    now
}

fn index<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    ids.enumerate().map(|(position, id)| (id, position)).collect()
}

/// Means over replications of a column by key (and direction), in the bucket that holds the
/// moment; empty where the table does not say.
fn means<'a>(
    view: &'a RunView,
    table: &str,
    key: &str,
    column: &str,
    (arm, moment): (usize, f64),
) -> Vec<(&'a str, f64)> {
    let read = || -> Result<Vec<(&'a str, f64)>, Missing> {
        let rows = Rows::open(view, table)?;
        let (keys, values) = (rows.texts(key)?, rows.numbers(column)?);
        let directions = rows.texts("direction").ok();
        let buckets = rows.buckets()?;
        let bucket = buckets.iter().rev().find(|start| **start <= moment).copied();
        let mut sums: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
        for row in 0..rows.len() {
            if rows.arm(row) != Some(arm) || Some(rows.time_s(row)) != bucket {
                continue;
            }
            let direction = directions.and_then(|texts| texts.code(row)).unwrap_or(0);
            if let (Some(key), true) = (keys.code(row), values.at(row).is_finite()) {
                let sum = sums.entry((key, direction)).or_default();
                *sum = (sum.0 + values.at(row), sum.1 + 1.0);
            }
        }
        let mean = |((key, _), (sum, n)): ((usize, usize), (f64, f64))| {
            (keys.dictionary[key].as_str(), sum / n)
        };
        Ok(sums.into_iter().map(mean).collect())
    };
    read().unwrap_or_default()
}
