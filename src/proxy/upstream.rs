use std::fmt;
use std::str::FromStr;

use crate::common::address::Address;

/// A server that requests are forwarded to: `http://host:port`, `https://host:port` or `unix:/path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    address: Address,
    tls: bool,
}

impl Upstream {
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The name that the upstream's certificate must be valid for, if it speaks TLS.
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
        if let Some(address) = Address::parse_unix(text) {
            return address.map(|address| Self { address, tls: false });
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
        let default = if tls { 443 } else { 80 };
        let address = Address::parse_authority(authority, Some(default))?;
        if matches!(address, Address::Tcp(_, 0)) {
            return Err("expected a port, from 1 to 65535".to_owned());
        }
        Ok(Self { address, tls })
    }
}

/// The URL as it is typed.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        match &self.address {
            Address::Tcp(..) => write!(f, "{scheme}://{}", self.address),
            Address::Unix(_) => self.address.fmt(f),
        }
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
