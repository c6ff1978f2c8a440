//! Where users land: the model, its data, announcements, trouble.

use super::Resolver;
use crate::catchment::{CatchmentClient, CatchmentTable};
use crate::diagnostic::Diagnostic;
use crate::files;
use crate::hex;
use crate::import::{Document, ImportError, read_as_rel};
use crate::limits;
use crate::load::refused_file;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, Table};
use steerlab_engine::net::{LinkId, NeighbourKind, NodeKind, SiteId};
use steerlab_engine::route::bgp::{Mrai, MraiScope, Relation, Validation};
use steerlab_engine::route::internet::{
    AsGraph, GraphError, Link as AsLink, Relation as AsRelation,
};
use steerlab_engine::route::landing::bgp::{BgpSolver, BgpSpec, BgpTiming, Presence, Roa};
use steerlab_engine::route::landing::measured::{DataFile, MeasuredSpec};
use steerlab_engine::route::landing::{Attributes, LandingSpec};
use steerlab_engine::scenario::{Announcement, PrefixId, RoutingSpec};

/// Keys of `routing` that only BGP reads.
const BGP_KEYS: [&str; 10] = [
    "asn",
    "as_graph",
    "as_links",
    "bgp_timing",
    "policies",
    "presence",
    "replay",
    "roas",
    "sessions",
    "validators",
];

/// Keys of an announcement that only BGP hears.
const REQUEST_KEYS: [&str; 7] =
    ["prepend", "med", "no_export", "no_export_to", "prepend_to", "local_pref", "blackhole"];

/// Numbers of a cycle that are shown; the others are counted.
const CYCLE_SHOWN: usize = 20;

impl Resolver<'_> {
    /// The model, before events may name ASes.
    pub(super) fn routing_model(&mut self, fields: &Fields) {
        let Some(routing) = fields.fields("routing") else { return };
        let model = routing.text("model").map_or("nearest", |text| &**text).to_owned();
        if model != "bgp" {
            for key in BGP_KEYS.iter().filter(|key| routing.get(key).is_some()) {
                let message = format!("`{key}` is for `model: bgp`, and the model is `{model}`");
                self.error(
                    "E0408",
                    routing.place(key),
                    message,
                    "change the model, or take it out",
                );
            }
        }
        if model != "measured" && routing.get("catchment").is_some() {
            let message =
                format!("`catchment` is for `model: measured`, and the model is `{model}`");
            let help = "change the model, or take it out";
            self.error("E0408", routing.place("catchment"), message, help);
        }
        match model.as_str() {
            "bgp" => self.bgp(routing),
            "measured" => self.measured(routing),
            _ => {}
        }
        self.bgp_unusable = model == "bgp" && !matches!(self.out.landing, LandingSpec::Bgp(_));
        self.announcements(routing);
    }

    fn announcements(&mut self, routing: &Fields) {
        for row in routing.rows("announcements") {
            let row = self.announcement(row);
            self.out.announcements.extend(row);
        }
    }

    /// How a prefix is announced at a site; what does not fit is reported.
    pub(super) fn announcement(&mut self, row: &Fields) -> Option<Announcement> {
        let prefix = self.reference(Entity::Prefix, row, "prefix").map(PrefixId);
        let site = self.reference(Entity::Site, row, "site").map(SiteId);
        let link = self.reference(Entity::Link, row, "link").map(LinkId);
        let (prefix, site) = (prefix?, site?);
        if let Some(link) = link
            && self.outside_of(link).is_none_or(|(from, _)| from != site)
        {
            let message = "this link does not lead from the site to a neighbour".to_owned();
            let help = "name a link of the site with a neighbour at its other end";
            self.error("E0423", row.place("link"), message, help);
        }
        if !self.out.prefixes[prefix].sites.contains(&site) {
            let message = "the prefix is not announced at this site at all".to_owned();
            let help = "add the site to the prefix's `sites`, or take the row out";
            self.error("E0423", row.place("site"), message, help);
        }
        self.check_requests(row);
        Some(Announcement {
            prefix,
            site,
            link,
            announced: row.flag("announce").unwrap_or(true),
            attributes: attributes(row),
        })
    }

    /// What an announcement asks of others must mean something: only BGP hears it, and only from
    /// ASes that there are.
    fn check_requests(&mut self, row: &Fields) {
        if self.bgp_unusable {
            return;
        }
        let LandingSpec::Bgp(spec) = &self.out.landing else {
            for key in REQUEST_KEYS.iter().filter(|key| asks(row, key)) {
                let message = format!("`{key}` needs `routing.model: bgp`");
                let help = "give `routing` the model, or take it out";
                self.error("E0421", row.place(key), message, help);
            }
            return;
        };
        let spec = Arc::clone(&spec.graph);
        for value in row.items("no_export_to") {
            if let Some(asn) = number(value).filter(|&asn| spec.index_of(asn).is_none()) {
                self.unknown_as(asn, value.span);
            }
        }
        for fields in row.rows("prepend_to") {
            if let Some(asn) = asn_of(fields, "asn").filter(|&asn| spec.index_of(asn).is_none()) {
                self.unknown_as(asn, fields.place("asn"));
            }
        }
    }

    /// The site of a link and the neighbour at its other end, if it has both.
    pub(super) fn outside_of(
        &self,
        link: LinkId,
    ) -> Option<(SiteId, steerlab_engine::net::NeighbourId)> {
        let network = &self.out.network;
        let ends = network.links.get(link)?.ends;
        let site = ends.iter().find_map(|&end| network.node_site(end))?;
        let neighbour = ends.iter().find_map(|&end| match network.nodes.get(end) {
            Some(NodeKind::Neighbour(neighbour)) => Some(*neighbour),
            _ => None,
        })?;
        Some((site, neighbour))
    }

    fn bgp(&mut self, routing: &Fields) {
        let Some(asn) = asn_of(routing, "asn") else {
            let message = "`model: bgp` needs our AS number".to_owned();
            self.error("E0424", routing.place("model"), message, "add `asn:` to `routing`");
            return;
        };
        let relations = self.relations();
        self.check_neighbours(routing, asn);
        let (mut links, places) = self.as_links(routing, asn);
        for (neighbour, relation) in self.out.network.neighbours.rows().iter().zip(&relations) {
            if let Some(theirs) = neighbour.asn.filter(|&theirs| theirs != asn) {
                links.push(AsLink { a: asn, b: theirs, relation: as_relation(*relation) });
            }
        }
        let Some((file, graph)) = self.as_graph(routing, asn, (&links, &places)) else { return };
        let mut spec = BgpSpec {
            asn,
            file,
            links: links.iter().map(|link| (link.a, link.b, link.relation as u8)).collect(),
            graph: Arc::new(graph),
            relations,
            solver: match routing.text("solver").map(|text| &**text) {
                Some("events") => BgpSolver::Events,
                _ => BgpSolver::Direct,
            },
            timing: timing(routing.fields("bgp_timing")),
            presence: Vec::new(),
            roas: Vec::new(),
            validators: Vec::new(),
            policies: Table::new(),
            sessions: Vec::new(),
        };
        if spec.solver == BgpSolver::Events && spec.graph.len() > EVENT_ASES_MAX {
            let message = format!(
                "`solver: events` plays every message, and the graph has {} ASes",
                spec.graph.len()
            );
            let help = "use `solver: direct`, or a graph of at most 5,000 ASes";
            self.error("E0303", routing.place("solver"), message, help);
        }
        self.bgp_lists(routing, &mut spec);
        self.route_sessions(routing, &mut spec);
        self.route_replay(routing, &spec);
        self.check_groups(&spec, routing);
        self.out.landing = LandingSpec::Bgp(Box::new(spec));
    }

    /// What each neighbour is to us: as written, or what its kind suggests.
    fn relations(&self) -> Vec<Relation> {
        let neighbours = self.out.network.neighbours.rows().iter();
        neighbours
            .zip(&self.relationships)
            .map(|(row, written)| {
                written.unwrap_or(match row.kind {
                    NeighbourKind::Transit => Relation::Provider,
                    _ => Relation::Peer,
                })
            })
            .collect()
    }

    fn check_neighbours(&mut self, routing: &Fields, asn: u32) {
        let mut seen = BTreeMap::new();
        let mut problems = Vec::new();
        for row in self.out.network.neighbours.rows() {
            match row.asn {
                None => problems.push(format!("the neighbour `{}` has no `asn`", row.id)),
                Some(theirs) if theirs == asn => {
                    problems.push(format!("the neighbour `{}` has our own AS number", row.id));
                }
                Some(theirs) => {
                    if let Some(other) = seen.insert(theirs, row.id.clone()) {
                        problems.push(format!(
                            "the neighbours `{other}` and `{}` have the same AS number",
                            row.id
                        ));
                    }
                }
            }
        }
        for message in problems {
            let help = "BGP tells networks apart by AS number: give every neighbour its own `asn`";
            self.error("E0424", routing.place("model"), message, help);
        }
    }

    /// Links between others, and where each is written.
    fn as_links(&mut self, routing: &Fields, asn: u32) -> (Vec<AsLink>, Vec<Span>) {
        let (mut links, mut places) = (Vec::new(), Vec::new());
        for row in routing.rows("as_links") {
            let (a, b, relation) = if row.mapping.name == "as_link_peers" {
                let peers: Vec<u32> = row.items("peers").iter().filter_map(number).collect();
                let [a, b] = peers[..] else { continue };
                (a, b, AsRelation::Peer)
            } else {
                let (customer, provider) = (asn_of(row, "customer"), asn_of(row, "provider"));
                let (Some(customer), Some(provider)) = (customer, provider) else { continue };
                (provider, customer, AsRelation::Customer)
            };
            if a == asn || b == asn {
                let message = "our own sessions follow from `links` to neighbours".to_owned();
                let help = "add a neighbour with this `asn` and a link to it";
                self.error("E0423", row.span, message, help);
                continue;
            }
            links.push(AsLink { a, b, relation });
            places.push(row.span);
        }
        (links, places)
    }

    /// The graph of a file, without what it says of our own AS, and of more links. Everything wrong
    /// with them has been reported where there is none.
    fn as_graph(
        &mut self,
        routing: &Fields,
        asn: u32,
        (links, places): (&[AsLink], &[Span]),
    ) -> Option<(Option<DataFile>, AsGraph)> {
        let (mut file, mut all) = (None, links.to_vec());
        if let Some(value) = routing.get("as_graph") {
            let name = value.text()?.to_string();
            let bytes = self.data_file(value)?;
            let sha256 = hex(&Sha256::digest(&bytes));
            let document = Document { name: name.clone(), bytes };
            match read_as_rel(&document) {
                Ok(graph) => {
                    let ours = |link: &AsLink| link.a == asn || link.b == asn;
                    let count = graph.links().filter(ours).count();
                    if count > 0 {
                        let what =
                            format!("{count} sessions of our AS{asn} in the file are left out");
                        let help = "what is ours follows from `links`; take another number to keep \
                                    that network in the graph";
                        self.sink.push(Diagnostic::new("W0811", value.span, what).help(help));
                    }
                    all.extend(graph.links().filter(|link| !ours(link)));
                }
                Err(error) => {
                    self.unusable(value, &error);
                    return None;
                }
            }
            file = Some(DataFile { file: name, sha256 });
        }
        match AsGraph::new(&all) {
            Ok(graph) => Some((file, graph)),
            Err(errors) => {
                for error in errors.iter().take(20) {
                    let help = "correct `as_links`, or what the neighbours are to us";
                    // What is not in `as_links` comes from the neighbours and the file.
                    let mut rows = positions(error).into_iter().filter_map(|at| places.get(at));
                    let place = rows.next_back().copied().unwrap_or(routing.place("asn"));
                    self.error("E0425", place, graph_problem(error), help);
                }
                None
            }
        }
    }

    fn unusable(&mut self, value: &Value, error: &ImportError) {
        for problem in error.problems.iter().take(20) {
            self.sink.push(
                Diagnostic::new("E0504", value.span, format!("{problem}"))
                    .help("correct the file, or fetch it again"),
            );
        }
    }

    /// Bytes of a file that a key names; what is wrong has been reported if there are none.
    fn data_file(&mut self, value: &Value) -> Option<Vec<u8>> {
        let name = value.text()?;
        let read =
            self.root.resolve(name).and_then(|path| files::read(&path, limits::DATA_BYTES_MAX));
        match read {
            Ok(bytes) => Some(bytes),
            Err(refused) => {
                self.sink.push(refused_file(&refused, name, value.span));
                None
            }
        }
    }

    /// Two rows of a list must not be about one AS.
    fn check_once(&mut self, row: &Fields, asn: u32, seen: &mut BTreeSet<u32>) {
        if !seen.insert(asn) {
            let message = format!("another row is about AS{asn}");
            self.error("E0302", row.place("asn"), message, "join the rows");
        }
    }

    fn bgp_lists(&mut self, routing: &Fields, spec: &mut BgpSpec) {
        let (mut placed, mut validating) = (BTreeSet::new(), BTreeSet::new());
        for row in routing.rows("presence") {
            let Some(asn) = self.known_as(row, "asn", spec) else { continue };
            self.check_once(row, asn, &mut placed);
            let places = row.items("at").iter();
            let at = places.filter_map(|value| match value.data {
                Data::Point(point) => Some(point),
                _ => None,
            });
            spec.presence.push(Presence { asn, at: at.collect() });
        }
        for row in routing.rows("roas") {
            let prefix = self.reference(Entity::Prefix, row, "prefix").map(PrefixId);
            let (Some(prefix), Some(asn)) = (prefix, asn_of(row, "asn")) else { continue };
            let more_specifics = row.flag("more_specifics").unwrap_or(false);
            spec.roas.push(Roa { prefix, asn, more_specifics });
        }
        for row in routing.rows("validators") {
            let Some(asn) = self.known_as(row, "asn", spec) else { continue };
            self.check_once(row, asn, &mut validating);
            let drop = row.text("invalid").is_none_or(|text| &**text == "drop");
            spec.validators
                .push((asn, if drop { Validation::Drop } else { Validation::Depreference }));
        }
    }

    /// An AS that a key names; one that is not in the graph is reported.
    pub(super) fn known_as(&mut self, fields: &Fields, key: &str, spec: &BgpSpec) -> Option<u32> {
        let asn = asn_of(fields, key)?;
        if spec.graph.index_of(asn).is_none() {
            self.unknown_as(asn, fields.place(key));
            return None;
        }
        Some(asn)
    }

    pub(super) fn unknown_as(&mut self, asn: u32, span: Span) {
        let message = format!("AS{asn} is not in the AS graph");
        let help = "check the number, or add its sessions to `as_links`";
        self.error("E0422", span, message, help);
    }

    /// Client groups must be in an AS of the graph.
    fn check_groups(&mut self, spec: &BgpSpec, routing: &Fields) {
        let mut without: Vec<String> = Vec::new();
        for group in self.out.client_groups.rows() {
            let known = group.asn.is_some_and(|asn| spec.graph.index_of(asn).is_some());
            if !known {
                without.push(match group.asn {
                    Some(asn) => format!("`{}` (AS{asn})", group.id),
                    None => format!("`{}`", group.id),
                });
            }
        }
        if let Some(first) = without.first() {
            let message = format!(
                "{} client groups are in no AS of the graph, the first is {first}",
                without.len()
            );
            let help = "give each an `asn` of the graph, or a `neighbour` that has one";
            self.error("E0422", routing.place("model"), message, help);
        }
    }

    fn measured(&mut self, routing: &Fields) {
        let Some(value) = routing.get("catchment") else {
            let message = "`model: measured` needs a catchment table".to_owned();
            self.error("E0424", routing.place("model"), message, "add `catchment: table.csv`");
            return;
        };
        let Some(bytes) = self.data_file(value) else { return };
        let name = value.text().map_or_else(String::new, |text| text.to_string());
        match CatchmentTable::parse(&name, &bytes) {
            Ok(table) => {
                let site = self.measured_sites(&table, value.span);
                let file = DataFile { file: name, sha256: hex(&Sha256::digest(&bytes)) };
                self.out.landing = LandingSpec::Measured(MeasuredSpec { file, site });
            }
            Err(found) => {
                for problem in found.iter().take(20) {
                    let line = problem.span.map_or(0, |span| span.line);
                    let message = format!("{name}, line {line}: {}", problem.message);
                    self.error("E0504", value.span, message, &problem.help);
                }
            }
        }
    }

    /// Site of every (client group, prefix) in a table: by the group, else by its AS. Sites that
    /// the scenario does not have are reported.
    fn measured_sites(&mut self, table: &CatchmentTable, span: Span) -> Vec<Option<SiteId>> {
        let mut unknown = BTreeSet::new();
        let mut sites = Vec::new();
        for group in self.out.client_groups.rows() {
            for prefix in self.out.prefixes.rows() {
                let by_group = CatchmentClient::Group(group.id.clone());
                let row = table.find(&by_group, &prefix.id).or_else(|| {
                    group.asn.and_then(|asn| table.find(&CatchmentClient::As(asn), &prefix.id))
                });
                let site = row.and_then(|row| {
                    let site = self.names.get(Entity::Site, &row.site).map(SiteId);
                    if site.is_none() {
                        unknown.insert(row.site.clone());
                    }
                    site
                });
                sites.push(site);
            }
        }
        for site in unknown {
            let message = format!("the table has users at `{site}`, and there is no such site");
            let help = "add the site, or write the scenario's site ids into the table";
            self.error("E0504", span, message, help);
        }
        sites
    }

    pub(super) fn routing_times(&mut self, routing: Option<&Fields>) {
        let seconds = SimSpan::from_seconds;
        let bgp = routing.and_then(|routing| routing.fields("bgp_convergence"));
        let time = |fields: Option<&Fields>, key: &str, otherwise: u64| {
            fields.and_then(|fields| fields.time(key)).unwrap_or(seconds(otherwise))
        };
        let spec = RoutingSpec {
            igp_convergence: time(routing, "igp_convergence", 5),
            bgp_convergence_min: time(bgp, "min", 5),
            bgp_convergence_mean: time(bgp, "mean", 30),
            bgp_convergence_max: time(bgp, "max", 180),
            landing_noise: routing.and_then(|fields| fields.number("landing_noise")).unwrap_or(0.1),
        };
        if let Some(bgp) = bgp
            && spec.bgp_convergence_min > spec.bgp_convergence_max
        {
            let message = "`min` is longer than `max`".to_owned();
            self.error("E0411", bgp.place("max"), message, "make `max` at least `min`");
        }
        self.out.routing = spec;
    }
}

/// Largest graph that is played message by message in a run.
const EVENT_ASES_MAX: usize = 5_000;

/// Whether an announcement asks for something by this key.
fn asks(row: &Fields, key: &str) -> bool {
    match key {
        "prepend" => row.count(key) != Some(0),
        "no_export" | "blackhole" => row.flag(key) == Some(true),
        _ => row.get(key).is_some(),
    }
}

pub(super) fn number(value: &Value) -> Option<u32> {
    value.count().and_then(|count| u32::try_from(count).ok())
}

pub(super) fn asn_of(fields: &Fields, key: &str) -> Option<u32> {
    fields.get(key).and_then(number)
}

fn as_relation(relation: Relation) -> AsRelation {
    match relation {
        Relation::Customer => AsRelation::Customer,
        Relation::RouteServer => AsRelation::RouteServer,
        Relation::Provider => AsRelation::Provider,
        _ => AsRelation::Peer,
    }
}

/// Positions of the links that an error is about.
fn positions(error: &GraphError) -> Vec<usize> {
    match error {
        GraphError::SelfLink { link, .. } => vec![*link],
        GraphError::Contradiction { first, second, .. } => vec![*first, *second],
        GraphError::ProviderCycle { links, .. } => {
            let mut links = links.clone();
            links.sort_unstable();
            links
        }
        GraphError::TooLarge => Vec::new(),
    }
}

fn graph_problem(error: &GraphError) -> String {
    match error {
        GraphError::SelfLink { asn, .. } => format!("AS{asn} has a session with itself"),
        GraphError::Contradiction { asns: (a, b), .. } => {
            format!("AS{a} and AS{b} have two relationships")
        }
        GraphError::ProviderCycle { asns, .. } => {
            let shown = asns.iter().take(CYCLE_SHOWN);
            let mut names: Vec<String> = shown.map(|asn| format!("AS{asn}")).collect();
            if asns.len() > CYCLE_SHOWN {
                names.push(format!("{} more", asns.len() - CYCLE_SHOWN));
            }
            names.extend(asns.first().map(|asn| format!("AS{asn}")));
            format!("each of these ASes is a provider of the next: {}", names.join(", "))
        }
        GraphError::TooLarge => "there are too many ASes".to_owned(),
    }
}

fn attributes(row: &Fields) -> Attributes {
    let count = |key: &str| row.count(key).and_then(|count| u32::try_from(count).ok());
    let times = |fields: &Fields| fields.count("times").and_then(|count| u8::try_from(count).ok());
    Attributes {
        prepend: row.count("prepend").and_then(|count| u8::try_from(count).ok()).unwrap_or(0),
        med: count("med"),
        no_export: row.flag("no_export").unwrap_or(false),
        no_export_to: row.items("no_export_to").iter().filter_map(number).collect(),
        prepend_to: row
            .rows("prepend_to")
            .filter_map(|fields| asn_of(fields, "asn").zip(times(fields)))
            .collect(),
        local_pref: count("local_pref"),
        blackhole: row.flag("blackhole").unwrap_or(false),
        communities: Vec::new(),
    }
}

/// The table's defaults and those of an absent mapping are the same.
fn timing(fields: Option<&Fields>) -> BgpTiming {
    let mut timing = BgpTiming::default();
    let Some(fields) = fields else { return timing };
    timing.session_delay = fields.time("session_delay").unwrap_or(timing.session_delay);
    timing.session_jitter = fields.number("session_jitter").unwrap_or(timing.session_jitter);
    timing.processing = fields.time("processing").unwrap_or(timing.processing);
    timing.mrai = Mrai {
        interval: fields.time("mrai").unwrap_or(timing.mrai.interval),
        jitter: fields.number("mrai_jitter").unwrap_or(timing.mrai.jitter),
        scope: match fields.text("mrai_scope").map(|text| &**text) {
            Some("prefix") => MraiScope::Prefix,
            _ => MraiScope::Peer,
        },
        withdrawals_wait: fields.flag("withdrawals_wait").unwrap_or(false),
    };
    timing.damping = fields.flag("damping").unwrap_or(false);
    timing.step = fields.time("step").unwrap_or(timing.step);
    timing
}
