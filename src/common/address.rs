//! Where connections go to, and where they come from: over TCP, or over a Unix socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use super::field;

/// A place to listen at or to connect to, as people name it: `host:port`, `[::1]:port`, or
/// `unix:/path`.
///
/// ```
/// # fn main() -> Result<(), String> {
/// let address: turnkey::net::Address = "127.0.0.1:8000".parse()?;
/// assert_eq!(address, turnkey::net::Address::Tcp("127.0.0.1".to_owned(), 8000));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A name, or an IP address without brackets, and a port.
    Tcp(String, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Parses `unix:/path`; `None` if `text` does not have this form.
    pub(crate) fn parse_unix(text: &str) -> Option<Result<Self, String>> {
        let path = text.strip_prefix("unix:")?;
        if path.is_empty() || cfg!(not(unix)) {
            return Some(Err("expected unix:/path/to/socket, on a Unix".to_owned()));
        }
        Some(Ok(Self::Unix(path.into())))
    }

    /// Reads a host and a port, which may be left out where there is a `default` (RFC 3986 §3.2).
    pub(crate) fn parse_authority(text: &str, default: Option<u16>) -> Result<Self, String> {
        if !field::is_authority(text.as_bytes()) {
            return Err("expected a host and a port, such as 127.0.0.1:8000".to_owned());
        }
        let (host, port) = split_port(text);
        let port = match (port, default) {
            (None | Some(""), Some(default)) => default,
            (None | Some(""), None) => {
                return Err("expected a port behind the host, as in 127.0.0.1:8000".to_owned());
            }
            (Some(port), _) => {
                port.parse().map_err(|_| "expected a port, up to 65535".to_owned())?
            }
        };
        Ok(Self::Tcp(host.to_owned(), port))
    }

    /// Whether both cannot be listened on, since one takes the other's port too. Port 0 is any free one;
    /// which address a name has is not looked up.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(_, 0), Self::Tcp(..)) => false,
            (Self::Tcp(host, port), Self::Tcp(its_host, its_port)) => {
                port == its_port
                    && (host == its_host || covers(host, its_host) || covers(its_host, host))
            }
            (one, other) => one == other,
        }
    }

    /// Whether it is an address of IPv4, on `port`.
    #[must_use]
    pub fn is_ipv4_on(&self, port: u16) -> bool {
        matches!(self, Self::Tcp(host, its) if *its == port && host.parse::<Ipv4Addr>().is_ok())
    }
}

/// Whether `any` means all addresses of this machine, and `host` is one of them. `::` includes IPv4.
fn covers(any: &str, host: &str) -> bool {
    match (any.parse(), host.parse()) {
        (Ok(IpAddr::V4(any)), Ok(IpAddr::V4(_))) => any.is_unspecified(),
        (Ok(IpAddr::V6(any)), Ok(_)) => any.is_unspecified(),
        _ => false,
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse_unix(text).unwrap_or_else(|| Self::parse_authority(text, None))
    }
}

/// As it is typed.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.parse::<Ipv6Addr>().is_ok() => {
                write!(f, "[{host}]:{port}")
            }
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Whether `text` is a host, and perhaps a port, as in the field `Host` (RFC 9110 §7.2): a name, an IPv4 address, or
/// an IPv6 address in brackets, without user information.
#[must_use]
pub fn is_authority(text: &str) -> bool {
    field::is_authority(text.as_bytes())
}

/// Splits an authority that is known to be one; the host loses its brackets.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    }
}

/// Where a server listens: an [`Address`] after binding, with its real port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalAddr {
    /// Over TCP.
    Tcp(SocketAddr),
    /// A Unix socket at this path, which is empty if the socket has none.
    Unix(PathBuf),
}

impl LocalAddr {
    /// The authority for a URL when the client's name for the server is not known.
    pub(crate) fn authority(&self) -> String {
        match self {
            Self::Tcp(address) => address.to_string(),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

/// `127.0.0.1:8000`, or `unix:/path`.
impl fmt::Display for LocalAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteAddr {
    /// It came over TCP from this address.
    Tcp(SocketAddr),
    /// It came over a Unix socket, where clients have no address.
    Unix,
}

impl RemoteAddr {
    /// The same without the port.
    #[must_use]
    pub fn client(self) -> ClientAddr {
        match self {
            Self::Tcp(address) => address.ip().into(),
            Self::Unix => ClientAddr::Unix,
        }
    }
}

impl From<SocketAddr> for RemoteAddr {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// `127.0.0.1:50000`, or `unix`.
impl fmt::Display for RemoteAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClientAddr {
    /// This address. `From` converts IPv4 written as IPv6 into IPv4.
    Ip(IpAddr),
    /// Somebody on this machine, over a Unix socket.
    Unix,
}

impl ClientAddr {
    /// The address, if it has one.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(ip),
            Self::Unix => None,
        }
    }
}

/// Converts IPv4 written as IPv6 (RFC 4291 §2.5.5.2) into IPv4.
impl From<IpAddr> for ClientAddr {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip.to_canonical())
    }
}

/// `127.0.0.1`, or `unix`.
impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read_and_shown() {
        for (text, shown) in [
            ("127.0.0.1:8000", "127.0.0.1:8000"),
            ("localhost:0", "localhost:0"),
            ("[::]:8443", "[::]:8443"),
            ("unix:/run/turnkey.sock", "unix:/run/turnkey.sock"),
            ("unix:here.sock", "unix:here.sock"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "8000",
            ":8000",
            "127.0.0.1",
            "127.0.0.1:",
            "a:b",
            "a:70000",
            "::1:80",
            "unix:",
            "a b:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_client_is_an_address_without_its_port_and_without_the_guise_of_ipv6() {
        let mapped: SocketAddr = "[::ffff:10.0.0.7]:5000".parse().unwrap();
        assert_eq!(RemoteAddr::from(mapped).client().to_string(), "10.0.0.7");
        assert_eq!(RemoteAddr::Unix.client(), ClientAddr::Unix);
        assert_eq!(ClientAddr::Unix.ip(), None);
    }
}
