//! The figures of a report: each file makes one kind from a run view.
//!
//! To add a figure, write its file and add it to [`Figures::of`].

pub mod axis;
mod bars;
mod billing;
mod breakdown;
mod catchment;
mod causes;
mod cdf;
mod churn;
mod curve;
mod differences;
mod flows;
mod groups;
mod heat;
mod land;
mod losers;
mod map;
mod marks;
mod moment;
mod timeline;
mod worst;
mod zoom;

use crate::figure::Pen;
use crate::rows::{Missing, Rows};
use axis::TimeScale;
pub use churn::{Churn, LargestMoves, MovedGroup, pairs as churn_pairs, table as churn_table};
pub use marks::Marks;
use std::rc::Rc;
use steerlab_results::view::RunView;

/// Width of a picture that stands alone, pixels.
pub const WIDE_PX: u32 = 1072;
/// Width of a picture beside another one, pixels.
pub const HALF_PX: u32 = 528;
/// Width of one of three pictures in a row, pixels.
pub const THIRD_PX: u32 = 346;

/// Most arms that get a picture of their own in a figure; all are in the tables.
pub const ARMS_MAX: usize = 12;

/// What stands above a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Heading {
    /// Nothing: the figure's title says it.
    None,
    /// The arm at this position of the summary.
    Arm(usize),
    /// Words.
    Words(String),
}

/// One drawing of a figure.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Distinguishes the pictures of a figure: `spill`; empty where there is one.
    pub name: String,
    /// What stands above it.
    pub heading: Heading,
    /// What a person who cannot see it should know.
    pub description: String,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// SVG elements, coloured by classes only.
    pub elements: String,
    /// Path data of the ground that all pictures of the figure share, drawn below the elements.
    pub ground: Option<Rc<str>>,
}

/// A line of the legend.
#[derive(Clone, Debug)]
pub struct LegendItem {
    /// How it is drawn; several where arms have their own colours.
    pub swatches: Vec<Swatch>,
    /// What it stands for.
    pub label: String,
}

/// A sample of ink.
#[derive(Clone, Copy, Debug)]
pub enum Swatch {
    /// A line.
    Line(Pen),
    /// A filled patch.
    Patch(Pen),
    /// A marker.
    Mark(crate::figure::Shape, crate::figure::Ink),
}

/// The numbers behind a figure, few enough to read.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Column heads.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
    /// How many leading columns are words (the others are numbers, right-aligned).
    pub word_columns: usize,
    /// What was left out.
    pub note: String,
}

/// A figure: pictures, legend, data and the words around them.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Name in file names and links: `traffic`, `latency-cdf`.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it shows, generated from the data.
    pub shows: String,
    /// How to read it.
    pub how: &'static str,
    /// Legend.
    pub legend: Vec<LegendItem>,
    /// Pictures, at least one.
    pub pictures: Vec<Picture>,
    /// The numbers.
    pub data: Option<Grid>,
}

/// A figure that could not be made.
#[derive(Clone, Debug)]
pub struct Absent {
    /// Title it would have had.
    pub title: &'static str,
    /// Why not.
    pub why: Missing,
}

impl Absent {
    fn or<'a>(title: &'static str) -> impl FnOnce(Missing) -> Absent + use<'a> {
        move |why| Absent { title, why }
    }
}

/// A figure or why there is none.
pub type Shown = Result<Plot, Absent>;

/// All figures of a report, by the section they belong to.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Where it happened.
    pub map: Shown,
    /// What happened when.
    pub timelines: Vec<Shown>,
    /// Requests and flows one by one, and bills; empty where there is nothing of the kind.
    pub details: Vec<Shown>,
    /// Who lands where.
    pub catchment: Vec<Shown>,
    /// Who moved after what.
    pub churn: Result<Churn, Missing>,
    /// The same as bars.
    pub churn_bars: Shown,
    /// The largest moves with their reasons.
    pub largest: Result<LargestMoves, Missing>,
    /// How often it was how bad.
    pub distributions: Shown,
    /// What the policies changed.
    pub differences: Vec<Shown>,
    /// Events behind the flags of the timelines.
    pub marks: Marks,
    /// How instants are told.
    pub scale: TimeScale,
}

impl Figures {
    /// Draws all figures of a run.
    #[must_use]
    pub fn of(view: &RunView) -> Figures {
        let marks = Marks::of(view);
        let scale = TimeScale::of(view);
        let buckets = ["totals", "links", "sites"]
            .into_iter()
            .find_map(|table| Rows::open(view, table).and_then(|rows| rows.buckets()).ok())
            .unwrap_or_default();
        let context = timeline::Context { view, marks: &marks, scale: scale.clone(), buckets };
        let mut timelines = vec![
            timeline::traffic(&context).map_err(Absent::or("Offered, served and lost traffic")),
            timeline::loss(&context).map_err(Absent::or("Share of traffic lost")),
            causes::lost_by_cause(&context).map_err(Absent::or("Lost traffic by cause")),
            timeline::links(&context).map_err(Absent::or("Most loaded links")),
            timeline::sites(&context).map_err(Absent::or("Most loaded sites")),
            heat::links(&context).map_err(Absent::or("Utilisation of links over time")),
            heat::sites(&context).map_err(Absent::or("CPU utilisation of sites over time")),
            timeline::latency(&context).map_err(Absent::or("Latency of served requests")),
            breakdown::latency_parts(&context).map_err(Absent::or("What latency is made of")),
        ];
        if losers::tells(&context) {
            let whose = losers::lost_by_whom(&context);
            // After what traffic was lost to.
            timelines.insert(3, whose.map_err(Absent::or("Whose traffic was lost, and to what")));
        }
        let map =
            map::worst_moment(&context).map_err(Absent::or("The network at its worst moment"));
        let differences = vec![
            differences::differences(view).map_err(Absent::or("Paired differences")),
            groups::winners_and_losers(view).map_err(Absent::or("Who got better, who got worse")),
        ];
        let churn = Churn::of(view);
        let churn_bars = match &churn {
            Ok(churn) => churn::moved_by_cause(view, churn),
            Err(missing) => Err(missing.clone()),
        };
        Figures {
            map,
            timelines,
            details: details(&context),
            catchment: catchments(&context),
            churn,
            churn_bars: churn_bars.map_err(Absent::or("Users moved by each cause")),
            largest: LargestMoves::of(view),
            distributions: cdf::distributions(view)
                .map_err(Absent::or("Distributions of latency and utilisation")),
            differences,
            marks,
            scale,
        }
    }

    /// All that could be drawn, in the order of the report.
    pub fn drawn(&self) -> impl Iterator<Item = &Plot> {
        std::iter::once(&self.map)
            .chain(&self.timelines)
            .chain(&self.details)
            .chain(&self.catchment)
            .chain(std::iter::once(&self.churn_bars))
            .chain(std::iter::once(&self.distributions))
            .chain(&self.differences)
            .filter_map(|shown| shown.as_ref().ok())
    }
}

/// What only some scenarios have.
fn details(context: &timeline::Context<'_>) -> Vec<Shown> {
    let mut out = Vec::new();
    for shown in zoom::figures(context).into_iter().chain(flows::figures(context)) {
        out.push(shown.map_err(|(title, why)| Absent { title, why }));
    }
    out.extend(billing::cost(context).map(Ok));
    out
}

/// The figures of landing sites; one note where there is nothing to show.
fn catchments(context: &timeline::Context<'_>) -> Vec<Shown> {
    let (over_time, maps) = ("Which site serves whom", "Where they are who land where");
    match catchment::Catchment::of(context.view) {
        Err(why) => vec![Err(Absent { title: over_time, why })],
        Ok(found) => vec![
            catchment::over_time(context, &found).map_err(Absent::or(over_time)),
            catchment::maps(context, &found).map_err(Absent::or(maps)),
        ],
    }
}
