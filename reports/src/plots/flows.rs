//! Flows with a size: how long they take, and how much longer than alone.

use super::bars::{self, Bar};
use super::timeline::{Context, Curve, Spec, draw, line_ink};
use super::{ARMS_MAX, Grid, HALF_PX, Heading, Picture, Plot, WIDE_PX};
use crate::figure::{Dash, Ink, LINE_INKS, Pen};
use crate::number::{number, quantity};
use crate::rows::{Cube, Missing, Rows, Spread};
use crate::text;

/// Services that are shown.
const SERVICES_MAX: usize = 8;

/// Flows of a service in one arm.
#[derive(Clone, Default)]
struct Finished {
    flows: f64,
    broken: f64,
    /// Sums over flows that finished.
    completion_s: f64,
    slowdown: f64,
}

impl Finished {
    fn mean(&self, sum: f64) -> f64 {
        if self.flows > 0.0 { sum / self.flows } else { 0.0 }
    }
}

/// All figures of flows; none where none were played.
pub fn figures(context: &Context<'_>) -> Vec<Result<Plot, (&'static str, Missing)>> {
    let Ok(rows) = Rows::open(context.view, "flows") else { return Vec::new() };
    let Ok((services, sums)) = gather(context, &rows) else { return Vec::new() };
    if services.is_empty() {
        return Vec::new();
    }
    let over_time = completion(context, &rows, &services);
    vec![
        Ok(slowdown(context, &rows, &services, &sums)),
        over_time.map_err(|why| ("Completion times of flows", why)),
    ]
}

/// Services with flows that finished, most first, and their sums by arm and service.
fn gather(context: &Context<'_>, rows: &Rows<'_>) -> Result<(Vec<usize>, Vec<Finished>), Missing> {
    let names = rows.texts("service")?;
    let (finished, broken) = (rows.numbers("finished")?, rows.numbers("broken")?);
    let (completion, slow) = (rows.numbers("completion_s_mean")?, rows.numbers("slowdown_mean")?);
    let (arms, count) = (context.view.summary.arms.len(), names.dictionary.len());
    let mut sums = vec![Finished::default(); arms * count];
    let finite = |value: f64| if value > 0.0 && value < 1e30 { value } else { 0.0 };
    for row in 0..rows.len() {
        let (Some(arm), Some(service)) = (rows.arm(row), names.code(row)) else { continue };
        let into = &mut sums[arm * count + service];
        let flows = finite(finished.at(row));
        into.flows += flows;
        into.broken += finite(broken.at(row));
        into.completion_s += flows * finite(completion.at(row));
        into.slowdown += flows * finite(slow.at(row));
    }
    let total =
        |service: usize| -> f64 { (0..arms).map(|arm| sums[arm * count + service].flows).sum() };
    let mut services: Vec<usize> = (0..count).filter(|&service| total(service) > 0.0).collect();
    services.sort_by(|&a, &b| total(b).total_cmp(&total(a)).then(a.cmp(&b)));
    services.truncate(SERVICES_MAX);
    let chosen = (0..arms).flat_map(|arm| {
        services.iter().map(|&service| sums[arm * count + service].clone()).collect::<Vec<_>>()
    });
    let chosen = chosen.collect();
    Ok((services, chosen))
}

fn slowdown(context: &Context<'_>, rows: &Rows<'_>, services: &[usize], sums: &[Finished]) -> Plot {
    let arms = &context.view.summary.arms;
    let dictionary = rows.texts("service").map_or(&[][..], |names| names.dictionary);
    let names: Vec<String> = services.iter().map(|&code| text::clean(&dictionary[code])).collect();
    let of = |arm: usize, place: usize| &sums[arm * services.len() + place];
    let top = sums.iter().map(|sum| sum.mean(sum.slowdown)).fold(1.0, f64::max);
    let width = if arms.len() > 1 { HALF_PX } else { WIDE_PX };
    let words = |sum: &Finished| format!("{} times", number(sum.mean(sum.slowdown)));
    let sentence = |arm: usize| {
        let list = names.iter().enumerate().map(|(place, name)| {
            let sum = of(arm, place);
            let time = quantity(sum.mean(sum.completion_s), "s");
            format!("{name} {} as long as alone, mean {time}", words(sum))
        });
        let list: Vec<String> = list.collect();
        format!("{}: {}.", text::clean(&arms[arm].arm), list.join("; "))
    };
    let shown = arms.len().min(ARMS_MAX);
    let picture = |arm: usize| {
        let bar = |(place, name): (usize, &String)| {
            let sum = of(arm, place);
            let parts = vec![(sum.mean(sum.slowdown), Ink::Arm(arm))];
            Bar { label: name.clone(), parts, words: words(sum) }
        };
        let list: Vec<Bar> = names.iter().enumerate().map(bar).collect();
        let caption = "completion time over that alone, mean";
        let (size, elements) = bars::draw(&list, width, (top, ""), caption);
        Picture {
            name: arms[arm].arm.clone(),
            heading: if arms.len() > 1 { Heading::Arm(arm) } else { Heading::None },
            description: sentence(arm),
            size,
            elements,
            ground: None,
        }
    };
    let head = ["service", "arm", "finished", "broken", "completion, mean", "slowdown, mean"];
    let mut cells = Vec::new();
    let runs = f64::from(context.view.summary.replications.max(1));
    for (place, name) in names.iter().enumerate() {
        for (arm, row) in arms.iter().enumerate().take(shown) {
            let sum = of(arm, place);
            cells.push(vec![
                name.clone(),
                text::clean(&row.arm),
                number(sum.flows / runs),
                number(sum.broken / runs),
                quantity(sum.mean(sum.completion_s), "s"),
                number(sum.mean(sum.slowdown)),
            ]);
        }
    }
    Plot {
        id: "flows-slowdown".to_owned(),
        title: "How much longer flows take than alone".to_owned(),
        shows: (0..shown).map(sentence).collect::<Vec<_>>().join(" "),
        how: "Means over all flows that finished, all replications together. A slowdown of 1 is as fast \
              as on an empty network; 2 is twice as long, because others share the way. Flows that broke \
              have no completion time: the table counts them, a mean per replication.",
        legend: Vec::new(),
        pictures: (0..shown).map(picture).collect(),
        data: Some(Grid {
            head: head.map(str::to_owned).to_vec(),
            rows: cells,
            word_columns: 2,
            note: String::new(),
        }),
    }
}

fn completion(context: &Context<'_>, rows: &Rows<'_>, services: &[usize]) -> Result<Plot, Missing> {
    let names = rows.texts("service")?;
    let values = rows.numbers("completion_s_p99")?;
    let arms = context.view.summary.arms.len();
    let shown = &services[..services.len().min(LINE_INKS)];
    let slot =
        |row| names.code(row).and_then(|code| shown.iter().position(|service| *service == code));
    let shape = (arms, shown.len());
    let cube = Cube::gather(rows, &context.buckets, shape, slot, |row| values.at(row));
    let curves: Vec<Curve> = shown
        .iter()
        .enumerate()
        .map(|(place, &service)| Curve {
            label: text::clean(&names.dictionary[service]),
            ink: line_ink,
            pen: Pen::line(Ink::Line(place)).dashed(Dash::of(place)),
            band: false,
            filled: false,
            end_label: true,
            spreads: (0..arms).map(|arm| cube.spread(arm, place)).collect(),
        })
        .collect();
    let worst =
        curves.iter().flat_map(|curve| &curve.spreads).map(Spread::peak).fold(0.0, f64::max);
    if worst <= 0.0 {
        return Err(Missing("No flow took any time.".to_owned()));
    }
    Ok(draw(
        context,
        Spec {
            id: "flows-completion".to_owned(),
            title: "Completion times of flows".to_owned(),
            shows: format!("The 99th percentile peaks at {}.", quantity(worst, "s")),
            how: "99th percentile of the time from arrival to end of the flows that finished in a bucket, \
              by service, mean over replications. The services with most flows are shown.",
            caption: "completion time, 99th percentile",
            unit: "s",
            curves,
            level: None,
        },
    ))
}
