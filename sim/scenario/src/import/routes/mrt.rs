//! MRT: what route collectors store.
//!
//! Format: RFC 6396, RFC 8050 (ADD-PATH), and the older forms still found in archives: updates of
//! type 5, tables with several entries a record. Files are plain, .gz or .bz2. Read by the library
//! `bgpkit-parser`, record by record, after [`structure`](super::structure) has checked the
//! lengths. Limits: 16 MiB a record (the library's), 64 GiB a file, 500 times the packed size.
//!
//! The library is not trusted to survive any input: a panic in it counts as a damaged record.

use super::record::{Records, Unusable, one_line};
use super::unpack::Unpacked;
use super::{Counting, RouteReadError, RouteSink, RoutesRead, structure};
use crate::import::common::draft::count_note;
use crate::import::common::problem::{E_LIMIT, E_SYNTAX, Problem, Problems};
use bgpkit_parser::models::MrtRecord;
use bgpkit_parser::{ParserError, RawMrtRecord, chunk_mrt_record};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How MRT is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MrtOptions {
    /// Leave out records that cannot be read, and count them, instead of refusing the file. A file
    /// that is cut off is refused all the same.
    pub skip_damaged: bool,
}

/// Reads a file to its end and gives its rows to `sink`, in file order; within an update first
/// what is withdrawn. `packed_bytes` is the size of the file on disk.
///
/// # Errors
/// [`RouteReadError::Input`] with all damaged records up to the first hundred or up to the place
/// where the next record cannot be found; [`RouteReadError::Sink`] if a row cannot be kept.
pub fn read_mrt(
    name: &str,
    input: impl Read,
    packed_bytes: u64,
    options: MrtOptions,
    sink: &mut dyn RouteSink,
) -> Result<RoutesRead, RouteReadError> {
    let mut unpacked = Unpacked::new(input, packed_bytes).map_err(|error| {
        Problem::new(E_LIMIT, name, format!("cannot be read: {error}"))
            .why("the import needs this file")
            .help("check the path and the permissions")
    })?;
    let mut out = Counting::new(sink);
    let mut records = Records::new();
    let mut problems = Problems::default();
    while !problems.is_full() {
        let place = Place { name, number: out.counts.records + 1, byte: unpacked.offset };
        let raw = match next(&mut unpacked, &place) {
            Ok(None) => break,
            Ok(Some(raw)) => raw,
            Err(problem) => {
                problems.push(problem);
                break;
            }
        };
        out.counts.records += 1;
        let taken = parse(raw, &mut records).and_then(|record| match record {
            Some(record) => records.take(record, &mut out),
            None => Ok(()),
        });
        match taken {
            Ok(()) => {}
            Err(Unusable::Stopped(error)) => return Err(error),
            Err(Unusable::Damaged(_)) if options.skip_damaged => {
                records.note("damaged [record|records]: left out");
            }
            Err(Unusable::Damaged(what)) => problems.push(place.damaged(&what)),
        }
    }
    let counts = out.finish();
    if counts.records == 0 {
        let problem = Problem::new(E_SYNTAX, name, "the file holds no record")
            .why("an empty file is no recording")
            .help("check that the file is the one you meant");
        problems.push(problem);
    }
    problems.finish(())?;
    let mut notes = Vec::new();
    for (what, times) in &records.tally {
        count_note(&mut notes, usize::try_from(*times).unwrap_or(usize::MAX), what);
    }
    Ok(RoutesRead { counts, notes })
}

/// A record in a file.
struct Place<'a> {
    name: &'a str,
    /// From 1.
    number: u64,
    /// Where it begins in the unfolded bytes, from 0.
    byte: u64,
}

impl Place<'_> {
    fn problem(&self, code: &'static str, what: &str) -> Problem {
        let (number, byte) = (self.number, self.byte);
        Problem::new(code, self.name, format!("record {number} at byte {byte}: {what}"))
    }

    fn damaged(&self, what: &str) -> Problem {
        self.problem(E_SYNTAX, what)
            .why("a part of the routes would be missing or wrong")
            .help("fetch the file again, or leave damaged records out with --skip-damaged")
    }
}

/// The next record, or none at the end.
fn next(unpacked: &mut Unpacked<'_>, place: &Place<'_>) -> Result<Option<RawMrtRecord>, Problem> {
    let read = catch_unwind(AssertUnwindSafe(|| chunk_mrt_record(&mut *unpacked)));
    let error = match read {
        Ok(Ok(raw)) => return Ok(Some(raw)),
        Ok(Err(error)) => error.error,
        Err(_) => ParserError::ParseError("it cannot be read".to_owned()),
    };
    let lost = |what: &str| {
        place
            .problem(E_SYNTAX, what)
            .why("where the next record begins cannot be known")
            .help("fetch the file again; check that it is an MRT file, plain, .gz or .bz2")
    };
    match error {
        ParserError::EofExpected => Ok(None),
        _ if unpacked.limited => Err(place
            .problem(E_LIMIT, "the file unfolds to more than it may")
            .why("sizes are limited so that a small file cannot keep the program busy for ever")
            .help("unpack the file yourself if you trust it")),
        ParserError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(lost("the file ends inside the record"))
        }
        ParserError::IoError(error) => Err(lost(&one_line(&error.to_string()))),
        ParserError::OversizedRecord { length } => {
            Err(lost(&format!("the record says it has {length} bytes, at most 16 MiB are read")))
        }
        error => Err(lost(&one_line(&error.to_string()))),
    }
}

/// The record read by the library; none if it is of another protocol.
fn parse(raw: RawMrtRecord, records: &mut Records) -> Result<Option<MrtRecord>, Unusable> {
    let (entry_type, subtype) =
        (raw.common_header.entry_type as u16, raw.common_header.entry_subtype);
    match (entry_type, subtype) {
        (structure::TABLE_DUMP_V2, 6 | 12) => {
            records.note("[record|records] of a kind of table that is not read: left out");
            return Ok(None);
        }
        (
            structure::BGP
            | structure::TABLE_DUMP
            | structure::TABLE_DUMP_V2
            | structure::BGP4MP
            | structure::BGP4MP_ET,
            _,
        ) => {}
        _ => {
            records.note("[record|records] of other protocols than BGP: left out");
            return Ok(None);
        }
    }
    structure::check(entry_type, subtype, &raw.message_bytes)?;
    let parsed = catch_unwind(AssertUnwindSafe(|| raw.parse()));
    match parsed {
        Ok(Ok(record)) => Ok(Some(record)),
        Ok(Err(error)) => Err(one_line(&error.to_string()).into()),
        Err(_) => Err("the record cannot be read".to_owned().into()),
    }
}
