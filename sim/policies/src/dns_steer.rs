//! `dns-steer`: answers of DNS names by place, by order, or by place and load.
//!
//! Model: what global server load balancers do. Each client group that queries tell, and each
//! shared resolver that does not tell them (its users are taken to be where it is), gets an answer
//! of its own.
//!
//! - `geo`: the nearest candidate that is up.
//! - `failover`: for everybody the first candidate, in the order of the scenario, that is up. It
//!   does not look at load: whoever leaves a hot site makes it cool, and would come back.
//! - `capacity`: greedy fill. Near pairs of group and candidate first, as long as the candidate's
//!   site has room; the marginal group is split. Room follows from measured load: what is planned
//!   at a site plus `gain` x (target / utilisation - 1) x measured requests. Volumes of groups are
//!   planning figures, scaled to the measured total; the loop corrects them.
//!
//! Distances stand in for latency: there is no feed of round trips. A candidate of several sites
//! counts as near as its nearest site, which routing need not choose.
//!
//! After a change the loop waits for `hold`. What it measures earlier still contains users on old
//! answers; deciding on that again over-corrects (integral control with lag k is stable only below
//! a gain of 2 sin(pi / (2 (2k + 1)))). Losing a site is no reason to wait.

mod fill;
mod scene;

use scene::{Loads, Scene};
use std::collections::BTreeSet;
use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::net::SiteId;
use steerlab_engine::scenario::NameId;
use steerlab_engine::steer::{
    Action, AnswerScope, Ask, Descriptor, FeedKind, Param, ParamKind, Policy, Refusal, Surface,
    View,
};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "dns-steer",
    version: 1,
    summary: "answer DNS names by place, by order of preference, or by place and load",
    source: "Flavel et al., LANMAN 2014; Chen et al., End-User Mapping, SIGCOMM 2015",
    surfaces: &[Surface::Dns],
    feeds: &[FeedKind::Sites],
    default_period: SimSpan::from_seconds(30),
    params: &[
        Param {
            name: "mode",
            kind: ParamKind::Choice(&["geo", "failover", "capacity"]),
            default: Some("geo"),
            doc: "nearest site that is up; first one in the order written; nearest with room",
        },
        Param {
            name: "high",
            kind: ParamKind::Ratio { min: 0.0, max: 10.0 },
            default: Some("90%"),
            doc: "CPU utilisation above which a site is too hot (capacity)",
        },
        Param {
            name: "target",
            kind: ParamKind::Ratio { min: 0.01, max: 10.0 },
            default: Some("75%"),
            doc: "utilisation to which a hot site is brought (capacity)",
        },
        Param {
            name: "low",
            kind: ParamKind::Ratio { min: 0.0, max: 10.0 },
            default: Some("60%"),
            doc: "utilisation below which a site takes users back (capacity)",
        },
        Param {
            name: "gain",
            kind: ParamKind::Ratio { min: 0.01, max: 2.0 },
            default: Some("100%"),
            doc: "part of the measured excess that one decision moves (capacity)",
        },
        Param {
            name: "hold",
            kind: ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(86_400) },
            default: Some("3m"),
            doc: "least time between changes: longer than TTL plus delay and period of the feed",
        },
    ],
    build: |params| {
        Box::new(DnsSteer {
            mode: match params.choice("mode") {
                "failover" => Mode::Failover,
                "capacity" => Mode::Capacity,
                _ => Mode::Geo,
            },
            high: params.ratio("high"),
            target: params.ratio("target"),
            low: params.ratio("low"),
            gain: params.ratio("gain"),
            hold: params.span("hold"),
            changed_at: None,
            usable: Vec::new(),
            wishes: Vec::new(),
            unseen: BTreeSet::new(),
        })
    },
    check: |params| {
        let [low, target, high] = ["low", "target", "high"].map(|name| params.ratio(name));
        if low < target && target < high {
            Ok(())
        } else {
            Err("`low`, `target` and `high` must rise, or users go back and forth".to_owned())
        }
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Geo,
    Failover,
    Capacity,
}

struct DnsSteer {
    mode: Mode,
    high: f64,
    target: f64,
    low: f64,
    gain: f64,
    hold: SimSpan,
    changed_at: Option<SimTime>,
    /// Per prefix: sites known to be up that announce it, when answers were last decided.
    usable: Vec<Vec<SiteId>>,
    /// Per name: the candidate that failover would rather have, and since when.
    wishes: Vec<Option<(usize, SimTime)>>,
    /// Scopes that no query for a name tells.
    unseen: BTreeSet<(NameId, AnswerScope)>,
}

impl Policy for DnsSteer {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let scene = Scene::new(view);
        if self.mode == Mode::Failover {
            self.fail_over(&scene, ask);
            return;
        }
        let first = self.changed_at.is_none();
        let lost = !first && lost_any(&self.usable, &scene.usable);
        let held = self.changed_at.is_some_and(|at| view.now.since(at) < self.hold);
        if held && !lost {
            return;
        }
        let due = first
            || scene.usable != self.usable
            || match self.mode {
                Mode::Capacity => self.out_of_bounds(&scene),
                _ => self.asked_in_vain(&scene),
            };
        if !due {
            return;
        }
        let loads = match self.mode {
            Mode::Capacity if !first => self.loads(&scene),
            _ => None,
        };
        let mut changed = false;
        for name in view.dns.names.ids() {
            let shares = match &loads {
                Some(loads) => scene.fill(loads, name),
                None => scene.nearest_candidates(name),
            };
            for (asker, shares) in scene.askers.iter().zip(shares) {
                changed |= self.answer(view, name, asker.scope, &shares, ask);
            }
        }
        if changed || first {
            self.changed_at = Some(view.now);
        }
        self.usable = scene.usable;
    }
}

fn lost_any(before: &[Vec<SiteId>], now: &[Vec<SiteId>]) -> bool {
    before.iter().zip(now).any(|(before, now)| before.iter().any(|site| !now.contains(site)))
}

impl DnsSteer {
    /// Room at every site; none without a sample.
    fn loads(&self, scene: &Scene<'_>) -> Option<Loads> {
        scene.loads(&self.usable, self.target, &|reading| {
            let used = reading.cpu_utilisation;
            // Within the bounds a site keeps what it has.
            if (self.low..=self.high).contains(&used) {
                0.0
            } else {
                self.gain * (self.target / used - 1.0) * reading.requests_per_s
            }
        })
    }

    /// Whether a site is too hot, or one is cool again that lost users to others.
    fn out_of_bounds(&self, scene: &Scene<'_>) -> bool {
        let Some(sample) = scene.view.site_feed else { return false };
        // A sample from before the last change knows nothing of it.
        if self.changed_at.is_some_and(|at| sample.sampled_at < at) {
            return false;
        }
        let used = |site: SiteId| sample.values[site.index()].cpu_utilisation;
        if sample.values.iter().any(|site| site.cpu_utilisation > self.high) {
            return true;
        }
        scene.view.dns.names.ids().any(|name| {
            let best = scene.nearest_candidates(name);
            scene.askers.iter().zip(best).any(|(asker, best)| {
                let Some(at) = best.iter().position(|&share| share > 0.0) else { return false };
                let answer = scene.view.dns.answers.get(&(name, asker.scope));
                let away = answer.is_some_and(|answer| answer[at] < 1.0);
                let prefix = scene.view.dns.names[name].candidates[at];
                let home = scene.nearest_site(asker, &scene.usable[prefix.index()]);
                away && home.is_some_and(|(site, _)| used(site) < self.low)
            })
        })
    }

    /// Whether an answer that was asked for is not the one requested now: it got lost.
    fn asked_in_vain(&self, scene: &Scene<'_>) -> bool {
        scene.view.dns.names.ids().any(|name| {
            scene.askers.iter().zip(scene.nearest_candidates(name)).any(|(asker, shares)| {
                !self.unseen.contains(&(name, asker.scope))
                    && shares.iter().any(|&share| share > 0.0)
                    && differs(scene.view, name, asker.scope, &shares)
            })
        })
    }

    /// Asks for an answer unless it is so already. Returns whether it will be tried.
    fn answer(
        &mut self,
        view: &View<'_>,
        name: NameId,
        scope: AnswerScope,
        shares: &[f64],
        ask: &mut Ask<'_>,
    ) -> bool {
        let known = self.unseen.contains(&(name, scope));
        let nothing = shares.iter().all(|&share| share <= 0.0);
        if known || nothing || !differs(view, name, scope, shares) {
            return false;
        }
        let candidates = view.dns.names[name].candidates.iter().copied();
        let answer = candidates.zip(shares.iter().copied()).filter(|(_, share)| *share > 0.0);
        let action = Action::SetAnswer { name, scope, answer: answer.collect() };
        let cause = match self.mode {
            Mode::Geo => "nearest site by distance".to_owned(),
            Mode::Failover => "first answer that is up".to_owned(),
            Mode::Capacity => {
                format!("nearest sites by distance with room; hottest at {:.2}", hottest(view))
            }
        };
        match ask.request(action, cause) {
            Ok(()) => true,
            Err(Refusal::ScopeNotSeen) => {
                self.unseen.insert((name, scope));
                false
            }
            // A refusal is on record, and it is asked again when it is due again.
            Err(_) => false,
        }
    }

    /// The first candidate that is up, for everybody.
    fn fail_over(&mut self, scene: &Scene<'_>, ask: &mut Ask<'_>) {
        let (view, usable) = (scene.view, &scene.usable);
        self.wishes.resize(view.dns.names.len(), None);
        for (name, row) in view.dns.names.iter() {
            let known = view.dns.answers.get(&(name, AnswerScope::All));
            let now_shares = known.map_or(row.weights.as_slice(), |shares| &**shares);
            let now = now_shares.iter().position(|&share| share > 0.0).unwrap_or(0);
            let up = |index: usize| !usable[row.candidates[index].index()].is_empty();
            let wish = (0..row.candidates.len()).find(|&index| up(index));
            let Some(wish) = wish.filter(|&wish| wish != now) else {
                self.wishes[name.index()] = None;
                continue;
            };
            let since = match self.wishes[name.index()] {
                Some((same, since)) if same == wish => since,
                _ => view.now,
            };
            self.wishes[name.index()] = Some((wish, since));
            if !up(now) || view.now.since(since) >= self.hold {
                let mut shares = vec![0.0; row.candidates.len()];
                shares[wish] = 1.0;
                self.answer(view, name, AnswerScope::All, &shares, ask);
                self.wishes[name.index()] = None;
            }
        }
    }
}

/// Whether an answer differs by more than a hundredth from what was last requested.
fn differs(view: &View<'_>, name: NameId, scope: AnswerScope, shares: &[f64]) -> bool {
    let Some(known) = view.dns.answers.get(&(name, scope)) else { return true };
    known.iter().zip(shares).any(|(known, share)| (known - share).abs() > 0.01)
}

/// Utilisation of the hottest site as last measured.
fn hottest(view: &View<'_>) -> f64 {
    view.site_feed.map_or(0.0, |sample| {
        sample.values.iter().map(|site| site.cpu_utilisation).fold(0.0, f64::max)
    })
}
