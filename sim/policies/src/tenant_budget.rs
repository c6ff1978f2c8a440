//! `tenant-budget`: when links to a neighbour are congested, tenants over budget are held to it.
//!
//! Model, in the manner of BwE (Kumar et al., SIGCOMM 2015) and of the lesson published after the
//! cloud-link saturation of 21 August 2025: a tenant may always use what is free; while links
//! towards a neighbour are above `high`, a tenant above its budget is policed (or remarked) to
//! that budget. The limit is lifted once the tenant has asked for no more than its budget, or the
//! links would have room for all it asks, for `hold`. The budget is the tenant's contract, or
//! `factor` times its highest rate while nothing was congested.

use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::net::{ArcId, NeighbourId};
use steerlab_engine::scenario::TenantId;
use steerlab_engine::steer::{
    Action, Ask, Descriptor, FeedKind, Param, ParamKind, Policy, Surface, View,
};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "tenant-budget",
    version: 1,
    summary: "hold tenants to their budget towards a neighbour while its links are congested",
    source: "Kumar et al., BwE, SIGCOMM 2015; Cloudflare, incident of 21 August 2025",
    surfaces: &[Surface::Admit],
    feeds: &[FeedKind::Links, FeedKind::Tenants],
    default_period: SimSpan::from_seconds(10),
    params: &[
        Param {
            name: "high",
            kind: ParamKind::Ratio { min: 0.0, max: 10.0 },
            default: Some("95%"),
            doc: "utilisation of a link to the neighbour above which budgets bind",
        },
        Param {
            name: "factor",
            kind: ParamKind::Ratio { min: 1.0, max: 100.0 },
            default: Some("1.5"),
            doc: "budget without contract: this times the highest uncongested rate seen",
        },
        Param {
            name: "hold",
            kind: ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(86_400) },
            default: Some("5m"),
            doc: "how long a tenant must keep to its budget before the limit is lifted",
        },
        Param {
            name: "mode",
            kind: ParamKind::Choice(&["police", "remark"]),
            default: Some("police"),
            doc: "drop the excess at the source, or carry it in the last class",
        },
    ],
    build: |params| {
        Box::new(TenantBudget {
            high: params.ratio("high"),
            factor: params.ratio("factor"),
            hold: params.span("hold"),
            remark: params.choice("mode") == "remark",
            pairs: Vec::new(),
            seen_at: None,
        })
    },
    check: |_| Ok(()),
};

/// What the policy remembers of a (tenant, neighbour) pair.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Highest rate seen while nothing was congested, bit/s.
    usual_bps: f64,
    /// Budget in force, bit/s, if limited.
    limited_bps: Option<f64>,
    within_since: Option<SimTime>,
}

struct TenantBudget {
    high: f64,
    factor: f64,
    hold: SimSpan,
    remark: bool,
    pairs: Vec<Memory>,
    seen_at: Option<SimTime>,
}

/// State of a neighbour's links as last seen.
struct Links {
    congested: bool,
    /// Capacity of all its links in use, bit/s.
    capacity_bps: f64,
}

impl Policy for TenantBudget {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let Some(tenants) = view.tenant_feed else { return };
        if view.link_feed.is_none() || self.seen_at == Some(tenants.sampled_at) {
            return;
        }
        self.seen_at = Some(tenants.sampled_at);
        let neighbours = view.network.neighbours.len();
        self.pairs.resize(view.tenants.len() * neighbours, Memory::default());
        for neighbour in view.network.neighbours.ids() {
            let links = self.links(view, neighbour);
            let total: f64 =
                view.tenants.ids().map(|tenant| tenants.values.offered(tenant, neighbour)).sum();
            for tenant in view.tenants.ids() {
                let offered = tenants.values.offered(tenant, neighbour);
                let fits = total <= self.high * links.capacity_bps && !links.congested;
                self.judge(view, tenant, neighbour, offered, links.congested, fits, ask);
            }
        }
    }
}

impl TenantBudget {
    /// Congestion on the way to a neighbour: on its own links, or on an internal link that drops.
    fn links(&self, view: &View<'_>, neighbour: NeighbourId) -> Links {
        let node = view.network.neighbours[neighbour].node;
        let mut links = Links { congested: false, capacity_bps: 0.0 };
        for link in view.network.links.ids() {
            for direction in 0..2 {
                let arc = ArcId::of(link, direction);
                let Some(reading) = view.arc(arc) else { continue };
                if view.network.arc_to(arc) == node {
                    links.congested |= reading.offered_bps > self.high * reading.capacity_bps
                        && reading.offered_bps > 0.0;
                    links.capacity_bps += reading.capacity_bps;
                }
            }
        }
        links
    }

    #[expect(clippy::too_many_arguments, reason = "one judgement needs all that was read")]
    fn judge(
        &mut self,
        view: &View<'_>,
        tenant: TenantId,
        neighbour: NeighbourId,
        offered_bps: f64,
        congested: bool,
        fits: bool,
        ask: &mut Ask<'_>,
    ) {
        let slot = tenant.index() * view.network.neighbours.len() + neighbour.index();
        let memory = &mut self.pairs[slot];
        let contract = view.tenants[tenant].budget_bps.map(|bps| bps as f64);
        let budget = contract.unwrap_or(self.factor * memory.usual_bps);
        match memory.limited_bps {
            None if congested && offered_bps > budget && budget > 0.0 => {
                let action = if self.remark {
                    Action::RemarkTenant { tenant, neighbour, rate_bps: budget }
                } else {
                    Action::LimitTenant { tenant, neighbour, rate_bps: budget }
                };
                let cause = format!(
                    "links congested, tenant asks {:.3} Gbit/s of a budget of {:.3}",
                    offered_bps / 1e9,
                    budget / 1e9
                );
                if ask.request(action, cause).is_ok() {
                    memory.limited_bps = Some(budget);
                    memory.within_since = None;
                }
            }
            None => {
                if !congested {
                    memory.usual_bps = memory.usual_bps.max(offered_bps);
                }
            }
            Some(limit) => {
                let within = offered_bps <= limit || fits;
                let since = within.then(|| memory.within_since.unwrap_or(view.now));
                memory.within_since = since;
                if since.is_some_and(|since| view.now.since(since) >= self.hold) {
                    let action = Action::LiftTenantLimit { tenant, neighbour };
                    if ask.request(action, "the tenant's demand fits again").is_ok() {
                        memory.limited_bps = None;
                    }
                }
            }
        }
    }
}
