//! Churn as bars and as tables.

use super::episodes::{ArmChurn, Churn, Episode};
use super::lost::ROUTING_LOSSES;
use crate::figure::{Ink, Pen};
use crate::number::{duration, number, quantity};
use crate::plots::axis::TimeScale;
use crate::plots::bars::{Bar, draw};
use crate::plots::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::rows::Missing;
use crate::text;
use crate::words;
use steerlab_results::view::RunView;

const UNIT: &str = "requests/s";

/// Users moved by cause, one picture an arm.
///
/// # Errors
/// Why there is none.
pub fn moved_by_cause(view: &RunView, churn: &Churn) -> Result<Plot, Missing> {
    let all = || churn.arms.iter().flat_map(|arm| &arm.episodes);
    let top = all().map(|row| row.moved).fold(0.0, f64::max);
    if top <= 0.0 {
        return Err(Missing("No move of a group with requests is listed.".to_owned()));
    }
    let several = view.summary.arms.len() > 1;
    let like_baseline = |arm: usize| arm > 0 && churn.arms[arm] == churn.arms[0];
    let shown: Vec<usize> = (0..churn.arms.len())
        .filter(|&arm| !churn.arms[arm].episodes.is_empty() && !like_baseline(arm))
        .take(ARMS_MAX)
        .collect();
    let width = if shown.len() > 1 { HALF_PX } else { WIDE_PX };
    let pictures = shown
        .iter()
        .map(|&arm| {
            let bars: Vec<Bar> = churn.arms[arm].episodes.iter().map(|row| bar(row, arm)).collect();
            let (size, elements) = draw(&bars, width, (top, UNIT), "users moved");
            Picture {
                name: view.summary.arms[arm].arm.clone(),
                heading: if several { Heading::Arm(arm) } else { Heading::None },
                description: sentence(&churn.arms[arm]),
                size,
                elements,
                ground: None,
            }
        })
        .collect();
    let swatches = shown.iter().take(crate::figure::ARM_INKS);
    Ok(Plot {
        id: "churn".to_owned(),
        title: "Users moved by each cause".to_owned(),
        shows: shows(view, churn),
        how: "A bar is the rate of requests whose landing site changed after a cause, mean over \
              replications; a group that moves twice counts twice. The part with the broken outline \
              landed nowhere from then on. The table of moves lists the ten \
              largest groups of an instant; where more moved, causes share the total of the bucket in \
              proportion to what is listed.",
        legend: vec![
            LegendItem {
                swatches: swatches
                    .map(|&arm| Swatch::Patch(Pen::line(Ink::Arm(arm)).opacity(0.75)))
                    .collect(),
                label: "to another site".to_owned(),
            },
            LegendItem {
                swatches: vec![Swatch::Patch(Pen::line(Ink::Lost).opacity(0.4))],
                label: "into loss".to_owned(),
            },
        ],
        pictures,
        data: Some(flows(view, churn)),
    })
}

fn bar(row: &Episode, arm: usize) -> Bar {
    let lost = row.into_loss.min(row.moved);
    Bar {
        label: row.short.clone(),
        parts: vec![(row.moved - lost, Ink::Arm(arm)), (lost, Ink::Lost)],
        words: number(row.moved),
    }
}

/// All users moved in an arm.
fn total(arm: &ArmChurn) -> f64 {
    arm.episodes.iter().map(|row| row.moved).sum::<f64>() + arm.left_out.1 + arm.elsewhere
}

fn sentence(arm: &ArmChurn) -> String {
    let Some(most) = arm.episodes.iter().max_by(|a, b| a.moved.total_cmp(&b.moved)) else {
        return "Nobody moved for a listed cause.".to_owned();
    };
    let all = total(arm);
    format!(
        "{} moved, the largest part ({}) after: {}.",
        quantity(all, UNIT),
        number(most.moved),
        most.what
    )
}

fn shows(view: &RunView, churn: &Churn) -> String {
    let arms = view.summary.arms.iter().zip(&churn.arms).take(ARMS_MAX);
    let parts: Vec<String> = arms
        .enumerate()
        .map(|(index, (row, arm))| {
            let name = text::clean(&row.arm);
            match index {
                _ if churn.arms.len() == 1 => sentence(arm),
                0 => format!("{name}: {}", sentence(arm)),
                _ if *arm == churn.arms[0] => format!("{name}: the same."),
                _ => format!("{name}: {}", sentence(arm)),
            }
        })
        .collect();
    parts.join(" ")
}

/// From where to where, by arm and cause.
fn flows(view: &RunView, churn: &Churn) -> Grid {
    let mut rows = Vec::new();
    for (summary, arm) in view.summary.arms.iter().zip(&churn.arms).take(ARMS_MAX) {
        for row in &arm.episodes {
            for (from, to, rate) in &row.flows {
                let name = text::clean(&summary.arm);
                rows.push(vec![
                    name,
                    row.what.clone(),
                    from.clone(),
                    to.clone(),
                    quantity(*rate, UNIT),
                ]);
            }
        }
    }
    rows.truncate(120);
    Grid {
        head: ["arm", "cause", "from", "to", "moved"].map(str::to_owned).to_vec(),
        rows,
        word_columns: 4,
        note: "The largest pairs of each cause.".to_owned(),
    }
}

/// The causes of one arm, with what was lost.
#[must_use]
pub fn table(churn: &Churn, arm: usize, scale: &TimeScale) -> Grid {
    let lossy = |cause: &usize| {
        churn.arms.iter().flat_map(|arm| &arm.episodes).any(|row| row.lost_bits[*cause] > 0.0)
    };
    let losses: Vec<usize> = (0..ROUTING_LOSSES.len()).filter(lossy).collect();
    let mut head =
        ["when", "what happened", "from → to", "moved", "first to last move", "done after"]
            .map(str::to_owned)
            .to_vec();
    for &cause in &losses {
        head.push(format!("lost: {}", words::drop_cause(ROUTING_LOSSES[cause]).unwrap_or("")));
    }
    let arm = &churn.arms[arm];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in &arm.episodes {
        let times =
            if row.times > 1.0 { format!(" ({} times)", number(row.times)) } else { String::new() };
        let mut cells = vec![
            scale.instant(row.start_s),
            format!("{}{times}", row.what),
            pairs(row),
            quantity(row.moved, UNIT),
            span(row.moving_s),
            span(row.lasted_s),
        ];
        cells.extend(losses.iter().map(|&cause| match row.lost_bits[cause] {
            bits if bits > 0.0 => quantity(bits, "bit"),
            _ => "–".to_owned(),
        }));
        rows.push(cells);
    }
    let mut other = |what: String, moved: f64| {
        let mut cells = vec![
            "–".to_owned(),
            what,
            "–".to_owned(),
            quantity(moved, UNIT),
            "–".to_owned(),
            "–".to_owned(),
        ];
        cells.extend(losses.iter().map(|_| "–".to_owned()));
        rows.push(cells);
    };
    if arm.left_out.0 > 0 {
        other(text::count(arm.left_out.0, "smaller cause"), arm.left_out.1);
    }
    if arm.elsewhere > 0.0 {
        other("moves without a listed group, such as with DNS answers".to_owned(), arm.elsewhere);
    }
    Grid { head, rows, word_columns: 3, note: String::new() }
}

/// `ams → nyc 12 k, nyc → lost: black hole 3 k and 2 more`.
pub fn pairs(row: &Episode) -> String {
    let mut parts: Vec<String> = row
        .flows
        .iter()
        .map(|(from, to, rate)| format!("{from} → {to} {}", number(*rate)))
        .collect();
    if row.more_flows > 0 {
        parts.push(format!("{} more", row.more_flows));
    }
    words::list(&parts)
}

/// A span to a tenth of a second; nothing else is known of moves that come in steps.
fn span(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() / 10.0;
    if tenths > 0.0 { duration(tenths) } else { "at once".to_owned() }
}
