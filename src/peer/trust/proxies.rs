use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use crate::common::address::ClientAddr;

/// The proxies that are trusted to say who their clients are; none by default.
///
/// ```
/// # fn main() -> Result<(), turnkey::net::TrustedProxiesError> {
/// let proxies: turnkey::net::TrustedProxies = "10.0.0.0/8, ::1".parse()?;
/// assert!(proxies.contains("10.1.2.3".parse().unwrap()));
/// # Ok(())
/// # }
/// ```
///
/// The text is a list of addresses and networks in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3),
/// with commas between them, and `unix` for all connections over a Unix socket, whose permissions decide who
/// may connect. IPv4 addresses written as IPv6 (`::ffff:10.1.2.3`, RFC 4291 §2.5.5.2), as they are on a
/// socket for both, count as IPv4. Networks of IPv6 contain no IPv4 addresses, `::/0` included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    /// All connections over a Unix socket.
    unix: bool,
}

impl TrustedProxies {
    /// Whether the proxy at `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The entry that trusts `client`, as it is written: an address, a network, or `unix`.
    pub(crate) fn part_with(&self, client: ClientAddr) -> Option<String> {
        let ClientAddr::Ip(ip) = client else { return self.unix.then(|| "unix".to_owned()) };
        let ip = ip.to_canonical();
        let network = self.networks.iter().find(|network| network.contains(&ip))?;
        let is_address = network.prefix_len() == network.max_prefix_len();
        Some(if is_address { network.addr().to_string() } else { network.to_string() })
    }

    /// Whether a connection from `client` is a trusted proxy's.
    #[must_use]
    pub fn trusts(&self, client: ClientAddr) -> bool {
        match client {
            ClientAddr::Ip(ip) => self.contains(ip),
            ClientAddr::Unix => self.unix,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Whether everybody is one of them, by IPv4 or by IPv6.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.networks.iter().any(|network| network.prefix_len() == 0)
    }
}

impl FromIterator<Self> for TrustedProxies {
    fn from_iter<T: IntoIterator<Item = Self>>(parts: T) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.networks.extend(part.networks);
            all.unix |= part.unix;
        }
        all
    }
}

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut proxies = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part {
                "unix" => proxies.unix = true,
                part => proxies.networks.push(network(part)?),
            }
        }
        if proxies.is_empty() { Err(TrustedProxiesError::Empty) } else { Ok(proxies) }
    }
}

fn network(text: &str) -> Result<IpNet, TrustedProxiesError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_canonical().into());
    }
    let network: IpNet =
        text.parse().map_err(|_| TrustedProxiesError::Invalid { text: text.to_owned() })?;
    // It is not clear whether the address or the network is meant.
    if network.trunc() != network {
        return Err(TrustedProxiesError::HostBits {
            text: text.to_owned(),
            address: network.addr(),
            network: network.trunc().to_string(),
        });
    }
    Ok(canonical(network))
}

/// Converts a network of mapped addresses into a network of IPv4.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let v4 = mapped.prefix_len().checked_sub(96).zip(mapped.addr().to_ipv4_mapped());
    v4.and_then(|(prefix, address)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

/// Why a list of proxies is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustedProxiesError {
    /// It is empty.
    #[error("expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8, or unix")]
    Empty,
    /// An entry is neither an address nor a network.
    #[error(
        "{text:?} is neither an address nor a network: expected something such as 10.0.0.7, \
         10.0.0.0/8 or fd00::/8, or unix; names are not looked up"
    )]
    Invalid {
        /// The entry.
        text: String,
    },
    /// A network has bits set beyond its prefix.
    #[error("{text} is an address in a network: give the one, {address}, or the other, {network}")]
    HostBits {
        /// The network as it was given.
        text: String,
        /// The address in it.
        address: IpAddr,
        /// The network without the bits.
        network: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(text: &str) -> TrustedProxies {
        text.parse().unwrap()
    }

    fn trusts(list: &str, address: &str) -> bool {
        proxies(list).contains(address.parse().unwrap())
    }

    #[test]
    fn addresses_and_networks() {
        assert!(trusts("10.0.0.7", "10.0.0.7") && !trusts("10.0.0.7", "10.0.0.8"));
        assert!(trusts("10.0.0.0/8", "10.255.0.1") && !trusts("10.0.0.0/8", "11.0.0.1"));
        assert!(trusts("::1", "::1") && !trusts("::1", "::2"));
        assert!(trusts("fd00::/8", "fd12::1") && !trusts("fd00::/8", "fe80::1"));
        assert!(trusts(" 10.0.0.7 ,, 192.168.0.0/16,", "192.168.3.4"));
        let both: TrustedProxies = [proxies("10.0.0.7"), proxies("::1")].into_iter().collect();
        assert!(both.contains("::1".parse().unwrap()) && !both.is_empty());
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        assert!(trusts("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(trusts("::ffff:10.0.0.7", "10.0.0.7"));
        assert!(trusts("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(!trusts("::ffff:10.0.0.0/104", "11.1.2.3"));
        assert!(!trusts("::/0", "10.1.2.3"), "nobody means this when they write IPv6");
        assert!(proxies("0.0.0.0/0").is_everybody() && proxies("::/0").is_everybody());
        assert!(proxies("::ffff:0.0.0.0/96").is_everybody());
    }

    #[test]
    fn those_who_come_over_a_unix_socket() {
        let local = ClientAddr::from("127.0.0.1".parse::<IpAddr>().unwrap());
        assert!(proxies("unix").trusts(ClientAddr::Unix) && !proxies("unix").trusts(local));
        assert!(!proxies("0.0.0.0/0, ::/0").trusts(ClientAddr::Unix));
        let both: TrustedProxies = [proxies("127.0.0.1"), proxies("unix")].into_iter().collect();
        assert!(both.trusts(ClientAddr::Unix) && both.trusts(local) && !both.is_empty());
        assert!(!proxies("unix").is_empty() && !proxies("unix").is_everybody());
    }

    #[test]
    fn the_part_that_trusts_somebody() {
        let all = proxies("10.0.0.7, 10.0.0.0/8, fd00::/8, ::1");
        for (address, part) in [
            ("10.0.0.7", Some("10.0.0.7")),
            ("::ffff:10.1.2.3", Some("10.0.0.0/8")),
            ("fd00::1", Some("fd00::/8")),
            ("::1", Some("::1")),
            ("192.0.2.1", None),
        ] {
            let client = ClientAddr::Ip(address.parse().unwrap());
            assert_eq!(all.part_with(client).as_deref(), part, "{address}");
        }
        assert_eq!(all.part_with(ClientAddr::Unix), None);
        assert_eq!(proxies("unix").part_with(ClientAddr::Unix).as_deref(), Some("unix"));
    }

    #[test]
    fn what_is_none_of_them_is_explained() {
        for bad in ["", " , ", "localhost", "10.0.0", "10.0.0.0/33", "10.0.0.7:80", "fe80::1%eth0"]
        {
            let error = bad.parse::<TrustedProxies>().unwrap_err().to_string();
            assert!(error.contains("10.0.0.0/8"), "{bad}: {error}");
        }
        let error = "10.0.0.7/8".parse::<TrustedProxies>().unwrap_err().to_string();
        assert!(error.contains("10.0.0.7,") && error.contains("10.0.0.0/8"), "{error}");
    }
}
