use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The client of a proxy, as the proxy writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    /// IPv4 is never written as IPv6.
    Address(IpAddr),
    /// The proxy does not know it, or hides it (RFC 7239 §6.2, §6.3).
    Hidden,
}

impl Node {
    /// Reads a node: `nodename [ ":" node-port ]` (RFC 7239 §6).
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (name, port) = if let Some(rest) = text.strip_prefix(b"[") {
            let (address, port) = split_at(rest, b']')?;
            let address: Ipv6Addr = from_text(address)?;
            (Self::Address(IpAddr::V6(address).to_canonical()), port.get(1..)?)
        } else {
            let (name, port) = split_at(text, b':').unwrap_or((text, b""));
            (Self::named(name)?, port)
        };
        is_port(port).then_some(name)
    }

    /// Reads an element of `X-Forwarded-For`, in which IPv6 may have no brackets.
    pub(crate) fn parse_bare(text: &[u8]) -> Option<Self> {
        // nginx writes this for clients over a Unix socket.
        if text == b"unix:" {
            return Some(Self::Hidden);
        }
        let bare =
            || from_text::<Ipv6Addr>(text).map(|a| Self::Address(IpAddr::V6(a).to_canonical()));
        Self::parse(text).or_else(bare)
    }

    fn named(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"unknown") || is_obfuscated(name) {
            return Some(Self::Hidden);
        }
        from_text::<Ipv4Addr>(name).map(|address| Self::Address(address.into()))
    }
}

/// The text before the first `byte`, and the rest from it on.
fn split_at(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    text.split_at_checked(memchr::memchr(byte, text)?)
}

fn from_text<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `"_" 1*( ALPHA / DIGIT / "." / "_" / "-")`.
fn is_obfuscated(text: &[u8]) -> bool {
    matches!(text, [b'_', rest @ ..] if !rest.is_empty()
        && rest.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b)))
}

/// `":"` and a port of up to five digits, or an obfuscated one; or nothing.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', port @ ..] => {
            is_obfuscated(port)
                || ((1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Node {
        Node::Address(text.parse().unwrap())
    }

    #[test]
    fn nodes_of_the_grammar() {
        assert_eq!(Node::parse(b"192.0.2.43"), Some(address("192.0.2.43")));
        assert_eq!(Node::parse(b"192.0.2.43:47011"), Some(address("192.0.2.43")));
        assert_eq!(Node::parse(b"192.0.2.43:_gate"), Some(address("192.0.2.43")));
        assert_eq!(Node::parse(b"[2001:db8:cafe::17]"), Some(address("2001:db8:cafe::17")));
        assert_eq!(Node::parse(b"[2001:db8:cafe::17]:4711"), Some(address("2001:db8:cafe::17")));
        assert_eq!(Node::parse(b"[::ffff:192.0.2.43]"), Some(address("192.0.2.43")), "mapped");
        for hidden in ["unknown", "Unknown:80", "_gazonk", "_SEVKISEK", "_a.b-c_:_d"] {
            assert_eq!(Node::parse(hidden.as_bytes()), Some(Node::Hidden), "{hidden}");
        }
    }

    #[test]
    fn what_is_no_node() {
        for bad in [
            "",
            ":80",
            "_",
            "_a b",
            "example.com",
            "1.2.3",
            "1.2.3.4:",
            "1.2.3.4:123456",
            "1.2.3.4:-1",
            "01.2.3.4",
            "::1",
            "2001:db8::1",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[]",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "1.2.3.4 ",
            "1.2.3.4:80:80",
        ] {
            assert_eq!(Node::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn ipv6_goes_without_brackets_in_x_forwarded_for() {
        assert_eq!(Node::parse_bare(b"2001:db8::1"), Some(address("2001:db8::1")));
        assert_eq!(Node::parse_bare(b"::ffff:10.0.0.7"), Some(address("10.0.0.7")));
        assert_eq!(Node::parse_bare(b"[2001:db8::1]:80"), Some(address("2001:db8::1")));
        assert_eq!(Node::parse_bare(b"10.0.0.7:80"), Some(address("10.0.0.7")));
        assert_eq!(Node::parse_bare(b"\"10.0.0.7\""), None);
        assert_eq!(Node::parse_bare(b"unix:"), Some(Node::Hidden));
    }
}
