//! Words and small texts of BGP: communities, AS paths, router ids, relations.

use crate::quantity::Bad;
use steerlab_engine::route::bgp::{
    Community, MraiScope, Origin, Relation, Validation, Validity, Verdict,
};

/// A value that a word of the table stands for.
pub(crate) trait Word: Sized + Copy + 'static {
    /// All words with their values.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word.
    fn of(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }
}

impl Word for Verdict {
    const WORDS: &'static [(&'static str, Verdict)] =
        &[("accept", Verdict::Accept), ("reject", Verdict::Reject), ("next", Verdict::Next)];
}

impl Word for Origin {
    const WORDS: &'static [(&'static str, Origin)] =
        &[("igp", Origin::Igp), ("egp", Origin::Egp), ("incomplete", Origin::Incomplete)];
}

impl Word for Validity {
    const WORDS: &'static [(&'static str, Validity)] = &[
        ("valid", Validity::Valid),
        ("unknown", Validity::Unknown),
        ("invalid", Validity::Invalid),
    ];
}

impl Word for Validation {
    const WORDS: &'static [(&'static str, Validation)] = &[
        ("ignore", Validation::Ignore),
        ("drop", Validation::Drop),
        ("depreference", Validation::Depreference),
    ];
}

impl Word for MraiScope {
    const WORDS: &'static [(&'static str, MraiScope)] =
        &[("peer", MraiScope::Peer), ("prefix", MraiScope::Prefix)];
}

impl Word for Relation {
    const WORDS: &'static [(&'static str, Relation)] = &[
        ("customer", Relation::Customer),
        ("peer", Relation::Peer),
        ("route-server", Relation::RouteServer),
        ("provider", Relation::Provider),
        ("plain", Relation::Plain),
        ("ibgp", Relation::Internal),
        ("ibgp-client", Relation::ReflectorClient),
    ];
}

fn bad(what: &str, help: &str) -> Bad {
    Bad { code: "E0201", what: what.into(), help: help.into(), suggestion: None }
}

/// A whole number without sign; digits only, so that nothing is guessed.
fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// An AS number.
fn asn(text: &str) -> Option<u32> {
    whole(text).filter(|&number| number > 0)
}

const COMMUNITY_HELP: &str = "write `no-export`, `no-advertise`, `blackhole`, `64500:120`, \
    `64500:no-export-to:3356`, `64500:prepend-to:3356:2` or `64500:local-pref:80`; the first \
    number is the AS that acts";

/// A community such as `no-export`, `64500:120`, `64500:prepend-to:3356:2`.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn community(text: &str) -> Result<Community, Bad> {
    let parts: Vec<&str> = text.split(':').collect();
    let made = match parts.as_slice() {
        ["no-export"] => Some(Community::NoExport),
        ["no-advertise"] => Some(Community::NoAdvertise),
        ["blackhole"] => Some(Community::Blackhole),
        [at, value] => whole(at).zip(whole(value)).map(|(at, value)| Community::Plain(at, value)),
        [at, "no-export-to", to] => {
            asn(at).zip(asn(to)).map(|(at, to)| Community::NoExportTo { at, to })
        }
        [at, "prepend-to", to, times] => {
            let times = whole(times).filter(|times| (1..=100).contains(times));
            let pair = asn(at).zip(asn(to)).zip(times);
            pair.map(|((at, to), times)| Community::PrependTo { at, to, times })
        }
        [at, "local-pref", value] => {
            asn(at).zip(whole(value)).map(|(at, value)| Community::LocalPref { at, value })
        }
        _ => None,
    };
    made.ok_or_else(|| bad("is not a community", COMMUNITY_HELP))
}

/// A community as `community` reads it.
#[must_use]
pub fn community_text(community: &Community) -> String {
    match community {
        Community::NoExport => "no-export".into(),
        Community::NoAdvertise => "no-advertise".into(),
        Community::Blackhole => "blackhole".into(),
        Community::Plain(at, value) => format!("{at}:{value}"),
        Community::NoExportTo { at, to } => format!("{at}:no-export-to:{to}"),
        Community::PrependTo { at, to, times } => format!("{at}:prepend-to:{to}:{times}"),
        Community::LocalPref { at, value } => format!("{at}:local-pref:{value}"),
    }
}

/// An AS path: AS numbers with spaces between, nearest first.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn as_path(text: &str) -> Result<Vec<u32>, Bad> {
    text.split_whitespace().map(asn).collect::<Option<Vec<u32>>>().ok_or_else(|| {
        bad(
            "is not an AS path",
            "write AS numbers with spaces between, nearest first: `3356 64500`",
        )
    })
}

/// A router id or address: `10.0.0.1` or a whole number.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn address(text: &str) -> Result<u32, Bad> {
    let dotted = || {
        let parts: Vec<u8> = text.split('.').map(whole).collect::<Option<_>>()?;
        <[u8; 4]>::try_from(parts).ok().map(u32::from_be_bytes)
    };
    whole(text).or_else(dotted).ok_or_else(|| {
        bad("is not an address", "write `10.0.0.1`, or a whole number below 4294967296")
    })
}

/// The name of a prefix: an address block such as `192.0.2.0/24`, or an id.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn prefix_name(text: &str) -> Result<(), Bad> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    if !text.is_empty() && text.len() <= crate::limits::ID_BYTES_MAX && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(Bad {
        code: "E0204",
        what: "is not a prefix".into(),
        help: "write an address block such as `192.0.2.0/24`, or an id".into(),
        suggestion: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communities_are_read_and_written_alike() {
        let texts = [
            "no-export",
            "no-advertise",
            "blackhole",
            "64500:120",
            "64500:no-export-to:3356",
            "64500:prepend-to:3356:2",
            "64500:local-pref:80",
        ];
        for text in texts {
            assert_eq!(community_text(&community(text).unwrap()), text);
        }
        for text in ["", "no-exprt", "1:2:3", "0:no-export-to:1", "1:prepend-to:2:0", "1:-2", "1:"]
        {
            assert!(community(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_and_addresses_are_read_strictly() {
        assert_eq!(as_path("3 2  1").unwrap(), [3, 2, 1]);
        assert_eq!(as_path("").unwrap(), Vec::<u32>::new());
        assert!(as_path("3-2-1").is_err() && as_path("0").is_err() && as_path("+1").is_err());
        assert_eq!(address("10.0.0.1").unwrap(), 0x0a00_0001);
        assert_eq!(address("7").unwrap(), 7);
        assert!(address("10.0.0").is_err() && address("10.0.0.256").is_err());
        assert!(address("4294967296").is_err() && prefix_name("a b").is_err());
        assert!(prefix_name("192.0.2.0/24").is_ok());
    }
}
