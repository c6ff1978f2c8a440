//! `steerlab share`: one allocation, what holds everybody back, and whether it is as expected.

mod judge;

use super::vocabulary;
use crate::args::{Format, ShareArgs};
use crate::console::Console;
use crate::exit::Exit;
use crate::table;
use serde_json::{Value, json};
use steerlab_engine::load::maxmin::{Bottleneck, FairShare, Solution, certify, fair_share};
use steerlab_report::{number, percent};
use steerlab_scenario::sharing::{ShareLab, load_share};

/// What the certificate may be off by, relative: rounding of sums.
const CERTIFIED_WITHIN: f64 = 1e-9;

/// What came out of a lab.
enum Outcome {
    Flows(Solution),
    Demands(FairShare),
}

/// Shares.
pub fn share(console: &Console, args: &ShareArgs) -> Exit {
    let pair =
        |set: &String| set.split_once('=').map(|(path, value)| (path.to_owned(), value.to_owned()));
    let Some(sets) = args.set.iter().map(pair).collect::<Option<Vec<_>>>() else {
        return console.fail(Exit::BadInput, "a `--set` has no `=`", "write `--set PATH=VALUE`");
    };
    let loaded = load_share(&args.file, &sets, &vocabulary());
    let Some(lab) = loaded.lab else {
        if args.format == Format::Json {
            console.answer(&steerlab_scenario::to_json(&loaded.findings));
        } else {
            console.err(&steerlab_scenario::render(&loaded.findings, console.color_err));
        }
        return Exit::BadInput;
    };
    let outcome = solve(&lab);
    let unmet = judge::unmet(&lab, &outcome);
    match args.format {
        Format::Json => match serde_json::to_string_pretty(&json(&lab, &outcome, &unmet)) {
            Ok(text) => console.answer(&text),
            Err(error) => return console.fail(Exit::CannotWrite, &error.to_string(), ""),
        },
        Format::Table => console.answer(&text(&lab, &outcome, &unmet, &table::plain, "")),
        Format::Md => console.answer(&text(&lab, &outcome, &unmet, &table::markdown, "### ")),
    }
    if unmet.is_empty() { Exit::Done } else { Exit::Failed }
}

fn solve(lab: &ShareLab) -> Outcome {
    if lab.flows.is_empty() {
        let demands: Vec<_> = lab.demands.iter().map(|demand| demand.demand.clone()).collect();
        return Outcome::Demands(fair_share(&lab.capacities_bps(), &demands));
    }
    let problem = lab.problem();
    let solution = problem.solve();
    // The judge shares nothing with the solver.
    let judged = certify(&problem, &solution.rate, CERTIFIED_WITHIN);
    assert!(judged.is_ok(), "an allocation without certificate: {judged:?}");
    Outcome::Flows(solution)
}

/// What holds a flow back, in a word.
fn held_by(lab: &ShareLab, bottleneck: Bottleneck) -> String {
    match bottleneck {
        Bottleneck::Resource(link) => lab.links[link].id.clone(),
        Bottleneck::Cap => "its cap".to_owned(),
        Bottleneck::Nothing => "nothing".to_owned(),
    }
}

fn rate_text(bps: f64) -> String {
    format!("{}bit/s", with_space(&number(bps)))
}

/// A number ends with its prefix, or with a space where it has none.
fn with_space(number: &str) -> String {
    if number.contains(' ') { number.to_owned() } else { format!("{number} ") }
}

/// Load of every link, bit/s.
fn loads(lab: &ShareLab, outcome: &Outcome) -> Vec<f64> {
    match outcome {
        Outcome::Flows(solution) => solution.load.clone(),
        Outcome::Demands(shared) => {
            let mut loads = vec![0.0; lab.links.len()];
            for (demand, rates) in lab.demands.iter().zip(&shared.bandwidth) {
                for (tunnel, rate) in demand.demand.tunnels.iter().zip(rates) {
                    tunnel.edges.iter().for_each(|&edge| loads[edge] += rate);
                }
            }
            loads
        }
    }
}

type Draw = dyn Fn(&[&str], &[Vec<String>]) -> String;

fn text(lab: &ShareLab, outcome: &Outcome, unmet: &[String], draw: &Draw, heading: &str) -> String {
    let mut parts = vec![format!("{heading}{}\n", lab.label)];
    parts.push(match outcome {
        Outcome::Flows(solution) => flow_table(lab, solution, draw),
        Outcome::Demands(shared) => demand_tables(lab, shared, draw),
    });
    let rows: Vec<Vec<String>> = lab
        .links
        .iter()
        .zip(loads(lab, outcome))
        .map(|(link, load)| {
            let capacity = link.capacity_bps;
            let share = if capacity > 0.0 { percent(load / capacity) } else { "-".to_owned() };
            vec![link.id.clone(), rate_text(capacity), rate_text(load), share]
        })
        .collect();
    parts.push(draw(&["link", "capacity", "load", "utilisation"], &rows));
    parts.push(match (judge::expectations(lab), unmet) {
        (0, _) => "nothing is expected\n".to_owned(),
        (all, []) => format!("as expected in all {all} points\n"),
        (all, unmet) => {
            let lines: String = unmet.iter().map(|line| format!("not met: {line}\n")).collect();
            format!("{lines}{} of {all} expectations are not met\n", unmet.len())
        }
    });
    parts.join("\n")
}

fn flow_table(lab: &ShareLab, solution: &Solution, draw: &Draw) -> String {
    let rows: Vec<Vec<String>> = lab
        .flows
        .iter()
        .zip(solution.rate.iter().zip(&solution.bottleneck))
        .map(|(flow, (rate, bottleneck))| {
            vec![
                flow.id.clone(),
                flow.entity.priority.to_string(),
                number(flow.entity.weight),
                flow.count.to_string(),
                rate_text(*rate),
                held_by(lab, *bottleneck),
            ]
        })
        .collect();
    draw(&["flow", "class", "weight", "count", "rate of one", "held back by"], &rows)
}

fn demand_tables(lab: &ShareLab, shared: &FairShare, draw: &Draw) -> String {
    let link = |edge: &usize| lab.links[*edge].id.as_str();
    let mut rows = Vec::new();
    for (demand, rates) in lab.demands.iter().zip(&shared.bandwidth) {
        for (tunnel, rate) in demand.demand.tunnels.iter().zip(rates) {
            let way: Vec<&str> = tunnel.edges.iter().map(link).collect();
            rows.push(vec![demand.id.clone(), way.join(" "), rate_text(*rate)]);
        }
    }
    let tunnels = draw(&["demand", "tunnel", "rate"], &rows);
    let rows: Vec<Vec<String>> = shared
        .freezes
        .iter()
        .map(|freeze| vec![link(&freeze.edge).to_owned(), number(freeze.fair_share)])
        .collect();
    format!("{tunnels}\n{}", draw(&["full link", "at fair share"], &rows))
}

/// As format `steerlab-shared/1`.
fn json(lab: &ShareLab, outcome: &Outcome, unmet: &[String]) -> Value {
    let links: Vec<Value> = lab
        .links
        .iter()
        .zip(loads(lab, outcome))
        .map(|(link, load)| {
            let (id, capacity) = (&link.id, link.capacity_bps);
            let utilisation = (capacity > 0.0).then_some(load / capacity);
            json!({ "id": id, "capacity_bps": capacity, "load_bps": load,
                "utilisation": utilisation })
        })
        .collect();
    let mut answer = json!({
        "format": "steerlab-shared/1",
        "name": lab.name,
        "links": links,
        "expected": judge::expectations(lab),
        "unmet": unmet,
    });
    match outcome {
        Outcome::Flows(solution) => {
            let rates = solution.rate.iter().zip(&solution.bottleneck);
            let flow =
                |(flow, (rate, hold)): (&steerlab_scenario::sharing::ShareFlow, (&f64, _))| {
                    let link = match hold {
                        &Bottleneck::Resource(link) => Some(&lab.links[link].id),
                        _ => None,
                    };
                    let kind = match hold {
                        Bottleneck::Resource(_) => "link",
                        Bottleneck::Cap => "cap",
                        Bottleneck::Nothing => "nothing",
                    };
                    json!({ "id": flow.id, "rate_bps": rate, "held_by": kind, "link": link })
                };
            answer["flows"] = lab.flows.iter().zip(rates).map(flow).collect();
        }
        Outcome::Demands(shared) => {
            let demand = |(demand, rates): (
                &steerlab_scenario::sharing::ShareDemand,
                &Vec<f64>,
            )| { json!({ "id": demand.id, "tunnel_rates_bps": rates }) };
            answer["demands"] = lab.demands.iter().zip(&shared.bandwidth).map(demand).collect();
            let freeze = |freeze: &steerlab_engine::load::maxmin::Freeze| json!({ "link": lab.links[freeze.edge].id, "fair_share": freeze.fair_share });
            answer["freezes"] = shared.freezes.iter().map(freeze).collect();
        }
    }
    answer
}
