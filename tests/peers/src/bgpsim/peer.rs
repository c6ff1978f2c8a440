//! The peer's side: ETH bgpsim.

use super::plan::{Drawn, INTERNAL_AS, Plan};
use crate::measure::{cpu_seconds, memory_mib_peak};
use bgpsim::prelude::*;
use bgpsim::route_map::{RouteMapBuilder, RouteMapDirection};

type Net = Network<SimplePrefix, BasicEventQueue<SimplePrefix>, GlobalOspf>;

/// Plays a run and prints routes and figures.
pub fn play(plan: &Plan, drawn: &Drawn) -> Result<(), String> {
    let problem = |error: NetworkError| format!("{}: {error}", plan.network);
    let mut net: Net = Network::new(BasicEventQueue::new());
    let routers: Vec<RouterId> =
        (0..drawn.routers).map(|at| net.add_router(format!("r{at}"), INTERNAL_AS)).collect();
    let externals: Vec<RouterId> = drawn
        .external_as
        .iter()
        .enumerate()
        .map(|(at, &asn)| net.add_router(format!("x{at}"), asn))
        .collect();
    let links = drawn.links.iter().map(|&(a, b, _)| (routers[a], routers[b]));
    let outside = drawn.borders.iter().zip(&externals).map(|(&at, &x)| (routers[at], x));
    net.add_links_from(links.chain(outside.clone()).collect::<Vec<_>>()).map_err(problem)?;
    let weights = drawn.links.iter().flat_map(|&(a, b, cost)| {
        let (a, b) = (routers[a], routers[b]);
        [(a, b, f64::from(cost)), (b, a, f64::from(cost))]
    });
    net.set_link_weights_from(weights.collect::<Vec<_>>()).map_err(problem)?;
    let inside =
        drawn.sessions.iter().map(|&(a, b, client)| (routers[a], routers[b], Some(client)));
    let border = outside.clone().map(|(a, b)| (a, b, Some(false)));
    net.set_bgp_session_from(inside.chain(border).collect::<Vec<_>>()).map_err(problem)?;
    // Outside routers announce and do not listen.
    for (inner, outer) in outside {
        let deny = RouteMapBuilder::new().order(1).deny().build();
        net.set_bgp_route_map(outer, inner, RouteMapDirection::Incoming, deny).map_err(problem)?;
    }
    let start = cpu_seconds();
    for row in &drawn.announcements {
        let path: Vec<u32> = row.path.clone();
        let prefix = SimplePrefix::from(row.prefix);
        net.advertise_route(externals[row.external], prefix, path, Some(row.med), [])
            .map_err(problem)?;
    }
    let announced = cpu_seconds() - start;
    print_routes("announced", &net, &routers, drawn);
    let start = cpu_seconds();
    let (a, b, _) = drawn.links[drawn.failing];
    net.remove_link(routers[a], routers[b]).map_err(problem)?;
    let failed = cpu_seconds() - start;
    print_routes("failed", &net, &routers, drawn);
    let start = cpu_seconds();
    for row in drawn.announcements.iter().filter(|row| row.external == drawn.withdrawing) {
        let prefix = SimplePrefix::from(row.prefix);
        net.withdraw_route(externals[row.external], prefix).map_err(problem)?;
    }
    let withdrawn = cpu_seconds() - start;
    print_routes("withdrawn", &net, &routers, drawn);
    println!("# {announced} {failed} {withdrawn} {}", memory_mib_peak());
    Ok(())
}

fn print_routes(phase: &str, net: &Net, routers: &[RouterId], drawn: &Drawn) {
    for prefix in 0..drawn.prefixes {
        for (at, &router) in routers.iter().enumerate() {
            let entry = net.get_router(router).ok();
            let entry = entry.and_then(|router| router.bgp.get_route(SimplePrefix::from(prefix)));
            match entry {
                Some(entry) => {
                    let path: Vec<String> =
                        entry.route.as_path.iter().map(|asn| asn.0.to_string()).collect();
                    let hop = entry.route.next_hop.index();
                    println!("{phase},{prefix},{at},{hop},{}", path.join("-"));
                }
                None => println!("{phase},{prefix},{at},none,"),
            }
        }
    }
}
