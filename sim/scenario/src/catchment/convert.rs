//! Catchments that others measured, as tables.
//!
//! `peering-json`: an object from AS number to site, or to a list of sites, as in the data of
//! Sermpezis et al., IFIP Networking 2021. ASes seen at several sites are left out, as a client has
//! one site.
//!
//! `atlas-dns`: a list of RIPE Atlas DNS results with the keys `asn_v4` and `dst_city` (the site
//! that answered) added. The site of an AS is the one that answered most of its queries, the first
//! in the alphabet of several; `rtt_ms` is the median of the answers from there (the lower of two).
//!
//! Limit: 64 MiB a file.

use super::read::is_id;
use super::{CatchmentClient, CatchmentKey, CatchmentRow, CatchmentTable};
use crate::import::common::draft::count_note;
use crate::import::common::problem::{E_NAME, E_NUMBER, E_SYNTAX, Problem, Problems, shown};
use crate::import::common::text::Text;
use crate::import::routes::parse_asn;
use crate::import::{Document, ImportError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A form in which catchments are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchmentSource {
    /// AS number to site.
    PeeringJson,
    /// RIPE Atlas DNS results.
    AtlasDns,
}

/// What the weight of an AS counts, where the source has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightBy {
    /// Answered queries.
    Queries,
    /// Probes.
    Probes,
}

/// A table made from a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The table.
    pub table: CatchmentTable,
    /// What was left out or assumed.
    pub notes: Vec<String>,
}

impl CatchmentSource {
    /// All names, in order.
    pub const NAMES: [&'static str; 2] = ["atlas-dns", "peering-json"];

    /// The source of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<CatchmentSource> {
        match name {
            "peering-json" => Some(CatchmentSource::PeeringJson),
            "atlas-dns" => Some(CatchmentSource::AtlasDns),
            _ => None,
        }
    }
}

/// Makes a table of ASes. The same input gives the same table.
///
/// # Errors
/// All problems that one pass could find.
pub fn convert_catchment(
    source: CatchmentSource,
    weight_by: WeightBy,
    document: &Document,
) -> Result<Converted, ImportError> {
    let text = Text::decode(&document.name, &document.bytes)?;
    let value: Value = serde_json::from_str(&text.text).map_err(|error| {
        let place = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        Problem::new(E_SYNTAX, &document.name, format!("not JSON: {error}"))
            .at((place(error.line()), place(error.column())))
            .why("the catchment is one JSON document")
            .help("fetch the file again")
    })?;
    let mut reader = Reader { file: &document.name, problems: Problems::default(), notes: vec![] };
    let rows = match source {
        CatchmentSource::PeeringJson => reader.peering(&value),
        CatchmentSource::AtlasDns => reader.atlas(&value, weight_by),
    };
    let Reader { problems, notes, .. } = reader;
    let rows = problems.finish(rows)?;
    let table = CatchmentTable::new(rows).expect("rows are made from a map of AS numbers");
    Ok(Converted { table, notes })
}

struct Reader<'a> {
    file: &'a str,
    problems: Problems,
    notes: Vec<String>,
}

fn row(asn: u32, site: &str) -> CatchmentRow {
    CatchmentRow {
        key: CatchmentKey { client: CatchmentClient::As(asn), prefix: None },
        site: site.to_owned(),
        weight: None,
        rtt_ms: None,
    }
}

impl Reader<'_> {
    fn problem(&mut self, code: &'static str, place: &str, what: &str, value: &Value) {
        let what = format!("{place}: {what}, not {}", shown(&value.to_string()));
        self.problems.push(
            Problem::new(code, self.file, what)
                .why("an AS at another site is another catchment")
                .help("check that --from names the form of this file"),
        );
    }

    fn site<'v>(&mut self, place: &str, value: &'v Value) -> Option<&'v str> {
        let site = value.as_str().filter(|site| is_id(site));
        if site.is_none() {
            self.problem(E_NAME, place, "a site is expected", value);
        }
        site
    }

    fn peering(&mut self, value: &Value) -> Vec<CatchmentRow> {
        let Some(map) = value.as_object() else {
            self.problem(E_SYNTAX, "the document", "an object is expected", value);
            return Vec::new();
        };
        let mut rows = Vec::new();
        let (mut several, mut none) = (0, 0);
        for (asn, sites) in map {
            let place = shown(asn);
            let Some(asn) = parse_asn(asn) else {
                self.problem(E_NUMBER, &place, "an AS number is expected", &Value::from(&**asn));
                continue;
            };
            let list = match sites {
                Value::Array(list) => list.as_slice(),
                one => std::slice::from_ref(one),
            };
            let found: Option<BTreeSet<&str>> =
                list.iter().map(|site| self.site(&place, site)).collect();
            let Some(found) = found else { continue };
            match found.len() {
                0 => none += 1,
                1 => rows.extend(found.first().map(|site| row(asn, site))),
                _ => several += 1,
            }
        }
        count_note(&mut self.notes, several, "[AS|ASes] seen at several sites: left out");
        count_note(&mut self.notes, none, "[AS|ASes] without a site: left out");
        rows
    }

    fn atlas(&mut self, value: &Value, weight_by: WeightBy) -> Vec<CatchmentRow> {
        let Some(results) = value.as_array() else {
            self.problem(E_SYNTAX, "the document", "a list is expected", value);
            return Vec::new();
        };
        let mut ases: BTreeMap<u32, Seen> = BTreeMap::new();
        let (mut unanswered, mut without_as) = (0, 0);
        for (index, result) in results.iter().enumerate() {
            let place = format!("result {}", index + 1);
            if !result.is_object() {
                self.problem(E_SYNTAX, &place, "an object is expected", result);
                continue;
            }
            if result["dst_city"].is_null() {
                unanswered += 1;
                continue;
            }
            if result["asn_v4"].is_null() {
                without_as += 1;
                continue;
            }
            let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
            let (asn, probe) = (number(&result["asn_v4"]), number(&result["prb_id"]));
            let site = self.site(&format!("{place}, dst_city"), &result["dst_city"]);
            let (Some(asn), Some(probe)) = (asn, probe) else {
                let what = "numbers `asn_v4` and `prb_id` are expected";
                self.problem(E_NUMBER, &place, what, &result["asn_v4"]);
                continue;
            };
            let Some(site) = site else { continue };
            let seen = ases.entry(asn).or_default();
            seen.probes.insert(probe);
            let rtts = seen.rtts_ms.entry(site.to_owned()).or_default();
            rtts.push(result["result"]["rt"].as_f64().filter(|rt| *rt >= 0.0));
        }
        count_note(&mut self.notes, unanswered, "[query|queries] without an answer: left out");
        count_note(&mut self.notes, without_as, "[query|queries] of probes without AS: left out");
        let (mut split, mut tied) = (0, 0);
        let rows = ases.iter().map(|(asn, seen)| {
            let most = seen.rtts_ms.values().map(Vec::len).max().unwrap_or(0);
            split += usize::from(seen.rtts_ms.len() > 1);
            tied +=
                usize::from(seen.rtts_ms.values().filter(|rtts| rtts.len() == most).count() > 1);
            seen.row(*asn, weight_by)
        });
        let rows = rows.collect();
        count_note(
            &mut self.notes,
            split,
            "[AS|ASes] seen at several sites: put at the most frequent",
        );
        count_note(
            &mut self.notes,
            tied,
            "of these [has|have] several most frequent: the first taken",
        );
        rows
    }
}

/// What the probes of an AS saw.
#[derive(Default)]
struct Seen {
    probes: BTreeSet<u32>,
    /// Round-trip time of each answer where it is known, by site.
    rtts_ms: BTreeMap<String, Vec<Option<f64>>>,
}

impl Seen {
    fn row(&self, asn: u32, weight_by: WeightBy) -> CatchmentRow {
        let mut best: (&str, &[Option<f64>]) = ("", &[]);
        for (site, rtts) in &self.rtts_ms {
            if rtts.len() > best.1.len() {
                best = (site, rtts);
            }
        }
        let mut known: Vec<f64> = best.1.iter().copied().flatten().collect();
        known.sort_by(f64::total_cmp);
        let queries: usize = self.rtts_ms.values().map(Vec::len).sum();
        let weight = match weight_by {
            WeightBy::Queries => queries,
            WeightBy::Probes => self.probes.len(),
        };
        let rtt_ms = known.get(known.len().saturating_sub(1) / 2).copied();
        CatchmentRow { weight: Some(weight as f64), rtt_ms, ..row(asn, best.0) }
    }
}
