//! Colos played request by request.

use super::Resolver;
use super::load;
use crate::diagnostic::quote;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::Fields;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::load::balance::BalancerSpec;
use steerlab_engine::load::requests::{ConnectionSpec, Discipline, FrontSpec, Level, Protocol};
use steerlab_engine::net::{ColoId, NodeKind, SiteId};
use steerlab_engine::scenario::ZoomSpec;

/// Mean time between two requests of one user where nothing is said.
const REQUEST_INTERVAL: SimSpan = SimSpan::from_seconds(10);

impl Resolver<'_> {
    pub(super) fn zooms(&mut self, fields: &Fields) {
        for row in fields.rows("zoom") {
            let zoom = self.zoom(row);
            for &colo in &zoom.colos {
                let other = self.out.zoom.iter().find(|other| {
                    other.colos.contains(&colo)
                        && other.from < zoom.until
                        && zoom.from < other.until
                });
                if other.is_some() {
                    let id = &self.out.network.colos[colo].id;
                    let message =
                        format!("the colo {} is zoomed twice at the same time", quote(id));
                    self.error("E0408", row.span, message, "let one end before the other begins");
                }
            }
            self.out.zoom.push(zoom);
        }
    }

    fn zoom(&mut self, row: &Fields) -> ZoomSpec {
        let colos = self.zoomed_colos(row);
        let from = row.get("from").and_then(|value| self.instant(value)).unwrap_or(SimTime::ZERO);
        let until = row.get("until").and_then(|value| self.any_instant(value));
        let until = until.unwrap_or(SimTime(self.horizon.0));
        if until <= from {
            let message = "`until` is not after `from`".to_owned();
            self.error("E0406", row.place("until"), message, "make `until` later than `from`");
        }
        let (view, shared_view) = load::view(row.fields("view"), self.sink);
        let servers = row.fields("servers");
        let connections = row.fields("connections");
        let mut client = load::client(row.fields("clients"));
        client.connection = connections.map(|given| connection(given, self.sink));
        let level = match row.text("level").map(|text| &**text) {
            Some("connection") => Level::Connection,
            _ => Level::Request,
        };
        if level == Level::Connection && connections.is_none() {
            let message = "`level: connection` without `connections`".to_owned();
            self.error("E0408", row.place("level"), message, "add `connections: {}`");
        }
        ZoomSpec {
            colos,
            from,
            until,
            warm_up: self.zoom_warm_up(row, from),
            balancer: self.zoom_balancer(row).unwrap_or(BalancerSpec::Random),
            balancers: load::small(row.count("balancers").unwrap_or(1)),
            front: FrontSpec {
                level,
                shared_view,
                view,
                probe_delay: row.time("probe_delay").unwrap_or(SimSpan::ZERO),
                health_delay: row.time("health_delay").unwrap_or(SimSpan::ZERO),
            },
            equal_weights: row.text("weights").is_some_and(|text| &**text == "equal"),
            discipline: servers.map_or(Discipline::ProcessorSharing, |servers| {
                load::discipline(servers, "discipline")
            }),
            concurrency: servers.and_then(|servers| servers.count("concurrency")).map(load::small),
            queue_max: servers.and_then(|servers| servers.count("queue_max")).map(load::small),
            law: load::law(row, "law", self.sink),
            client,
            request_interval: connections
                .and_then(|given| given.time("request_interval"))
                .unwrap_or(REQUEST_INTERVAL),
        }
    }

    /// The balancer of a mapping, if it names one.
    pub(super) fn zoom_balancer(&mut self, fields: &Fields) -> Option<BalancerSpec> {
        load::balancer(fields.get("balancer")?, self.sink)
    }

    fn zoomed_colos(&mut self, row: &Fields) -> Vec<ColoId> {
        let mut colos: Vec<ColoId> = Vec::new();
        for index in self.references(Entity::Site, row, "sites") {
            let site = &self.out.network.sites[SiteId(index)];
            let with_servers = |colo: &&ColoId| !self.out.network.colos[**colo].pools.is_empty();
            let found: Vec<ColoId> = site.colos.iter().filter(with_servers).copied().collect();
            if found.is_empty() {
                self.no_servers(&site.id.clone(), row.place("sites"));
            }
            colos.extend(found);
        }
        for index in self.references(Entity::Node, row, "colos") {
            match self.out.network.nodes.rows().get(index as usize) {
                Some(&NodeKind::Colo(colo)) if !self.out.network.colos[colo].pools.is_empty() => {
                    colos.push(colo);
                }
                Some(&NodeKind::Colo(colo)) => {
                    let id = self.out.network.colos[colo].id.clone();
                    self.no_servers(&id, row.place("colos"));
                }
                _ => {
                    let message = "a neighbour has no servers of ours".to_owned();
                    self.error("E0416", row.place("colos"), message, "name sites or colos");
                }
            }
        }
        colos.sort_unstable();
        colos.dedup();
        let named = row.get("sites").is_some() || row.get("colos").is_some();
        if !named {
            let message = "it is not said what to zoom on".to_owned();
            self.error("E0102", row.span, message, "add `sites: [...]` or `colos: [...]`");
        }
        colos
    }

    fn no_servers(&mut self, id: &str, place: Span) {
        let message = format!("there are no servers at {}", quote(id));
        let help = "zoom on what has `pools`, or give it some";
        self.error("E0416", place, message, help);
    }

    /// Time played before counting begins; it must fit between the start and `from`.
    fn zoom_warm_up(&mut self, row: &Fields, from: SimTime) -> SimSpan {
        let warm_up = row.time("warm_up").unwrap_or(SimSpan::ZERO);
        if warm_up.0 > from.0 {
            let message =
                format!("`warm_up` of {} s begins before the scenario does", warm_up.seconds());
            let help = "set `from` to at least the warm-up";
            self.error("E0202", row.place("warm_up"), message, help);
        }
        warm_up
    }
}

fn connection(given: &Fields, sink: &mut crate::diagnostic::Sink) -> ConnectionSpec {
    let life = given.fields("life").map(|life| {
        let mean = life.time("mean").map_or(60.0, SimSpan::seconds);
        (load::law(life, "law", sink), mean)
    });
    ConnectionSpec {
        protocol: match given.text("protocol").map(|text| &**text) {
            Some("http1-plain") => Protocol::Http1Plain,
            Some("http1-tls12") => Protocol::Http1Tls12,
            Some("http1-tls13") => Protocol::Http1Tls13,
            Some("http2-tls12") => Protocol::Http2Tls12,
            Some("http3") => Protocol::Http3,
            _ => Protocol::Http2Tls13,
        },
        resumed: given.number("resumed").unwrap_or(0.0),
        early_data: given.flag("early_data").unwrap_or(false),
        dns_share: given.number("dns_share").unwrap_or(0.0),
        dns: given.time("dns").unwrap_or(SimSpan::ZERO),
        keep_alive: given.time("keep_alive").unwrap_or(SimSpan::from_seconds(60)),
        requests_max: given.count("requests_max").map(load::small),
        life,
    }
}
