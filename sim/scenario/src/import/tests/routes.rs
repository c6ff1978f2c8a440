//! Recorded routes: exact counts on real files, every kind of record, and damage of all sorts.

use super::data::data;
use super::*;
use crate::import::routes::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

const UPDATES: &str = "mrt/ripe-rrc00-1999.12-updates.19991214.1621.gz";
const TABLE: &str = "mrt/ripe-rrc00-2000.01-bview.20000111.0032.gz";
const HIJACK: &str = "bgp-events/youtube-pakistan-20080224.bgplay.json";

fn read(bytes: &[u8]) -> Result<(Vec<RouteObservation>, RoutesRead), Vec<Problem>> {
    read_with(bytes, MrtOptions::default())
}

fn read_with(
    bytes: &[u8],
    options: MrtOptions,
) -> Result<(Vec<RouteObservation>, RoutesRead), Vec<Problem>> {
    let mut rows = Vec::new();
    match read_mrt("some.mrt", bytes, bytes.len() as u64, options, &mut rows) {
        Ok(read) => Ok((rows, read)),
        Err(RouteReadError::Input(error)) => {
            for problem in &error.problems {
                assert!(problem.file == "some.mrt" && !problem.what.is_empty());
                assert!(!problem.why.is_empty() && !problem.help.is_empty());
            }
            Err(error.problems)
        }
        Err(RouteReadError::Sink(error)) => panic!("a list takes all rows: {error}"),
    }
}

/// A digest over the fields that an independent reader gives, too.
struct Digesting(Sha256);

impl RouteSink for Digesting {
    fn take(&mut self, row: &RouteObservation) -> std::io::Result<()> {
        let RouteObservation { time_us, peer_asn, peer_address, prefix, kind, as_path, .. } = row;
        let (seconds, kind) = (time_us / 1_000_000, kind.name());
        let line = format!("{seconds},{peer_asn},{peer_address},{prefix},{kind},{as_path}\n");
        self.0.update(line.as_bytes());
        Ok(())
    }
}

/// Opens a file of the recorded data; none (said aloud) where it is absent.
fn open_data(name: &str) -> Option<(File, u64)> {
    let folder = data(name.split('/').next().unwrap())?;
    let file = File::open(folder.parent().unwrap().join(name)).unwrap();
    let bytes = file.metadata().unwrap().len();
    Some((file, bytes))
}

/// Counts and digests were made by a program that shares nothing with this reader: it walks the
/// headers of RFC 6396 and RFC 4271 byte by byte and prints one line a row.
#[test]
fn real_files_give_what_an_independent_reader_gives() {
    for (name, counts, digest) in [
        (
            UPDATES,
            RouteCounts {
                records: 18_203,
                table_rows: 0,
                announcements: 54_126,
                withdrawals: 1_363,
                state_changes: 27,
                prefixes: 39_882,
                peers: 6,
            },
            "918a09f1bbd95157a26fff9c0362e00b3a17df7023a0569ec19e54fb5284ed7e",
        ),
        (
            TABLE,
            RouteCounts {
                records: 2_490,
                table_rows: 452_018,
                prefixes: 82_377,
                peers: 7,
                ..RouteCounts::default()
            },
            "8ac7d58eb1043d72374f97f6e31fe33aebdf895b5150ffaf8b430701290266e6",
        ),
    ] {
        let Some((file, bytes)) = open_data(name) else { return };
        let mut rows = Digesting(Sha256::new());
        let read = read_mrt(name, file, bytes, MrtOptions::default(), &mut rows);
        let read = read.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(read.counts, counts, "{name}");
        assert_eq!(crate::hex(&rows.0.finalize()), digest, "{name}");
    }
}

#[test]
fn the_hijack_of_2008_reads_whole() {
    let Some(folder) = data("bgp-events") else { return };
    let path = folder.parent().unwrap().join(HIJACK);
    let mut rows: Vec<RouteObservation> = Vec::new();
    let read = read_bgplay(&read_limited(&path).unwrap(), &mut rows).unwrap();
    let expected = RouteCounts {
        records: 594,
        table_rows: 110,
        announcements: 477,
        withdrawals: 7,
        state_changes: 0,
        prefixes: 4,
        peers: 111,
    };
    assert_eq!(read.counts, expected);
    // 2008-02-24T18:45:00Z, the first route of the state at the start.
    assert_eq!(rows[0].time_us, 1_203_878_700_000_000);
    assert_eq!((rows[0].peer_asn, rows[0].as_path.to_string().as_str()), (7018, "7018 1239 36561"));
    let hijacked = rows.iter().filter(|row| row.as_path.to_string().ends_with(" 17557")).count();
    assert_eq!(hijacked, 301);

    let mut collector = UpdateCollector::default();
    rows.iter().for_each(|row| collector.take(row).unwrap());
    let mut text = Vec::new();
    collector.write(&mut text).unwrap();
    let path = std::env::temp_dir().join(format!("steerlab-updates-{}.csv", std::process::id()));
    std::fs::write(&path, &text).unwrap();
    let loaded = BgpUpdates::load(&path);
    std::fs::remove_file(&path).unwrap();
    let updates = loaded.updates.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    assert_eq!(updates.start_unix_s, 1_203_878_700);
    assert_eq!(updates.updates.len(), rows.len());
    for (update, row) in updates.updates.iter().zip(&rows) {
        assert_eq!(update.time_us, row.time_us - rows[0].time_us);
        assert_eq!((update.peer_asn, update.peer_address), (row.peer_asn, row.peer_address));
        assert_eq!((update.kind, update.prefix), (row.kind, row.prefix));
        assert_eq!(update.as_path, row.as_path);
    }
}

/// A record: time 1,000,000,000, then body.
fn record(entry_type: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = 1_000_000_000_u32.to_be_bytes().to_vec();
    bytes.extend(entry_type.to_be_bytes());
    bytes.extend(subtype.to_be_bytes());
    bytes.extend((body.len() as u32).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    [&[flags, code, value.len() as u8], value].concat()
}

/// AS_PATH of one sequence of four-byte numbers.
fn path4(asns: &[u32]) -> Vec<u8> {
    let mut value = vec![2, asns.len() as u8];
    asns.iter().for_each(|asn| value.extend(asn.to_be_bytes()));
    value
}

/// ORIGIN igp, the path, next hop 192.0.2.9.
fn usual(path: &[u8]) -> Vec<u8> {
    let next_hop = attribute(0x40, 3, &[192, 0, 2, 9]);
    [attribute(0x40, 1, &[0]), attribute(0x40, 2, path), next_hop].concat()
}

/// A BGP4MP session header between 192.0.2.1 and 192.0.2.2.
fn session(asns: &[u8]) -> Vec<u8> {
    [asns, &[0, 0, 0, 1, 192, 0, 2, 1, 192, 0, 2, 2]].concat()
}

fn update_message(withdrawn: &[u8], attributes: &[u8], announced: &[u8]) -> Vec<u8> {
    let mut body = (withdrawn.len() as u16).to_be_bytes().to_vec();
    body.extend(withdrawn);
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    body.extend(announced);
    let mut message = vec![0xff; 16];
    message.extend((body.len() as u16 + 19).to_be_bytes());
    message.push(2);
    message.extend(body);
    message
}

/// An update of AS 196618 with four-byte numbers.
fn update_as4(withdrawn: &[u8], attributes: &[u8], announced: &[u8]) -> Vec<u8> {
    let asns = [196_618_u32.to_be_bytes(), 64_496_u32.to_be_bytes()].concat();
    [session(&asns), update_message(withdrawn, attributes, announced)].concat()
}

#[test]
fn updates_with_four_byte_numbers_and_all_attributes() {
    let path =
        [path4(&[196_618, 196_618, 3356]), vec![1, 2], 5_u32.to_be_bytes().to_vec()].concat();
    let path = [path, 7_u32.to_be_bytes().to_vec()].concat();
    let attributes = [
        usual(&path),
        attribute(0x80, 4, &[0, 0, 0, 0]),
        attribute(0x40, 5, &[0, 0, 0, 200]),
        attribute(0xc0, 8, &[0xff, 0xff, 0xff, 0x01, 0x0d, 0x1c, 0, 3]),
        attribute(0xc0, 32, &[0, 3, 0, 10, 0, 0, 0, 1, 0, 0, 0, 2]),
    ];
    let body = update_as4(&[24, 10, 1, 1], &attributes.concat(), &[8, 11, 15, 12, 2]);
    let mut et = 250_000_u32.to_be_bytes().to_vec();
    et.extend(&body);
    let state_change = [session(&[0, 1, 0, 2]), vec![0, 6, 0, 1]].concat();
    let file = [record(17, 4, &et), record(16, 0, &state_change), record(16, 4, &body)].concat();
    let (rows, read) = read(&file).unwrap();
    assert_eq!((read.counts.records, read.counts.state_changes), (3, 1));
    assert_eq!((read.counts.announcements, read.counts.withdrawals), (4, 2));
    assert_eq!(rows[0].kind, RouteKind::Withdraw);
    assert_eq!(rows[0].prefix.to_string(), "10.1.1.0/24");
    assert!(rows[0].as_path.is_empty() && rows[0].med.is_none());
    let row = &rows[1];
    assert_eq!(row.time_us, 1_000_000_000_250_000);
    assert_eq!((row.peer_asn, row.peer_address.to_string().as_str()), (196_618, "192.0.2.1"));
    assert_eq!(row.as_path.to_string(), "196618 196618 3356 {5,7}");
    assert_eq!((row.origin, row.med, row.local_pref), (Some(RouteOrigin::Igp), Some(0), Some(200)));
    let communities: Vec<String> = row.communities.iter().map(ToString::to_string).collect();
    assert_eq!(communities, ["65535:65281", "3356:3", "196618:1:2"]);
    assert_eq!(row.next_hop, Some("192.0.2.9".parse().unwrap()));
    assert_eq!(rows[2].prefix.to_string(), "12.2.0.0/15");
    // What is not there is not zero.
    let plain = update_as4(&[], &usual(&path4(&[1, 2])), &[8, 11]);
    let (rows, _) = self::read(&record(16, 4, &plain)).unwrap();
    assert_eq!((rows[0].med, rows[0].local_pref), (None, None));
}

#[test]
fn two_byte_sessions_get_their_long_numbers_back() {
    // RFC 6793: AS_TRANS 23456 in AS_PATH, the real numbers in AS4_PATH.
    let short = [2, 3, 0, 100, 0x5b, 0xa0, 0x5b, 0xa0];
    let long = path4(&[196_618, 196_619]);
    let attributes = [usual(&short), attribute(0xc0, 17, &long)].concat();
    let body = [session(&[0, 100, 0, 200]), update_message(&[], &attributes, &[8, 11])].concat();
    let (rows, _) = read(&record(16, 1, &body)).unwrap();
    assert_eq!(rows[0].as_path.to_string(), "100 196618 196619");
}

#[test]
fn ipv6_prefixes_come_in_attributes() {
    let next_hop = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let reach = [&[0, 2, 1, 16][..], &next_hop, &[0, 32, 0x20, 1, 0x0d, 0xb8]].concat();
    let unreach = [0, 2, 1, 32, 0x20, 1, 0x0d, 0xb9];
    let origin_path = [attribute(0x40, 1, &[0]), attribute(0x40, 2, &path4(&[9]))].concat();
    let attributes =
        [origin_path, attribute(0x80, 14, &reach), attribute(0x80, 15, &unreach)].concat();
    let (rows, _) = read(&record(16, 4, &update_as4(&[], &attributes, &[]))).unwrap();
    let shown: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row.kind.name(), row.prefix)).collect();
    assert_eq!(shown, ["withdraw 2001:db9::/32", "announce 2001:db8::/32"]);
    assert_eq!(rows[1].next_hop.unwrap().to_string(), "2001:db8::1");
}

#[test]
fn other_families_are_left_out_and_damaged_lists_refused() {
    let with = |reach: &[u8]| {
        let path = [attribute(0x40, 1, &[0]), attribute(0x40, 2, &path4(&[9]))].concat();
        let attributes = [path, attribute(0x80, 14, reach)].concat();
        read(&record(16, 4, &update_as4(&[16, 10, 2], &attributes, &[])))
    };
    // VPN routes, whose next hop has 12 bytes; a multicast prefix; a next hop of 3 bytes.
    let vpn = [&[0, 1, 128, 12][..], &[0; 12], &[0, 112], &[0; 14]].concat();
    let multicast = [0, 1, 2, 4, 192, 0, 2, 1, 0, 8, 10];
    for reach in [&vpn[..], &multicast] {
        let (rows, read) = with(reach).unwrap();
        assert_eq!(rows.len(), 1, "the withdrawal is there");
        let note = "1 list of other than unicast prefixes: left out".to_owned();
        assert!(read.notes.contains(&note), "{:?}", read.notes);
    }
    for reach in [&[0, 1, 1, 3, 192, 0, 2, 0, 8, 10][..], &[0, 2, 1, 16, 1], &[0, 2]] {
        let problems = with(reach).unwrap_err();
        assert!(problems[0].what.contains("attribute 14"), "{problems:?}");
    }
    let problems = read(&record(16, 2, &[0; 20])).unwrap_err();
    assert!(problems[0].what.contains("BGP4MP_ENTRY"), "{problems:?}");
}

#[test]
fn routes_of_a_table_need_no_path() {
    let [peers, _] = table_v2();
    let table = [0, 0, 0, 0, 24, 198, 51, 100, 0, 1, 0, 0, 0, 0, 0, 5, 0, 4, 0x40, 1, 1, 0];
    let (rows, read) = read(&[peers, record(13, 2, &table)].concat()).unwrap();
    assert!(rows.len() == 1 && rows[0].as_path.is_empty());
    assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
}

/// A list of two peers, then a table of one prefix with an entry of each.
fn table_v2() -> [Vec<u8>; 2] {
    let mut peers = vec![1, 2, 3, 4, 0, 0, 0, 2];
    peers.extend([0, 9, 9, 9, 9, 192, 0, 2, 1, 0, 100]);
    peers.extend([2, 9, 9, 9, 9, 192, 0, 2, 2]);
    peers.extend(196_618_u32.to_be_bytes());
    let mut table = vec![0, 0, 0, 0, 24, 198, 51, 100, 0, 2];
    for peer in [0_u16, 1] {
        let attributes = usual(&path4(&[100 + u32::from(peer), 64_496]));
        table.extend(peer.to_be_bytes());
        table.extend([0, 0, 0, 5]);
        table.extend((attributes.len() as u16).to_be_bytes());
        table.extend(attributes);
    }
    [record(13, 1, &peers), record(13, 2, &table)]
}

#[test]
fn tables_of_version_2_name_their_peers() {
    let (rows, read) = read(&table_v2().concat()).unwrap();
    assert_eq!((read.counts.table_rows, read.counts.peers, read.counts.prefixes), (2, 2, 1));
    let shown: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {} {}", row.peer_asn, row.peer_address, row.prefix, row.as_path))
        .collect();
    assert_eq!(
        shown,
        ["100 192.0.2.1 198.51.100.0/24 100 64496", "196618 192.0.2.2 198.51.100.0/24 101 64496"]
    );
    // The time is that of the dump.
    assert!(rows.iter().all(|row| row.time_us == 1_000_000_000_000_000));
    let problems = self::read(&table_v2()[1]).unwrap_err();
    assert!(problems[0].what.contains("without the list of peers"), "{problems:?}");
}

#[test]
fn lengths_that_do_not_fit_are_damage() {
    let [peers, table] = table_v2();
    // The number of entries says three, one attribute reaches behind its list, bytes are left over.
    let count = [&table[..21], &[3], &table[22..]].concat();
    let too_long = {
        let mut bytes = table.clone();
        bytes[12 + 10 + 8 + 2] = 200;
        bytes
    };
    let left_over = record(13, 2, &[&table[12..], &[0]].concat());
    for (bytes, says) in
        [(count, "a table entry needs"), (too_long, "attribute 1 needs"), (left_over, "follow")]
    {
        let problems = read(&[peers.clone(), bytes.clone(), table.clone()].concat()).unwrap_err();
        assert_eq!(problems.len(), 1, "the record behind it is fine: {problems:?}");
        let at = format!("record 2 at byte {}: ", peers.len());
        assert!(problems[0].what.starts_with(&at), "{problems:?}");
        assert!(problems[0].what.contains(says), "{problems:?}");
        let options = MrtOptions { skip_damaged: true };
        let (rows, read) =
            read_with(&[peers.clone(), bytes, table.clone()].concat(), options).unwrap();
        assert_eq!(rows.len(), 2, "the third record");
        assert!(read.notes.iter().any(|note| note.starts_with("1 damaged")), "{:?}", read.notes);
    }
    let short = update_as4(&[], &usual(&[2, 2, 0, 0, 0, 1]), &[8, 11]);
    let problems = read(&record(16, 4, &short)).unwrap_err();
    assert!(problems[0].what.contains("record 1 at byte 0"), "{problems:?}");
    let no_path = update_as4(&[], &attribute(0x40, 1, &[0]), &[8, 11]);
    let problems = read(&record(16, 4, &no_path)).unwrap_err();
    assert!(problems[0].what.contains("without AS_PATH"), "{problems:?}");
    for file in [&b""[..], b"hello, this is text", b"\x1f\x8b", b"BZh9"] {
        assert!(!read(file).unwrap_err().is_empty());
    }
}

/// A few numbers that look random and are the same everywhere.
fn noise(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

/// The first whole records of a file, at most so many bytes.
fn first_records(name: &str, bytes_max: usize) -> Option<Vec<u8>> {
    let (file, _) = open_data(name)?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).take(bytes_max as u64 * 2).read_to_end(&mut bytes).unwrap();
    // Tables of that time understate the length of a record by the view and sequence number.
    let extra = if name == TABLE { 4 } else { 0 };
    let mut end = 0;
    loop {
        let length = u32::from_be_bytes(bytes[end + 8..end + 12].try_into().unwrap()) as usize;
        if end + 12 + length + extra > bytes_max {
            bytes.truncate(end);
            return Some(bytes);
        }
        end += 12 + length + extra;
    }
}

/// The kinds of files that are damaged below.
fn samples() -> Vec<Vec<u8>> {
    let made =
        [table_v2().concat(), record(16, 4, &update_as4(&[], &usual(&path4(&[1])), &[8, 9]))];
    let mut samples = vec![made.concat()];
    samples.extend([UPDATES, TABLE].into_iter().filter_map(|name| first_records(name, 40_000)));
    samples
}

/// Reads and measures: it ends in rows or problems, and soon.
fn survives(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let fine = read(bytes).is_ok();
    assert!(start.elapsed() < Duration::from_secs(20), "{} bytes took too long", bytes.len());
    fine
}

#[test]
fn files_cut_off_anywhere_are_refused() {
    for whole in samples() {
        let (rows, _) = read(&whole).unwrap();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(&whole).unwrap();
        let packed = packed.finish().unwrap();
        let mut noise = noise(1);
        for _ in 0..50 {
            // Without its end a packed file is refused even where a record ends.
            let cut = 1 + noise(packed.len() - 1);
            assert!(!survives(&packed[..cut]), "{cut} of {} packed bytes", packed.len());
            let cut = 1 + noise(whole.len() - 1);
            match read(&whole[..cut]) {
                Ok((fewer, _)) => assert!(fewer.len() < rows.len(), "cut between two records"),
                Err(problems) => {
                    assert!(problems[0].what.contains("record "), "{problems:?}");
                }
            }
        }
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        bz2.write_all(&whole).unwrap();
        for packed in [packed, bz2.finish().unwrap()] {
            let (again, _) = read(&packed).unwrap();
            assert_eq!(again, rows);
            assert!(!survives(&packed[..packed.len() - 1]), "the last byte is missing");
        }
    }
}

#[test]
fn changed_bytes_never_bring_the_reader_down() {
    for whole in samples() {
        let mut noise = noise(2);
        let mut refused = 0;
        for _ in 0..200 {
            let mut bytes = whole.clone();
            let at = noise(bytes.len());
            bytes[at] ^= 1 << noise(8);
            refused += usize::from(!survives(&bytes));
            bytes[noise(whole.len())] = noise(256) as u8;
            bytes[noise(whole.len())] = 0xff;
            survives(&bytes);
        }
        assert!(refused > 0, "none of 200 changes was noticed");
    }
}

#[test]
fn problems_of_bgplay_name_their_place() {
    let good = r#"{"data":{"query_starttime":"2008-02-24T18:45:00","sources":[{"id":"a","as_number":1,
        "ip":"192.0.2.1"}],"initial_state":[],"events":[{"timestamp":"2008-02-24T18:45:01","type":"A",
        "attrs":{"source_id":"a","target_prefix":"198.51.100.0/24","path":[1,2,[3,4]],
        "community":["1:2"]}}]}}"#;
    let mut rows: Vec<RouteObservation> = Vec::new();
    read_bgplay(&document("x.json", good), &mut rows).unwrap();
    assert_eq!(rows[0].as_path.to_string(), "1 2 {3,4}");
    for (from, to, place) in [
        ("{\"data\"", "{data", "not JSON"),
        ("\"data\"", "\"date\"", "data.query_starttime"),
        ("18:45:00", "25:45:00", "data.query_starttime"),
        ("18:45:01", "x", "data.events[0].timestamp"),
        ("\"A\"", "\"X\"", "data.events[0].type"),
        ("_id\":\"a\"", "_id\":\"b\"", "data.events[0].attrs.source_id"),
        ("100.0/24", "100.1/24", "data.events[0].attrs.target_prefix"),
        ("[1,2,", "[1,-2,", "data.events[0].attrs.path"),
        ("1:2", "1:99999", "data.events[0].attrs.community"),
        ("192.0.2.1", "192.0.2", "data.sources[0]"),
        ("\"events\":[", "\"events\":0,\"x\":[", "data.events: a list"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let mut rows: Vec<RouteObservation> = Vec::new();
        match read_bgplay(&document("x.json", bad.as_str()), &mut rows) {
            Err(RouteReadError::Input(error)) => {
                assert!(error.to_string().contains(place), "{from} -> {to}: {error}");
            }
            other => panic!("{from} -> {to}: {other:?}"),
        }
        assert!(rows.is_empty(), "nothing is given before all is known to be right");
    }
}
