//! Names and labels that try to be markup, scripts, commands or invisible.

use crate::fake::{Shape, USUAL, view};
use crate::markup::{assert_xml, tags};
use steerlab_report::{figures, html, junit, markdown, markdown_comparison};
use steerlab_results::view::{ColumnData, RunView};

const SMALL: Shape = Shape { arms: 2, replications: 2, buckets: 12, sites: 20, groups: 20 };

const PAYLOADS: [&str; 62] = [
    "</script><script>alert(1)</script>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "'><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<iframe src=javascript:alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<style>*{display:none}</style>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre></code><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "</text><script xlink:href=\"data:,alert(1)\"/>",
    "</desc></title><foreignObject><body onload=alert(1)>",
    "<!--",
    "-->",
    "<!-- --><script>alert(1)</script>",
    "<![CDATA[",
    "]]><script>alert(1)</script>",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3c;script&#x3e;",
    "&amp;&quot;&apos;",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "<math><mtext></mtext><script>alert(1)</script>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<object data=//evil.example>",
    "<form action=//evil.example><button>",
    "url(//evil.example/x)",
    "@import '//evil.example'",
    "expression(alert(1))",
    "\u{202e}gnp.exe",
    "\u{2066}isolate\u{2069}",
    "zero\u{200b}width\u{200d}joiner\u{feff}",
    "nul\u{0}byte",
    "escape\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]8;;http://evil.example\u{7}click\u{1b}]8;;\u{7}",
    "bell\u{7}back\u{8}space\u{7f}",
    "c1\u{85}next\u{9b}31m",
    "line\nbreak\r\nand\ttab",
    "\n::error::workflow command",
    "::set-output name=x::y",
    "para\u{2029}graph\u{2028}line",
    "tag\u{e0041}chars",
    "noncharacter\u{fffe}\u{ffff}\u{1fffe}",
    "pipe | pipe || `code` ```fence",
    "| a | b |\n|---|---|",
    "[link](http://evil.example) ![image](http://evil.example/x.png)",
    "<details open ontoggle=alert(1)>",
    "=HYPERLINK(\"http://evil.example\")",
    "+1+1 -1 @SUM(A1)",
    "https://evil.example @everyone #123",
];

/// Puts a payload wherever a person may write.
fn poison(payload: &str) -> RunView {
    let mut run = view(SMALL);
    let p = || payload.to_owned();
    let scenario = &mut run.scenario;
    scenario.name = p();
    scenario.label = p();
    scenario.description = format!("{payload}\n\n{payload}");
    scenario.assumptions = vec![p(), p()];
    scenario.start = p();
    for (index, site) in scenario.network.sites.rows_mut().iter_mut().enumerate() {
        site.id = format!("{payload}{index}");
        site.label = p();
    }
    for (index, link) in scenario.network.links.rows_mut().iter_mut().enumerate() {
        link.id = format!("{payload}{index}");
    }
    for (index, group) in scenario.client_groups.rows_mut().iter_mut().enumerate() {
        group.id = format!("{payload}{index}");
    }
    for table in &mut run.tables {
        for column in &mut table.columns {
            if let ColumnData::Text { dictionary, .. } = &mut column.data {
                let arms = column.name == "arm";
                for (index, word) in dictionary.iter_mut().enumerate() {
                    *word = match (arms, word.as_str()) {
                        (true, "do-nothing") => format!("{payload}0"),
                        (true, _) => format!("{payload}1"),
                        (false, "") => String::new(),
                        (false, _) => format!("{payload}{index}"),
                    };
                }
            }
        }
    }
    let summary = &mut run.summary;
    summary.scenario = p();
    summary.scenario_sha256 = p();
    for (index, arm) in summary.arms.iter_mut().enumerate() {
        arm.arm = format!("{payload}{index}");
        arm.label = p();
        arm.policies = vec![p()];
        for metric in &mut arm.metrics {
            metric.metric = p();
            metric.unit = p();
            metric.labels.iter_mut().for_each(|(key, value)| (*key, *value) = (p(), p()));
        }
    }
    for run in &mut summary.runs {
        (run.arm, run.fingerprint) = (p(), p());
    }
    for check in &mut summary.checks {
        check.text = p();
        check.arm = check.arm.as_ref().map(|_| p());
    }
    for row in &mut summary.comparison {
        (row.metric, row.unit) = (p(), p());
        (row.baseline, row.candidate) = (format!("{payload}0"), format!("{payload}1"));
        row.labels = vec![(p(), p())];
    }
    for warning in &mut summary.warnings {
        (warning.code, warning.message) = (p(), p());
    }
    let made = &mut run.manifest.provenance;
    (made.version, made.command, made.reproduce) = (p(), vec![p(), p()], p());
    for file in &mut run.manifest.files {
        (file.name, file.sha256) = (p(), p());
    }
    run
}

/// Whether a character acts instead of showing.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Elements that the page is made of.
const ELEMENTS: [&str; 51] = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "details",
    "summary",
    "ul",
    "ol",
    "li",
    "strong",
    "span",
    "br",
    "nav",
    "main",
    "section",
    "div",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "code",
    "pre",
    "dl",
    "dt",
    "dd",
    "figure",
    "figcaption",
    "footer",
    "svg",
    "desc",
    "path",
    "circle",
    "rect",
    "text",
    "use",
    "g",
    "em",
    "hr",
    "small",
];

/// Their attributes: none can run or load anything.
const ATTRIBUTES: [&str; 38] = [
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "href",
    "id",
    "aria-label",
    "aria-labelledby",
    "aria-hidden",
    "role",
    "tabindex",
    "open",
    "scope",
    "width",
    "height",
    "viewBox",
    "d",
    "cx",
    "cy",
    "r",
    "x",
    "y",
    "stroke-width",
    "opacity",
    "text-anchor",
    "font-size",
    "transform",
    "xmlns",
    "x1",
    "x2",
    "y1",
    "y2",
    "points",
    "colspan",
    "title",
    "dy",
];

#[test]
fn nothing_in_a_name_becomes_markup() {
    for payload in PAYLOADS {
        let run = poison(payload);
        let page = html(&run);
        for tag in tags(&page) {
            assert!(ELEMENTS.contains(&tag.name.as_str()), "{payload:?} made <{}>", tag.name);
            for name in tag.names() {
                assert!(ATTRIBUTES.contains(&name), "{payload:?} made an attribute {name}");
            }
            if let Some(target) = tag.attribute("href") {
                assert!(target.starts_with('#'), "{payload:?} leads to {target}");
            }
        }
        assert!(!page.contains(acts), "{payload:?} left a character that acts");
        // Outside of the style sheet nothing is loaded by styles either.
        assert!(!page.contains(" style=\""), "{payload:?}");
        // And the embedded scenario is still the same data.
        let read = crate::markup::embedded_scenario(&page);
        assert_eq!(read, run.scenario, "{payload:?}");
    }
}

#[test]
fn pictures_stay_well_formed_and_keep_apart() {
    for payload in PAYLOADS {
        let figures = figures(&poison(payload));
        let names: std::collections::BTreeSet<&str> =
            figures.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names.len(), figures.len(), "{payload:?}: two pictures of one name");
        for figure in &figures {
            assert_xml(&figure.svg);
            for tag in tags(&figure.svg) {
                assert!(ELEMENTS.contains(&tag.name.as_str()), "{payload:?} made <{}>", tag.name);
                assert!(tag.names().all(|name| ATTRIBUTES.contains(&name)), "{payload:?}");
            }
            assert!(!figure.svg.contains(acts));
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            assert!(!figure.name.is_empty() && figure.name.chars().all(fine), "{}", figure.name);
        }
    }
}

#[test]
fn junit_stays_well_formed() {
    for payload in PAYLOADS {
        let text = junit(&poison(payload));
        assert_xml(&text);
        assert!(text.matches("<testcase ").count() == 3 && !text.contains(acts), "{payload:?}");
    }
}

#[test]
fn markdown_keeps_its_tables_and_says_no_commands() {
    let plain = markdown(&poison("plain"));
    for payload in PAYLOADS {
        let run = poison(payload);
        for text in [markdown(&run), markdown_comparison(&run.summary.comparison)] {
            assert!(!text.contains(acts), "{payload:?}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{payload:?}");
            let without_ours = text
                .replace("<details><summary>All metrics</summary>", "")
                .replace("</details>", "");
            let outside_code: String = without_ours.split('`').step_by(2).collect();
            assert!(!outside_code.contains('<'), "{payload:?} left markup");
            assert!(!outside_code.contains("](") && !outside_code.contains("@"), "{payload:?}");
        }
        assert_eq!(markdown(&run).lines().count(), plain.lines().count(), "{payload:?}");
        let pipes = |text: &str| text.matches('|').count();
        assert_eq!(pipes(&markdown(&run)), pipes(&plain), "{payload:?} broke a table");
    }
}

#[test]
fn the_page_forbids_what_it_does_not_need() {
    let page = html(&view(USUAL));
    let policy = "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                  base-uri 'none'; form-action 'none'\"";
    assert!(page.contains(policy));
    assert!(!page.contains("http://") && !page.contains("https://"), "an address");
    assert!(!page.contains("<script"));
}
