//! Chooses a name of the server that its certificate is valid for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use turnkey::Bound;
use turnkey::net::LocalAddr;
use turnkey::tls::{Certificate, Identities};

/// The address for a client on this machine.
pub(super) enum Place<'b> {
    Tcp(SocketAddr),
    Unix(&'b Path),
}

impl<'b> Place<'b> {
    /// The first port, or else the first socket.
    pub(super) fn of(bound: &'b Bound) -> Option<Self> {
        if let Ok(address) = bound.local_addr() {
            return Some(Self::Tcp(SocketAddr::new(reachable(address.ip()), address.port())));
        }
        bound.local_addrs().find_map(|local| match local {
            LocalAddr::Unix(path) => Some(Self::Unix(path)),
            LocalAddr::Tcp(_) => None,
        })
    }
}

/// An address that a client on this machine can use.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// A URL, and the options that make curl connect to the server.
pub(super) struct Called {
    pub(super) url: String,
    pub(super) route: Vec<String>,
    /// Whether curl accepts the certificate under that name.
    pub(super) is_certified: bool,
}

impl Called {
    /// The URL for the server at `place`, which serves `identities`, or plain HTTP.
    pub(super) fn at(place: &Place<'_>, identities: Option<&Identities>) -> Self {
        let Some(identities) = identities else { return Self::as_it_is(place, "http", None) };
        let hosts = hosts(identities);
        let localhost = Host::Name("localhost".to_owned());
        let (preferred, is_local) = match place {
            Place::Tcp(address) => (Host::Ip(address.ip()), address.ip().is_loopback()),
            Place::Unix(_) => (localhost.clone(), true),
        };
        let name = if hosts.contains(&preferred) {
            Some(&preferred)
        } else if is_local && hosts.contains(&localhost) {
            Some(&localhost)
        } else {
            hosts.first()
        };
        match name {
            Some(name) => Self::by_name(place, name),
            None => Self::as_it_is(place, "https", Some(identities)),
        }
    }

    /// The URL if no certificate matters.
    fn as_it_is(place: &Place<'_>, scheme: &str, identities: Option<&Identities>) -> Self {
        let (url, route) = match place {
            Place::Tcp(address) => (format!("{scheme}://{address}/"), Vec::new()),
            Place::Unix(path) => {
                // curl sends the name to the server (SNI), which may choose another certificate for it.
                let is_free = identities.is_none_or(|all| all.choose(Some("localhost")) == 0);
                let host = if is_free { "localhost" } else { "127.0.0.1" };
                (format!("{scheme}://{host}/"), through(path))
            }
        };
        Self { url, route, is_certified: false }
    }

    fn by_name(place: &Place<'_>, name: &Host) -> Self {
        let literal = name.literal();
        let (url, route) = match (place, name) {
            (Place::Unix(path), _) => (format!("https://{literal}/"), through(path)),
            (Place::Tcp(address), Host::Ip(ip)) if address.ip() == *ip => {
                (format!("https://{address}/"), Vec::new())
            }
            (Place::Tcp(address), Host::Ip(_)) => {
                let port = address.port();
                let to = format!("{literal}:{port}:{address}");
                (format!("https://{literal}:{port}/"), vec!["--connect-to".to_owned(), to])
            }
            (Place::Tcp(address), Host::Name(_)) => {
                let (port, ip) = (address.port(), Host::Ip(address.ip()).literal());
                let to = format!("{literal}:{port}:{ip}");
                (format!("https://{literal}:{port}/"), vec!["--resolve".to_owned(), to])
            }
        };
        Self { url, route, is_certified: true }
    }
}

fn through(socket: &Path) -> Vec<String> {
    vec!["--unix-socket".to_owned(), socket.display().to_string()]
}

/// The host in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl Host {
    fn literal(&self) -> String {
        match self {
            Self::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Self::Ip(ip) => ip.to_string(),
            Self::Name(name) => name.clone(),
        }
    }

    /// A name from a certificate, if curl can use it.
    fn certified(name: &str) -> Option<Self> {
        let name = match name.strip_prefix("*.") {
            // curl accepts no wildcard directly below a top-level name.
            Some(parent) if parent.contains('.') => format!("www.{parent}"),
            Some(_) => return None,
            None => name.to_owned(),
        };
        is_host_name(&name).then_some(Self::Name(name))
    }
}

/// The hosts for which curl accepts the first certificate and the server shows it.
fn hosts(identities: &Identities) -> Vec<Host> {
    let mut hosts = certified_hosts(identities.first().leaf());
    hosts.retain(|host| match host {
        Host::Name(name) => identities.choose(Some(name)) == 0,
        // A client that uses an address sends no name.
        Host::Ip(_) => true,
    });
    hosts
}

/// The hosts in a certificate: its DNS names, its addresses, or else its common name. curl uses that if there are
/// no others (RFC 6125 §6.4.4; browsers do not).
fn certified_hosts(certificate: &Certificate) -> Vec<Host> {
    let names = certificate.subject_alt_names();
    let of_kind = |kind| names.iter().filter_map(move |name| name.strip_prefix(kind));
    let addresses: Vec<IpAddr> = of_kind("IP:").filter_map(|ip| ip.parse().ok()).collect();
    if of_kind("DNS:").next().is_none() && addresses.is_empty() {
        let name = certificate.sole_common_name();
        let host = name.and_then(|name| match name.parse() {
            Ok(ip) => Some(Host::Ip(ip)),
            Err(_) => Host::certified(name),
        });
        return host.into_iter().collect();
    }
    of_kind("DNS:").filter_map(Host::certified).chain(addresses.into_iter().map(Host::Ip)).collect()
}

/// Whether this name can be the host of a URL. If its last label begins with a digit, it would be parsed as an
/// address (<https://url.spec.whatwg.org/#ends-in-a-number-checker>).
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.split('.').all(is_label)
        && !name.starts_with('-')
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_curl_cannot_ask_for_are_left_out() {
        let name = |name: &str| Host::certified(name).map(|host| host.literal());
        for (certified, expected) in [
            ("example.test", Some("example.test")),
            ("my_service", Some("my_service")),
            ("*.example.test", Some("www.example.test")),
            ("*.test", None),
            ("*", None),
            ("w*.example.test", None),
            ("*.*.example.test", None),
            ("My Server", None),
            ("", None),
            ("example.test.", None),
            ("-x.test", None),
            (r"a\0A.test", None),
            ("10.0.0.1", None),
            ("a.0x7f", None),
            ("https://example.test", None),
        ] {
            assert_eq!(name(certified).as_deref(), expected, "{certified:?}");
        }
    }
}
