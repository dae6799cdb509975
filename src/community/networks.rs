//! Networks that a ban refuses: an address, or all that begin with the same bits.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::base::clock::Micros;
use crate::engine::viewer::Address;

/// Bits before those of an IPv4 address in its form as an IPv6 address.
const V4_OFFSET: u8 = 96;
/// The shortest prefixes that may be banned: larger networks are whole countries.
const MIN_V4_BITS: u8 = 16;
const MIN_V6_BITS: u8 = 32;
/// The longest prefix of IPv6: the least that providers assign to one customer.
const MAX_V6_BITS: u8 = 64;

/// A network: the first `prefix` bits of an address, IPv4 as IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network {
    bits: u128,
    prefix: u8,
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn masked(bits: u128, prefix: u8) -> u128 {
    match prefix {
        0 => 0,
        prefix => bits & (u128::MAX << (128 - u32::from(prefix.min(128)))),
    }
}

impl Network {
    /// The least network that an address belongs to, as limits count.
    pub(super) fn of(address: IpAddr) -> Self {
        let network = Address(address).network();
        let prefix = match network {
            IpAddr::V4(_) => 128,
            IpAddr::V6(_) => MAX_V6_BITS,
        };
        Self {
            bits: masked(bits_of(network), prefix),
            prefix,
        }
    }

    /// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/48`; `None` for anything else, and for a network
    /// that is too large.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse::<IpAddr>().ok()?.to_canonical();
        let least = Self::of(address);
        let prefix = match (address, bits) {
            (_, None) => least.prefix,
            (IpAddr::V4(_), Some(bits @ MIN_V4_BITS..=32)) => V4_OFFSET + bits,
            (IpAddr::V6(_), Some(bits @ MIN_V6_BITS..=128)) => bits.min(MAX_V6_BITS),
            _ => return None,
        };
        Some(Self {
            bits: masked(least.bits, prefix),
            prefix,
        })
    }

    /// Whether an address belongs to it.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        masked(bits_of(address), self.prefix) == self.bits
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Ipv6Addr::from_bits(self.bits).to_canonical() {
            IpAddr::V4(v4) if self.prefix == 128 => write!(f, "{v4}"),
            IpAddr::V4(v4) => write!(f, "{v4}/{}", self.prefix - V4_OFFSET),
            IpAddr::V6(v6) => write!(f, "{v6}/{}", self.prefix),
        }
    }
}

/// Networks, each until it ends. A look-up takes one step for each length of prefix among them.
#[derive(Debug, Default)]
pub(super) struct NetworkSet(BTreeMap<u8, HashMap<u128, Option<Micros>>>);

impl NetworkSet {
    /// Adds a network; without an end, `None`.
    pub(super) fn insert(&mut self, network: Network, until: Option<Micros>) {
        let of_prefix = self.0.entry(network.prefix).or_default();
        of_prefix.insert(network.bits, until);
    }

    /// Whether an address belongs to one of them.
    pub(super) fn contains(&self, address: IpAddr, now: Micros) -> bool {
        let bits = bits_of(address);
        self.0.iter().any(|(prefix, networks)| {
            let found = networks.get(&masked(bits, *prefix));
            found.is_some_and(|until| until.is_none_or(|until| until > now))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> String {
        Network::parse(text).map_or_else(String::new, |network| network.to_string())
    }

    #[test]
    fn network_is_parsed_and_cut_to_its_prefix() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network(" 192.0.2.7/24 "), "192.0.2.0/24");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::/48"), "2001:db8:1::/48");
        for wrong in [
            "",
            "10.0.0.0/8",
            "2000::/8",
            "192.0.2.7/33",
            "example.org",
            "1.2.3",
        ] {
            assert_eq!(network(wrong), "", "{wrong}");
        }
    }

    #[test]
    fn set_contains_addresses_of_its_networks_until_they_end() {
        let address = |text: &str| -> IpAddr { text.parse().unwrap() };
        let mut set = NetworkSet::default();
        set.insert(Network::parse("192.0.2.0/24").unwrap(), None);
        set.insert(Network::parse("2001:db8::1").unwrap(), Some(Micros(10)));
        assert!(set.contains(address("192.0.2.200"), Micros(99)));
        assert!(set.contains(address("::ffff:192.0.2.200"), Micros(99)));
        assert!(!set.contains(address("192.0.3.1"), Micros(99)));
        assert!(set.contains(address("2001:db8::ffff"), Micros(9)));
        assert!(!set.contains(address("2001:db8::ffff"), Micros(10)));
        assert!(!set.contains(address("2001:db8:0:1::"), Micros(9)));
        let all = Network::parse("192.0.0.0/16").unwrap();
        assert!(all.contains(address("192.0.2.1")) && !all.contains(address("192.1.0.0")));
    }
}
