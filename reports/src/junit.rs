//! JUnit XML: one case a check, so that any CI shows which one failed and by how much.

use crate::text::{clean, xml};
use crate::words::side_of;
use std::fmt::Write as _;
use steerlab_results::summary::CheckResult;
use steerlab_results::view::RunView;

/// The suite of a run's checks.
#[must_use]
pub fn suite(view: &RunView) -> String {
    let checks = &view.summary.checks;
    let failed = checks.iter().filter(|check| !check.pass).count();
    let name = xml(&clean(&view.summary.scenario));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", checks.len());
    let _ = writeln!(out, "<testsuites name=\"steerlab\" {counts}>");
    let _ = writeln!(out, "  <testsuite name=\"{name}\" {counts} skipped=\"0\">");
    let _ = writeln!(out, "    <properties>");
    let facts = [
        ("seed", view.summary.seed.to_string()),
        ("replications", view.summary.replications.to_string()),
        ("scenario_sha256", view.summary.scenario_sha256.clone()),
        ("reproduce", view.manifest.provenance.reproduce.clone()),
    ];
    for (key, value) in facts {
        let _ = writeln!(out, "      <property name=\"{key}\" value=\"{}\"/>", xml(&clean(&value)));
    }
    let _ = writeln!(out, "    </properties>");
    for (index, check) in checks.iter().enumerate() {
        push_case(&mut out, &name, index, check);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn push_case(out: &mut String, suite: &str, index: usize, check: &CheckResult) {
    let arm = check.arm.as_ref().map_or(String::new(), |arm| format!(" [{}]", clean(arm)));
    // The number keeps names apart where a check was written twice.
    let case = xml(&format!("{}. {}{arm}", index + 1, clean(&check.text)));
    let _ = write!(out, "    <testcase classname=\"{suite}\" name=\"{case}\"");
    if check.pass {
        out.push_str("/>\n");
        return;
    }
    let message = format!(
        "{}: left side is {}, right side is {}",
        clean(&check.text),
        side_of(check, check.left),
        side_of(check, check.right)
    );
    let _ = write!(
        out,
        ">\n      <failure type=\"check\" message=\"{0}\">{0}</failure>\n    </testcase>\n",
        xml(&message)
    );
}
