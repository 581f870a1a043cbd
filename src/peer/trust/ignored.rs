use std::fmt;

use super::explained::shown;
use crate::common::address::ClientAddr;
use crate::common::setting_names::SettingNames;

/// A field that was removed from a request before anybody read it.
#[derive(Debug, Clone)]
pub struct IgnoredHeader {
    name: String,
    value: String,
    why: Why,
}

impl IgnoredHeader {
    pub(super) fn new(name: &str, value: &[u8], why: Why) -> Self {
        Self { name: name.to_ascii_lowercase(), value: shown(value), why }
    }

    /// Its name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The beginning of its value, in printable ASCII. Other bytes are escaped.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Why it was removed, in lower case and without a full stop.
    #[must_use]
    pub fn reason(&self) -> String {
        self.why.to_string()
    }
}

/// How to have a proxy believed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint {
    /// What holds the proxies that are.
    list: &'static str,
    /// What adds one to it.
    add: &'static str,
}

impl Hint {
    pub(super) fn of(names: &SettingNames) -> Self {
        Self { list: names.trusted_proxies, add: names.trust_proxy }
    }
}

/// Why a field is not believed.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// Who sent it is no proxy that is trusted.
    Untrusted(ClientAddr, Hint),
    /// What follows a PROXY header that names nobody may be anybody's.
    Unnamed,
    /// Applications may take its name for another.
    Disguised,
    /// Its name is unusual, and applications may take it for another; the setting that lets it pass.
    Strange(&'static str),
    /// Applications may take it for a field that says how long the body is.
    Framing,
    /// This is not an element of `Forwarded`.
    NoElement(String),
    /// This, in `X-Forwarded-For`, is not an address.
    NoAddress(String),
    /// This is not a known scheme.
    NoScheme(String),
    /// This is not a valid host.
    NoHost(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted(client, Hint { list, add }) => {
                write!(f, "not in {list}; {add} {client} if that is a proxy of yours")
            }
            Self::Unnamed => f.write_str(
                "its PROXY header does not say who the client is, who may have written it",
            ),
            Self::Disguised => f.write_str(
                "applications may take it for the name with hyphens, which is how proxies write it",
            ),
            Self::Strange(lenient_names) => write!(
                f,
                "its name has other marks than - and _, and applications may take it for another \
                 name; add {lenient_names} if the upstream needs it"
            ),
            Self::Framing => f.write_str(
                "applications may take it for Content-Length or Transfer-Encoding, and read another \
                 body than was sent",
            ),
            Self::NoElement(what) => write!(f, "{what} is no element of it"),
            Self::NoAddress(what) => write!(f, "{what} is no address"),
            Self::NoScheme(what) => write!(f, "{what} is neither http nor https"),
            Self::NoHost(what) => write!(f, "{what} is no valid host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_field_is_in_printable_ascii() {
        let why = Why::NoAddress(shown(b"\xff junk"));
        let field = IgnoredHeader::new("X-Forwarded-For", b"10.0.0.1,\r\n\xff junk", why);
        assert_eq!(field.name(), "x-forwarded-for");
        assert_eq!(field.value(), r"10.0.0.1,\r\n\xff junk");
        assert_eq!(field.reason(), r"\xff junk is no address");
    }
}
