//! Failures and attacks between sites and links.

use super::words::{parameter, quantity};
use super::{Kind, Model, Preset, Range, Trouble};
use crate::theory::{Given, Rows, resilience};

pub const MODELS: &[Model] = &[FAILOVER, AVAILABILITY, ATTACK, DETOUR];

const FAILOVER: Model = Model {
    name: "failover",
    aliases: &["n-1"],
    title: "loss of one of several equal sites",
    about: "One site fails and its load goes evenly to k neighbours of the same size.",
    source: "arithmetic",
    parameters: &[
        parameter(
            "neighbours",
            &["k", "neighbors"],
            "",
            Kind::Count(1, 1_000_000),
            Preset::Required,
            "sites that take over",
        ),
        parameter(
            "utilisation",
            &["u", "load"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::None,
            "utilisation of all sites before",
        ),
    ],
    quantities: &[
        quantity(
            "utilisation_max",
            "",
            "k / (k + 1)",
            "utilisation up to which nobody is overloaded after",
        ),
        quantity("utilisation_after", "", "u (k + 1) / k", "utilisation of the neighbours after"),
    ],
    example: "--neighbours 3 --utilisation 0.6",
    solve: |given| {
        let neighbours = given.count("neighbours");
        let limit = resilience::failover_limit(neighbours);
        let mut rows = Rows::default();
        rows.put("utilisation_max", limit);
        if let Some(utilisation) = given.maybe("utilisation") {
            rows.put("utilisation_after", utilisation / limit);
        }
        Ok(rows)
    },
};

const AVAILABILITY: Model = Model {
    name: "availability",
    aliases: &[],
    title: "capacity of parallel links at an availability",
    about: "Independent links of equal capacity, each down with the same probability.",
    source: "binomial distribution",
    parameters: &[
        parameter("links", &["n"], "", Kind::Count(1, 2000), Preset::Required, "parallel links"),
        parameter(
            "capacity",
            &["capacity_each"],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::Text("1"),
            "capacity of each",
        ),
        parameter(
            "failure",
            &["p"],
            "",
            Kind::Number(Range::RATIO),
            Preset::Required,
            "probability that a link is down",
        ),
        parameter(
            "availability",
            &["target"],
            "",
            Kind::Number(Range::RATIO),
            Preset::Required,
            "share of time the capacity must be there",
        ),
    ],
    quantities: &[
        quantity(
            "capacity_available",
            "",
            "capacity * largest m with P(at least m work) >= target",
            "capacity there at that availability",
        ),
        quantity("availability_of_all", "", "(1 - p)^n", "share of time all links work"),
    ],
    example: "--links 3 --capacity 10 --failure 0.001 --availability 0.9999",
    solve: |given| {
        let (links, failure) = (given.count("links"), given.number("failure"));
        let working = resilience::working_at(links, failure, given.number("availability"));
        let mut rows = Rows::default();
        rows.put("capacity_available", given.number("capacity") * working as f64)
            .put("availability_of_all", resilience::at_least_working(links, failure, links));
        Ok(rows)
    },
};

const ATTACK: Model = Model {
    name: "absorb-withdraw",
    aliases: &["attack"],
    title: "absorb an attack, or withdraw",
    about: "Site 1 is attacked. It absorbs, or withdraws so that all its traffic lands at one other \
            site. Loss at a full site hits everything in proportion.",
    source: "idea: Moura and others, Anycast vs. DDoS (2016); arithmetic",
    parameters: &[
        parameter(
            "capacities",
            &["capacity"],
            "",
            Kind::Numbers(Range::POSITIVE, 1000),
            Preset::Required,
            "capacity of each site, the attacked one first",
        ),
        parameter(
            "legitimate",
            &["legit", "demands"],
            "",
            Kind::Numbers(Range::NOT_NEGATIVE, 1000),
            Preset::Required,
            "legitimate demand of each site",
        ),
        parameter(
            "attack",
            &["a"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "attack at site 1",
        ),
    ],
    quantities: &[
        quantity(
            "served_ratio_absorb",
            "",
            "sum demand min(1, capacity / offered) / sum demand",
            "legitimate demand served if site 1 stays",
        ),
        quantity(
            "served_ratio_withdraw",
            "",
            "same, with site 1 at site j",
            "legitimate demand served if all of site 1 lands there",
        ),
        quantity(
            "attack_break_even",
            "",
            "where both serve the same",
            "attack above which absorbing serves more; none: withdrawing there never does",
        ),
    ],
    example: "--capacities 1,1,10 --legitimate 0.2,0.2,2 --attack 5",
    solve: solve_attack,
};

fn solve_attack(given: &Given) -> Result<Rows, Trouble> {
    let (capacities, legitimate) = (given.numbers("capacities"), given.numbers("legitimate"));
    if capacities.len() != legitimate.len() {
        let what = format!("has {} numbers for {} sites", legitimate.len(), capacities.len());
        return Err(Trouble::new("legitimate", what, "give one for each of the capacities"));
    }
    if legitimate.iter().sum::<f64>() <= 0.0 {
        let what = "has no demand at all".to_owned();
        return Err(Trouble::new("legitimate", what, "give at least one number above 0"));
    }
    let attack = given.number("attack");
    let mut rows = Rows::default();
    let absorb = resilience::legitimate_served(capacities, legitimate, attack, 0);
    rows.put("served_ratio_absorb", absorb);
    for to in 1..capacities.len() {
        let served = resilience::legitimate_served(capacities, legitimate, attack, to);
        rows.put_of("served_ratio_withdraw", format!("to={}", to + 1), served);
    }
    for to in 1..capacities.len() {
        if let Some(even) = resilience::absorb_break_even(capacities, legitimate, to) {
            rows.put_of("attack_break_even", format!("to={}", to + 1), even);
        }
    }
    Ok(rows)
}

const DETOUR: Model = Model {
    name: "detour",
    aliases: &[],
    title: "share of an interface's traffic that must go elsewhere",
    about: "An interface is offered x times its capacity and must stay below a limit.",
    source: "arithmetic; setting: Schlinker and others, Engineering Egress with Edge Fabric (2017)",
    parameters: &[
        parameter(
            "offered_ratio",
            &["x", "offered"],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::Required,
            "offered over capacity",
        ),
        parameter(
            "limit",
            &[],
            "",
            Kind::Number(Range::RATIO),
            Preset::Text("0.95"),
            "largest utilisation",
        ),
    ],
    quantities: &[quantity(
        "detour_ratio",
        "",
        "max(0, 1 - limit / x)",
        "least share that must go elsewhere",
    )],
    example: "--offered-ratio 1.19",
    solve: |given| {
        let kept = given.number("limit") / given.number("offered_ratio");
        let mut rows = Rows::default();
        rows.put("detour_ratio", (1.0 - kept).max(0.0));
        Ok(rows)
    },
};
