//! Which addresses may be dialled for a URL that somebody's prompt has chosen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Says which addresses may be dialled.
pub(crate) trait Guard {
    fn allows(&self, address: SocketAddr) -> bool;
}

/// The internet: addresses that belong to nobody's own network, on the ports of the web.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Public;

impl Guard for Public {
    fn allows(&self, address: SocketAddr) -> bool {
        matches!(address.port(), 80 | 443) && is_public(address.ip())
    }
}

/// What is not public of IPv4, by IANA's registry of special addresses: networks of one's own (10/8, 172.16/12, 192.168/16:
/// clusters, too), this host, carriers' (100.64/10), link-local (metadata of clouds), examples, benchmarks, multicast.
const RESERVED: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's own services, from within
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What is not public of IPv6's 2000::/3, where alone public addresses are: protocols (2001::/23, Teredo among them),
/// examples, and 6to4, which carries IPv4 addresses.
const RESERVED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !RESERVED.iter().any(|(network, bits)| {
            let host_bits = 32 - bits;
            address.to_bits() >> host_bits == network.to_bits() >> host_bits
        }),
        IpAddr::V6(address) => {
            let is_global = address.to_bits() >> 125 == 0b001;
            is_global
                && !RESERVED_V6.iter().any(|(network, bits)| {
                    let host_bits = 128 - bits;
                    address.to_bits() >> host_bits == network.to_bits() >> host_bits
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_on_the_ports_of_the_web_are_dialled() {
        let allows = |text: &str| Public.allows(text.parse().unwrap());
        for good in [
            "8.8.8.8:443",
            "1.1.1.1:80",
            "100.63.255.255:443",
            "100.128.0.0:443",
            "172.15.255.255:443",
            "172.32.0.0:443",
            "198.20.0.0:443",
            "[2606:4700::1111]:443",
            "[2a00:1450:4001::1]:80",
            "[::ffff:8.8.8.8]:443",
        ] {
            assert!(allows(good), "{good}");
        }
        for bad in [
            "8.8.8.8:22",
            "8.8.8.8:8080",
            "0.0.0.0:443",
            "0.1.2.3:443",
            "10.0.0.1:443",
            "10.96.0.1:443",
            "100.64.0.1:443",
            "100.127.255.255:443",
            "127.0.0.1:443",
            "127.255.255.254:443",
            "168.63.129.16:80",
            "169.254.169.254:80",
            "172.16.0.1:443",
            "172.31.255.255:443",
            "192.0.0.192:80",
            "192.168.1.1:443",
            "198.18.0.1:443",
            "203.0.113.9:443",
            "224.0.0.1:443",
            "255.255.255.255:443",
            "[::]:443",
            "[::1]:443",
            "[::ffff:127.0.0.1]:443",
            "[::ffff:169.254.169.254]:80",
            "[::ffff:10.0.0.1]:443",
            "[::127.0.0.1]:443",
            "[64:ff9b::a9fe:a9fe]:80",
            "[100::1]:443",
            "[2001::1]:443",
            "[2001:db8::1]:443",
            "[2002:7f00:1::]:443",
            "[3fff::1]:443",
            "[5f00::1]:443",
            "[fc00::1]:443",
            "[fd00:ec2::254]:80",
            "[fe80::1]:443",
            "[fec0::1]:443",
            "[ff02::1]:443",
        ] {
            assert!(!allows(bad), "{bad}");
        }
    }
}
