//! What the tests of this crate share: a small registry, a small catalogue, folders.

use crate::Vocabulary;
use std::path::PathBuf;
use steerlab_engine::kernel::{SimSpan, Stream};
use steerlab_engine::record::{Better, MetricInfo};
use steerlab_engine::steer::{
    Ask, Descriptor, Param, ParamKind, Params, Policy, PolicyRegistry, Surface, View,
};

struct Idle;

impl Policy for Idle {
    fn decide(&mut self, _: &View<'_>, _: &mut Stream, _: &mut Ask<'_>) {}
}

fn idle(_: &Params<'_>) -> Box<dyn Policy> {
    Box::new(Idle)
}

fn any(_: &Params<'_>) -> Result<(), String> {
    Ok(())
}

fn ordered(params: &Params<'_>) -> Result<(), String> {
    if params.ratio("low") < params.ratio("high") {
        Ok(())
    } else {
        Err("`low` must be below `high`".into())
    }
}

const fn param(name: &'static str, kind: ParamKind, default: Option<&'static str>) -> Param {
    Param { name, kind, default, doc: "A parameter." }
}

const fn descriptor(
    name: &'static str,
    params: &'static [Param],
    check: fn(&Params<'_>) -> Result<(), String>,
) -> Descriptor {
    Descriptor {
        name,
        version: 1,
        summary: "A policy of the tests.",
        source: "",
        surfaces: &[Surface::Announce],
        feeds: &[],
        default_period: SimSpan::from_seconds(10),
        params,
        build: idle,
        check,
    }
}

static POLICIES: [Descriptor; 5] = [
    descriptor(
        "dns-steer",
        &[
            param("mode", ParamKind::Choice(&["geo", "capacity"]), Some("geo")),
            param(
                "hold",
                ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(3_600) },
                Some("3m"),
            ),
        ],
        any,
    ),
    descriptor("scripted", &[param("steps", ParamKind::Script, None)], any),
    descriptor("static-anycast", &[], any),
    descriptor("tenant-budget", &[], any),
    descriptor(
        "threshold-withdraw",
        &[
            param("high", ParamKind::Ratio { min: 0.1, max: 2.0 }, Some("0.95")),
            param("low", ParamKind::Ratio { min: 0.0, max: 2.0 }, Some("60%")),
            param(
                "hold",
                ParamKind::Span { min: SimSpan::ZERO, max: SimSpan::from_seconds(3_600) },
                Some("60s"),
            ),
            param("most", ParamKind::Count { min: 1, max: 100 }, Some("3")),
            param("choice", ParamKind::Choice(&["least", "value"]), Some("least")),
            param("spare", ParamKind::Rate, Some("1Gbps")),
        ],
        ordered,
    ),
];

struct Registry;

impl PolicyRegistry for Registry {
    fn descriptors(&self) -> &[Descriptor] {
        &POLICIES
    }
}

const fn metric(
    id: &'static str,
    unit: &'static str,
    labels: &'static [&'static str],
) -> MetricInfo {
    MetricInfo { id, unit, meaning: "A metric.", better: Better::Lower, labels }
}

static METRICS: [MetricInfo; 22] = [
    metric("zoom_latency_ms_mean", "ms", &["site"]),
    metric("zoom_latency_ms_p99", "ms", &["site"]),
    metric("zoom_served_ratio", "", &["site"]),
    metric("dns_stale_answer_ratio_mean", "", &[]),
    metric("loss_ratio", "", &["class", "tenant", "cause"]),
    metric("availability_ratio", "", &["class", "tenant"]),
    metric("latency_ms_mean", "ms", &[]),
    metric("latency_ms_p50", "ms", &[]),
    metric("latency_ms_p95", "ms", &[]),
    metric("latency_ms_p99", "ms", &[]),
    metric("link_utilisation_max", "", &["link"]),
    metric("link_overload_s", "s", &["link"]),
    metric("site_utilisation_max", "", &["site"]),
    metric("site_overload_s", "s", &["site"]),
    metric("served_ratio", "", &["class", "tenant"]),
    metric("actions_applied", "", &[]),
    metric("actions_refused", "", &[]),
    metric("flaps", "", &[]),
    metric("users_moved_requests_per_s", "requests/s", &[]),
    metric("non_best_site_ratio", "", &[]),
    metric("backbone_byte_km", "byte km", &[]),
    metric("transit_ratio", "", &[]),
];

/// The small registry and catalogue.
pub(crate) fn vocabulary() -> Vocabulary<'static> {
    Vocabulary { registry: &Registry, metrics: &METRICS }
}

/// A recording of two pairs, every half hour.
pub(crate) const ONE_HOUR: &[u8] = b"time_ns,from,to,rate_bps
0,ams,fra,1000
0,fra,ams,2000
1800000000000,ams,fra,3000
1800000000000,fra,ams,4000
";

/// Two peers that see a block from its owner, AS 64500, for ten seconds.
pub(crate) const UPDATES: &[u8] = b"# format: steerlab-bgp-updates/1
# start: 2008-02-24T18:45:00Z
time_s,peer_asn,peer_address,prefix,kind,as_path
0,1,198.51.100.1,192.0.2.0/24,table,1 64500
0,2,198.51.100.2,192.0.2.0/24,table,2 1 64500
10,2,198.51.100.2,192.0.2.0/24,withdraw,
";

/// A folder of one test, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("steerlab-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
