//! Ids that the scenario language takes, from names that people gave.

use std::collections::{BTreeMap, BTreeSet};

/// Longest id, bytes.
const MAX_ID_BYTES: usize = 128;

/// Hands out ids: `[A-Za-z0-9._-]`, 1 to 128 characters, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    used: BTreeSet<String>,
    /// Next suffix to try for a name that was used.
    next: BTreeMap<String, u32>,
}

impl Names {
    /// An id close to `name`; `fallback` where nothing of it is left.
    pub(crate) fn claim(&mut self, name: &str, fallback: &str) -> String {
        let base = sanitised(name);
        let base = if base.is_empty() { fallback.to_owned() } else { base };
        if self.used.insert(base.clone()) {
            return base;
        }
        let next = self.next.entry(base.clone()).or_insert(2);
        loop {
            let suffix = format!("-{next}");
            *next += 1;
            let mut id = base.clone();
            id.truncate(MAX_ID_BYTES - suffix.len());
            id.push_str(&suffix);
            if self.used.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// The name with every other character replaced: accents dropped, the rest a single `-`.
pub(crate) fn sanitised(name: &str) -> String {
    let mut id = String::new();
    for character in name.chars() {
        match plain(character) {
            Some(letters) => id.push_str(letters),
            None if character.is_ascii_alphanumeric() || "._-".contains(character) => {
                id.push(character);
            }
            None if id.ends_with('-') => {}
            None => id.push('-'),
        }
        if id.len() >= MAX_ID_BYTES {
            break;
        }
    }
    id.truncate(MAX_ID_BYTES);
    // A name that was valid stays as it is; a `-` made here at an end is noise.
    if id != name {
        id = id.trim_matches('-').to_owned();
    }
    id
}

/// Letters without their accents.
fn plain(character: char) -> Option<&'static str> {
    const TABLE: [(&str, &str); 32] = [
        ("àáâãäåāăą", "a"),
        ("ÀÁÂÃÄÅĀĂĄ", "A"),
        ("çćĉċč", "c"),
        ("ÇĆĈĊČ", "C"),
        ("ďđð", "d"),
        ("ĎĐÐ", "D"),
        ("èéêëēĕėęě", "e"),
        ("ÈÉÊËĒĔĖĘĚ", "E"),
        ("ĝğġģ", "g"),
        ("ĜĞĠĢ", "G"),
        ("ìíîïĩīĭįı", "i"),
        ("ÌÍÎÏĨĪĬĮİ", "I"),
        ("ĺļľŀł", "l"),
        ("ĹĻĽĿŁ", "L"),
        ("ñńņň", "n"),
        ("ÑŃŅŇ", "N"),
        ("òóôõöøōŏő", "o"),
        ("ÒÓÔÕÖØŌŎŐ", "O"),
        ("ŕŗř", "r"),
        ("ŔŖŘ", "R"),
        ("śŝşš", "s"),
        ("ŚŜŞŠ", "S"),
        ("ţťŧ", "t"),
        ("ŢŤŦ", "T"),
        ("ùúûüũūŭůűų", "u"),
        ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
        ("ýÿ", "y"),
        ("Ý", "Y"),
        ("źżž", "z"),
        ("ŹŻŽ", "Z"),
        ("ß", "ss"),
        ("æ", "ae"),
    ];
    if character.is_ascii() {
        return None;
    }
    TABLE.iter().find(|(letters, _)| letters.contains(character)).map(|(_, plain)| *plain)
}

/// The last part of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The last part of a path without its endings.
pub(crate) fn stem(path: &str) -> &str {
    let name = base_name(path);
    match name.find('.') {
        Some(at) if at > 0 => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_valid_and_unique() {
        let mut names = Names::default();
        assert_eq!(names.claim("0_New_York", "node"), "0_New_York");
        assert_eq!(names.claim("Zürich (CH)", "node"), "Zurich-CH");
        assert_eq!(names.claim("Zurich CH", "node"), "Zurich-CH-2");
        assert_eq!(names.claim("日本", "node"), "node");
        assert_eq!(names.claim("", "node"), "node-2");
        assert_eq!(names.claim("node-2", "node"), "node-2-2");
        assert_eq!(names.claim("a: {b}\n#", "node"), "a-b");
        assert_eq!(names.claim("-x-", "node"), "-x-");
        let long = "x".repeat(500);
        assert_eq!(names.claim(&long, "node").len(), 128);
        let second = names.claim(&long, "node");
        assert!(second.len() == 128 && second.ends_with("x-2"));
    }

    #[test]
    fn paths() {
        assert_eq!(base_name("a/b.c/d.tar.xz"), "d.tar.xz");
        assert_eq!(stem("a/b.c/d.tar.xz"), "d");
        assert_eq!(stem("Abilene.0000.demands"), "Abilene");
        assert_eq!(stem(".hidden"), ".hidden");
    }
}
