//! The front end: balancers with their views.

use super::chance::mix;
use super::spec::{FrontSpec, ServerSpec};
use crate::kernel::{SimTime, Stream, StreamKey};
use crate::load::balance::view::Place;
use crate::load::balance::{Ask, Balancer, View};

/// One balancer process.
#[derive(Debug)]
struct Process {
    balancer: Box<dyn Balancer>,
    draw: Stream,
    probes_per_request: f64,
    /// Probes owed, below 1.
    owed: f64,
}

/// All balancers of a cell.
#[derive(Debug)]
pub(super) struct Front {
    processes: Vec<Process>,
    /// One, or one a balancer.
    views: Vec<View>,
    shared: bool,
}

impl Front {
    pub(super) fn new(
        spec: &FrontSpec,
        servers: &[ServerSpec],
        balancers: Vec<Box<dyn Balancer>>,
        key: StreamKey,
    ) -> Front {
        assert!(!balancers.is_empty(), "somebody balances");
        let places: Vec<Place> = servers
            .iter()
            .map(|server| Place {
                weight: server.weight,
                zone: server.zone,
                priority: server.priority,
            })
            .collect();
        let view = |levels| View::new(spec.view, &places, levels);
        let views = if spec.shared_view {
            vec![view(balancers.iter().any(|balancer| balancer.wants_levels()))]
        } else {
            balancers.iter().map(|balancer| view(balancer.wants_levels())).collect()
        };
        let process = |(index, balancer): (u64, Box<dyn Balancer>)| Process {
            probes_per_request: balancer.probes_per_request(),
            draw: Stream::new(StreamKey { entity: mix(key.entity.wrapping_add(index)), ..key }),
            owed: 0.0,
            balancer,
        };
        let processes = (0_u64..).zip(balancers).map(process).collect();
        Front { processes, views, shared: spec.shared_view }
    }

    /// Which balancer a connection or request meets.
    #[inline]
    pub(super) fn balancer_of(&self, key: u64) -> u32 {
        if self.processes.len() == 1 {
            return 0;
        }
        ((u128::from(mix(key)) * self.processes.len() as u128) >> 64) as u32
    }

    #[inline]
    fn view_of(&mut self, balancer: u32) -> &mut View {
        &mut self.views[if self.shared { 0 } else { balancer as usize }]
    }

    /// The server a balancer chooses.
    #[inline]
    pub(super) fn pick(&mut self, balancer: u32, ask: &Ask) -> Option<u32> {
        let view = if self.shared { 0 } else { balancer as usize };
        let seen = self.views[view].seen(ask.now);
        let process = &mut self.processes[balancer as usize];
        process.balancer.pick(ask, &seen, &mut process.draw)
    }

    /// Whether a later packet of a connection still gets to its server.
    pub(super) fn reaches(&mut self, balancer: u32, ask: &Ask, owner: u32) -> bool {
        let view = if self.shared { 0 } else { balancer as usize };
        let seen = self.views[view].seen(ask.now);
        self.processes[balancer as usize].balancer.reaches(ask, &seen, owner)
    }

    /// A connection ended.
    pub(super) fn closed(&mut self, balancer: u32, key: u64) {
        self.processes[balancer as usize].balancer.closed(key);
    }

    /// A server took an attempt in.
    #[inline]
    pub(super) fn sent(&mut self, balancer: u32, server: u32, now: SimTime) {
        self.view_of(balancer).sent(server, now);
    }

    /// An attempt left a server.
    #[inline]
    pub(super) fn finished(&mut self, balancer: u32, server: u32, now: SimTime, s: f64, ok: bool) {
        self.view_of(balancer).finished(server, now, ok);
        self.processes[balancer as usize].balancer.finished(server, now, s, ok);
    }

    /// A server did not take an attempt in: to its balancer an error without delay.
    pub(super) fn refused(&mut self, balancer: u32, server: u32, now: SimTime) {
        self.view_of(balancer).sent(server, now);
        self.finished(balancer, server, now, 0.0, false);
    }

    /// Servers to probe together with a request: each call takes one, until there is none.
    #[inline]
    pub(super) fn wants_probes(&self, balancer: u32) -> bool {
        self.processes[balancer as usize].probes_per_request > 0.0
    }

    /// Targets of the probes that go with one request, drawn evenly among servers that take work.
    pub(super) fn probe_targets(&mut self, balancer: u32, now: SimTime, targets: &mut Vec<u32>) {
        targets.clear();
        let view = if self.shared { 0 } else { balancer as usize };
        let seen = self.views[view].seen(now);
        let process = &mut self.processes[balancer as usize];
        process.owed += process.probes_per_request;
        let servers = seen.outstanding.len();
        let able = (0..servers).filter(|&server| seen.takes_work(server)).count();
        while process.owed >= 1.0 {
            process.owed -= 1.0;
            if targets.len() >= able {
                continue;
            }
            // Those left are taken by rank, so that no target comes twice.
            let rank = process.draw.below((able - targets.len()) as u64) as usize;
            let left =
                |server: &usize| seen.takes_work(*server) && !targets.contains(&(*server as u32));
            let target = (0..servers).filter(left).nth(rank).expect("the rank is below the count");
            targets.push(target as u32);
        }
    }

    /// The answer to a probe.
    pub(super) fn probed(&mut self, balancer: u32, server: u32, now: SimTime, n: u32, s: f64) {
        self.processes[balancer as usize].balancer.probed(server, now, n, s);
    }

    /// Changes the weight of a server in all views.
    pub(super) fn set_weight(&mut self, server: u32, weight: f64, now: SimTime) {
        self.views.iter_mut().for_each(|view| view.set_weight(server, weight, now));
    }

    /// Says to all views whether the checks of a server pass.
    pub(super) fn set_health(&mut self, server: u32, healthy: bool, now: SimTime) {
        self.views.iter_mut().for_each(|view| view.set_health(server, healthy, now));
    }
}
