//! The grammar that fields share (RFC 9110 §5.6).

use std::borrow::Cow;

use http_types::Url;
use httparse::Header;

/// Whether `bytes` is a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_tchar)
}

/// `bytes` as a field name, if they are a token.
pub(crate) fn name(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|name| is_token(name.as_bytes()))
}

pub(crate) fn is_tchar(byte: u8) -> bool {
    // This runs for each byte of each field's name.
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
        | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The values of all fields called `name`, in order.
pub(crate) fn values<'f, 'b>(
    fields: &'f [Header<'b>],
    name: &'f str,
) -> impl Iterator<Item = &'b [u8]> + use<'f, 'b> {
    fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value)
}

/// The maximum number of options in the `Connection` fields of a head. Usual heads have one or two.
pub(crate) const MAX_OPTIONS: usize = 100;

/// Whether the `Connection` fields have more options than that.
pub(crate) fn has_too_many_options(fields: &[Header<'_>]) -> bool {
    values(fields, "connection").flat_map(list).nth(MAX_OPTIONS).is_some()
}

/// The elements of a comma-separated list, without white space and empty elements
/// (RFC 9110 §5.6.1.2).
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(trim).filter(|element| !element.is_empty())
}

/// `value` without the optional white space around it (RFC 9110 §5.6.3).
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// `value` without the white space before it.
pub(crate) fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    value
}

/// The token at the start of `bytes` (RFC 9110 §5.6.2), and the rest.
pub(crate) fn token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&b| !is_tchar(b)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// The value of the token or quoted string (RFC 9110 §5.6.4) at the start of `bytes`, and the rest.
pub(crate) fn token_or_quoted(bytes: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        return token(bytes).map(|(token, rest)| (token.into(), rest));
    };
    let mut meant = Vec::new();
    let mut bytes = quoted.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let byte = match byte {
            b'"' => return Some((meant.into(), quoted.get(at + 1..)?)),
            b'\\' => bytes.next()?.1,
            byte => byte,
        };
        if !is_text(byte) {
            return None;
        }
        meant.push(byte);
    }
    None
}

/// Whether `byte` may stand in a field value (RFC 9110 §5.5): no control character but tab.
pub(crate) fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// A weight (RFC 9110 §12.4.2), in thousandths: `1`, `0.8`, `0.125`.
pub(crate) fn weight(value: &[u8]) -> Option<u16> {
    let (whole, fraction) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let digits = [whole].into_iter().chain(fraction).chain([b'0'; 3].iter());
    let weight = digits.take(4).try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| 10 * sum + u16::from(digit - b'0'))
    })?;
    (weight <= 1000).then_some(weight)
}

/// Whether `value` may stand in the `Host` field, or as the authority of a request target:
/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2), with a host that is not empty
/// (RFC 9110 §4.2.1) and no user information (RFC 9110 §4.2.4).
pub(crate) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => match rest.iter().position(|&b| b == b']') {
            Some(end) => {
                let (address, after) = rest.split_at(end);
                if !is_ipv6(address) {
                    return false;
                }
                (&b"[]"[..], after.get(1..).unwrap_or_default())
            }
            None => return false,
        },
        _ => match value.iter().position(|&b| b == b':') {
            Some(colon) => value.split_at(colon),
            None => (value, &b""[..]),
        },
    };
    is_reg_name(host) && is_port(port)
}

/// Whether a URL can have `authority`, for which [`is_authority`] holds. It cannot where the host is an
/// IPv4 address out of range, percent-encoded bytes that no host has, or punycode that decodes to none (the
/// URL standard, host parsing).
pub(crate) fn is_authority_of_url(authority: &str) -> bool {
    let host = authority.split(':').next().unwrap_or_default();
    is_usual_host(host.as_bytes())
        || authority.starts_with('[')
        || host.parse::<std::net::Ipv4Addr>().is_ok()
        || Url::parse(&["http://", authority, "/"].concat()).is_ok()
}

/// Whether `host` consists of labels that begin with a small letter, so that it can be no address, and has no
/// `--`, which punycode has.
fn is_usual_host(host: &[u8]) -> bool {
    let mut before = b'.';
    host.iter().all(|&byte| {
        let usual = match byte {
            b'a'..=b'z' => true,
            b'0'..=b'9' | b'.' => before != b'.',
            b'-' => !matches!(before, b'.' | b'-'),
            _ => false,
        };
        before = byte;
        usual
    }) && !host.is_empty()
}

fn is_ipv6(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_reg_name(host: &[u8]) -> bool {
    // The empty brackets replace an address that was checked above.
    if host == b"[]" {
        return true;
    }
    let mut rest = host.iter();
    while let Some(&byte) = rest.next() {
        let ok = match byte {
            b'%' => {
                let mut hex = || rest.next().is_some_and(u8::is_ascii_hexdigit);
                hex() && hex()
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !ok {
            return false;
        }
    }
    !host.is_empty()
}

/// `":" port`, or nothing. An empty port is allowed (RFC 3986 §3.2.3).
fn is_port(port: &[u8]) -> bool {
    match port {
        [] | [b':'] => true,
        [b':', digits @ ..] => {
            digits.iter().all(u8::is_ascii_digit)
                && std::str::from_utf8(digits).is_ok_and(|d| d.parse::<u16>().is_ok())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_lose_white_space_and_empty_elements() {
        let elements: Vec<_> = list(b" close,\tkeep-alive ,, ,foo").collect();
        assert_eq!(elements, [&b"close"[..], b"keep-alive", b"foo"]);
        assert_eq!(list(b"  ").count(), 0);
    }

    #[test]
    fn weights() {
        for (value, weight) in
            [("1", 1000), ("1.000", 1000), ("0", 0), ("0.", 0), ("0.8", 800), ("0.125", 125)]
        {
            assert_eq!(super::weight(value.as_bytes()), Some(weight), "{value}");
        }
        for value in ["", "1.001", "2", ".5", "0.1234", "-1", "0,5", "0.x"] {
            assert_eq!(weight(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn authorities() {
        for good in [
            "example.com",
            "example.com:8080",
            "127.0.0.1",
            "[::1]",
            "[::1]:443",
            "a_b",
            "a%20b",
            "localhost:",
            "xn--bcher-kva.example",
        ] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            ":80",
            "a b",
            "a/b",
            "user@host",
            "a:b:c",
            "a:99999",
            "[::1",
            "[::1]x",
            "[]",
            "a%2",
            "a%zz",
            "a\\b",
            "a:80a",
            "bücher.example",
            "[1.2.3.4]",
            "a?b",
            "a#b",
            "::1",
        ] {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
        for bad in ["1.2.3.456", "1.2.3.456:80", "a.256.1", "a%20b", "a%00", "xn--a", "a.0x1"] {
            assert!(is_authority(bad.as_bytes()) && !is_authority_of_url(bad), "{bad}");
        }
    }
}
