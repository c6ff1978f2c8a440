//! Which runs a scenario asks for, and which of them are finished already.

use crate::identity::{Identities, RunHash, directory_sha256};
use crate::store::Store;
use std::fmt;
use std::path::PathBuf;
use steerlab_engine::record::RunId;
use steerlab_engine::scenario::Scenario;
use steerlab_engine::steer::PolicyRegistry;

/// One run to be done or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// Arm and replication.
    pub id: RunId,
    /// Arm id, for people.
    pub arm: String,
    /// What it is.
    pub hash: RunHash,
    /// Whether the store had it, whole, when the plan was made.
    pub cached: bool,
}

/// All runs of a scenario, arms first, then replications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The runs.
    pub runs: Vec<PlannedRun>,
    /// Hash of the scenario's content, as the caller gave it.
    pub content_sha256: String,
    /// Name of the run directory: `<scenario>-<hash12>`.
    pub directory: String,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPolicy {
    /// Arm that names it.
    pub arm: String,
    /// The policy.
    pub policy: String,
}

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownPolicy { arm, policy } = self;
        write!(out, "arm `{arm}`: no policy `{policy}`; `steerlab list policies` names all")
    }
}

impl std::error::Error for UnknownPolicy {}

impl Plan {
    /// Plans the runs of `scenario`. Reads the store, writes nothing. With `no_cache` no run
    /// counts as finished, and all are done again.
    ///
    /// # Errors
    /// If an arm names a policy that is not registered.
    pub fn new(
        scenario: &Scenario,
        content_sha256: &str,
        registry: &dyn PolicyRegistry,
        store: &Store,
        no_cache: bool,
    ) -> Result<Plan, UnknownPolicy> {
        let identities = Identities::new(scenario);
        let mut runs = Vec::new();
        for (arm, row) in scenario.arms.iter() {
            for replication in 0..scenario.replications {
                let hash = identities.run(row, replication, registry).ok_or_else(|| {
                    let known = |name: &str| registry.find(name).is_some();
                    let unknown = row.policies.iter().find(|policy| !known(&policy.name));
                    let policy = unknown.map_or_else(String::new, |policy| policy.name.clone());
                    UnknownPolicy { arm: row.id.clone(), policy }
                })?;
                let cached = !no_cache && store.contains(&hash);
                let id = RunId { arm, replication };
                runs.push(PlannedRun { id, arm: row.id.clone(), hash, cached });
            }
        }
        let hashes = runs.iter().map(|run| &run.hash);
        let identity = directory_sha256(scenario, content_sha256, hashes);
        let directory = format!("{}-{}", scenario.name, &identity[..12]);
        Ok(Plan { runs, content_sha256: content_sha256.to_owned(), directory })
    }

    /// Runs that still have to be done.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.runs.iter().filter(|run| !run.cached).count()
    }

    /// Where the run directory will be.
    #[must_use]
    pub fn path(&self, store: &Store) -> PathBuf {
        store.root().join(&self.directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{self, FakeRegistry, TempDir};
    use steerlab_engine::scenario::ArmId;

    fn plan(scenario: &Scenario, store: &Store, no_cache: bool) -> Plan {
        Plan::new(scenario, "c0ffee", &FakeRegistry::new(1), store, no_cache).unwrap()
    }

    #[test]
    fn finished_runs_are_found_unless_asked_not_to() {
        let dir = TempDir::new();
        let store = Store::new(&dir.0);
        let scenario = testkit::scenario();
        let first = plan(&scenario, &store, false);
        assert_eq!((first.runs.len(), first.missing()), (6, 6));
        let ids: Vec<_> =
            first.runs.iter().map(|run| (run.arm.as_str(), run.id.replication)).collect();
        let expected = [("base", 0), ("base", 1), ("base", 2), ("alt", 0), ("alt", 1), ("alt", 2)];
        assert_eq!(ids, expected);
        let run = &first.runs[4];
        testkit::keep_fake(&store, &scenario, run.id, &run.hash).unwrap();
        assert_eq!(plan(&scenario, &store, false).missing(), 5);
        assert_eq!(plan(&scenario, &store, true).missing(), 6);
    }

    #[test]
    fn the_directory_is_named_by_content() {
        let dir = TempDir::new();
        let store = Store::new(&dir.0);
        let scenario = testkit::scenario();
        let name = plan(&scenario, &store, false).directory;
        assert_eq!(name, plan(&scenario, &store, true).directory);
        assert!(name.starts_with("tiny-") && name.len() == "tiny-".len() + 12, "{name}");
        let mut other = scenario.clone();
        other.label.push('x');
        assert_ne!(name, plan(&other, &store, false).directory, "labels are in the directory");
        let newer = Plan::new(&scenario, "c0ffee", &FakeRegistry::new(2), &store, false).unwrap();
        assert_ne!(name, newer.directory, "policy version");
    }

    #[test]
    fn an_unknown_policy_is_named() {
        let dir = TempDir::new();
        let mut scenario = testkit::scenario();
        scenario.arms[ArmId(1)].policies[0].name = "unheard-of".into();
        let registry = FakeRegistry::new(1);
        let error = Plan::new(&scenario, "", &registry, &Store::new(&dir.0), false).unwrap_err();
        assert_eq!((error.arm.as_str(), error.policy.as_str()), ("alt", "unheard-of"));
    }
}
