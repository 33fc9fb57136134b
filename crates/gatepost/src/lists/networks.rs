//! A set of networks, looked up once for each prefix length that occurs.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;

/// Networks; the longest prefix wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks {
    networks: HashSet<IpNet>,
    /// Prefix lengths that occur, longest first: of IPv4, of IPv6.
    lengths: (Vec<u8>, Vec<u8>),
}

impl Networks {
    pub(super) fn new(networks: &[IpNet]) -> Networks {
        let lengths = |v4: bool| {
            let of_family = networks
                .iter()
                .filter(|network| network.addr().is_ipv4() == v4);
            let mut lengths: Vec<u8> = of_family.map(IpNet::prefix_len).collect();
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
            lengths
        };
        Networks {
            lengths: (lengths(true), lengths(false)),
            networks: networks.iter().map(IpNet::trunc).collect(),
        }
    }

    pub(super) fn find(&self, ip: IpAddr) -> Option<String> {
        let ip = ip.to_canonical();
        let lengths = if ip.is_ipv4() {
            &self.lengths.0
        } else {
            &self.lengths.1
        };
        lengths.iter().find_map(|&length| {
            let network = IpNet::new(ip, length).ok()?.trunc();
            self.networks.contains(&network).then(|| match length {
                _ if length == network.max_prefix_len() => ip.to_string(),
                _ => network.to_string(),
            })
        })
    }
}
