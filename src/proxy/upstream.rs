use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::field;

/// A server that requests are handed on to: `http://host:port`, `https://host:port` or `unix:/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    address: Address,
    tls: bool,
}

/// Where an upstream listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A name or an address without brackets, and a port.
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Upstream {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The name that the upstream's certificate has to be for, if it is to have one.
    pub(crate) fn server_name(&self) -> Option<&str> {
        match &self.address {
            Address::Tcp(host, _) if self.tls => Some(host),
            _ => None,
        }
    }

    /// Whether the upstream speaks TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() || cfg!(not(unix)) {
                return Err("expected unix:/path/to/socket, on a Unix".to_owned());
            }
            return Ok(Self { address: Address::Unix(path.into()), tls: false });
        }
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            _ => {
                return Err("expected http://host:port, https://host:port or unix:/path".to_owned());
            }
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err("expected no path behind the host: requests keep the path that they \
                        have"
                .to_owned());
        }
        if !field::is_authority(authority.as_bytes()) {
            return Err("expected a host, and a port, behind the scheme".to_owned());
        }
        let (host, port) = split_port(authority);
        let port = match port {
            None | Some("") => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(port) => {
                port.parse().map_err(|_| "expected a port, from 1 to 65535".to_owned())?
            }
        };
        if port == 0 {
            return Err("expected a port, from 1 to 65535".to_owned());
        }
        Ok(Self { address: Address::Tcp(host.to_owned(), port), tls })
    }
}

/// As it is typed.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        match &self.address {
            Address::Tcp(host, port) if host.parse::<Ipv6Addr>().is_ok() => {
                write!(f, "{scheme}://[{host}]:{port}")
            }
            Address::Tcp(host, port) => write!(f, "{scheme}://{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read() {
        for (text, shown) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            ("HTTP://app", "http://app:80"),
            ("https://app.test", "https://app.test:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
        ] {
            assert_eq!(text.parse::<Upstream>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "127.0.0.1:5000",
            "ftp://app",
            "http://",
            "http://app:0",
            "http://app:70000",
            "http://app/base",
            "http://app?x",
            "http://user@app",
            "unix:",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }
}
