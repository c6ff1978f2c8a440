//! Arbitrary bytes: an importer gives a scenario or problems, never a panic.

use super::*;
use proptest::prelude::*;

const SNDLIB: &str = "?SNDlib native format; type: network; version: 1.0\nMETA (\n unit = MBITPERSEC\n)\n\
    NODES (\n a ( 1.5 2 )\n b\n)\nLINKS (\n ab ( a b ) 10 0 0 0 ( 40 1 )\n)\nDEMANDS (\n d ( a b ) 1 5 \
    UNLIMITED\n)\n";
const XML: &str = "<network><meta><time>20040301-0000</time></meta><networkStructure><nodes><node \
    id=\"a\"/><node id=\"b\"/></nodes><links><link id=\"l\"><source>a</source><target>b</target>\
    </link></links></networkStructure><demands><demand id=\"d\"><source>a</source><target>b</target>\
    <demandValue>1</demandValue></demand></demands></network>";
const GRAPH: &str = "NODES 2\nlabel x y\na 1 2\nb 3 4\nEDGES 2\nlabel src dest weight bw delay\n\
    e 0 1 1 10 5\nf 1 0 1 10 5\n";
const DEMANDS: &str = "DEMANDS 1\nlabel src dest bw\nd 0 1 7\n";
const GRAPHML: &str = "<graphml><key id=\"s\" for=\"edge\" attr.name=\"LinkSpeedRaw\"/><graph \
    edgedefault=\"undirected\"><node id=\"0\"/><node id=\"1\"/><edge source=\"0\" target=\"1\"><data \
    key=\"s\">1e9</data></edge></graph></graphml>";

/// Gives the same bytes to every importer, as network and as demands.
fn feed(bytes: &[u8]) {
    for importer in importers() {
        let _ = importer.import(&input("some.file", bytes));
        for network in [SNDLIB, XML, GRAPH, GRAPHML] {
            let _ = importer.import(&with_demands(input("n", network), "d.xml", bytes));
        }
    }
}

/// The text with a piece of it replaced.
fn mutated(seed: &str, at: prop::sample::Index, length: usize, with: &str) -> String {
    let mut characters: Vec<char> = seed.chars().collect();
    let at = at.index(characters.len());
    let end = (at + length).min(characters.len());
    characters.splice(at..end, with.chars());
    characters.into_iter().collect()
}

#[test]
fn the_seeds_themselves_import() {
    import("sndlib", &input("a.txt", SNDLIB));
    import("sndlib", &input("a.xml", XML));
    import("repetita", &with_demands(input("a.graph", GRAPH), "a.demands", DEMANDS));
    import("topology-zoo", &input("a.graphml", GRAPHML));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        feed(&bytes);
        for magic in [&b"\x1f\x8b\x08"[..], b"\xfd7zXZ\0", b"<", b"?SNDlib\n", b"NODES "] {
            feed(&[magic, &bytes].concat());
        }
    }

    #[test]
    fn damaged_files(
        which in 0_usize..5,
        at in any::<prop::sample::Index>(),
        length in 0_usize..12,
        with in "[ -~\\n]{0,6}|-1|1e400|99999999999999999999|NaN|[äµ日\u{0}]{1,2}|</?[a-z]{1,6}>",
    ) {
        let seed = [SNDLIB, XML, GRAPH, DEMANDS, GRAPHML][which];
        feed(mutated(seed, at, length, &with).as_bytes());
    }

    #[test]
    fn option_texts(text in "[ -~äµ]{0,12}|[0-9]{1,20}(d|h|m|ns)", link in "\\PC{0,5}") {
        let mut input = input("a.txt", SNDLIB);
        input.options.cuts = vec![Cut { link, at: text.clone(), until: Some(text.clone()) }];
        input.options.length = Some(text.clone());
        let _ = super::super::importer("sndlib").expect("importer").import(&input);
        input.demands = Some(DemandInput::File(document("d.tar", tar_of(&[("x.xml", XML)]))));
        input.options.from = Some(text.clone());
        let _ = super::super::importer("sndlib").expect("importer").import(&input);
        let _ = Cut::parse(&text);
        let _ = parse_capacity(&text);
    }
}

/// A tar archive of small files.
pub(super) fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        header.as_ustar_mut().expect("ustar").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, text.as_bytes()).expect("appended");
    }
    builder.into_inner().expect("finished")
}
