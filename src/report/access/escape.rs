//! Escapes text from others to printable ASCII. It cannot end a line or a quoted string early, control a terminal, or
//! reverse the direction of text.

/// Adds `bytes` as Apache's `mod_log_config` writes what clients send, for a place in quotes.
pub(super) fn push_quoted(line: &mut Vec<u8>, bytes: &[u8]) {
    push(line, bytes, |byte| (b' '..=b'~').contains(&byte));
}

/// The same, for a place that ends with a blank.
pub(super) fn push_word(line: &mut Vec<u8>, bytes: &[u8]) {
    push(line, bytes, |byte| byte.is_ascii_graphic());
}

fn push(line: &mut Vec<u8>, bytes: &[u8], may_stand: impl Fn(u8) -> bool) {
    let plain = |byte| may_stand(byte) && byte != b'"' && byte != b'\\';
    let mut rest = bytes;
    loop {
        // Nearly everything is plain.
        let (run, after) = rest.split_at(run_of(rest, plain));
        line.extend_from_slice(run);
        let Some((&byte, after)) = after.split_first() else { return };
        match byte {
            b'"' => line.extend_from_slice(b"\\\""),
            b'\\' => line.extend_from_slice(b"\\\\"),
            0x08 => line.extend_from_slice(b"\\b"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0x0b => line.extend_from_slice(b"\\v"),
            _ => line.extend_from_slice(&[b'\\', b'x', hex(byte >> 4), hex(byte & 15)]),
        }
        rest = after;
    }
}

/// How many of `bytes` are `plain`, from the first on. Checks sixteen at a time.
fn run_of(bytes: &[u8], plain: impl Fn(u8) -> bool) -> usize {
    let all = |block: &&[u8]| block.iter().fold(true, |all, &byte| all & plain(byte));
    let start = 16 * bytes.chunks_exact(16).take_while(all).count();
    let rest = bytes.get(start..).unwrap_or_default();
    // The incomplete last block: check the last sixteen bytes, which overlap the block before.
    if rest.len() < 16 && bytes.last_chunk::<16>().is_some_and(|block| all(&block.as_slice())) {
        return bytes.len();
    }
    start + rest.iter().take_while(|&&byte| plain(byte)).count()
}

/// Adds `bytes` as a JSON string (RFC 8259 §7), in ASCII. Invalid UTF-8 becomes U+FFFD.
pub(super) fn push_json(line: &mut Vec<u8>, bytes: &[u8]) {
    line.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_json_char(line, c);
        }
        if !chunk.invalid().is_empty() {
            push_json_char(line, char::REPLACEMENT_CHARACTER);
        }
    }
    line.push(b'"');
}

fn push_json_char(line: &mut Vec<u8>, c: char) {
    match u8::try_from(c) {
        Ok(byte @ (b'"' | b'\\')) => line.extend_from_slice(&[b'\\', byte]),
        Ok(byte @ b' '..=b'~') => line.push(byte),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let [high, low] = unit.to_be_bytes();
                line.extend_from_slice(b"\\u");
                line.extend([high >> 4, high & 15, low >> 4, low & 15].map(hex));
            }
        }
    }
}

fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(push: fn(&mut Vec<u8>, &[u8]), bytes: &[u8]) -> String {
        let mut line = Vec::new();
        push(&mut line, bytes);
        String::from_utf8(line).unwrap()
    }

    /// Byte for byte as in Apache 2.4 (`ap_escape_logitem`).
    #[test]
    fn text_is_escaped_as_apache_does() {
        for (bytes, escaped) in [
            (&b"GET /a?b=c HTTP/1.1"[..], "GET /a?b=c HTTP/1.1"),
            (b"a\"b\\c", r#"a\"b\\c"#),
            (b"\r\n\t\x0b\x08", r"\r\n\t\v\b"),
            (b"\x1b[31m\0\x7f", r"\x1b[31m\x00\x7f"),
            (b"\xff\xc3\xa9", r"\xff\xc3\xa9"),
            ("\u{202e}".as_bytes(), r"\xe2\x80\xae"),
        ] {
            assert_eq!(pushed(push_quoted, bytes), escaped);
        }
        assert_eq!(pushed(push_word, b"a b"), r"a\x20b");
    }

    /// At each position in the sixteen bytes that are checked at once, and after them.
    #[test]
    fn one_odd_byte_is_escaped_wherever_it_stands() {
        for (length, at) in (0..60_usize).flat_map(|length| (0..length).map(move |at| (length, at)))
        {
            let mut bytes = vec![b'a'; length];
            assert_eq!(pushed(push_quoted, &bytes), "a".repeat(length));
            bytes[at] = b'\n';
            let expected = format!("{}\\n{}", "a".repeat(at), "a".repeat(length - at - 1));
            assert_eq!(pushed(push_quoted, &bytes), expected);
        }
    }

    #[test]
    fn json_reads_back_as_what_it_was() {
        let odd: String = (0..0x2100).filter_map(char::from_u32).chain(['\u{1f600}']).collect();
        let json = pushed(push_json, odd.as_bytes());
        assert!(json.bytes().all(|b| (b' '..=b'~').contains(&b)), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), odd);
        let json = pushed(push_json, b"a\xffb");
        assert_eq!(json, r#""a\ufffdb""#);
    }
}
