//! Interrupt and termination: the first one stops runs in an orderly way.

use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What was caught. While runs are made the first signal is only noted, so that they can stop and
/// say what is kept. A second one, and any at another time, ends the process at once: nothing
/// finished is lost by that either.
pub struct Signals {
    /// Number of the signal; 0: none yet.
    caught: Arc<AtomicUsize>,
    /// Whether the next signal ends the process.
    deadly: Arc<AtomicBool>,
}

impl Signals {
    /// The signals of this process.
    pub fn get() -> &'static Signals {
        static SIGNALS: OnceLock<Signals> = OnceLock::new();
        SIGNALS.get_or_init(|| {
            let signals = Signals { caught: Arc::default(), deadly: Arc::default() };
            for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
                let number = usize::try_from(signal).unwrap_or(2);
                let (caught, deadly) = (&signals.caught, &signals.deadly);
                // In the order in which they act: the mark that is set last must not be seen by
                // the first on the same signal. Where one cannot be registered the process just
                // ends, as it does without any.
                let _unregistered = [
                    signal_hook::flag::register_conditional_default(signal, Arc::clone(deadly)),
                    signal_hook::flag::register_usize(signal, Arc::clone(caught), number),
                    signal_hook::flag::register(signal, Arc::clone(deadly)),
                ];
            }
            signals
        })
    }

    /// Does `work`, during which the first signal is only noted.
    pub fn noted_during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.deadly.store(false, Ordering::SeqCst);
        let result = work();
        self.deadly.store(true, Ordering::SeqCst);
        result
    }

    /// Whether a signal was noted.
    pub fn any(&self) -> bool {
        self.caught.load(Ordering::Relaxed) != 0
    }

    /// The exit code of the signal that was noted.
    pub fn exit(&self) -> Exit {
        match i32::try_from(self.caught.load(Ordering::Relaxed)) {
            Ok(signal_hook::consts::SIGTERM) => Exit::Terminated,
            _ => Exit::Interrupted,
        }
    }
}
