//! From typed values to the scenario: names become ids, and what a single value cannot know is
//! checked here.
//!
//! Rows are built even where a value was wrong (with a stand-in), so that one mistake does not
//! hide the next; whoever calls throws the scenario away if anything was reported.

mod arms;
mod control;
mod demands;
mod dns;
mod edge;
mod events;
mod flow;
mod judge;
mod links;
mod lints;
pub(crate) mod load;
pub(crate) mod names;
mod network;
mod replay;
mod routing;
mod routing_events;
mod sessions;
mod traffic;
mod zoom;

use crate::Vocabulary;
use crate::clock::{DateTime, Moment};
use crate::diagnostic::{Diagnostic, Sink};
use crate::files::Root;
use crate::limits;
use crate::shape::span_words;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use names::Names;
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime, Table};
use steerlab_engine::net::Network;
use steerlab_engine::route::bgp::Relation;
use steerlab_engine::route::landing::LandingSpec;
use steerlab_engine::scenario::{CompareSpec, DemandId, DemandNoise, Dns, RoutingSpec, Scenario};

/// Builds a scenario. What is wrong goes to `sink`; then the result means nothing.
pub(crate) fn scenario(
    fields: &Fields,
    root: &Root,
    vocabulary: &Vocabulary<'_>,
    sink: &mut Sink,
) -> Option<Scenario> {
    let start = match fields.get("start").map(|value| &value.data) {
        Some(Data::Date(date)) => Some(*date),
        _ => None,
    };
    let mut resolver = Resolver {
        sink,
        root,
        vocabulary,
        names: Names::new(),
        start,
        horizon: fields.time("horizon").unwrap_or(SimSpan::from_seconds(1)),
        out: blank(),
        relationships: Vec::new(),
        bgp_unusable: false,
        demand_sets: Vec::new(),
    };
    resolver.header(fields);
    resolver.fidelity(fields);
    resolver.classes(fields);
    resolver.tenants(fields);
    resolver.network(fields);
    resolver.traffic(fields);
    resolver.routing_model(fields);
    resolver.dns(fields);
    resolver.demands(fields);
    resolver.check_flows(fields);
    resolver.edge(fields);
    resolver.events(fields);
    resolver.control(fields);
    resolver.zooms(fields);
    resolver.arms(fields);
    resolver.judge(fields);
    if resolver.sink.error_count() > 0 {
        return None;
    }
    resolver.lints(fields);
    let out = resolver.out;
    if cfg!(debug_assertions) {
        out.assert_consistent();
    }
    Some(out)
}

struct Resolver<'a> {
    sink: &'a mut Sink,
    root: &'a Root,
    vocabulary: &'a Vocabulary<'a>,
    names: Names,
    start: Option<DateTime>,
    horizon: SimSpan,
    out: Scenario,
    /// What each neighbour is to us in BGP, where that is written.
    relationships: Vec<Option<Relation>>,
    /// Whether the model is BGP and could not be built: that has been reported, and what needs it
    /// cannot be judged.
    bgp_unusable: bool,
    /// The engine's demands that each entry of `demands` became.
    demand_sets: Vec<Vec<DemandId>>,
}

fn blank() -> Scenario {
    Scenario {
        name: String::new(),
        label: String::new(),
        description: String::new(),
        assumptions: Vec::new(),
        seed: 0,
        start_time_of_day: SimSpan::ZERO,
        start: String::new(),
        horizon: SimSpan::ZERO,
        bucket: SimSpan::ZERO,
        client_bucket: SimSpan::ZERO,
        traffic_step: SimSpan::ZERO,
        replications: 1,
        network: Network::default(),
        classes: Table::new(),
        tenants: Table::new(),
        services: Table::new(),
        prefixes: Table::new(),
        client_groups: Table::new(),
        dns: Dns::default(),
        caches: steerlab_engine::scenario::CachePlan::default(),
        admission: steerlab_engine::scenario::AdmissionPlan::default(),
        profiles: Table::new(),
        matrices: Table::new(),
        demands: Table::new(),
        demand_noise: DemandNoise { cv: 0.0, step: SimSpan::from_seconds(60) },
        surges: Vec::new(),
        fidelity: steerlab_engine::scenario::Fidelity::Fluid,
        timeline: Vec::new(),
        queue_limit: SimSpan::ZERO,
        zoom: Vec::new(),
        routing: RoutingSpec {
            igp_convergence: SimSpan::ZERO,
            bgp_convergence_min: SimSpan::ZERO,
            bgp_convergence_mean: SimSpan::ZERO,
            bgp_convergence_max: SimSpan::ZERO,
            landing_noise: 0.0,
        },
        landing: LandingSpec::Nearest,
        announcements: Vec::new(),
        feeds: Vec::new(),
        actuators: Vec::new(),
        arms: Table::new(),
        checks: Vec::new(),
        compare: CompareSpec { metrics: Vec::new(), margin: 0.01, confidence: 0.95 },
    }
}

impl Resolver<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: String, help: &str) {
        self.sink.push(Diagnostic::new(code, span, message).help(help));
    }

    fn find(&mut self, entity: Entity, value: &Value) -> Option<u32> {
        self.names.find(entity, value, self.sink)
    }

    /// The row that a key names; none if the key is absent or the name unknown (then reported).
    fn reference(&mut self, entity: Entity, fields: &Fields, key: &str) -> Option<u32> {
        fields.get(key).and_then(|value| self.find(entity, value))
    }

    /// The rows that a list names, each once.
    fn references(&mut self, entity: Entity, fields: &Fields, key: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for value in fields.items(key) {
            let Some(index) = self.find(entity, value) else { continue };
            found.push((index, value.span));
        }
        found.sort();
        let twice: Vec<Span> =
            found.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1).collect();
        for span in twice {
            let message = format!("this {} is listed already", entity.name());
            self.error("E0302", span, message, "list it once");
        }
        found.dedup_by_key(|(index, _)| *index);
        found.into_iter().map(|(index, _)| index).collect()
    }

    /// Adds the id of a row. False: something is wrong with it and has been reported.
    fn define(&mut self, entity: Entity, fields: &Fields, index: usize) -> bool {
        let Some(id) = fields.text("id") else { return false };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let (id, span) = (Arc::clone(id), fields.place("id"));
        self.names.define(entity, id, index, span, self.sink)
    }

    /// An instant at which something begins; one after the end of the run is reported.
    fn instant(&mut self, value: &Value) -> Option<SimTime> {
        let instant = self.any_instant(value)?;
        if instant.0 > self.horizon.0 {
            self.sink.push(
                Diagnostic::new("W0802", value.span, "this is after the end of the run")
                    .help(format!("the run ends {} after its start", span_words(self.horizon))),
            );
        }
        Some(instant)
    }

    /// An instant, perhaps after the end of the run; what is wrong with it is reported.
    fn any_instant(&mut self, value: &Value) -> Option<SimTime> {
        let Data::Moment(moment) = value.data else { return None };
        let since = match (moment, self.start) {
            (Moment::Since(span), _) => span,
            (Moment::Clock(clock), Some(start)) => start.until_clock(clock),
            (Moment::Date(date), Some(start)) => match start.until(&date) {
                Some(span) => span,
                None => {
                    let help = "give a date after `start`";
                    self.error("E0207", value.span, "this is before the start".into(), help);
                    return None;
                }
            },
            (_, None) => {
                let help = "add `start: 2025-08-21T16:00:00Z`, or write the time since the start \
                            such as `90m`";
                let message = "a clock time needs the scenario's `start`";
                self.error("E0206", value.span, message.into(), help);
                return None;
            }
        };
        Some(SimTime(since.0))
    }

    /// `at` and `until` of an event; none for `until` if absent. Reports an empty interval.
    fn interval(&mut self, fields: &Fields) -> (SimTime, Option<SimTime>) {
        let at = fields.get("at").and_then(|value| self.instant(value));
        // What ends after the run does simply does not end in it.
        let until = fields.get("until").and_then(|value| self.any_instant(value));
        if let (Some(at), Some(until)) = (at, until)
            && until <= at
        {
            let message = "`until` is not after `at`".to_owned();
            self.error("E0406", fields.place("until"), message, "make `until` later than `at`");
        }
        (at.unwrap_or(SimTime::ZERO), until)
    }

    fn header(&mut self, fields: &Fields) {
        self.out.name = fields.string("name");
        self.out.label = fields.string("label");
        if self.out.label.is_empty() {
            self.out.label.clone_from(&self.out.name);
        }
        self.out.description = fields.string("description");
        let assumptions = fields.items("assumptions").iter().filter_map(Value::text);
        self.out.assumptions = assumptions.map(|text| text.to_string()).collect();
        self.out.seed = fields.count("seed").unwrap_or(0);
        if let Some(start) = self.start {
            self.out.start_time_of_day = start.utc_time_of_day();
            self.out.start = date_text(&start);
        }
        self.out.horizon = self.horizon;
        self.out.bucket = self.step(fields, "bucket");
        self.out.traffic_step = self.step(fields, "traffic_step");
        self.out.client_bucket = self.client_bucket(fields);
        self.out.replications = number_of(fields.count("replications"), 1);
        self.out.queue_limit = fields.time("queue_limit").unwrap_or(SimSpan::ZERO);
    }

    /// A span that divides the run; too many of them are reported.
    fn step(&mut self, fields: &Fields, key: &str) -> SimSpan {
        let step = fields.time(key).unwrap_or(SimSpan::from_seconds(60));
        self.check_steps(step, key, fields.place(key));
        step
    }

    fn check_steps(&mut self, step: SimSpan, key: &str, span: Span) {
        let steps = self.horizon.0.div_ceil(step.0.max(1));
        if steps > limits::STEPS_MAX {
            let message = format!("`{key}` divides the run into {steps} steps");
            let help = "at most 10,000,000: make the step longer or the horizon shorter";
            self.error("E0401", span, message, help);
        }
    }

    fn client_bucket(&mut self, fields: &Fields) -> SimSpan {
        let bucket = self.out.bucket.0;
        match fields.time("client_bucket") {
            Some(given) => {
                if !given.0.is_multiple_of(bucket) {
                    let message = format!(
                        "`client_bucket` is not a multiple of `bucket` ({})",
                        span_words(self.out.bucket)
                    );
                    let help = "use a whole multiple, so that buckets end together";
                    self.error("E0402", fields.place("client_bucket"), message, help);
                }
                given
            }
            None => {
                // A picture over time needs some points, also of a short run.
                let part = (self.horizon.0 / CLIENT_BUCKETS_MIN).div_ceil(bucket);
                let hour = 3_600_000_000_000_u64.div_ceil(bucket);
                SimSpan(hour.min(part).max(1).saturating_mul(bucket))
            }
        }
    }
}

/// Least number of buckets of client groups in a run, unless its own buckets are wider.
const CLIENT_BUCKETS_MIN: u64 = 24;

/// A count that the table has bounded to 32 bits.
fn number_of(count: Option<u64>, otherwise: u32) -> u32 {
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(otherwise)
}

/// A start in UTC as RFC 3339.
fn date_text(date: &DateTime) -> String {
    let seconds = date.unix_ns.div_euclid(1_000_000_000);
    let nanos = date.unix_ns.rem_euclid(1_000_000_000);
    let (days, clock) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let fraction = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Year, month, day of a number of days since 1970-01-01, after Hinnant's `civil_from_days`.
fn civil_from_days(days: i128) -> (i128, i128, i128) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i128::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_they_were_read() {
        for text in ["2025-08-21T16:27:00Z", "2000-02-29T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(date_text(&crate::clock::date_time(text).unwrap()), text);
        }
        let shifted = crate::clock::date_time("2026-01-01T01:00:00.5+02:00").unwrap();
        assert_eq!(date_text(&shifted), "2025-12-31T23:00:00.500000000Z");
    }
}
