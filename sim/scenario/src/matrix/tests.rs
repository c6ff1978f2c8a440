//! Round trips, the rules, and damaged files.

use super::*;
use proptest::prelude::*;

fn small() -> RecordedMatrix {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    RecordedMatrix {
        times: vec![SimTime(0), SimTime(300_000_000_000), SimTime(900_000_000_000)],
        pairs: vec![pair("a", "b"), pair("a", "c"), pair("b", "a")],
        rates_bps: vec![0.0, 1.5, 0.0, 0.0, 0.0, 0.0, 1e9, 0.1, 3.0],
    }
}

#[test]
fn what_is_written_is_read_even_where_all_is_zero() {
    let bytes = write(&small());
    assert_eq!(read(&bytes), Ok(small()));
    assert_eq!(bytes, write(&small()));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("steerlab-matrix/1"));
    assert!(!text.contains("parquet-rs"));
}

#[test]
fn csv_gives_the_same_table_and_missing_rows_are_zero() {
    let csv = "time_ns,from,to,rate_bps\n0,a,b,0\n0,a,c,1.5\n0,b,a,0\n300000000000,a,b,0\n\
               900000000000,a,b,1e9\n900000000000,a,c,0.1\n900000000000,b,a,3\n";
    assert_eq!(read(csv.as_bytes()), Ok(small()));
}

#[test]
fn broken_tables_are_refused_with_the_line() {
    let refused = |rows: &str, words: &[&str]| {
        let error = read(format!("time_ns,from,to,rate_bps\n{rows}").as_bytes()).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{error}");
        }
    };
    refused("0,a,b,NaN\n", &["line 2", "NaN"]);
    refused("0,a,b,inf\n", &["line 2", "inf"]);
    refused("0,a,b,-1\n", &["line 2", "-1"]);
    refused("-5,a,b,1\n", &["line 2", "-5"]);
    refused("7,a,b,1\n", &["line 2", "not 0"]);
    refused("0,a,c,1\n0,a,b,1\n", &["line 3", "sort"]);
    refused("0,a,c,1\n0,a,c,1\n", &["line 3", "once"]);
    refused("0,a,a,1\n", &["line 2", "itself"]);
    refused("0,,a,1\n", &["line 2", "1 to 128"]);
    refused("0,a\n", &["line 2", "2 fields"]);
    refused("x,a,b,1\n", &["line 2", "'x'"]);
    refused("0,a,b,x\n", &["line 2", "'x'"]);
    refused("", &["no rows"]);
    assert!(read(b"from,to\n").unwrap_err().contains("time_ns"));
    assert!(read(b"PAR1").is_err());
}

#[test]
fn cells_are_limited_even_where_rows_are_few() {
    let mut csv = String::from("time_ns,from,to,rate_bps\n");
    for row in 0..6_000 {
        csv.push_str(&format!("{row},a,b{row:05},1\n"));
    }
    assert!(read(csv.as_bytes()).unwrap_err().contains("cells"));
}

#[test]
fn a_negative_zero_becomes_zero() {
    let matrix = read(b"time_ns,from,to,rate_bps\n0,a,b,-0.0\n").unwrap();
    assert!(matrix.rates_bps[0].is_sign_positive());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_matrix_survives(
        gaps in proptest::collection::vec(1_u64..10_000, 0..6),
        names in proptest::collection::btree_set(("[a-c]{1,2}", "[d-f]{1,2}"), 1..6),
        seed in any::<u64>(),
    ) {
        let mut times = vec![SimTime(0)];
        for gap in gaps {
            times.push(SimTime(times.last().map_or(0, |time| time.0) + gap));
        }
        let pairs: Vec<_> = names.into_iter().collect();
        let rates_bps = (0..times.len() * pairs.len())
            .map(|cell| (seed.rotate_left(cell as u32) % 5) as f64 * 0.3)
            .collect();
        let matrix = RecordedMatrix { times, pairs, rates_bps };
        prop_assert_eq!(read(&write(&matrix)), Ok(matrix));
    }

    #[test]
    fn damaged_files_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = write(&small());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
        bytes.truncate(at);
        let _ = read(&bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = read(&[b"PAR1", &bytes[..], b"PAR1"].concat());
    }
}
