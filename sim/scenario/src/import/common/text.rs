//! From bytes to text, and from offsets to lines and columns.

use super::problem::{E_LIMIT, E_SYNTAX, Problem};

/// Largest file that is read as one text, bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 64 << 20;

/// A file's text and the name it goes by in messages.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: std::borrow::Cow<'a, str>,
    /// The bytes were no UTF-8 and were read as Latin-1.
    pub(crate) latin1: bool,
}

impl<'a> Text<'a> {
    /// Decodes UTF-8 (with or without byte-order mark), anything else as Latin-1.
    pub(crate) fn decode(file: &'a str, bytes: &'a [u8]) -> Result<Text<'a>, Problem> {
        if bytes.len() > MAX_TEXT_BYTES {
            return Err(Problem::new(E_LIMIT, file, format!("the file has {} bytes", bytes.len()))
                .why(format!("the limit is {MAX_TEXT_BYTES} bytes"))
                .help("split the file or import a part of it"));
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Problem::new(E_SYNTAX, file, "the file is UTF-16")
                .why("text is read as UTF-8 or Latin-1")
                .help("convert it: iconv -f UTF-16 -t UTF-8"));
        }
        if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
            return Err(Problem::new(E_SYNTAX, file, format!("byte {at} is zero"))
                .why("a text file holds no zero bytes, so this is some other kind of file")
                .help("check that the file is the one you meant"));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Text { file, text: text.into(), latin1: false }),
            Err(_) => {
                let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
                Ok(Text { file, text: text.into(), latin1: true })
            }
        }
    }

    /// Adds the remark that the file was no UTF-8, if so.
    pub(crate) fn note_encoding(&self, notes: &mut Vec<String>) {
        if self.latin1 {
            notes.push(format!(
                "{}: encoding: invalid UTF-8 read as Latin-1",
                super::names::base_name(self.file)
            ));
        }
    }

    /// Line and column, from 1, of a byte offset.
    pub(crate) fn place(&self, offset: usize) -> (u32, u32) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line as u32, before[start..].chars().count() as u32 + 1)
    }

    /// A problem at a byte offset.
    pub(crate) fn problem(
        &self,
        code: &'static str,
        offset: usize,
        what: impl Into<String>,
    ) -> Problem {
        Problem::new(code, self.file, what).at(self.place(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines() {
        let text = Text::decode("f", "aé\nüb".as_bytes()).unwrap();
        assert_eq!(text.place(0), (1, 1));
        assert_eq!(text.place(3), (1, 3));
        assert_eq!(text.place(4), (2, 1));
        assert_eq!(text.place(5), (2, 1));
        assert_eq!(text.place(6), (2, 2));
        assert_eq!(text.place(999), (2, 3));
    }

    #[test]
    fn encodings() {
        let marked = Text::decode("f", b"\xef\xbb\xbfa").unwrap();
        assert_eq!((&*marked.text, marked.latin1), ("a", false));
        let latin = Text::decode("f", b"M\xfcnchen").unwrap();
        assert_eq!((&*latin.text, latin.latin1), ("München", true));
        assert_eq!(Text::decode("f", b"\xff\xfea\0").unwrap_err().code, E_SYNTAX);
        assert_eq!(Text::decode("f", b"a\0b").unwrap_err().code, E_SYNTAX);
    }
}
