//! How well a modelled table agrees with a measured one.

use super::{CatchmentKey, CatchmentRow, CatchmentTable};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Format and version of a comparison as JSON.
pub const COMPARISON_FORMAT: &str = "steerlab-catchment-comparison/1";

/// Quantile of the normal distribution for intervals of 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// Which table the weights were taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightsOf {
    /// The measured one.
    Measured,
    /// The modelled one: the measured one has none.
    Modelled,
    /// Neither has any: every row weighs 1.
    Neither,
}

/// Agreement over some rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Clients that both tables have.
    pub rows_both: u64,
    /// Those with the same site in both.
    pub rows_agreeing: u64,
    /// Their share; none if there is no client in both.
    pub agreement_ratio: Option<f64>,
    /// Lower end of the Wilson score interval of the share, 95 % (Wilson, JASA 22, 1927).
    pub agreement_ratio_low: Option<f64>,
    /// Upper end.
    pub agreement_ratio_high: Option<f64>,
    /// Weight of the clients that both tables have.
    pub weight_both: f64,
    /// Weight of those with the same site in both.
    pub weight_agreeing: f64,
    /// Its share; none if the weight of both is 0.
    pub agreement_weight_ratio: Option<f64>,
    /// Clients that only the modelled table has.
    pub rows_only_modelled: u64,
    /// Their weight there.
    pub weight_only_modelled: f64,
    /// Clients that only the measured table has.
    pub rows_only_measured: u64,
    /// Their weight there.
    pub weight_only_measured: f64,
}

/// Agreement over the rows of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindAgreement {
    /// `client-group`, `prefix` or `as`.
    pub kind: &'static str,
    /// How well it agrees.
    #[serde(flatten)]
    pub agreement: Agreement,
}

/// A cell of the matrix of sites: clients that the model puts here and the measurement there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// Site in the modelled table.
    pub modelled: String,
    /// Site in the measured table.
    pub measured: String,
    /// Clients.
    pub rows: u64,
    /// Their weight.
    pub weight: f64,
}

/// A client for which the tables name different sites.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disagreement {
    /// `client-group`, `prefix` or `as`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// The announced prefix, if prefixes were compared and the rows name one.
    pub prefix: Option<String>,
    /// Site in the modelled table.
    pub modelled: String,
    /// Site in the measured table.
    pub measured: String,
    /// Its weight.
    pub weight: f64,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CatchmentComparison {
    /// [`COMPARISON_FORMAT`].
    pub format: &'static str,
    /// Where the weights of clients in both tables come from.
    pub weights_of: WeightsOf,
    /// Whether rows had to name the same announced prefix to be compared. They need not where one
    /// table names none at all and the other names one only.
    pub prefixes_compared: bool,
    /// Agreement over all rows.
    pub overall: Agreement,
    /// The same by kind of client, in the order client-group, prefix, as; only those there are.
    pub by_kind: Vec<KindAgreement>,
    /// Sites against sites, ascending; the agreeing cells are those with the same site twice.
    pub confusion: Vec<Confusion>,
    /// Who disagrees: by falling weight, then in order of the clients.
    pub disagreements: Vec<Disagreement>,
}

/// Compares two tables client by client.
#[must_use]
pub fn compare_catchments(
    modelled: &CatchmentTable,
    measured: &CatchmentTable,
) -> CatchmentComparison {
    let weighted = |table: &CatchmentTable| table.rows.iter().any(|row| row.weight.is_some());
    let weights_of = match (weighted(measured), weighted(modelled)) {
        (true, _) => WeightsOf::Measured,
        (false, true) => WeightsOf::Modelled,
        (false, false) => WeightsOf::Neither,
    };
    let prefixes_compared = must_name_same_prefix(modelled, measured);
    let index = |table: &'_ CatchmentTable| -> BTreeMap<CatchmentKey, CatchmentRow> {
        let key = |row: &CatchmentRow| CatchmentKey {
            client: row.key.client.clone(),
            prefix: row.key.prefix.clone().filter(|_| prefixes_compared),
        };
        table.rows.iter().map(|row| (key(row), row.clone())).collect()
    };
    let (modelled, measured) = (index(modelled), index(measured));
    let mut tally = Tally::default();
    for (key, model) in &modelled {
        match measured.get(key) {
            None => tally.only(key, model, true),
            Some(seen) => {
                let from = if weights_of == WeightsOf::Modelled { model } else { seen };
                tally.both(key, model, seen, from.weight());
            }
        }
    }
    for (key, row) in measured.iter().filter(|(key, _)| !modelled.contains_key(key)) {
        tally.only(key, row, false);
    }
    tally.finish(weights_of, prefixes_compared)
}

/// Not where one table names no announced prefix at all and the other names one only.
fn must_name_same_prefix(a: &CatchmentTable, b: &CatchmentTable) -> bool {
    let named = |table: &CatchmentTable| -> BTreeSet<Option<String>> {
        table.rows.iter().map(|row| row.key.prefix.clone()).collect()
    };
    let (a, b) = (named(a), named(b));
    let none = BTreeSet::from([None]);
    !(a == none && b.len() <= 1 || b == none && a.len() <= 1)
}

/// Agreement of all rows and of each kind, by the kind's place in the order.
#[derive(Default)]
struct Tally {
    overall: Agreement,
    by_kind: BTreeMap<(u8, &'static str), Agreement>,
    confusion: BTreeMap<(String, String), (u64, f64)>,
    disagreements: Vec<Disagreement>,
}

impl Tally {
    fn each(&mut self, key: &CatchmentKey, add: impl Fn(&mut Agreement)) {
        let kind = key.client.kind();
        let place = match kind {
            "client-group" => 0,
            "prefix" => 1,
            _ => 2,
        };
        add(&mut self.overall);
        add(self.by_kind.entry((place, kind)).or_default());
    }

    fn only(&mut self, key: &CatchmentKey, row: &CatchmentRow, modelled: bool) {
        let weight = row.weight();
        self.each(key, |agreement| {
            let (rows, total) = match modelled {
                true => (&mut agreement.rows_only_modelled, &mut agreement.weight_only_modelled),
                false => (&mut agreement.rows_only_measured, &mut agreement.weight_only_measured),
            };
            *rows += 1;
            *total += weight;
        });
    }

    fn both(&mut self, key: &CatchmentKey, model: &CatchmentRow, seen: &CatchmentRow, weight: f64) {
        let agree = model.site == seen.site;
        self.each(key, |agreement| {
            agreement.rows_both += 1;
            agreement.weight_both += weight;
            if agree {
                agreement.rows_agreeing += 1;
                agreement.weight_agreeing += weight;
            }
        });
        let sites = (model.site.clone(), seen.site.clone());
        let cell = self.confusion.entry(sites).or_default();
        *cell = (cell.0 + 1, cell.1 + weight);
        if !agree {
            self.disagreements.push(Disagreement {
                kind: key.client.kind(),
                id: key.client.to_string(),
                prefix: key.prefix.clone(),
                modelled: model.site.clone(),
                measured: seen.site.clone(),
                weight,
            });
        }
    }

    fn finish(mut self, weights_of: WeightsOf, prefixes_compared: bool) -> CatchmentComparison {
        // Stable: clients of the same weight stay in their order.
        self.disagreements.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let cell =
            |((modelled, measured), (rows, weight))| Confusion { modelled, measured, rows, weight };
        let kind = |((_, kind), agreement): ((u8, _), Agreement)| KindAgreement {
            kind,
            agreement: agreement.judged(),
        };
        CatchmentComparison {
            format: COMPARISON_FORMAT,
            weights_of,
            prefixes_compared,
            overall: self.overall.judged(),
            by_kind: self.by_kind.into_iter().map(kind).collect(),
            confusion: self.confusion.into_iter().map(cell).collect(),
            disagreements: self.disagreements,
        }
    }
}

impl Agreement {
    /// The same with its shares.
    fn judged(mut self) -> Agreement {
        if self.rows_both > 0 {
            let (low, high) = wilson(self.rows_agreeing, self.rows_both);
            self.agreement_ratio = Some(self.rows_agreeing as f64 / self.rows_both as f64);
            (self.agreement_ratio_low, self.agreement_ratio_high) = (Some(low), Some(high));
        }
        if self.weight_both > 0.0 {
            self.agreement_weight_ratio = Some(self.weight_agreeing / self.weight_both);
        }
        self
    }
}

/// Wilson score interval of a share, 95 %.
fn wilson(agreeing: u64, all: u64) -> (f64, f64) {
    let (share, n, z2) = (agreeing as f64 / all as f64, all as f64, Z_95 * Z_95);
    let middle = share + z2 / (2.0 * n);
    let half = Z_95 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // The ends are 0 and 1 exactly where none and all agree; rounding must not pass them.
    let low = if agreeing == 0 { 0.0 } else { ((middle - half) / scale).max(0.0) };
    let high = if agreeing == all { 1.0 } else { ((middle + half) / scale).min(1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn intervals_of_known_shares() {
        // Computed apart with 50 digits from the formula in Wilson 1927.
        for (agreeing, all, low, high) in [
            (0, 10, 0.0, 0.277_532_799_862_889_27),
            (10, 10, 0.722_467_200_137_110_7, 1.0),
            (8, 10, 0.490_162_471_536_641_7, 0.943_317_848_545_624_7),
            (618, 1000, 0.587_488_340_362_935_1, 0.647_608_544_634_473_9),
        ] {
            let found = wilson(agreeing, all);
            assert!((found.0 - low).abs() < 1e-12, "{agreeing}/{all}: {found:?}");
            assert!((found.1 - high).abs() < 1e-12, "{agreeing}/{all}: {found:?}");
        }
    }
}
