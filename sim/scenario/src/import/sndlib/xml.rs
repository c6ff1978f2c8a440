//! The XML format, for networks and for the matrices of dynamic series.

use super::super::common::problem::{E_SYNTAX, Problem, shown};
use super::super::common::text::Text;
use super::super::common::xml::{self, Element};
use super::{Content, DemandRow, LinkRow, NodeRow};

/// Parses a document.
pub(super) fn parse(text: &Text<'_>) -> Result<Content, Problem> {
    let root = xml::parse(text)?;
    if root.name != "network" {
        let what = format!("the root element is {}, not 'network'", shown(&root.name));
        return Err(text
            .problem(E_SYNTAX, root.offset, what)
            .why("an SNDlib network or matrix is one element 'network'")
            .help("check that the file is the one you meant"));
    }
    let mut content = Content::default();
    if let Some(meta) = root.child("meta") {
        let value = |name: &str| meta.child_text(name).map(str::to_owned);
        content.unit = value("unit");
        content.granularity = value("granularity");
        content.time = value("time");
        content.origin = value("origin");
    }
    let structure = root.child("networkStructure");
    if let Some(nodes) = structure.and_then(|structure| structure.child("nodes")) {
        content.pixels = nodes.attribute("coordinatesType").is_some_and(|kind| kind == "pixel");
        for element in nodes.children("node") {
            content.nodes.push(node(text, element)?);
        }
    }
    if let Some(links) = structure.and_then(|structure| structure.child("links")) {
        for element in links.children("link") {
            content.links.push(link(text, element)?);
        }
    }
    if let Some(demands) = root.child("demands") {
        for element in demands.children("demand") {
            content.has_paths |= element.child("admissiblePaths").is_some();
            content.demands.push(demand(text, element)?);
        }
    }
    Ok(content)
}

fn missing(text: &Text<'_>, element: &Element, what: &str) -> Problem {
    text.problem(E_SYNTAX, element.offset, format!("element '{}' has no {what}", element.name))
        .why("without it the element means nothing")
        .help("add it, or remove the element")
}

fn id(text: &Text<'_>, element: &Element) -> Result<String, Problem> {
    element
        .attribute("id")
        .map(str::to_owned)
        .ok_or_else(|| missing(text, element, "attribute 'id'"))
}

fn ends(text: &Text<'_>, element: &Element) -> Result<[String; 2], Problem> {
    let end = |name: &str| {
        let end = element.child_text(name).map(str::to_owned);
        end.ok_or_else(|| missing(text, element, &format!("element '{name}'")))
    };
    Ok([end("source")?, end("target")?])
}

fn node(text: &Text<'_>, element: &Element) -> Result<NodeRow, Problem> {
    let xy = element.child("coordinates").and_then(|coordinates| {
        let part = |name: &str| coordinates.child_text(name).map(str::to_owned);
        Some([part("x")?, part("y")?])
    });
    Ok(NodeRow { id: id(text, element)?, xy, offset: element.offset })
}

fn link(text: &Text<'_>, element: &Element) -> Result<LinkRow, Problem> {
    let capacity = |module: &Element| module.child_text("capacity").map(str::to_owned);
    let installed = element.child("preInstalledModule").and_then(capacity);
    let modules = element
        .child("additionalModules")
        .into_iter()
        .flat_map(|modules| modules.children("addModule"))
        .filter_map(capacity)
        .collect();
    let (id, ends) = (id(text, element)?, ends(text, element)?);
    Ok(LinkRow { id, ends, installed, modules, offset: element.offset })
}

fn demand(text: &Text<'_>, element: &Element) -> Result<DemandRow, Problem> {
    let value = element.child_text("demandValue").map(str::to_owned);
    Ok(DemandRow {
        ends: ends(text, element)?,
        routing_unit: element.child_text("routingUnit").map(str::to_owned),
        value: value.ok_or_else(|| missing(text, element, "element 'demandValue'"))?,
        bounded: element.child_text("maxPathLength").is_some_and(|length| length != "UNLIMITED"),
        offset: element.offset,
    })
}
