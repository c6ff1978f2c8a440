//! Files as they come: plain, .gz or .bz2, known by their first bytes, unfolded as they are read.

use std::io::{self, BufRead, BufReader, Read};

/// Most bytes a packed file may unfold to. A full table of today has about 2 GiB.
pub(super) const MAX_UNPACKED_BYTES: u64 = 64 << 30;

/// Most bytes unfolded for each packed byte, beyond the first 16 MiB. Real tables reach 12.
const MAX_RATIO: u64 = 500;

/// Bytes that may always be unfolded.
const ALWAYS_BYTES: u64 = 16 << 20;

/// A reader of the unfolded bytes that knows how far it is.
pub(super) struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    /// Unfolded bytes read so far.
    pub(super) offset: u64,
    limit: u64,
    /// Whether the limit was hit.
    pub(super) limited: bool,
}

impl<'a> Unpacked<'a> {
    /// Looks at the first bytes and chooses. `packed_bytes` is the size of the file as it lies on
    /// the disk.
    pub(super) fn new(input: impl Read + 'a, packed_bytes: u64) -> io::Result<Unpacked<'a>> {
        let mut input = BufReader::with_capacity(1 << 16, input);
        let start = input.fill_buf()?;
        let packed_limit = packed_bytes.saturating_mul(MAX_RATIO).saturating_add(ALWAYS_BYTES);
        let packed_limit = packed_limit.min(MAX_UNPACKED_BYTES);
        let (inner, limit): (Box<dyn Read + 'a>, u64) = if start.starts_with(b"\x1f\x8b") {
            (Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(input))), packed_limit)
        } else if start.starts_with(b"BZh") {
            (Box::new(BufReader::new(bzip2::bufread::MultiBzDecoder::new(input))), packed_limit)
        } else {
            (Box::new(input), MAX_UNPACKED_BYTES)
        };
        Ok(Unpacked { inner, offset: 0, limit, limited: false })
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // An end in the middle of packed data must not look like the end of the records.
        let read = self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
        })?;
        self.offset += read as u64;
        if self.offset > self.limit {
            self.limited = true;
            return Err(io::Error::other(format!("it unfolds to more than {} bytes", self.limit)));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn all(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Unpacked::new(bytes, bytes.len() as u64)?.read_to_end(&mut out)?;
        Ok(out)
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn bz2(bytes: &[u8]) -> Vec<u8> {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn all_kinds_and_several_streams_in_one_file() {
        let text = b"some text that is the same in every form".repeat(50);
        assert_eq!(all(&text).unwrap(), text);
        for pack in [gz, bz2] {
            assert_eq!(all(&pack(&text)).unwrap(), text);
            let twice = [pack(&text), pack(&text)].concat();
            assert_eq!(all(&twice).unwrap(), [text.clone(), text.clone()].concat());
            let packed = pack(&text);
            assert!(all(&packed[..packed.len() - 9]).is_err(), "cut off");
        }
        assert_eq!(all(b"").unwrap(), b"");
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bomb = gz(&vec![0; (ALWAYS_BYTES as usize) * 3]);
        assert!(bomb.len() as u64 * MAX_RATIO < ALWAYS_BYTES * 2, "zeros pack well");
        assert!(all(&bomb).unwrap_err().to_string().contains("unfolds"));
        let bomb = bz2(&vec![0; (ALWAYS_BYTES as usize) * 3]);
        assert!(all(&bomb).unwrap_err().to_string().contains("unfolds"));
    }
}
