//! Distinguished names as text (RFC 4514), in ASCII that is safe to print anywhere.
//!
//! The text is that of `openssl x509 -nameopt RFC2253`, which nginx forwards too: characters that are not ASCII are
//! written as the bytes of their UTF-8, escaped. A name comes from a peer, and must be harmless in a log, a header
//! field or a terminal.

use std::fmt::Write as _;

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::X509Name;

/// The whole name, most specific part first (RFC 4514 §2.1), escaped (§2.4).
pub(crate) fn to_rfc4514(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let rdns: Vec<_> = name.iter_rdn().collect();
    for rdn in rdns.into_iter().rev() {
        let attributes: Vec<_> = rdn.iter().collect();
        for (i, attribute) in attributes.into_iter().rev().enumerate() {
            match (i, text.is_empty()) {
                (_, true) => {}
                (0, _) => text.push(','),
                // Several attributes on one level (§2.2).
                _ => text.push('+'),
            }
            let oid = attribute.attr_type().to_id_string();
            let value = attribute.attr_value();
            match (short_name(&oid), decode(value)) {
                (Some(short), Some(value)) => {
                    text.push_str(short);
                    text.push('=');
                    escape(&mut text, &value);
                }
                // A type that is not widely known, or a value that is not text: its DER (§2.4).
                (short, _) => {
                    text.push_str(short.unwrap_or(&oid));
                    text.push_str("=#");
                    for byte in value.to_der_vec().unwrap_or_default() {
                        hex(&mut text, byte);
                    }
                }
            }
        }
    }
    text
}

/// The first common name, without escapes.
pub(crate) fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next().and_then(|cn| decode(cn.attr_value()))
}

/// Text from a peer, in which everything but printable ASCII, and the backslash itself, is written as `\XX`.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'\\' => safe.push_str("\\\\"),
            b' '..=b'~' => safe.push(char::from(byte)),
            _ => escape_byte(&mut safe, byte),
        }
    }
    safe
}

/// The names that OpenSSL prints, which include all of RFC 4514 §3.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.44" => "generationQualifier",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        "1.3.6.1.4.1.311.60.2.1.1" => "jurisdictionL",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        _ => return None,
    })
}

/// The text of a value of one of the ASN.1 string types; `None` for other types.
pub(crate) fn decode(value: &Any<'_>) -> Option<String> {
    let bytes = value.data;
    match value.tag() {
        Tag::Utf8String => str::from_utf8(bytes).ok().map(str::to_owned),
        // ASCII by definition, but some certificates contain Latin-1, and everyone reads T.61 as Latin-1.
        Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::T61String => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units = units.iter().copied().map(u16::from_be_bytes);
            let text = char::decode_utf16(units).collect::<Result<_, _>>().ok();
            text.filter(|_| rest.is_empty())
        }
        Tag::UniversalString => {
            let (units, rest) = bytes.as_chunks::<4>();
            let text = units.iter().map(|&unit| char::from_u32(u32::from_be_bytes(unit))).collect();
            if rest.is_empty() { text } else { None }
        }
        _ => None,
    }
}

fn escape(text: &mut String, value: &str) {
    let last = value.len().wrapping_sub(1);
    for (i, byte) in value.bytes().enumerate() {
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b'#' if i == 0 => text.push_str("\\#"),
            b' ' if i == 0 || i == last => text.push_str("\\ "),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => escape_byte(text, byte),
        }
    }
}

fn escape_byte(text: &mut String, byte: u8) {
    text.push('\\');
    hex(text, byte);
}

fn hex(text: &mut String, byte: u8) {
    // Writing to a `String` does not fail.
    let _ = write!(text, "{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(value: &str) -> String {
        let mut text = String::new();
        escape(&mut text, value);
        text
    }

    #[test]
    fn special_characters_are_escaped_where_they_are_special() {
        assert_eq!(escaped("a,b+c\"d\\e<f>g;h"), r#"a\,b\+c\"d\\e\<f\>g\;h"#);
        assert_eq!(escaped("#a#"), r"\#a#");
        assert_eq!(escaped("  a b  "), r"\  a b \ ");
        assert_eq!(escaped(" "), r"\ ");
        assert_eq!(escaped("#"), r"\#");
        assert_eq!(escaped(""), "");
        assert_eq!(escaped("a=b"), "a=b");
    }

    #[test]
    fn what_a_terminal_or_a_log_would_act_upon_is_escaped() {
        assert_eq!(escaped("a\0\n\r\x1b\x7f"), r"a\00\0A\0D\1B\7F");
        // A right-to-left override, which would reverse the text.
        assert_eq!(escaped("\u{202e}é"), r"\E2\80\AE\C3\A9");
        assert_eq!(printable("a\n\\,\u{202e}"), r"a\0A\\,\E2\80\AE");
    }

    #[test]
    fn what_is_no_text_of_its_type_is_not_read_as_text() {
        let decoded = |tag, bytes: &[u8]| decode(&Any::from_tag_and_data(tag, bytes));
        assert_eq!(decoded(Tag::UniversalString, b"\0\0\0A\0\x01\xf6\0").unwrap(), "A\u{1f600}");
        assert_eq!(decoded(Tag::BmpString, b"\0A\x20\xac").unwrap(), "A\u{20ac}");
        for (tag, bytes) in [
            (Tag::UniversalString, &b"\0\0\0A\0\0\0"[..]),
            (Tag::UniversalString, b"\0\x11\0\0"),
            (Tag::BmpString, b"\0A\0"),
            (Tag::BmpString, b"\xd8\0"),
            (Tag::Utf8String, b"\xff"),
            (Tag::Integer, b"A"),
        ] {
            assert_eq!(decoded(tag, bytes), None, "{tag:?} {bytes:?}");
        }
    }
}
