//! What links with a price cost.

use super::bars::{self, Bar};
use super::timeline::Context;
use super::{ARMS_MAX, Grid, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Ink, LINE_INKS, Pen};
use crate::number::{number, quantity};
use crate::text;
use steerlab_results::summary::ArmSummary;

/// Links in the table.
const ROWS_MAX: usize = 24;

/// Mean of a metric of one link; none where it has none.
fn of_link(arm: &ArmSummary, metric: &str, link: &str) -> Option<f64> {
    let found = arm.metrics.iter().find(|value| {
        let [(label, id)] = value.labels.as_slice() else { return false };
        value.metric == metric && label == "link" && id == link
    })?;
    Some(found.mean).filter(|mean| mean.is_finite())
}

/// Cost by link and arm; none where no link has a price.
pub fn cost(context: &Context<'_>) -> Option<Plot> {
    let arms = &context.view.summary.arms;
    let mut links: Vec<&str> = Vec::new();
    for value in arms.iter().flat_map(|arm| &arm.metrics) {
        if let ("cost_p95", [(label, link)]) = (value.metric.as_str(), value.labels.as_slice())
            && label == "link"
        {
            links.push(link);
        }
    }
    links.sort_unstable();
    links.dedup();
    let cost =
        |arm: usize, link: &str| of_link(&arms[arm], "cost_p95", link).unwrap_or(0.0).max(0.0);
    let worst = |link: &str| (0..arms.len()).map(|arm| cost(arm, link)).fold(0.0, f64::max);
    links.retain(|link| worst(link) > 0.0);
    links.sort_by(|a, b| worst(b).total_cmp(&worst(a)).then(a.cmp(b)));
    if links.is_empty() {
        return None;
    }
    let total = |arm: usize| -> f64 { links.iter().map(|link| cost(arm, link)).sum() };
    let shown = arms.len().min(ARMS_MAX);
    let (named, others) = links.split_at(links.len().min(LINE_INKS));
    let bar = |arm: usize| {
        let mut parts: Vec<(f64, Ink)> = named
            .iter()
            .enumerate()
            .map(|(place, link)| (cost(arm, link), Ink::Line(place)))
            .collect();
        parts.push((others.iter().map(|link| cost(arm, link)).sum(), Ink::Axis));
        Bar { label: text::clean(&arms[arm].arm), parts, words: number(total(arm)) }
    };
    let list: Vec<Bar> = (0..shown).map(bar).collect();
    let top = (0..arms.len()).map(total).fold(0.0, f64::max);
    let (size, elements) =
        bars::draw(&list, WIDE_PX, (top, ""), "cost, in the currency of the prices");
    let sentences: Vec<String> =
        list.iter().map(|bar| format!("{} costs {}", bar.label, bar.words)).collect();
    let shows = format!("{}.", sentences.join(", "));
    let patch = |ink| vec![Swatch::Patch(Pen::line(ink).opacity(0.75))];
    let mut legend: Vec<LegendItem> = named
        .iter()
        .enumerate()
        .map(|(place, link)| LegendItem {
            swatches: patch(Ink::Line(place)),
            label: text::clean(link),
        })
        .collect();
    if !others.is_empty() {
        let label = text::count(others.len(), "other link");
        legend.push(LegendItem { swatches: patch(Ink::Axis), label });
    }
    Some(Plot {
        id: "cost".to_owned(),
        title: "What links cost".to_owned(),
        shows: shows.clone(),
        how: "Links with a price are billed at a percentile of their five-minute rates (the 95th unless \
              the scenario says otherwise), of which each is the larger of both directions. A run is one \
              billing period. Means over replications. The parts of a bar are links, in the order of \
              the legend.",
        legend,
        pictures: vec![Picture {
            name: String::new(),
            heading: Heading::None,
            description: shows,
            size,
            elements,
            ground: None,
        }],
        data: Some(grid(arms, &links)),
    })
}

fn grid(arms: &[ArmSummary], links: &[&str]) -> Grid {
    let mut head = vec!["link".to_owned()];
    for arm in arms.iter().take(ARMS_MAX) {
        let name = text::shorten(&text::clean(&arm.arm), 24);
        head.extend([format!("{name}, billed"), format!("{name}, cost")]);
    }
    let row = |link: &&str| {
        let mut cells = vec![text::clean(link)];
        for arm in arms.iter().take(ARMS_MAX) {
            let of = |metric| of_link(arm, metric, link);
            cells.push(of("billed_bps").map_or("–".to_owned(), |bps| quantity(bps, "bit/s")));
            cells.push(of("cost_p95").map_or("–".to_owned(), number));
        }
        cells
    };
    let rows = links.iter().take(ROWS_MAX).map(row).collect();
    let left_out = links.len().saturating_sub(ROWS_MAX);
    let note = match left_out {
        0 => String::new(),
        n => format!("{} left out, the cheapest; all are in the summary.", text::count(n, "link")),
    };
    Grid { head, rows, word_columns: 1, note }
}
