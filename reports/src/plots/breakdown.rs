//! What latency is made of, in every arm and at the sites where it is longest.

use super::bars::{self, Bar};
use super::timeline::Context;
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Ink, Pen};
use crate::number::quantity;
use crate::rows::{Missing, Numbers, Rows};
use crate::text;

/// Parts of latency: column, and words for people.
const PARTS: [(&str, &str); 5] = [
    ("latency_setup_ms_mean", "connection set-up"),
    ("latency_propagation_ms_mean", "propagation"),
    ("latency_link_queue_ms_mean", "queues of links"),
    ("latency_service_ms_mean", "service"),
    ("latency_origin_ms_mean", "origin"),
];

/// Sites that are shown.
const SITES_MAX: usize = 8;

/// Milliseconds times requests by part, and the requests.
#[derive(Clone, Default)]
struct Sum {
    requests: f64,
    parts: [f64; PARTS.len()],
}

impl Sum {
    fn add(&mut self, requests: f64, parts: [f64; PARTS.len()]) {
        let known = requests > 0.0 && requests < 1e30 && parts.iter().any(|ms| ms.is_finite());
        if known {
            self.requests += requests;
            for (sum, ms) in self.parts.iter_mut().zip(parts) {
                *sum += requests * if ms.is_finite() { ms.max(0.0) } else { 0.0 };
            }
        }
    }

    /// Mean of a part, ms; 0 without requests.
    fn mean(&self, part: usize) -> f64 {
        if self.requests > 0.0 { self.parts[part] / self.requests } else { 0.0 }
    }

    fn total(&self) -> f64 {
        (0..PARTS.len()).map(|part| self.mean(part)).sum()
    }
}

/// Mean latency by what it is made of.
///
/// # Errors
/// Why there is none.
pub fn latency_parts(context: &Context<'_>) -> Result<Plot, Missing> {
    let view = context.view;
    let arms = &view.summary.arms;
    let rows = Rows::open(view, "totals")?;
    let all = gather(&rows, "served_requests_per_s", (arms.len(), 1), |_| Some(0))?;
    if all.iter().all(|sum| sum.total() <= 0.0) {
        return Err(Missing("No requests were served, so there is no latency.".to_owned()));
    }
    let sites = worst_sites(context).unwrap_or_default();
    let shown: Vec<usize> = (0..PARTS.len())
        .filter(|&part| {
            let sums = || all.iter().chain(sites.iter().flat_map(|(_, sums)| sums));
            sums().any(|sum| sum.mean(part) > 0.0)
        })
        .collect();
    let mut pictures = vec![of_arms(context, &all, &shown)];
    if !sites.is_empty() {
        let top = sites.iter().flat_map(|(_, sums)| sums).map(Sum::total).fold(0.0, f64::max);
        pictures.extend(
            (0..arms.len().min(ARMS_MAX)).map(|arm| of_sites(context, &sites, arm, top, &shown)),
        );
    }
    let swatch = |&part: &usize| LegendItem {
        swatches: vec![Swatch::Patch(Pen::line(Ink::Line(part)).opacity(0.75))],
        label: PARTS[part].1.to_owned(),
    };
    Ok(Plot {
        id: "latency-parts".to_owned(),
        title: "What latency is made of".to_owned(),
        shows: sentence(context, &all),
        how: "Means over all requests served in the whole run, all replications together. The parts of a \
              bar stand in the order of the legend. Connection set-up is round trips before the first \
              byte of the request can go; propagation is the way of request and answer; queues of links \
              are waiting in buffers of our links; service is waiting for servers and being served; \
              origin is fetching what was not in a cache. Below are the sites with the longest mean.",
        legend: shown.iter().map(swatch).collect(),
        pictures,
        data: Some(grid(context, &all, &sites)),
    })
}

/// One sum an arm and slot, slots of an arm together.
fn gather(
    rows: &Rows<'_>,
    requests: &str,
    (arms, slots): (usize, usize),
    slot: impl Fn(usize) -> Option<usize>,
) -> Result<Vec<Sum>, Missing> {
    let requests = rows.numbers(requests)?;
    let mut columns: Vec<Numbers<'_>> = Vec::new();
    for (column, _) in PARTS {
        columns.push(rows.numbers(column)?);
    }
    let widths = rows.numbers("bucket_s").ok();
    let mut out = vec![Sum::default(); arms * slots];
    for row in 0..rows.len() {
        let (Some(arm), Some(slot)) = (rows.arm(row), slot(row)) else { continue };
        let width = widths.map_or(1.0, |widths| widths.at(row));
        let mut parts = [f64::NAN; PARTS.len()];
        parts.iter_mut().zip(&columns).for_each(|(part, column)| *part = column.at(row));
        out[arm * slots + slot].add(requests.at(row) * width, parts);
    }
    Ok(out)
}

/// Name and sums by arm of the sites with the longest latency in any arm; fewer than two say no more
/// than the arms do.
fn worst_sites(context: &Context<'_>) -> Option<Vec<(String, Vec<Sum>)>> {
    let rows = Rows::open(context.view, "sites").ok()?;
    let names = rows.texts("site").ok()?;
    let (arms, sites) = (context.view.summary.arms.len(), names.dictionary.len());
    let shape = (arms, sites);
    let sums = gather(&rows, "answered_requests_per_s", shape, |row| names.code(row)).ok()?;
    let mut ranked: Vec<(f64, usize)> = (0..sites)
        .map(|site| {
            let totals = (0..arms).map(|arm| sums[arm * sites + site].total());
            (totals.fold(0.0, f64::max), site)
        })
        .filter(|(total, _)| *total > 0.0)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(SITES_MAX);
    let list = ranked.iter().map(|&(_, site)| {
        let of_arms = (0..arms).map(|arm| sums[arm * sites + site].clone()).collect();
        (text::clean(&names.dictionary[site]), of_arms)
    });
    (ranked.len() > 1).then(|| list.collect())
}

fn bar(label: String, sum: &Sum, shown: &[usize]) -> Bar {
    let parts = shown.iter().map(|&part| (sum.mean(part), Ink::Line(part))).collect();
    let words =
        if sum.requests > 0.0 { quantity(sum.total(), "ms") } else { "no requests".to_owned() };
    Bar { label, parts, words }
}

fn of_arms(context: &Context<'_>, all: &[Sum], shown: &[usize]) -> Picture {
    let arms = &context.view.summary.arms;
    let list: Vec<Bar> =
        arms.iter().zip(all).map(|(arm, sum)| bar(text::clean(&arm.arm), sum, shown)).collect();
    let top = all.iter().map(Sum::total).fold(0.0, f64::max);
    let width = if arms.len() > 1 { HALF_PX } else { WIDE_PX };
    let (size, elements) = bars::draw(&list, width, (top, "ms"), "mean latency");
    Picture {
        name: "all".to_owned(),
        heading: Heading::Words("All requests".to_owned()),
        description: sentence(context, all),
        size,
        elements,
        ground: None,
    }
}

fn of_sites(
    context: &Context<'_>,
    sites: &[(String, Vec<Sum>)],
    arm: usize,
    top: f64,
    shown: &[usize],
) -> Picture {
    let arms = &context.view.summary.arms;
    let list: Vec<Bar> =
        sites.iter().map(|(site, sums)| bar(site.clone(), &sums[arm], shown)).collect();
    let width = if arms.len() > 1 { HALF_PX } else { WIDE_PX };
    let (size, elements) = bars::draw(&list, width, (top, "ms"), "mean latency");
    let words: Vec<String> =
        list.iter().map(|bar| format!("{} {}", bar.label, bar.words)).collect();
    let heading = if arms.len() > 1 {
        Heading::Arm(arm)
    } else {
        Heading::Words("Sites with the longest latency".to_owned())
    };
    let name = format!("sites-{}", arms[arm].arm);
    let description = format!("Sites: {}.", words.join(", "));
    Picture { name, heading, description, size, elements, ground: None }
}

/// Mean and largest part of each arm.
fn sentence(context: &Context<'_>, all: &[Sum]) -> String {
    let arms = &context.view.summary.arms;
    let words: Vec<String> = arms
        .iter()
        .zip(all)
        .take(ARMS_MAX)
        .filter(|(_, sum)| sum.total() > 0.0)
        .map(|(arm, sum)| {
            let largest = (0..PARTS.len())
                .max_by(|&a, &b| sum.mean(a).total_cmp(&sum.mean(b)).then(b.cmp(&a)));
            let largest = largest.expect("there are parts");
            format!(
                "{}: mean {}, most of it {} ({}).",
                text::clean(&arm.arm),
                quantity(sum.total(), "ms"),
                PARTS[largest].1,
                quantity(sum.mean(largest), "ms")
            )
        })
        .collect();
    words.join(" ")
}

fn grid(context: &Context<'_>, all: &[Sum], sites: &[(String, Vec<Sum>)]) -> Grid {
    let arms = &context.view.summary.arms;
    let mut head = vec!["where".to_owned(), "arm".to_owned(), "mean".to_owned()];
    head.extend(PARTS.iter().map(|(_, words)| (*words).to_owned()));
    let row = |place: &str, arm: usize, sum: &Sum| {
        let mut cells = vec![place.to_owned(), text::clean(&arms[arm].arm)];
        if sum.requests > 0.0 {
            cells.push(quantity(sum.total(), "ms"));
            cells.extend((0..PARTS.len()).map(|part| quantity(sum.mean(part), "ms")));
        } else {
            cells.extend(vec!["–".to_owned(); PARTS.len() + 1]);
        }
        cells
    };
    let shown = arms.len().min(ARMS_MAX);
    let mut rows: Vec<Vec<String>> =
        (0..shown).map(|arm| row("all requests", arm, &all[arm])).collect();
    for (site, sums) in sites {
        rows.extend((0..shown).map(|arm| row(site, arm, &sums[arm])));
    }
    Grid { head, rows, word_columns: 2, note: String::new() }
}
