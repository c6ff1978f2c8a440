//! From records as the library reads them to rows.

use super::observation::{
    Community, ObservedPath, PathSegment, Prefix, RouteKind, RouteObservation, RouteOrigin,
};
use super::{Counting, RouteReadError};
use bgpkit_parser::error::BgpValidationWarning as Oddity;
use bgpkit_parser::models::{
    AsPath, AsPathSegment, AttrRaw, AttrType, AttributeValue, Attributes, Bgp4MpEnum, BgpMessage,
    BgpUpdateMessage, CommonHeader, Community as Plain, LegacyBgp, MrtMessage, MrtRecord,
    NetworkPrefix, Origin, PeerIndexTable, RibAfiEntries, Safi, TableDumpMessage,
    TableDumpV2Message,
};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Why a record gave no rows.
pub(super) enum Unusable {
    /// The record itself is wrong.
    Damaged(String),
    /// The rows went nowhere.
    Stopped(RouteReadError),
}

impl From<String> for Unusable {
    fn from(what: String) -> Unusable {
        Unusable::Damaged(what)
    }
}

/// Turns records into rows, one record after the other.
pub(super) struct Records {
    peers: Option<PeerIndexTable>,
    /// What was left out or looked odd, and how often. Each text has a `[one|many]` choice.
    pub(super) tally: BTreeMap<&'static str, u64>,
}

/// Who said it, and when.
#[derive(Clone, Copy)]
struct Said {
    time_us: u64,
    peer_asn: u32,
    peer_address: IpAddr,
}

/// What the attributes of a route say.
#[derive(Default)]
struct Facts {
    as_path: Option<AsPath>,
    as4_path: Option<AsPath>,
    origin: Option<RouteOrigin>,
    med: Option<u32>,
    local_pref: Option<u32>,
    communities: Vec<Community>,
    next_hop: Option<IpAddr>,
    announced: Vec<NetworkPrefix>,
    withdrawn: Vec<NetworkPrefix>,
}

impl Records {
    pub(super) fn new() -> Records {
        Records { peers: None, tally: BTreeMap::new() }
    }

    /// Counts something worth a note.
    pub(super) fn note(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// Gives the rows of a record.
    pub(super) fn take(
        &mut self,
        record: MrtRecord,
        out: &mut Counting<'_>,
    ) -> Result<(), Unusable> {
        let time_us = time_us(&record.common_header);
        match record.message {
            MrtMessage::TableDumpMessage(entry) => self.table_entry(time_us, entry, out),
            MrtMessage::TableDumpMessageBatch(entries) => {
                entries.into_iter().try_for_each(|entry| self.table_entry(time_us, entry, out))
            }
            MrtMessage::TableDumpV2Message(TableDumpV2Message::PeerIndexTable(peers)) => {
                self.peers = Some(peers);
                Ok(())
            }
            MrtMessage::TableDumpV2Message(TableDumpV2Message::RibAfi(rib)) => {
                self.rib(time_us, rib, out)
            }
            MrtMessage::TableDumpV2Message(_) => {
                self.note("[record|records] of a kind of table that is not read: left out");
                Ok(())
            }
            MrtMessage::Bgp4Mp(Bgp4MpEnum::Message(message)) => {
                let peer_asn = u32::from(message.peer_asn);
                let said = Said { time_us, peer_asn, peer_address: message.peer_ip };
                self.message(said, message.bgp_message, out)
            }
            MrtMessage::LegacyBgp(LegacyBgp::Message(message)) => {
                let peer_asn = u32::from(message.peer_asn);
                let said = Said { time_us, peer_asn, peer_address: message.peer_ip };
                self.message(said, message.bgp_message, out)
            }
            MrtMessage::Bgp4Mp(Bgp4MpEnum::StateChange(_))
            | MrtMessage::LegacyBgp(LegacyBgp::StateChange(_)) => {
                out.counts.state_changes += 1;
                Ok(())
            }
        }
    }

    fn table_entry(
        &mut self,
        time_us: u64,
        entry: TableDumpMessage,
        out: &mut Counting<'_>,
    ) -> Result<(), Unusable> {
        let peer_asn = u32::from(entry.peer_asn);
        let said = Said { time_us, peer_asn, peer_address: entry.peer_ip };
        let facts = self.facts(entry.attributes, Within::Table)?;
        self.rows(said, RouteKind::Table, &[entry.prefix], &facts, out)
    }

    fn rib(
        &mut self,
        time_us: u64,
        rib: RibAfiEntries,
        out: &mut Counting<'_>,
    ) -> Result<(), Unusable> {
        use bgpkit_parser::models::TableDumpV2Type as Kind;
        let unicast = [
            Kind::RibIpv4Unicast,
            Kind::RibIpv6Unicast,
            Kind::RibIpv4UnicastAddPath,
            Kind::RibIpv6UnicastAddPath,
        ];
        if !unicast.contains(&rib.rib_type) {
            self.note("[record|records] of multicast tables: left out");
            return Ok(());
        }
        for entry in rib.rib_entries {
            let Some(peers) = &self.peers else {
                return Err("a table without the list of peers before it".to_owned().into());
            };
            let Some(peer) = peers.get_peer_by_id(&entry.peer_index) else {
                let known = peers.id_peer_map.len();
                let what = format!("peer {} of a list of {known} peers", entry.peer_index);
                return Err(what.into());
            };
            let peer_asn = u32::from(peer.peer_asn);
            let said = Said { time_us, peer_asn, peer_address: peer.peer_ip };
            if entry.path_id.is_some() {
                self.note(ADD_PATH);
            }
            let facts = self.facts(entry.attributes, Within::Table)?;
            self.rows(said, RouteKind::Table, &[rib.prefix], &facts, out)?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        said: Said,
        message: BgpMessage,
        out: &mut Counting<'_>,
    ) -> Result<(), Unusable> {
        let BgpMessage::Update(update) = message else { return Ok(()) };
        let BgpUpdateMessage { withdrawn_prefixes, attributes, announced_prefixes } = update;
        let facts = self.facts(attributes, Within::Update)?;
        if facts.as_path.is_none() && !(announced_prefixes.is_empty() && facts.announced.is_empty())
        {
            return Err("an announcement without AS_PATH".to_owned().into());
        }
        // RFC 4271 section 4.3: a prefix that is both withdrawn and announced is announced.
        for list in [&withdrawn_prefixes, &facts.withdrawn] {
            self.rows(said, RouteKind::Withdraw, list, &Facts::default(), out)?;
        }
        for list in [&announced_prefixes, &facts.announced] {
            self.rows(said, RouteKind::Announce, list, &facts, out)?;
        }
        Ok(())
    }

    fn rows(
        &mut self,
        said: Said,
        kind: RouteKind,
        prefixes: &[NetworkPrefix],
        facts: &Facts,
        out: &mut Counting<'_>,
    ) -> Result<(), Unusable> {
        if prefixes.is_empty() {
            return Ok(());
        }
        let as_path = facts.path();
        for prefix in prefixes {
            let (address, length) = (prefix.prefix.addr(), prefix.prefix.prefix_len());
            let known = Prefix::new(address, length);
            let known = known.ok_or_else(|| format!("prefix {address}/{length}"))?;
            if known.address() != address {
                self.note("[prefix|prefixes] with bits set behind its length: cleared");
            }
            if prefix.path_id.is_some() {
                self.note(ADD_PATH);
            }
            out.take(&RouteObservation {
                time_us: said.time_us,
                peer_asn: said.peer_asn,
                peer_address: said.peer_address,
                prefix: known,
                kind,
                as_path: as_path.clone(),
                origin: facts.origin,
                med: facts.med,
                local_pref: facts.local_pref,
                communities: facts.communities.clone(),
                next_hop: facts.next_hop,
            })
            .map_err(Unusable::Stopped)?;
        }
        Ok(())
    }

    fn facts(&mut self, attributes: Attributes, within: Within) -> Result<Facts, Unusable> {
        for oddity in attributes.validation_warnings() {
            if let Some(what) = damage(oddity) {
                return Err(what.into());
            }
            self.note(
                "[attribute that breaks|attributes that break] RFC 4271 without harm to a row",
            );
        }
        let mut facts = Facts::default();
        for value in attributes {
            if let AttributeValue::Raw(raw) = &value
                && is_unicast(raw.code, &raw.bytes, within)
            {
                return Err(format!("attribute {} cannot be read", raw.code).into());
            }
            facts.learn(value, self);
        }
        if within == Within::Table && facts.as_path.is_none() {
            // Some routers put routes into their tables that are none of BGP.
            self.note("[route|routes] of tables without AS_PATH: the path is empty");
        }
        Ok(facts)
    }
}

/// Where attributes stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Table,
    Update,
}

/// Whether an attribute that the library could not read is a list of unicast prefixes. It leaves
/// those of other families unread, too, which is no loss here. In a table the list is cut down to
/// the next hop and names no family (RFC 6396 section 4.3.4).
fn is_unicast(code: u8, bytes: &[u8], within: Within) -> bool {
    const REACH: u8 = 14;
    const UNREACH: u8 = 15;
    let other =
        matches!(bytes, [high, low, safi, ..] if !matches!((high, low, safi), (0, 1 | 2, 1)));
    (code == REACH || code == UNREACH) && (within == Within::Table || !other)
}

const ADD_PATH: &str = "[route|routes] of several to one prefix (ADD-PATH): their ids are left out";

impl Facts {
    /// Takes over one attribute. Of several of a kind the first holds (RFC 7606 section 3).
    fn learn(&mut self, value: AttributeValue, records: &mut Records) {
        fn first<T>(place: &mut Option<T>, value: T) {
            place.get_or_insert(value);
        }
        match value {
            AttributeValue::Origin(origin) => first(
                &mut self.origin,
                match origin {
                    Origin::IGP => RouteOrigin::Igp,
                    Origin::EGP => RouteOrigin::Egp,
                    Origin::INCOMPLETE => RouteOrigin::Incomplete,
                },
            ),
            AttributeValue::AsPath(path) => first(&mut self.as_path, path),
            AttributeValue::As4Path(path) => first(&mut self.as4_path, path),
            AttributeValue::NextHop(address) => first(&mut self.next_hop, address),
            AttributeValue::MultiExitDiscriminator(med) => first(&mut self.med, med),
            AttributeValue::LocalPreference(value) => first(&mut self.local_pref, value),
            AttributeValue::Communities(list) => {
                self.communities.extend(list.iter().map(plain_community));
            }
            AttributeValue::LargeCommunities(list) => {
                self.communities.extend(list.iter().map(|one| {
                    Community::Large(one.global_admin, one.local_data[0], one.local_data[1])
                }));
            }
            AttributeValue::MpReachNlri(nlri) if nlri.safi == Safi::Unicast => {
                if let Some(next_hop) = &nlri.next_hop {
                    first(&mut self.next_hop, next_hop.global_addr());
                }
                self.announced.extend(nlri.prefixes);
            }
            AttributeValue::MpUnreachNlri(nlri) if nlri.safi == Safi::Unicast => {
                self.withdrawn.extend(nlri.prefixes);
            }
            AttributeValue::MpReachNlri(_)
            | AttributeValue::MpUnreachNlri(_)
            | AttributeValue::Raw(AttrRaw { code: 14 | 15, .. }) => {
                records.note("[list|lists] of other than unicast prefixes: left out");
            }
            _ => {}
        }
    }

    /// The path with the four-byte numbers put back (RFC 6793 section 4.2.3).
    fn path(&self) -> ObservedPath {
        match (&self.as_path, &self.as4_path) {
            (None, _) => ObservedPath::default(),
            (Some(path), None) => observed(path),
            (Some(path), Some(long)) => observed(&AsPath::merge_aspath_as4path(path, long)),
        }
    }
}

fn observed(path: &AsPath) -> ObservedPath {
    let mut segments: Vec<PathSegment> = Vec::new();
    for segment in path.iter_segments() {
        let asns: Vec<u32> = segment.as_ref().iter().map(|asn| u32::from(*asn)).collect();
        if asns.is_empty() {
            continue;
        }
        match (segment, segments.last_mut()) {
            // Two sequences in a row are one: a path of more than 255 numbers is sent in parts.
            (AsPathSegment::AsSequence(_), Some(PathSegment::Sequence(before))) => {
                before.extend(asns);
            }
            (AsPathSegment::AsSequence(_), _) => segments.push(PathSegment::Sequence(asns)),
            (AsPathSegment::AsSet(_), _) => segments.push(PathSegment::Set(asns)),
            (AsPathSegment::ConfedSequence(_), _) => {
                segments.push(PathSegment::ConfedSequence(asns));
            }
            (AsPathSegment::ConfedSet(_), _) => segments.push(PathSegment::ConfedSet(asns)),
        }
    }
    ObservedPath(segments)
}

fn plain_community(community: &Plain) -> Community {
    // The numbers of the well-known ones: RFC 1997.
    match community {
        Plain::NoExport => Community::Plain(0xffff, 0xff01),
        Plain::NoAdvertise => Community::Plain(0xffff, 0xff02),
        Plain::NoExportSubConfed => Community::Plain(0xffff, 0xff03),
        Plain::Custom(high, low) => Community::Plain(u32::from(*high) as u16, *low),
    }
}

fn time_us(header: &CommonHeader) -> u64 {
    let micros = header.microsecond_timestamp.unwrap_or(0);
    u64::from(header.timestamp) * 1_000_000 + u64::from(micros)
}

/// What makes a row wrong, if this does. Lists of prefixes are judged apart, see [`is_unicast`].
fn damage(oddity: &Oddity) -> Option<String> {
    let in_a_row = |attribute: &AttrType| {
        matches!(
            attribute,
            AttrType::ORIGIN
                | AttrType::AS_PATH
                | AttrType::AS4_PATH
                | AttrType::NEXT_HOP
                | AttrType::MULTI_EXIT_DISCRIMINATOR
                | AttrType::LOCAL_PREFERENCE
                | AttrType::COMMUNITIES
                | AttrType::LARGE_COMMUNITIES
        )
    };
    match oddity {
        Oddity::OptionalAttributeError { attr_type, .. }
        | Oddity::PartialAttributeError { attr_type, .. }
            if !in_a_row(attr_type) =>
        {
            None
        }
        Oddity::OptionalAttributeError { .. }
        | Oddity::PartialAttributeError { .. }
        | Oddity::MalformedAttributeList { .. }
        | Oddity::MalformedAsPath { .. }
        | Oddity::MalformedNlri { .. }
        | Oddity::InvalidNetworkField { .. }
        | Oddity::InvalidOriginAttribute { .. }
        | Oddity::InvalidNextHopAttribute { .. } => Some(one_line(&oddity.to_string())),
        _ => None,
    }
}

/// The first line of a text, not too long.
pub(super) fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
