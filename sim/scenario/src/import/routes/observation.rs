//! One row: what one peer of a collector said about one prefix at one instant.

use std::fmt;
use std::net::IpAddr;

/// An address block in its only form: no bits set behind the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// The route was in the table at that instant.
    Table,
    /// The route was announced.
    Announce,
    /// The peer's route to the prefix was withdrawn.
    Withdraw,
}

/// ORIGIN of RFC 4271, section 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteOrigin {
    /// Interior to the originating AS.
    Igp,
    /// Learned by EGP.
    Egp,
    /// Anything else.
    Incomplete,
}

/// A run of AS numbers in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathSegment {
    /// Passed one after the other, nearest first; prepended ones are there as often as sent.
    Sequence(Vec<u32>),
    /// Passed in an unknown order (an aggregate), as sent.
    Set(Vec<u32>),
    /// Members of a confederation, in order (RFC 5065).
    ConfedSequence(Vec<u32>),
    /// Members of a confederation in an unknown order (RFC 5065).
    ConfedSet(Vec<u32>),
}

/// An AS path. Shown as `701 7018 {1,2}`: a set in braces, members of a confederation in
/// parentheses, a set of them in square brackets. Empty if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservedPath(pub Vec<PathSegment>);

/// A community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Community {
    /// RFC 1997: two halves. The well-known ones are numbers, too: 65535:65281 is no-export.
    Plain(u16, u16),
    /// RFC 8092.
    Large(u32, u32, u32),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteObservation {
    /// Microseconds since 1970-01-01T00:00:00Z: for a table when it was written, for an update
    /// when it came.
    pub time_us: u64,
    /// AS number of the collector's peer.
    pub peer_asn: u32,
    /// Address of the collector's peer.
    pub peer_address: IpAddr,
    /// What the route leads to.
    pub prefix: Prefix,
    /// What the row says.
    pub kind: RouteKind,
    /// AS path as the peer sent it; empty for a withdrawal.
    pub as_path: ObservedPath,
    /// ORIGIN, where there is one.
    pub origin: Option<RouteOrigin>,
    /// MULTI_EXIT_DISC, where there is one.
    pub med: Option<u32>,
    /// LOCAL_PREF, where there is one (collectors rarely see any).
    pub local_pref: Option<u32>,
    /// Communities in the order sent; extended ones are left out.
    pub communities: Vec<Community>,
    /// Next hop, where there is one.
    pub next_hop: Option<IpAddr>,
}

impl Prefix {
    /// The block with this address in it; bits behind the length are cleared. None if the length
    /// exceeds 32 for IPv4 or 128 for IPv6.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Prefix> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::from((u32::from(v4) & mask).to_be_bytes())
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::from((u128::from(v6) & mask).to_be_bytes())
            }
            _ => return None,
        };
        Some(Prefix { address, length })
    }

    /// Reads `192.0.2.0/24` or `2001:db8::/32`. None for anything else; bits behind the length
    /// must be clear, as they would be lost.
    #[must_use]
    pub fn parse(text: &str) -> Option<Prefix> {
        let (address, length) = text.split_once('/')?;
        if !(1..=3).contains(&length.len()) || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let address: IpAddr = address.parse().ok()?;
        Prefix::new(address, length.parse().ok()?).filter(|prefix| prefix.address == address)
    }

    /// Its first address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Number of leading bits that are fixed.
    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }
}

impl RouteKind {
    /// `table`, `announce` or `withdraw`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RouteKind::Table => "table",
            RouteKind::Announce => "announce",
            RouteKind::Withdraw => "withdraw",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<RouteKind> {
        let kinds = [RouteKind::Table, RouteKind::Announce, RouteKind::Withdraw];
        kinds.into_iter().find(|kind| kind.name() == text)
    }
}

impl RouteOrigin {
    /// `igp`, `egp` or `incomplete`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RouteOrigin::Igp => "igp",
            RouteOrigin::Egp => "egp",
            RouteOrigin::Incomplete => "incomplete",
        }
    }
}

impl ObservedPath {
    /// A path of one sequence; empty if it is.
    #[must_use]
    pub fn sequence(asns: Vec<u32>) -> ObservedPath {
        ObservedPath(if asns.is_empty() { Vec::new() } else { vec![PathSegment::Sequence(asns)] })
    }

    /// Whether there is no AS in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads what [`fmt::Display`] writes. None for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<ObservedPath> {
        let mut segments: Vec<PathSegment> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if !segments.is_empty() {
                rest = rest.strip_prefix(' ')?;
            }
            let closing = match rest.as_bytes().first()? {
                b'{' => '}',
                b'(' => ')',
                b'[' => ']',
                _ => {
                    let end = rest.find(['{', '(', '[']).map_or(rest.len(), |at| at - 1);
                    segments.push(PathSegment::Sequence(numbers(rest.get(..end)?, ' ')?));
                    rest = &rest[end..];
                    continue;
                }
            };
            let end = rest.find(closing)?;
            let inside = &rest[1..end];
            segments.push(match closing {
                '}' => PathSegment::Set(numbers(inside, ',')?),
                ')' => PathSegment::ConfedSequence(numbers(inside, ' ')?),
                _ => PathSegment::ConfedSet(numbers(inside, ',')?),
            });
            rest = &rest[end + 1..];
        }
        Some(ObservedPath(segments))
    }
}

/// AS numbers, at least one, in decimal without sign or leading zeros.
fn numbers(text: &str, between: char) -> Option<Vec<u32>> {
    text.split(between).map(parse_asn).collect()
}

/// An AS number in plain decimal: `64512`, not `AS64512`, `064512` or `0.64512`.
pub(crate) fn parse_asn(text: &str) -> Option<u32> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for Prefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.address, self.length)
    }
}

impl fmt::Display for Community {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Community::Plain(high, low) => write!(out, "{high}:{low}"),
            Community::Large(admin, first, second) => write!(out, "{admin}:{first}:{second}"),
        }
    }
}

impl fmt::Display for ObservedPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            let (open, between, close, asns) = match segment {
                PathSegment::Sequence(asns) => ("", ' ', "", asns),
                PathSegment::Set(asns) => ("{", ',', "}", asns),
                PathSegment::ConfedSequence(asns) => ("(", ' ', ")", asns),
                PathSegment::ConfedSet(asns) => ("[", ',', "]", asns),
            };
            write!(out, "{}{open}", if index > 0 { " " } else { "" })?;
            for (index, asn) in asns.iter().enumerate() {
                if index > 0 {
                    write!(out, "{between}")?;
                }
                write!(out, "{asn}")?;
            }
            out.write_str(close)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_have_one_form() {
        let prefix = Prefix::new("192.0.2.77".parse().unwrap(), 24).unwrap();
        assert_eq!(prefix.to_string(), "192.0.2.0/24");
        assert_eq!(Prefix::parse("192.0.2.0/24"), Some(prefix));
        let v6 = Prefix::new("2001:db8::1".parse().unwrap(), 32).unwrap();
        assert_eq!(v6.to_string(), "2001:db8::/32");
        assert_eq!(Prefix::parse("0.0.0.0/0").unwrap().length(), 0);
        assert_eq!(Prefix::parse("::/0").unwrap().to_string(), "::/0");
        for bad in ["192.0.2.1/24", "192.0.2.0", "192.0.2.0/33", "::/129", "x/8", "1.0.0.0/+8"] {
            assert_eq!(Prefix::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn paths_read_back() {
        for text in ["", "701", "701 701 7018", "{1,2}", "701 {1,2}", "(65001 65002) 701 [3,4] {5}"]
        {
            let path = ObservedPath::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(path.to_string(), text);
        }
        let bad = [" 701", "701 ", "701  702", "x", "{1", "{}", "701{1}", "1}", "AS1", "01", "-1"];
        for text in bad.into_iter().chain(["4294967296", "(1,2)", "{1 2}"]) {
            assert_eq!(ObservedPath::parse(text), None, "{text}");
        }
    }
}
