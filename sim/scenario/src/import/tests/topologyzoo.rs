//! GraphML: speeds in all spellings, missing values, parallel edges, encodings.

use super::*;

fn graph(nodes_and_edges: &str) -> String {
    let keys = [
        ("label", "node"),
        ("Latitude", "node"),
        ("Longitude", "node"),
        ("Internal", "node"),
        ("LinkSpeedRaw", "edge"),
        ("LinkSpeed", "edge"),
        ("LinkSpeedUnits", "edge"),
        ("LinkLabel", "edge"),
    ];
    let keys: String = keys
        .iter()
        .map(|(name, kind)| format!("<g:key attr.name='{name}' for='{kind}' id='k{name}'/>"))
        .collect();
    format!(
        "<?xml version='1.0' encoding='utf-8'?><g:graphml xmlns:g='u'>{keys}<g:graph \
         edgedefault='undirected'>{nodes_and_edges}</g:graph></g:graphml>"
    )
}

fn node(id: &str, data: &[(&str, &str)]) -> String {
    format!("<g:node id='{id}'>{}</g:node>", fields(data))
}

fn edge(from: &str, to: &str, data: &[(&str, &str)]) -> String {
    format!("<g:edge source='{from}' target='{to}'>{}</g:edge>", fields(data))
}

fn fields(data: &[(&str, &str)]) -> String {
    let field = |(key, value): &(&str, &str)| format!("<g:data key='k{key}'>{value}</g:data>");
    data.iter().map(field).collect()
}

fn link<'a>(imported: &'a Imported, id: &str) -> &'a str {
    let head = format!("  - {{id: {id}, ");
    let line = imported.yaml.lines().find(|line| line.starts_with(&head));
    line.unwrap_or_else(|| panic!("no link {id} in\n{}", imported.yaml))
}

#[test]
fn speeds_labels_and_places() {
    let rome = [("label", "Rome &amp; co"), ("Latitude", "41.9"), ("Longitude", "12.5")];
    let text = graph(
        &[
            node("0", &rome),
            node("1", &[("label", "None"), ("Internal", "0")]),
            node("2", &[("label", "None"), ("Latitude", "45.4"), ("Longitude", "9.2")]),
            edge("0", "1", &[("LinkSpeedRaw", "2500000000.0"), ("LinkLabel", "&lt; 2.5 Gbps")]),
            edge("0", "1", &[("LinkSpeed", "2.4"), ("LinkSpeedUnits", "G")]),
            edge("0", "2", &[("LinkLabel", "OC-3")]),
            edge("2", "0", &[]),
            edge("2", "2", &[]),
        ]
        .concat(),
    );
    let imported = import("topology-zoo", &input("Toy.graphml", text));
    assert_valid_ids(&imported);
    assert!(imported.yaml.contains("{id: Rome-co, label: \"Rome & co\", at: [41.9, 12.5]}"));
    assert!(imported.yaml.contains("{id: None-2, label: None, at: [45.4, 9.2]}"));
    assert!(link(&imported, "Rome-co--None").contains("capacity: 2500Mbps, weight: 1, delay: 1ms"));
    assert!(link(&imported, "Rome-co--None-2").contains("capacity: 2400Mbps"));
    for note in [
        "2 nodes share a label",
        "1 node outside the network (Internal=0) kept",
        "1 edge from a node to itself dropped",
        "1 link speed read from the label",
        "1 link with a bound instead of a speed",
        "1 link without a speed: 10Gbps assumed",
        "1 node has no coordinates",
        "2 links with neither delay nor known distance: 1 ms assumed",
        "2 links without delay: derived from the distance",
        "no demands",
    ] {
        has_note(&imported, note);
    }
}

#[test]
fn directed_edges_pair_up() {
    let nodes = [node("0", &[]), node("1", &[])].concat();
    let fast = [("LinkSpeedRaw", "2e9")];
    let edges = [edge("0", "1", &fast), edge("1", "0", &[("LinkSpeedRaw", "1e9")])].concat();
    let text = graph(&(nodes + &edges)).replace("undirected", "directed");
    let imported = import("topology-zoo", &input("d.graphml", text));
    assert!(imported.yaml.contains("capacity: {forward: 2Gbps, back: 1Gbps}"), "{}", imported.yaml);
}

#[test]
fn latin1_is_read_and_said() {
    let text = graph(&[node("0", &[("label", "Malm\u{1}")]), node("1", &[])].concat());
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == 1 { 0xf6 } else { byte }).collect();
    let imported = import("topology-zoo", &input("l.graphml", bytes));
    assert!(imported.yaml.contains("{id: Malmo, label: \"Malmö\"}"), "{}", imported.yaml);
    has_note(&imported, "l.graphml: encoding: invalid UTF-8 read as Latin-1");
}

#[test]
fn broken_graphs_are_refused() {
    let two = [node("0", &[]), node("0", &[])].concat();
    let text = graph(&(two + &edge("0", "7", &[]) + &edge("0", "", &[])));
    let problems = refused("topology-zoo", &input("b.graphml", text));
    assert_eq!(problems.iter().filter(|problem| problem.code == "E0253").count(), 3);
    let bad = [node("0", &[("Latitude", "north")]), node("1", &[])].concat();
    let bad = graph(&(bad + &edge("0", "1", &[("LinkSpeedRaw", "-1")])));
    assert_eq!(refused("topology-zoo", &input("b.graphml", bad)).len(), 2);
    let code = |text: &str| refused("topology-zoo", &input("b.graphml", text))[0].code;
    assert_eq!(code("<svg/>"), "E0251");
    assert_eq!(code("<graphml><graph/></graphml>"), "E0250");
    let with = with_demands(input("b.graphml", graph("")), "d", "x");
    assert_eq!(refused("topology-zoo", &with)[0].code, "E0256");
}
