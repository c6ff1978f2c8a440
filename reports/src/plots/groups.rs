//! Who got better and who got worse: differences by client group, whatever the mean says.

use super::axis::signed_axis;
use super::{Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch};
use crate::figure::{Axis, Chart, Ink, Layer, Pen, Shape, label_room};
use crate::number::{number, percent, signed};
use crate::rows::{Missing, Rows};
use crate::text;
use steerlab_results::view::RunView;

/// Groups drawn at each end.
const ENDS: usize = 7;
/// Groups in the data table at each end.
const TABLE_ENDS: usize = 15;
/// Smallest change of latency that counts as one, ms.
const LATENCY_CHANGE_MS: f64 = 1.0;
/// Smallest change of the lost share that counts as one.
const LOSS_CHANGE_RATIO: f64 = 0.001;
/// Most arms that are compared with the baseline here.
const CANDIDATES_MAX: usize = 3;

/// A difference over the paired replications.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    mean: f64,
    low: f64,
    high: f64,
}

/// A client group in one arm against the baseline.
#[derive(Clone, Debug)]
struct Group {
    name: String,
    /// Share of all offered bits in the baseline.
    demand: f64,
    latency_ms: Option<Change>,
    loss: Option<Change>,
}

/// What one run did to one group.
#[derive(Clone, Copy, Default)]
struct Sums {
    offered: f64,
    dropped: f64,
    served: f64,
    latency: f64,
}

/// What is shown of the groups.
#[derive(Clone, Copy)]
struct Measure {
    name: &'static str,
    heading: &'static str,
    caption: &'static str,
    /// What one and several losers do.
    worse: [&'static str; 2],
    /// What one and several winners do.
    better: [&'static str; 2],
    /// Change from which a group counts.
    threshold: f64,
    /// One unit of the axis.
    factor: f64,
    of: fn(&Group) -> Option<Change>,
    show: fn(f64) -> String,
}

const MEASURES: [Measure; 2] = [
    Measure {
        name: "latency",
        heading: "Latency",
        caption: "change of mean latency, ms",
        worse: ["is slower by 1 ms or more", "are slower by 1 ms or more"],
        better: ["is faster by as much", "are faster by as much"],
        threshold: LATENCY_CHANGE_MS,
        factor: 1.0,
        of: |group| group.latency_ms,
        show: |value| signed(value, "ms"),
    },
    Measure {
        name: "loss",
        heading: "Lost traffic",
        caption: "change of the share lost, percentage points",
        worse: [
            "loses at least 0.1 percentage points more",
            "lose at least 0.1 percentage points more",
        ],
        better: ["loses at least as much less", "lose at least as much less"],
        threshold: LOSS_CHANGE_RATIO,
        factor: 0.01,
        of: |group| group.loss,
        show: |value| signed(value * 100.0, "pp"),
    },
];

/// Winners and losers by client group, each arm against the first.
///
/// # Errors
/// Why they cannot be told.
pub fn winners_and_losers(view: &RunView) -> Result<Plot, Missing> {
    let arms = &view.summary.arms;
    if arms.len() < 2 {
        return Err(Missing("There is one arm, so there is nothing to compare it with.".into()));
    }
    let rows = Rows::open(view, "client_groups")?;
    let sums = gather(view, &rows)?;
    let names = rows.texts("client_group")?;
    let mut pictures = Vec::new();
    let mut sentences = Vec::new();
    let mut table = Grid {
        head: ["arm", "client group", "share of demand", "latency", "lost share"]
            .map(str::to_owned)
            .to_vec(),
        word_columns: 2,
        ..Grid::default()
    };
    for candidate in 1..arms.len().min(CANDIDATES_MAX + 1) {
        let groups = changes(&sums, candidate, names.dictionary);
        let name = text::clean(&arms[candidate].arm);
        for measure in MEASURES {
            sentences.extend(sentence(&name, &groups, measure));
            if let Some(picture) = picture(&name, candidate, arms.len(), &groups, measure) {
                pictures.push(picture);
            }
        }
        push_rows(&mut table, &name, groups);
    }
    if pictures.is_empty() {
        return Err(Missing("No client group differs between the arms.".to_owned()));
    }
    if arms.len() > CANDIDATES_MAX + 1 {
        sentences.push(format!("Shown: the first {CANDIDATES_MAX} arms after the baseline."));
    }
    Ok(Plot {
        id: "groups".to_owned(),
        title: "Who got better, who got worse".to_owned(),
        shows: sentences.join(" "),
        how: "Client groups with the largest changes against the baseline. The dot is the mean \
              over replications, the bar runs from the smallest to the largest replication: where \
              it crosses zero, not all replications agree. Left of zero is better. A mean over \
              all users can improve while some of them lose: they are at the top.",
        legend: arms
            .iter()
            .enumerate()
            .skip(1)
            .take(CANDIDATES_MAX)
            .map(|(index, arm)| LegendItem {
                swatches: vec![Swatch::Mark(Shape::Dot, Ink::Arm(index))],
                label: format!("{} against {}", text::clean(&arm.arm), text::clean(&arms[0].arm)),
            })
            .collect(),
        pictures,
        data: Some(table),
    })
}

/// Sums by (arm, replication, group).
struct Gathered {
    sums: Vec<Sums>,
    replications: usize,
    groups: usize,
}

impl Gathered {
    fn at(&self, arm: usize, replication: usize, group: usize) -> Sums {
        self.sums[(arm * self.replications + replication) * self.groups + group]
    }
}

fn gather(view: &RunView, rows: &Rows<'_>) -> Result<Gathered, Missing> {
    let names = rows.texts("client_group")?;
    let (offered, dropped) = (rows.numbers("offered_bps")?, rows.numbers("dropped_bps")?);
    let served = rows.numbers("served_requests_per_s").ok();
    let latency = rows.numbers("latency_ms_mean").ok();
    let mut replications: Vec<u64> = (0..rows.len()).map(|row| rows.replication(row)).collect();
    replications.sort_unstable();
    replications.dedup();
    let (runs, groups) = (replications.len(), names.dictionary.len());
    let mut sums = vec![Sums::default(); view.summary.arms.len() * runs * groups];
    for row in 0..rows.len() {
        let (Some(arm), Some(group), Ok(run)) =
            (rows.arm(row), names.code(row), replications.binary_search(&rows.replication(row)))
        else {
            continue;
        };
        let sum = &mut sums[(arm * runs + run) * groups + group];
        let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
        sum.offered += finite(offered.at(row));
        sum.dropped += finite(dropped.at(row));
        if let (Some(served), Some(latency)) = (served, latency) {
            let served = finite(served.at(row));
            sum.served += served;
            sum.latency += served * finite(latency.at(row));
        }
    }
    Ok(Gathered { sums, replications: runs, groups })
}

fn changes(sums: &Gathered, candidate: usize, names: &[String]) -> Vec<Group> {
    let over_runs = |of: &dyn Fn(Sums) -> Option<f64>, group: usize| {
        let differences = (0..sums.replications).filter_map(|run| {
            Some(of(sums.at(candidate, run, group))? - of(sums.at(0, run, group))?)
        });
        let differences: Vec<f64> = differences.collect();
        let n = differences.len() as f64;
        (n > 0.0).then(|| Change {
            mean: differences.iter().sum::<f64>() / n,
            low: differences.iter().copied().fold(f64::INFINITY, f64::min),
            high: differences.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    };
    let demand = |group: usize| {
        (0..sums.replications).map(|run| sums.at(0, run, group).offered).sum::<f64>()
    };
    let total: f64 = (0..sums.groups).map(demand).sum();
    (0..sums.groups)
        .map(|group| Group {
            name: text::clean(&names[group]),
            demand: if total > 0.0 { demand(group) / total } else { 0.0 },
            latency_ms: over_runs(&|s| (s.served > 0.0).then(|| s.latency / s.served), group),
            loss: over_runs(&|s| (s.offered > 0.0).then(|| s.dropped / s.offered), group),
        })
        .collect()
}

fn sentence(arm: &str, groups: &[Group], measure: Measure) -> Option<String> {
    let with: Vec<(&Group, f64)> =
        groups.iter().filter_map(|group| Some((group, (measure.of)(group)?.mean))).collect();
    if with.is_empty() {
        return None;
    }
    let count = |test: &dyn Fn(f64) -> bool| {
        let matching = with.iter().filter(|(_, change)| test(*change));
        matching.fold((0_u32, 0.0), |(n, sum), (group, _)| (n + 1, sum + group.demand))
    };
    let words = |(n, demand): (u32, f64), none: &str, of: &str, forms: [&str; 2]| match n {
        0 => format!("{none} {}", forms[0]),
        n => {
            let form = forms[usize::from(n > 1)];
            format!("{}{of} ({} of demand) {form}", number(f64::from(n)), percent(demand))
        }
    };
    let of = format!(" of {}", text::count(with.len(), "client group"));
    let worse = count(&|change| change >= measure.threshold);
    let better = count(&|change| change <= -measure.threshold);
    Some(format!(
        "Under {arm}, {}; {}.",
        words(worse, "no client group", &of, measure.worse),
        words(better, "none", "", measure.better)
    ))
}

/// The groups at both ends, worst first.
fn ends(groups: &[Group], measure: Measure, each: usize) -> Vec<(&Group, Change)> {
    let mut with: Vec<(&Group, Change)> = groups
        .iter()
        .filter_map(|group| Some((group, (measure.of)(group)?)))
        .filter(|(_, change)| change.mean.abs() >= measure.threshold * 0.1)
        .collect();
    with.sort_by(|a, b| b.1.mean.total_cmp(&a.1.mean).then_with(|| a.0.name.cmp(&b.0.name)));
    let worse = with.iter().filter(|(_, change)| change.mean > 0.0).count();
    let better = with.len() - worse;
    // Where one end has few groups, the other may use the room.
    let keep_worse = worse.min(each.max((2 * each).saturating_sub(better)));
    let keep_better = better.min(2 * each - keep_worse);
    let mut out = with[..keep_worse].to_vec();
    out.extend_from_slice(&with[with.len() - keep_better..]);
    out
}

fn picture(
    arm: &str,
    candidate: usize,
    arms: usize,
    groups: &[Group],
    measure: Measure,
) -> Option<Picture> {
    let shown = ends(groups, measure, ENDS);
    if shown.is_empty() {
        return None;
    }
    let size = (HALF_PX, 48 + 20 * shown.len() as u32);
    let extent = shown.iter().flat_map(|(_, change)| [change.low, change.high]).map(f64::abs);
    let count = shown.len() as f64;
    let place = |index: usize| count - 0.5 - index as f64;
    let ink = Ink::Arm(candidate);
    let mut layers = vec![Layer::Rule(0.0, Pen::line(Ink::Text).width(10))];
    for (index, (_, change)) in shown.iter().enumerate() {
        let y = place(index);
        let bar = vec![(change.low, y), (change.high, y)];
        layers.push(Layer::Line(bar, Pen::line(ink).width(24).opacity(0.55)));
        layers.push(Layer::Mark(change.mean, y, Shape::Dot, 40, ink));
    }
    let ticks: Vec<(f64, String)> = shown
        .iter()
        .enumerate()
        .map(|(index, (group, _))| (place(index), text::shorten(&group.name, 22)))
        .collect();
    let chart = Chart {
        size,
        margin_x: (label_room(&ticks, 90, 170), 20),
        margin_top: 10,
        x: signed_axis(extent.fold(measure.threshold, f64::max), measure.factor),
        y: Axis { min: 0.0, max: count, ticks, log: false },
        y_caption: String::new(),
        x_caption: measure.caption.to_owned(),
        grid_vertical: true,
        layers,
    };
    let heading =
        if arms > 2 { format!("{}: {arm}", measure.heading) } else { measure.heading.to_owned() };
    let (first, last) = (shown.first()?, shown.last()?);
    Some(Picture {
        name: if arms > 2 { format!("{}-{arm}", measure.name) } else { measure.name.to_owned() },
        heading: Heading::Words(heading),
        description: format!(
            "{}: {} {}, {} {}.",
            measure.heading,
            first.0.name,
            (measure.show)(first.1.mean),
            last.0.name,
            (measure.show)(last.1.mean)
        ),
        size,
        elements: chart.elements(),
        ground: None,
    })
}

fn push_rows(table: &mut Grid, arm: &str, groups: Vec<Group>) {
    let mut named: Vec<&Group> = Vec::new();
    for measure in MEASURES {
        for (group, _) in ends(&groups, measure, TABLE_ENDS) {
            if !named.iter().any(|known| known.name == group.name) {
                named.push(group);
            }
        }
    }
    let left_out = groups.len() - named.len();
    for group in named {
        let cell = |measure: Measure| {
            (measure.of)(group).map_or("–".to_owned(), |change| (measure.show)(change.mean))
        };
        table.rows.push(vec![
            arm.to_owned(),
            group.name.clone(),
            percent(group.demand),
            cell(MEASURES[0]),
            cell(MEASURES[1]),
        ]);
    }
    if left_out > 0 {
        table.note = format!(
            "The groups with the largest changes; {} not shown.",
            text::count(left_out, "other")
        )
        .replace("others not", "others are not")
        .replace("1 other not", "1 other is not");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, latency: f64) -> Group {
        let change = Change { mean: latency, low: latency - 1.0, high: latency + 1.0 };
        Group { name: name.into(), demand: 0.25, latency_ms: Some(change), loss: None }
    }

    #[test]
    fn losers_first_winners_last() {
        let groups = [group("a", -5.0), group("b", 9.0), group("c", 0.0), group("d", 2.0)];
        let shown = ends(&groups, MEASURES[0], 1);
        let names: Vec<&str> = shown.iter().map(|(group, _)| group.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(
            sentence("x", &groups, MEASURES[0]).as_deref(),
            Some(
                "Under x, 2 of 4 client groups (50 % of demand) are slower by 1 ms or more; \
                 1 (25 % of demand) is faster by as much."
            )
        );
    }
}
