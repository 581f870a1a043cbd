//! The names that certificates are for: hosts, and clients.

use std::fmt;
use std::net::IpAddr;

use rcgen::SanType;
use turnkey_backend::Certificate;
use turnkey_backend::pki_types::DnsName;

use super::PkiError;

/// The stems of the files that belong to the CA and the server.
const RESERVED: [&str; 3] = ["ca", "server", "server_chain"];

/// The longest common name that a certificate can hold (RFC 5280 appendix A.1, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// A subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A DNS name in lower case, perhaps with `*` for its first label.
    Dns(String),
    Ip(IpAddr),
    Email(String),
}

impl Name {
    /// Reads what `--host` takes.
    pub(super) fn host(host: &str) -> Result<Self, PkiError> {
        let refuse = |problem| Err(PkiError::Host { host: host.to_owned(), problem });
        if let Ok(ip) = host.parse() {
            return Ok(Self::Ip(ip));
        }
        if !host.is_ascii() {
            return refuse(
                "an internationalised name stands in certificates in its punycode form, \
                 \"xn--…\": give that",
            );
        }
        let wildcard = host.strip_prefix("*.");
        match DnsName::try_from(wildcard.unwrap_or(host)) {
            // A certificate's names have no final dot (RFC 6125 §2.2), a resolver's may.
            Err(_) => refuse(
                "not a DNS name, a wildcard such as *.app.test, or an IP address; \
                 give it bare, without scheme, port, brackets or path",
            ),
            Ok(_) if host.ends_with('.') => refuse("leave out the dot at the end"),
            Ok(rest) if wildcard.is_some() && !rest.as_ref().contains('.') => {
                refuse("clients do not accept a wildcard right below a top-level name")
            }
            Ok(_) => Ok(Self::Dns(host.to_ascii_lowercase())),
        }
    }

    /// Reads a name as [`Certificate::subject_alt_names`] shows it; `None` for other kinds.
    pub(super) fn shown(name: &str) -> Option<Self> {
        match name.split_once(':')? {
            ("DNS", name) => Some(Self::Dns(name.to_ascii_lowercase())),
            ("IP", ip) => ip.parse().ok().map(Self::Ip),
            ("email", address) => Some(Self::Email(address.to_owned())),
            _ => None,
        }
    }

    /// The form that certificates are made from.
    pub(super) fn san(&self) -> Result<SanType, rcgen::Error> {
        Ok(match self {
            Self::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
            Self::Ip(ip) => SanType::IpAddress(*ip),
            Self::Email(address) => SanType::Rfc822Name(address.as_str().try_into()?),
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// The names of a server's certificate: those of this machine, then `hosts`, none twice.
pub(super) fn server_names(hosts: &[String]) -> Result<Vec<Name>, PkiError> {
    names_on(gethostname::gethostname().to_str(), hosts)
}

/// [`server_names`] on a machine of the given name.
fn names_on(machine: Option<&str>, hosts: &[String]) -> Result<Vec<Name>, PkiError> {
    let always = ["localhost", "server.localhost", "*.server.localhost", "127.0.0.1", "::1"];
    // What is no valid name can't be asked for by a client either.
    let machine = machine.and_then(|name| Name::host(name).ok());
    let mut names = Vec::new();
    for name in always
        .iter()
        .map(|name| Name::host(name))
        .chain(machine.map(Ok))
        .chain(hosts.iter().map(|host| Name::host(host)))
    {
        let name = name?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The names in a certificate, of the kinds that are known here.
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
    // In any case: some file systems do not tell `CA.crt` from `ca.crt`.
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return refuse("the CA and the server have files of this name; give another");
    }
    Ok(())
}

/// A client's alternative names: its address, when it is named by one.
///
/// Never a DNS name: a client's certificate should not look like a server's.
pub(super) fn client_names(name: &str) -> Vec<Name> {
    match name.split_once('@') {
        Some((local, domain)) if !local.is_empty() && DnsName::try_from(domain).is_ok() => {
            vec![Name::Email(name.to_owned())]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[Name]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

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
    fn a_server_has_the_names_of_its_machine_and_those_asked_for_once_each() {
        let names = names_on(Some("Box"), &["app.test".into(), "LOCALHOST".into()]).unwrap();
        assert_eq!(
            shown(&names),
            [
                "localhost",
                "server.localhost",
                "*.server.localhost",
                "127.0.0.1",
                "::1",
                "box",
                "app.test"
            ]
        );
    }

    #[test]
    fn a_machine_whose_name_is_no_dns_name_is_left_out() {
        for machine in [None, Some(""), Some("bad name"), Some("x--.")] {
            assert_eq!(names_on(machine, &[]).unwrap().len(), 5, "{machine:?}");
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

    #[test]
    fn only_an_address_becomes_an_alternative_name_of_a_client() {
        assert_eq!(shown(&client_names("alice@example.test")), ["alice@example.test"]);
        for name in ["alice", "app.test", "@x", "a@", "a@b@c"] {
            assert_eq!(client_names(name), [], "{name}");
        }
    }
}
