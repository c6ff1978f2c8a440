//! From checked values to a sharing lab: names become indices.
//!
//! Rows are built even where a value was wrong (with a stand-in), so that one mistake does not hide
//! the next; whoever calls throws the lab away if anything was reported.

use super::lab::{
    ExpectedFlow, ExpectedFreeze, ExpectedHold, ExpectedTunnels, ShareDemand, ShareExpect,
    ShareFlow, ShareLab, ShareLink,
};
use crate::diagnostic::{Diagnostic, Sink};
use crate::resolve::names::Names;
use crate::table;
use crate::typed::{Fields, Value};
use std::sync::Arc;
use steerlab_engine::load::maxmin::{BandwidthFunction, Demand, Entity, Tunnel};

/// Builds a lab. What is wrong goes to `sink`; then the result means nothing.
pub(super) fn lab(fields: &Fields, sink: &mut Sink) -> Option<ShareLab> {
    let mut resolver = Resolver { sink, names: Names::new() };
    let mut lab = ShareLab {
        name: fields.string("name"),
        label: fields.string("label"),
        description: fields.string("description"),
        source: fields.string("source"),
        ..ShareLab::default()
    };
    if lab.label.is_empty() {
        lab.label.clone_from(&lab.name);
    }
    for row in fields.rows("links") {
        let id = resolver.define(table::Entity::Link, row, lab.links.len());
        lab.links.push(ShareLink { id, capacity_bps: rate(row, "capacity") });
    }
    for row in fields.rows("flows") {
        let id = resolver.define(table::Entity::Flow, row, lab.flows.len());
        lab.flows.push(resolver.flow(id, row));
    }
    for row in fields.rows("demands") {
        let id = resolver.define(table::Entity::Demand, row, lab.demands.len());
        lab.demands.push(resolver.demand(id, row));
    }
    for row in fields.rows("background") {
        let link = resolver.named(table::Entity::Link, row, "link");
        lab.background.push((link, class(row), rate(row, "rate")));
    }
    if let (Some(background), false) = (fields.get("background"), lab.demands.is_empty()) {
        let what = "background beside demands";
        let found = Diagnostic::new("E0104", background.span, what);
        resolver.sink.push(found.help("take it off the capacities: tunnels know no classes"));
    }
    lab.expect = resolver.expect(fields.fields("expect"), &lab);
    Some(lab)
}

/// A bandwidth in bit/s; 0 if something was wrong with it.
fn rate(fields: &Fields, key: &str) -> f64 {
    fields.count(key).map_or(0.0, |bps| bps as f64)
}

fn class(fields: &Fields) -> u32 {
    fields.count("class").and_then(|class| u32::try_from(class).ok()).unwrap_or(0)
}

struct Resolver<'a> {
    sink: &'a mut Sink,
    names: Names,
}

impl Resolver<'_> {
    fn define(&mut self, entity: table::Entity, row: &Fields, index: usize) -> String {
        let id: Arc<str> = row.string("id").into();
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        if !id.is_empty() {
            self.names.define(entity, Arc::clone(&id), index, row.place("id"), self.sink);
        }
        id.to_string()
    }

    fn find(&mut self, entity: table::Entity, value: &Value) -> usize {
        self.names.find(entity, value, self.sink).unwrap_or(0) as usize
    }

    fn named(&mut self, entity: table::Entity, fields: &Fields, key: &str) -> usize {
        fields.get(key).map_or(0, |value| self.find(entity, value))
    }

    fn links(&mut self, values: &[Value]) -> Vec<usize> {
        values.iter().map(|value| self.find(table::Entity::Link, value)).collect()
    }

    fn flow(&mut self, id: String, row: &Fields) -> ShareFlow {
        let links = self.links(row.items("path"));
        let entity = Entity {
            weight: row.number("weight").unwrap_or(1.0),
            cap: row.count("cap").map(|bps| bps as f64),
            priority: class(row),
            // A list has far fewer rows than 2^32.
            rows: links.into_iter().map(|link| (link as u32, 1.0)).collect(),
        };
        let count = row.count("count").and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        ShareFlow { id, entity, count }
    }

    fn demand(&mut self, id: String, row: &Fields) -> ShareDemand {
        let tunnels = row.items("tunnels").iter();
        let tunnels = tunnels.map(|tunnel| Tunnel { edges: self.links(tunnel.items()) }).collect();
        // Stand-ins for what was wrong must still make a function.
        let applications: Vec<(f64, f64)> = row
            .rows("applications")
            .map(|row| (rate(row, "per_share").max(1.0), rate(row, "demand").max(1.0)))
            .collect();
        let function = BandwidthFunction::of_applications(&applications);
        ShareDemand { id, demand: Demand { function, tunnels } }
    }

    fn expect(&mut self, fields: Option<&Fields>, lab: &ShareLab) -> ShareExpect {
        let Some(fields) = fields else { return ShareExpect::default() };
        let mut expect = ShareExpect {
            tolerance: fields.number("tolerance").unwrap_or(0.0),
            ..ShareExpect::default()
        };
        for row in fields.rows("flows") {
            let flow = self.named(table::Entity::Flow, row, "flow");
            let held_by = row.get("held_by").map(|value| match value.text().map(|text| &**text) {
                Some("cap") => ExpectedHold::Cap,
                _ => ExpectedHold::Link(self.find(table::Entity::Link, value)),
            });
            expect.flows.push(ExpectedFlow { flow, rate_bps: rate(row, "rate"), held_by });
        }
        for row in fields.rows("tunnels") {
            let demand = self.named(table::Entity::Demand, row, "demand");
            let rates = row.items("rates").iter();
            let rates_bps: Vec<f64> =
                rates.map(|value| value.count().map_or(0.0, |bps| bps as f64)).collect();
            let tunnels = lab.demands.get(demand).map(|demand| demand.demand.tunnels.len());
            if let Some(tunnels) = tunnels.filter(|&tunnels| tunnels != rates_bps.len()) {
                let what = format!("{} rates for {tunnels} tunnels", rates_bps.len());
                let found = Diagnostic::new("E0105", row.place("rates"), what);
                self.sink.push(found.help("give one rate for each tunnel, in their order"));
            }
            expect.tunnels.push(ExpectedTunnels { demand, rates_bps });
        }
        for row in fields.rows("freezes") {
            let link = self.named(table::Entity::Link, row, "link");
            let fair_share = row.number("fair_share").unwrap_or(0.0);
            expect.freezes.push(ExpectedFreeze { link, fair_share });
        }
        if let (Some(freezes), true) = (fields.get("freezes"), lab.demands.is_empty()) {
            let found = Diagnostic::new("E0104", freezes.span, "freezes are expected of flows");
            self.sink.push(found.help("give `held_by` for each flow instead"));
        }
        expect
    }
}
