use crate::peer::trust::forwarded::{Element, parse};
use crate::peer::trust::node::Node;

/// What a client may write before the element that a proxy appends.
const FORGED: [&[u8]; 5] = [b"for=6.6.6.6", b"for=\"", b"x=\"\\", b"for=6.6.6.6;x=\",", b"\\,;\""];

/// `value` is that of a `Forwarded` field (RFC 7239), which is read from its end. If it is well-formed, reading it
/// from its beginning must give the same elements. What comes before an element must not affect it.
pub fn forwarded(value: &[u8]) {
    let elements: Vec<_> = parse(value).collect();
    assert!(elements.len() <= value.len());
    let mut end = value.len();
    for (i, element) in elements.iter().enumerate() {
        match element {
            Err(_) => assert_eq!(i + 1, elements.len(), "something follows what is malformed"),
            Ok(element) => {
                assert!(element.start < end, "it ends before it begins");
                check_element(&value[element.start..end], element);
                // Skip the comma before it, unless it is the first.
                end = element.start.saturating_sub(1);
            }
        }
    }
    if let Some(Ok(last)) = elements.first() {
        for forged in FORGED {
            let longer = [forged, b",", value].concat();
            let expected = Element { start: last.start + forged.len() + 1, ..clone(last) };
            assert_eq!(parse(&longer).next(), Some(Ok(expected)));
        }
    }
    if let Some(mut forwards) = read_forwards(value) {
        forwards.reverse();
        let backwards: Vec<_> = elements.into_iter().flatten().collect();
        assert_eq!(backwards, forwards);
    }
}

/// An element must mean the same, whatever surrounds it.
fn check_element(text: &[u8], element: &Element<'_>) {
    let alone: Vec<_> = parse(text).collect();
    assert_eq!(alone, [Ok(Element { start: 0, ..clone(element) })]);
    if let Node::Address(address) = element.node {
        assert_eq!(address, address.to_canonical(), "IPv4 is written as IPv6");
    }
}

fn clone<'v>(element: &Element<'v>) -> Element<'v> {
    let Element { start, node, ref proto, ref host } = *element;
    Element { start, node, proto: proto.clone(), host: host.clone() }
}

/// The elements in order, read from the beginning; a comma inside quotes separates nothing. `None` if an element is
/// malformed.
fn read_forwards(value: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for at in 0..=value.len() {
        let byte = value.get(at);
        if byte.is_none() || (byte == Some(&b',') && !quoted) {
            match parse(&value[start..at]).collect::<Vec<_>>().pop() {
                // Empty elements are ignored.
                None => {}
                Some(Ok(element)) if element.start == 0 => {
                    elements.push(Element { start, ..element });
                }
                Some(_) => return None,
            }
            start = at + 1;
        }
        let quote = byte == Some(&b'"') && !escaped;
        escaped = quoted && !escaped && byte == Some(&b'\\');
        quoted ^= quote;
    }
    Some(elements)
}
