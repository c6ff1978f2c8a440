//! Reports from a made-up run directory: what must be in them, what must never be.
#![allow(missing_docs, clippy::unwrap_used)]

mod catchment;
mod details;
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
    let many = fake::Shape { arms: 2, replications: 1, buckets: 60, sites: 300, groups: 5_000 };
    let usual = |arms| fake::Shape { arms, ..fake::USUAL };
    for (name, shape) in [("one", usual(1)), ("two", usual(2)), ("three", usual(3)), ("many", many)]
    {
        let view = fake::view(shape);
        std::fs::write(dir.join(format!("{name}.html")), steerlab_report::html(&view)).unwrap();
        std::fs::write(dir.join(format!("{name}.md")), steerlab_report::markdown(&view)).unwrap();
        std::fs::write(dir.join(format!("{name}.xml")), steerlab_report::junit(&view)).unwrap();
        if name == "two" {
            for figure in steerlab_report::figures(&view) {
                std::fs::write(dir.join(format!("{}.svg", figure.name)), figure.svg).unwrap();
            }
        }
    }
}
