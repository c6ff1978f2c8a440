//! Reports from a made-up run directory: what must be in them, what must never be.
#![allow(missing_docs, clippy::unwrap_used)]

mod catchment;
mod fake;
mod fake_summary;
mod hostile;
mod markup;
mod page;

#[test]
#[ignore = "writes the sample report where STEERLAB_SAMPLE_REPORT says, for people to look at"]
fn write_sample() {
    let dir = std::env::var("STEERLAB_SAMPLE_REPORT").expect("a directory");
    let dir = std::path::Path::new(&dir);
    for (name, arms) in [("one", 1), ("two", 2), ("three", 3)] {
        let view = fake::view(fake::Shape { arms, ..fake::USUAL });
        std::fs::write(dir.join(format!("{name}.html")), steerlab_report::html(&view)).unwrap();
        std::fs::write(dir.join(format!("{name}.md")), steerlab_report::markdown(&view)).unwrap();
        std::fs::write(dir.join(format!("{name}.xml")), steerlab_report::junit(&view)).unwrap();
        if arms == 2 {
            for figure in steerlab_report::figures(&view) {
                std::fs::write(dir.join(format!("{}.svg", figure.name)), figure.svg).unwrap();
            }
        }
    }
}
