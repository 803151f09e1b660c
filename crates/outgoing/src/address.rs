//! What kind of address a number is. An IPv4 address within an IPv6 one counts as itself, since
//! that is where the packets go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Public,
    /// The machine's own wire.
    LinkLocal,
    /// What clouds tell their machines, at numbers that look like others.
    Metadata,
    Private,
    /// This machine.
    Loopback,
}

impl Kind {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Public => "a public address",
            Kind::LinkLocal => "a link-local address",
            Kind::Metadata => "the address of a cloud's metadata service",
            Kind::Private => "an address of a private network",
            Kind::Loopback => "an address of this machine",
        }
    }
}

/// Alibaba, Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// Amazon, Google.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

pub(crate) fn kind(ip: IpAddr) -> Kind {
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => match within(ip) {
            Some(inner) => v4(inner),
            None => v6(ip),
        },
    }
}

fn v4(ip: Ipv4Addr) -> Kind {
    let [a, b, ..] = ip.octets();
    if METADATA_V4.contains(&ip) || ip == Ipv4Addr::new(169, 254, 169, 254) {
        Kind::Metadata
    } else if ip.is_link_local() {
        Kind::LinkLocal
    } else if ip.is_loopback() || a == 0 {
        Kind::Loopback
    } else if ip.is_private() || (a == 100 && b & 0xc0 == 64) {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn v6(ip: Ipv6Addr) -> Kind {
    if METADATA_V6.contains(&ip) {
        Kind::Metadata
    } else if ip.is_unicast_link_local() {
        Kind::LinkLocal
    } else if ip.is_loopback() || ip.is_unspecified() {
        Kind::Loopback
    } else if ip.is_unique_local() {
        Kind::Private
    } else {
        Kind::Public
    }
}

/// The IPv4 address that an IPv6 address leads to: mapped, compatible, translated (NAT64) or
/// tunnelled (6to4).
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let joined =
        |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => joined(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => joined(high, low),
        [0x2002, high, low, ..] => joined(high, low),
        _ => None,
    }
}
