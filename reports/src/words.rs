//! Sentences generated from the numbers.

use crate::number::{duration, number, percent, quantity, signed, with_error};
use crate::text;
use steerlab_results::summary::{ArmSummary, CheckResult, ComparisonRow, MetricValue, Verdict};
use steerlab_results::view::RunView;

/// What pictures leave out of tables that are longer than they can show; none if nothing.
#[must_use]
pub fn thinned(view: &RunView) -> Option<String> {
    let thinned = &view.thinned;
    let mut out = Vec::new();
    let merged = |count: u64, bucket_s: f64, whose: &str| {
        let width = duration(count as f64 * bucket_s);
        format!(
            "In the pictures {} {whose} are one point of {width}: its mean, and the largest value of \
             percentiles and of what is called largest.",
            number(count as f64)
        )
    };
    if thinned.buckets > 1 {
        out.push(merged(thinned.buckets, view.scenario.bucket.seconds(), "buckets"));
    }
    if thinned.client_buckets > 1 {
        let bucket_s = view.scenario.client_bucket.seconds();
        out.push(merged(thinned.client_buckets, bucket_s, "buckets of client groups"));
    }
    for (table, rows) in &thinned.left_out {
        let rows = text::count(usize::try_from(*rows).unwrap_or(usize::MAX), "row");
        out.push(format!("The last {rows} of the table `{}` are not shown.", text::clean(table)));
    }
    (!out.is_empty()).then(|| out.join(" ") + " The tables of the run directory have everything.")
}

/// A verdict in words.
#[must_use]
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoMaterialDifference => "no material difference",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// A verdict, with the replications that would settle it where it is open.
#[must_use]
pub fn verdict_with_need(row: &ComparisonRow) -> String {
    match (row.verdict, row.replications_needed) {
        (Verdict::Inconclusive, Some(needed)) => {
            format!("inconclusive (about {} replications would settle it)", number(needed as f64))
        }
        (verdict, _) => verdict_word(verdict).to_owned(),
    }
}

/// Causes of loss: name as in columns (`dropped_bps_loop`), and for people.
pub const DROP_CAUSES: [(&str, &str); 12] = [
    ("link_full", "full links"),
    ("down", "link or site down"),
    ("no_route", "no route"),
    ("server_full", "full servers"),
    ("policed", "a limit on purpose"),
    ("loop", "routing loop"),
    ("blackhole", "black hole"),
    ("hijacked", "hijacked"),
    ("throttled", "senders slowed down"),
    ("over_budget", "over a budget"),
    ("shed", "shed"),
    ("filtered", "filtered"),
];

/// A cause of loss for people, from its name in tables (`no-route`, `no_route`).
#[must_use]
pub fn drop_cause(name: &str) -> Option<&'static str> {
    let column = name.replace('-', "_");
    DROP_CAUSES.iter().find(|(cause, _)| *cause == column).map(|(_, words)| *words)
}

/// What a kind of event is called: `session down`.
#[must_use]
pub fn event_kind(kind: &str) -> String {
    match kind {
        "dns-answer" => "DNS answer changes".to_owned(),
        "dns-settled" => "DNS caches follow the last answer".to_owned(),
        "igp-converged" => "backbone routing has converged".to_owned(),
        "blackhole" => "black hole".to_owned(),
        "blackhole-ends" => "black hole ends".to_owned(),
        kind => text::clean(kind).replace('-', " "),
    }
}

/// An event in words. The label is often that of the trouble, also when the trouble ends.
#[must_use]
pub fn event(kind: &str, entity: &str, label: &str) -> String {
    let mut out = event_kind(kind);
    // An entity that the label only repeats is not said twice.
    if !entity.is_empty() && entity != label {
        out.push_str(&format!(" {}", text::clean(entity)));
    }
    let ends = ["-restored", "-restores", "-up", "-ends"].iter().any(|end| kind.ends_with(end));
    if !label.is_empty() {
        let label = text::clean(label);
        out.push_str(&if ends { format!(" (was: {label})") } else { format!(" – {label}") });
    }
    out
}

/// A p value: never shown as zero.
#[must_use]
pub fn p_value(p: f64) -> String {
    if p < 0.0001 { "<0.0001".to_owned() } else { crate::number::number((p * 1e4).round() / 1e4) }
}

/// How an outcome is told at a glance: word, symbol, and whether it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All checks hold.
    Pass,
    /// All checks hold, but an arm is proven worse than the baseline in what was compared.
    PassButWorse,
    /// A check does not hold.
    Fail,
    /// Nothing was asked.
    Nothing,
}

impl Outcome {
    /// Of the checks, and of what was compared.
    #[must_use]
    pub fn of(checks: &[CheckResult], comparison: &[ComparisonRow]) -> Outcome {
        let worse = comparison.iter().any(|row| row.verdict == Verdict::Worse);
        match (checks.is_empty(), checks.iter().all(|check| check.pass)) {
            (true, _) => Outcome::Nothing,
            (false, true) if worse => Outcome::PassButWorse,
            (false, true) => Outcome::Pass,
            (false, false) => Outcome::Fail,
        }
    }

    /// Sign that goes with the word.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Outcome::Pass => "✓",
            Outcome::PassButWorse => "!",
            Outcome::Fail => "✗",
            Outcome::Nothing => "–",
        }
    }
}

/// The verdict line: `3 of 4 checks pass, 1 fails`.
#[must_use]
pub fn verdict_line(view: &RunView) -> String {
    let checks = &view.summary.checks;
    let failed = checks.iter().filter(|check| !check.pass).count();
    match (Outcome::of(checks, &view.summary.comparison), failed) {
        (Outcome::Nothing, _) => "No checks were asked".to_owned(),
        (Outcome::Pass, _) => passed(checks.len()),
        (Outcome::PassButWorse, _) => {
            format!("{}, but not all compared metrics hold up", passed(checks.len()))
        }
        (Outcome::Fail, _) if checks.len() == 1 => "The check fails".to_owned(),
        (Outcome::Fail, failed) => format!("{failed} of {} checks fail", checks.len()),
    }
}

fn passed(checks: usize) -> String {
    if checks == 1 { "The check passes".to_owned() } else { format!("All {checks} checks pass") }
}

/// A value of a metric: ratios in percent, others with their unit.
#[must_use]
pub fn metric_value(metric: &str, unit: &str, value: f64) -> String {
    if is_ratio(metric, unit) { percent(value) } else { quantity(value, unit) }
}

/// A difference of a metric with its sign; of ratios in percentage points.
#[must_use]
pub fn metric_difference(metric: &str, unit: &str, value: f64) -> String {
    if !is_ratio(metric, unit) {
        return signed(value, unit);
    }
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", percent(value).replace(" %", " pp"))
}

/// Whether a metric is a share of something: its name says so and it has no unit.
#[must_use]
pub fn is_ratio(metric: &str, unit: &str) -> bool {
    let unit = crate::number::unit_name(unit);
    unit.is_empty() && (metric.contains("ratio") || metric.contains("utilisation"))
}

/// A side of a check for people.
#[must_use]
pub fn side(value: Option<f64>) -> String {
    value.map_or("no value".to_owned(), number)
}

/// As [`side`], in percent where the check speaks of percent.
#[must_use]
pub fn side_of(check: &CheckResult, value: Option<f64>) -> String {
    match value {
        Some(value) if check.text.contains('%') => percent(value),
        value => side(value),
    }
}

/// A metric's mean with its interval: ratios in percent.
#[must_use]
pub fn metric_mean(value: &MetricValue) -> String {
    let half = value.interval.map(|(low, high)| (high - low) / 2.0);
    match (is_ratio(&value.metric, &value.unit), half) {
        (true, Some(half)) => format!("{} %", with_error(value.mean * 100.0, half * 100.0)),
        (true, None) => percent(value.mean),
        (false, Some(half)) => with_error(value.mean, half),
        (false, None) => number(value.mean),
    }
}

/// `2 better, 1 worse, 1 inconclusive of 4 comparisons.`
#[must_use]
pub fn comparison_counts(rows: &[ComparisonRow]) -> String {
    let verdicts =
        [Verdict::Better, Verdict::Worse, Verdict::NoMaterialDifference, Verdict::Inconclusive];
    let counts: Vec<String> = verdicts
        .into_iter()
        .filter_map(|verdict| {
            let count = rows.iter().filter(|row| row.verdict == verdict).count();
            let word = match verdict {
                Verdict::NoMaterialDifference => "without material difference",
                other => verdict_word(other),
            };
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect();
    format!("Of {}: {}.", text::count(rows.len(), "comparison"), counts.join(", "))
}

/// One comparison in one sentence.
#[must_use]
pub fn comparison_sentence(row: &ComparisonRow) -> String {
    format!(
        "{} on {} is {} than {}: {} ({} to {}).",
        text::clean(&row.candidate),
        text::metric(&row.metric, &row.labels),
        match row.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NoMaterialDifference => "not materially different",
            Verdict::Inconclusive => "not provably different",
        },
        text::clean(&row.baseline),
        metric_difference(&row.metric, &row.unit, row.difference),
        metric_value(&row.metric, &row.unit, row.baseline_mean),
        metric_value(&row.metric, &row.unit, row.candidate_mean),
    )
    .replace("different than", "different from")
}

/// What was played, in one or two sentences.
#[must_use]
pub fn setting(view: &RunView) -> String {
    let scenario = &view.scenario;
    let network = &scenario.network;
    let arms = view.summary.arms.len();
    let replications = view.summary.replications as usize;
    let mut parts = Vec::new();
    for (count, noun) in [
        (network.sites.len(), "site"),
        (network.links.len(), "link"),
        (network.neighbours.len(), "neighbour"),
        (scenario.client_groups.len(), "client group"),
        (scenario.demands.len(), "demand"),
    ] {
        if count > 0 {
            parts.push(text::count(count, noun));
        }
    }
    let played = if arms == 1 {
        format!("One arm played {}", text::count(replications, "replication"))
    } else {
        format!("{arms} arms each played the same {}", text::count(replications, "replication"))
    };
    format!(
        "{played} of {} of simulated time on {}.",
        duration(scenario.horizon.seconds()),
        list(&parts)
    )
}

/// The paragraph at the top: setting, verdicts by arm, failed checks.
#[must_use]
pub fn summary(view: &RunView) -> Vec<String> {
    let mut out = vec![setting(view)];
    for arm in view.summary.arms.iter().skip(1) {
        let rows: Vec<&ComparisonRow> =
            view.summary.comparison.iter().filter(|row| row.candidate == arm.arm).collect();
        if !rows.is_empty() {
            out.push(arm_sentence(arm, &rows));
        }
    }
    if view.summary.comparison.is_empty() {
        out.extend(headline_figures(view));
    }
    let failed: Vec<String> = view
        .summary
        .checks
        .iter()
        .filter(|check| !check.pass)
        .map(|check| {
            let arm =
                check.arm.as_ref().map_or(String::new(), |arm| format!(" in {}", text::clean(arm)));
            format!(
                "“{}”{arm} ({} against {})",
                text::clean(&check.text),
                side_of(check, check.left),
                side_of(check, check.right)
            )
        })
        .collect();
    if !failed.is_empty() {
        out.push(format!("Failed: {}.", list(&failed)));
    }
    out
}

fn arm_sentence(arm: &ArmSummary, rows: &[&ComparisonRow]) -> String {
    let mut parts = Vec::new();
    for (verdict, lead) in [
        (Verdict::Better, "better on"),
        (Verdict::Worse, "worse on"),
        (Verdict::NoMaterialDifference, "without material difference on"),
        (Verdict::Inconclusive, "inconclusive on"),
    ] {
        let of: Vec<&&ComparisonRow> = rows.iter().filter(|row| row.verdict == verdict).collect();
        if of.is_empty() {
            continue;
        }
        let figures: Vec<String> = of.iter().take(4).map(|row| figure(row)).collect();
        let more = of.len() - figures.len();
        let mut words = list(&figures);
        if more > 0 {
            words.push_str(&format!(" and {more} more"));
        }
        parts.push(format!("{lead} {words}"));
    }
    let baseline = rows.first().map_or("", |row| row.baseline.as_str());
    format!("Against {}, {} is {}.", text::clean(baseline), text::clean(&arm.arm), parts.join("; "))
}

/// `latency_ms_p99 (84.2 ms to 61 ms)`.
fn figure(row: &ComparisonRow) -> String {
    format!(
        "{} ({} to {})",
        text::metric(&row.metric, &row.labels),
        metric_value(&row.metric, &row.unit, row.baseline_mean),
        metric_value(&row.metric, &row.unit, row.candidate_mean)
    )
}

/// The first figures of each arm, where nothing was compared.
fn headline_figures(view: &RunView) -> Vec<String> {
    view.summary
        .arms
        .iter()
        .take(4)
        .filter_map(|arm| {
            let figures: Vec<String> = arm
                .metrics
                .iter()
                .filter(|metric| metric.labels.is_empty())
                .take(4)
                .map(|m| {
                    format!(
                        "{} {}",
                        text::clean(&m.metric),
                        metric_value(&m.metric, &m.unit, m.mean)
                    )
                })
                .collect();
            (!figures.is_empty()).then(|| format!("{}: {}.", text::clean(&arm.arm), list(&figures)))
        })
        .collect()
}

/// How the intervals were made.
#[must_use]
pub fn method(view: &RunView) -> String {
    let confidence = percent(view.summary.confidence);
    match view.summary.replications {
        0 | 1 => {
            "One replication: there are no intervals, and no claim is made about chance.".to_owned()
        }
        n => format!(
            "Means over {n} replications; ± is half of the {confidence} interval of the mean \
             (Student's t). Differences are taken pair by pair: both arms of a pair met the same \
             traffic, failures and noise. Verdicts count a difference only after Holm's \
             correction over the metrics compared."
        ),
    }
}

/// `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use steerlab_results::engine::record::DropCause;

    #[test]
    fn every_cause_of_loss_has_words() {
        assert_eq!(DropCause::ALL.len(), DROP_CAUSES.len());
        for (cause, (column, words)) in DropCause::ALL.into_iter().zip(DROP_CAUSES) {
            assert_eq!(cause.name().replace('-', "_"), column);
            assert_eq!(drop_cause(cause.name()), Some(words));
        }
        assert_eq!(drop_cause("lhr"), None);
    }

    #[test]
    fn what_ends_does_not_sound_as_if_it_began() {
        let event = |kind| event(kind, "lhr", "London loses power");
        assert_eq!(event("site-fails"), "site fails lhr – London loses power");
        assert_eq!(event("site-restored"), "site restored lhr (was: London loses power)");
        assert_eq!(super::event("dns-answer", "www", ""), "DNS answer changes www");
    }

    #[test]
    fn ratios_are_told_in_percent_everywhere() {
        assert_eq!(metric_value("loss_ratio", "", 0.0131), "1.31 %");
        assert_eq!(metric_value("site_utilisation_max", "", 1.2), "120 %");
        assert_eq!(metric_value("flaps", "", 3.0), "3");
        assert_eq!(metric_difference("loss_ratio", "", -0.04), "−4 pp");
        assert_eq!(metric_difference("latency_ms_p99", "ms", 4.0), "+4 ms");
    }

    #[test]
    fn checks_that_pass_do_not_hide_an_arm_that_got_worse() {
        let check = CheckResult {
            text: "loss_ratio < 5%".into(),
            arm: None,
            left: Some(0.0131),
            right: Some(0.05),
            pass: true,
        };
        let row = |verdict| ComparisonRow {
            metric: "loss_ratio".into(),
            labels: vec![],
            unit: String::new(),
            baseline: "a".into(),
            candidate: "b".into(),
            baseline_mean: 0.01,
            candidate_mean: 0.02,
            difference: 0.01,
            interval: None,
            p_value: None,
            n: 1,
            margin: 0.0,
            verdict,
            replications_needed: None,
        };
        let checks = [check];
        assert_eq!(Outcome::of(&checks, &[row(Verdict::Better)]), Outcome::Pass);
        let worse = Outcome::of(&checks, &[row(Verdict::Better), row(Verdict::Worse)]);
        assert_eq!((worse, worse.symbol()), (Outcome::PassButWorse, "!"));
        assert_eq!(side_of(&checks[0], checks[0].left), "1.31 %");
    }
}
