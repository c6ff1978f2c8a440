use super::*;
use crate::testing::vocabulary;

const TEXT: &str = "\
format: steerlab-scenario/1
name: t
seed: 1
horizon: 1h
sites: [{id: ams}]
classes: [{id: interactive}, {id: bulk}]
arms: [{id: a, policies: [static-anycast]}, {id: b, policies: [static-anycast]}]
";

fn parse(text: &str) -> Result<Check, CheckError> {
    let loaded = crate::load_text("t", TEXT.as_bytes(), &vocabulary());
    let scenario = loaded.scenario.expect("a valid scenario");
    parse_check(text, vocabulary().metrics, &scenario)
}

fn metric(id: &str, labels: &[(&str, &str)]) -> Operand {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Operand::Metric { metric: id.to_owned(), labels }
}

#[test]
fn both_forms_are_read() {
    let check = parse("loss_ratio{class=interactive} < 0.1%").unwrap();
    assert_eq!(check.left, metric("loss_ratio", &[("class", "interactive")]));
    assert_eq!((check.op, check.right), (CheckOp::Lt, Operand::Number(0.001)));
    let check = parse("link_utilisation_max{arm=a}<=link_utilisation_max{ arm = b }").unwrap();
    assert_eq!(check.left, metric("link_utilisation_max", &[("arm", "a")]));
    assert_eq!(check.right, metric("link_utilisation_max", &[("arm", "b")]));
    let check = parse("250 ms >= latency_ms_p99{arm=a}").unwrap();
    assert_eq!((check.left, check.op), (Operand::Number(250.0), CheckOp::Ge));
    assert_eq!(parse("flaps == 0").unwrap().op, CheckOp::Eq);
    assert_eq!(parse("flaps < 1e2").unwrap().right, Operand::Number(100.0));
    let check = parse("loss_ratio{tenant=default, class=bulk} < 1").unwrap();
    assert_eq!(check.left, metric("loss_ratio", &[("class", "bulk"), ("tenant", "default")]));
}

#[test]
fn what_is_wrong_is_marked() {
    let at = |text: &str| {
        let error = parse(text).unwrap_err();
        (error.code, error.offset, error.length)
    };
    assert_eq!(at(""), ("E0701", 0, 1));
    assert_eq!(at("loss_ratio"), ("E0701", 9, 1));
    assert_eq!(at("loss_ratio ! 1"), ("E0701", 11, 1));
    assert_eq!(at("loss_ratio < "), ("E0701", 12, 1));
    assert_eq!(at("1 < 2"), ("E0701", 0, 5));
    assert_eq!(at("loss_ratio < 1 2"), ("E0701", 15, 1));
    assert_eq!(at("loss_ratio < 1_000"), ("E0701", 13, 5));
    assert_eq!(at("los_ratio < 1"), ("E0702", 0, 9));
    assert_eq!(at("loss_ratio{site=ams} < 1"), ("E0703", 11, 4));
    assert_eq!(at("loss_ratio{class=video} < 1"), ("E0703", 17, 5));
    assert_eq!(at("loss_ratio{class=bulk,class=bulk} < 1"), ("E0703", 22, 5));
    assert_eq!(at("loss_ratio{class=bulk < 1"), ("E0701", 22, 1));
    assert_eq!(at("loss_ratio < 5ms"), ("E0704", 13, 3));
    assert_eq!(at("latency_ms_p99 < 5%"), ("E0704", 17, 2));
    assert_eq!(at("latency_ms_p99 < loss_ratio"), ("E0704", 17, 10));
    assert_eq!(parse("los_ratio < 1").unwrap_err().suggestion.as_deref(), Some("loss_ratio"));
}

#[test]
fn checks_decided_in_advance_are_known() {
    let outcome = |text: &str| foregone(&parse(text).unwrap());
    assert_eq!(outcome("loss_ratio <= 1"), Some(true));
    assert_eq!(outcome("loss_ratio < 1"), None);
    assert_eq!(outcome("0 <= loss_ratio"), Some(true));
    assert_eq!(outcome("loss_ratio > 100%"), Some(false));
    assert_eq!(outcome("latency_ms_p99 < 0"), Some(false));
    assert_eq!(outcome("latency_ms_p99 <= 1000"), None);
    assert_eq!(outcome("link_utilisation_max <= 1"), None);
    assert_eq!(outcome("flaps == 0"), None);
}
