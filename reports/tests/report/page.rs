//! What the page must hold.

use crate::fake::{self, Shape, USUAL, view};
use crate::markup::{Tag, tags};
use steerlab_report::{figures, html, junit, markdown};

fn tagged<'a>(tags: &'a [Tag], name: &str) -> Vec<&'a Tag> {
    tags.iter().filter(|tag| tag.name == name && !tag.closing).collect()
}

#[test]
fn same_view_same_bytes() {
    let (a, b) = (view(USUAL), view(USUAL));
    assert_eq!(html(&a), html(&b));
    assert_eq!(markdown(&a), markdown(&b));
    assert_eq!(junit(&a), junit(&b));
    assert_eq!(figures(&a), figures(&b));
}

#[test]
fn the_order_is_that_of_a_readers_questions() {
    let page = html(&view(USUAL));
    let ids = [
        "verdict",
        "warnings",
        "provenance",
        "map",
        "timelines",
        "catchment",
        "distributions",
        "metrics",
        "comparison",
        "actions",
        "assumptions",
    ];
    let places: Vec<usize> = ids
        .iter()
        .map(|id| page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("{id}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn every_figure_has_title_description_and_data() {
    let page = html(&view(USUAL));
    let tags = tags(&page);
    let figures = tagged(&tags, "figure");
    let all = "map, 8 timelines, catchment, its map, churn, distributions, differences, groups";
    assert_eq!(figures.len(), 15, "{all}");
    assert!(figures.iter().all(|tag| tag.attribute("role") == Some("group")));
    assert_eq!(page.matches("Numbers behind this figure").count(), figures.len());
    assert_eq!(page.matches("How to read. ").count(), figures.len() + 4, "and four tables");
    let pictures: Vec<&Tag> =
        tagged(&tags, "svg").into_iter().filter(|tag| tag.attribute("role").is_some()).collect();
    assert!(pictures.len() > 12);
    for picture in pictures {
        let names = picture.attribute("aria-labelledby").expect("a name");
        for id in names.split(' ') {
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }
    let language = tagged(&tags, "html")[0].attribute("lang");
    assert_eq!(language, Some("en"));
}

#[test]
fn ids_are_unique_and_links_lead_somewhere() {
    let page = html(&view(USUAL));
    let tags = tags(&page);
    let mut ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id appears twice");
    for target in tags.iter().filter_map(|tag| tag.attribute("href")) {
        let id = target.strip_prefix('#').expect("only links within the page");
        assert!(ids.contains(&id), "{target} leads nowhere");
    }
}

#[test]
fn numbers_of_the_summary_are_in_words() {
    let page = html(&view(USUAL));
    for words in [
        "1 of 3 checks fail",
        "2 arms each played the same 5 replications of 2 h of simulated time",
        "Against do-nothing, spill is better on loss_ratio (5.31 % to 1.31 %)",
        "Of 6 comparisons: 2 better, 2 worse, 1 without material difference, 1 inconclusive.",
        "about 23 replications would settle it",
        "steerlab run fibre-cut-at-peak.yaml --seed 20240611",
        "No scenario",
    ] {
        assert_eq!(page.contains(words), words != "No scenario", "{words}");
    }
}

#[test]
fn size_stays_small() {
    let page = html(&view(USUAL));
    assert!(page.len() < 500_000, "{} bytes", page.len());
    let day = Shape { arms: 3, replications: 3, buckets: 1_440, sites: 60, groups: 200 };
    let page = html(&view(day));
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn the_embedded_scenario_comes_back_whole() {
    let run = view(USUAL);
    let page = html(&run);
    let read = crate::markup::embedded_scenario(&page);
    assert_eq!(read, run.scenario);
}

#[test]
fn figures_are_complete_documents() {
    let figures = figures(&view(USUAL));
    let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    for name in ["map-spill", "traffic-do-nothing", "loss", "distributions-latency", "differences"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    for figure in &figures {
        crate::markup::assert_xml(&figure.svg);
        assert!(figure.svg.starts_with("<svg ") && !figure.title.is_empty());
    }
}

#[test]
fn missing_tables_and_columns_leave_a_note() {
    let whole = view(USUAL);
    for index in 0..whole.tables.len() {
        let mut run = whole.clone();
        let name = run.tables.remove(index).name;
        let page = html(&run);
        assert!(page.contains(&format!("no table `{name}`")), "{name}");
        assert!(!figures(&run).is_empty());
    }
    let mut without = 0;
    for table in 0..whole.tables.len() {
        for column in 0..whole.tables[table].columns.len() {
            let mut run = whole.clone();
            run.tables[table].columns.remove(column);
            let page = html(&run);
            without += page.matches("is left out. ").count();
        }
    }
    assert!(without > 20, "notes: {without}");
}

#[test]
fn damaged_columns_do_no_harm() {
    use steerlab_results::view::ColumnData;
    let whole = view(Shape { replications: 1, buckets: 12, groups: 20, ..USUAL });
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e308, -1e308, 1e-320];
    for table in 0..whole.tables.len() {
        for column in 0..whole.tables[table].columns.len() {
            let mut run = whole.clone();
            match &mut run.tables[table].columns[column].data {
                ColumnData::F64(values) => {
                    for (index, value) in values.iter_mut().enumerate() {
                        *value = bad[index % bad.len()];
                    }
                }
                ColumnData::U64(values) => values.truncate(3),
                ColumnData::Text { codes, .. } => {
                    codes.iter_mut().step_by(3).for_each(|code| *code = u32::MAX);
                }
            }
            let page = html(&run);
            assert!(!page.contains(">NaN") && !page.contains("NaN\""), "a bare NaN");
        }
    }
}

#[test]
fn hostile_places_do_no_harm() {
    let mut run = view(Shape { replications: 1, buckets: 12, groups: 20, ..USUAL });
    let bad = [f64::NAN, 1e300, -1e300, f64::INFINITY, 0.0];
    for (index, site) in run.scenario.network.sites.rows_mut().iter_mut().enumerate() {
        let place = site.location.as_mut().unwrap();
        place.lon = bad[index % 5];
        place.lat = bad[(index / 5) % 5];
    }
    assert!(html(&run).contains("</html>"));
}

#[test]
fn an_empty_run_is_a_page_too() {
    let mut run = view(USUAL);
    run.tables.clear();
    run.summary.arms.clear();
    run.summary.runs.clear();
    run.summary.checks.clear();
    run.summary.comparison.clear();
    run.summary.warnings.clear();
    let page = html(&run);
    assert!(page.contains("No checks were asked"));
    assert!(figures(&run).is_empty());
    crate::markup::assert_xml(&junit(&run));
    assert!(markdown(&run).starts_with("## – No checks were asked"));
}

#[test]
fn one_arm_and_one_replication_make_no_claims() {
    let run = view(Shape { arms: 1, replications: 1, ..USUAL });
    let page = html(&run);
    assert!(page.contains("One replication: there are no intervals"));
    assert!(page.contains("There is one arm"));
    assert!(!page.contains("baseline</span>"));
}

#[test]
fn many_arms_stay_bounded() {
    let run = view(Shape { arms: 40, replications: 1, buckets: 24, groups: 20, sites: 20 });
    assert!(html(&run).len() < 8 << 20);
}

#[test]
fn junit_counts_what_failed() {
    let text = junit(&view(USUAL));
    crate::markup::assert_xml(&text);
    assert!(text.contains("tests=\"3\" failures=\"1\""));
    assert_eq!(text.matches("<testcase ").count(), 3);
    assert_eq!(text.matches("<failure ").count(), 1);
    assert!(text.contains("left side is 0.0531, right side is 0.02"));
}

#[test]
fn markdown_has_verdict_checks_and_commands() {
    let run = view(USUAL);
    let text = markdown(&run);
    assert!(text.starts_with("## ✗ 1 of 3 checks fail\n"));
    for part in ["| **✗ fail** | `loss_ratio < 0.02` |", "**✓ better**", "Reproduce: `steerlab run"]
    {
        assert!(text.contains(part), "{part}");
    }
    let rows = steerlab_report::markdown_comparison(&run.summary.comparison);
    assert!(rows.starts_with("## ✗ Of 6 comparisons: 2 better, 2 worse"));
}

#[test]
fn markdown_fits_where_it_goes() {
    let mut run = view(USUAL);
    let check = run.summary.checks[0].clone();
    run.summary.checks = vec![check; 5_000];
    run.summary.warnings = vec![run.summary.warnings[0].clone(); 5_000];
    let row = run.summary.comparison[0].clone();
    run.summary.comparison = vec![row; 5_000];
    let text = markdown(&run);
    assert!(text.len() <= 60_000, "{}", text.len());
    assert!(text.contains("left out for length") && text.contains("Reproduce: "));
    assert!(steerlab_report::markdown_comparison(&run.summary.comparison).len() <= 60_000);
}

#[test]
fn arms_keep_their_colour() {
    let page = html(&view(fake::Shape { arms: 2, ..USUAL }));
    // The heading of the second arm's pictures shows the second arm's ink, everywhere.
    let headings: Vec<&str> = page.split("<h4>").skip(1).collect();
    let of_spill: Vec<&&str> = headings
        .iter()
        .filter(|text| text.split("</h4>").next().unwrap().contains("spill"))
        .collect();
    assert!(of_spill.len() >= 4);
    assert!(of_spill.iter().all(|text| text.contains("class=\"l a1 d1\"")));
}
