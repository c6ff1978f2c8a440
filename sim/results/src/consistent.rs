//! Checks a scenario that was read back from a run directory: every id must name a row, so that
//! no reader of reports can be led astray by a forged file.

use steerlab_engine::net::{LinkId, Network, NodeKind, SiteId};
use steerlab_engine::route::landing::{LandingSpec, Trouble};
use steerlab_engine::scenario::{Change, Rate, Scenario, Source, Target};
use steerlab_engine::steer::{FeedKind, Surface};

/// What is wrong, if something is.
pub(crate) fn check(scenario: &Scenario) -> Result<(), String> {
    check_scalars(scenario)?;
    check_network(&scenario.network)?;
    check_demands(scenario)?;
    check_dns(scenario)?;
    check_events(scenario)
}

fn within(index: u32, rows: usize, what: &str) -> Result<(), String> {
    if (index as usize) < rows { Ok(()) } else { Err(format!("{what} {index} does not exist")) }
}

fn check_scalars(scenario: &Scenario) -> Result<(), String> {
    let spans = [scenario.horizon, scenario.bucket, scenario.client_bucket, scenario.traffic_step];
    if spans.iter().any(|span| span.0 == 0) {
        return Err("horizon, buckets and traffic step must not be 0".to_owned());
    }
    if scenario.arms.is_empty() || scenario.classes.is_empty() || scenario.tenants.is_empty() {
        return Err("there must be an arm, a class and a tenant".to_owned());
    }
    let feeds = scenario.feeds.len() == FeedKind::ALL.len();
    if !feeds || scenario.actuators.len() != Surface::ALL.len() {
        return Err("there must be one entry per feed and per actuator".to_owned());
    }
    let compare = &scenario.compare;
    let confidence = compare.confidence > 0.0 && compare.confidence < 1.0;
    if !(confidence && compare.margin >= 0.0 && compare.margin.is_finite()) {
        return Err("confidence must be between 0 and 1 and the margin at least 0".to_owned());
    }
    Ok(())
}

fn check_network(network: &Network) -> Result<(), String> {
    let nodes = network.nodes.len();
    for site in network.sites.rows() {
        if site.colos.is_empty() {
            return Err("a site has no colo".to_owned());
        }
        site.colos.iter().try_for_each(|id| within(id.0, network.colos.len(), "colo"))?;
    }
    for colo in network.colos.rows() {
        within(colo.site.0, network.sites.len(), "site")?;
        within(colo.node.0, nodes, "node")?;
        colo.pools.iter().try_for_each(|id| within(id.0, network.pools.len(), "pool"))?;
    }
    for pool in network.pools.rows() {
        within(pool.colo.0, network.colos.len(), "colo")?;
    }
    for neighbour in network.neighbours.rows() {
        within(neighbour.node.0, nodes, "node")?;
    }
    for node in network.nodes.rows() {
        match node {
            NodeKind::Colo(id) => within(id.0, network.colos.len(), "colo")?,
            NodeKind::Neighbour(id) => within(id.0, network.neighbours.len(), "neighbour")?,
        }
    }
    for link in network.links.rows() {
        link.ends.iter().try_for_each(|end| within(end.0, nodes, "node"))?;
        link.srlgs.iter().try_for_each(|id| within(id.0, network.srlgs.len(), "group"))?;
    }
    Ok(())
}

fn check_demands(scenario: &Scenario) -> Result<(), String> {
    let network = &scenario.network;
    let (sites, nodes) = (network.sites.len(), network.nodes.len());
    for service in scenario.services.rows() {
        within(service.class.0, scenario.classes.len(), "class")?;
    }
    for prefix in scenario.prefixes.rows() {
        prefix.sites.iter().try_for_each(|id| within(id.0, sites, "site"))?;
    }
    for group in scenario.client_groups.rows() {
        if let Some(id) = group.neighbour {
            within(id.0, network.neighbours.len(), "neighbour")?;
        }
        group.rtt.iter().try_for_each(|(id, _)| within(id.0, sites, "site"))?;
    }
    for demand in scenario.demands.rows() {
        match demand.source {
            Source::Clients(id) => within(id.0, scenario.client_groups.len(), "client group")?,
            Source::Node(id) => within(id.0, nodes, "node")?,
        }
        match demand.target {
            Target::Prefix(id) => within(id.0, scenario.prefixes.len(), "prefix")?,
            Target::Node(id) => within(id.0, nodes, "node")?,
        }
        within(demand.service.0, scenario.services.len(), "service")?;
        within(demand.tenant.0, scenario.tenants.len(), "tenant")?;
        if let Rate::Recorded { matrix, .. } = demand.rate {
            within(matrix.0, scenario.matrices.len(), "matrix")?;
        }
        if let Some(id) = demand.profile {
            within(id.0, scenario.profiles.len(), "profile")?;
        }
    }
    Ok(())
}

fn check_dns(scenario: &Scenario) -> Result<(), String> {
    let dns = &scenario.dns;
    let count = |rows: usize| rows as u32;
    for name in dns.names.rows() {
        let prefixes = scenario.prefixes.len();
        name.candidates.iter().try_for_each(|id| within(id.0, prefixes, "prefix"))?;
    }
    if !dns.is_empty() && dns.mixes.len() != scenario.client_groups.len() {
        return Err("there must be one mix of resolvers per client group".to_owned());
    }
    for (id, _) in dns.mixes.iter().flatten() {
        within(id.0, dns.resolvers.len(), "resolver")?;
    }
    for demand in &dns.demands {
        within(demand.name.0, dns.names.len(), "name")?;
        let last = demand.first.0.saturating_add(count(dns.names[demand.name].candidates.len()));
        within(last.saturating_sub(1), scenario.demands.len(), "demand")?;
    }
    Ok(())
}

fn check_events(scenario: &Scenario) -> Result<(), String> {
    let network = &scenario.network;
    let link = |id: &LinkId| within(id.0, network.links.len(), "link");
    let site = |id: &SiteId| within(id.0, network.sites.len(), "site");
    for event in &scenario.timeline {
        match &event.change {
            Change::LinkFails(id) | Change::LinkRestored(id) | Change::LinkMembersDown(id, _) => {
                link(id)?;
            }
            Change::SiteFails(id) | Change::SiteRestored(id) => site(id)?,
            Change::SrlgFails(id) | Change::SrlgRestored(id) => {
                within(id.0, network.srlgs.len(), "group")?;
            }
            Change::ServersDown(id, _) => within(id.0, network.pools.len(), "pool")?,
            Change::NeighbourWithdraws { links, .. } | Change::NeighbourRestores { links } => {
                links.iter().try_for_each(link)?;
            }
            Change::SessionDown(id) | Change::SessionUp(id) => link(id)?,
            Change::RoutingTrouble(trouble) | Change::RoutingTroubleEnds(trouble) => {
                if let Trouble::Hijack { prefix, .. } = trouble {
                    within(prefix.0, scenario.prefixes.len(), "prefix")?;
                }
            }
            Change::FeedOutage(..) | Change::Mark => {}
        }
    }
    for row in &scenario.announcements {
        within(row.prefix.0, scenario.prefixes.len(), "prefix")?;
        site(&row.site)?;
        row.link.iter().try_for_each(link)?;
    }
    if let LandingSpec::Measured(measured) = &scenario.landing {
        measured.site.iter().flatten().try_for_each(site)?;
    }
    for surge in &scenario.surges {
        let demands = scenario.demands.len();
        surge.demands.iter().try_for_each(|id| within(id.0, demands, "demand"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;
    use steerlab_engine::kernel::{SimSpan, SimTime, Table};
    use steerlab_engine::net::NodeId;
    use steerlab_engine::scenario::{
        DemandId, NameId, NamedDemand, ResolverId, ServiceId, TimelineEvent,
    };

    #[test]
    fn a_sound_scenario_passes_and_dangling_ids_do_not() {
        assert_eq!(check(&testkit::scenario()), Ok(()));
        let changes: [fn(&mut Scenario); 11] = [
            |s| s.compare.confidence = 1.0,
            |s| s.compare.margin = -0.1,
            |s| s.bucket = SimSpan::ZERO,
            |s| s.arms = Table::new(),
            |s| s.feeds.clear(),
            |s| s.network.links.rows_mut()[0].ends[1] = NodeId(99),
            |s| s.network.sites.rows_mut()[0].colos.clear(),
            |s| s.dns.mixes.push(vec![(ResolverId(9), 1.0)]),
            |s| {
                let id = String::new();
                s.dns.demands.push(NamedDemand { id, name: NameId(9), first: DemandId(0) });
            },
            |s| s.client_groups.rows_mut()[0].rtt.push((SiteId(9), SimSpan::ZERO)),
            |s| {
                s.timeline.push(TimelineEvent {
                    at: SimTime::ZERO,
                    agent: String::new(),
                    label: String::new(),
                    change: Change::LinkFails(LinkId(9)),
                });
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut scenario = testkit::scenario();
            change(&mut scenario);
            assert!(check(&scenario).is_err(), "change {number}");
        }
        let error = within(ServiceId(3).0, 3, "service").unwrap_err();
        assert_eq!(error, "service 3 does not exist");
    }
}
