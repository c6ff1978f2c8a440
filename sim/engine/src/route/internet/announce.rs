//! What is announced for one prefix, and what goes wrong with it.

use super::graph::{AsGraph, Relation};
use super::solution::{NextHop, Routes};

/// How an AS knows a route: its own, or from what kind of neighbour. In order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// It announces the prefix itself.
    Own = 0,
    /// From a customer.
    Customer = 1,
    /// From a peer.
    Peer = 2,
    /// From a peer over a route server.
    RouteServer = 3,
    /// From a provider.
    Provider = 4,
}

impl Class {
    /// All classes in order of preference.
    pub const ALL: [Class; 5] =
        [Class::Own, Class::Customer, Class::Peer, Class::RouteServer, Class::Provider];

    /// The class of routes from such a neighbour.
    #[inline]
    #[must_use]
    pub fn of(relation: Relation) -> Class {
        match relation {
            Relation::Customer => Class::Customer,
            Relation::Peer => Class::Peer,
            Relation::RouteServer => Class::RouteServer,
            Relation::Provider => Class::Provider,
        }
    }

    /// Name as in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Own => "own",
            Class::Customer => "customer",
            Class::Peer => "peer",
            Class::RouteServer => "route-server",
            Class::Provider => "provider",
        }
    }

    /// Local preference of routes of this class where nothing else is configured: 400 for routes
    /// from customers down to 100 from providers; an AS's own come before all.
    #[must_use]
    pub fn local_preference(self) -> u32 {
        match self {
            Class::Own => u32::MAX,
            Class::Customer => 400,
            Class::Peer => 300,
            Class::RouteServer => 200,
            Class::Provider => 100,
        }
    }
}

/// What route-origin validation says of an announcement (RFC 6811).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// Covered by an authorisation that fits.
    Valid,
    /// Covered by authorisations, none of which fits.
    Invalid,
    /// Not covered.
    #[default]
    Unknown,
}

/// Where a route enters the graph: an AS that announces a prefix, or a session over which an AS
/// hears it from a network that is not in the graph. Several may be at one AS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Index of the AS.
    pub at: u32,
    /// What the announcer is to that AS; [`Class::Own`]: the AS announces by itself.
    pub learned: Class,
    /// AS numbers of the path as that AS receives it, the nearest first, prepends included. Empty
    /// for an origin; not empty there: its own number for prepends towards all, or the tail of a
    /// forged path. Every AS of the graph in it rejects the route, as loop detection does (RFC
    /// 4271, section 9.1.2), except an origin its own.
    pub path: Vec<u32>,
    /// Whatever the caller names the session or site by.
    pub exit: u32,
    /// What the announcer asks of that AS, and what is known of the announcement.
    pub control: Control,
}

/// Wishes of an announcer to the AS that hears it, usually communities. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Keep it to yourself (RFC 1997, NO_EXPORT).
    pub no_export: bool,
    /// Do not announce it to these ASes (indices).
    pub no_export_to: Vec<u32>,
    /// Prepend your own number so many times more towards these ASes (indices).
    pub prepend_to: Vec<(u32, u16)>,
    /// Local preference in place of the one of the class; see [`Class::local_preference`].
    pub local_preference: Option<u32>,
    /// Discard traffic for it (RFC 7999); carried through for whoever follows the path.
    pub blackhole: bool,
    /// What validation says of it.
    pub validity: Validity,
}

impl Seed {
    /// An AS announces the prefix.
    #[must_use]
    pub fn origin(at: u32, exit: u32) -> Seed {
        Seed { at, learned: Class::Own, path: Vec::new(), exit, control: Control::default() }
    }

    /// An AS hears the prefix over a session from `asn`, which is `learned` to it, with the number
    /// `prepends` times more than once.
    #[must_use]
    pub fn session(at: u32, learned: Class, asn: u32, prepends: u16, exit: u32) -> Seed {
        let path = vec![asn; 1 + usize::from(prepends)];
        Seed { at, learned, path, exit, control: Control::default() }
    }

    /// Local preference that the AS gives it.
    #[must_use]
    pub fn local_preference(&self) -> u32 {
        self.control.local_preference.unwrap_or(self.learned.local_preference())
    }
}

/// What an AS does with routes whose origin is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidRoutes {
    /// It rejects them.
    Drop,
    /// It takes them if it has nothing else: local preference 0.
    Depreference,
}

/// A route that an AS keeps although its neighbour has withdrawn it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zombie {
    /// Index of the AS.
    pub at: u32,
    /// Index of the neighbour it was heard from.
    pub from: u32,
    /// What that neighbour is to it.
    pub learned: Class,
    /// AS numbers of the path as it was received, the neighbour's first.
    pub path: Vec<u32>,
}

impl Zombie {
    /// The route that an AS has, as one that it keeps when its neighbour withdraws it; none: it has
    /// no route, or not from a neighbour in the graph.
    #[must_use]
    pub fn of(routes: &Routes<'_>, at: u32) -> Option<Zombie> {
        let from = match routes.next_hop(at)? {
            NextHop::As(from) => from,
            NextHop::Zombie(number) => {
                return Some(routes.announcements().trouble.zombies[number].clone());
            }
            NextHop::Seed(_) => return None,
        };
        let mut path = Vec::new();
        routes.path(at, &mut path);
        path.remove(0);
        Some(Zombie { at, from, learned: routes.class(at)?, path })
    }
}

/// What goes wrong. Empty by default; lists need no order. ASes are indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// ASes that announce whatever they have to everybody (RFC 7908).
    pub leaks: Vec<u32>,
    /// ASes that validate origins. Others ignore validity.
    pub validators: Vec<(u32, InvalidRoutes)>,
    /// (AS, neighbour, local preference): configured in place of the relation's.
    pub preferences: Vec<(u32, u32, u32)>,
    /// Pairs of ASes that do not talk to each other now.
    pub links_down: Vec<(u32, u32)>,
    /// ASes that reject longer paths than so many AS numbers.
    pub path_limits: Vec<(u32, u16)>,
    /// Routes that were withdrawn, and are kept. Used while the neighbour announces nothing.
    pub zombies: Vec<Zombie>,
}

impl Trouble {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Trouble::default()
    }

    /// Whether links are down at most: nothing that changes what ASes do.
    pub(super) fn only_links(&self) -> bool {
        self.leaks.is_empty()
            && self.validators.is_empty()
            && self.preferences.is_empty()
            && self.path_limits.is_empty()
            && self.zombies.is_empty()
    }
}

/// Everything that is announced for one prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcements {
    /// Where routes enter. Among equal ones at one AS the first wins.
    pub seeds: Vec<Seed>,
    /// What goes wrong.
    pub trouble: Trouble,
}

impl Announcements {
    /// One prefix announced by these ASes, each exit numbered by position.
    #[must_use]
    pub fn origins(at: &[u32]) -> Announcements {
        let seeds = (0_u32..).zip(at).map(|(exit, &at)| Seed::origin(at, exit)).collect();
        Announcements { seeds, trouble: Trouble::default() }
    }

    /// Whether everything follows the rules under which routing is certain to settle in one state
    /// (Gao and Rexford 2001): routes preferred by relation, exported by relation.
    pub(super) fn is_gao_rexford(&self, graph: &AsGraph) -> bool {
        let trouble = &self.trouble;
        let depreferences = |what: &(u32, InvalidRoutes)| what.1 == InvalidRoutes::Depreference;
        trouble.leaks.is_empty()
            && trouble.preferences.is_empty()
            && trouble.zombies.is_empty()
            && !trouble.validators.iter().any(depreferences)
            && self
                .seeds
                .iter()
                .all(|seed| seed.local_preference() == seed.learned.local_preference())
            && self.one_loop_check(graph)
    }

    /// Whether the ASes of the graph that reject routes because of their seeds' paths are the same
    /// for all seeds, so that they have no route at all.
    fn one_loop_check(&self, graph: &AsGraph) -> bool {
        let mut first = None;
        self.seeds.iter().all(|seed| {
            let rejecting = rejecting(graph, seed);
            *first.get_or_insert_with(|| rejecting.clone()) == rejecting
        })
    }
}

/// Indices of ASes that reject a seed's route because its path names them, ascending. An origin
/// does not reject its own.
pub(super) fn rejecting(graph: &AsGraph, seed: &Seed) -> Vec<u32> {
    let mut at = Vec::new();
    let mut last = None;
    for &asn in seed.path.iter().filter(|&&asn| last.replace(asn) != Some(asn)) {
        at.extend(graph.index_of(asn));
    }
    at.sort_unstable();
    at.dedup();
    if seed.learned == Class::Own {
        at.retain(|&other| other != seed.at);
    }
    at
}
