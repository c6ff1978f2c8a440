//! From checked values to queues and those who use them. Scenarios and load labs share it.

use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::table::LAW_NAMES;
use crate::typed::{Data, Fields, Value};
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::load::balance::{BalancerSpec, Staleness, ViewSpec, descriptors};
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{ClientSpec, Discipline, Pattern, RetryBudget, RetrySpec};
use steerlab_engine::steer::{ParamKind, ParamValue, Params};

/// A law, exponential after an error.
pub(crate) fn law(fields: &Fields, key: &str, sink: &mut Sink) -> Law {
    let Some(value) = fields.get(key) else { return Law::Exponential };
    let Some(text) = value.text() else { return Law::Exponential };
    text.parse().unwrap_or_else(|()| {
        let message = format!("{} is not a law", quote(text));
        sink.push(
            Diagnostic::new("E0203", value.span, message).help(format!("write one of {LAW_NAMES}")),
        );
        Law::Exponential
    })
}

/// Law and mean in seconds of what requests ask for.
pub(crate) fn service(given: Option<&Fields>, sink: &mut Sink) -> (Law, f64) {
    let Some(fields) = given else { return (Law::Exponential, 1.0) };
    let mean = fields.time("mean").map_or(1.0, SimSpan::seconds);
    (law(fields, "law", sink), mean)
}

/// A closed loop.
pub(crate) fn closed(fields: &Fields, sink: &mut Sink) -> Pattern {
    Pattern::Closed {
        clients: small(fields.count("clients").unwrap_or(1)),
        think: law(fields, "law", sink),
        think_s: fields.time("think").map_or(0.0, SimSpan::seconds),
    }
}

/// How clients behave.
pub(crate) fn client(given: Option<&Fields>) -> ClientSpec {
    let Some(fields) = given else { return ClientSpec::default() };
    ClientSpec {
        timeout: fields.time("timeout"),
        timeout_stops_server: fields.flag("timeout_stops_server").unwrap_or(false),
        failure: fields.number("failure").unwrap_or(0.0),
        retry: fields.fields("retries").map(retries).unwrap_or_default(),
        hedge: fields.time("hedge"),
        connection: None,
    }
}

fn retries(fields: &Fields) -> RetrySpec {
    let budget = |fields: &Fields| RetryBudget {
        ratio: fields.number("ratio").unwrap_or(0.0),
        burst: fields.number("burst").unwrap_or(0.0),
    };
    RetrySpec {
        max: small(fields.count("max").unwrap_or(0)),
        backoff: fields.time("backoff").unwrap_or(SimSpan::ZERO),
        backoff_factor: fields.number("backoff_factor").unwrap_or(1.0),
        backoff_max: fields.time("backoff_max").unwrap_or(SimSpan::ZERO),
        jitter: fields.flag("jitter").unwrap_or(false),
        budget: fields.fields("budget").map(budget),
    }
}

/// In which order a server serves.
pub(crate) fn discipline(fields: &Fields, key: &str) -> Discipline {
    match fields.text(key).map(|text| &**text) {
        Some("processor-sharing") => Discipline::ProcessorSharing,
        Some("preemptive-priority") => Discipline::PreemptivePriority,
        Some("priority") => Discipline::Priority,
        _ => Discipline::Fifo,
    }
}

/// What balancers see, and whether all see the same.
pub(crate) fn view(given: Option<&Fields>, sink: &mut Sink) -> (ViewSpec, bool) {
    let Some(fields) = given else { return (ViewSpec::default(), true) };
    let word = fields.string("staleness");
    let age = fields.time("age");
    let staleness = match (word.as_str(), age) {
        ("board", Some(age)) => Staleness::Board(age),
        ("entries", Some(age)) => Staleness::Entries(age),
        ("delay", Some(age)) => Staleness::Delay(age),
        ("fresh", Some(_)) => {
            let message = "`age` is given for what is always fresh";
            let help = "choose another `staleness`, or leave `age` out";
            sink.push(Diagnostic::new("E0408", fields.place("age"), message).help(help));
            Staleness::Fresh
        }
        ("fresh", None) => Staleness::Fresh,
        (word, None) => {
            let message = format!("`staleness: {word}` needs `age`");
            let help = "add `age`, such as `age: 100ms`";
            sink.push(Diagnostic::new("E0102", fields.span, message).help(help));
            Staleness::Fresh
        }
        _ => Staleness::Fresh,
    };
    let spec = ViewSpec { staleness, ..ViewSpec::default() };
    (spec, fields.flag("shared").unwrap_or(true))
}

/// A balancer; none if something was wrong with it.
pub(crate) fn balancer(value: &Value, sink: &mut Sink) -> Option<BalancerSpec> {
    let Data::Policy(given) = &value.data else { return None };
    let descriptor = descriptors::find(&given.name)?;
    let mut params = Vec::new();
    for (param, (name, value)) in descriptor.params.iter().zip(&given.params) {
        params.push(((*name).to_owned(), param_value(&param.kind, value)?));
    }
    let params = Params(&params);
    if let Err(message) = (descriptor.check)(&params) {
        let help = "change one of the parameters";
        sink.push(Diagnostic::new("E0602", value.span, message).help(help));
        return None;
    }
    Some((descriptor.spec)(&params))
}

fn param_value(kind: &ParamKind, value: &Value) -> Option<ParamValue> {
    Some(match (kind, &value.data) {
        (ParamKind::Ratio { .. }, Data::Number(ratio)) => ParamValue::Ratio(*ratio),
        (ParamKind::Span { .. }, Data::Span(span)) => ParamValue::Span(*span),
        (ParamKind::Count { .. }, Data::Count(count)) => ParamValue::Count(*count),
        (ParamKind::Rate, Data::Count(rate)) => ParamValue::Rate(*rate),
        (ParamKind::Choice(_), Data::Text(word)) => ParamValue::Choice(word.to_string()),
        _ => return None,
    })
}

/// A count that its range keeps within 32 bits.
pub(crate) fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
