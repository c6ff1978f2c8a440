//! Whose traffic was lost, and to what: by class and by tenant.

use super::bars::{self, Bar};
use super::timeline::Context;
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Ink, LINE_INKS, Pen};
use crate::number::percent;
use crate::rows::{Missing, Numbers, Rows, Texts};
use crate::text;
use crate::words::DROP_CAUSES;

/// Classes and tenants that are shown, of each.
const ENTITIES_MAX: usize = 8;

/// Traffic of a class or a tenant in one arm: offered, and lost by cause.
#[derive(Clone)]
struct Flow {
    offered: f64,
    lost: Vec<f64>,
}

impl Flow {
    fn none() -> Flow {
        Flow { offered: 0.0, lost: vec![0.0; DROP_CAUSES.len()] }
    }

    fn share(&self, cause: usize) -> f64 {
        if self.offered > 0.0 { self.lost[cause] / self.offered } else { 0.0 }
    }

    fn total(&self) -> f64 {
        (0..DROP_CAUSES.len()).map(|cause| self.share(cause)).sum()
    }
}

/// A class or a tenant: its name, and its traffic by arm.
struct Entity {
    name: String,
    flows: Vec<Flow>,
}

/// Whether there is more than one class or tenant: else this says no more than the loss of all.
#[must_use]
pub fn tells(context: &Context<'_>) -> bool {
    let several = |column| {
        Rows::open(context.view, "tenants").is_ok_and(|rows| {
            rows.texts(column).is_ok_and(|names| {
                let offered = rows.numbers("offered_bps");
                let mut seen = vec![false; names.dictionary.len()];
                for row in 0..rows.len() {
                    let there = offered.as_ref().is_ok_and(|values| values.at(row) > 0.0);
                    if let (Some(code), true) = (names.code(row), there) {
                        seen[code] = true;
                    }
                }
                seen.iter().filter(|&&seen| seen).count() > 1
            })
        })
    };
    several("class") || several("tenant")
}

/// Loss by class and by tenant, one picture an arm.
///
/// # Errors
/// Why there is none.
pub fn lost_by_whom(context: &Context<'_>) -> Result<Plot, Missing> {
    let rows = Rows::open(context.view, "tenants")?;
    let mut list = entities(context, &rows, "class")?;
    let classes = list.len();
    list.extend(entities(context, &rows, "tenant")?);
    let worst = |cause: usize| {
        let shares = list.iter().flat_map(|entity| &entity.flows).map(|flow| flow.share(cause));
        shares.fold(0.0, f64::max)
    };
    let mut causes: Vec<usize> = (0..DROP_CAUSES.len()).filter(|&c| worst(c) > 0.0).collect();
    if causes.is_empty() {
        return Err(Missing("No traffic is lost in any arm.".to_owned()));
    }
    causes.sort_by(|&a, &b| worst(b).total_cmp(&worst(a)).then(a.cmp(&b)));
    let top = list.iter().flat_map(|entity| &entity.flows).map(Flow::total).fold(0.0, f64::max);
    let arms = &context.view.summary.arms;
    let shown = arms.len().min(ARMS_MAX);
    let pictures =
        (0..shown).map(|arm| picture(context, (&list, classes), arm, top, &causes)).collect();
    let legend = (0..causes.len().min(LINE_INKS + 1))
        .map(|place| LegendItem {
            swatches: vec![Swatch::Patch(Pen::line(ink(place)).opacity(0.75))],
            label: if place < LINE_INKS {
                DROP_CAUSES[causes[place]].1.to_owned()
            } else {
                "other causes".to_owned()
            },
        })
        .collect();
    Ok(Plot {
        id: "loss-whose".to_owned(),
        title: "Whose traffic was lost, and to what".to_owned(),
        shows: (0..shown)
            .map(|arm| sentence(context, (&list, classes), arm))
            .collect::<Vec<_>>()
            .join(" "),
        how: "Share of the traffic that a class or tenant offered in the whole run, means over \
              replications. The parts of a bar are causes, in the order of the legend. Of classes and \
              of tenants those with the largest share lost in any arm are shown.",
        legend,
        pictures,
        data: Some(grid(context, (&list, classes), &causes)),
    })
}

fn ink(place: usize) -> Ink {
    if place < LINE_INKS { Ink::Line(place) } else { Ink::Axis }
}

/// Classes or tenants that offer traffic, those that lose the largest share first.
fn entities(context: &Context<'_>, rows: &Rows<'_>, column: &str) -> Result<Vec<Entity>, Missing> {
    let names: Texts<'_> = rows.texts(column)?;
    let offered = rows.numbers("offered_bps")?;
    // Older directories know fewer causes.
    let column = |cause: &str| rows.numbers(&format!("dropped_bps_{cause}")).ok();
    let causes: Vec<Option<Numbers<'_>>> =
        DROP_CAUSES.iter().map(|(cause, _)| column(cause)).collect();
    let arms = context.view.summary.arms.len();
    let count = names.dictionary.len();
    let mut flows = vec![Flow::none(); arms * count];
    let finite = |value: f64| if value > 0.0 && value < 1e30 { value } else { 0.0 };
    for row in 0..rows.len() {
        let (Some(arm), Some(code)) = (rows.arm(row), names.code(row)) else { continue };
        let flow = &mut flows[arm * count + code];
        flow.offered += finite(offered.at(row));
        for (sum, cause) in flow.lost.iter_mut().zip(&causes) {
            *sum += cause.map_or(0.0, |values| finite(values.at(row)));
        }
    }
    let mut list: Vec<Entity> = names
        .dictionary
        .iter()
        .enumerate()
        .map(|(code, name)| Entity {
            name: text::clean(name),
            flows: (0..arms).map(|arm| flows[arm * count + code].clone()).collect(),
        })
        .filter(|entity| entity.flows.iter().any(|flow| flow.offered > 0.0))
        .collect();
    let worst = |entity: &Entity| entity.flows.iter().map(Flow::total).fold(0.0, f64::max);
    list.sort_by(|a, b| worst(b).total_cmp(&worst(a)));
    list.truncate(ENTITIES_MAX);
    Ok(list)
}

fn picture(
    context: &Context<'_>,
    (list, classes): (&[Entity], usize),
    arm: usize,
    top: f64,
    causes: &[usize],
) -> Picture {
    let arms = &context.view.summary.arms;
    let bar = |(place, entity): (usize, &Entity)| {
        let flow = &entity.flows[arm];
        let kind = if place < classes { "class" } else { "tenant" };
        Bar {
            label: format!("{kind} {}", entity.name),
            parts: causes
                .iter()
                .enumerate()
                .map(|(place, &cause)| (flow.share(cause), ink(place)))
                .collect(),
            words: percent(flow.total()),
        }
    };
    let bars: Vec<Bar> = list.iter().enumerate().map(bar).collect();
    let width = if arms.len() > 1 { HALF_PX } else { WIDE_PX };
    let (size, elements) = bars::draw(&bars, width, (top, "%"), "share lost of what it offered");
    Picture {
        name: arms[arm].arm.clone(),
        heading: if arms.len() > 1 { Heading::Arm(arm) } else { Heading::None },
        description: sentence(context, (list, classes), arm),
        size,
        elements,
        ground: None,
    }
}

fn sentence(context: &Context<'_>, (list, classes): (&[Entity], usize), arm: usize) -> String {
    let name = text::clean(&context.view.summary.arms[arm].arm);
    let total = |place: usize| list[place].flows[arm].total();
    // Of equal ones the first: classes come before tenants.
    let worst = (0..list.len()).rev().max_by(|&a, &b| total(a).total_cmp(&total(b)));
    match worst {
        Some(worst) if total(worst) > 0.0 => {
            let kind = if worst < classes { "class" } else { "tenant" };
            let (whose, share) = (&list[worst].name, percent(total(worst)));
            format!("{name}: {kind} {whose} loses most, {share} of what it offers.")
        }
        _ => format!("{name}: nobody loses anything."),
    }
}

fn grid(context: &Context<'_>, (list, classes): (&[Entity], usize), causes: &[usize]) -> Grid {
    let arms = &context.view.summary.arms;
    let mut head = ["whose", "arm", "lost"].map(str::to_owned).to_vec();
    head.extend(causes.iter().map(|&cause| DROP_CAUSES[cause].1.to_owned()));
    let mut rows = Vec::new();
    for (place, entity) in list.iter().enumerate() {
        let kind = if place < classes { "class" } else { "tenant" };
        for (arm, flow) in arms.iter().zip(&entity.flows).take(ARMS_MAX) {
            let mut cells = vec![format!("{kind} {}", entity.name), text::clean(&arm.arm)];
            cells.push(percent(flow.total()));
            cells.extend(causes.iter().map(|&cause| percent(flow.share(cause))));
            rows.push(cells);
        }
    }
    Grid { head, rows, word_columns: 2, note: String::new() }
}
