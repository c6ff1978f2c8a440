//! `steerlab list`: what there is.

use crate::args::{Format, ListArgs, Listed};
use crate::console::Console;
use crate::exit::Exit;
use crate::table;
use serde_json::{Value, json};
use steerlab_engine::load::balance::BALANCERS;
use steerlab_engine::record::Better;
use steerlab_engine::steer::{Param, PolicyRegistry};
use steerlab_policies::BuiltIn;

/// A list: name of the thing, headings, rows.
struct Listing {
    kind: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Lists.
pub fn list(console: &Console, args: &ListArgs) -> Exit {
    let listing = match args.what {
        Listed::Policies => policies(),
        Listed::Metrics => metrics(),
        Listed::Scenarios => scenarios(),
        Listed::Importers => importers(),
        Listed::Codes => codes(),
        Listed::Balancers => balancers(),
    };
    let text = match args.format {
        Format::Table => table::plain(&listing.head, &listing.rows),
        Format::Md => table::markdown(&listing.head, &listing.rows),
        Format::Json => as_json(&listing).to_string(),
    };
    console.answer(&text);
    Exit::Done
}

fn as_json(listing: &Listing) -> Value {
    let rows: Vec<Value> = listing
        .rows
        .iter()
        .map(|row| {
            listing
                .head
                .iter()
                .zip(row)
                .map(|(head, cell)| (head.replace(' ', "_"), Value::from(cell.as_str())))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    json!({ "format": format!("steerlab-list-{}/1", listing.kind), "rows": rows })
}

fn param_words(param: &Param) -> String {
    match param.default {
        Some(default) => format!("{}={default}", param.name),
        None => format!("{} (required)", param.name),
    }
}

fn policies() -> Listing {
    let rows = BuiltIn
        .descriptors()
        .iter()
        .map(|policy| {
            vec![
                format!("{}/{}", policy.name, policy.version),
                policy.summary.to_owned(),
                policy.surfaces.iter().map(|s| s.name()).collect::<Vec<_>>().join(" "),
                policy.params.iter().map(param_words).collect::<Vec<_>>().join(", "),
                policy.source.to_owned(),
            ]
        })
        .collect();
    Listing {
        kind: "policies",
        head: vec!["policy", "what it does", "surfaces", "parameters", "source"],
        rows,
    }
}

fn balancers() -> Listing {
    let rows = BALANCERS
        .iter()
        .map(|balancer| {
            vec![
                balancer.name.to_owned(),
                balancer.summary.to_owned(),
                balancer.params.iter().map(param_words).collect::<Vec<_>>().join(", "),
                balancer.source.to_owned(),
            ]
        })
        .collect();
    Listing {
        kind: "balancers",
        head: vec!["balancer", "what it does", "parameters", "source"],
        rows,
    }
}

fn metrics() -> Listing {
    let better = |better| match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Neither => "-",
    };
    let rows = steerlab_results::catalogue::metrics()
        .iter()
        .map(|metric| {
            vec![
                metric.id.to_owned(),
                metric.unit.to_owned(),
                better(metric.better).to_owned(),
                metric.labels.join(" "),
                metric.meaning.to_owned(),
            ]
        })
        .collect();
    Listing { kind: "metrics", head: vec!["metric", "unit", "better", "labels", "meaning"], rows }
}

fn scenarios() -> Listing {
    let rows = steerlab_scenario::library()
        .iter()
        .map(|entry| vec![entry.name.to_owned(), entry.summary.to_owned()])
        .collect();
    Listing { kind: "scenarios", head: vec!["scenario", "what it shows"], rows }
}

fn importers() -> Listing {
    use steerlab_scenario::import::{importers, recordings};
    let scenarios = importers().iter().map(|one| [one.name(), one.summary(), one.source()]);
    let tables = recordings().iter().map(|one| [one.name, one.summary, one.source]);
    let mut rows: Vec<Vec<String>> =
        scenarios.chain(tables).map(|row| row.map(str::to_owned).to_vec()).collect();
    rows.sort();
    Listing { kind: "importers", head: vec!["format", "what it reads", "source"], rows }
}

fn codes() -> Listing {
    let rows = steerlab_scenario::codes()
        .iter()
        .map(|(code, meaning)| vec![(*code).to_owned(), (*meaning).to_owned()])
        .collect();
    Listing { kind: "codes", head: vec!["code", "meaning"], rows }
}
