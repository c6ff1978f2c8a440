//! Dynamic series: one matrix a file, ordered by time stamp, with the gaps that real series have.

use super::super::common::compose::MAX_HORIZON_NS;
use super::super::common::draft::{Series, count_note};
use super::super::common::names::base_name;
use super::super::common::problem::{E_LIMIT, E_OPTION, E_STAMP, Problem, Problems, shown};
use super::super::common::stamp::{DAY_S, Stamp};
use super::super::common::text::Text;
use super::super::common::units::{parse_span, span_text};
use super::super::{Folder, ImportError, ImportOptions};
use super::{NodeIndex, Remarks, demands, parse, unit_power};
use crate::matrix::MAX_CELLS;
use std::collections::BTreeMap;

const NANOS: u64 = 1_000_000_000;

/// One matrix.
struct Snapshot {
    file: String,
    /// (pair, rate) in bit/s.
    rates: Vec<(u32, f64)>,
}

/// Reads matrix files in any order.
pub(super) struct SeriesReader<'a> {
    name: &'a str,
    index: &'a NodeIndex,
    pairs: BTreeMap<(usize, usize), u32>,
    snapshots: BTreeMap<Stamp, Snapshot>,
    cells: usize,
    granularity_s: Option<i64>,
    origin: Option<String>,
    remarks: Remarks,
    skipped: usize,
    doubled: usize,
    latin1: usize,
    problems: Problems,
}

impl<'a> SeriesReader<'a> {
    /// A reader for the files of `name`, whose nodes are those of the network.
    pub(super) fn new(name: &'a str, index: &'a NodeIndex) -> Self {
        SeriesReader {
            name,
            index,
            pairs: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            cells: 0,
            granularity_s: None,
            origin: None,
            remarks: Remarks::default(),
            skipped: 0,
            doubled: 0,
            latin1: 0,
            problems: Problems::default(),
        }
    }

    /// Name of the archive or folder.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// Reads every file of a folder.
    pub(super) fn folder(&mut self, folder: &dyn Folder) -> Result<(), ImportError> {
        let unreadable = |what: String| {
            Problem::new(E_LIMIT, folder.name(), format!("the folder cannot be read: {what}"))
                .why("a part of the data would be missing")
                .help("check the path and the permissions")
        };
        for file in folder.files().map_err(unreadable)? {
            if is_matrix(&file) {
                let bytes = folder.read(&file).map_err(unreadable)?;
                self.file(&file, &bytes)?;
            } else {
                self.skipped += 1;
            }
        }
        Ok(())
    }

    /// Takes one file. Its problems are kept for the end of the pass; the pass stops early only
    /// where there are too many to tell.
    pub(super) fn file(&mut self, file: &str, bytes: &[u8]) -> Result<(), ImportError> {
        if !is_matrix(file) {
            self.skipped += 1;
            return Ok(());
        }
        if let Err(error) = self.matrix(file, bytes) {
            self.problems.absorb(error);
        }
        if self.problems.is_full() {
            return std::mem::take(&mut self.problems).finish(());
        }
        Ok(())
    }

    fn matrix(&mut self, file: &str, bytes: &[u8]) -> Result<(), ImportError> {
        let full_name = format!("{}:{file}", self.name);
        let text = Text::decode(&full_name, bytes)?;
        self.latin1 += usize::from(text.latin1);
        let content = parse(&text)?;
        let stamp = content.time.as_deref().and_then(Stamp::parse);
        let Some(stamp) = stamp.or_else(|| Stamp::of_file_name(file)) else {
            let problem = Problem::new(E_STAMP, &full_name, "the matrix has no time stamp")
                .why("a series needs to know when each matrix holds")
                .help("put it into <time> or at the end of the file name, as 20040301-0005");
            return Err(problem.into());
        };
        let mut problems = Problems::default();
        let unit = unit_power(&text, content.unit.as_deref(), &mut problems);
        let found = demands(&text, &content, self.index, unit, &mut problems);
        problems.finish(())?;
        self.remarks.merge(found.remarks);
        self.granularity_s =
            self.granularity_s.or(content.granularity.as_deref().and_then(granularity));
        self.origin = self.origin.take().or(content.origin);
        let mut rates = Vec::with_capacity(found.rates_bps.len());
        for (pair, rate) in found.rates_bps {
            let next = self.pairs.len() as u32;
            rates.push((*self.pairs.entry(pair).or_insert(next), rate));
        }
        self.keep(stamp, Snapshot { file: full_name, rates })
    }

    fn keep(&mut self, stamp: Stamp, snapshot: Snapshot) -> Result<(), ImportError> {
        self.cells += snapshot.rates.len();
        if self.cells > MAX_CELLS {
            let what = format!("the series has more than {MAX_CELLS} values");
            let problem = Problem::new(E_LIMIT, self.name, what)
                .why("a matrix file holds no more")
                .help("give a folder with a part of the series");
            return Err(problem.into());
        }
        if let Some(other) = self.snapshots.get(&stamp) {
            if other.rates != snapshot.rates {
                let what = format!("two different matrices for {}", stamp.text());
                let problem = Problem::new(E_STAMP, &snapshot.file, what)
                    .why(format!("the other is {}", shown(&other.file)))
                    .help("remove one of the two");
                return Err(problem.into());
            }
            self.doubled += 1;
            return Ok(());
        }
        self.snapshots.insert(stamp, snapshot);
        Ok(())
    }

    /// The series in the window asked for, and the origin the files name.
    pub(super) fn finish(
        mut self,
        options: &ImportOptions,
        notes: &mut Vec<String>,
    ) -> Result<(Series, Option<String>), ImportError> {
        std::mem::take(&mut self.problems).finish(())?;
        let total = self.snapshots.len();
        // Real matrices are never all zero: such a file stands for a failed measurement.
        self.snapshots.retain(|_, snapshot| snapshot.rates.iter().any(|(_, rate)| *rate > 0.0));
        let zero = total - self.snapshots.len();
        let stamps: Vec<Stamp> = self.snapshots.keys().copied().collect();
        if stamps.is_empty() {
            let what = if zero > 0 { "every matrix is all zero" } else { "there are no matrices" };
            let problem = Problem::new(E_STAMP, self.name, what)
                .why("a series needs at least one matrix with demands")
                .help("check that the archive or folder is the one you meant");
            return Err(problem.into());
        }
        self.note_files(zero, notes);
        let step_s = step(&stamps, self.granularity_s);
        let window = Window { name: self.name, stamps: &stamps, step_s };
        let (first, end) = window.choose(options, notes)?;
        let stamps = &stamps[first..end.0];
        self.check_size(stamps, end.1)?;
        let series = self.dense(stamps, step_s, end.1);
        Ok((series, self.origin))
    }

    fn note_files(&self, zero: usize, notes: &mut Vec<String>) {
        let what = "all-zero [matrix|matrices] treated as missing: the previous one holds";
        count_note(notes, zero, what);
        let what = "[file|files] neither .xml nor .txt skipped";
        count_note(notes, self.skipped, what);
        let what = "[file that repeats|files that repeat] a matrix skipped";
        count_note(notes, self.doubled, what);
        let what = "[file|files] with invalid UTF-8 read as Latin-1";
        count_note(notes, self.latin1, what);
        if self.remarks.no_unit {
            notes.push("demands: a file names no unit: Mbit/s assumed".to_owned());
        }
        self.remarks.note(notes);
    }

    /// Refuses a series that is too long or too large before anything is allocated for it.
    fn check_size(&self, stamps: &[Stamp], end: Stamp) -> Result<(), ImportError> {
        let cells = self.pairs.len().saturating_mul(stamps.len());
        let span_ns = nanos(end.0 - stamps[0].0);
        let what = if cells > MAX_CELLS {
            format!("{} matrices of {} pairs", stamps.len(), self.pairs.len())
        } else if span_ns > MAX_HORIZON_NS {
            format!("the series covers {}", span_text(span_ns))
        } else {
            return Ok(());
        };
        Err(Problem::new(E_LIMIT, self.name, what)
            .why(format!("a series has at most {MAX_CELLS} values and covers ten years"))
            .help("take a part of it with --from and --for")
            .into())
    }

    fn dense(&self, stamps: &[Stamp], step_s: i64, end: Stamp) -> Series {
        let width = self.pairs.len();
        let mut pairs = vec![(0, 0); width];
        for (pair, number) in &self.pairs {
            pairs[*number as usize] = *pair;
        }
        let mut rates_bps = vec![0.0; width * stamps.len()];
        for (row, stamp) in stamps.iter().enumerate() {
            for (pair, rate) in &self.snapshots[stamp].rates {
                rates_bps[row * width + *pair as usize] = *rate;
            }
        }
        let start = stamps[0];
        Series {
            start,
            step_ns: nanos(step_s),
            horizon_ns: nanos(end.0 - start.0),
            times_ns: stamps.iter().map(|stamp| nanos(stamp.0 - start.0)).collect(),
            pairs,
            rates_bps,
        }
    }
}

/// Nanoseconds of a number of seconds; stops at the largest number instead of wrapping.
fn nanos(seconds: i64) -> u64 {
    seconds.unsigned_abs().saturating_mul(NANOS)
}

/// Whether a file's name says that it is a matrix.
fn is_matrix(file: &str) -> bool {
    let name = base_name(file).to_ascii_lowercase();
    !name.starts_with('.') && (name.ends_with(".xml") || name.ends_with(".txt"))
}

/// Seconds of `5min`, `1hour`, `1day`; months and years have no fixed length.
fn granularity(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let count: i64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().trim_end_matches('s') {
        "sec" | "second" | "" => 1,
        "min" | "minute" => 60,
        "hour" | "h" => 3_600,
        "day" | "d" => DAY_S,
        _ => return None,
    };
    count.checked_mul(unit).filter(|seconds| (1..=366 * DAY_S).contains(seconds))
}

/// Time between matrices: as the files say, else the smallest gap, else an hour.
fn step(stamps: &[Stamp], granularity_s: Option<i64>) -> i64 {
    let gaps = stamps.windows(2).map(|two| two[1].0 - two[0].0);
    granularity_s.or(gaps.min()).unwrap_or(3_600)
}

/// Which part of a series to take.
struct Window<'a> {
    name: &'a str,
    stamps: &'a [Stamp],
    step_s: i64,
}

impl Window<'_> {
    /// First row, and (row behind the last, end of the run).
    fn choose(
        &self,
        options: &ImportOptions,
        notes: &mut Vec<String>,
    ) -> Result<(usize, (usize, Stamp)), ImportError> {
        let first = self.first(options, notes)?;
        let longest_s = DAY_S.max(2 * self.step_s);
        let breaks = |row: &usize| self.stamps[*row].0 - self.stamps[*row - 1].0 > longest_s;
        let until = (first + 1..self.stamps.len()).find(breaks).unwrap_or(self.stamps.len());
        let covered = Stamp(self.stamps[until - 1].0 + self.step_s);
        let end = match &options.length {
            Some(length) => self.end(length, self.stamps[first], covered)?,
            None => covered,
        };
        let last = (first..until).rfind(|&row| self.stamps[row] < end).unwrap_or(first);
        self.note(first, last + 1, end, notes);
        if options.length.is_none() && until < self.stamps.len() {
            notes.push(format!(
                "the series continues at {} after a gap of {}: that part is left out (take it \
                 with --from)",
                self.stamps[until].text(),
                span_text(nanos(self.stamps[until].0 - covered.0))
            ));
        }
        Ok((first, (last + 1, end)))
    }

    fn first(
        &self,
        options: &ImportOptions,
        notes: &mut Vec<String>,
    ) -> Result<usize, ImportError> {
        let Some(from) = &options.from else { return Ok(0) };
        let refuse = |what: String| {
            let (first, last) = (self.stamps[0], self.stamps[self.stamps.len() - 1]);
            Problem::new(E_OPTION, "--from", what)
                .why(format!(
                    "{} has matrices from {} to {}",
                    shown(self.name),
                    first.text(),
                    last.text()
                ))
                .help("write a date such as 2004-03-02 or 20040302-1200")
        };
        let Some(from) = Stamp::parse(from) else {
            return Err(refuse(format!("{} is no date", shown(from))).into());
        };
        let Some(first) = self.stamps.iter().position(|stamp| *stamp >= from) else {
            return Err(refuse(format!("there is no matrix from {} on", from.text())).into());
        };
        if self.stamps[first] != from {
            notes.push(format!(
                "the first matrix from {} on is {}",
                from.text(),
                self.stamps[first].text()
            ));
        }
        Ok(first)
    }

    fn end(&self, length: &str, start: Stamp, covered: Stamp) -> Result<Stamp, ImportError> {
        let refuse = |what: String| {
            let whole = span_text(nanos(covered.0 - start.0));
            Problem::new(E_OPTION, "--for", what)
                .why(format!(
                    "from {} on the series covers {whole} without a longer gap",
                    start.text()
                ))
                .help("ask for whole seconds, at most that much")
        };
        let span = parse_span(length).filter(|span| *span > 0 && span.is_multiple_of(NANOS));
        let Some(span) = span else {
            return Err(refuse(format!("{} is no span of whole seconds", shown(length))).into());
        };
        let end = i64::try_from(span / NANOS).ok().and_then(|seconds| start.0.checked_add(seconds));
        match end {
            Some(end) if end <= covered.0 => Ok(Stamp(end)),
            _ => Err(refuse(format!("the series does not cover {length}")).into()),
        }
    }

    /// Tells which matrices are used and how many are missing between them.
    fn note(&self, first: usize, end: usize, until: Stamp, notes: &mut Vec<String>) {
        let used = &self.stamps[first..end];
        let step = span_text(nanos(self.step_s));
        let what = format!("[matrix|matrices] from {} on, one every {step}", used[0].text());
        count_note(notes, used.len(), &what);
        let (mut gaps, mut missing) = (0, 0);
        let next = used.iter().skip(1).copied().chain([until]);
        for (stamp, next) in used.iter().zip(next) {
            let lost = (next.0 - stamp.0 - 1) / self.step_s;
            gaps += usize::from(lost > 0);
            missing += lost;
        }
        if gaps > 0 {
            let what = format!(
                "[gap|gaps] in the time stamps, {missing} missing in all: the previous matrix holds"
            );
            count_note(notes, gaps, &what);
        }
    }
}
