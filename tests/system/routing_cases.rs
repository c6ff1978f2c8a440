//! Real and published cases of routing as scenarios: what was measured, what was published, what we
//! forecast.

use crate::support::folder::Folder;
use crate::support::program::{Finished, Program};
use crate::support::table::Table;
use crate::support::{data, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn scenario(relative: &str) -> PathBuf {
    root().join("scenarios").join(relative)
}

/// Plays a scenario and leaves its tables in `csv`.
fn play(folder: &Folder, scenario: &Path) -> Finished {
    let words = ["--out", "runs", "--csv", "csv", "--no-report", "--no-cache"];
    Program::new(folder.path()).args(["run"]).args([scenario]).args(words).exits(0)
}

/// Requests per second that land at each site in the last bucket, by arm.
fn landed_at_the_end(folder: &Folder) -> BTreeMap<String, BTreeMap<String, f64>> {
    let table = Table::read(&folder.join("csv/sites.csv"));
    let rows = table.select(["arm", "site"], ["time_s", "landed_requests_per_s"]);
    let rows: Vec<_> = rows.collect();
    let last = rows.iter().map(|(_, [time, _])| *time).fold(0.0, f64::max);
    let mut arms: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for ([arm, site], [time, landed]) in rows {
        if time == last {
            arms.entry(arm.to_owned()).or_default().insert(site.to_owned(), landed);
        }
    }
    arms
}

/// Directions of change, site by site: +1 up, -1 down, 0 unchanged.
fn directions(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> Vec<(String, i8)> {
    let sign = |site: &String| match after[site] - before[site] {
        change if change > 1e-6 => 1,
        change if change < -1e-6 => -1,
        _ => 0,
    };
    before.keys().map(|site| (site.clone(), sign(site))).collect()
}

/// Directions as published, from shares in percent: plain, one provider, all. The size of the
/// changes follows from weights of our own and is not compared.
#[test]
fn prepending_moves_every_site_the_published_way() {
    let folder = Folder::new("prepending");
    play(&folder, &scenario("prepending.yaml"));
    let arms = landed_at_the_end(&folder);
    let published: [(&str, [i32; 3]); 6] = [
        ("ams", [19, 21, 22]),
        ("tyo", [8, 9, 9]),
        ("sea", [10, 12, 12]),
        ("sao", [19, 16, 11]),
        ("del", [23, 19, 19]),
        ("mia", [18, 20, 24]),
    ];
    for (step, before, after) in [(0, "plain", "one-provider"), (1, "one-provider", "all")] {
        let seen: BTreeMap<String, i8> =
            directions(&arms[before], &arms[after]).into_iter().collect();
        for (site, shares) in published {
            let expected = (shares[step + 1] - shares[step]).signum();
            assert_eq!(i32::from(seen[site]), expected, "{site}, {before} to {after}: {arms:?}");
        }
    }
    // Bharti's customers stay with Delhi however long the path is.
    let groups = Table::read(&folder.join("csv/client_groups.csv"));
    let mumbai: Vec<&str> = groups
        .select(["client_group", "landing_site"], [])
        .filter_map(|([group, site], [])| (group == "mumbai").then_some(site))
        .collect();
    assert!(!mumbai.is_empty() && mumbai.iter().all(|site| *site == "del"), "{mumbai:?}");
}

/// Queries by country and site, and their round trips, of a recorded day.
struct Day {
    queries: BTreeMap<(String, String), Vec<f64>>,
    total: f64,
}

impl Day {
    fn read(path: &Path) -> Day {
        let text = std::fs::read_to_string(path).unwrap();
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        let mut queries: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for row in &rows {
            let word = |key: &str| row[key].as_str().unwrap().to_ascii_lowercase();
            let rtt = row["result"]["rt"].as_f64().unwrap();
            queries.entry((word("country_code"), word("dst_city"))).or_default().push(rtt);
        }
        Day { queries, total: rows.len() as f64 }
    }

    fn share(&self, wanted: impl Fn(&str, &str) -> bool) -> f64 {
        let rows = self.queries.iter().filter(|((country, site), _)| wanted(country, site));
        rows.map(|(_, rtts)| rtts.len() as f64).sum::<f64>() / self.total
    }

    /// Where most other queries of a country went; where there were none, where most of all did.
    fn second_choice(&self, country: &str) -> String {
        let most = |of: &dyn Fn(&str) -> bool| {
            let mut sites: BTreeMap<&str, usize> = BTreeMap::new();
            for ((who, site), rtts) in &self.queries {
                if of(who) && site != "jnb" {
                    *sites.entry(site).or_default() += rtts.len();
                }
            }
            sites.into_iter().max_by_key(|(_, count)| *count).map(|(site, _)| site.to_owned())
        };
        most(&|who| who == country).or_else(|| most(&|_| true)).unwrap()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn the_withdrawal_in_africa_is_forecast_as_it_is_stated() {
    let folder = Folder::new("anycast-africa");
    play(&folder, &scenario("anycast-africa/scenario.yaml"));
    let arms = landed_at_the_end(&folder);
    let share = |arm: &str, site: &str| arms[arm][site] / arms[arm].values().sum::<f64>();
    for (arm, site, stated) in [
        ("measured", "jnb", 0.65),
        ("measured", "lhr", 0.26),
        ("withdrawn", "jnb", 0.0),
        ("withdrawn", "lhr", 0.90),
    ] {
        assert!((share(arm, site) - stated).abs() < 0.006, "{arm} {site}: {}", share(arm, site));
    }
    for site in ["cdg", "fra", "sin", "ams", "ewr"] {
        assert!((share("measured", site) - share("withdrawn", site)).abs() < 1e-9, "{site} stays");
    }
    let totals = Table::read(&folder.join("csv/totals.csv"));
    let medians: Vec<(&str, f64)> = totals
        .select(["arm"], ["time_s", "latency_ms_p50"])
        .filter_map(|([arm], [time, p50])| (time == 6_900.0).then_some((arm, p50)))
        .collect();
    let [(_, before), (_, after)] = medians[..] else { panic!("{medians:?}") };
    assert!((before - 35.0).abs() < 2.0 && (after - 190.0).abs() < 3.0, "{medians:?}");

    let Some(file) = data("cloudflare-dns-catchment-2015/anycast.json") else { return };
    let day = Day::read(&file);
    // The scenario's weights are what was counted.
    let table = std::fs::read_to_string(scenario("anycast-africa/catchment.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().skip(3).map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.len(), day.queries.len());
    for row in &rows {
        let (country, site) = row[1].split_once('-').unwrap();
        let counted = 1_000.0 * day.share(|who, at| (who, at) == (country, site));
        let weight: f64 = row[3].parse().unwrap();
        assert!((counted - weight).abs() <= 0.5 && site == row[2], "{row:?}: {counted}");
    }
    // The forecast again, from the recording alone.
    let mut takes: BTreeMap<String, f64> = BTreeMap::new();
    let (mut was, mut will) = (Vec::new(), Vec::new());
    for ((country, site), rtts) in day.queries.iter().filter(|((_, site), _)| site == "jnb") {
        let next = day.second_choice(country);
        *takes.entry(next.clone()).or_default() += rtts.len() as f64 / day.total;
        was.extend(rtts);
        if let Some(there) = day.queries.get(&(country.clone(), next)) {
            will.extend(vec![median(there.clone()); rtts.len()]);
        }
        assert_eq!(site, "jnb");
    }
    assert_eq!(takes.keys().collect::<Vec<_>>(), ["lhr"]);
    assert!((takes["lhr"] - 0.65).abs() < 0.005);
    let (was, will) = (median(was), median(will));
    assert!((was - 35.0).abs() < 2.5 && (will - 190.0).abs() < 5.0, "{was} {will}");
    hold_out(&day);
}

/// The day after next, if anybody has it: says how the forecast did, and asserts nothing but that
/// it could be compared. It was never used to build the scenario.
fn hold_out(day: &Day) {
    let Some(file) = data("cloudflare-dns-catchment-2015/anycast-2.json") else { return };
    let later = Day::read(&file);
    assert_eq!(later.share(|_, site| site == "jnb"), 0.0);
    let london = |day: &Day| day.share(|_, site| site == "lhr" || site == "jnb");
    println!("London: forecast {:.3}, measured {:.3}", london(day), later.share(|_, s| s == "lhr"));
}

/// The recorded day itself drives a run: every AS lands where most of its queries went.
#[test]
fn a_recorded_day_is_played_as_it_was() {
    let Some(file) = data("cloudflare-dns-catchment-2015/anycast.json") else { return };
    let folder = Folder::new("recorded-day");
    let words = ["--from", "atlas-dns", "--out", "day.csv"];
    Program::new(folder.path()).args(["import", "catchment"]).args([&file]).args(words).exits(0);
    let table = Table::parse(
        &std::fs::read_to_string(folder.join("day.csv"))
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    );
    let mut seen: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for ([kind, id, site], [weight]) in table.select(["kind", "id", "site"], ["weight"]) {
        assert_eq!(kind, "as");
        *seen.entry(id.to_owned()).or_default().entry(site.to_owned()).or_default() += weight;
    }
    let sites: std::collections::BTreeSet<&String> =
        seen.values().flat_map(|row| row.keys()).collect();
    assert_eq!(sites.len(), 7, "{sites:?}");
    let mut text = String::from(
        "format: steerlab-scenario/1\nname: day\nseed: 1\nhorizon: 10min\nbucket: 1min\n\
         arms: [{id: now, policies: [static-anycast]}]\nprefixes: [{id: any}]\n\
         services: [{id: dns, response: 100B, protocol: udp}]\n\
         demands: [{id: d, clients: all, prefix: any, rate: 1krps}]\n\
         routing: {model: measured, catchment: day.csv}\nsites:\n",
    );
    for site in &sites {
        text.push_str(&format!("  - {{id: {site}, at: [0, 0]}}\n"));
    }
    text.push_str("client_groups:\n");
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    let mut all = 0.0;
    for (asn, row) in &seen {
        let weight: f64 = row.values().sum();
        text.push_str(&format!("  - {{id: as{asn}, asn: {asn}, at: [0, 0], weight: {weight}}}\n"));
        let most = row.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        *expected.entry(most.0.clone()).or_default() += weight;
        all += weight;
    }
    folder.write("day.yaml", text);
    play(&folder, &folder.join("day.yaml"));
    let landed = &landed_at_the_end(&folder)["now"];
    for (site, weight) in expected {
        assert!((landed[&site] - 1_000.0 * weight / all).abs() < 1e-6, "{site}: {landed:?}");
    }
}
