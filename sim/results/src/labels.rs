//! Labels that split a metric: which there are, which entity they mean, how they are written.

use steerlab_engine::net::{LinkId, SiteId};
use steerlab_engine::record::{DropCause, MetricInfo};
use steerlab_engine::scenario::{ClassId, Operand, Scenario, TenantId};

/// (label, value) pairs, in the order in which the catalogue lists a metric's labels.
pub type Labels = Vec<(String, String)>;

/// Largest number of entities of one kind by which summaries and the `runs` table are split, so
/// that they stay small. Checks and comparisons may name entities of larger kinds.
pub const SPLIT_MAX: usize = 300;

/// The entities a value is asked for; all none = the whole network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Only this class.
    pub class: Option<ClassId>,
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only this site.
    pub site: Option<SiteId>,
    /// Only this link, both directions.
    pub link: Option<LinkId>,
    /// Only this cause of loss.
    pub cause: Option<DropCause>,
}

impl Split {
    /// The entities that labels name; none if the metric does not have such a label or there is
    /// no such entity.
    #[must_use]
    pub fn of(scenario: &Scenario, info: &MetricInfo, labels: &Labels) -> Option<Split> {
        let mut split = Split::default();
        for (label, value) in labels {
            if !info.labels.contains(&label.as_str()) {
                return None;
            }
            match label.as_str() {
                "class" => {
                    let mut rows = scenario.classes.iter();
                    split.class = Some(rows.find(|(_, row)| row.id == *value)?.0);
                }
                "tenant" => {
                    let mut rows = scenario.tenants.iter();
                    split.tenant = Some(rows.find(|(_, row)| row.id == *value)?.0);
                }
                "site" => {
                    let mut rows = scenario.network.sites.iter();
                    split.site = Some(rows.find(|(_, row)| row.id == *value)?.0);
                }
                "link" => {
                    let mut rows = scenario.network.links.iter();
                    split.link = Some(rows.find(|(_, row)| row.id == *value)?.0);
                }
                "cause" => {
                    let cause = DropCause::ALL.into_iter().find(|cause| cause.name() == value)?;
                    split.cause = Some(cause);
                }
                _ => return None,
            }
        }
        Some(split)
    }
}

/// Values that a label can take.
fn values(scenario: &Scenario, label: &str) -> Vec<String> {
    match label {
        "class" => scenario.classes.rows().iter().map(|row| row.id.clone()).collect(),
        "tenant" => scenario.tenants.rows().iter().map(|row| row.id.clone()).collect(),
        "site" => scenario.network.sites.rows().iter().map(|row| row.id.clone()).collect(),
        "link" => scenario.network.links.rows().iter().map(|row| row.id.clone()).collect(),
        "cause" => DropCause::ALL.iter().map(|cause| cause.name().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// The sets of labels a metric is always split by: none, then each label alone with each of its
/// values, where there are at most [`SPLIT_MAX`].
#[must_use]
pub fn label_sets(scenario: &Scenario, info: &MetricInfo) -> Vec<Labels> {
    let mut sets = vec![Labels::new()];
    for label in info.labels {
        let values = values(scenario, label);
        if values.len() <= SPLIT_MAX {
            sets.extend(values.into_iter().map(|value| vec![((*label).to_owned(), value)]));
        }
    }
    sets
}

/// Brings labels into the catalogue's order and takes out `arm`, which selects runs, not a part of
/// the network.
#[must_use]
pub fn canonical(metric: &str, labels: &[(String, String)]) -> Labels {
    let order = crate::catalogue::find(metric).map_or(&[][..], |info| info.labels);
    let place = |label: &str| order.iter().position(|known| *known == label);
    let mut labels: Labels = labels.iter().filter(|(label, _)| label != "arm").cloned().collect();
    labels.sort_by_key(|(label, _)| place(label).unwrap_or(order.len()));
    labels
}

/// Value of the label `arm`, if it is there.
#[must_use]
pub fn arm_of(labels: &[(String, String)]) -> Option<&str> {
    labels.iter().find(|(label, _)| label == "arm").map(|(_, value)| value.as_str())
}

/// The (metric, labels) that the checks and the comparison of a scenario name, in their order.
#[must_use]
pub fn named_sets(scenario: &Scenario) -> Vec<(String, Labels)> {
    let sides = scenario.checks.iter().flat_map(|check| [&check.left, &check.right]);
    let mut sets = Vec::new();
    for operand in sides.chain(&scenario.compare.metrics) {
        if let Operand::Metric { metric, labels } = operand {
            let set = (metric.clone(), canonical(metric, labels));
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    sets
}

/// Labels as one text: `class=bulk,tenant=shop`; empty for none.
#[must_use]
pub fn to_text(labels: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
    pairs.join(",")
}

/// Labels from one text as [`to_text`] writes it; none if a pair has no `=`.
#[must_use]
pub fn from_text(text: &str) -> Option<Labels> {
    if text.is_empty() {
        return Some(Labels::new());
    }
    text.split(',')
        .map(|pair| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, testkit};

    fn pairs(labels: &[(&str, &str)]) -> Labels {
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn text_form_goes_both_ways() {
        for labels in [pairs(&[]), pairs(&[("class", "bulk"), ("tenant", "shop")])] {
            assert_eq!(from_text(&to_text(&labels)), Some(labels));
        }
        assert_eq!(from_text("class"), None);
    }

    #[test]
    fn canonical_order_is_that_of_the_catalogue_without_arm() {
        let labels = pairs(&[("cause", "down"), ("arm", "x"), ("class", "bulk")]);
        let expected = pairs(&[("class", "bulk"), ("cause", "down")]);
        assert_eq!(canonical("loss_ratio", &labels), expected);
        assert_eq!(arm_of(&labels), Some("x"));
    }

    #[test]
    fn unknown_labels_and_entities_mean_nothing() {
        let scenario = testkit::scenario();
        let loss = catalogue::find("loss_ratio").unwrap();
        assert!(Split::of(&scenario, loss, &pairs(&[("class", "bulk")])).is_some());
        assert!(Split::of(&scenario, loss, &pairs(&[("class", "none")])).is_none());
        assert!(Split::of(&scenario, loss, &pairs(&[("link", "ab")])).is_none());
    }

    #[test]
    fn named_pairs_of_labels_are_evaluated() {
        let mut scenario = testkit::scenario();
        let labels = pairs(&[("tenant", "shop"), ("class", "bulk")]);
        scenario.compare.metrics =
            vec![Operand::Metric { metric: "loss_ratio".into(), labels: labels.clone() }];
        let samples = catalogue::evaluate(&scenario, &testkit::totals());
        let wanted = canonical("loss_ratio", &labels);
        let sample = samples.iter().find(|sample| sample.labels == wanted).unwrap();
        assert_eq!((sample.metric, sample.value), ("loss_ratio", Some(0.1)));
    }

    #[test]
    fn kinds_with_too_many_entities_are_not_split() {
        let mut scenario = testkit::scenario();
        let link = scenario.network.links.rows()[0].clone();
        for number in 0..SPLIT_MAX {
            let id = format!("extra-{number}");
            scenario.network.links.push(steerlab_engine::net::Link { id, ..link.clone() });
        }
        let info = catalogue::find("link_overload_s").unwrap();
        assert_eq!(label_sets(&scenario, info), vec![Labels::new()]);
        scenario.compare.metrics =
            vec![Operand::Metric { metric: info.id.into(), labels: pairs(&[("link", "ab")]) }];
        let samples = catalogue::evaluate(&scenario, &testkit::totals());
        assert!(samples.iter().any(|sample| sample.labels == pairs(&[("link", "ab")])));
    }
}
