//! What makes two runs the same: hashes of contents, never of names, times or places.

use crate::disk::{hex, sha256_hex};
use sha2::{Digest, Sha256};
use std::fmt;
use steerlab_engine::kernel::Table;
use steerlab_engine::run::TRAJECTORY_VERSION;
use steerlab_engine::scenario::{Arm, Scenario};
use steerlab_engine::steer::PolicyRegistry;

/// Identity of one run, 64 hex digits.
///
/// It covers the trajectory version, the version of this program, the world (the resolved scenario
/// with its recorded series and seed, without what cannot change a run), the arm's id, its
/// policies with their versions and parameters, and the replication. It does not cover the other
/// arms, the number of replications, checks, comparison and labels of entities: changing those
/// keeps a finished run. The engine must therefore name entities by id, never by label, in what it
/// records, and must not let an arm's position or the other arms touch a run. Labels of events and
/// surges are recorded, so they count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunHash(String);

impl RunHash {
    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Takes bytes with their length into a hash, so that no two sequences of parts look alike.
fn absorb(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("scenarios have text keys only, so they always serialise")
}

/// The scenario without what cannot change a run.
fn world(scenario: &Scenario) -> Scenario {
    let mut world = scenario.clone();
    world.name.clear();
    world.label.clear();
    world.description.clear();
    world.assumptions.clear();
    world.replications = 0;
    world.arms = Table::new();
    world.checks.clear();
    world.compare.metrics.clear();
    world.compare.margin = 0.0;
    world.compare.confidence = 0.0;
    world.network.sites.rows_mut().iter_mut().for_each(|row| row.label.clear());
    world.network.links.rows_mut().iter_mut().for_each(|row| row.label.clear());
    world.network.neighbours.rows_mut().iter_mut().for_each(|row| row.label.clear());
    world.tenants.rows_mut().iter_mut().for_each(|row| row.label.clear());
    world.client_groups.rows_mut().iter_mut().for_each(|row| row.label.clear());
    world
}

/// Identity of the world all arms share, 64 hex digits. Recorded series count by the hash of their
/// file only, so a scenario read from a run directory has the same identity as the original.
#[must_use]
pub fn world_sha256(scenario: &Scenario) -> String {
    sha256_hex(&json(&world(scenario)))
}

/// Identities of the runs of a scenario.
#[derive(Clone, Debug)]
pub struct Identities {
    world: String,
    series: String,
}

impl Identities {
    /// Hashes what all runs of a scenario share.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Identities {
        let mut series = Sha256::new();
        for matrix in scenario.matrices.rows() {
            series.update((matrix.times.len() as u64).to_le_bytes());
            matrix.times.iter().for_each(|time| series.update(time.0.to_le_bytes()));
            series.update((matrix.rates_bps.len() as u64).to_le_bytes());
            for chunk in matrix.rates_bps.chunks(4096) {
                let bytes: Vec<u8> = chunk.iter().flat_map(|rate| rate.to_le_bytes()).collect();
                series.update(bytes);
            }
        }
        Identities { world: world_sha256(scenario), series: hex(&series.finalize()) }
    }

    /// Identity of a run of `arm`. None: the registry does not know one of its policies.
    #[must_use]
    pub fn run(
        &self,
        arm: &Arm,
        replication: u32,
        registry: &dyn PolicyRegistry,
    ) -> Option<RunHash> {
        let mut hash = Sha256::new();
        absorb(&mut hash, b"steerlab-run/1");
        absorb(&mut hash, &TRAJECTORY_VERSION.to_le_bytes());
        absorb(&mut hash, env!("CARGO_PKG_VERSION").as_bytes());
        absorb(&mut hash, self.world.as_bytes());
        absorb(&mut hash, self.series.as_bytes());
        absorb(&mut hash, arm.id.as_bytes());
        for policy in &arm.policies {
            absorb(&mut hash, &json(policy));
            absorb(&mut hash, &registry.find(&policy.name)?.version.to_le_bytes());
        }
        if let Some(balancer) = &arm.balancer {
            absorb(&mut hash, b"balancer");
            absorb(&mut hash, &json(balancer));
        }
        absorb(&mut hash, &replication.to_le_bytes());
        Some(RunHash(hex(&hash.finalize())))
    }
}

/// Identity of a whole run directory, 64 hex digits: the scenario as written, labels included,
/// and every run in it.
#[must_use]
pub fn directory_sha256<'a>(
    scenario: &Scenario,
    content_sha256: &str,
    runs: impl Iterator<Item = &'a RunHash>,
) -> String {
    let mut hash = Sha256::new();
    absorb(&mut hash, b"steerlab-runs/1");
    absorb(&mut hash, content_sha256.as_bytes());
    absorb(&mut hash, &json(scenario));
    runs.for_each(|run| absorb(&mut hash, run.as_str().as_bytes()));
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{self, FakeRegistry};
    use steerlab_engine::kernel::{SimSpan, SimTime};
    use steerlab_engine::net::LinkId;
    use steerlab_engine::scenario::{ArmId, Change, TimelineEvent};
    use steerlab_engine::steer::ParamValue;

    fn hash(scenario: &Scenario, arm: u32, replication: u32) -> RunHash {
        Identities::new(scenario)
            .run(&scenario.arms[ArmId(arm)], replication, &FakeRegistry::new(1))
            .unwrap()
    }

    #[test]
    fn what_cannot_change_a_run_keeps_it() {
        let base = testkit::scenario();
        let expected = hash(&base, 0, 0);
        assert_eq!(expected.as_str().len(), 64);
        let mut other = base.clone();
        other.name = "renamed".into();
        other.label = "x".into();
        other.description = "x".into();
        other.replications = 99;
        other.compare.margin = 0.5;
        other.compare.metrics.clear();
        other.network.links.rows_mut()[0].label = "x".into();
        other.network.sites.rows_mut()[0].label = "x".into();
        other.arms[ArmId(1)] = testkit::arm("third", "nothing");
        other.arms[ArmId(0)].label = "x".into();
        assert_eq!(hash(&other, 0, 0), expected);
    }

    #[test]
    fn what_can_change_a_run_does_not_keep_it() {
        let base = testkit::scenario();
        let expected = hash(&base, 0, 0);
        assert_ne!(hash(&base, 1, 0), expected, "arm");
        assert_ne!(hash(&base, 0, 1), expected, "replication");
        type Edit = fn(&mut Scenario);
        let changes: [(&str, Edit); 9] = [
            ("seed", |s| s.seed += 1),
            ("horizon", |s| s.horizon = SimSpan(s.horizon.0 * 2)),
            ("capacity", |s| s.network.links[LinkId(0)].capacity_bps[0] += 1),
            ("link id", |s| s.network.links[LinkId(0)].id.push('x')),
            ("parameter", |s| {
                s.arms[ArmId(0)].policies[0].params[0].1 = ParamValue::Ratio(0.91);
            }),
            ("period", |s| s.arms[ArmId(0)].policies[0].period.0 += 1),
            ("series value", |s| {
                s.matrices.rows_mut()[0].rates_bps = vec![6.0].into();
            }),
            ("series time", |s| {
                s.matrices.rows_mut()[0].times = vec![SimTime(1)].into();
            }),
            ("event label, which is recorded", |s| {
                let label = "cut".to_owned();
                let agent = "scenario".to_owned();
                let change = Change::Mark;
                s.timeline.push(TimelineEvent { at: SimTime::ZERO, agent, label, change });
            }),
        ];
        for (what, change) in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(hash(&other, 0, 0), expected, "{what}");
        }
        let newer =
            Identities::new(&base).run(&base.arms[ArmId(0)], 0, &FakeRegistry::new(2)).unwrap();
        assert_ne!(newer, expected, "policy version");
    }

    #[test]
    fn a_scenario_read_back_is_the_same_world() {
        let base = testkit::scenario();
        let text = serde_json::to_string(&base).unwrap();
        let read: Scenario = serde_json::from_str(&text).unwrap();
        assert!(read.matrices.rows()[0].rates_bps.is_empty(), "series are not in the text");
        assert_eq!(world_sha256(&read), world_sha256(&base));
    }

    #[test]
    fn an_unknown_policy_has_no_identity() {
        let mut scenario = testkit::scenario();
        scenario.arms[ArmId(0)].policies[0].name = "unheard-of".into();
        let identities = Identities::new(&scenario);
        assert_eq!(identities.run(&scenario.arms[ArmId(0)], 0, &FakeRegistry::new(1)), None);
    }
}
