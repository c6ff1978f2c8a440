//! SNDlib: both formats, units, capacities, series with their gaps, hostile archives.

use super::hostile::tar_of;
use super::*;
use std::io::Write;

const NETWORK: &str = "?SNDlib native format; type: network; version: 1.0\n# a remark ( with words\n\
    META (\n  unit  = MBITPERSEC\n  origin = somebody (at home), # really\n)\n\
    NODES (\n  a ( -84.3833 33.75 ) # remark\n  b ( 8.5 47.25 )\n  c ( 1.25 2.5 )\n)\n\
    LINKS (\n  ab ( a b ) 9920.00 0.00 0.00 0.00 ( 40000.00 133.00 )\n  \
    ab2 ( b a ) 0.00 0.00 3.00 0.00 ( 155.52 1.00 622.08 2.00 )\n  bc ( b c ) 0.5 0 0 0 ( )\n  \
    cc ( c c ) 1 0 0 0 ( )\n  none ( a c ) 0 0 0 0 ( )\n)\n\
    DEMANDS (\n  d1 ( a b ) 1 0.000057 UNLIMITED\n  d2 ( a b ) 2 10.5 3\n  d3 ( c c ) 1 5 UNLIMITED\n)\n\
    ADMISSIBLE_PATHS (\n  d1 ( P_0 ( ab ) )\n)\n";

/// A matrix file with demands a>b and b>c in Mbit/s.
fn matrix_xml(time: &str, ab: &str, bc: &str) -> String {
    let demand = |from: &str, to: &str, value: &str| {
        format!(
            "<demand id='{from}{to}'><source>{from}</source><target>{to}</target>\
             <demandValue> {value} </demandValue></demand>"
        )
    };
    format!(
        "<?xml version='1.0'?><network xmlns='http://sndlib.zib.de/network'><meta><granularity>5min\
         </granularity><time>{time}</time><unit>MBITPERSEC</unit><origin>us</origin></meta>\
         <networkStructure/><demands>{}{}</demands></network>",
        demand("a", "b", ab),
        demand("b", "c", bc)
    )
}

/// The network with an archive of matrices at the given stamps; the rate a>b counts up from 1.
fn series(stamps: &[&str]) -> ImportInput {
    let files: Vec<(String, String)> = stamps
        .iter()
        .enumerate()
        .map(|(n, stamp)| (format!("m/{n}.xml"), matrix_xml(stamp, &(n + 1).to_string(), "0")))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    with_demands(input("net.txt", NETWORK), "m.tar", tar_of(&files))
}

fn seconds(matrix: &RecordedMatrix) -> Vec<f64> {
    matrix.times.iter().map(|time| time.seconds()).collect()
}

#[test]
fn native_capacities_units_and_demands() {
    let imported = import("sndlib", &input("some/net.txt", NETWORK));
    assert_valid_ids(&imported);
    for line in [
        "  - {id: a, at: [33.75, -84.3833]}",
        "  - {id: ab, kind: backbone, ends: [a, b], capacity: 9920Mbps, weight: 1}",
        "  - {id: ab2, kind: backbone, ends: [b, a], capacity: 622080kbps, weight: 1}",
        "  - {id: bc, kind: backbone, ends: [b, c], capacity: 500kbps, weight: 1}",
        "  - {id: none, kind: backbone, ends: [a, c], capacity: 10Gbps, weight: 1}",
        "arms:",
        "  - {id: spf-ecmp, policies: [spf-ecmp]}",
        "compare: {metrics: [loss_ratio, link_utilisation_max]}",
    ] {
        assert!(imported.yaml.lines().any(|found| found == line), "{line}\n{}", imported.yaml);
    }
    assert!(!imported.yaml.contains("events:"));
    assert!(imported.yaml.contains("somebody (at home), # really"));
    assert_eq!(matrix_of(&imported).rates_bps, [57.0 + 21_000_000.0]);
    for note in [
        "1 link without pre-installed capacity: the largest module is used",
        "1 link with neither capacity nor modules: 10Gbps assumed",
        "1 link from a node to itself dropped",
        "1 demand multiplied by the routing unit",
        "1 demand with a limit on the length of its paths",
        "1 demand from a node to itself dropped",
        "no pair has demands in both directions",
        "admissible paths are not used",
    ] {
        has_note(&imported, note);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let once = import("sndlib", &series(&["20040301-0000", "20040301-0005"]));
    assert_eq!(once, import("sndlib", &series(&["20040301-0000", "20040301-0005"])));
}

#[test]
fn units_and_drawings() {
    let none = NETWORK.replace("  unit  = MBITPERSEC\n", "");
    has_note(&import("sndlib", &input("n.txt", none)), "the file names no unit: Mbit/s assumed");
    for (unit, capacity) in [("GBITPERSEC", "9920Gbps"), ("BITSPERSEC", "9920bps")] {
        let imported = import("sndlib", &input("n.txt", NETWORK.replace("MBITPERSEC", unit)));
        assert!(imported.yaml.contains(&format!("capacity: {capacity}")), "{unit}");
    }
    for unit in ["MBYTEPERSEC", "STM-1", "XBITPERSEC"] {
        let problems = refused("sndlib", &input("n.txt", NETWORK.replace("MBITPERSEC", unit)));
        assert_eq!((problems.len(), problems[0].code), (1, "E0252"));
        assert!(problems[0].what.contains(unit), "{}", problems[0]);
    }
    let drawn = NETWORK.replace("( 8.5 47.25 )", "( 850 300 )");
    let drawn = import("sndlib", &input("n.txt", drawn));
    assert!(!drawn.yaml.contains(", at: ["));
    has_note(&drawn, "positions in a drawing");
    has_note(&drawn, "3 nodes have no coordinates");
    let grid = NETWORK.replace("-84.3833 33.75", "3 4").replace("8.5 47.25", "5.00 6.00");
    let grid = grid.replace("1.25 2.5", "7 8");
    has_note(&import("sndlib", &input("n.txt", grid)), "all are whole numbers");
}

#[test]
fn xml_says_the_same_as_native() {
    let xml = "<?xml version='1.0' encoding='ISO-8859-1'?><s:network xmlns:s='u'><s:networkStructure>\
        <s:nodes coordinatesType='geographical'><s:node id='a'><s:coordinates><s:x>-84.3833</s:x>\
        <s:y>33.75</s:y></s:coordinates></s:node><s:node id='b b'/></s:nodes><s:links><s:link id='l'>\
        <s:source>a</s:source><s:target>b b</s:target><s:preInstalledModule><s:capacity>0.0\
        </s:capacity><s:cost>1</s:cost></s:preInstalledModule><s:additionalModules><s:addModule>\
        <s:capacity>2.0</s:capacity></s:addModule><s:addModule><s:capacity>40.0</s:capacity>\
        </s:addModule></s:additionalModules></s:link></s:links></s:networkStructure><s:demands>\
        <s:demand id='d'><s:source>b b</s:source><s:target>a</s:target><s:demandValue>1.990081\
        </s:demandValue></s:demand></s:demands></s:network>";
    let imported = import("sndlib", &input("n.xml", xml));
    assert!(imported.yaml.contains("{id: b-b, label: \"b b\"}"), "{}", imported.yaml);
    assert!(imported.yaml.contains("ends: [a, b-b], capacity: 40Mbps, weight: 1, delay: 1ms}"));
    assert_eq!(matrix_of(&imported).rates_bps, [1_990_081.0]);
    has_note(&imported, "the file names no unit");
}

#[test]
fn broken_networks_tell_every_problem() {
    let broken = NETWORK
        .replace("ab2 ( b a )", "ab ( b x )")
        .replace("9920.00", "many")
        .replace("10.5", "-1");
    let problems = refused("sndlib", &input("n.txt", broken));
    let places: Vec<_> = problems.iter().map(|problem| (problem.code, problem.line)).collect();
    assert_eq!(places, [("E0252", 13), ("E0253", 14), ("E0253", 14), ("E0252", 21)]);
    for (broken, words) in [
        (NETWORK.replace("LINKS (", "ROADS ("), "unknown section 'ROADS'"),
        (NETWORK.replace("( 40000.00 133.00 )", "( 40000.00 )"), "a module's cost"),
        (NETWORK[..300].to_owned(), "the end of the file"),
        (NETWORK.replace("type: network", "type: solution"), "holds no network"),
        ("hello".to_owned(), "not an SNDlib file"),
        ("<html/>".to_owned(), "not 'network'"),
    ] {
        let problems = refused("sndlib", &input("n.txt", broken));
        assert!(problems[0].what.contains(words), "{}", problems[0]);
        assert_eq!(problems[0].code, "E0251");
    }
}

#[test]
fn a_series_is_sorted_and_its_gaps_are_told() {
    let stamps = ["20040301-0020", "20040301-0000", "20040301-0005", "20040303-0030"];
    let imported = import("sndlib", &series(&stamps));
    assert!(imported.yaml.contains(
        "start: \"2004-03-01T00:00:00Z\"\nhorizon: 25min\nbucket: 5min\ntraffic_step: 5min\n"
    ));
    let matrix = matrix_of(&imported);
    assert_eq!(seconds(&matrix), [0.0, 300.0, 1_200.0]);
    assert_eq!(matrix.rates_bps, [2e6, 0.0, 3e6, 0.0, 1e6, 0.0]);
    has_note(&imported, "1 gap in the time stamps, 2 missing in all: the previous matrix holds");
    has_note(&imported, "the series continues at 2004-03-03T00:30:00Z");
}

#[test]
fn windows() {
    let stamps = ["20040301-0000", "20040301-0005", "20040301-0010", "20040303-0000"];
    let window = |from: Option<&str>, length: Option<&str>| {
        let mut input = series(&stamps);
        input.options.from = from.map(str::to_owned);
        input.options.length = length.map(str::to_owned);
        input
    };
    let later = import("sndlib", &window(Some("2004-03-02"), None));
    assert!(later.yaml.contains("start: \"2004-03-03T00:00:00Z\"\nhorizon: 5min\n"));
    has_note(&later, "the first matrix from 2004-03-02T00:00:00Z on is 2004-03-03T00:00:00Z");
    let short = import("sndlib", &window(Some("20040301-0005"), Some("7m")));
    assert!(short.yaml.contains("horizon: 7min\n"), "{}", short.yaml);
    assert_eq!(seconds(&matrix_of(&short)), [0.0, 300.0]);
    for (from, length) in [
        (None, Some("1d")),
        (None, Some("0s")),
        (None, Some("1ns")),
        (None, Some("soon")),
        (Some("2005"), None),
        (Some("2005-01-01"), None),
    ] {
        let problems = refused("sndlib", &window(from, length));
        assert_eq!(problems[0].code, "E0256", "{from:?} {length:?}");
    }
}

#[test]
fn zero_matrices_are_missing_and_stamps_come_from_file_names() {
    let zero = matrix_xml("2004", "0", "0.0");
    let full = matrix_xml("", "1", "2");
    let files = [
        ("x-20040301-0000.xml", zero.as_str()),
        ("x-20040301-0005.xml", &full),
        ("x-20040301-0010.xml", &zero),
        ("README", "words"),
        (".hidden.xml", "words"),
    ];
    let input = with_demands(input("net.txt", NETWORK), "m.tar", tar_of(&files));
    let imported = import("sndlib", &input);
    has_note(&imported, "2 all-zero matrices treated as missing");
    has_note(&imported, "2 files neither");
    assert!(imported.yaml.contains("start: \"2004-03-01T00:05:00Z\"\nhorizon: 5min\n"));
}

#[test]
fn series_problems() {
    let code = |files: &[(&str, &str)]| {
        let input = with_demands(input("net.txt", NETWORK), "dir/m.tar", tar_of(files));
        let problem = refused("sndlib", &input).remove(0);
        assert!(problem.file.starts_with("dir/m.tar"), "{problem}");
        problem.code
    };
    let (one, other) =
        (matrix_xml("20040301-0000", "1", "2"), matrix_xml("20040301-0000", "1", "3"));
    assert_eq!(code(&[("a.xml", &one), ("b.xml", &other)]), "E0255");
    assert_eq!(code(&[("a.xml", &matrix_xml("2004", "1", "2"))]), "E0255");
    assert_eq!(code(&[("notes", "x")]), "E0255");
    assert_eq!(code(&[("a.xml", &matrix_xml("20040301-0000", "0", "0"))]), "E0255");
    assert_eq!(code(&[("a.xml", &matrix_xml("20040301-0000", "NaN", "0"))]), "E0252");
    assert_eq!(code(&[("a.xml", &one.replace(">c<", ">z<"))]), "E0253");
    assert_eq!(code(&[("a.xml", "<network")]), "E0251");
    assert_eq!(code(&[("../a.xml", &one)]), "E0254");
    assert_eq!(code(&[("/a.xml", &one)]), "E0254");
    assert_eq!(code(&[("x/inner.tar.gz", "x")]), "E0254");
    let input = with_demands(
        input("net.txt", NETWORK),
        "m.tar",
        tar_of(&[("a.xml", &one), ("b.xml", &one)]),
    );
    has_note(&import("sndlib", &input), "1 file that repeats a matrix");
}

#[test]
fn problems_of_all_files_are_told_together() {
    let bad = matrix_xml("20040301-0000", "x", "2");
    let files = [("a.xml", bad.as_str()), ("b.xml", "<network"), ("c.xml", &bad)];
    let input = with_demands(input("net.txt", NETWORK), "m.tar", tar_of(&files));
    let problems = refused("sndlib", &input);
    let files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["m.tar:a.xml", "m.tar:b.xml", "m.tar:c.xml"]);
    let many: Vec<String> = (0..200).map(|n| format!("{n}.xml")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "<")).collect();
    let input = with_demands(super::input("net.txt", NETWORK), "m.tar", tar_of(&many));
    assert_eq!(refused("sndlib", &input).len(), 100);
}

#[test]
fn series_that_would_fill_the_memory_or_the_calendar_are_refused() {
    let yearly = ["00010101", "00011231", "00021231", "00031231"].map(str::to_owned);
    let mut stamps = yearly.to_vec();
    stamps.extend((4..40).map(|year| format!("{year:04}1231")));
    let files: Vec<(String, String)> = stamps
        .iter()
        .map(|stamp| {
            let xml = matrix_xml(stamp, "1", "2").replace("5min", "365days");
            (format!("{stamp}.xml"), xml)
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let input = with_demands(input("net.txt", NETWORK), "m.tar", tar_of(&files));
    let problem = refused("sndlib", &input).remove(0);
    assert_eq!(problem.code, "E0250", "{problem}");
    assert!(problem.what.contains("covers"), "{problem}");
}

#[test]
fn a_meta_section_may_stand_on_one_line() {
    let start = NETWORK.find("META").expect("section");
    let end = NETWORK.find("NODES").expect("section");
    let short = format!("{}META ( unit = GBITPERSEC )\n{}", &NETWORK[..start], &NETWORK[end..]);
    let imported = import("sndlib", &input("n.txt", short));
    assert!(imported.yaml.contains("capacity: 9920Gbps"), "{}", imported.yaml);
}

#[test]
fn xz_archives_are_read_and_bombs_are_not() {
    let with = |bytes: &[u8]| with_demands(input("net.txt", NETWORK), "m.tar.xz", bytes);
    let imported = import("sndlib", &with(include_bytes!("../../../tests/fixtures/two.tar.xz")));
    let matrix = matrix_of(&imported);
    assert_eq!(matrix.rates_bps, [1.5e6, 2e6, 3e6, 4e6]);
    let bomb = include_bytes!("../../../tests/fixtures/blanks.tar.xz");
    let problem = refused("sndlib", &with(bomb)).remove(0);
    assert!(problem.code == "E0254" && problem.what.contains("200 times"), "{problem}");
}

#[test]
fn packed_archives_bombs_and_damage() {
    let one = matrix_xml("20040301-0000", "1", "2");
    let tar = tar_of(&[("a.xml", &one)]);
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    };
    let with = |bytes: Vec<u8>| with_demands(input("net.txt", NETWORK), "m", bytes);
    let plain = import("sndlib", &with(tar.clone()));
    assert_eq!(plain, import("sndlib", &with(gzip(&tar))));
    let problem = |bytes: Vec<u8>| refused("sndlib", &with(bytes)).remove(0);
    let cut = gzip(&tar)[..60].to_vec();
    assert_eq!(problem(cut).code, "E0254");
    assert_eq!(problem(b"PK\x03\x04....".to_vec()).code, "E0254");
    assert_eq!(problem(b"\xfd7zXZ\0....".to_vec()).code, "E0254");
    // Eight mebibytes of blanks pack about a thousandfold.
    let bomb = tar_of(&[("a.xml", &" ".repeat(8 << 20))]);
    let problem = problem(gzip(&bomb));
    assert!(problem.what.contains("200 times"), "{problem}");
}

#[test]
fn long_names_do_not_hide_the_entry() {
    let one = matrix_xml("", "1", "2");
    let long = format!("{}/x-20040301-0000.xml", "d".repeat(150));
    let mut gnu = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(one.len() as u64);
    header.set_mode(0o644);
    gnu.append_data(&mut header, &long, one.as_bytes()).expect("appended");
    let bytes = gnu.into_inner().expect("finished");
    let imported = import("sndlib", &with_demands(input("net.txt", NETWORK), "m.tar", bytes));
    assert!(imported.yaml.contains("start: \"2004-03-01T00:00:00Z\""));
}

#[test]
fn a_link_inside_an_archive_is_refused() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "m-20040301-0000.xml", "/etc/hosts").expect("appended");
    let bytes = builder.into_inner().expect("finished");
    let problem = refused("sndlib", &with_demands(input("net.txt", NETWORK), "m.tar", bytes));
    assert!(problem[0].what.contains("neither a file nor a folder"), "{}", problem[0]);
}

#[test]
fn one_matrix_file_and_options() {
    let mut input =
        with_demands(input("net.txt", NETWORK), "m.xml", matrix_xml("20040301-0005", "1", "2"));
    input.options.name = Some("mine".to_owned());
    input.options.scale = 2.5;
    input.options.arms = vec!["spf-ecmp".to_owned(), "te-lp".to_owned(), "te-lp".to_owned()];
    input.options.length = Some("2h".to_owned());
    input.options.cuts = vec![Cut::parse("ab@30min..1h").unwrap(), Cut::parse("bc@90m").unwrap()];
    let imported = import("sndlib", &input);
    for line in [
        "name: mine",
        "start: \"2004-03-01T00:05:00Z\"",
        "horizon: 2h",
        "  - {id: matrix, matrix: {file: mine.matrix.parquet, scale: 2.5}}",
        "  - fail: {link: ab, at: 30min, until: 1h, label: \"ab cut\"}",
        "  - fail: {link: bc, at: 1h30min, label: \"bc cut\"}",
        "  - {id: te-lp, policies: [te-lp]}",
        "  - {id: te-lp-2, policies: [te-lp]}",
    ] {
        assert!(imported.yaml.lines().any(|found| found == line), "{line}\n{}", imported.yaml);
    }
    // The factor is the scenario's; the recorded data stay as they were.
    assert_eq!(matrix_of(&imported).rates_bps, [1e6, 2e6]);
    input.options.scale = f64::NAN;
    input.options.name = Some("a b".to_owned());
    input.options.arms = vec![String::new()];
    input.options.from = Some("2004-03-01".to_owned());
    input.options.length = Some("x".to_owned());
    input.options.cuts =
        ["zz@5m", "ab@2h", "ab@5m..5m", "ab@noon"].map(|text| Cut::parse(text).unwrap()).to_vec();
    let problems = refused("sndlib", &input);
    assert_eq!(problems.len(), 9, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.code == "E0256"));
}

#[test]
fn a_folder_is_read_file_by_file() {
    struct InMemory;
    impl Folder for InMemory {
        fn name(&self) -> &str {
            "folder"
        }
        fn files(&self) -> Result<Vec<String>, String> {
            Ok(vec!["m-20040301-0000.xml".to_owned(), "notes.md".to_owned()])
        }
        fn read(&self, file: &str) -> Result<Vec<u8>, String> {
            assert!(file.ends_with(".xml"));
            Ok(matrix_xml("", "1", "2").into_bytes())
        }
    }
    let mut input = input("net.txt", NETWORK);
    input.demands = Some(DemandInput::Folder(Box::new(InMemory)));
    let imported = import("sndlib", &input);
    has_note(&imported, "1 file neither .xml nor .txt skipped");
    assert_eq!(matrix_of(&imported).rates_bps, [1e6, 2e6]);
}
