//! Progress of runs on stderr: a bar on a terminal, lines otherwise.

use crate::args::ProgressKind;
use crate::console::Console;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use steerlab_engine::record::RunId;
use steerlab_engine::run::Stopped;
use steerlab_results::execute::Observer;
use steerlab_results::plan::PlannedRun;

/// Time between lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how far the runs are.
pub struct Progress {
    console: Console,
    total: usize,
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

struct State {
    fraction: BTreeMap<RunId, f64>,
    finished: usize,
    cached: usize,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// Progress of `total` runs.
    #[must_use]
    pub fn new(console: Console, total: usize) -> Progress {
        let bar = (console.progress == ProgressKind::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(total as u64 * 1_000),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            let style = ProgressStyle::with_template(
                "{msg} {bar:30} {percent:>3} %  {elapsed} elapsed, {eta} left",
            );
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        let now = Instant::now();
        let state =
            State { fraction: BTreeMap::new(), finished: 0, cached: 0, started: now, said: now };
        Progress { console, total, bar, state: Mutex::new(state) }
    }

    /// Takes the bar away.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn update(&self, run: &PlannedRun, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let done: f64 = state.fraction.values().sum::<f64>() + state.cached as f64;
        if let Some(bar) = &self.bar {
            bar.set_position((done * 1_000.0) as u64);
            bar.set_message(format!("{} of {} runs", state.finished + state.cached, self.total));
        } else if self.console.progress == ProgressKind::Lines && state.said.elapsed() >= LINE_EVERY
        {
            state.said = Instant::now();
            let percent = 100.0 * done / self.total.max(1) as f64;
            let elapsed = state.started.elapsed().as_secs();
            self.console.say(&format!(
                "{percent:.0} %: {} of {} runs finished, {elapsed} s, now {}/{}",
                state.finished + state.cached,
                self.total,
                run.arm,
                run.id.replication
            ));
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) if self.console.verbose => bar.println(text),
            None if self.console.progress == ProgressKind::Lines => self.console.say(text),
            _ => {}
        }
    }
}

impl Observer for Progress {
    fn cached(&self, run: &PlannedRun) {
        self.update(run, |state| state.cached += 1);
        if self.console.verbose {
            self.line(&format!("cached {}/{}", run.arm, run.id.replication));
        }
    }

    fn started(&self, run: &PlannedRun) {
        self.update(run, |state| {
            state.fraction.insert(run.id, 0.0);
        });
    }

    fn progress(&self, run: &PlannedRun, fraction: f64) {
        self.update(run, |state| {
            state.fraction.insert(run.id, fraction);
        });
    }

    fn finished(&self, run: &PlannedRun) {
        self.update(run, |state| {
            state.fraction.insert(run.id, 1.0);
            state.finished += 1;
        });
        self.line(&format!("finished {}/{}", run.arm, run.id.replication));
    }

    fn stopped(&self, run: &PlannedRun, why: &Stopped) {
        let why = match why {
            Stopped::TooManyEvents => "more events than allowed",
            Stopped::Cancelled => "cancelled",
        };
        self.line(&format!("stopped {}/{}: {why}", run.arm, run.id.replication));
    }
}
