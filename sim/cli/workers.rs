//! Threads for runs: the engine has none.

use rayon::prelude::*;
use steerlab_engine::run::RunExecutor;

/// Runs jobs on a pool of threads.
pub struct Workers {
    pool: rayon::ThreadPool,
}

impl Workers {
    /// A pool of `jobs` threads; none: one per processor.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn new(jobs: Option<u32>) -> Result<Workers, String> {
        let threads = jobs.map_or(0, |jobs| jobs as usize);
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map(|pool| Workers { pool })
            .map_err(|error| error.to_string())
    }
}

impl RunExecutor for Workers {
    fn execute(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        self.pool.install(|| (0..count).into_par_iter().with_max_len(1).for_each(job));
    }
}
