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
    // Singapore answered no AS most of the time.
    assert_eq!(sites.len(), 6, "{sites:?}");
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

/// The real graph: CAIDA's AS relationships of 2019-12-01.
const GRAPH: &str = "asrel/caida-20191201.as-rel2.txt.bz2";

/// Neighbours of a real anycast network by place.
const NEIGHBOURS: &str = "vultr-pops/vultr-pop-asn-type-2023-09.csv";

/// Five of its places.
const PLACES: [(&str, &str); 5] = [
    ("amsterdam", "[52.37, 4.90]"),
    ("newyork", "[40.71, -74.01]"),
    ("tokyo", "[35.68, 139.69]"),
    ("saopaulo", "[-23.55, -46.63]"),
    ("singapore", "[1.35, 103.82]"),
];

/// Large access networks.
const EYEBALLS: [u32; 19] = [
    701, 2516, 2856, 3215, 3269, 3320, 4134, 4713, 4766, 4837, 5089, 6830, 7018, 7922, 9121, 9498,
    12_322, 12_389, 17_676,
];

/// Networks that validated origins by then, most of them very large.
const VALIDATORS: [u32; 8] = [174, 1299, 2914, 3257, 3356, 6453, 6939, 7018];

/// Every 200th AS of the graph, by the program's own table of routes.
fn sample_of_ases(folder: &Folder, graph: &Path) -> Vec<u32> {
    let words = ["--origins", "3356", "--out", "routes.csv"];
    Program::new(folder.path()).args(["routes"]).args([graph]).args(words).exits(0);
    let table = std::fs::read_to_string(folder.join("routes.csv")).unwrap();
    let asns = table.lines().skip(1).map(|row| row.split(',').next().unwrap().parse().unwrap());
    asns.step_by(200).collect()
}

/// A scenario on the Internet of a month: our sites with real providers, users in real networks, a
/// bad day. Who parts, leaks and hijacks is made up.
fn internet_scenario(neighbours: &str, asns: &[u32], validates: bool) -> String {
    let mut links = String::new();
    let mut providers = std::collections::BTreeSet::new();
    let mut text = String::from(
        "format: steerlab-scenario/1\nname: month\nseed: 1\nhorizon: 70min\nbucket: 5min\n\
         client_bucket: 5min\nprefixes: [{id: any}]\nservices: [{id: web, response: 10kB}]\n\
         demands: [{id: d, clients: all, prefix: any, rate: 100krps}]\nsites:\n",
    );
    for (place, at) in PLACES {
        text.push_str(&format!("  - {{id: {place}, at: {at}}}\n"));
        let rows = neighbours.lines().filter_map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            (cells[0] == place && cells[2] == "provider").then(|| cells[1].to_owned())
        });
        for asn in rows.take(6) {
            links.push_str(&format!(
                "  - {{id: {place}-{asn}, ends: [{place}, as{asn}], capacity: 1Tbps, delay: 1ms}}\n"
            ));
            providers.insert(asn);
        }
    }
    text.push_str("neighbours:\n");
    for asn in &providers {
        text.push_str(&format!("  - {{id: as{asn}, asn: {asn}, kind: transit}}\n"));
    }
    text.push_str(&format!("links:\n{links}client_groups:\n"));
    let asns: std::collections::BTreeSet<u32> = asns.iter().copied().chain(EYEBALLS).collect();
    for asn in asns {
        let weight = if EYEBALLS.contains(&asn) { 10 } else { 1 };
        text.push_str(&format!("  - {{id: in-{asn}, asn: {asn}, weight: {weight}}}\n"));
    }
    text.push_str(
        "routing:\n  model: bgp\n  asn: 64500\n  as_graph: graph.as-rel2.txt.bz2\n  \
         bgp_convergence: {min: 5s, mean: 20s, max: 2min}\n",
    );
    if validates {
        let rows = VALIDATORS.map(|asn| format!("{{asn: {asn}}}")).join(", ");
        text.push_str(&format!("  roas: [{{prefix: any, asn: 64500}}]\n  validators: [{rows}]\n"));
    }
    text.push_str(
        "events:\n  \
         - depeer: {between: [174, 7018], at: 10min, until: 20min}\n  \
         - depeer: {between: [7738, 26615], at: 10min, until: 20min}\n  \
         - leak: {asn: 43996, at: 25min, until: 35min}\n  \
         - hijack: {asn: 12389, prefix: any, at: 40min, until: 50min}\n\
         arms:\n  - {id: still, policies: [static-anycast]}\n  - id: withdrawn\n    policies:\n      \
         - scripted: {steps: [{at: 55min, withdraw: {prefix: any, site: amsterdam}}]}\n",
    );
    text
}

/// Landing sites by group, at the end of a client bucket.
fn landings(folder: &Folder, arm: &str, bucket_s: f64) -> BTreeMap<String, String> {
    let table = Table::read(&folder.join("csv/client_groups.csv"));
    let rows = table.select(["arm", "client_group", "landing_site"], ["time_s"]);
    rows.filter(|([of, ..], [time])| *of == arm && *time == bucket_s)
        .map(|([_, group, site], _)| (group.to_owned(), site.to_owned()))
        .collect()
}

fn assert_nothing_is_made_or_lost(folder: &Folder) {
    let totals = Table::read(&folder.join("csv/totals.csv"));
    let columns = ["offered_bps", "served_bps", "dropped_bps", "queue_growth_bps"];
    let mut rows = 0;
    for ([arm], [offered, served, dropped, queued]) in totals.select(["arm"], columns) {
        assert!((offered - served - dropped - queued).abs() < 1e-9 * offered, "{arm}");
        rows += 1;
    }
    assert_eq!(rows, 28);
}

fn lost_to_hijack(folder: &Folder) -> f64 {
    let totals = Table::read(&folder.join("csv/totals.csv"));
    totals
        .select(["arm"], ["dropped_bps_hijacked"])
        .filter_map(|([arm], [bps])| (arm == "still").then_some(bps))
        .sum()
}

#[test]
fn a_bad_day_on_the_internet_of_a_month() {
    let (Some(graph), Some(neighbours)) = (data(GRAPH), data(NEIGHBOURS)) else { return };
    let folder = Folder::new("internet-month");
    folder.write("graph.as-rel2.txt.bz2", std::fs::read(&graph).unwrap());
    let neighbours = std::fs::read_to_string(neighbours).unwrap();
    let asns = sample_of_ases(&folder, &graph);
    let mut lost = Vec::new();
    for validates in [false, true] {
        folder.write("month.yaml", internet_scenario(&neighbours, &asns, validates));
        let begin = std::time::Instant::now();
        play(&folder, &folder.join("month.yaml"));
        println!(
            "{} groups, 2 arms, 10 changes of routing: {:.1} s in all, {}",
            landings(&folder, "still", 0.0).len(),
            begin.elapsed().as_secs_f64(),
            if cfg!(debug_assertions) { "debug build" } else { "release build" },
        );
        assert_nothing_is_made_or_lost(&folder);
        let normal = landings(&folder, "still", 0.0);
        assert!(normal.len() > 300 && normal.values().all(|site| !site.is_empty()));
        let used: std::collections::BTreeSet<&String> = normal.values().collect();
        assert!(used.len() >= 4, "{used:?}");
        // Whatever went wrong is over, and everybody is back.
        assert_eq!(landings(&folder, "still", 3_900.0), normal);
        let without = landings(&folder, "withdrawn", 3_900.0);
        assert!(without.values().all(|site| !site.is_empty() && site != "amsterdam"));
        let stay =
            |(group, site): (&String, &String)| site == "amsterdam" || without[group] == *site;
        let (kept, all) = (normal.iter().filter(|row| stay(*row)).count(), normal.len());
        assert_eq!(kept, all, "only users of the withdrawn site move");
        let changed = |bucket: f64| {
            let during = landings(&folder, "still", bucket);
            during.iter().filter(|(group, site)| normal[*group] != **site).count()
        };
        let moved = [900.0, 1_800.0, 2_700.0].map(changed);
        println!("moved by the de-peerings, the leak, the hijack: {moved:?}");
        assert!(moved[1..].iter().all(|&count| count > 0 && count < all), "{moved:?}");
        lost.push(lost_to_hijack(&folder));
    }
    println!("lost to the hijack: {lost:?} bit/s, without and with validation");
    assert!(lost[0] > 0.0 && lost[1] < lost[0], "{lost:?}");
    explain_agrees(&folder);
    parted(&folder);
}

/// Two networks without a session are not neighbours on any path.
fn parted(folder: &Folder) {
    for (at, together) in [("9min", true), ("19min", false), ("24min", true)] {
        let words = ["explain", "route", "month.yaml", "--client", "in-701", "--at", at];
        let told = Program::new(folder.path()).args(words).exits(0).stdout;
        let path = told.lines().find(|line| line.starts_with("AS path:")).unwrap();
        assert_eq!(path.contains("AS7738 AS26615"), together, "{at}: {path}");
    }
}

/// What `explain route` says is where the run put the group.
fn explain_agrees(folder: &Folder) {
    for (bucket_s, at) in [(0.0, "4min"), (1_800.0, "34min59s"), (2_700.0, "49min59s")] {
        let seen = landings(folder, "still", bucket_s);
        for asn in [701, 4134, 12_389] {
            let group = format!("in-{asn}");
            let words = ["explain", "route", "month.yaml", "--client", &group, "--at", at];
            let told = Program::new(folder.path()).args(words).exits(0).stdout;
            let says = match seen[&group].as_str() {
                "" => format!("{group} is lost (hijacked)"),
                site => format!("{group} lands at {site} over as"),
            };
            assert!(told.starts_with(&says), "{says}: {told}");
            assert!(told.contains(&format!("AS path: AS{asn}")), "{told}");
        }
    }
}

/// A table exported at an instant of a run puts as much weight at every site as the run lands there.
#[test]
fn an_exported_catchment_is_the_one_that_the_run_has() {
    let folder = Folder::new("exported-catchment");
    let scenario = scenario("prepending.yaml");
    play(&folder, &scenario);
    let landed = landed_at_the_end(&folder);
    for arm in ["plain", "all"] {
        let words = ["--arm", arm, "--at", "29min", "--out", "table.csv"];
        Program::new(folder.path())
            .args(["export-catchment"])
            .args([&scenario])
            .args(words)
            .exits(0);
        let text = std::fs::read_to_string(folder.join("table.csv")).unwrap();
        let rows: String = text
            .lines()
            .filter(|row| !row.starts_with('#'))
            .map(|row| format!("{row}\n"))
            .collect();
        let table = Table::parse(&rows);
        let mut weights: BTreeMap<String, f64> = BTreeMap::new();
        for ([kind, prefix, site], [weight]) in table.select(["kind", "prefix", "site"], ["weight"])
        {
            assert_eq!((kind, prefix), ("client-group", "anycast"));
            *weights.entry(site.to_owned()).or_default() += weight;
        }
        let all: f64 = weights.values().sum();
        for (site, landed) in &landed[arm] {
            let share = weights.get(site).copied().unwrap_or(0.0) / all;
            assert!((landed / 15_000.0 - share).abs() < 1e-9, "{arm}, {site}: {landed} {share}");
        }
        // It can be compared, here with itself.
        let words = ["compare-catchment", "table.csv", "table.csv", "--agreement-min", "100%"];
        Program::new(folder.path()).args(words).exits(0);
    }
}
