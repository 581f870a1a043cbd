use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use turnkey_backend::pki_types::DnsName;

use crate::common::field;

/// The host of a request, in the form that certificates and URLs have, without a port.
#[derive(Debug)]
pub(super) enum Host {
    /// A DNS name in lower case, without a dot at its end.
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Parses the value of a `Host` field. It may accept more than names and addresses (RFC 3986 §3.2.2 has
    /// percent-encoding and sub-delimiters), but no certificate is for such hosts.
    pub(super) fn parse(authority: &str) -> Option<Self> {
        if !field::is_authority(authority.as_bytes()) {
            return None;
        }
        if let Some(bracketed) = authority.strip_prefix('[') {
            let (address, _port) = bracketed.split_once(']')?;
            return address.parse().ok().map(|address: Ipv6Addr| Self::Address(address.into()));
        }
        let name = authority.split(':').next()?;
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_name = !name.ends_with('.') && DnsName::try_from(name).is_ok();
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// As in certificates.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Address(address) => address.to_string(),
        }
    }
}

impl fmt::Display for Host {
    /// As in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_one_form() {
        for (authority, name, shown) in [
            ("localhost", "localhost", "localhost"),
            ("WWW.Example.Test.:8080", "www.example.test", "www.example.test"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_service:80", "my_service", "my_service"),
            ("127.0.0.1:8000", "127.0.0.1", "127.0.0.1"),
            ("[2001:DB8:0::7]:8000", "2001:db8::7", "[2001:db8::7]"),
        ] {
            let host = Host::parse(authority).unwrap();
            assert_eq!((host.name().as_str(), host.to_string().as_str()), (name, shown));
        }
    }
}
