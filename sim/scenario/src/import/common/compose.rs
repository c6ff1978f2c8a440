//! From a draft and the options to a scenario: names, cuts, the matrix file, YAML.

use super::draft::{Draft, DraftLink, Series, Traffic, count_note};
use super::names::{Names, base_name, sanitised, stem};
use super::problem::{E_LIMIT, E_OPTION, Problem, Problems, shown};
use super::stamp::Stamp;
use super::units::{parse_span, rate_text, span_text};
use super::yaml::{degrees, quoted};
use crate::import::{ImportError, ImportInput, ImportOptions, Imported};
use crate::matrix::{self, MAX_CELLS, RecordedMatrix};
use std::fmt::Write as _;
use steerlab_engine::kernel::SimTime;

/// Most nodes and links of the scenario language.
const MAX_NODES: usize = 10_000;
const MAX_LINKS: usize = 200_000;

/// Horizon and step where there is one matrix only.
const STATIC_HORIZON_NS: u64 = 3_600_000_000_000;
const STATIC_STEP_NS: u64 = 300_000_000_000;

/// Shortest and longest run.
const MIN_HORIZON_NS: u64 = 1_000_000_000;
pub(crate) const MAX_HORIZON_NS: u64 = 315_576_000 * 1_000_000_000;

/// Delay of a link where neither the file nor geography gives one.
const UNKNOWN_DELAY_NS: u64 = 1_000_000;

/// Ids in the order of the draft's rows.
struct Ids {
    sites: Vec<String>,
    links: Vec<String>,
}

/// When the run starts, how long it is, and its grid.
struct Clock {
    start: Option<Stamp>,
    horizon_ns: u64,
    step_ns: u64,
}

/// A cut whose link is known.
struct ResolvedCut {
    link: usize,
    at_ns: u64,
    until_ns: Option<u64>,
}

/// Makes the scenario.
pub(crate) fn compose(mut draft: Draft, input: &ImportInput) -> Result<Imported, ImportError> {
    let options = &input.options;
    let mut problems = Problems::default();
    check_size(&draft, &input.topology.name, &mut problems);
    check_options(&draft, options, &mut problems);
    let ids = ids(&draft);
    let clock = clock(&draft.traffic, options);
    let cuts = resolve_cuts(&draft, &ids, options, clock.horizon_ns, &mut problems);
    problems.finish(())?;
    let name = scenario_name(options, &input.topology.name);
    let matrix = recorded(&draft.traffic, &ids, &input.topology.name)?;
    note_links(&draft.nodes.iter().map(|node| node.at.is_some()).collect::<Vec<_>>(), &mut draft);
    let matrix_file = matrix.as_ref().map(|_| format!("{name}.matrix.parquet"));
    let mut yaml = head(&name, &draft, &clock);
    sites(&mut yaml, &draft, &ids);
    links(&mut yaml, &draft, &ids);
    tail(&mut yaml, matrix_file.as_deref(), options);
    events(&mut yaml, &cuts, &ids);
    arms(&mut yaml, options);
    let bytes = matrix.as_ref().map(matrix::write);
    let files = matrix_file.into_iter().zip(bytes).collect();
    Ok(Imported { name, yaml, files, notes: draft.notes })
}

fn check_size(draft: &Draft, file: &str, problems: &mut Problems) {
    let mut check = |what: &str, count: usize, most: usize| {
        if count > most {
            problems.push(
                Problem::new(E_LIMIT, file, format!("{count} {what}"))
                    .why(format!("a scenario has at most {most}"))
                    .help("import a part of the network"),
            );
        }
    };
    check("nodes", draft.nodes.len(), MAX_NODES);
    check("links", draft.links.len(), MAX_LINKS);
    if draft.nodes.is_empty() {
        problems.push(
            Problem::new(E_LIMIT, file, "the file holds no nodes")
                .why("a network without nodes carries nothing")
                .help("check that the file is the one you meant"),
        );
    }
}

fn check_options(draft: &Draft, options: &ImportOptions, problems: &mut Problems) {
    let mut refuse = |option: &str, what: String, help: &str| {
        problems.push(
            Problem::new(E_OPTION, option, what)
                .why("the scenario would not mean what was asked for")
                .help(help),
        );
    };
    if !(1e-6..=1e6).contains(&options.scale) {
        let what = format!("the scale is {}", options.scale);
        refuse("--scale", what, "use a factor from 0.000001 to 1000000");
    }
    if options.name.as_deref().is_some_and(|name| name.is_empty() || sanitised(name) != name) {
        let help = "use letters, digits, '.', '_' and '-', at most 128";
        refuse("--name", "the name is not a valid id".to_owned(), help);
    }
    if options.arms.iter().any(|arm| arm.is_empty() || sanitised(arm) != *arm) {
        let what = "a policy name is not a valid id".to_owned();
        refuse("--arms", what, "see the list of policies");
    }
    let is_series = matches!(draft.traffic, Traffic::Series(_));
    if !is_series && options.from.is_some() {
        let what = "there is no series of matrices to start from".to_owned();
        refuse("--from", what, "leave it out, or give a dynamic data set as demands");
    }
    let length = options.length.as_deref().map(parse_span);
    let in_range = |span: u64| (MIN_HORIZON_NS..=MAX_HORIZON_NS).contains(&span);
    if !is_series && length.is_some_and(|length| !length.is_some_and(in_range)) {
        let length = shown(options.length.as_deref().unwrap_or(""));
        let what = format!("{length} is no span from a second to ten years");
        refuse("--for", what, "write it as 7d, 36h or 1d12h");
    }
}

fn scenario_name(options: &ImportOptions, file: &str) -> String {
    let name = options.name.clone().unwrap_or_else(|| sanitised(stem(base_name(file))));
    // Room for the endings of the files.
    let name: String = name.chars().take(100).collect();
    if name.is_empty() { "network".to_owned() } else { name }
}

fn ids(draft: &Draft) -> Ids {
    let mut names = Names::default();
    let sites: Vec<String> =
        draft.nodes.iter().map(|node| names.claim(&node.name, "node")).collect();
    let mut names = Names::default();
    let mut links = Vec::new();
    for link in &draft.links {
        let ends = link.ends.map(|end| sites[end].as_str()).join("--");
        links.push(names.claim(link.names.first().unwrap_or(&ends), &ends));
    }
    Ids { sites, links }
}

fn clock(traffic: &Traffic, options: &ImportOptions) -> Clock {
    let horizon_ns = options.length.as_deref().and_then(parse_span).unwrap_or(STATIC_HORIZON_NS);
    let step_ns = STATIC_STEP_NS.min(horizon_ns);
    match traffic {
        Traffic::None => Clock { start: None, horizon_ns, step_ns },
        Traffic::Static { start, .. } => Clock { start: *start, horizon_ns, step_ns },
        Traffic::Series(series) => Clock {
            start: Some(series.start),
            horizon_ns: series.horizon_ns,
            step_ns: series.step_ns,
        },
    }
}

fn resolve_cuts(
    draft: &Draft,
    ids: &Ids,
    options: &ImportOptions,
    horizon_ns: u64,
    problems: &mut Problems,
) -> Vec<ResolvedCut> {
    let mut cuts = Vec::new();
    for cut in &options.cuts {
        let mut refuse = |what: String, why: &str, help: String| {
            problems.push(Problem::new(E_OPTION, "--cut", what).why(why).help(help));
        };
        let by_id = ids.links.iter().position(|id| *id == cut.link);
        let link =
            by_id.or_else(|| draft.links.iter().position(|link| link.names.contains(&cut.link)));
        if link.is_none() {
            let some: Vec<&str> = ids.links.iter().take(8).map(String::as_str).collect();
            refuse(
                format!("there is no link {}", shown(&cut.link)),
                "a cut needs a link to fail",
                format!("links are named such as {}", some.join(", ")),
            );
        }
        let at_ns = parse_span(&cut.at);
        let until_ns = cut.until.as_deref().map(parse_span);
        if at_ns.is_none() || until_ns == Some(None) {
            let what = format!("cut of {}: not a time since the start", shown(&cut.link));
            refuse(
                what,
                "the cut needs a time",
                "write LINK@3d12h or LINK@3d12h..3d16h".to_owned(),
            );
            continue;
        }
        let (at_ns, until_ns) = (at_ns.unwrap_or(0), until_ns.flatten());
        if at_ns >= horizon_ns || until_ns.is_some_and(|until| until <= at_ns) {
            let why = "a cut begins before the end of the run and ends after it began";
            let what = format!("the cut of {} does not fit", shown(&cut.link));
            refuse(what, why, format!("the run ends at {}", span_text(horizon_ns)));
        } else if let Some(link) = link {
            cuts.push(ResolvedCut { link, at_ns, until_ns });
        }
    }
    cuts
}

/// The matrix with site ids, pairs sorted; none without demands.
fn recorded(
    traffic: &Traffic,
    ids: &Ids,
    file: &str,
) -> Result<Option<RecordedMatrix>, ImportError> {
    let (times_ns, pairs, rates): (Vec<u64>, Vec<(usize, usize)>, Vec<f64>) = match traffic {
        Traffic::None => return Ok(None),
        Traffic::Static { rates_bps, .. } => {
            (vec![0], rates_bps.keys().copied().collect(), rates_bps.values().copied().collect())
        }
        Traffic::Series(Series { times_ns, pairs, rates_bps, .. }) => {
            (times_ns.clone(), pairs.clone(), rates_bps.clone())
        }
    };
    if pairs.is_empty() {
        return Ok(None);
    }
    if rates.len() > MAX_CELLS || rates.iter().any(|rate| !rate.is_finite()) {
        let problem = Problem::new(E_LIMIT, file, format!("{} demand values", rates.len()))
            .why(format!("a matrix file holds at most {MAX_CELLS} finite values"))
            .help("import a shorter part with --from and --for");
        return Err(problem.into());
    }
    let mut columns: Vec<(String, String, usize)> = pairs
        .iter()
        .enumerate()
        .map(|(column, &(from, to))| (ids.sites[from].clone(), ids.sites[to].clone(), column))
        .collect();
    columns.sort();
    let width = pairs.len();
    let rates_bps = (0..rates.len())
        .map(|cell| rates[cell / width * width + columns[cell % width].2])
        .collect();
    let pairs = columns.into_iter().map(|(from, to, _)| (from, to)).collect();
    let times = times_ns.into_iter().map(SimTime).collect();
    Ok(Some(RecordedMatrix { times, pairs, rates_bps }))
}

/// Notes on what the composer itself assumes, and the assumed delays.
fn note_links(located: &[bool], draft: &mut Draft) {
    let missing = located.iter().filter(|located| !**located).count();
    count_note(&mut draft.notes, missing, "[node has|nodes have] no coordinates");
    let both = |link: &DraftLink| link.ends.iter().all(|&end| located[end]);
    let (mut assumed, mut derived) = (0, 0);
    for link in &mut draft.links {
        if link.delay_ns.is_none() {
            if both(link) {
                derived += 1;
            } else {
                link.delay_ns = Some(UNKNOWN_DELAY_NS);
                assumed += 1;
            }
        }
    }
    let text = "[link|links] without delay: derived from the distance of the ends";
    count_note(&mut draft.notes, derived, text);
    let text = "[link|links] with neither delay nor known distance: 1 ms assumed";
    count_note(&mut draft.notes, assumed, text);
}

fn head(name: &str, draft: &Draft, clock: &Clock) -> String {
    let mut yaml = format!(
        "format: steerlab-scenario/1\nname: {}\nlabel: {}\ndescription: {}\n",
        quoted(name),
        quoted(&draft.label),
        quoted(&draft.description)
    );
    if !draft.notes.is_empty() {
        yaml.push_str("assumptions:\n");
        for note in &draft.notes {
            yaml.push_str(&format!("  - {}\n", quoted(note)));
        }
    }
    yaml.push_str("seed: 1\n");
    if let Some(start) = clock.start {
        yaml.push_str(&format!("start: \"{}\"\n", start.text()));
    }
    let (horizon, step) = (span_text(clock.horizon_ns), span_text(clock.step_ns));
    yaml.push_str(&format!("horizon: {horizon}\nbucket: {step}\ntraffic_step: {step}\n"));
    yaml
}

fn sites(yaml: &mut String, draft: &Draft, ids: &Ids) {
    yaml.push_str("sites:\n");
    for (node, id) in draft.nodes.iter().zip(&ids.sites) {
        yaml.push_str(&format!("  - {{id: {}", quoted(id)));
        if node.name != *id {
            yaml.push_str(&format!(", label: {}", quoted(&node.name)));
        }
        if let Some((lat, lon)) = node.at {
            yaml.push_str(&format!(", at: [{}, {}]", degrees(lat), degrees(lon)));
        }
        yaml.push_str("}\n");
    }
}

fn links(yaml: &mut String, draft: &Draft, ids: &Ids) {
    if draft.links.is_empty() {
        return;
    }
    yaml.push_str("links:\n");
    for (link, id) in draft.links.iter().zip(&ids.links) {
        yaml.push_str(&format!("  - {{id: {}", quoted(id)));
        if link.names.len() > 1 || link.names.first().is_some_and(|name| name != id) {
            yaml.push_str(&format!(", label: {}", quoted(&link.names.join(" / "))));
        }
        let end = |end: usize| quoted(&ids.sites[link.ends[end]]);
        let capacity = both_ways(link.capacity_bps.map(rate_text));
        let weight = both_ways(link.weight.map(|weight| weight.to_string()));
        let _ = write!(
            yaml,
            ", kind: backbone, ends: [{}, {}], capacity: {capacity}, weight: {weight}",
            end(0),
            end(1)
        );
        if let Some(delay_ns) = link.delay_ns {
            yaml.push_str(&format!(", delay: {}", span_text(delay_ns)));
        }
        yaml.push_str("}\n");
    }
}

fn both_ways([forward, back]: [String; 2]) -> String {
    if forward == back { forward } else { format!("{{forward: {forward}, back: {back}}}") }
}

fn tail(yaml: &mut String, matrix_file: Option<&str>, options: &ImportOptions) {
    let Some(file) = matrix_file else { return };
    yaml.push_str(&format!("demands:\n  - {{id: matrix, matrix: {{file: {}", quoted(file)));
    if options.scale != 1.0 {
        yaml.push_str(&format!(", scale: {}", options.scale));
    }
    yaml.push_str("}}\n");
}

fn events(yaml: &mut String, cuts: &[ResolvedCut], ids: &Ids) {
    if cuts.is_empty() {
        return;
    }
    yaml.push_str("events:\n");
    for cut in cuts {
        let id = &ids.links[cut.link];
        let until = cut.until_ns.map(|until| format!(", until: {}", span_text(until)));
        yaml.push_str(&format!(
            "  - fail: {{link: {}, at: {}{}, label: {}}}\n",
            quoted(id),
            span_text(cut.at_ns),
            until.unwrap_or_default(),
            quoted(&format!("{id} cut"))
        ));
    }
}

fn arms(yaml: &mut String, options: &ImportOptions) {
    yaml.push_str("arms:\n");
    let default = [String::from("spf-ecmp")];
    let policies = if options.arms.is_empty() { &default[..] } else { &options.arms };
    let mut names = Names::default();
    for policy in policies {
        let id = names.claim(policy, "arm");
        yaml.push_str(&format!("  - {{id: {}, policies: [{}]}}\n", quoted(&id), quoted(policy)));
    }
    yaml.push_str("compare: {metrics: [loss_ratio, link_utilisation_max]}\n");
}
