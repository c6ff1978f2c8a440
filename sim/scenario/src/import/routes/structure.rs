//! Whether the lengths inside a record fit each other.
//!
//! The library that reads MRT takes what it can from a damaged record and goes on: an attribute
//! that claims more bytes than there are ends the list, an entry that does not fit ends the table.
//! A part of a record would then pass for all of it. So the lengths are walked first: RFC 6396 for
//! the records, RFC 4271 section 4.3 for the update inside.

/// MRT type of the oldest updates.
pub(super) const BGP: u16 = 5;
/// MRT type of the first tables.
pub(super) const TABLE_DUMP: u16 = 12;
/// MRT type of the tables since 2008.
pub(super) const TABLE_DUMP_V2: u16 = 13;
/// MRT type of updates.
pub(super) const BGP4MP: u16 = 16;
/// MRT type of updates with microseconds.
pub(super) const BGP4MP_ET: u16 = 17;

/// Bytes of a BGP message before its contents.
const BGP_HEADER_BYTES: usize = 19;
/// Type of a BGP message: UPDATE.
const UPDATE: u8 = 2;

/// Bytes not yet walked.
struct Walk<'a>(&'a [u8]);

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(format!("{what} needs {count} bytes and {} are left", self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self, what: &str) -> Result<usize, String> {
        self.take(1, what).map(|bytes| usize::from(bytes[0]))
    }

    fn u16(&mut self, what: &str) -> Result<usize, String> {
        self.take(2, what).map(|bytes| usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    fn end(&self, what: &str) -> Result<(), String> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(format!("{left} bytes follow {what}")),
        }
    }
}

/// Checks a record's body.
///
/// # Errors
/// The first length that does not fit, in words.
pub(super) fn check(entry_type: u16, subtype: u16, body: &[u8]) -> Result<(), String> {
    match (entry_type, subtype) {
        (TABLE_DUMP, 1) => table_dump(body, 4),
        (TABLE_DUMP, 2) => table_dump(body, 16),
        (TABLE_DUMP_V2, 2..=5) => rib(body, false, subtype >= 4),
        (TABLE_DUMP_V2, 8..=11) => rib(body, true, subtype >= 10),
        (BGP4MP | BGP4MP_ET, 1 | 6 | 8 | 10) => message(body, 2),
        (BGP4MP | BGP4MP_ET, 4 | 7 | 9 | 11) => message(body, 4),
        (BGP, 1) => {
            let mut walk = Walk(body);
            walk.take(12, "the peers")?;
            update(walk.0)
        }
        (BGP4MP | BGP4MP_ET, 2 | 3) => {
            Err("BGP4MP_ENTRY and BGP4MP_SNAPSHOT, long out of use, are not read".to_owned())
        }
        // The others hold no routes.
        _ => Ok(()),
    }
}

/// View and sequence number, then entries; all but the oldest writers put one into a record.
fn table_dump(body: &[u8], address_bytes: usize) -> Result<(), String> {
    let mut walk = Walk(body);
    walk.take(4, "view and sequence number")?;
    while !walk.0.is_empty() {
        walk.take(2 * address_bytes + 8, "a table entry")?;
        let length = walk.u16("a table entry")?;
        attributes(walk.take(length, "the attributes of a table entry")?)?;
    }
    Ok(())
}

fn rib(body: &[u8], add_path: bool, v6: bool) -> Result<(), String> {
    let mut walk = Walk(body);
    walk.take(4, "the sequence number")?;
    let bits = walk.u8("the prefix")?;
    if bits > if v6 { 128 } else { 32 } {
        return Err(format!("a prefix of {bits} bits"));
    }
    walk.take(bits.div_ceil(8), "the prefix")?;
    for _ in 0..walk.u16("the number of entries")? {
        walk.take(if add_path { 10 } else { 6 }, "a table entry")?;
        let length = walk.u16("a table entry")?;
        attributes(walk.take(length, "the attributes of a table entry")?)?;
    }
    walk.end("the last table entry")
}

fn message(body: &[u8], asn_bytes: usize) -> Result<(), String> {
    let mut walk = Walk(body);
    walk.take(2 * asn_bytes + 2, "the AS numbers of the session")?;
    let address_bytes = match walk.u16("the address family")? {
        1 => 4,
        2 => 16,
        // An old writer leaves the addresses of OPEN messages out; nothing else has such a value,
        // and the library refuses it.
        _ => return Ok(()),
    };
    walk.take(2 * address_bytes, "the addresses of the session")?;
    let message = walk.0;
    walk.take(16, "the marker of the BGP message")?;
    let length = walk.u16("the length of the BGP message")?;
    if length != message.len() || length < BGP_HEADER_BYTES {
        return Err(format!(
            "the BGP message says it has {length} bytes and the record has {}",
            message.len()
        ));
    }
    match message[BGP_HEADER_BYTES - 1] {
        UPDATE => update(&message[BGP_HEADER_BYTES..]),
        _ => Ok(()),
    }
}

fn update(body: &[u8]) -> Result<(), String> {
    let mut walk = Walk(body);
    let withdrawn = walk.u16("the length of the withdrawn prefixes")?;
    walk.take(withdrawn, "the list of withdrawn prefixes")?;
    let length = walk.u16("the length of the attributes")?;
    attributes(walk.take(length, "the list of attributes")?)
}

fn attributes(bytes: &[u8]) -> Result<(), String> {
    const EXTENDED_LENGTH: u8 = 0x10;
    let mut walk = Walk(bytes);
    while !walk.0.is_empty() {
        let head = walk.take(2, "an attribute")?;
        let (flags, code) = (head[0], head[1]);
        let length = match flags & EXTENDED_LENGTH {
            0 => walk.u8("an attribute")?,
            _ => walk.u16("an attribute")?,
        };
        walk.take(length, &format!("attribute {code}"))?;
    }
    Ok(())
}
