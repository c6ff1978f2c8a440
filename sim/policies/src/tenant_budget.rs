//! `tenant-budget`: when links to a neighbour are congested, tenants over budget are held to it.
//!
//! Model, in the manner of BwE (Kumar et al., SIGCOMM 2015) and of the lesson published after the
//! cloud-link saturation of 21 August 2025: a tenant may always use what is free; while links
//! towards a neighbour are above `high`, a tenant above its budget is policed (or remarked) to
//! that budget. The limit is lifted once, for `hold`, the tenant has asked for no more than its
//! budget, or the links would have had room for all that everybody asks (each link's load scaled
//! by what is asked over what is let through). The budget is the tenant's contract, or `factor`
//! times its highest rate while nothing was congested.

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

/// A neighbour's links as last seen.
#[derive(Clone, Copy)]
struct State {
    /// A link is used above the threshold.
    congested: bool,
    /// All that everybody asks would stay below it.
    fits: bool,
}

/// Utilisation of the fullest link into a neighbour, as last reported.
fn utilisation(view: &View<'_>, neighbour: NeighbourId) -> f64 {
    let node = view.network.neighbours[neighbour].node;
    view.links_to(neighbour)
        .flat_map(|link| [ArcId::of(link, 0), ArcId::of(link, 1)])
        .filter(|&arc| view.network.arc_to(arc) == node)
        .filter_map(|arc| view.arc(arc))
        .filter(|reading| reading.capacity_bps > 0.0)
        .map(|reading| reading.offered_bps / reading.capacity_bps)
        .fold(0.0, f64::max)
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
            let used = utilisation(view, neighbour);
            let (mut asked, mut passed) = (0.0, 0.0);
            for tenant in view.tenants.ids() {
                let offered = tenants.values.offered(tenant, neighbour);
                let limit = self.pairs[tenant.index() * neighbours + neighbour.index()].limited_bps;
                asked += offered;
                passed += limit.map_or(offered, |limit| offered.min(limit));
            }
            let all = if passed > 0.0 { used * asked / passed } else { used };
            for tenant in view.tenants.ids() {
                let offered = tenants.values.offered(tenant, neighbour);
                let state = State { congested: used > self.high, fits: all <= self.high };
                self.judge(view, (tenant, neighbour), offered, state, ask);
            }
        }
    }
}

impl TenantBudget {
    fn judge(
        &mut self,
        view: &View<'_>,
        (tenant, neighbour): (TenantId, NeighbourId),
        offered_bps: f64,
        State { congested, fits }: State,
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
