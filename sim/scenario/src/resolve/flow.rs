//! How the traffic of a service comes as single flows.

use super::Resolver;
use super::load::law;
use crate::typed::{Fields, Value};
use std::sync::Arc;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::load::flows::{Arrivals, SourceSpec};
use steerlab_engine::load::law::Law;
use steerlab_engine::scenario::{Fidelity, Rate};

/// Most flows that a run may be expected to play.
const FLOWS_MAX: f64 = 1e10;

impl Resolver<'_> {
    /// At which fidelity traffic is played.
    pub(super) fn fidelity(&mut self, fields: &Fields) {
        if fields.text("fidelity").is_some_and(|word| &**word == "flows") {
            self.out.fidelity = Fidelity::Flows;
        }
    }

    /// The flows of a service, if it has any.
    pub(super) fn flow(&mut self, service: &Fields) -> Option<SourceSpec> {
        let fields = service.fields("flow")?;
        let points = fields.items("points");
        let (size, mean_bytes) = if points.is_empty() {
            let mean = fields.count("mean").or(service.count("response")).unwrap_or(0);
            (law(fields, "size", self.sink), mean as f64)
        } else {
            for key in ["mean", "size"] {
                if fields.get(key).is_some() {
                    let message = format!("`{key}` and `points` both say how large flows are");
                    self.error("E0408", fields.place(key), message, "keep one of the two");
                }
            }
            self.sizes(points)?
        };
        if mean_bytes <= 0.0 {
            let place = if fields.get("mean").is_some() { "mean" } else { "points" };
            let message = "flows without a size finish at once".to_owned();
            let help = "give `mean` or `points` above 0B";
            self.error("E0202", fields.place(place), message, help);
            return None;
        }
        let arrivals = self.arrivals(fields);
        Some(SourceSpec { arrivals, size, mean_bits: mean_bytes * 8.0 })
    }

    /// Law and mean of measured sizes, in bytes.
    fn sizes(&mut self, points: &[Value]) -> Option<(Law, f64)> {
        let (mut table, mut last, mut mean) = (Vec::new(), (0.0, 0.0), 0.0);
        for point in points.iter() {
            let row = point.fields()?;
            let next = (row.count("size")? as f64, row.number("share")?);
            if next.0 < last.0 || next.1 <= last.1 {
                let message = "sizes and shares must ascend from point to point".to_owned();
                self.error("E0202", point.span, message, "write the points in order");
                return None;
            }
            mean += (next.1 - last.1) * (last.0 + next.0) / 2.0;
            last = next;
            table.push(next);
        }
        if last.1 < 1.0 {
            let span = points.last()?.span;
            let message = format!("the last share is {}, so some flows have no size", last.1);
            self.error("E0202", span, message, "end with `share: 1`");
            return None;
        }
        table.iter_mut().for_each(|point| point.0 /= mean);
        Some((Law::Empirical(Arc::new(table)), mean))
    }

    fn arrivals(&mut self, fields: &Fields) -> Arrivals {
        let recorded = fields.items("recorded");
        if let Some(phases) = fields.fields("on_off") {
            if !recorded.is_empty() {
                let message = "`on_off` and `recorded` both say when flows come".to_owned();
                self.error("E0408", fields.place("on_off"), message, "keep one of the two");
            }
            let seconds = |key| phases.time(key).map_or(0.0, SimSpan::seconds);
            return Arrivals::OnOff { on_s: seconds("on"), off_s: seconds("off") };
        }
        let mut list = Vec::new();
        for value in recorded {
            let Some(row) = value.fields() else { continue };
            let at = row.get("at").and_then(|at| self.instant(at));
            let Some((at, size)) = at.zip(row.count("size")) else { continue };
            if list.last().is_some_and(|&(last, _)| at < last) {
                let message = "this flow starts before the one above it".to_owned();
                self.error("E0202", value.span, message, "write the flows in order of time");
            }
            list.push((at, size as f64 * 8.0));
        }
        if list.is_empty() { Arrivals::Poisson } else { Arrivals::Recorded(Arc::new(list)) }
    }

    /// Traffic as rates does not give way to flows: it must not stand below them.
    fn check_classes_of_flows(&mut self, fields: &Fields) {
        let classes = |plays: bool| {
            let services = self.out.demands.rows().iter();
            let services = services.filter_map(|demand| self.out.services.get(demand.service));
            services.filter(move |service| service.flow.is_some() == plays).map(|row| row.class)
        };
        let (highest, lowest) = (classes(true).min(), classes(false).max());
        if self.out.fidelity == Fidelity::Flows
            && let (Some(flows), Some(rates)) = (highest, lowest)
            && rates > flows
        {
            let message = "some traffic played as rates is of a lower class than flows";
            let help = "give its service a `flow`, or a class not below that of the flows: flows \
                        leave room for rates of their own class and above only";
            self.error("E0417", fields.place("fidelity"), message.to_owned(), help);
        }
    }

    /// More flows than any machine plays are refused before the run.
    pub(super) fn check_flows(&mut self, fields: &Fields) {
        let mut flows = 0.0;
        for demand in self.out.demands.rows() {
            let Some(service) = self.out.services.get(demand.service) else { continue };
            let Some(spec) = &service.flow else { continue };
            flows += match demand.rate {
                Rate::RequestsPerS(rate) => rate,
                Rate::Bps(bps) => bps / spec.mean_bits,
                Rate::Recorded { .. } => 0.0,
            };
        }
        self.check_classes_of_flows(fields);
        flows *= self.horizon.seconds();
        if self.out.fidelity == Fidelity::Flows && flows > FLOWS_MAX {
            let message = format!("about {flows:.1e} flows would be played one by one");
            let help = "at most 1e10: make flows larger, rates lower or the horizon shorter, or \
                        play traffic as rates with `fidelity: fluid`";
            self.error("E0412", fields.place("fidelity"), message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Loaded, load_text};
    use crate::testing::vocabulary;
    use steerlab_engine::kernel::SimTime;
    use steerlab_engine::scenario::Scenario;

    fn load(text: &str) -> Loaded {
        let head = "format: steerlab-scenario/1\nname: t\nseed: 7\n";
        load_text("t.yaml", format!("{head}{text}").as_bytes(), &vocabulary())
    }

    fn scenario(text: &str) -> Scenario {
        let loaded = load(text);
        loaded.scenario.clone().unwrap_or_else(|| panic!("{}", crate::render(&loaded, false)))
    }

    fn codes(text: &str) -> Vec<&'static str> {
        load(text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    const ARMS: &str = "arms: [{id: now, policies: [static-anycast]}]\n";
    const SITES: &str = "sites: [{id: ams, at: [52.37, 4.90]}, {id: fra, at: [50.11, 8.68]}]\n";

    #[test]
    fn services_say_how_their_flows_come() {
        let flow = |text: &str| {
            let services = format!("services: [{{id: bulk, response: 1MB, flow: {text}}}]\n");
            scenario(&format!("horizon: 1h\nfidelity: flows\n{services}{ARMS}"))
        };
        let spec = |text: &str| flow(text).services.rows()[0].flow.clone().expect("it has flows");
        assert_eq!(flow("{}").fidelity, Fidelity::Flows);
        let plain = spec("{}");
        assert_eq!((plain.mean_bits, plain.size), (8e6, Law::Exponential));
        assert_eq!(plain.arrivals, Arrivals::Poisson);
        let pareto = spec("{mean: 10kB, size: \"pareto:2.5\", on_off: {on: 1s, off: 3s}}");
        assert_eq!((pareto.mean_bits, pareto.size), (8e4, Law::Pareto(2.5)));
        assert_eq!(pareto.arrivals, Arrivals::OnOff { on_s: 1.0, off_s: 3.0 });
        let measured = spec("{points: [{size: 1kB, share: 0.5}, {size: 3kB, share: 1}]}");
        // Half of the flows 0 to 1 kB, half 1 to 3 kB.
        assert_eq!(measured.mean_bits, 1250.0 * 8.0);
        let points = vec![(1000.0 / 1250.0, 0.5), (3000.0 / 1250.0, 1.0)];
        assert_eq!(measured.size, Law::Empirical(points.into()));
        let recorded = spec("{recorded: [{at: 1s, size: 1kB}, {at: 2s, size: 2kB}]}");
        let list = vec![(SimTime(1_000_000_000), 8e3), (SimTime(2_000_000_000), 16e3)];
        assert_eq!(recorded.arrivals, Arrivals::Recorded(list.into()));
    }

    #[test]
    fn flows_that_make_no_sense_are_told() {
        let of = |text: &str| {
            let services = format!("services: [{{id: bulk, response: 0B, flow: {text}}}]\n");
            codes(&format!("horizon: 1h\nfidelity: flows\n{services}{ARMS}"))
        };
        assert_eq!(of("{}"), ["E0202"], "no size");
        assert_eq!(of("{mean: 1kB, size: sometimes}"), ["E0203"]);
        assert_eq!(of("{points: [{size: 2kB, share: 0.5}, {size: 1kB, share: 1}]}"), ["E0202"]);
        assert_eq!(
            of("{points: [{size: 2kB, share: 0.5}]}"),
            ["E0202"],
            "half of them have no size"
        );
        assert_eq!(of("{mean: 1kB, points: [{size: 2kB, share: 1}]}"), ["E0408"]);
        let both = "{mean: 1kB, on_off: {on: 1s, off: 1s}, recorded: [{at: 1s, size: 1kB}]}";
        assert_eq!(of(both), ["E0408"]);
        let late = "{mean: 1kB, recorded: [{at: 2s, size: 1kB}, {at: 1s, size: 1kB}]}";
        assert_eq!(of(late), ["E0202"]);
        let many = format!(
            "horizon: 10h\nfidelity: flows\n{SITES}{ARMS}services: [{{id: bulk, response: 1B, flow: {{}}}}]\n\
         links: [{{id: l, ends: [ams, fra], capacity: 1Tbps}}]\n\
         demands: [{{id: d, from: ams, to: fra, rate: 100Gbps}}]\n"
        );
        assert_eq!(codes(&many), ["E0412"]);
    }
}
