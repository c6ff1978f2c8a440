//! `threshold-withdraw`: a site that stays too hot withdraws prefixes, least valuable first.
//!
//! Model: what people write first. When a site's CPU utilisation stays above `high` for `hold`,
//! it withdraws its least valuable announced prefix; again every `hold` while it stays hot. It
//! restores in reverse order once utilisation has stayed below `low` for `restore_hold`. It looks
//! at no receiver and predicts nothing, so it is expected to cascade and to flap (Moura et al.,
//! IMC 2016, warn that plain withdrawal overloads the neighbours).

use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::net::SiteId;
use steerlab_engine::scenario::PrefixId;
use steerlab_engine::steer::{
    Action, Ask, Descriptor, FeedKind, Param, ParamKind, Policy, Surface, View,
};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "threshold-withdraw",
    version: 1,
    summary: "withdraw a prefix from a site that stays above a CPU threshold",
    source: "Moura et al., Anycast vs. DDoS, IMC 2016",
    surfaces: &[Surface::Announce],
    feeds: &[FeedKind::Sites],
    default_period: SimSpan::from_seconds(10),
    params: &[
        Param {
            name: "high",
            kind: ParamKind::Ratio { min: 0.0, max: 10.0 },
            default: Some("90%"),
            doc: "utilisation above which a site is too hot",
        },
        Param {
            name: "low",
            kind: ParamKind::Ratio { min: 0.0, max: 10.0 },
            default: Some("60%"),
            doc: "utilisation below which it may take traffic back",
        },
        Param {
            name: "hold",
            kind: ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(86_400) },
            default: Some("60s"),
            doc: "how long it must stay too hot before each withdrawal",
        },
        Param {
            name: "restore_hold",
            kind: ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(86_400) },
            default: Some("5m"),
            doc: "how long it must stay cool before each restoration",
        },
    ],
    build: |params| {
        Box::new(ThresholdWithdraw {
            high: params.ratio("high"),
            low: params.ratio("low"),
            hold: params.span("hold"),
            restore_hold: params.span("restore_hold"),
            sites: Vec::new(),
            seen_at: None,
        })
    },
    check: |params| {
        if params.ratio("low") < params.ratio("high") {
            Ok(())
        } else {
            Err("`low` must be below `high`, or every withdrawal is undone at once".to_owned())
        }
    },
};

/// What the policy remembers of a site.
#[derive(Clone, Debug, Default)]
struct Memory {
    hot_since: Option<SimTime>,
    cool_since: Option<SimTime>,
    /// Prefixes it withdrew here, in order.
    withdrawn: Vec<PrefixId>,
}

struct ThresholdWithdraw {
    high: f64,
    low: f64,
    hold: SimSpan,
    restore_hold: SimSpan,
    sites: Vec<Memory>,
    seen_at: Option<SimTime>,
}

impl Policy for ThresholdWithdraw {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let Some(sample) = view.site_feed else { return };
        if self.seen_at == Some(sample.sampled_at) {
            return;
        }
        self.seen_at = Some(sample.sampled_at);
        self.sites.resize(view.network.sites.len(), Memory::default());
        for site in view.network.sites.ids() {
            let reading = sample.values[site.index()];
            let memory = &mut self.sites[site.index()];
            let now = sample.sampled_at;
            let since =
                |condition: bool, since: Option<SimTime>| condition.then(|| since.unwrap_or(now));
            memory.hot_since = since(reading.cpu_utilisation > self.high, memory.hot_since);
            memory.cool_since = since(reading.cpu_utilisation < self.low, memory.cool_since);
            let lasted =
                |start: Option<SimTime>, hold| start.is_some_and(|start| now.since(start) >= hold);
            if lasted(memory.hot_since, self.hold) {
                let cause = format!(
                    "utilisation {:.2} above {:.2} for {:.0} s",
                    reading.cpu_utilisation,
                    self.high,
                    now.since(memory.hot_since.unwrap_or(now)).seconds()
                );
                withdraw_one(view, site, memory, &cause, ask);
                memory.hot_since = Some(now);
            } else if lasted(memory.cool_since, self.restore_hold) {
                let cause =
                    format!("utilisation {:.2} below {:.2}", reading.cpu_utilisation, self.low);
                restore_one(view, site, memory, &cause, ask);
                memory.cool_since = Some(now);
            }
        }
    }
}

/// Withdraws the least valuable prefix that the site announces; ties by prefix number.
fn withdraw_one(
    view: &View<'_>,
    site: SiteId,
    memory: &mut Memory,
    cause: &str,
    ask: &mut Ask<'_>,
) {
    let mut candidates: Vec<PrefixId> =
        view.prefixes.ids().filter(|&prefix| view.announced[prefix][site.index()]).collect();
    candidates.sort_by(|&a, &b| {
        view.prefixes[a].value.total_cmp(&view.prefixes[b].value).then(a.cmp(&b))
    });
    if let Some(&prefix) = candidates.first()
        && ask.request(Action::Withdraw { prefix, site }, cause).is_ok()
    {
        memory.withdrawn.retain(|&known| known != prefix);
        memory.withdrawn.push(prefix);
    }
}

/// Announces again what was withdrawn last. What is announced already is forgotten only when that
/// shows: a request may have been lost.
fn restore_one(view: &View<'_>, site: SiteId, memory: &mut Memory, cause: &str, ask: &mut Ask<'_>) {
    memory.withdrawn.retain(|&prefix| !view.announced[prefix][site.index()]);
    if let Some(&prefix) = memory.withdrawn.last() {
        // A refusal is on record, and it is asked again after the next hold.
        let _refused = ask.request(Action::Announce { prefix, site }, cause);
    }
}
