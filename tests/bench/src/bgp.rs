//! The event-driven BGP solver on one AS of many routers, from a recorded topology.
//!
//! The work: seeded IGP costs from 10 to 100; five external routers in five ASes, each at another
//! router, each announcing every prefix with a path of two ASes; the three best connected routers
//! reflect for all others, or all are meshed. Measured: all announcements, one external router
//! after another; one external router withdraws everything; the first link of the best connected
//! router fails; it comes back.

use crate::measure::{machine, own_cpu_seconds, own_memory_mib_peak};
use std::collections::BTreeSet;
use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, Stream, StreamKey};
use steerlab_engine::route::bgp::{
    BgpChange, BgpNetwork, BgpPrefix, BgpPrefixId, BgpSim, IgpLink, IgpLinkId, Origination,
    Relation, Session, SettleLimits, Settled, SpeakerId, from_as_graph, plain_side, plain_speaker,
};

const EXTERNALS: u32 = 5;
const REFLECTORS: usize = 3;
const OWN_ASN: u32 = 65_000;

/// A network ready to play, and who is who in it.
struct Case {
    network: BgpNetwork,
    externals: Vec<SpeakerId>,
    hub_link: IgpLinkId,
}

/// Runs the work on the topology in `file` and prints what it cost.
///
/// # Errors
/// If the file cannot be read or is not understood, or the network does not settle.
pub fn run(file: &str, prefixes: usize, mesh: bool, single: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let (routers, links) =
        if file.ends_with(".graphml") { graphml(&text)? } else { repetita(&text)? };
    let case = build(routers, &links, prefixes, mesh)?;
    let ibgp = if mesh { "full mesh" } else { "3 reflectors" };
    println!("{file}: {routers} routers, {} links, {prefixes} prefixes, {ibgp}", links.len());
    println!("{}", machine());
    let network = Arc::new(case.network);
    let start = own_cpu_seconds();
    let mut sim = BgpSim::new(Arc::clone(&network), 1, 0);
    println!("{:<26} {:>9.4} CPU s", "make the solver", own_cpu_seconds() - start);
    // All prefixes at one instant, or each one when the one before has settled.
    let play = |sim: &mut BgpSim, change: &dyn Fn(BgpPrefixId) -> BgpChange| {
        for prefix in network.prefixes.ids() {
            let at = sim.now();
            sim.apply(at, change(prefix));
            if single {
                settle(sim)?;
            }
        }
        settle(sim)
    };
    let first = case.externals[0];
    measured("announce", &mut sim, |sim| {
        case.externals.iter().try_for_each(|&external| {
            play(sim, &|prefix| BgpChange::Announce(origination(external, prefix)))
        })
    })?;
    measured("withdraw one external", &mut sim, |sim| {
        play(sim, &|prefix| BgpChange::Withdraw { speaker: first, prefix })
    })?;
    measured("announce it again", &mut sim, |sim| {
        play(sim, &|prefix| BgpChange::Announce(origination(first, prefix)))
    })?;
    for (name, change) in [
        ("hub's first link fails", BgpChange::IgpLinkDown(case.hub_link)),
        ("hub's first link is back", BgpChange::IgpLinkUp(case.hub_link)),
    ] {
        measured(name, &mut sim, |sim| {
            let at = sim.now();
            sim.apply(at, change);
            settle(sim)
        })?;
    }
    println!(
        "peak memory {:.1} MiB, fingerprint {:016x}",
        own_memory_mib_peak(),
        sim.fingerprint().value()
    );
    Ok(())
}

fn measured(
    name: &str,
    sim: &mut BgpSim,
    work: impl FnOnce(&mut BgpSim) -> Result<(), String>,
) -> Result<(), String> {
    let (before, start) = (sim.counts(), own_cpu_seconds());
    work(sim)?;
    let (after, cpu) = (sim.counts(), own_cpu_seconds() - start);
    println!(
        "{name:<26} {cpu:>9.4} CPU s {:>9} updates in {:>7} messages, {:>8} decisions, {:>8} best routes changed",
        after.updates() - before.updates(),
        after.messages - before.messages,
        after.decisions - before.decisions,
        after.best_changes - before.best_changes
    );
    Ok(())
}

fn settle(sim: &mut BgpSim) -> Result<(), String> {
    match sim.settle(SettleLimits { updates: u64::MAX, ..SettleLimits::default() }) {
        Settled::Converged { .. } => Ok(()),
        other => Err(format!("the network does not settle: {other:?}")),
    }
}

fn origination(speaker: SpeakerId, prefix: BgpPrefixId) -> Origination {
    Origination { path: vec![100_000 + prefix.0], ..Origination::plain(speaker, prefix) }
}

fn build(
    routers: usize,
    links: &[(usize, usize)],
    prefixes: usize,
    mesh: bool,
) -> Result<Case, String> {
    if routers < EXTERNALS as usize + REFLECTORS {
        return Err(format!("{routers} routers are too few"));
    }
    let mut stream =
        Stream::new(StreamKey { seed: 1, replication: 0, purpose: "bgp-bench", entity: 0 });
    let mut network = BgpNetwork::default();
    for router in 0..routers as u32 {
        network.speakers.push(plain_speaker(format!("r{router}"), OWN_ASN, router));
    }
    for &(a, b) in links {
        let cost = 10 + stream.below(91);
        network.igp_links.push(IgpLink {
            id: format!("l{a}-{b}"),
            ends: [SpeakerId(a as u32), SpeakerId(b as u32)],
            cost: [cost, cost],
            up: true,
        });
    }
    let degree = |router: usize| links.iter().filter(|l| l.0 == router || l.1 == router).count();
    let mut by_degree: Vec<usize> = (0..routers).collect();
    by_degree.sort_by_key(|&router| (std::cmp::Reverse(degree(router)), router));
    let reflectors: BTreeSet<usize> = by_degree[..REFLECTORS].iter().copied().collect();
    for a in 0..routers {
        for b in a + 1..routers {
            let relation = match (mesh, reflectors.contains(&a), reflectors.contains(&b)) {
                (true, _, _) | (_, true, true) => [Relation::Internal; 2],
                (_, true, false) => [Relation::ReflectorClient, Relation::Internal],
                (_, false, true) => [Relation::Internal, Relation::ReflectorClient],
                (_, false, false) => continue,
            };
            network.sessions.push(session(a as u32, b as u32, relation));
        }
    }
    let mut externals = Vec::new();
    let mut borders = BTreeSet::new();
    while externals.len() < EXTERNALS as usize {
        let border = stream.below(routers as u64) as u32;
        if borders.insert(border) {
            let number = externals.len() as u32;
            let id = network.speakers.len() as u32;
            externals.push(network.speakers.push(plain_speaker(
                format!("e{number}"),
                number + 1,
                id,
            )));
            network.sessions.push(session(border, id, [Relation::Plain; 2]));
        }
    }
    for prefix in 0..prefixes {
        network.prefixes.push(BgpPrefix { id: format!("p{prefix}"), parent: None });
    }
    let hub = by_degree[0];
    let first = links.iter().position(|link| link.0 == hub || link.1 == hub);
    let hub_link = IgpLinkId::from_index(first.ok_or("the best connected router has no link")?);
    Ok(Case { network, externals, hub_link })
}

fn session(a: u32, b: u32, relation: [Relation; 2]) -> Session {
    Session {
        id: format!("s{a}-{b}"),
        ends: [SpeakerId(a), SpeakerId(b)],
        sides: [plain_side(relation[0], a), plain_side(relation[1], b)],
        delay: SimSpan::from_millis(10),
        delay_jitter: 0.0,
        up: true,
    }
}

type Topology = (usize, Vec<(usize, usize)>);

/// Value of an attribute in the text of an XML tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// Nodes and distinct links of a Topology Zoo file.
fn graphml(text: &str) -> Result<Topology, String> {
    let tags = |kind: &'static str| {
        text.split('<').filter(move |tag| tag.starts_with(kind)).map(|tag| tag.split('>').next())
    };
    let names: Vec<&str> = tags("node ").filter_map(|tag| attribute(tag?, "id")).collect();
    let place = |name: &str| names.iter().position(|known| *known == name);
    let mut links = BTreeSet::new();
    for tag in tags("edge ").flatten() {
        let end = |name| attribute(tag, name).and_then(place).ok_or(format!("bad edge: {tag}"));
        let (a, b) = (end("source")?, end("target")?);
        if a != b {
            links.insert((a.min(b), a.max(b)));
        }
    }
    Ok((names.len(), links.into_iter().collect()))
}

/// Nodes and distinct links of a REPETITA file.
fn repetita(text: &str) -> Result<Topology, String> {
    let mut routers = 0;
    let mut links = BTreeSet::new();
    let mut in_edges = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["NODES", count] => routers = count.parse().map_err(|_| format!("bad line: {line}"))?,
            ["EDGES", _] => in_edges = true,
            ["label", ..] | [] => {}
            [_, from, to, ..] if in_edges => {
                let end =
                    |word: &str| word.parse::<usize>().map_err(|_| format!("bad line: {line}"));
                let (a, b) = (end(from)?, end(to)?);
                links.insert((a.min(b), a.max(b)));
            }
            _ => {}
        }
    }
    Ok((routers, links.into_iter().collect()))
}

/// Announces one prefix from `origin` on an AS graph (CAIDA's format, text) and prints what it cost;
/// with `table`, each AS's path as `asn,path`.
///
/// # Errors
/// If the file cannot be read or is not understood, or the network does not settle.
pub fn internet(file: &str, origin: u32, table: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let mut links = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let bad = || format!("bad line: {line}");
        let fields: Vec<i64> =
            line.split('|').take(3).filter_map(|field| field.parse().ok()).collect();
        let [a, b, relation] = fields[..] else { return Err(bad()) };
        let relation = match relation {
            -1 => Relation::Customer,
            0 => Relation::Peer,
            _ => return Err(bad()),
        };
        links.push((
            u32::try_from(a).map_err(|_| bad())?,
            u32::try_from(b).map_err(|_| bad())?,
            relation,
        ));
    }
    let (network, asns) = from_as_graph(&links, 1, SimSpan::from_millis(10));
    let speaker = asns.binary_search(&origin).map_err(|_| format!("AS {origin} is not there"))?;
    let start = own_cpu_seconds();
    let mut sim = BgpSim::new(Arc::new(network), 1, 0);
    eprintln!(
        "{} ASes, {} links; made in {:.3} CPU s",
        asns.len(),
        links.len(),
        own_cpu_seconds() - start
    );
    let prefix = BgpPrefixId(0);
    let route =
        Origination { path: Vec::new(), ..origination(SpeakerId::from_index(speaker), prefix) };
    for (name, change) in [
        ("announce", BgpChange::Announce(route)),
        ("withdraw", BgpChange::Withdraw { speaker: SpeakerId::from_index(speaker), prefix }),
    ] {
        if name == "withdraw" && table {
            break;
        }
        let (before, start) = (sim.counts(), own_cpu_seconds());
        sim.apply(sim.now(), change);
        settle(&mut sim)?;
        let (after, cpu) = (sim.counts(), own_cpu_seconds() - start);
        eprintln!(
            "{name}: {cpu:.3} CPU s, {} updates, {} decisions, settled at {:.3} s",
            after.updates() - before.updates(),
            after.decisions - before.decisions,
            sim.last_best_change().seconds()
        );
    }
    eprintln!("peak memory {:.1} MiB", own_memory_mib_peak());
    if table {
        for (index, asn) in asns.iter().enumerate() {
            if let Some(route) = sim.best(SpeakerId::from_index(index), prefix) {
                let path: Vec<String> = route.path.iter().map(u32::to_string).collect();
                println!("{asn},{}", path.join("-"));
            }
        }
    }
    Ok(())
}
