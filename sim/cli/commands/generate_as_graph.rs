//! `steerlab generate-as-graph`: an Internet that never was, as a file.

use super::write_file;
use crate::args::GenerateAsGraphArgs;
use crate::console::{Console, shown};
use crate::exit::Exit;
use std::fmt::Write;
use steerlab_engine::route::internet::{Relation, generate};

/// Makes the graph and writes it.
pub fn generate_as_graph(console: &Console, args: &GenerateAsGraphArgs) -> Exit {
    if args.out.exists() && !args.force {
        let what = format!("{} exists", shown(&args.out));
        return console.fail(
            Exit::BadInput,
            &what,
            "choose another name, or replace it with --force",
        );
    }
    let links = match generate(args.ases, args.links, args.seed) {
        Ok(links) => links,
        Err(what) => {
            return console.fail(Exit::BadInput, &what, "correct --ases or --links");
        }
    };
    let mut text = format!(
        "# generated, not measured: {} ASes, {} links, seed {}\n",
        args.ases, args.links, args.seed
    );
    for link in &links {
        let (a, b) = (link.a, link.b);
        let written = match link.relation {
            Relation::Customer => writeln!(text, "{a}|{b}|-1"),
            Relation::Provider => writeln!(text, "{b}|{a}|-1"),
            Relation::Peer | Relation::RouteServer => writeln!(text, "{a}|{b}|0"),
        };
        written.expect("text in memory takes everything");
    }
    if let Err(exit) = write_file(console, &args.out, text.as_bytes()) {
        return exit;
    }
    console.say(&format!("wrote {}: {} ASes, {} links", shown(&args.out), args.ases, args.links));
    Exit::Done
}
