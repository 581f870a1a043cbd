use std::str::FromStr;

use crate::common::field;

/// A protocol that a client may change its connection to (RFC 9110 §7.8), in any version: `websocket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeProtocol(String);

impl UpgradeProtocol {
    /// The protocol that clients may always change to.
    pub(super) fn websocket() -> Self {
        Self("websocket".to_owned())
    }

    /// Whether `offered` is this protocol: its name, optionally with `/` and a version.
    pub(super) fn is(&self, offered: &[u8]) -> bool {
        let (name, version) = match offered.iter().position(|&byte| byte == b'/') {
            Some(slash) => (offered.get(..slash), offered.get(slash + 1..)),
            None => (Some(offered), None),
        };
        name.is_some_and(|name| name.eq_ignore_ascii_case(self.0.as_bytes()))
            && version.is_none_or(field::is_token)
    }
}

impl FromStr for UpgradeProtocol {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if !field::is_token(name.as_bytes()) {
            return Err(
                "expected the name of a protocol without its version, such as websocket".to_owned()
            );
        }
        if carries_requests(name) {
            return Err(
                "a tunnel of HTTP or TLS would carry requests that nobody here has checked"
                    .to_owned(),
            );
        }
        Ok(Self(name.to_owned()))
    }
}

/// Whether a tunnel of this protocol would carry requests, in which the client could claim anything about
/// itself: HTTP, TLS (RFC 2817), and HTTP/2 with its drafts, like `h2c-17`.
fn carries_requests(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let starts = |other: &str| {
        let rest = name.strip_prefix(other);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    ["h2", "h2c", "h3", "http", "https", "tls", "ssl"].into_iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for name in ["websocket", "chat", "tcp", "SPDYish", "h2o", "xmpp"] {
            assert!(name.parse::<UpgradeProtocol>().is_ok(), "{name}");
        }
        for name in ["h2c", "H2C", "h2", "h2c-17", "h2-14", "HTTP", "http2", "tls", "TLS1"] {
            let error = name.parse::<UpgradeProtocol>().unwrap_err();
            assert!(error.contains("carry requests"), "{name}: {error}");
        }
        for name in ["", "websocket/13", "\"h2c\"", "a b", "a,b", "HTTP/2.0"] {
            let error = name.parse::<UpgradeProtocol>().unwrap_err();
            assert!(error.starts_with("expected"), "{name}: {error}");
        }
    }

    #[test]
    fn a_version_may_follow() {
        let websocket = UpgradeProtocol::websocket();
        for offered in ["websocket", "WebSocket", "websocket/13"] {
            assert!(websocket.is(offered.as_bytes()), "{offered}");
        }
        for offered in ["websockets", "h2c", "websocket/", "websocket/1 h2c", "\"websocket\"", ""] {
            assert!(!websocket.is(offered.as_bytes()), "{offered}");
        }
    }
}
