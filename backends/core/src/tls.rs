use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crate::{Certificate, ClientPolicy, Identities, IssuerKey, Resumption, Vouched};

/// The configuration of a TLS backend.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// The server's certificates and their keys.
    pub identities: Identities,
    /// Whether clients are asked for a certificate, and which are accepted.
    pub clients: ClientPolicy,
    /// The supported protocol versions.
    pub versions: VersionRange,
    /// Whether sessions are resumed.
    pub resumption: Resumption,
}

/// The negotiated values of a connection; `None` if the TLS stack does not report them. If it reports whether a
/// session was [`resumed`](Self::resumed), it also reports the application protocol and the server's name, if there
/// are any.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol version.
    pub version: Option<TlsVersion>,
    /// The cipher suite, by its IANA name.
    pub cipher_suite: Option<String>,
    /// The group of the key exchange, by its name in IANA's registry "TLS Supported Groups": `X25519MLKEM768`,
    /// `x25519`, `secp256r1`. `None` also if a session of TLS 1.2 is resumed, which exchanges no keys.
    pub key_exchange: Option<String>,
    /// The application protocol that ALPN agreed on (RFC 7301).
    pub alpn: Option<String>,
    /// The name that the client asked for (SNI, RFC 6066 §3).
    pub server_name: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: Option<bool>,
    /// The client's certificate, verified; `None` if none was requested or none was sent.
    pub client_certificate: Option<Certificate>,
    /// The chain by which it was verified: the client's certificate first, each followed by its issuer's,
    /// the trusted CA's last. Every link was checked: signatures, dates, names and revocation. A backend
    /// that does not know the verified chain leaves `None`, and never guesses one from what the client sent.
    pub client_chain: Option<Vec<Certificate>>,
    /// The key of the CA that issued the client's certificate directly, as it was verified. For a resumed session it
    /// may be known without the chain. `None` if there is no such CA, or the backend does not know it: then [allowed
    /// issuers](crate::ClientTrust::issued_by) deny the client. [`set_client`](Self::set_client) sets it.
    pub client_issuer_key: Option<IssuerKey>,
    /// The last second in which everything that vouches for the client's certificate is valid: each certificate of
    /// its verified chain and each used revocation list
    /// ([`ClientTrust::vouched_until`](crate::ClientTrust::vouched_until)). For a resumed session it is the value
    /// from when the session began, or a newer one. `None` if there is no such certificate, or the backend does not
    /// know.
    pub client_vouched_until: Option<SystemTime>,
}

impl TlsInfo {
    /// Records the client's certificate and its chain, as they were verified; `None` if no certificate was requested
    /// or none was sent.
    pub fn set_client(&mut self, vouched: Option<Vouched>) {
        let (chain, until) = vouched.map(|Vouched { chain, until }| (chain, until)).unzip();
        self.client_certificate = chain.as_ref().and_then(|chain| chain.first().cloned());
        self.client_issuer_key = chain.as_deref().and_then(IssuerKey::in_chain);
        self.client_chain = chain;
        self.client_vouched_until = until;
    }
}

/// A version of TLS that is still secure (RFC 9325 §3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// The version's number: `1.2` or `1.3`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS {}", self.number())
    }
}

impl FromStr for TlsVersion {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            "1.0" | "1.1" => {
                Err(format!("TLS {s} is not secure and not supported; use 1.2 or 1.3"))
            }
            _ => Err("expected 1.2 or 1.3".to_owned()),
        }
    }
}

/// A range of at least one TLS version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRange {
    min: TlsVersion,
    max: TlsVersion,
}

impl VersionRange {
    /// All versions from `min` to `max`; `None` if there are none.
    #[must_use]
    pub fn new(min: TlsVersion, max: TlsVersion) -> Option<Self> {
        (min <= max).then_some(Self { min, max })
    }

    /// The oldest supported version.
    #[must_use]
    pub fn min(self) -> TlsVersion {
        self.min
    }

    /// The newest supported version.
    #[must_use]
    pub fn max(self) -> TlsVersion {
        self.max
    }
}

impl Default for VersionRange {
    /// TLS 1.2 and 1.3.
    fn default() -> Self {
        Self { min: TlsVersion::Tls12, max: TlsVersion::Tls13 }
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, max) if min == max => min.fmt(f),
            (min, max) => write!(f, "{min} and {}", max.number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_as_they_are_read() {
        for (text, version) in [("1.2", TlsVersion::Tls12), ("1.3", TlsVersion::Tls13)] {
            assert_eq!(text.parse(), Ok(version));
            assert_eq!(version.number(), text);
            assert_eq!(version.to_string(), format!("TLS {text}"));
        }
        for (text, why) in [
            ("1.0", "TLS 1.0 is not secure and not supported; use 1.2 or 1.3"),
            ("1.1", "TLS 1.1 is not secure and not supported; use 1.2 or 1.3"),
            ("1.4", "expected 1.2 or 1.3"),
            ("TLS 1.2", "expected 1.2 or 1.3"),
            ("", "expected 1.2 or 1.3"),
        ] {
            assert_eq!(text.parse::<TlsVersion>(), Err(why.to_owned()));
        }
    }

    #[test]
    fn a_range_says_what_it_holds() {
        let (old, new) = (TlsVersion::Tls12, TlsVersion::Tls13);
        for (min, max, text) in
            [(old, old, "TLS 1.2"), (old, new, "TLS 1.2 and 1.3"), (new, new, "TLS 1.3")]
        {
            let range = VersionRange::new(min, max).unwrap();
            assert_eq!((range.min(), range.max(), range.to_string().as_str()), (min, max, text));
        }
        assert_eq!(VersionRange::new(new, old), None);
        assert_eq!(VersionRange::default(), VersionRange::new(old, new).unwrap());
    }
}
