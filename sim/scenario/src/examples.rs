//! A failing and a fixed example for every code. Tests load all of them.
//!
//! An example shows only what matters; it is completed by the smallest scenario, whose top-level
//! keys give way to those of the example. An example with a `format:` line is complete.

/// An example of a code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    pub code: &'static str,
    failing: Failing,
    pub fixed: &'static str,
    /// What else there is to say.
    pub note: &'static str,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(test), allow(dead_code, reason = "only the tests make the bytes"))]
enum Failing {
    /// A text as people would write it.
    Text(&'static str),
    /// What cannot be shown in full: words for people, and the bytes.
    Made(&'static str, fn() -> Vec<u8>),
}

/// The smallest scenario.
const BASE: &str = "\
format: steerlab-scenario/1
name: example
seed: 1
horizon: 1h
sites:
  - {id: ams, at: [52.37, 4.90]}
  - {id: fra, at: [50.11, 8.68]}
links:
  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}
arms:
  - {id: now, policies: [static-anycast]}
";

/// Completes an example with the smallest scenario.
pub(crate) fn complete(example: &str) -> String {
    if example.starts_with("format:") || example.contains("\nformat:") {
        return example.to_owned();
    }
    let key_of = |line: &str| line.split(':').next().unwrap_or("").to_owned();
    let top = |line: &&str| !line.starts_with([' ', '-', '#']) && !line.is_empty();
    let given: Vec<String> = example.lines().filter(top).map(key_of).collect();
    let mut text = String::new();
    let mut keep = true;
    for line in BASE.lines() {
        if top(&line) {
            keep = !given.contains(&key_of(line));
        }
        if keep {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + example
}

/// The example of a code.
pub(crate) fn find(code: &str) -> Option<&'static Example> {
    EXAMPLES.iter().chain(TABLE_EXAMPLES).find(|example| example.code == code)
}

impl Example {
    /// The failing example as shown to people.
    pub(crate) fn failing_shown(&self) -> String {
        match self.failing {
            Failing::Text(text) | Failing::Made(text, _) => text.to_owned(),
        }
    }
}

const fn example(code: &'static str, failing: &'static str, fixed: &'static str) -> Example {
    Example { code, failing: Failing::Text(failing), fixed, note: "" }
}

const fn made(
    code: &'static str,
    shown: &'static str,
    bytes: fn() -> Vec<u8>,
    fixed: &'static str,
) -> Example {
    Example { code, failing: Failing::Made(shown, bytes), fixed, note: "" }
}

fn with(line: &str) -> Vec<u8> {
    complete(line).into_bytes()
}

/// A sufficient scenario, for codes whose repair is to write one.
const WHOLE: &str = "format: steerlab-scenario/1\nname: example\nseed: 1\nhorizon: 1h\n\
                     sites: [{id: ams}]\narms: [{id: now, policies: [static-anycast]}]\n";

static EXAMPLES: &[Example] = &[
    example("E0001", "label: \"quote without end\n", "label: \"a quote with its end\"\n"),
    made("E0002", "# only a comment", || b"# only a comment\n".to_vec(), WHOLE),
    made(
        "E0003",
        "label: M<byte 0xFC>nchen",
        || b"label: M\xfcnchen\n".to_vec(),
        "label: München\n",
    ),
    made(
        "E0004",
        "(a file of more than 16 MiB)",
        || vec![b'#'; (crate::limits::FILE_BYTES_MAX + 1) as usize],
        "includes: [more.yaml]\n",
    ),
    made(
        "E0005",
        "arms:\n<tab>- {id: now, policies: [static-anycast]}",
        || with("arms:\n\t- {id: now, policies: [static-anycast]}\n"),
        "arms:\n  - {id: now, policies: [static-anycast]}\n",
    ),
    made(
        "E0006",
        "assumptions: [[[[[[[[[[ .. 70 levels",
        || with(&format!("assumptions: {}{}\n", "[".repeat(70), "]".repeat(70))),
        "assumptions: [one level]\n",
    ),
    example("E0007", "label: one\nlabel: two\n", "label: one\n"),
    example("E0008", "seed: !!int 7\n", "seed: 7\n"),
    made(
        "E0009",
        "label: one\n---\nlabel: two",
        || with("label: one\n---\nlabel: two\n"),
        "label: one\n",
    ),
    example("E0010", "? [a, b]\n: 1\n", "label: a b\n"),
    example("E0011", "assumptions: &all [one, *all]\n", "assumptions: [one, two]\n"),
    made(
        "E0012",
        "description: (more than 64 KiB)",
        || with(&format!("description: {}\n", "x".repeat(70_000))),
        "description: the idea, and where to read more\n",
    ),
    example(
        "E0101",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capcity: 100Gbps}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}\n",
    ),
    example(
        "E0102",
        "links:\n  - {id: ams-fra, ends: [ams, fra]}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}\n",
    ),
    example("E0103", "sites:\n  id: ams\nlinks: []\n", "sites:\n  - id: ams\nlinks: []\n"),
    example(
        "E0104",
        "events:\n  - fail: {site: fra, link: ams-fra, at: 10m}\n",
        "events:\n  - fail: {site: fra, at: 10m}\n",
    ),
    example(
        "E0105",
        "links:\n  - {id: ams-fra, ends: [ams], capacity: 100Gbps}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}\n",
    ),
    example("E0107", "--set links.7.capacity=10Gbps\n", "--set links.ams-fra.capacity=10Gbps\n"),
    example("E0201", "seed: 1_000\n", "seed: 1000\n"),
    example("E0202", "replications: 0\n", "replications: 5\n"),
    example(
        "E0203",
        "neighbours:\n  - {id: isp, kind: eyebal}\n",
        "neighbours:\n  - {id: isp, kind: eyeball}\n",
    ),
    example("E0204", "name: evening peak\n", "name: evening-peak\nlabel: Evening peak\n"),
    example(
        "E0205",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}\n",
    ),
    example(
        "E0206",
        "events:\n  - fail: {site: fra, at: 16:27}\n",
        "start: 2025-08-21T16:00:00Z\nevents:\n  - fail: {site: fra, at: 16:27}\n",
    ),
    example(
        "E0207",
        "start: 2025-08-21T16:00:00Z\nevents:\n  - mark: {at: 2025-08-21T15:00:00Z}\n",
        "start: 2025-08-21T16:00:00Z\nevents:\n  - mark: {at: 2025-08-21T16:30:00Z}\n",
    ),
    example(
        "E0301",
        "events:\n  - fail: {site: frx, at: 10m}\n",
        "events:\n  - fail: {site: fra, at: 10m}\n",
    ),
    example(
        "E0302",
        "sites:\n  - {id: ams}\n  - {id: ams}\nlinks: []\n",
        "sites:\n  - {id: ams}\n  - {id: fra}\nlinks: []\n",
    ),
    made(
        "E0303",
        "sites: (more than 10,000)",
        || {
            let sites: String = (0..10_001).map(|i| format!("  - {{id: s{i}}}\n")).collect();
            with(&format!("sites:\n{sites}links: []\n"))
        },
        "sites:\n  - {id: ams}\nlinks: []\n",
    ),
    example("E0401", "horizon: 10d\nbucket: 1ms\n", "horizon: 10d\nbucket: 1min\n"),
    example("E0402", "bucket: 2min\nclient_bucket: 3min\n", "bucket: 2min\nclient_bucket: 4min\n"),
    example(
        "E0403",
        "links:\n  - {id: loop, ends: [ams, ams], capacity: 100Gbps}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 100Gbps}\n",
    ),
    example(
        "E0405",
        "links:\n  - id: ams-fra\n    ends: [ams, fra]\n    capacity: 100Gbps\n    \
         scheduling: {weights: {default: 0}}\n",
        "links:\n  - id: ams-fra\n    ends: [ams, fra]\n    capacity: 100Gbps\n    \
         scheduling: {weights: {default: 1}}\n",
    ),
    example(
        "E0406",
        "events:\n  - fail: {site: fra, at: 30m, until: 10m}\n",
        "events:\n  - fail: {site: fra, at: 10m, until: 30m}\n",
    ),
    example(
        "E0407",
        "events:\n  - degrade: {link: ams-fra, members_down: 2, at: 10m}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: 400Gbps, lag_members: 4}\n\
         events:\n  - degrade: {link: ams-fra, members_down: 2, at: 10m}\n",
    ),
    example(
        "E0408",
        "feeds: {oracle: true, sites: {period: 5s}}\n",
        "feeds: {sites: {period: 5s}}\n",
    ),
    example(
        "E0409",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: {forward: 0bps, back: 0bps}}\n",
        "links:\n  - {id: ams-fra, ends: [ams, fra], capacity: {forward: 10Gbps, back: 0bps}}\n",
    ),
    example(
        "E0410",
        "agents:\n  - {id: isp-te, steps: [withdraw: {links: [ams-fra], at: 10m}]}\n",
        "neighbours:\n  - {id: isp, kind: eyeball, at: [52.37, 4.90]}\nlinks:\n  \
         - {id: ams-isp, ends: [ams, isp], capacity: 100Gbps}\nagents:\n  \
         - {id: isp-te, steps: [withdraw: {links: [ams-isp], at: 10m}]}\n",
    ),
    example(
        "E0411",
        "routing: {bgp_convergence: {min: 60s, max: 30s}}\n",
        "routing: {bgp_convergence: {min: 5s, max: 30s}}\n",
    ),
    example(
        "E0412",
        "services: [{id: film, response: 100TB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g}]\ndemands: [{id: d, clients: all, prefix: p, rate: 9Grps}]\n",
        "services: [{id: film, response: 100MB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g}]\ndemands: [{id: d, clients: all, prefix: p, rate: 9krps}]\n",
    ),
    example(
        "E0413",
        "dns: {sticky_share: 60%, floor_share: 50%}\n",
        "dns: {sticky_share: 60%, floor_share: 30%}\n",
    ),
    example(
        "E0414",
        "prefixes: [{id: any}, {id: only-fra, sites: [fra]}]\n\
         dns: {names: [{id: www, answers: [any], weights: {only-fra: 1}}]}\n",
        "prefixes: [{id: any}, {id: only-fra, sites: [fra]}]\n\
         dns: {names: [{id: www, answers: [any, only-fra], weights: {only-fra: 1}}]}\n",
    ),
    example(
        "E0415",
        "services: [{id: web, response: 10kB, cache: {objects: 1000}}]\n\
         caches: {origin: ams, at: [{sites: [ams], capacity: 1MB, upper: fra}, \
         {sites: [fra], capacity: 1MB, upper: ams}]}\n",
        "services: [{id: web, response: 10kB, cache: {objects: 1000}}]\n\
         caches: {origin: ams, at: [{sites: [ams], capacity: 1MB, upper: fra}, \
         {sites: [fra], capacity: 1MB}]}\n",
    ),
    example(
        "E0416",
        "zoom:\n  - {sites: [ams]}\n",
        "sites:\n  - {id: ams, at: [52.37, 4.90], pools: [{id: a, servers: 4, cores: 8}]}\n  \
         - {id: fra, at: [50.11, 8.68]}\nzoom:\n  - {sites: [ams]}\n",
    ),
    example(
        "E0417",
        "classes: [{id: gold}, {id: bulk}]\nfidelity: flows\nservices:\n  - {id: big, class: gold, \
         response: 1MB, flow: {size: exponential}}\n  - {id: small, class: bulk, response: 1kB}\n\
         demands:\n  - {id: a, from: ams, to: fra, service: big, rate: 1Mbps}\n  \
         - {id: b, from: ams, to: fra, service: small, rate: 1Mbps}\n",
        "classes: [{id: gold}, {id: bulk}]\nfidelity: flows\nservices:\n  - {id: big, class: bulk, \
         response: 1MB, flow: {size: exponential}}\n  - {id: small, class: gold, response: 1kB}\n\
         demands:\n  - {id: a, from: ams, to: fra, service: big, rate: 1Mbps}\n  \
         - {id: b, from: ams, to: fra, service: small, rate: 1Mbps}\n",
    ),
    example(
        "E0421",
        "neighbours:\n  - {id: as1, asn: 1, kind: transit}\nevents:\n  - leak: {asn: 1, at: 1min}\n",
        "neighbours:\n  - {id: as1, asn: 1, kind: transit}\nrouting: {model: bgp, asn: 64500}\n\
         events:\n  - leak: {asn: 1, at: 1min}\n",
    ),
    example(
        "E0422",
        "neighbours:\n  - {id: as1, asn: 1, kind: transit}\nrouting: {model: bgp, asn: 64500}\n\
         events:\n  - leak: {asn: 2, at: 1min}\n",
        "neighbours:\n  - {id: as1, asn: 1, kind: transit}\nrouting:\n  model: bgp\n  asn: 64500\n  \
         as_links:\n    - {customer: 2, provider: 1}\nevents:\n  - leak: {asn: 2, at: 1min}\n",
    ),
    example(
        "E0423",
        "prefixes:\n  - {id: any}\nrouting:\n  announcements:\n    - {prefix: any, site: ams, link: ams-fra, \
         announce: false}\n",
        "prefixes:\n  - {id: any}\nrouting:\n  announcements:\n    - {prefix: any, site: ams, announce: false}\n",
    ),
    example("E0424", "routing: {model: bgp}\n", "routing: {model: bgp, asn: 64500}\n"),
    example(
        "E0425",
        "routing:\n  model: bgp\n  asn: 64500\n  as_links:\n    - {customer: 1, provider: 2}\n    \
         - {customer: 2, provider: 1}\n",
        "routing:\n  model: bgp\n  asn: 64500\n  as_links:\n    - {customer: 1, provider: 2}\n",
    ),
    example(
        "E0426",
        "routing:\n  model: bgp\n  asn: 64500\n  as_links: [{customer: 1, provider: 2}]\n  \
         sessions: [{between: [2, 1], prefixes_max: 10}]\n",
        "routing:\n  model: bgp\n  asn: 64500\n  solver: events\n  \
         as_links: [{customer: 1, provider: 2}]\n  \
         sessions: [{between: [2, 1], prefixes_max: 10}]\n",
    ),
    example(
        "E0427",
        "routing:\n  model: bgp\n  asn: 64500\n  solver: events\n  \
         as_links: [{customer: 1, provider: 2}, {customer: 3, provider: 2}]\n  \
         sessions: [{between: [1, 3], prefixes_max: 10}]\n",
        "routing:\n  model: bgp\n  asn: 64500\n  solver: events\n  \
         as_links: [{customer: 1, provider: 2}, {customer: 3, provider: 2}]\n  \
         sessions: [{between: [2, 3], prefixes_max: 10}]\n",
    ),
    example("E0501", "includes: [../more.yaml]\n", "includes: [more.yaml]\n"),
    example("E0502", "includes: [missing.yaml]\n", "includes: [more.yaml]\n"),
    example("E0503", "includes: [example.yaml]\n", "includes: [more.yaml]\n"),
    example(
        "E0504",
        "demands: [{id: recorded, matrix: {file: broken.parquet}}]\n",
        "demands: [{id: guessed, from: ams, to: fra, rate: 10Gbps}]\n",
    ),
    example(
        "E0601",
        "arms: [{id: now, policies: [static-anycats]}]\n",
        "arms: [{id: now, policies: [static-anycast]}]\n",
    ),
    example(
        "E0602",
        "arms: [{id: now, policies: [threshold-withdraw: {high: 50%, low: 80%}]}]\n",
        "arms: [{id: now, policies: [threshold-withdraw: {high: 80%, low: 50%}]}]\n",
    ),
    example("E0701", "checks: [loss_ratio is small]\n", "checks: [loss_ratio < 0.1%]\n"),
    example("E0702", "checks: [los_ratio < 0.1%]\n", "checks: [loss_ratio < 0.1%]\n"),
    example(
        "E0703",
        "checks: [\"loss_ratio{class=video} < 0.1%\"]\n",
        "checks: [\"loss_ratio{class=default} < 0.1%\"]\n",
    ),
    example("E0704", "checks: [latency_ms_p99 < 250s]\n", "checks: [latency_ms_p99 < 250ms]\n"),
    example(
        "W0801",
        "sites:\n  - {id: ams}\n  - {id: fra}\n",
        "sites:\n  - {id: ams, at: [52.37, 4.90]}\n  - {id: fra, at: [50.11, 8.68]}\n",
    ),
    example(
        "W0802",
        "events:\n  - fail: {site: fra, at: 2h}\n",
        "horizon: 3h\nevents:\n  - fail: {site: fra, at: 2h}\n",
    ),
    example(
        "W0803",
        "links: []\ndemands: [{id: bulk, from: ams, to: fra, rate: 1Gbps}]\n",
        "demands: [{id: bulk, from: ams, to: fra, rate: 1Gbps}]\n",
    ),
    example(
        "W0804",
        "neighbours: [{id: isp, kind: eyeball, at: [52.37, 4.90]}]\n\
         services: [{id: web, response: 50kB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g, neighbour: isp}]\n\
         demands: [{id: d, clients: all, prefix: p, rate: 1krps}]\n",
        "neighbours: [{id: isp, kind: eyeball, at: [52.37, 4.90]}]\n\
         links: [{id: ams-isp, ends: [ams, isp], capacity: 100Gbps}]\n\
         services: [{id: web, response: 50kB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g, neighbour: isp}]\n\
         demands: [{id: d, clients: all, prefix: p, rate: 1krps}]\n",
    ),
    example("W0805", "checks: [loss_ratio <= 100%]\n", "checks: [loss_ratio <= 1%]\n"),
    example(
        "W0806",
        "profiles: [{id: evening, peak: 20:30, trough_ratio: 35%}]\n",
        "start: 2025-08-21T16:00:00Z\nprofiles: [{id: evening, peak: 20:30, trough_ratio: 35%}]\n",
    ),
    example(
        "W0807",
        "horizon: 3h\ndemands: [{id: recorded, matrix: {file: one-hour.csv}}]\n",
        "horizon: 1h\ndemands: [{id: recorded, matrix: {file: one-hour.csv}}]\n",
    ),
    example(
        "W0808",
        "surges: [{at: 10m, factor: 2, tenants: [default]}]\n",
        "demands: [{id: bulk, from: ams, to: fra, rate: 1Gbps}]\n\
         surges: [{at: 10m, factor: 2, tenants: [default]}]\n",
    ),
    example(
        "W0809",
        "sites: [{id: ams, pools: [{id: a, servers: 1, cores: 8}]}]\nlinks: []\n\
         services: [{id: web, cpu: 5ms, response: 50kB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g}]\ndemands: [{id: d, clients: all, prefix: p, rate: 10krps}]\n",
        "sites: [{id: ams, pools: [{id: a, servers: 10, cores: 8}]}]\nlinks: []\n\
         services: [{id: web, cpu: 5ms, response: 50kB}]\nprefixes: [{id: p}]\n\
         client_groups: [{id: g}]\ndemands: [{id: d, clients: all, prefix: p, rate: 10krps}]\n",
    ),
    example(
        "W0810",
        "prefixes: [{id: p}]\nrouting:\n  model: bgp\n  asn: 64500\n  \
         replay: {file: updates.csv, blocks: [{block: 192.0.2.0/24, prefix: p}]}\n",
        "prefixes: [{id: p}]\nrouting:\n  model: bgp\n  asn: 64500\n",
    ),
    example(
        "W0811",
        "routing: {model: bgp, asn: 64500, as_graph: graph.txt}\n",
        "routing: {model: bgp, asn: 64501, as_graph: graph.txt}\n",
    ),
];

/// Examples of codes of tables: each is a whole catchment table.
static TABLE_EXAMPLES: &[Example] = &[
    example(
        "E0260",
        "kind,id,site\nas,64496,ams\n",
        "# format: steerlab-catchment/1\nkind,id,site\nas,64496,ams\n",
    ),
    example(
        "E0261",
        "# format: steerlab-catchment/1\nkind,id,site\nas,AS64496,ams\n",
        "# format: steerlab-catchment/1\nkind,id,site\nas,64496,ams\n",
    ),
    example(
        "E0262",
        "# format: steerlab-catchment/1\nkind,id,site\nas,64496,ams\nas,64496,fra\n",
        "# format: steerlab-catchment/1\nkind,id,site\nas,64496,ams\nas,64497,fra\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catchment::CatchmentTable;
    use crate::codes::{CODES, TABLE_CODES};
    use crate::load::{Loaded, load_file, load_text_with};
    use crate::testing::{Folder, vocabulary};

    /// Loads an example in a folder with a file to include and a broken data file.
    fn load(folder: &Folder, bytes: &[u8]) -> Loaded {
        if let Some(set) = bytes.strip_prefix(b"--set ") {
            let set = std::str::from_utf8(set).unwrap().trim_end();
            let (path, value) = set.split_once('=').unwrap();
            let sets = [(path.to_owned(), value.to_owned())];
            return load_text_with("example.yaml", BASE.as_bytes(), &sets, &vocabulary());
        }
        let path = folder.write("example.yaml", bytes);
        load_file(&path, &vocabulary())
    }

    #[test]
    fn every_example_fails_as_it_says_and_its_repair_works() {
        let folder = Folder::new("examples");
        folder.write("more.yaml", b"tenants: [{id: extra}]\n");
        folder.write("broken.parquet", b"not a recording");
        folder.write("one-hour.csv", crate::testing::ONE_HOUR);
        folder.write("updates.csv", crate::testing::UPDATES);
        folder.write("graph.txt", b"1|64500|-1\n1|2|0\n");
        for example in EXAMPLES {
            let bytes = match example.failing {
                Failing::Text(text) if text.starts_with("--set ") => text.as_bytes().to_vec(),
                Failing::Text(text) => complete(text).into_bytes(),
                Failing::Made(_, bytes) => bytes(),
            };
            let loaded = load(&folder, &bytes);
            let found: Vec<_> = loaded.diagnostics.iter().map(|d| d.code).collect();
            assert_eq!(found, [example.code], "{}", crate::render(&loaded, false));
            assert_eq!(loaded.scenario.is_some(), example.code.starts_with('W'));
            let fixed = if example.fixed.starts_with("--set ") {
                example.fixed.to_owned()
            } else {
                complete(example.fixed)
            };
            let loaded = load(&folder, fixed.as_bytes());
            assert!(loaded.scenario.is_some(), "{}", crate::render(&loaded, false));
            assert!(!loaded.diagnostics.iter().any(|d| d.code == example.code));
        }
    }

    #[test]
    fn every_table_example_fails_as_it_says_and_its_repair_works() {
        for example in TABLE_EXAMPLES {
            let failing = example.failing_shown();
            let found = CatchmentTable::parse("table.csv", failing.as_bytes()).unwrap_err();
            let codes: Vec<_> = found.iter().map(|d| d.code).collect();
            assert_eq!(codes, [example.code]);
            CatchmentTable::parse("table.csv", example.fixed.as_bytes()).unwrap();
        }
    }

    #[test]
    fn every_code_has_an_example() {
        for entry in CODES.iter().chain(TABLE_CODES) {
            assert!(find(entry.code).is_some(), "{} has no example", entry.code);
            assert!(crate::explain(entry.code).unwrap().contains("This works"));
        }
        assert!(EXAMPLES.iter().all(|example| crate::codes::find(example.code).is_some()));
        assert!(crate::explain("E9999").is_none());
    }
}
