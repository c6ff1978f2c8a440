//! Summary and manifest of the made-up run directory.

use crate::fake::{ARMS, Shape};
use steerlab_results::summary::{
    ArmSummary, CheckResult, ComparisonRow, FileEntry, Manifest, MetricValue, Provenance,
    RunSummary, Summary, Verdict, WarningEntry,
};

pub fn summary(shape: Shape) -> Summary {
    let metric =
        |id: &str, unit: &str, labels: &[(&str, &str)], mean: f64, half: f64| MetricValue {
            metric: id.to_owned(),
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            unit: unit.to_owned(),
            mean,
            interval: Some((mean - half, mean + half)),
            n: shape.replications as u32,
        };
    let arms = (0..shape.arms)
        .map(|arm| {
            let a = arm as f64;
            ArmSummary {
                arm: ARMS[arm % 3].to_owned(),
                label: scenario_label(arm).to_owned(),
                policies: vec![
                    ["no-op/1", "greedy-spill/1", "threshold-withdraw/1"][arm % 3].to_owned(),
                ],
                metrics: vec![
                    metric("loss_ratio", "", &[], 0.053_1 - 0.04 * a, 0.002_1),
                    metric("latency_ms_p50", "ms", &[], 27.3 + 1.2 * a, 0.41),
                    metric("latency_ms_p99", "ms", &[], 218.4 - 64.0 * a, 6.3),
                    metric("link_utilisation_max", "", &[], 1.284 - 0.09 * a, 0.012),
                    metric("site_overload_s", "s", &[], 2_840.0 - 1_700.0 * a, 55.0),
                    metric("moved_requests", "requests", &[], 1_250_000.0 * a, 30_000.0 * a),
                    metric("egress_bps_p95", "bit/s", &[], 2.41e12, 8.1e9),
                    metric("loss_ratio", "", &[("class", "interactive")], 0.021, 0.001),
                    metric("loss_ratio", "", &[("class", "bulk")], 0.12 - 0.02 * a, 0.004),
                ],
            }
        })
        .collect();
    let runs = (0..shape.arms)
        .flat_map(|arm| {
            (0..shape.replications).map(move |replication| RunSummary {
                arm: ARMS[arm % 3].to_owned(),
                replication: replication as u32,
                fingerprint: format!("{:016x}", 0x1234_5678_9abc_u64 * (replication + 1)),
                events: 48_211,
            })
        })
        .collect();
    Summary {
        format: "steerlab-summary/1".to_owned(),
        scenario: "fibre-cut-at-peak".to_owned(),
        scenario_sha256: "5f2a".repeat(16),
        trajectory_version: 1,
        seed: 20_240_611,
        replications: shape.replications as u32,
        confidence: 0.95,
        arms,
        runs,
        checks: checks(shape),
        comparison: comparison(shape),
        warnings: vec![WarningEntry {
            code: "W0104".to_owned(),
            message: "Link lhr-jfk is above 100 % for 24 minutes in arm do-nothing. Losses there \
                      depend on the buffer; check that its capacity is right."
                .to_owned(),
        }],
    }
}

fn scenario_label(arm: usize) -> &'static str {
    ["What happens without steering", "Spill to neighbours above 90 %", ""][arm % 3]
}

fn checks(shape: Shape) -> Vec<CheckResult> {
    let check = |text: &str, arm: Option<&str>, left: f64, right: f64, pass| CheckResult {
        text: text.to_owned(),
        arm: arm.map(str::to_owned),
        left: Some(left),
        right: Some(right),
        pass,
    };
    let mut out = vec![check("loss_ratio < 0.02", Some("do-nothing"), 0.053_1, 0.02, false)];
    if shape.arms > 1 {
        out.push(check("loss_ratio < 0.02", Some("spill"), 0.013_1, 0.02, true));
        out.push(check(
            "latency_ms_p99{arm=spill} <= latency_ms_p99{arm=do-nothing}",
            None,
            154.4,
            218.4,
            true,
        ));
    }
    out
}

fn comparison(shape: Shape) -> Vec<ComparisonRow> {
    let mut out = Vec::new();
    for arm in 1..shape.arms {
        let a = arm as f64;
        let mut row = |id: &str, unit: &str, base: f64, difference: f64, half: f64, verdict| {
            out.push(ComparisonRow {
                metric: id.to_owned(),
                labels: vec![],
                unit: unit.to_owned(),
                baseline: ARMS[0].to_owned(),
                candidate: ARMS[arm % 3].to_owned(),
                baseline_mean: base,
                candidate_mean: base + difference,
                difference,
                interval: Some((difference - half, difference + half)),
                p_value: Some(0.000_03),
                n: shape.replications as u32,
                margin: base * 0.05,
                verdict,
                replications_needed: (verdict == Verdict::Inconclusive).then_some(23),
            });
        };
        row("loss_ratio", "", 0.053_1, -0.04 * a, 0.002, Verdict::Better);
        row("latency_ms_p99", "ms", 218.4, -64.0 * a, 9.0, Verdict::Better);
        row("latency_ms_p50", "ms", 27.3, 1.9 * a, 0.4, Verdict::Worse);
        row("link_utilisation_max", "", 1.284, -0.01, 0.02, Verdict::NoMaterialDifference);
        row("site_overload_s", "s", 2_840.0, -190.0, 260.0, Verdict::Inconclusive);
        row("moved_requests", "requests", 0.0, 1_250_000.0, 30_000.0, Verdict::Worse);
    }
    out
}

pub fn manifest() -> Manifest {
    Manifest {
        format: "steerlab-manifest/1".to_owned(),
        files: vec![FileEntry {
            name: "totals.parquet".to_owned(),
            bytes: 48_120,
            sha256: "ab".repeat(32),
        }],
        provenance: Provenance {
            version: "0.1.0".to_owned(),
            command: ["steerlab", "run", "fibre-cut-at-peak.yaml", "--jobs", "8"]
                .map(str::to_owned)
                .to_vec(),
            reproduce: "steerlab run fibre-cut-at-peak.yaml --seed 20240611".to_owned(),
        },
    }
}
