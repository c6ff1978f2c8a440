//! What the system tests share: the program, folders, tables, networks.

#[cfg(target_os = "linux")]
pub mod bird;
pub mod ecmp;
pub mod folder;
pub mod labs;
pub mod program;
pub mod table;

use std::path::PathBuf;

/// The folder of this repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A path in the recorded data that is not part of this repository; `None`, after saying so, if
/// the data are not there.
pub fn data(relative: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STEERLAB_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let path = folder.join(relative);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: no {relative} in the data folder (set STEERLAB_DATA)");
    None
}

/// A network of three sites with two arms: small, quick, with chance, failure and a passing check.
/// `replications` and `horizon` are replaced by `--replications` and `--set`.
pub const SMALL: &str = r#"format: steerlab-scenario/1
name: small
seed: 7
horizon: 20min
bucket: 1min
replications: 2
sites:
  - {id: ams, at: [52.37, 4.90], pools: [{id: a, servers: 20, cores: 64}]}
  - {id: fra, at: [50.11, 8.68], pools: [{id: a, servers: 20, cores: 64}]}
  - {id: lon, at: [51.51, -0.13], pools: [{id: a, servers: 20, cores: 64}]}
neighbours:
  - {id: carrier, kind: transit}
links:
  - {id: ams-fra, ends: [ams, fra], capacity: 400Gbps}
  - {id: fra-lon, ends: [fra, lon], capacity: 400Gbps}
  - {id: ams-carrier, ends: [ams, carrier], capacity: 400Gbps, delay: 1ms}
  - {id: fra-carrier, ends: [fra, carrier], capacity: 400Gbps, delay: 1ms}
  - {id: lon-carrier, ends: [lon, carrier], capacity: 400Gbps, delay: 1ms}
services:
  - {id: web, cpu: 5ms, request: 1kB, response: 60kB, protocol: http2-tls13}
prefixes:
  - {id: anycast, sites: all}
client_groups:
  - {id: amsterdam, at: [52.37, 4.90], neighbour: carrier, weight: 3}
  - {id: berlin, at: [52.52, 13.41], neighbour: carrier, weight: 4}
  - {id: london, at: [51.51, -0.13], neighbour: carrier, weight: 5}
demands:
  - {id: users, clients: all, prefix: anycast, service: web, rate: 600krps}
demand_noise: {cv: 5%, step: 1min}
events:
  - fail: {site: fra, at: 5min, until: 15min}
arms:
  - {id: static, policies: [static-anycast]}
  - {id: threshold, policies: [threshold-withdraw]}
checks:
  - loss_ratio{arm=static} < 90%
compare:
  metrics: [loss_ratio]
  margin: 1%
"#;
