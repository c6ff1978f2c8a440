//! Just enough PNG to look at a screenshot: 8 bits per channel, RGB or RGBA, not interlaced.
//! Format: W3C, Portable Network Graphics, third edition.

use flate2::read::ZlibDecoder;
use std::collections::BTreeSet;
use std::io::Read;

/// A decoded picture, row by row.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    channels: usize,
    bytes: Vec<u8>,
}

impl Picture {
    /// Red, green and blue at a position.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * self.channels;
        [self.bytes[start], self.bytes[start + 1], self.bytes[start + 2]]
    }

    /// Number of different colours, counted up to `most`.
    pub fn colours(&self, most: usize) -> usize {
        let mut seen = BTreeSet::new();
        for pixel in self.bytes.chunks_exact(self.channels) {
            if seen.insert([pixel[0], pixel[1], pixel[2]]) && seen.len() >= most {
                break;
            }
        }
        seen.len()
    }

    /// Brightness, 0 to 255, of the most frequent brightness among the pixels of the left edge.
    pub fn background(&self) -> u8 {
        let mut counts = [0_u32; 256];
        for y in 0..self.height {
            let [red, green, blue] = self.pixel(0, y).map(u32::from);
            counts[((red * 299 + green * 587 + blue * 114) / 1000) as usize] += 1;
        }
        let most = counts.iter().enumerate().max_by_key(|(_, count)| **count);
        most.map_or(0, |(brightness, _)| brightness as u8)
    }
}

/// Decodes a picture.
pub fn decode(file: &[u8]) -> Result<Picture, String> {
    let mut rest = file.strip_prefix(b"\x89PNG\r\n\x1a\n").ok_or("not a PNG file")?;
    let (mut header, mut packed) = (None, Vec::new());
    while let Some((head, tail)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (body, tail) = tail.split_at_checked(length).ok_or("a chunk is cut off")?;
        match &head[4..] {
            b"IHDR" => header = Some(body),
            b"IDAT" => packed.extend_from_slice(body),
            _ => {}
        }
        rest = tail.get(4..).ok_or("a checksum is cut off")?;
    }
    let header: [u8; 13] =
        header.and_then(|body| body.try_into().ok()).ok_or("no header of 13 bytes")?;
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
    };
    let (width, height) = (number(0), number(4));
    let channels = match (header[8], header[9], header[12]) {
        (8, 2, 0) => 3,
        (8, 6, 0) => 4,
        other => return Err(format!("depth, colour type and interlacing {other:?} are not read")),
    };
    let mut filtered = Vec::new();
    ZlibDecoder::new(packed.as_slice())
        .read_to_end(&mut filtered)
        .map_err(|error| format!("the pixels do not unpack: {error}"))?;
    if filtered.len() != height * (width * channels + 1) {
        return Err("the number of pixels is wrong".to_owned());
    }
    let bytes = unfilter(&filtered, width * channels, channels)?;
    Ok(Picture { width, height, channels, bytes })
}

/// Undoes the filter of each row (section 9 of the specification).
fn unfilter(filtered: &[u8], row_length: usize, channels: usize) -> Result<Vec<u8>, String> {
    let mut above = vec![0; row_length];
    let mut bytes = Vec::with_capacity(filtered.len());
    for row in filtered.chunks_exact(row_length + 1) {
        let mut out = row[1..].to_vec();
        for at in 0..row_length {
            let left = if at < channels { 0 } else { out[at - channels] };
            let corner = if at < channels { 0 } else { above[at - channels] };
            let predicted = match row[0] {
                0 => 0,
                1 => left,
                2 => above[at],
                3 => left.midpoint(above[at]),
                4 => paeth(left, above[at], corner),
                other => return Err(format!("no row filter {other}")),
            };
            out[at] = out[at].wrapping_add(predicted);
        }
        bytes.extend_from_slice(&out);
        above = out;
    }
    Ok(bytes)
}

fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, above, corner].map(i16::from);
    let [to_left, to_above, to_corner] = [b - c, a - c, a + b - c - c].map(i16::abs);
    if to_left <= to_above && to_left <= to_corner {
        left
    } else if to_above <= to_corner {
        above
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        // The decoder does not look at checksums.
        [&length, kind.as_slice(), body, &[0; 4]].concat()
    }

    fn png(width: u8, height: u8, rows: &[u8]) -> Vec<u8> {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(rows).unwrap();
        let header = [0, 0, 0, width, 0, 0, 0, height, 8, 2, 0, 0, 0];
        let packed = packer.finish().unwrap();
        [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &packed)].concat()
    }

    #[test]
    fn every_filter_gives_the_pixels_back() {
        // The same two pixels (10 20 30, 40 50 60) in each row, by each filter.
        let rows = [
            [0, 10, 20, 30, 40, 50, 60],
            [1, 10, 20, 30, 30, 30, 30],
            [2, 0, 0, 0, 0, 0, 0],
            [3, 5, 10, 15, 15, 15, 15],
            [4, 0, 0, 0, 0, 0, 0],
        ];
        let picture = decode(&png(2, 5, rows.as_flattened())).unwrap();
        for y in 0..5 {
            assert_eq!(picture.pixel(0, y), [10, 20, 30], "row {y}");
            assert_eq!(picture.pixel(1, y), [40, 50, 60], "row {y}");
        }
        assert_eq!(picture.colours(99), 2);
        assert_eq!(picture.background(), 18);
    }

    #[test]
    fn broken_files_are_refused() {
        let whole = png(1, 1, &[0, 1, 2, 3]);
        assert!(decode(&whole).is_ok());
        assert!(decode(&whole[1..]).is_err());
        assert!(decode(&whole[..whole.len() - 6]).is_err());
        assert!(decode(&png(1, 2, &[0, 1, 2, 3])).is_err());
        assert!(decode(&png(1, 1, &[9, 1, 2, 3])).is_err());
    }
}
