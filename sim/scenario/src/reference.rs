//! The reference page of the language, made from the table.

use crate::codes::codes;
use crate::limits;
use crate::shape::param_kind;
use crate::table::{Key, Kind, Mapping, Need, mappings};
use std::fmt::Write as _;
use steerlab_engine::steer::PolicyRegistry;

const HEAD: &str = "\
# Scenario reference

One page, made from the same table that checks scenarios. `steerlab schema` prints it as JSON
Schema for editors.

## Values

| kind | written as |
|---|---|
| bandwidth | `100Gbps`, `2.5Gbps`, `800kbps`: bits per second, k = 1000; the unit is required |
| size | `50kB`, `1.5MB` (k = 1000), `4KiB` (Ki = 1024) |
| span | `5ms`, `20s`, `90m` or `90min`, `1h30m`, `7d` |
| instant | time since the start (`90m`); with `start:` also a clock time (`16:27`, in the offset of the start, next day if earlier than it) or a date (`2025-08-21T16:27:00Z`) |
| time of day | `06:30` |
| ratio | `0.9` or `90%` |
| request rate | `120krps`, `500rps` |
| coordinates | `[52.37, 4.90]`: latitude, longitude |
| id | letters, digits, `.`, `_`, `-`; at most 128 bytes |

Unknown keys, duplicate keys, tags, tabs as indentation, `NaN`, `1_000`, `010` and numbers without
their unit are refused. What a value means follows from its key, so `NO` can be an id.

A check is `metric{label=value} < number`, or compares two metrics. Comparisons: `<`, `<=`, `>`,
`>=`, `==`. Numbers take `%` or the metric's unit. Labels: `arm`, and those of the metric.

## Mappings
";

/// The reference page as Markdown, with the policies of a registry.
#[must_use]
pub fn reference_markdown(registry: &dyn PolicyRegistry) -> String {
    let mut page = String::from(HEAD);
    for mapping in mappings() {
        section(&mut page, mapping);
    }
    page.push_str("\n## Policies\n");
    if registry.descriptors().is_empty() {
        page.push_str("\n`steerlab list policies` shows them with their parameters.\n");
    }
    for descriptor in registry.descriptors() {
        let _ = write!(page, "\n### `{}`\n\n{}", descriptor.name, descriptor.summary);
        if !descriptor.source.is_empty() {
            let _ = write!(page, " Source: {}.", descriptor.source.trim_end_matches('.'));
        }
        let period = crate::shape::span_words(descriptor.default_period);
        let _ = write!(
            page,
            "\n\n| parameter | value | default | meaning |\n|---|---|---|---|\n\
             | `period` | span | `{period}` | Time between decisions. |\n"
        );
        for param in descriptor.params {
            let default = param.default.map_or("required".into(), |text| format!("`{text}`"));
            let kind = words(&param_kind(&param.kind));
            let _ =
                writeln!(page, "| `{}` | {kind} | {default} | {} |", param.name, cell(param.doc));
        }
    }
    page.push_str("\n## Limits\n\n| what | limit |\n|---|---|\n");
    for limit in limits::TABLE {
        let _ = writeln!(page, "| {} | {} |", limit.what, limit.value);
    }
    page.push_str(
        "\n## Diagnostics\n\n`steerlab explain CODE` shows an example and its repair.\n\n",
    );
    page.push_str("| code | what |\n|---|---|\n");
    for (code, title) in codes() {
        let _ = writeln!(page, "| {code} | {} |", cell(title));
    }
    page
}

fn section(page: &mut String, mapping: &Mapping) {
    let _ = write!(
        page,
        "\n### {}\n\n{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
        mapping.name, mapping.doc
    );
    for key in mapping.keys {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            key.name,
            cell(&words(&key.kind)),
            default(key),
            cell(key.doc)
        );
    }
}

fn default(key: &Key) -> String {
    match key.need {
        Need::Required => "required".into(),
        Need::Optional => "".into(),
        Need::Default("") => "empty".into(),
        Need::Default(text) => format!("`{text}`"),
        Need::OneOf => "one of".into(),
    }
}

/// Text inside a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn section_link(mapping: &Mapping) -> String {
    format!("[{0}](#{0})", mapping.name)
}

fn words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Id => "id".into(),
        Kind::Ref(entity) => format!("{} id", entity.name()),
        Kind::Flag => "`true`, `false`".into(),
        Kind::Count { min, max } => format!("whole number, {min} to {max}"),
        Kind::Number { min, max } => format!("number, {min} to {max}"),
        Kind::Ratio { min, max } => format!("ratio, {min} to {max}"),
        Kind::Span { min, max } => {
            let words = |nanos| crate::shape::span_words(steerlab_engine::kernel::SimSpan(nanos));
            format!("span, {} to {}", words(*min), words(*max))
        }
        Kind::TimeOfDay => "time of day".into(),
        Kind::Moment => "instant".into(),
        Kind::DateTime => "date and time".into(),
        Kind::Bandwidth { .. } => "bandwidth".into(),
        Kind::Bytes => "size".into(),
        Kind::RequestRate => "request rate".into(),
        Kind::Point => "coordinates".into(),
        Kind::Choice(choices) => {
            choices.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Path => "file".into(),
        Kind::Check => "check".into(),
        Kind::Metric => "metric".into(),
        Kind::Policy => "policy".into(),
        Kind::Balancer => "balancer".into(),
        Kind::Word(word, inner) => format!("`{word}` or {}", words(inner)),
        Kind::Either(inner, mapping) => format!("{} or {}", words(inner), section_link(mapping)),
        Kind::List { item, .. } => format!("list of {}", words(item)),
        Kind::Dict { of, value } => format!("{} id: {}", of.name(), words(value)),
        Kind::Map(mapping) => section_link(mapping),
        Kind::Forms(forms) => {
            let links: Vec<_> = forms.iter().map(|form| section_link(form.mapping)).collect();
            links.join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vocabulary;

    #[test]
    fn the_page_names_everything() {
        let page = reference_markdown(vocabulary().registry);
        for mapping in mappings() {
            assert!(page.contains(&format!("\n### {}\n", mapping.name)), "{}", mapping.name);
        }
        for (code, _) in codes() {
            assert!(page.contains(code), "{code}");
        }
        assert!(page.contains("| `high` | ratio, 0.1 to 2 | `0.95` |"), "{page}");
        assert!(page.lines().all(|line| line.len() < 700));
    }
}
