//! The names in certificates of hosts and clients.

use std::fmt;
use std::net::IpAddr;

use rcgen::SanType;
use turnkey::tls::pki_types::DnsName;
use turnkey::tls::{Certificate, SanKind};

use super::PkiError;

/// The stems of the files that belong to the CA and the server.
const RESERVED: [&str; 3] = ["ca", "server", "server_chain"];

/// The longest common name that a certificate can hold (RFC 5280 appendix A.1, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// A subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A DNS name in lower case; its first label may be `*`.
    Dns(String),
    Ip(IpAddr),
    Email(String),
    Uri(String),
}

impl Name {
    /// Parses a value of `--host`.
    pub(super) fn host(host: &str) -> Result<Self, PkiError> {
        Self::ip_or_dns(host).map_err(|problem| PkiError::Host { host: host.to_owned(), problem })
    }

    /// Parses a value of `--san`, which has the syntax of `--allow-san`.
    pub(super) fn san(san: &str) -> Result<Self, PkiError> {
        let (kind, name) = SanKind::split(san);
        match kind {
            SanKind::Dns => match Self::ip_or_dns(name) {
                Ok(Self::Ip(_)) => Err("that is an IP address: write IP: before it"),
                other => other,
            },
            SanKind::Ip => name
                .parse()
                .map(Self::Ip)
                .map_err(|_| "expected an IP address behind IP:, such as IP:10.0.0.1"),
            SanKind::Email => email(name),
            SanKind::Uri => uri(name),
        }
        .map_err(|problem| PkiError::San { san: san.to_owned(), problem })
    }

    fn ip_or_dns(host: &str) -> Result<Self, &'static str> {
        if let Ok(ip) = host.parse() {
            return Ok(Self::Ip(ip));
        }
        if !host.is_ascii() {
            return Err("an internationalised name stands in certificates in its punycode form, \
                 \"xn--…\": give that");
        }
        let wildcard = host.strip_prefix("*.");
        match DnsName::try_from(wildcard.unwrap_or(host)) {
            // A name in a certificate has no final dot (RFC 6125 §2.2); a resolver's name may have one.
            Err(_) => Err("not a DNS name, a wildcard such as *.app.test, or an IP address; \
                 give it bare, without scheme, port, brackets or path"),
            Ok(_) if host.ends_with('.') => Err("leave out the dot at the end"),
            Ok(rest) if wildcard.is_some() && !rest.as_ref().contains('.') => {
                Err("clients do not accept a wildcard right below a top-level name")
            }
            Ok(_) => Ok(Self::Dns(host.to_ascii_lowercase())),
        }
    }

    /// Parses a name as [`Certificate::subject_alt_names`] shows it; `None` for other kinds, and for a name that is
    /// shown with escapes.
    fn shown(name: &str) -> Option<Self> {
        match name.split_once(':')? {
            (_, name) if name.contains('\\') => None,
            ("DNS", name) => Some(Self::Dns(name.to_ascii_lowercase())),
            ("IP", ip) => ip.parse().ok().map(Self::Ip),
            ("email", address) => Some(Self::Email(address.to_owned())),
            ("URI", uri) => Some(Self::Uri(uri.to_owned())),
            _ => None,
        }
    }

    /// The form that rcgen makes certificates from.
    pub(super) fn san_type(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
            Self::Ip(ip) => SanType::IpAddress(*ip),
            Self::Email(address) => SanType::Rfc822Name(address.as_str().try_into()?),
            Self::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// Parses an email address. RFC 5280 §4.2.1.6 requires a mailbox without a display name, in ASCII.
fn email(address: &str) -> Result<Name, &'static str> {
    let is_part = |local: &str| {
        !local.is_empty()
            && local.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]*".contains(&b))
    };
    match address.split_once('@') {
        Some((local, domain)) if is_part(local) && DnsName::try_from(domain).is_ok() => {
            Ok(Name::Email(address.to_owned()))
        }
        _ => Err("expected an email address in ASCII, such as alice@example.test"),
    }
}

/// Parses a URI with its scheme (RFC 3986 §3), which contains only the characters that a URI may have.
fn uri(uri: &str) -> Result<Name, &'static str> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let may_stand = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    match uri.split_once(':') {
        _ if uri.contains('*') => {
            Err("a certificate has no wildcards in a URI: give the whole one")
        }
        Some((scheme, rest))
            if is_scheme(scheme)
                && !rest.trim_matches('/').is_empty()
                && rest.bytes().all(may_stand) =>
        {
            Ok(Name::Uri(uri.to_owned()))
        }
        _ => Err("expected a whole URI in ASCII, such as spiffe://example.test/ns/a/sa/web"),
    }
}

/// The names in a certificate, except those of kinds not handled here.
pub(super) fn names_of(certificate: &Certificate) -> Vec<Name> {
    certificate.subject_alt_names().iter().filter_map(|name| Name::shown(name)).collect()
}

/// Checks a client's name, which is the common name of its certificate and the stem of its files.
pub(super) fn check_client(name: &str) -> Result<(), PkiError> {
    let refuse = |problem| Err(PkiError::Client { name: name.to_owned(), problem });
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    if name.is_empty() || !name.chars().all(allowed) {
        return refuse("it names files: give letters, digits and . _ - @ + only, at least one");
    }
    if name.starts_with(['.', '-']) || name.ends_with('.') {
        return refuse("it names files: it cannot start with a dot or a hyphen, or end with a dot");
    }
    if name.len() > MAX_COMMON_NAME {
        return refuse("a common name has at most 64 characters");
    }
    // Case is ignored: some file systems do not distinguish `CA.crt` from `ca.crt`.
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return refuse("the CA and the server have files of this name; give another");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_dns_name_a_wildcard_or_an_address() {
        for (host, expected) in [
            ("Dev.Example.Test", "dev.example.test"),
            ("*.app.test", "*.app.test"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("my_service", "my_service"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::7", "2001:db8::7"),
        ] {
            assert_eq!(Name::host(host).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn garbage_is_not_a_host_and_the_error_says_what_would_be_one() {
        for (host, hint) in [
            ("", "not a DNS name"),
            ("https://app.test", "without scheme"),
            ("app.test:8443", "without scheme, port"),
            ("[::1]", "brackets"),
            ("a b", "not a DNS name"),
            ("-a.test", "not a DNS name"),
            ("a..test", "not a DNS name"),
            ("300.1.1.1", "not a DNS name"),
            ("*", "not a DNS name"),
            ("a.*.test", "not a DNS name"),
            ("*.*.test", "not a DNS name"),
            ("app.test\n", "not a DNS name"),
            ("*.test", "top-level"),
            ("app.test.", "dot at the end"),
            ("bücher.example", "punycode"),
        ] {
            let error = Name::host(host).unwrap_err().to_string();
            assert!(error.contains(hint), "{host:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_san_has_a_prefix_that_says_its_kind_or_the_form_of_it() {
        for (san, expected) in [
            ("DNS:Web.example.test", Name::Dns("web.example.test".to_owned())),
            ("web.example.test", Name::Dns("web.example.test".to_owned())),
            ("*.app.test", Name::Dns("*.app.test".to_owned())),
            ("email:alice@example.test", Name::Email("alice@example.test".to_owned())),
            ("alice@example.test", Name::Email("alice@example.test".to_owned())),
            ("uri:spiffe://a.test/ns/a", Name::Uri("spiffe://a.test/ns/a".to_owned())),
            ("spiffe://a.test/ns/a", Name::Uri("spiffe://a.test/ns/a".to_owned())),
            ("URI:urn:uuid:0d5d", Name::Uri("urn:uuid:0d5d".to_owned())),
            ("IP:10.0.0.1", Name::Ip([10, 0, 0, 1].into())),
            ("2001:db8:0::7", Name::Ip("2001:db8::7".parse().unwrap())),
        ] {
            assert_eq!(Name::san(san).unwrap(), expected, "{san}");
        }
    }

    #[test]
    fn what_is_no_san_is_one_line_that_says_what_would_be_one() {
        for (san, hint) in [
            ("", "not a DNS name"),
            ("DNS:", "not a DNS name"),
            ("DNS:a b", "not a DNS name"),
            ("DNS:10.0.0.1", "write IP: before it"),
            ("a.test:8443", "not a DNS name"),
            ("bücher.example", "punycode"),
            ("IP:", "IP:10.0.0.1"),
            ("IP:10.0.0", "IP:10.0.0.1"),
            ("IP:10.0.0.0/8", "IP:10.0.0.1"),
            ("email:", "alice@example.test"),
            ("email:alice", "alice@example.test"),
            ("@example.test", "alice@example.test"),
            ("a@b@c", "alice@example.test"),
            ("*@example.test", "alice@example.test"),
            ("Alice <a@b.test>", "alice@example.test"),
            ("älice@example.test", "alice@example.test"),
            ("URI:", "a whole URI"),
            ("URI:web", "a whole URI"),
            ("://a", "a whole URI"),
            ("spiffe://", "a whole URI"),
            ("spiffe://a b", "a whole URI"),
            ("spiffe://a.test/ns/*/sa/web", "no wildcards"),
            ("spiffe://a.test/\n", "a whole URI"),
        ] {
            let error = Name::san(san).unwrap_err().to_string();
            assert!(error.starts_with("--san \"") && error.contains(hint), "{san:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn client_names_are_safe_file_names() {
        for name in ["alice", "alice.smith", "alice@example.test", "team+ci", "client", "7", "_x"] {
            check_client(name).unwrap();
        }
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "-rf",
            "a/b",
            "a\\b",
            "../x",
            "a b",
            "a\0b",
            "a\nb",
            "x.",
            "c:x",
            "ca",
            "CA",
            "server",
            "Server_Chain",
            "ålice",
        ] {
            assert!(check_client(name).is_err(), "{name:?}");
        }
        check_client(&"x".repeat(64)).unwrap();
        assert!(check_client(&"x".repeat(65)).is_err());
    }
}
