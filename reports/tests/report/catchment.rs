//! Who lands where, who moved and why.

use crate::fake::{Shape, USUAL, view};
use crate::markup::tags;
use steerlab_report::{figures, html, markdown};
use steerlab_results::view::{ColumnData, RunView};

const SMALL: Shape = Shape { arms: 2, replications: 2, buckets: 60, sites: 20, groups: 40 };

fn section(page: &str) -> &str {
    let start = page.find("<section id=\"catchment\"").expect("a section");
    let end = page[start..].find("</section>").expect("it ends");
    &page[start..start + end]
}

fn texts<'a>(
    run: &'a mut RunView,
    table: &str,
    column: &str,
) -> (&'a mut Vec<String>, &'a mut Vec<u32>) {
    let table = run.tables.iter_mut().find(|known| known.name == table).unwrap();
    let column = table.columns.iter_mut().find(|known| known.name == column).unwrap();
    match &mut column.data {
        ColumnData::Text { dictionary, codes } => (dictionary, codes),
        _ => panic!("a column of text"),
    }
}

fn set_numbers(run: &mut RunView, table: &str, column: &str, value: f64) {
    let table = run.tables.iter_mut().find(|known| known.name == table).unwrap();
    let rows = table.rows();
    let column = table.columns.iter_mut().find(|known| known.name == column).unwrap();
    column.data = ColumnData::F64(vec![value; rows]);
}

/// The row of a table whose second cell begins with some words, as cells.
fn row<'a>(page: &'a str, words: &str) -> Vec<&'a str> {
    let at = page.find(words).unwrap_or_else(|| panic!("{words}"));
    let start = page[..at].rfind("<tr>").expect("a row");
    let row = &page[start..start + page[start..].find("</tr>").expect("it ends")];
    row.split("</td>").map(|cell| cell.rsplit('>').next().unwrap()).collect()
}

#[test]
fn causes_tell_who_moved_how_long_and_what_was_lost() {
    let page = html(&view(SMALL));
    let cells = row(section(&page), "srlg fails atlantic – Conduit cut off Cornwall");
    assert_eq!(cells[0], "18:40 UTC");
    // Of 40 groups four live where trouble is, and all four are listed.
    assert_eq!(cells[4], "4,600 requests/s");
    assert_eq!((cells[5], cells[6]), ("300 ms", "500 ms"));
    assert!(
        cells[2].contains("lhr → ams") && cells[2].contains("fra → lost: routing loop"),
        "{cells:?}"
    );
    assert!(
        cells[3].starts_with("black hole ") && cells[3].contains(", routing loop "),
        "{cells:?}"
    );
    let cells = row(section(&page), "srlg restored atlantic (was: Spliced)");
    assert!(cells[2].contains("lost: routing loop → fra"), "{cells:?}");
}

#[test]
fn a_full_list_stands_for_all_that_moved() {
    // Ten of sixteen groups are listed: the totals know of the others.
    let page = html(&view(USUAL));
    let cells = row(section(&page), "srlg fails atlantic – Conduit cut off Cornwall");
    assert_eq!((cells[4], cells[5]), ("90,000 requests/s", "at once"));
    assert!(!section(&page).contains("moves without a listed group"));
    // Where all are listed, what the totals count beyond them came about otherwise.
    assert!(section(&html(&view(SMALL))).contains("moves without a listed group"));
}

#[test]
fn shares_are_weighted_by_demand() {
    let mut run = view(Shape { arms: 1, replications: 1, ..SMALL });
    // Two sites; nine groups in ten want nothing.
    let (names, codes) = texts(&mut run, "client_groups", "landing_site");
    *names = vec!["lhr".to_owned(), "fra".to_owned()];
    let groups = 40;
    for (row, code) in codes.iter_mut().enumerate() {
        *code = u32::from(row % groups >= 2);
    }
    let table = run.tables.iter_mut().find(|table| table.name == "client_groups").unwrap();
    let column =
        table.columns.iter_mut().find(|column| column.name == "offered_requests_per_s").unwrap();
    if let ColumnData::F64(values) = &mut column.data {
        for (row, value) in values.iter_mut().enumerate() {
            *value = [30.0, 45.0, 25.0, 0.0][(row % groups).min(3)];
        }
    }
    let page = html(&run);
    assert!(section(&page).contains("lhr 75 % at both ends, fra 25 % at both ends"), "shares");
}

#[test]
fn ways_and_reasons_are_readable() {
    let page = html(&view(SMALL));
    let section = section(&page);
    for words in [
        "<code>64512 → 64600 ×2 → 64700</code>",
        "AS64512: local preference 100, path length 2",
        "Why the largest groups moved",
        "lost: routing loop",
    ] {
        assert!(section.contains(words), "{words}");
    }
}

#[test]
fn what_is_lost_has_a_name_of_its_own() {
    let page = html(&view(SMALL));
    assert!(page.contains("Lost traffic by cause"));
    for words in ["routing loop", "black hole", "full links", "lands nowhere: lost"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("dropped_bps"), "a column's name");
}

#[test]
fn maps_show_the_start_the_trouble_and_the_way_back() {
    let figures = figures(&view(SMALL));
    let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    for name in [
        "catchment-do-nothing",
        "catchment-map-do-nothing-start",
        "catchment-map-do-nothing-largest-change",
        "churn-do-nothing",
        "loss-causes-do-nothing",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let map = figures.iter().find(|figure| figure.name.ends_with("largest-change")).unwrap();
    // Lost groups are crosses in the ink of text, never told by colour alone.
    assert!(map.svg.contains("class=\"l tx\" stroke-width=\"1.5\""));
}

#[test]
fn arms_that_move_alike_are_told_once() {
    let mut run = view(Shape { replications: 1, ..SMALL });
    // The second arm gets the rows of the first.
    for table in &mut run.tables {
        let half = table.rows() / 2;
        if ["client_groups", "moves", "totals", "events"].contains(&table.name.as_str()) {
            for column in table.columns.iter_mut().filter(|column| column.name != "arm") {
                match &mut column.data {
                    ColumnData::F64(values) => values.copy_within(..half, half),
                    ColumnData::U64(values) => values.copy_within(..half, half),
                    ColumnData::Text { codes, .. } => codes.copy_within(..half, half),
                }
            }
        }
    }
    let page = html(&run);
    assert_eq!(section(&page).matches("As under do-nothing: spill.").count(), 2);
    assert!(section(&page).contains("The maps of spill are those of do-nothing."));
    assert!(markdown(&run).contains("| spill | as the baseline |"));
}

#[test]
fn where_nobody_moves_one_line_says_so() {
    let mut run = view(SMALL);
    for table in run.tables.iter_mut().filter(|table| table.name == "moves") {
        for column in &mut table.columns {
            match &mut column.data {
                ColumnData::F64(values) => values.clear(),
                ColumnData::U64(values) => values.clear(),
                ColumnData::Text { codes, .. } => codes.clear(),
            }
        }
    }
    set_numbers(&mut run, "totals", "moved_requests_per_s", 0.0);
    let page = html(&run);
    assert_eq!(section(&page).matches("Nobody moved.").count(), 1);
    assert!(!section(&page).contains("Why the largest groups moved"));
    assert!(!markdown(&run).contains("Who moved"));
    // With DNS answers users move without a move of routing.
    set_numbers(&mut run, "totals", "moved_requests_per_s", 5.0);
    assert!(section(&html(&run)).contains("moves without a listed group"));
}

#[test]
fn without_client_groups_there_is_no_section() {
    let page = html(&view(Shape { groups: 0, ..SMALL }));
    assert!(!page.contains("id=\"catchment\"") && !page.contains("href=\"#catchment\""));
    let mut run = view(SMALL);
    texts(&mut run, "client_groups", "landing_site").0.iter_mut().for_each(String::clear);
    assert!(section(&html(&run)).contains("No client group lands at a site."));
}

#[test]
fn many_sites_and_groups_stay_small() {
    let large = Shape { arms: 3, replications: 1, buckets: 60, sites: 300, groups: 5_000 };
    let run = view(large);
    let page = html(&run);
    let part = section(&page);
    assert!(part.len() < 400_000, "{} bytes", part.len());
    assert!(part.contains("5,000 client groups are drawn as "), "marks are put together");
    assert!(part.contains("295 other sites"), "the largest are named, the others counted");
    assert!(tags(&page).len() > 100);
    assert!(markdown(&run).len() <= 60_000);
}

#[test]
fn markdown_names_the_causes() {
    let text = markdown(&view(USUAL));
    let row = "| do-nothing | srlg fails atlantic – Conduit cut off Cornwall |";
    assert!(text.contains("### Who moved") && text.contains(row), "{text}");
}

#[test]
fn the_banner_is_not_green_where_an_arm_is_worse() {
    let mut run = view(SMALL);
    run.summary.checks.iter_mut().for_each(|check| check.pass = true);
    let page = html(&run);
    assert!(page.contains("class=\"banner mixed\"") && !page.contains("class=\"banner pass\""));
    assert!(markdown(&run).starts_with("## ! All 3 checks pass"));
    run.summary.comparison.retain(|row| row.verdict == steerlab_results::summary::Verdict::Better);
    assert!(html(&run).contains("class=\"banner pass\""));
}

#[test]
fn dns_answers_are_named() {
    let mut run = view(SMALL);
    let (kinds, _) = texts(&mut run, "events", "kind");
    for kind in kinds.iter_mut().filter(|kind| *kind == "igp-converged") {
        *kind = "dns-answer".to_owned();
    }
    let page = html(&run);
    let start = page.find("<h3>DNS answers</h3>").expect("a table");
    let table = &page[start..start + page[start..].find("</table>").expect("it ends")];
    // One a replication in each arm.
    assert_eq!(table.matches(">1</td>").count(), 2, "{table}");
}
