//! ETH bgpsim: what every router of an AS chose.

mod ours;
mod peer;
mod plan;

use crate::measure;
use plan::{Ibgp, Plan};

/// What one side did in one process.
struct Side {
    /// Lines `phase,prefix,router,next hop,AS path`, in order.
    routes: Vec<String>,
    /// Processor seconds: announce, link failure, withdrawal.
    seconds: [f64; 3],
    memory_mib_peak: f64,
}

/// Networks compared, all connected.
const NETWORKS: [&str; 10] = [
    "Abilene",
    "Aarnet",
    "Bellcanada",
    "Cesnet201006",
    "Geant2012",
    "GtsCe",
    "Garr201201",
    "Interoute",
    "Switch",
    "Cogentco",
];

fn side(name: &str, plan: &Plan) -> Result<Side, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = std::process::Command::new(program)
        .args(["side", name, &plan.network, plan.ibgp.name(), &plan.prefixes.to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut side = Side { routes: Vec::new(), seconds: [0.0; 3], memory_mib_peak: 0.0 };
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(figures) => {
                let numbers: Vec<f64> =
                    figures.split(' ').filter_map(|word| word.parse().ok()).collect();
                let [a, b, c, memory] = numbers[..] else { return Err(line.to_owned()) };
                (side.seconds, side.memory_mib_peak) = ([a, b, c], memory);
            }
            None => side.routes.push(line.to_owned()),
        }
    }
    Ok(side)
}

fn compare(plan: &Plan) -> Result<bool, String> {
    let (ours, peer) = (side("ours", plan)?, side("peer", plan)?);
    let different = ours.routes.iter().zip(&peer.routes).filter(|(a, b)| a != b).count();
    let equal = different == 0 && ours.routes.len() == peer.routes.len();
    let figures = |side: &Side| {
        let [announce, failure, withdrawal] = side.seconds;
        let memory = side.memory_mib_peak;
        format!("{announce:>9.4} {failure:>9.4} {withdrawal:>9.4} {memory:>7.0}")
    };
    // The clock ticks every few milliseconds: below ten of them a ratio means nothing.
    let ratio = |phase: usize| match (ours.seconds[phase], peer.seconds[phase]) {
        (ours, peer) if ours >= 0.04 => format!("{:.1}", peer / ours),
        (_, peer) if peer >= 0.4 => format!(">{:.0}", peer / 0.04),
        _ => "-".to_owned(),
    };
    println!(
        "{:<14} {:>4} {:<4} {:>8} {:>5}  {}  {}  {:>6} {:>6} {:>6}",
        plan.network,
        plan.prefixes,
        plan.ibgp.name(),
        ours.routes.len(),
        if equal { "equal".to_owned() } else { format!("{different}!") },
        figures(&ours),
        figures(&peer),
        ratio(0),
        ratio(1),
        ratio(2),
    );
    for (a, b) in ours.routes.iter().zip(&peer.routes).filter(|(a, b)| a != b).take(5) {
        println!("    ours {a}\n    peer {b}");
    }
    Ok(equal)
}

/// Compares on ten networks, or on a large one.
///
/// # Errors
/// Something does not work.
pub fn compare_all(large: bool) -> Result<bool, String> {
    println!("machine: {}", measure::machine());
    println!("processor seconds (announce, link failure, withdrawal) and peak MiB of each side\n");
    println!(
        "network      prefixes ibgp routes            ours: announce   failure  withdraw     MiB  \
         bgpsim: announce failure withdraw MiB   ratios"
    );
    let mut equal = true;
    for ibgp in [Ibgp::Reflectors, Ibgp::Mesh] {
        let (networks, prefixes): (&[&str], u32) =
            if large { (&["Cogentco"], 1_000) } else { (&NETWORKS, 100) };
        if large && ibgp == Ibgp::Mesh {
            continue;
        }
        for &network in networks {
            equal &= compare(&Plan { network: network.to_owned(), ibgp, prefixes })?;
        }
    }
    Ok(equal)
}

/// The child of [`side`]: plays one side and prints what came of it.
///
/// # Errors
/// The words are not understood, or the network does not settle.
pub fn play(words: &[&str]) -> Result<bool, String> {
    let [side, network, ibgp, prefixes] = words else { return Err("side needs four words".into()) };
    let ibgp = if *ibgp == "mesh" { Ibgp::Mesh } else { Ibgp::Reflectors };
    let prefixes = prefixes.parse().map_err(|_| "the number of prefixes is no number")?;
    let plan = Plan { network: (*network).to_owned(), ibgp, prefixes };
    let drawn = plan.draw()?;
    match *side {
        "ours" => ours::play(&drawn)?,
        _ => peer::play(&plan, &drawn)?,
    }
    Ok(true)
}
