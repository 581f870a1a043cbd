//! `Forwarded` (RFC 7239), read from its end.
//!
//! The last element is from the nearest proxy; those before it may be the client's. If the field were read
//! from its beginning, a client that sends `for="` could hide the proxy's element in a quoted string. So an
//! element is the shortest well-formed text from a comma to the end. If the whole field is well-formed, both
//! ways give the same result: a text that begins inside a quoted string has an odd number of quotes, and is
//! malformed.

use std::borrow::Cow;

use super::node::Node;
use crate::common::field::{token, token_or_quoted, trim};

/// What one proxy says about its client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Element<'v> {
    /// Its offset in the value.
    pub(crate) start: usize,
    /// The client; an element without `for` has none.
    pub(crate) node: Node,
    /// The scheme, not validated.
    pub(crate) proto: Option<Cow<'v, [u8]>>,
    /// The `Host`, not validated.
    pub(crate) host: Option<Cow<'v, [u8]>>,
}

/// Malformed text in place of an element.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed<'v>(pub(crate) &'v [u8]);

/// The elements of a value, the last one first. It ends at the first malformed one.
pub(crate) fn parse(value: &[u8]) -> Elements<'_> {
    Elements { value, end: Some(value.len()) }
}

/// The maximum length of an element, in bytes: several times what any proxy writes. It limits the work for
/// hostile values, such as a long row of commas.
const MAX_ELEMENT: usize = 1024;

/// See [`parse`].
#[derive(Debug)]
pub(crate) struct Elements<'v> {
    value: &'v [u8],
    /// The end of the unread part.
    end: Option<usize>,
}

impl<'v> Iterator for Elements<'v> {
    type Item = Result<Element<'v>, Malformed<'v>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.value.get(..self.end.take()?)?;
            let mut before = rest;
            let mut shortest = None;
            loop {
                let comma = memchr::memrchr(b',', before);
                let start = comma.map_or(0, |comma| comma + 1);
                let text = rest.get(start..)?;
                if text.len() > MAX_ELEMENT {
                    return Some(Err(Malformed(shortest.unwrap_or(text))));
                }
                let text = trim(text);
                // RFC 9110 §5.6.1.2: empty elements of a list are ignored.
                if text.is_empty() {
                    self.end = comma;
                    break;
                }
                let shortest = *shortest.get_or_insert(text);
                if let Some(pairs) = Pairs::read(text) {
                    let element = pairs.element(start).ok_or(Malformed(text));
                    self.end = comma.filter(|_| element.is_ok());
                    return Some(element);
                }
                // The comma may be inside a quoted string.
                match comma {
                    Some(comma) => before = rest.get(..comma)?,
                    None => return Some(Err(Malformed(shortest))),
                }
            }
        }
    }
}

/// The parameters of an element that matter here (RFC 7239 §5); others are ignored.
#[derive(Debug, Default)]
struct Pairs<'v> {
    by: Option<Cow<'v, [u8]>>,
    node: Option<Cow<'v, [u8]>>,
    proto: Option<Cow<'v, [u8]>>,
    host: Option<Cow<'v, [u8]>>,
}

impl<'v> Pairs<'v> {
    /// `[ forwarded-pair ] *( ";" [ forwarded-pair ] )` (RFC 7239 §4). The grammar has no white space, but some
    /// proxies write it after the semicolon.
    fn read(text: &'v [u8]) -> Option<Self> {
        let mut pairs = Self::default();
        let mut rest = text;
        loop {
            rest = trim(rest);
            if !matches!(rest, [] | [b';', ..]) {
                let (name, after) = token(rest)?;
                let (value, after) = token_or_quoted(after.strip_prefix(b"=")?)?;
                // RFC 7239 §4: each parameter occurs at most once.
                if let Some(known) = pairs.known(name)
                    && known.replace(value).is_some()
                {
                    return None;
                }
                rest = trim(after);
            }
            match rest {
                [] => return Some(pairs),
                [b';', more @ ..] => rest = more,
                _ => return None,
            }
        }
    }

    fn known(&mut self, name: &[u8]) -> Option<&mut Option<Cow<'v, [u8]>>> {
        match name.to_ascii_lowercase().as_slice() {
            b"by" => Some(&mut self.by),
            b"for" => Some(&mut self.node),
            b"proto" => Some(&mut self.proto),
            b"host" => Some(&mut self.host),
            _ => None,
        }
    }

    fn element(self, start: usize) -> Option<Element<'v>> {
        let node = match self.node {
            Some(node) => Node::parse(&node)?,
            None => Node::Hidden,
        };
        Some(Element { start, node, proto: self.proto, host: self.host })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Node, proto and host of each element, the last first; `Err` is what is malformed.
    type Told = Result<(String, Option<String>, Option<String>), String>;

    fn told(value: &str) -> Vec<Told> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        parse(value.as_bytes())
            .map(|element| match element {
                Ok(Element { node: Node::Address(ip), proto, host, .. }) => {
                    Ok((ip.to_string(), proto.map(|p| text(&p)), host.map(|h| text(&h))))
                }
                Ok(Element { proto, host, .. }) => {
                    Ok(("hidden".to_owned(), proto.map(|p| text(&p)), host.map(|h| text(&h))))
                }
                Err(Malformed(bytes)) => Err(text(bytes)),
            })
            .collect()
    }

    fn nodes(value: &str) -> Vec<String> {
        told(value).into_iter().map(|t| t.map_or_else(|e| format!("!{e}"), |(n, ..)| n)).collect()
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 7239 §4, §6.3, §7.1.
        assert_eq!(nodes(r#"for="_gazonk""#), ["hidden"]);
        assert_eq!(nodes(r#"For="[2001:db8:cafe::17]:4711""#), ["2001:db8:cafe::17"]);
        let full = told("for=192.0.2.60;proto=http;by=203.0.113.43");
        assert_eq!(full, [Ok(("192.0.2.60".into(), Some("http".into()), None))]);
        assert_eq!(nodes("for=192.0.2.43, for=198.51.100.17"), ["198.51.100.17", "192.0.2.43"]);
        assert_eq!(
            nodes("for=_hidden, for=_SEVKISEK, for=unknown"),
            ["hidden", "hidden", "hidden"]
        );
        assert_eq!(
            nodes(r#"for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown"#),
            ["hidden", "2001:db8:cafe::17", "192.0.2.43"]
        );
        let host = told(r#"for=192.0.2.1;host="example.com:8080";proto=HTTPS"#);
        let expected =
            ("192.0.2.1".into(), Some("HTTPS".into()), Some("example.com:8080".to_owned()));
        assert_eq!(host, [Ok(expected)]);
    }

    #[test]
    fn quoted_strings() {
        assert_eq!(nodes(r#"for="192.0.2.43:47011""#), ["192.0.2.43"]);
        assert_eq!(nodes(r#"for="\1\92.0.2.43""#), ["192.0.2.43"], "RFC 9110 section 5.6.4");
        assert_eq!(
            nodes(r#"for=192.0.2.1;secret="a, for=6.6.6.6;b=\"c\", \\""#),
            ["192.0.2.1"],
            "commas and escaped quotes inside of quotes"
        );
        assert_eq!(nodes(r#"x="a,b";for=192.0.2.1, for=192.0.2.2"#), ["192.0.2.2", "192.0.2.1"]);
    }

    #[test]
    fn empty_elements_and_pairs_do_not_count() {
        assert_eq!(nodes(""), [""; 0]);
        assert_eq!(nodes(" , ,\t"), [""; 0]);
        assert_eq!(nodes(",for=192.0.2.1,, ,for=192.0.2.2, "), ["192.0.2.2", "192.0.2.1"]);
        assert_eq!(nodes(";;for=192.0.2.1; ;proto=http;"), ["192.0.2.1"]);
        assert_eq!(nodes("proto=https;ext=1"), ["hidden"]);
    }

    #[test]
    fn nothing_follows_what_is_malformed() {
        for (value, expected) in [
            ("for=192.0.2.1, for=junk", &["!for=junk"][..]),
            ("for=192.0.2.1, for=192.0.2.2:80", &["!for=192.0.2.2:80"]),
            ("for=192.0.2.1, garbage, for=192.0.2.2", &["192.0.2.2", "!garbage"]),
            ("for=192.0.2.1;for=192.0.2.2", &["!for=192.0.2.1;for=192.0.2.2"]),
            ("for=192.0.2.1;by=a;by=b", &["!for=192.0.2.1;by=a;by=b"]),
            ("proto=http;Proto=https", &["!proto=http;Proto=https"]),
            ("host=a;host=a", &["!host=a;host=a"]),
            ("for=[2001:db8::1]", &["!for=[2001:db8::1]"]),
            (r#"for="2001:db8::1""#, &[r#"!for="2001:db8::1""#]),
            ("for = 192.0.2.1", &["!for = 192.0.2.1"]),
            ("for=", &["!for="]),
            ("for=192.0.2.1 proto=https", &["!for=192.0.2.1 proto=https"]),
            (r#"for="192.0.2.1"#, &[r#"!for="192.0.2.1"#]),
            (r#"for="192.0.2.1\"#, &[r#"!for="192.0.2.1\"#]),
        ] {
            assert_eq!(nodes(value), expected, "{value}");
        }
    }

    #[test]
    fn an_element_of_any_length_is_not_looked_for() {
        let of_length = |n: usize| format!("for=192.0.2.1;x={}", "a".repeat(n - 16));
        assert_eq!(nodes(&of_length(1024)), ["192.0.2.1"]);
        assert_eq!(nodes(&of_length(1025)), [format!("!{}", of_length(1025))]);
        let padding = "a".repeat(MAX_ELEMENT);
        assert_eq!(nodes(&format!(r#"for=192.0.2.1, x="{padding}";for=192.0.2.2"#)).len(), 1);
        let commas = format!("{},{}for=192.0.2.1", "a,".repeat(4000), " ".repeat(900));
        assert_eq!(nodes(&commas)[0], "192.0.2.1", "what is left of it is not believed");
        assert_eq!(nodes(&commas).len(), 2);
    }

    #[test]
    fn a_forged_left_part_does_not_swallow_the_right_one() {
        for forged in ["for=\"", "for=6.6.6.6;x=\"", "x=\"\\", "\"", "for=6.6.6.6, x=\"a,"] {
            for real in ["for=192.0.2.1", r#"for="[2001:db8::1]";host="a,b";proto=http"#] {
                let expected = nodes(real);
                let seen = nodes(&format!("{forged}, {real}"));
                assert_eq!(seen.first(), expected.first(), "{forged}, {real}");
            }
        }
    }

    proptest! {
        #[test]
        fn takes_any_bytes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let count = parse(&value).count();
            prop_assert!(count <= value.len());
        }

        #[test]
        fn whatever_comes_before_the_last_element_is_read_without_effect(
            before in r#"[a-z=",;\\ .0-9]{0,40}"#,
            quoted in "[a-z,;= ]{0,10}",
        ) {
            let last = format!(r#"for=192.0.2.1;x="{quoted}""#);
            let value = format!("{before},{last}");
            let element = parse(value.as_bytes()).next().unwrap().unwrap();
            prop_assert_eq!(element.start, before.len() + 1);
        }
    }
}
