//! Archives, entry by entry: tar, tar.gz, tar.xz.
//!
//! Nothing is ever written to disk. Limits: 4 GiB unfolded, 200 times the packed size, 200,000
//! entries, 64 MiB an entry, 256 MiB for the xz dictionary. Refused: entries outside the archive's
//! own folder, archives inside the archive, anything but files and folders.

use super::problem::{E_ARCHIVE, Problem, shown};
use super::text::MAX_TEXT_BYTES;
use crate::import::{Document, ImportError};
use std::io::{self, Read};
use tar::EntryType;

/// Most bytes an archive may unfold to.
const MAX_UNPACKED_BYTES: u64 = 4 << 30;

/// Most bytes unfolded for each packed byte, beyond the first mebibyte.
const MAX_RATIO: u64 = 200;

/// Most entries, folders included.
const MAX_ENTRIES: usize = 200_000;

/// Longest name of an entry that is carried in an entry of its own, bytes.
const MAX_LONG_NAME_BYTES: u64 = 64 << 10;

/// Memory for the xz dictionary, KiB.
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// How the bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Tar,
    TarGz,
    TarXz,
}

/// Takes an entry's name and bytes.
pub(crate) type Visitor<'a> = dyn FnMut(&str, &[u8]) -> Result<(), ImportError> + 'a;

/// What kind of archive it is, by its first bytes; none if it is none.
pub(crate) fn packing(document: &Document) -> Result<Option<Packing>, Problem> {
    let bytes = &document.bytes;
    if bytes.starts_with(b"\x1f\x8b") {
        return Ok(Some(Packing::TarGz));
    }
    if bytes.starts_with(b"\xfd7zXZ\0") {
        return Ok(Some(Packing::TarXz));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Ok(Some(Packing::Tar));
    }
    let other: [&[u8]; 4] = [b"PK\x03\x04", b"7z\xbc\xaf", b"BZh", b"\x28\xb5\x2f\xfd"];
    if other.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(Problem::new(E_ARCHIVE, &document.name, "this kind of archive is not read")
            .why("archives are read as .tar, .tar.gz or .tar.xz")
            .help("unpack it and give the folder"));
    }
    Ok(None)
}

/// Calls `visit` with every file of the archive, in its order.
pub(crate) fn for_each_file(
    document: &Document,
    packing: Packing,
    visit: &mut Visitor<'_>,
) -> Result<(), ImportError> {
    let packed = document.bytes.as_slice();
    let unpacked: Box<dyn Read + '_> = match packing {
        Packing::Tar => Box::new(packed),
        Packing::TarGz => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Packing::TarXz => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, XZ_MEMORY_KIB))
        }
    };
    let allowance = (packed.len() as u64).saturating_mul(MAX_RATIO).saturating_add(1 << 20);
    let left = allowance.min(MAX_UNPACKED_BYTES);
    let mut archive = tar::Archive::new(Limited { inner: unpacked, left });
    let damaged = |error: io::Error| {
        Problem::new(E_ARCHIVE, &document.name, format!("the archive cannot be read: {error}"))
            .why("a part of the data would be missing")
            .help("fetch the archive again, or unpack it and give the folder")
    };
    // Raw entries: long names are read here, with a limit, instead of by the library.
    let entries = archive.entries().map_err(damaged)?.raw(true);
    let mut long_name = None;
    for (number, entry) in entries.enumerate() {
        let mut entry = entry.map_err(damaged)?;
        let refuse = |what: String| {
            Problem::new(E_ARCHIVE, &document.name, what)
                .why("such an entry has no place in a data set")
                .help("unpack the archive with care and give the folder")
        };
        if number >= MAX_ENTRIES {
            return Err(refuse(format!("more than {MAX_ENTRIES} entries")).into());
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::GNULongName | EntryType::XHeader) {
            let mut bytes = Vec::new();
            entry.by_ref().take(MAX_LONG_NAME_BYTES).read_to_end(&mut bytes).map_err(damaged)?;
            let name = if kind == EntryType::XHeader { pax_path(&bytes) } else { Some(bytes) };
            long_name = name.or(long_name);
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned();
        check_name(&name).map_err(refuse)?;
        match kind {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => {
                let what = format!("entry {} is neither a file nor a folder", shown(&name));
                return Err(refuse(what).into());
            }
        }
        if entry.size() > MAX_TEXT_BYTES as u64 {
            let what = format!("entry {} has {} bytes", shown(&name), entry.size());
            return Err(refuse(format!("{what}, more than {MAX_TEXT_BYTES}")).into());
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(damaged)?;
        visit(&name, &bytes)?;
    }
    Ok(())
}

/// Refuses names outside the archive's folder and archives inside the archive.
fn check_name(name: &str) -> Result<(), String> {
    let outside = name.starts_with(['/', '\\'])
        || name.as_bytes().get(1) == Some(&b':')
        || name.split(['/', '\\']).any(|part| part == "..");
    if outside {
        return Err(format!("entry {} lies outside the archive's folder", shown(name)));
    }
    let lower = name.to_ascii_lowercase();
    let nested = [".tar", ".gz", ".tgz", ".xz", ".txz", ".zip", ".7z", ".bz2", ".zst"];
    if nested.iter().any(|ending| lower.ends_with(ending)) {
        return Err(format!("entry {} is an archive inside the archive", shown(name)));
    }
    Ok(())
}

/// The `path` record of a pax header: lines of `length key=value`.
fn pax_path(bytes: &[u8]) -> Option<Vec<u8>> {
    bytes.split(|&byte| byte == b'\n').find_map(|line| {
        let space = line.iter().position(|&byte| byte == b' ')?;
        line[space + 1..].strip_prefix(b"path=").map(<[u8]>::to_vec)
    })
}

/// A reader that ends in an error after so many bytes.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::other(format!(
                    "it unfolds to more than {MAX_RATIO} times its size or {MAX_UNPACKED_BYTES} \
                     bytes"
                )));
            }
        }
        Ok(read)
    }
}
