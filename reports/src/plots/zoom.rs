//! What was played request by request: latency, losses and servers of the colos that a scenario
//! zooms into.

use super::bars::{self, Bar};
use super::timeline::{Context, Curve, Spec, arm_ink, draw, zero_is_none};
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Dash, Ink, Pen};
use crate::number::{percent, quantity};
use crate::rows::{Cube, Missing, Rows, Spread};
use crate::text;

/// Colos with figures over time of their own: those with most requests.
const TIMED_MAX: usize = 2;
/// Colos in the figure of losses.
const COLOS_MAX: usize = 8;

/// Causes of loss among requests: column, and words for people.
const CAUSES: [(&str, &str); 5] = [
    ("dropped_requests_per_s_refused", "refused by a full queue"),
    ("dropped_requests_per_s_timed_out", "given up by clients"),
    ("dropped_requests_per_s_failed", "failed by servers"),
    ("dropped_requests_per_s_broken", "connection or server broke"),
    ("dropped_requests_per_s_no_server", "no server took it"),
];

/// All figures of zoomed colos; none where nothing was played request by request.
pub fn figures(context: &Context<'_>) -> Vec<Result<Plot, (&'static str, Missing)>> {
    let Ok(rows) = Rows::open(context.view, "zoom") else { return Vec::new() };
    let Ok(colos) = by_requests(&rows) else { return Vec::new() };
    let mut out = Vec::new();
    for (place, &colo) in colos.iter().take(TIMED_MAX).enumerate() {
        let missing = |title| move |why| (title, why);
        out.push(latency(context, &rows, (place, colo)).map_err(missing("Latency of requests")));
        out.push(servers(context, &rows, (place, colo)).map_err(missing("Load of servers")));
    }
    if !colos.is_empty() {
        out.push(losses(context, &rows, &colos).map_err(|why| ("Requests not answered", why)));
    }
    out
}

/// Positions of the colos in the dictionary, those with most requests first.
fn by_requests(rows: &Rows<'_>) -> Result<Vec<usize>, Missing> {
    let (names, offered) = (rows.texts("colo")?, rows.numbers("offered_requests_per_s")?);
    let mut sums = vec![0.0; names.dictionary.len()];
    for row in 0..rows.len() {
        let value = offered.at(row);
        if let (Some(colo), true) = (names.code(row), value > 0.0 && value < 1e30) {
            sums[colo] += value;
        }
    }
    let mut colos: Vec<usize> = (0..sums.len()).filter(|&colo| sums[colo] > 0.0).collect();
    colos.sort_by(|&a, &b| sums[b].total_cmp(&sums[a]).then(a.cmp(&b)));
    Ok(colos)
}

/// One spread an arm of a column of one colo.
fn spreads(
    context: &Context<'_>,
    rows: &Rows<'_>,
    colo: usize,
    column: &str,
) -> Result<Vec<Spread>, Missing> {
    let (names, values) = (rows.texts("colo")?, rows.numbers(column)?);
    let arms = context.view.summary.arms.len();
    let slot = |row| names.code(row).filter(|code| *code == colo).map(|_| 0);
    let cube = Cube::gather(rows, &context.buckets, (arms, 1), slot, |row| values.at(row));
    Ok((0..arms).map(|arm| cube.spread(arm, 0)).collect())
}

fn curve(label: &str, dash: Dash, width: u32, spreads: Vec<Spread>) -> Curve {
    Curve {
        label: label.to_owned(),
        ink: arm_ink,
        pen: Pen::line(Ink::Arm(0)).dashed(dash).width(width),
        band: true,
        filled: false,
        end_label: false,
        spreads,
    }
}

fn latency(
    context: &Context<'_>,
    rows: &Rows<'_>,
    (place, colo): (usize, usize),
) -> Result<Plot, Missing> {
    let name = text::clean(&rows.texts("colo")?.dictionary[colo]);
    let get = |column| spreads(context, rows, colo, column).map(zero_is_none);
    let curves = vec![
        curve("median", Dash::Solid, 20, get("latency_ms_p50")?),
        curve("95th percentile", Dash::Long, 16, get("latency_ms_p95")?),
        curve("99th percentile", Dash::Short, 14, get("latency_ms_p99")?),
    ];
    let worst = curves[2].spreads.iter().map(Spread::peak).fold(0.0, f64::max);
    if worst <= 0.0 {
        return Err(Missing(format!("No request was answered at {name}.")));
    }
    Ok(draw(
        context,
        Spec {
            id: format!("zoom-latency-{place}"),
            title: format!("Latency of requests at {name}, one by one"),
            shows: format!("The 99th percentile peaks at {}.", quantity(worst, "ms")),
            how: "Every request of this colo is an event of its own: percentiles are counted, not \
              computed. Lines are means over replications, shades run from the smallest to the largest \
              replication. Gaps are times that are not played request by request.",
            caption: "latency",
            unit: "ms",
            curves,
            level: None,
        },
    ))
}

fn servers(
    context: &Context<'_>,
    rows: &Rows<'_>,
    (place, colo): (usize, usize),
) -> Result<Plot, Missing> {
    let name = text::clean(&rows.texts("colo")?.dictionary[colo]);
    let get = |column| spreads(context, rows, colo, column);
    let curves = vec![
        curve("mean of servers", Dash::Solid, 20, get("server_utilisation_mean")?),
        curve("busiest server", Dash::Short, 14, get("server_utilisation_max")?),
    ];
    let peak = |curve: &Curve| curve.spreads.iter().map(Spread::peak).fold(0.0, f64::max);
    let (mean, busiest) = (peak(&curves[0]), peak(&curves[1]));
    if busiest <= 0.0 {
        return Err(Missing(format!("No server works at {name}.")));
    }
    Ok(draw(
        context,
        Spec {
            id: format!("zoom-servers-{place}"),
            title: format!("Load of servers at {name}"),
            shows: format!(
                "The mean of the servers peaks at {}, the busiest one at {}.",
                percent(mean),
                percent(busiest)
            ),
            how: "How evenly the balancer spreads: the closer the two lines, the better. The mean is work \
              done over what the servers in service could do; the busiest is the share of its time in \
              which that server worked. The shorter the bucket, the further apart they are by chance.",
            caption: "server utilisation",
            unit: "%",
            curves,
            level: None,
        },
    ))
}

/// Requests offered and lost by cause of one colo and arm.
#[derive(Clone, Default)]
struct Lost {
    offered: f64,
    by_cause: [f64; CAUSES.len()],
}

impl Lost {
    fn share(&self, cause: usize) -> f64 {
        if self.offered > 0.0 { self.by_cause[cause] / self.offered } else { 0.0 }
    }

    fn total(&self) -> f64 {
        (0..CAUSES.len()).map(|cause| self.share(cause)).sum()
    }
}

fn losses(context: &Context<'_>, rows: &Rows<'_>, colos: &[usize]) -> Result<Plot, Missing> {
    let arms = &context.view.summary.arms;
    let names = rows.texts("colo")?;
    let shown = &colos[..colos.len().min(COLOS_MAX)];
    let lost = gather(rows, (arms.len(), shown))?;
    let of = |arm: usize, place: usize| &lost[arm * shown.len() + place];
    let top = lost.iter().map(Lost::total).fold(0.0, f64::max);
    if top <= 0.0 {
        return Err(Missing("Every request was answered.".to_owned()));
    }
    let causes: Vec<usize> = (0..CAUSES.len())
        .filter(|&cause| lost.iter().any(|lost| lost.share(cause) > 0.0))
        .collect();
    let width = if arms.len() > 1 { HALF_PX } else { WIDE_PX };
    let sentence = |arm: usize| {
        let parts: Vec<String> = shown
            .iter()
            .enumerate()
            .map(|(place, &colo)| {
                let name = text::clean(&names.dictionary[colo]);
                format!("{name} {}", percent(of(arm, place).total()))
            })
            .collect();
        format!("{}: {}.", text::clean(&arms[arm].arm), parts.join(", "))
    };
    let pictures = (0..arms.len().min(ARMS_MAX)).map(|arm| {
        let bar = |(place, &colo): (usize, &usize)| Bar {
            label: text::clean(&names.dictionary[colo]),
            parts: causes.iter().map(|&c| (of(arm, place).share(c), Ink::Line(c))).collect(),
            words: percent(of(arm, place).total()),
        };
        let list: Vec<Bar> = shown.iter().enumerate().map(bar).collect();
        let (size, elements) = bars::draw(&list, width, (top, "%"), "share of requests offered");
        Picture {
            name: arms[arm].arm.clone(),
            heading: if arms.len() > 1 { Heading::Arm(arm) } else { Heading::None },
            description: sentence(arm),
            size,
            elements,
            ground: None,
        }
    });
    let swatch = |&cause: &usize| LegendItem {
        swatches: vec![Swatch::Patch(Pen::line(Ink::Line(cause)).opacity(0.75))],
        label: CAUSES[cause].1.to_owned(),
    };
    let mut head = ["colo", "arm", "not answered"].map(str::to_owned).to_vec();
    head.extend(causes.iter().map(|&cause| CAUSES[cause].1.to_owned()));
    let mut cells = Vec::new();
    for (place, &colo) in shown.iter().enumerate() {
        for (arm, of_arm) in arms.iter().enumerate().take(ARMS_MAX) {
            let lost = of(arm, place);
            let names = [&names.dictionary[colo], &of_arm.arm].map(|name| text::clean(name));
            let mut row = names.to_vec();
            row.push(percent(lost.total()));
            row.extend(causes.iter().map(|&cause| percent(lost.share(cause))));
            cells.push(row);
        }
    }
    Ok(Plot {
        id: "zoom-losses".to_owned(),
        title: "Requests not answered, one by one".to_owned(),
        shows: (0..arms.len().min(ARMS_MAX)).map(sentence).collect::<Vec<_>>().join(" "),
        how: "Share of the requests that arrived while the colo was played request by request, means over \
              replications. The parts of a bar are causes, in the order of the legend.",
        legend: causes.iter().map(swatch).collect(),
        pictures: pictures.collect(),
        data: Some(Grid { head, rows: cells, word_columns: 2, note: String::new() }),
    })
}

fn gather(rows: &Rows<'_>, (arms, shown): (usize, &[usize])) -> Result<Vec<Lost>, Missing> {
    let names = rows.texts("colo")?;
    let offered = rows.numbers("offered_requests_per_s")?;
    let widths = rows.numbers("zoom_s").ok();
    let mut columns = Vec::new();
    for (column, _) in CAUSES {
        columns.push(rows.numbers(column)?);
    }
    let mut lost = vec![Lost::default(); arms * shown.len()];
    let finite = |value: f64| if value > 0.0 && value < 1e30 { value } else { 0.0 };
    for row in 0..rows.len() {
        let place = names.code(row).and_then(|code| shown.iter().position(|colo| *colo == code));
        let (Some(arm), Some(place)) = (rows.arm(row), place) else { continue };
        let width = widths.map_or(1.0, |widths| finite(widths.at(row)));
        let into = &mut lost[arm * shown.len() + place];
        into.offered += finite(offered.at(row)) * width;
        for (sum, column) in into.by_cause.iter_mut().zip(&columns) {
            *sum += finite(column.at(row)) * width;
        }
    }
    Ok(lost)
}
