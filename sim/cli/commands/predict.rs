//! `steerlab predict-catchment`: which site each AS will reach.

use super::import::show;
use super::predict_table::{Row, answer};
use super::write_file;
use crate::args::{Format, PredictCatchmentArgs, PredictionRule};
use crate::console::{Console, shown};
use crate::exit::Exit;
use std::fmt::Write as _;
use std::path::Path;
use steerlab_engine::route::internet::{AsGraph, Solution, Workspace};
use steerlab_engine::route::predict::{
    AlonePaths, Prediction, Rule, SITES_MAX, Score, plain_announcements,
};
use steerlab_scenario::import::peering::{
    Experiment, MeasuredSites, Vantage, read_alone_paths, read_experiments, read_measured_sites,
};
use steerlab_scenario::import::{ImportError, read_as_rel, read_limited};

/// AS number of the announcer in the plain model: reserved for documentation (RFC 5398), so that
/// no AS of a graph takes it for its own.
const ANNOUNCER_ASN: u32 = 64_496;

/// Predicts.
pub fn predict(console: &Console, args: &PredictCatchmentArgs) -> Exit {
    let done = match &args.experiments {
        Some(folder) => experiments(console, args, folder),
        None => sites(console, args),
    };
    match done {
        Ok(exit) => exit,
        Err(error) => {
            show(console, &error);
            Exit::BadInput
        }
    }
}

/// The rules that are not left out.
fn rules(args: &PredictCatchmentArgs) -> Vec<Rule> {
    let rule = |left_out: &PredictionRule| match left_out {
        PredictionRule::SeenNextHops => Rule::SeenNextHops,
        PredictionRule::Absence => Rule::Absence,
        PredictionRule::Untaken => Rule::Untaken,
        PredictionRule::AgainstRule => Rule::AgainstRule,
        PredictionRule::Prepends => Rule::Prepends,
        PredictionRule::LongerOffers => Rule::LongerOffers,
        PredictionRule::TiesToMajority => Rule::TiesToMajority,
    };
    let left_out: Vec<Rule> = args.without.iter().map(rule).collect();
    Rule::ALL.into_iter().filter(|rule| !left_out.contains(rule)).collect()
}

/// Every experiment of a folder.
fn experiments(
    console: &Console,
    args: &PredictCatchmentArgs,
    folder: &Path,
) -> Result<Exit, ImportError> {
    let experiments = read_experiments(folder)?;
    let graph = read_as_rel(&read_limited(&args.graph)?)?;
    let mut rows = Vec::new();
    for Experiment { number, sites, alone, measured } in &experiments {
        let name = format!("{number}_{}_{}", sites[0], sites[1]);
        let prediction = Prediction::with_rules(&graph, alone, &rules(args));
        say_state(console, &name, &prediction);
        let plain = Plain::new(&graph, alone);
        rows.extend(measured.iter().map(|(vantage, map)| Row {
            experiment: name.clone(),
            vantage: Some(*vantage),
            predicted: Score::of(&prediction, map),
            plain: plain.score(map),
        }));
    }
    console.answer(&answer(args.format, &rows, &Vantage::ALL));
    Ok(Exit::Done)
}

/// One set of sites.
fn sites(console: &Console, args: &PredictCatchmentArgs) -> Result<Exit, ImportError> {
    let mut names: Vec<String> = Vec::new();
    let mut alone = Vec::new();
    for given in &args.alone {
        let pair = given.split_once('=').filter(|(site, file)| is_name(site) && !file.is_empty());
        let Some((site, file)) = pair.filter(|(site, _)| names.iter().all(|name| name != site))
        else {
            let what = format!("--alone: `{given}` is no site with a file");
            let help =
                "write --alone SITE=FILE once a site; names have letters, digits, `.`, `_`, `-`";
            return Ok(console.fail(Exit::BadInput, &what, help));
        };
        alone.push(read_alone_paths(&read_limited(Path::new(file))?)?);
        names.push(site.to_owned());
    }
    if !(2..=SITES_MAX).contains(&names.len()) {
        let what = format!("--alone: {} sites", names.len());
        let help = format!("a prediction chooses among 2 to {SITES_MAX} sites");
        return Ok(console.fail(Exit::BadInput, &what, &help));
    }
    let measured = match &args.measured {
        Some(path) => Some(read_measured_sites(&read_limited(path)?, &names)?),
        None => None,
    };
    let graph = read_as_rel(&read_limited(&args.graph)?)?;
    let prediction = Prediction::with_rules(&graph, &alone, &rules(args));
    say_state(console, &names.join(" "), &prediction);
    if let Some(out) = &args.out {
        if let Err(exit) = write_file(console, out, table(&prediction, &names).as_bytes()) {
            return Ok(exit);
        }
        console.say(&format!("wrote {}", shown(out)));
    }
    if args.format != Format::Json || measured.is_none() {
        console.answer(&counts(args.format, &prediction, &names));
    }
    if let Some(map) = measured {
        let plain = Plain::new(&graph, &alone).score(&map);
        let predicted = Score::of(&prediction, &map);
        let row = Row { experiment: names.join(" "), vantage: None, predicted, plain };
        console.answer(&answer(args.format, &[row], &[]));
    }
    Ok(Exit::Done)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// What is to be known before trusting a prediction.
fn say_state(console: &Console, name: &str, prediction: &Prediction) {
    let [same, one, more] = prediction.taken.map(|share| 100.0 * share);
    console.say(&format!(
        "{name}: an offer of the best class is taken by {same:.0} % if it is as short as the \
         shortest, {one:.0} % if one longer, {more:.0} % beyond; {} ASes not at rest",
        prediction.unsettled
    ));
}

/// How many ASes go to each site.
fn counts(format: Format, prediction: &Prediction, names: &[String]) -> String {
    let mut counts = vec![0_u64; names.len()];
    prediction.iter().for_each(|(_, forecast)| counts[forecast.site] += 1);
    if format == Format::Json {
        let sites: serde_json::Map<_, _> =
            names.iter().zip(&counts).map(|(name, &count)| (name.clone(), count.into())).collect();
        return serde_json::json!({ "format": "steerlab-predicted/1", "ases": sites }).to_string();
    }
    let rows: Vec<Vec<String>> = names
        .iter()
        .zip(&counts)
        .map(|(name, count)| vec![name.clone(), count.to_string()])
        .collect();
    let head = ["site", "ASes predicted"];
    match format {
        Format::Md => crate::table::markdown(&head, &rows),
        _ => crate::table::plain(&head, &rows),
    }
}

/// The prediction as a catchment table.
fn table(prediction: &Prediction, names: &[String]) -> String {
    let mut text = String::from("# format: steerlab-catchment/1\nkind,id,site\n");
    for (asn, forecast) in prediction.iter() {
        writeln!(text, "as,{asn},{}", names[forecast.site]).expect("a string takes everything");
    }
    text
}

/// The plain model that predictions are compared with.
struct Plain<'a> {
    graph: &'a AsGraph,
    /// Site of each AS of the graph.
    sites: Vec<Option<usize>>,
}

impl<'a> Plain<'a> {
    fn new(graph: &'a AsGraph, alone: &[AlonePaths]) -> Plain<'a> {
        let announcements = plain_announcements(graph, alone, ANNOUNCER_ASN);
        let solved = Solution::solve(graph, &announcements, &mut Workspace::default());
        let solution = solved.expect("plain announcements settle in one state");
        let routes = solution.routes(graph, &announcements);
        let site = |at| routes.seed(at).map(|seed| seed.exit as usize);
        Plain { graph, sites: (0..graph.len() as u32).map(site).collect() }
    }

    fn score(&self, measured: &MeasuredSites) -> Score {
        let site_of = |asn| self.sites[self.graph.index_of(asn)? as usize];
        Score::of_model(site_of, measured)
    }
}
