//! `steerlab compare-catchment`: does the model send clients where they were seen to go?

use crate::args::{CompareBy, CompareCatchmentArgs, Format};
use crate::console::Console;
use crate::exit::Exit;
use crate::table;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use steerlab_report::{number, percent};
use steerlab_scenario::catchment::{
    Agreement, CatchmentComparison, CatchmentTable, WeightsOf, compare_catchments,
};

/// Disagreements shown unless all are asked for.
const DISAGREEMENTS_SHOWN: usize = 20;
/// Most sites for which the matrix fits a terminal.
const SITES_SHOWN: usize = 12;

/// Compares.
pub fn compare_catchment(console: &Console, args: &CompareCatchmentArgs) -> Exit {
    let least = match args.agreement_min.as_deref().map(steerlab_scenario::parse_ratio) {
        None => None,
        Some(Ok(share)) if (0.0..=1.0).contains(&share) => Some(share),
        Some(other) => {
            let why = other.err().unwrap_or_else(|| "it is not between 0 and 100%".to_owned());
            return console.fail(
                Exit::BadInput,
                &format!("--agreement-min: {why}"),
                "write a share such as 80%",
            );
        }
    };
    let (modelled, measured) = (read(console, &args.modelled), read(console, &args.measured));
    let (Some(modelled), Some(measured)) = (modelled, measured) else { return Exit::BadInput };
    let compared = compare_catchments(&modelled, &measured);
    if compared.overall.rows_both == 0 {
        return console.fail(
            Exit::NothingSelected,
            "the tables have no client in common",
            "compare tables with the same kinds of clients and the same announced prefixes",
        );
    }
    match args.format {
        Format::Json => match serde_json::to_string_pretty(&compared) {
            Ok(text) => console.answer(&text),
            Err(error) => return console.fail(Exit::CannotWrite, &error.to_string(), ""),
        },
        Format::Table => console.answer(&text(&compared, args, &table::plain, "")),
        Format::Md => console.answer(&text(&compared, args, &table::markdown, "### ")),
    }
    match (least, compared.overall.agreement_ratio) {
        (Some(least), Some(share)) if share < least => {
            let what = format!("{} agree, asked for {}", percent(share), percent(least));
            console.fail(Exit::Failed, &what, "")
        }
        _ => Exit::Done,
    }
}

/// A table; none after its findings have been shown.
fn read(console: &Console, path: &Path) -> Option<CatchmentTable> {
    let loaded = CatchmentTable::load(path);
    if loaded.table.is_none() {
        console.err(&steerlab_scenario::render_findings(
            &loaded.sources,
            &loaded.diagnostics,
            loaded.omitted,
            console.color_err,
        ));
    }
    loaded.table
}

/// How a table is drawn.
type Draw<'a> = &'a dyn Fn(&[&str], &[Vec<String>]) -> String;

fn text(
    compared: &CatchmentComparison,
    args: &CompareCatchmentArgs,
    draw: Draw<'_>,
    mark: &str,
) -> String {
    let mut text = agreement(compared, args.by == Some(CompareBy::Kind), draw);
    let weighed = match compared.weights_of {
        WeightsOf::Measured => "weights are those of the measured table",
        WeightsOf::Modelled => "weights are those of the modelled table",
        WeightsOf::Neither => "neither table has weights",
    };
    text.push_str(&format!("\n{weighed}\n"));
    text.push_str(&format!("\n{mark}sites: modelled below, measured to the right, clients\n\n"));
    text.push_str(&confusion(compared, false, draw));
    if compared.weights_of != WeightsOf::Neither {
        text.push_str(&format!("\n{mark}sites: the same by weight\n\n"));
        text.push_str(&confusion(compared, true, draw));
    }
    let shown = if args.all { usize::MAX } else { DISAGREEMENTS_SHOWN };
    text.push_str(&disagreements(compared, shown, draw, mark));
    text
}

fn agreement(compared: &CatchmentComparison, by_kind: bool, draw: Draw<'_>) -> String {
    let head = [
        "clients",
        "in both",
        "agree",
        "share",
        "95 % interval",
        "share by weight",
        "only modelled",
        "only measured",
    ];
    let row = |name: &str, agreement: &Agreement| {
        let share = |share: Option<f64>| share.map_or("-".to_owned(), percent);
        let interval = (agreement.agreement_ratio_low, agreement.agreement_ratio_high);
        vec![
            name.to_owned(),
            agreement.rows_both.to_string(),
            agreement.rows_agreeing.to_string(),
            share(agreement.agreement_ratio),
            match interval {
                (Some(low), Some(high)) => format!("{} to {}", percent(low), percent(high)),
                _ => "-".to_owned(),
            },
            share(agreement.agreement_weight_ratio),
            agreement.rows_only_modelled.to_string(),
            agreement.rows_only_measured.to_string(),
        ]
    };
    let mut rows = vec![row("all", &compared.overall)];
    if by_kind {
        rows.extend(compared.by_kind.iter().map(|kind| row(kind.kind, &kind.agreement)));
    }
    draw(&head, &rows)
}

/// The matrix of sites, or a list of its cells where there are too many sites.
fn confusion(compared: &CatchmentComparison, by_weight: bool, draw: Draw<'_>) -> String {
    let value = |rows: u64, weight: f64| match by_weight {
        true => number(weight),
        false => rows.to_string(),
    };
    let cells = &compared.confusion;
    let sites: BTreeSet<&str> =
        cells.iter().flat_map(|cell| [cell.modelled.as_str(), &cell.measured]).collect();
    if sites.len() > SITES_SHOWN {
        let head = ["modelled", "measured", if by_weight { "weight" } else { "clients" }];
        let row = |cell: &_| {
            let cell: &steerlab_scenario::catchment::Confusion = cell;
            vec![cell.modelled.clone(), cell.measured.clone(), value(cell.rows, cell.weight)]
        };
        return draw(&head, &cells.iter().map(row).collect::<Vec<_>>());
    }
    let known: BTreeMap<(&str, &str), String> = cells
        .iter()
        .map(|cell| ((&*cell.modelled, &*cell.measured), value(cell.rows, cell.weight)))
        .collect();
    let mut head = vec![""];
    head.extend(&sites);
    let row = |modelled: &&str| {
        let cell = |measured: &&str| {
            known.get(&(*modelled, *measured)).cloned().unwrap_or_else(|| "0".to_owned())
        };
        let mut row = vec![(*modelled).to_owned()];
        row.extend(sites.iter().map(cell));
        row
    };
    draw(&head, &sites.iter().map(row).collect::<Vec<_>>())
}

fn disagreements(
    compared: &CatchmentComparison,
    shown: usize,
    draw: Draw<'_>,
    mark: &str,
) -> String {
    let all = &compared.disagreements;
    if all.is_empty() {
        return "\nnobody disagrees\n".to_owned();
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(shown)
        .map(|one| {
            vec![
                one.kind.to_owned(),
                one.id.clone(),
                one.prefix.clone().unwrap_or_else(|| "any".to_owned()),
                one.modelled.clone(),
                one.measured.clone(),
                number(one.weight),
            ]
        })
        .collect();
    let head = ["kind", "client", "prefix", "modelled", "measured", "weight"];
    let count = match all.len().saturating_sub(shown) {
        0 => format!("{mark}who disagrees\n\n"),
        _ => {
            format!("{mark}who disagrees: the first {shown} of {}; --all shows all\n\n", all.len())
        }
    };
    format!("\n{count}{}", draw(&head, &rows))
}
