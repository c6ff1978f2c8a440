//! Which blocks cover which, and route-origin validation (RFC 6811).

use super::model::{BgpNetwork, BgpPrefixId, Validity};
use crate::kernel::Id;

/// The authorisations that cover each block.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    /// For each prefix: (AS, whether this length is allowed).
    covering: Vec<Vec<(u32, bool)>>,
}

/// The block itself, then the less specific ones, nearest first. Ends even if the chain is a circle.
pub(super) fn chain(
    network: &BgpNetwork,
    prefix: BgpPrefixId,
) -> impl Iterator<Item = BgpPrefixId> + '_ {
    std::iter::successors(Some(prefix), |&at| network.prefixes[at].parent)
        .take(network.prefixes.len())
}

impl Origins {
    pub(super) fn new(network: &BgpNetwork) -> Origins {
        let mut by_prefix: Vec<Vec<(u32, u8)>> = vec![Vec::new(); network.prefixes.len()];
        for roa in &network.roas {
            by_prefix[roa.prefix.index()].push((roa.asn, roa.more_specific_levels));
        }
        let covering = network
            .prefixes
            .ids()
            .map(|prefix| {
                let levels = chain(network, prefix).zip(0_usize..);
                levels
                    .flat_map(|(block, level)| {
                        let roas = by_prefix[block.index()].iter();
                        roas.map(move |&(asn, levels)| (asn, level <= usize::from(levels)))
                    })
                    .collect()
            })
            .collect();
        Origins { covering }
    }

    /// State of a route to `prefix` originated by AS `origin`.
    pub(super) fn validity(&self, prefix: BgpPrefixId, origin: u32) -> Validity {
        let roas = &self.covering[prefix.index()];
        if roas.is_empty() {
            Validity::Unknown
        } else if roas.iter().any(|&(asn, allowed)| allowed && asn == origin && asn != 0) {
            // AS 0 in an authorisation means that nobody may originate (RFC 6483, 4).
            Validity::Valid
        } else {
            Validity::Invalid
        }
    }
}
