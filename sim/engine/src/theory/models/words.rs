//! Parameters and quantities that several models share.

use super::{Kind, Parameter, Preset, Quantity, Range, Trouble};
use crate::theory::Given;

/// A parameter of the table.
pub const fn parameter(
    name: &'static str,
    aliases: &'static [&'static str],
    unit: &'static str,
    kind: Kind,
    preset: Preset,
    meaning: &'static str,
) -> Parameter {
    Parameter { name, aliases, unit, meaning, kind, preset }
}

/// A quantity of the table.
pub const fn quantity(
    name: &'static str,
    unit: &'static str,
    formula: &'static str,
    meaning: &'static str,
) -> Quantity {
    Quantity { name, unit, meaning, formula }
}

pub const LOAD: Parameter = parameter(
    "load",
    &["rho", "utilisation", "utilization"],
    "",
    Kind::Number(Range::POSITIVE),
    Preset::None,
    "work offered per second and server; or give rate_per_s",
);
pub const RATE: Parameter = parameter(
    "rate_per_s",
    &["rate", "lambda", "arrival_rate"],
    "1/s",
    Kind::Number(Range::POSITIVE),
    Preset::None,
    "arrivals per second, Poisson; in place of load",
);
pub const SERVICE: Parameter = parameter(
    "service_s",
    &["service", "service_s_mean", "mean"],
    "s",
    Kind::Number(Range::POSITIVE),
    Preset::Text("1"),
    "mean service time",
);
pub const SERVERS: Parameter = parameter(
    "servers",
    &["c"],
    "",
    Kind::Count(1, 100_000),
    Preset::Required,
    "servers that take work from one queue",
);
pub const CV2: Parameter = parameter(
    "cv2",
    &["scv"],
    "",
    Kind::Number(Range::NOT_NEGATIVE),
    Preset::None,
    "squared coefficient of variation of service; or give law",
);
pub const LAW: Parameter =
    parameter("law", &[], "", Kind::Law, Preset::None, "law of service; in place of cv2");

pub const UTILISATION: Quantity =
    quantity("utilisation", "", "load = rate * s / servers", "share of time a server works");
pub const WAIT: Quantity =
    quantity("wait_s_mean", "s", "sojourn - s", "mean time before service begins");
pub const NUMBER: Quantity =
    quantity("in_system_mean", "", "rate * sojourn (Little)", "mean number in the system");
pub const QUEUED: Quantity =
    quantity("in_queue_mean", "", "rate * wait (Little)", "mean number that wait");

/// Quantiles that models give, with the ends of their names.
pub const QUANTILES: [(&str, f64); 4] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

/// An open queue: what load, rate and service say together.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Arrivals per second at all servers together.
    pub rate: f64,
    /// Work offered per second and server.
    pub load: f64,
    /// Mean service time, s.
    pub service: f64,
}

/// Reads load or rate, for `servers` servers.
pub fn open(given: &Given, servers: f64) -> Result<Open, Trouble> {
    let service = given.maybe("service_s").unwrap_or(1.0);
    let help = "give load, or rate_per_s";
    match (given.maybe("load"), given.maybe("rate_per_s")) {
        (Some(load), None) => Ok(Open { rate: load * servers / service, load, service }),
        (None, Some(rate)) => Ok(Open { rate, load: rate * service / servers, service }),
        (None, None) => Err(Trouble::new("load", "is missing".to_owned(), help)),
        (Some(_), Some(_)) => {
            let what = "and rate_per_s are both given".to_owned();
            Err(Trouble::new("load", what, "give one of them; the other follows"))
        }
    }
}

/// The same, and an error if the queue would grow without end.
pub fn stable(given: &Given, servers: f64) -> Result<Open, Trouble> {
    let open = open(given, servers)?;
    if open.load < 1.0 {
        return Ok(open);
    }
    let name = if given.maybe("load").is_some() { "load" } else { "rate_per_s" };
    let what = format!("makes a load of {}: the queue grows without end", open.load);
    let help = "stable below a load of 1: rate_per_s * service_s / servers < 1";
    Err(Trouble::new(name, what, help))
}

/// A law's variation, or cv2 itself, or 1.
pub fn variation(given: &Given) -> Result<f64, Trouble> {
    match (given.maybe("cv2"), given.law("law")) {
        (Some(_), Some(_)) => {
            Err(Trouble::new("cv2", "and law are both given".to_owned(), "give one of them"))
        }
        (Some(cv2), None) => Ok(cv2),
        (None, Some(law)) => Ok(law.cv2()),
        (None, None) => {
            let help = "give cv2, or law such as hyper-exponential:4";
            Err(Trouble::new("cv2", "is missing".to_owned(), help))
        }
    }
}
