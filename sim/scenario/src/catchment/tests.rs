//! Tables end to end: reading, writing, comparing, converting.

use super::*;
use crate::import::Document;

const GOOD: &str = "\
# format: steerlab-catchment/1
# made by hand
site,kind,id,weight,prefix,rtt_ms
fra,as,64496,2.5,,
ams,as,9,1,,12.25
ams,prefix,192.0.2.0/24,,anycast,
lhr,client-group,uk,0,192.0.2.0/24,
fra,client-group,uk,3,,8
";

fn table(text: &str) -> CatchmentTable {
    CatchmentTable::parse("t.csv", text.as_bytes()).unwrap_or_else(|found| panic!("{found:?}"))
}

/// A table of ASes: `id site weight`.
fn ases(rows: &[(u32, &str, Option<f64>)]) -> CatchmentTable {
    let row = |(asn, site, weight): &(u32, &str, Option<f64>)| CatchmentRow {
        key: CatchmentKey { client: CatchmentClient::As(*asn), prefix: None },
        site: (*site).to_owned(),
        weight: *weight,
        rtt_ms: None,
    };
    CatchmentTable::new(rows.iter().map(row).collect()).unwrap()
}

#[test]
fn tables_are_written_sorted_and_read_back() {
    let read = table(GOOD);
    let text = read.to_csv();
    assert_eq!(
        text,
        "# format: steerlab-catchment/1\nkind,id,site,weight,prefix,rtt_ms\n\
         client-group,uk,fra,3,,8\nclient-group,uk,lhr,0,192.0.2.0/24,\n\
         prefix,192.0.2.0/24,ams,,anycast,\nas,9,ams,1,,12.25\nas,64496,fra,2.5,,\n"
    );
    assert_eq!(table(&text), read);
    // Columns that no row has are left out.
    let short = ases(&[(2, "b", None), (1, "a", None)]).to_csv();
    assert_eq!(short, "# format: steerlab-catchment/1\nkind,id,site\nas,1,a\nas,2,b\n");
    assert_eq!(
        CatchmentTable::default().to_csv(),
        "# format: steerlab-catchment/1\nkind,id,site\n"
    );
}

#[test]
fn the_row_about_a_prefix_goes_before_the_row_about_any() {
    let table = table(GOOD);
    let uk = CatchmentClient::Group("uk".to_owned());
    let site = |client: &CatchmentClient, prefix: &str| {
        table.find(client, prefix).map(|row| row.site.as_str())
    };
    assert_eq!(site(&uk, "192.0.2.0/24"), Some("lhr"));
    assert_eq!(site(&uk, "other"), Some("fra"));
    assert_eq!(site(&CatchmentClient::As(9), "x"), Some("ams"));
    assert_eq!(site(&CatchmentClient::As(10), "x"), None);
    let block = CatchmentClient::Block(Prefix::parse("192.0.2.0/24").unwrap());
    assert_eq!((site(&block, "anycast"), site(&block, "other")), (Some("ams"), None));
}

#[test]
fn every_problem_of_a_table_is_told_at_its_place() {
    let text = "\
# format: steerlab-catchment/1
kind,id,site,weight,prefix,rtt_ms,colour
as,1,ams,1,,,red
as,1,fra,1,,,red
ass,2,ams,1,,,red
as,AS3,ams,1,,,red
as,4294967296,ams,1,,,red
prefix,192.0.2.1/24,ams,1,,,red
client-group,,ams,1,,,red
as,5,,1,,,red
as,6,a b,1,,,red
as,7,ams,-1,,,red
as,8,ams,nan,,,red
as,9,ams,1,a b,,red
as,10,ams,1,,-0.1,red
as,11,ams
as,12,ams,1,192.0.2.1/24,1e999,red
";
    let found = CatchmentTable::parse("t.csv", text.as_bytes()).unwrap_err();
    let places: Vec<(&str, u32, u32)> =
        found.iter().map(|found| (found.code, found.line(), found.column())).collect();
    assert_eq!(
        places,
        [
            ("E0260", 2, 35),
            ("E0262", 4, 4),
            ("E0261", 5, 1),
            ("E0261", 6, 4),
            ("E0261", 7, 4),
            ("E0261", 8, 8),
            ("E0261", 9, 14),
            ("E0261", 10, 6),
            ("E0261", 11, 6),
            ("E0261", 12, 10),
            ("E0261", 13, 10),
            ("E0261", 14, 12),
            ("E0261", 15, 14),
            ("E0261", 16, 1),
            ("E0261", 17, 13),
            ("E0261", 17, 26),
        ]
    );
    for one in &found {
        assert!(one.file == "t.csv" && !one.why.is_empty() && !one.help.is_empty(), "{one:?}");
    }
    assert_eq!(found[1].related[0].0.line, 3, "the first of the two rows is named");
    assert_eq!(found[2].suggestion.as_deref(), Some("as"));
    for (bytes, code) in [
        (&b"# format: steerlab-catchment/2\nkind,id,site\n"[..], "E0260"),
        (b"# format: steerlab-catchment/1\nkind,id\n", "E0260"),
        (b"\xff\xfe", "E0260"),
        (b"", "E0260"),
    ] {
        let found = CatchmentTable::parse("t.csv", bytes).unwrap_err();
        assert!(found.iter().all(|found| found.code == code), "{found:?}");
    }
    let found = CatchmentTable::read(std::path::Path::new("/nothing/here.csv")).unwrap_err();
    assert_eq!((found[0].code, found[0].file.as_str()), ("E0502", "/nothing/here.csv"));
}

#[test]
fn agreement_is_counted_and_weighed() {
    let modelled = ases(&[
        (1, "ams", None),
        (2, "ams", None),
        (3, "fra", None),
        (4, "fra", None),
        (5, "fra", None),
    ]);
    let measured = ases(&[
        (1, "ams", Some(10.0)),
        (2, "fra", Some(30.0)),
        (3, "fra", Some(20.0)),
        (4, "ams", Some(40.0)),
        (6, "ams", Some(5.0)),
        (7, "ams", None),
    ]);
    let compared = compare_catchments(&modelled, &measured);
    let all = &compared.overall;
    assert_eq!((all.rows_both, all.rows_agreeing), (4, 2));
    assert_eq!(all.agreement_ratio, Some(0.5));
    assert_eq!((all.weight_both, all.weight_agreeing), (100.0, 30.0));
    assert_eq!(all.agreement_weight_ratio, Some(0.3));
    assert_eq!((all.rows_only_modelled, all.rows_only_measured), (1, 2));
    assert_eq!((all.weight_only_modelled, all.weight_only_measured), (1.0, 6.0));
    assert_eq!(compared.weights_of, WeightsOf::Measured);
    let cells: Vec<(&str, &str, u64, f64)> = compared
        .confusion
        .iter()
        .map(|cell| (&*cell.modelled, &*cell.measured, cell.rows, cell.weight))
        .collect();
    let expected = [
        ("ams", "ams", 1, 10.0),
        ("ams", "fra", 1, 30.0),
        ("fra", "ams", 1, 40.0),
        ("fra", "fra", 1, 20.0),
    ];
    assert_eq!(cells, expected);
    let who: Vec<&str> = compared.disagreements.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(who, ["4", "2"], "the heaviest first");
    assert_eq!((compared.by_kind.len(), compared.by_kind[0].kind), (1, "as"));
    assert_eq!(compared.by_kind[0].agreement, compared.overall);
    // The other way round the weights are the model's.
    let turned = compare_catchments(&measured, &modelled);
    assert_eq!(turned.weights_of, WeightsOf::Modelled);
    assert_eq!(turned.overall.agreement_weight_ratio, Some(0.3));
    let neither = compare_catchments(&modelled, &modelled);
    assert_eq!(neither.weights_of, WeightsOf::Neither);
    assert_eq!(neither.overall.agreement_ratio, Some(1.0));
    let nothing = compare_catchments(&modelled, &CatchmentTable::default());
    assert_eq!(nothing.overall.agreement_ratio, None);
    assert_eq!(nothing.overall.rows_only_modelled, 5);
}

#[test]
fn announced_prefixes_must_match_unless_there_is_only_one() {
    let head = "# format: steerlab-catchment/1\nkind,id,site,prefix\n";
    let any = table(&format!("{head}as,1,ams,\nas,2,fra,\n"));
    let one = table(&format!("{head}as,1,ams,p\nas,2,ams,p\n"));
    let two = table(&format!("{head}as,1,ams,p\nas,1,fra,q\n"));
    let compared = compare_catchments(&any, &one);
    assert!(!compared.prefixes_compared);
    assert_eq!((compared.overall.rows_both, compared.overall.rows_agreeing), (2, 1));
    let compared = compare_catchments(&two, &one);
    assert!(compared.prefixes_compared);
    assert_eq!((compared.overall.rows_both, compared.overall.rows_agreeing), (1, 1));
    let compared = compare_catchments(&two, &any);
    assert_eq!((compared.overall.rows_both, compared.overall.rows_only_modelled), (0, 2));
}

fn document(text: &str) -> Document {
    Document { name: "m.json".to_owned(), bytes: text.as_bytes().to_vec() }
}

#[test]
fn peering_maps_become_tables() {
    let map =
        r#"{"20": ["uw01"], "3": "isi01", "4": ["uw01", "isi01"], "5": [], "6": ["uw01", "uw01"]}"#;
    let convert = |text: &str| {
        convert_catchment(CatchmentSource::PeeringJson, WeightBy::Queries, &document(text))
    };
    let converted = convert(map).unwrap();
    assert_eq!(converted.table, ases(&[(3, "isi01", None), (6, "uw01", None), (20, "uw01", None)]));
    assert_eq!(
        converted.notes,
        ["1 AS seen at several sites: left out", "1 AS without a site: left out"]
    );
    let error = convert(r#"{"AS1": ["a"], "2": [3], "4": {"a": 1}, "5": ["a"]}"#).unwrap_err();
    let codes: Vec<&str> = error.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes.len(), 3, "{error}");
    for (bad, place) in [("[]", "an object"), ("{", "m.json:1:1"), ("\u{0}", "zero")] {
        assert!(convert(bad).unwrap_err().to_string().contains(place), "{bad}");
    }
}

#[test]
fn atlas_answers_become_tables() {
    let result = |asn: &str, probe: u32, site: &str, rt: &str| {
        format!(r#"{{"asn_v4":{asn},"prb_id":{probe},"dst_city":{site},"result":{{"rt":{rt}}}}}"#)
    };
    let results = [
        result("7", 1, "\"JNB\"", "3.5"),
        result("7", 1, "\"JNB\"", "1.5"),
        result("7", 2, "\"JNB\"", "2.5"),
        result("7", 2, "\"LHR\"", "150"),
        result("8", 3, "\"LHR\"", "160"),
        result("8", 3, "\"FRA\"", "170"),
        result("null", 4, "\"JNB\"", "1"),
        result("9", 5, "null", "1"),
    ];
    let text = format!("[{}]", results.join(","));
    let convert = |by| convert_catchment(CatchmentSource::AtlasDns, by, &document(&text)).unwrap();
    let by_queries = convert(WeightBy::Queries);
    assert_eq!(
        by_queries.table.to_csv(),
        "# format: steerlab-catchment/1\nkind,id,site,weight,rtt_ms\nas,7,JNB,4,2.5\nas,8,FRA,2,170\n"
    );
    assert_eq!(
        by_queries.notes,
        [
            "1 query without an answer: left out",
            "1 query of probes without AS: left out",
            "2 ASes seen at several sites: put at the most frequent",
            "1 of these has several most frequent: the first taken",
        ]
    );
    let by_probes = convert(WeightBy::Probes).table;
    assert_eq!(by_probes.rows()[0].weight, Some(2.0));
    for bad in [
        "{}",
        "[1]",
        r#"[{"asn_v4":1,"prb_id":1,"dst_city":"a b"}]"#,
        "[{\"dst_city\":\"A\",\"asn_v4\":\"x\"}]",
    ] {
        let by = WeightBy::Queries;
        let error = convert_catchment(CatchmentSource::AtlasDns, by, &document(bad)).unwrap_err();
        assert!(!error.problems.is_empty(), "{bad}");
    }
}
