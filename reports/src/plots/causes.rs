//! What traffic was lost to.

use super::bars::{self, Bar};
use super::timeline::Context;
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Ink, Pen};
use crate::number::{percent, quantity};
use crate::rows::{Missing, Rows};
use crate::text;
use crate::words;

/// Bits offered and lost by cause in one arm, mean over replications.
struct Lost {
    offered: f64,
    by_cause: Vec<f64>,
}

/// Lost traffic by cause over the whole run, one picture an arm.
///
/// # Errors
/// Why there is none.
pub fn lost_by_cause(context: &Context<'_>) -> Result<Plot, Missing> {
    let view = context.view;
    let rows = Rows::open(view, "totals")?;
    let arms: Vec<Lost> = gather(context, &rows)?;
    let any = |cause: usize| arms.iter().any(|arm| arm.by_cause[cause] > 0.0);
    let mut causes: Vec<usize> =
        (0..words::DROP_CAUSES.len()).filter(|&cause| any(cause)).collect();
    if causes.is_empty() {
        return Err(Missing("No traffic is lost in any arm.".to_owned()));
    }
    let worst = |cause: usize| arms.iter().map(|arm| share(arm, cause)).fold(0.0, f64::max);
    causes.sort_by(|&a, &b| worst(b).total_cmp(&worst(a)).then(a.cmp(&b)));
    let top = causes.iter().map(|&cause| worst(cause)).fold(0.0, f64::max);
    let several = view.summary.arms.len() > 1;
    let width = if several { HALF_PX } else { WIDE_PX };
    let pictures = (0..view.summary.arms.len().min(ARMS_MAX))
        .map(|arm| {
            let bar = |&cause: &usize| Bar {
                label: words::DROP_CAUSES[cause].1.to_owned(),
                parts: vec![(share(&arms[arm], cause), Ink::Lost)],
                words: percent(share(&arms[arm], cause)),
            };
            let list: Vec<Bar> = causes.iter().map(bar).collect();
            let (size, elements) =
                bars::draw(&list, width, (top, "%"), "share of the traffic offered");
            Picture {
                name: view.summary.arms[arm].arm.clone(),
                heading: if several { Heading::Arm(arm) } else { Heading::None },
                description: sentence(&arms[arm], &causes),
                size,
                elements,
                ground: None,
            }
        })
        .collect();
    let sentences = view
        .summary
        .arms
        .iter()
        .zip(&arms)
        .take(ARMS_MAX)
        .map(|(row, arm)| format!("{}: {}", text::clean(&row.arm), sentence(arm, &causes)));
    Ok(Plot {
        id: "loss-causes".to_owned(),
        title: "Lost traffic by cause".to_owned(),
        shows: if several {
            sentences.collect::<Vec<_>>().join(" ")
        } else {
            sentence(&arms[0], &causes)
        },
        how: "Shares of all traffic offered in the whole run, means over replications. Routing loop: \
              other networks send the traffic in a circle. Black hole: a network takes the traffic \
              and discards it. Hijacked: it ends at a network that is not ours. No route: nobody \
              carries it towards us. A limit on purpose: a policy polices a tenant.",
        legend: vec![LegendItem {
            swatches: vec![Swatch::Patch(Pen::line(Ink::Lost).opacity(0.4))],
            label: "lost".to_owned(),
        }],
        pictures,
        data: Some(grid(context, &arms, &causes)),
    })
}

fn gather(context: &Context<'_>, rows: &Rows<'_>) -> Result<Vec<Lost>, Missing> {
    let offered = rows.numbers("offered_bps")?;
    let mut columns = Vec::new();
    for (cause, _) in words::DROP_CAUSES {
        // Older directories know fewer causes.
        columns.push(rows.numbers(&format!("dropped_bps_{cause}")).ok());
    }
    if columns.iter().all(Option::is_none) {
        return Err(Missing("The table `totals` does not tell causes of loss.".to_owned()));
    }
    let widths = rows.numbers("bucket_s").ok();
    let empty = || Lost { offered: 0.0, by_cause: vec![0.0; columns.len()] };
    let mut arms: Vec<Lost> = context.view.summary.arms.iter().map(|_| empty()).collect();
    let finite = |value: f64| if value > 0.0 && value < 1e30 { value } else { 0.0 };
    for row in 0..rows.len() {
        let Some(arm) = rows.arm(row) else { continue };
        let width = widths.map_or(1.0, |widths| finite(widths.at(row)));
        arms[arm].offered += finite(offered.at(row)) * width;
        for (sum, column) in arms[arm].by_cause.iter_mut().zip(&columns) {
            *sum += column.map_or(0.0, |values| finite(values.at(row))) * width;
        }
    }
    Ok(arms)
}

fn share(arm: &Lost, cause: usize) -> f64 {
    if arm.offered > 0.0 { arm.by_cause[cause] / arm.offered } else { 0.0 }
}

fn sentence(arm: &Lost, causes: &[usize]) -> String {
    let lost = causes.iter().filter(|&&cause| arm.by_cause[cause] > 0.0);
    let parts: Vec<String> = lost
        .map(|&cause| format!("{} {}", words::DROP_CAUSES[cause].1, percent(share(arm, cause))))
        .collect();
    if parts.is_empty() { "nothing lost.".to_owned() } else { format!("{}.", parts.join(", ")) }
}

fn grid(context: &Context<'_>, arms: &[Lost], causes: &[usize]) -> Grid {
    let view = context.view;
    let mut head = vec!["cause".to_owned()];
    for arm in &view.summary.arms {
        let name = text::clean(&arm.arm);
        head.extend([format!("{name}, share"), format!("{name}, lost")]);
    }
    let runs = f64::from(view.summary.replications.max(1));
    let timed = Rows::open(view, "totals").is_ok_and(|rows| rows.numbers("bucket_s").is_ok());
    let rows = causes
        .iter()
        .map(|&cause| {
            let mut cells = vec![words::DROP_CAUSES[cause].1.to_owned()];
            for arm in arms {
                let lost = arm.by_cause[cause] / runs;
                let lost = if timed { quantity(lost, "bit") } else { "–".to_owned() };
                cells.extend([percent(share(arm, cause)), lost]);
            }
            cells
        })
        .collect();
    Grid { head, rows, word_columns: 1, note: String::new() }
}
