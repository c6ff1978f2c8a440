//! `steerlab explain`: a diagnostic code, a route, an action.

use super::run::{load, source_of};
use super::{show_diagnostics, write_file};
use crate::args::{ExplainArgs, ExportCatchmentArgs, Format, RunOptions};
use crate::console::{Console, shown};
use crate::exit::Exit;
use crate::table::plain;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::record::RunId;
use steerlab_engine::route::Fate;
use steerlab_engine::route::landing::{Explanation, HopChoice, RouteChoice, SiteRank};
use steerlab_engine::run::{query_catchment, query_route};
use steerlab_engine::scenario::{ArmId, ClientGroupId, PrefixId, Scenario};
use steerlab_policies::BuiltIn;
use steerlab_results::view::{ColumnData, DataTable, RunView};
use steerlab_scenario::catchment::{CatchmentClient, CatchmentKey, CatchmentRow, CatchmentTable};

/// Routes of one network that are shown; the others are counted.
const ROUTES_SHOWN: usize = 12;

/// Explains.
pub fn explain(console: &Console, args: &ExplainArgs) -> Exit {
    match (args.subject.as_str(), &args.input) {
        ("route", Some(input)) => route(console, input, args),
        ("action", Some(input)) => action(console, input, args),
        ("route", None) => console.fail(
            Exit::BadInput,
            "`explain route` needs a scenario",
            "steerlab explain route SCENARIO --client GROUP --at 45m",
        ),
        ("action", None) => console.fail(
            Exit::BadInput,
            "`explain action` needs a run directory",
            "steerlab explain action RUN_DIR --number 3",
        ),
        (code, _) => match steerlab_scenario::explain(code) {
            Some(page) => {
                console.answer(&page);
                Exit::Done
            }
            None => console.fail(
                Exit::NothingSelected,
                &format!("there is no code `{code}`"),
                "`steerlab list codes` names all; `route` and `action` can be explained too",
            ),
        },
    }
}

fn no_options() -> RunOptions {
    RunOptions {
        out: PathBuf::new(),
        jobs: None,
        seed: None,
        replications: None,
        set: Vec::new(),
        no_cache: false,
        max_events: None,
        deny_warnings: false,
        csv: None,
        svg: None,
        junit: None,
        no_report: true,
        format: Format::Table,
    }
}

fn route(console: &Console, input: &Path, args: &ExplainArgs) -> Exit {
    let loaded = match load(&source_of(input), &no_options()) {
        Ok(loaded) => loaded,
        Err(what) => return console.fail(Exit::BadInput, &what, ""),
    };
    if loaded.scenario.is_none() {
        show_diagnostics(console, &loaded);
    }
    let Some(scenario) = loaded.scenario else { return Exit::BadInput };
    match route_text(&scenario, args) {
        Ok(text) => {
            console.answer(&text);
            Exit::Done
        }
        Err(what) => console.fail(Exit::BadInput, &what, "see `steerlab explain --help`"),
    }
}

/// Position of a named row, or what is wrong.
fn find<'a>(
    what: &str,
    name: Option<&str>,
    mut names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u32, String> {
    let listed = || names.clone().take(10).collect::<Vec<_>>().join(", ");
    let found = match name {
        None if names.clone().count() == 1 => Some(0),
        None => return Err(format!("which {what}? there are {}", listed())),
        Some(name) => names.clone().position(|row| row == name),
    };
    let index = found
        .ok_or_else(|| format!("no {what} `{}`; there are {}", name.unwrap_or(""), listed()))?;
    let _first = names.next();
    u32::try_from(index).map_err(|error| error.to_string())
}

/// One page a prefix: of the one asked for, else of all.
fn route_text(scenario: &Scenario, args: &ExplainArgs) -> Result<String, String> {
    if scenario.client_groups.is_empty() || scenario.prefixes.is_empty() {
        return Err("the scenario has no client groups that land: nothing to explain".to_owned());
    }
    let groups = scenario.client_groups.rows().iter().map(|group| group.id.as_str());
    let names = scenario.prefixes.rows().iter().map(|prefix| prefix.id.as_str());
    let arms = scenario.arms.rows().iter().map(|arm| arm.id.as_str());
    let group = ClientGroupId(find("client group", args.client.as_deref(), groups)?);
    let prefixes: Vec<PrefixId> = match &args.prefix {
        None => scenario.prefixes.ids().collect(),
        some => vec![PrefixId(find("prefix", some.as_deref(), names)?)],
    };
    let arm = match &args.arm {
        None => ArmId(0),
        some => ArmId(find("arm", some.as_deref(), arms)?),
    };
    let at = instant(scenario, &args.at)?;
    let id = RunId { arm, replication: args.replication };
    let mut pages = Vec::new();
    for prefix in prefixes {
        let query = query_route(scenario, id, &BuiltIn, (group, prefix), at)
            .map_err(|_| "the run met the limit of events before".to_owned())?;
        let group = &scenario.client_groups[group].id;
        let prefix = &scenario.prefixes[prefix].id;
        let arm = &scenario.arms[arm].id;
        let what = fate_text(scenario, query.fate);
        let head = format!("{group} {what} for {prefix} at {} in arm {arm}\n", args.at);
        let waits = if query.next == query.fate {
            String::new()
        } else {
            let next = fate_text(scenario, query.next);
            format!("users have not followed yet: by routing as it is now it {next}\n")
        };
        pages.push(head + &waits + "\n" + &why(scenario, &query.why));
    }
    Ok(pages.join("\n"))
}

/// Writes where everybody lands at an instant of a run.
pub fn export_catchment(console: &Console, args: &ExportCatchmentArgs) -> Exit {
    let loaded = match load(&source_of(&args.input), &no_options()) {
        Ok(loaded) => loaded,
        Err(what) => return console.fail(Exit::BadInput, &what, ""),
    };
    if loaded.scenario.is_none() {
        show_diagnostics(console, &loaded);
    }
    let Some(scenario) = loaded.scenario else { return Exit::BadInput };
    let (table, lost) = match catchment_at(&scenario, args) {
        Ok(found) => found,
        Err(what) => {
            let help = "see `steerlab export-catchment --help`";
            return console.fail(Exit::BadInput, &what, help);
        }
    };
    if let Err(exit) = write_file(console, &args.out, table.to_csv().as_bytes()) {
        return exit;
    }
    let rows = table.rows().len();
    console.say(&format!("wrote {}: {rows} rows, {lost} pairs land nowhere", shown(&args.out)));
    Exit::Done
}

/// The table of an instant, one row for every client group and prefix that lands, and how many do
/// not.
fn catchment_at(
    scenario: &Scenario,
    args: &ExportCatchmentArgs,
) -> Result<(CatchmentTable, usize), String> {
    let arms = scenario.arms.rows().iter().map(|arm| arm.id.as_str());
    let arm = match &args.arm {
        None => ArmId(0),
        some => ArmId(find("arm", some.as_deref(), arms)?),
    };
    let at = instant(scenario, &args.at)?;
    let id = RunId { arm, replication: args.replication };
    let fates = query_catchment(scenario, id, &BuiltIn, at)
        .map_err(|_| "the run met the limit of events before".to_owned())?;
    let groups = scenario.client_groups.rows().iter();
    let pairs = groups.flat_map(|group| scenario.prefixes.rows().iter().map(move |p| (group, p)));
    let rows: Vec<CatchmentRow> = pairs
        .zip(&fates)
        .filter_map(|((group, prefix), fate)| {
            Some(CatchmentRow {
                key: CatchmentKey {
                    client: CatchmentClient::Group(group.id.clone()),
                    prefix: Some(prefix.id.clone()),
                },
                site: scenario.network.sites[fate.site()?].id.clone(),
                weight: Some(group.weight),
                rtt_ms: None,
            })
        })
        .collect();
    let lost = fates.len() - rows.len();
    let table =
        CatchmentTable::new(rows).map_err(|key| format!("{} is there twice", key.client))?;
    Ok((table, lost))
}

/// An instant of a run as it is typed.
fn instant(scenario: &Scenario, text: &str) -> Result<SimTime, String> {
    let at = steerlab_scenario::parse_span(text)
        .map_err(|why| format!("--at {text}: {why}; it is a span since the start"))?;
    if at > scenario.horizon {
        return Err(format!("--at {text}: the run ends before that"));
    }
    Ok(SimTime(at.0))
}

fn fate_text(scenario: &Scenario, fate: Fate) -> String {
    match fate {
        Fate::Lands(landing) => {
            let site = &scenario.network.sites[landing.site].id;
            match landing.via {
                Some(via) => {
                    let via = &scenario.network.neighbours[via].id;
                    format!("lands at {site} over {via}")
                }
                None => format!("lands at {site}"),
            }
        }
        Fate::Lost(cause) => format!("is lost ({})", cause.name()),
    }
}

/// What routing prefers, and why.
fn why(scenario: &Scenario, explanation: &Explanation) -> String {
    match explanation {
        Explanation::Words(words) => format!("{words}\n"),
        Explanation::Sites(ranking) => sites(scenario, ranking),
        Explanation::Hops(hops) => hops_text(scenario, hops),
    }
}

fn sites(scenario: &Scenario, ranking: &[SiteRank]) -> String {
    let rows: Vec<Vec<String>> = ranking
        .iter()
        .map(|row| {
            vec![
                scenario.network.sites[row.site].id.clone(),
                format!("{:.1}", row.rtt_ms),
                format!("{:.1}", row.cost_ms),
                row.reason.clone(),
            ]
        })
        .collect();
    let table = plain(&["site", "rtt_ms", "cost_ms", "why"], &rows);
    table + "cost_ms is what routing compares: rtt_ms with its `landing_noise`\n"
}

/// The AS path first, then for every AS on it what it had to choose from.
fn hops_text(scenario: &Scenario, hops: &[HopChoice]) -> String {
    let names: Vec<String> = hops.iter().map(|hop| format!("AS{}", hop.asn)).collect();
    let mut text = format!("AS path: {}\n", names.join(" "));
    for hop in hops {
        text.push_str(&format!("\nAS{} has {}:\n", hop.asn, counted(hop.routes.len())));
        // The route taken comes first; of a network with a hundred neighbours the rest is counted.
        let (shown, others) = hop.routes.split_at(hop.routes.len().min(ROUTES_SHOWN));
        let rows: Vec<Vec<String>> = shown
            .iter()
            .map(|route| {
                let path: Vec<String> = route.as_path.iter().map(u32::to_string).collect();
                let site = route.site.map(|site| scenario.network.sites[site].id.as_str());
                vec![
                    if route.taken { "*" } else { "" }.to_owned(),
                    path.join(" "),
                    site.unwrap_or("").to_owned(),
                    route.learned_from.to_owned(),
                    route.reason.clone(),
                ]
            })
            .collect();
        text.push_str(&plain(&["", "as_path", "site", "learned_from", "why"], &rows));
        if !others.is_empty() {
            text.push_str(&format!("and {} more: {}\n", others.len(), summary(others)));
        }
    }
    text
}

/// How many routes lost for which reason, without the figures behind the reason.
fn summary(routes: &[RouteChoice]) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for route in routes {
        let reason = match route.reason.split_once(" to that of ") {
            Some((reason, _)) => reason,
            None => route.reason.split(": ").next().unwrap_or(""),
        };
        let reason = if reason.starts_with("local preference") { "as good" } else { reason };
        *reasons.entry(reason).or_default() += 1;
    }
    let words = reasons.iter().map(|(reason, count)| format!("{count} {reason}"));
    words.collect::<Vec<_>>().join(", ")
}

fn counted(routes: usize) -> String {
    if routes == 1 { "one route".to_owned() } else { format!("{routes} routes") }
}

fn action(console: &Console, input: &Path, args: &ExplainArgs) -> Exit {
    let view = match RunView::read_tables(input, &["actions"]) {
        Ok(view) => view,
        Err(error) => {
            return console.fail(Exit::BadInput, &error.to_string(), "name a run directory");
        }
    };
    let Some(table) = view.table("actions") else {
        return console.fail(Exit::NothingSelected, "the run has no table of actions", "");
    };
    if let Some(arm) = &args.arm {
        let arms = view.scenario.arms.rows().iter().map(|arm| arm.id.as_str());
        if let Err(what) = find("arm", Some(arm), arms) {
            return console.fail(Exit::BadInput, &what, "without --arm all arms are shown");
        }
    }
    let wanted = |row: usize| {
        args.arm.as_ref().is_none_or(|arm| text_at(table, "arm", row) == *arm)
            && text_at(table, "replication", row) == args.replication.to_string()
            && args.number.is_none_or(|n| text_at(table, "number", row) == n.to_string())
    };
    let columns: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| *name != "replication" && (*name != "arm" || args.arm.is_none()))
        .collect();
    let rows: Vec<Vec<String>> = (0..table.rows())
        .filter(|&row| wanted(row))
        .map(|row| columns.iter().map(|name| text_at(table, name, row)).collect())
        .collect();
    if rows.is_empty() {
        return console.fail(
            Exit::NothingSelected,
            "no policy asked for such an action",
            "without --arm and --number all of a replication are shown; see --replication",
        );
    }
    console.answer(&plain(&columns, &rows));
    Exit::Done
}

fn text_at(table: &DataTable, column: &str, row: usize) -> String {
    match table.column(column).map(|column| &column.data) {
        Some(ColumnData::F64(values)) => {
            if values[row].is_nan() {
                "-".to_owned()
            } else {
                format!("{}", values[row])
            }
        }
        Some(ColumnData::U64(values)) => values[row].to_string(),
        Some(ColumnData::Text { dictionary, codes }) => {
            dictionary.get(codes[row] as usize).cloned().unwrap_or_default()
        }
        None => String::new(),
    }
}
