//! Writes the head of an answer directly. async-h1's encoder writes the same head, but through the formatter and a
//! buffer of its own.

use http_types::headers::HeaderName;
use http_types::{Response, StatusCode};

use crate::common::date;

/// The field that says where the content ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FramingField {
    /// No field: there is no content, or the connection ends with it.
    None,
    Length(usize),
    Chunked,
}

/// What the wire adds to the head of a handler.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ours {
    pub(super) framing: FramingField,
    pub(super) connection: Option<&'static str>,
    /// Whether to send the date of the answer (RFC 9110 §6.6.1).
    pub(super) date: bool,
    /// For how many seconds the client must use HTTPS only (RFC 6797).
    pub(super) hsts: Option<u64>,
}

/// Appends the head of `response` to `out`: its fields except those that `is_left_out`, and `ours`, sorted by name.
pub(super) fn push_head(
    out: &mut Vec<u8>,
    response: &Response,
    is_left_out: impl Fn(&HeaderName) -> bool,
    ours: Ours,
) {
    let mut fields = Vec::with_capacity(8);
    for (name, values) in response.iter().filter(|(name, _)| !is_left_out(name)) {
        fields.extend(values.iter().map(|value| (name.as_str(), value.as_str())));
    }
    push(out, response.status(), fields, ours);
}

/// Appends a head with `fields` and `ours`.
pub(super) fn push(out: &mut Vec<u8>, status: StatusCode, fields: Vec<(&str, &str)>, ours: Ours) {
    let (mut digits, max_age) = (Digits::default(), ours.hsts.map(|age| format!("max-age={age}")));
    // Shortens the lifetime, so that the fields can borrow from this function.
    let mut fields: Vec<(&str, &str)> = fields;
    match ours.framing {
        FramingField::None => {}
        FramingField::Length(length) => fields.push(("content-length", digits.write(length))),
        FramingField::Chunked => fields.push(("transfer-encoding", "chunked")),
    }
    fields.extend(ours.connection.map(|connection| ("connection", connection)));
    fields.extend(max_age.as_deref().map(|max_age| ("strict-transport-security", max_age)));
    if ours.date {
        date::with_now(|date| {
            let mut fields: Vec<(&str, &str)> = fields;
            fields.push(("date", date));
            write(out, status, fields);
        });
    } else {
        write(out, status, fields);
    }
}

fn write(out: &mut Vec<u8>, status: StatusCode, mut fields: Vec<(&str, &str)>) {
    // Stable: values of one name stay in their order.
    fields.sort_by_key(|(name, _)| *name);
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(Digits::default().write(u16::from(status).into()).as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason(status).as_bytes());
    for (name, value) in fields {
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// http-types 2.12 calls 304 `Modified`, the opposite of its meaning.
fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NotModified => "Not Modified",
        other => other.canonical_reason(),
    }
}

/// A buffer for a decimal number.
#[derive(Debug, Default)]
struct Digits([u8; 20]);

impl Digits {
    fn write(&mut self, mut number: usize) -> &str {
        let mut start = self.0.len();
        for (at, digit) in self.0.iter_mut().enumerate().rev() {
            *digit = b"0123456789".get(number % 10).copied().unwrap_or_default();
            number /= 10;
            start = at;
            if number == 0 {
                break;
            }
        }
        self.0.get(start..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use async_h1::server::Encoder;
    use http_types::Method;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use smol::io::AsyncReadExt;

    use super::*;

    /// What async-h1 writes for `response`, which sets every field except its length.
    fn encoded(response: Response) -> String {
        let mut head = String::new();
        smol::block_on(Encoder::new(response, Method::Head).read_to_string(&mut head)).unwrap();
        head.replacen("304 Modified", "304 Not Modified", 1)
    }

    fn field() -> impl Strategy<Value = (String, String)> {
        let usual = select(vec!["content-type", "Set-Cookie", "etag", "vary", "x-a", "x-A", "age"]);
        let name = prop_oneof![usual.prop_map(str::to_owned), "[a-zA-Z0-9_!~-]{1,12}"];
        (name, "[ -~\\t]{0,20}")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_head_is_what_async_h1_writes(
            status in select(vec![200_u16, 204, 206, 301, 304, 308, 400, 404, 421, 500, 503]),
            fields in vec(field(), 0..12),
            length in prop_oneof![Just(None), (0..3_usize).prop_map(Some), any::<usize>().prop_map(Some)],
            connection in select(vec![None, Some("close"), Some("keep-alive")]),
            hsts in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
            own_date: bool,
        ) {
            let mut response = Response::new(StatusCode::try_from(status).unwrap());
            for (name, value) in &fields {
                response.append_header(name.as_str(), value.as_str());
            }
            for name in ["content-length", "transfer-encoding", "connection", "date", HSTS] {
                response.remove_header(name);
            }
            let date = "Thu, 01 Jan 1970 00:00:00 GMT";
            if own_date {
                response.insert_header("date", date);
            }
            let framing = length.map_or(FramingField::Chunked, FramingField::Length);
            let ours = Ours { framing, connection, date: !own_date, hsts };
            let mut written = b"before".to_vec();
            push_head(&mut written, &response, |_| false, ours);

            response.set_body(http_types::Body::from_reader(smol::io::empty(), length));
            if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                response.remove_header("content-type");
            }
            if let Some(connection) = connection {
                response.insert_header("connection", connection);
            }
            if let Some(seconds) = hsts {
                response.insert_header(HSTS, format!("max-age={seconds}"));
            }
            let written = String::from_utf8(written).unwrap();
            let at = written.find("\r\ndate: ").unwrap() + "\r\ndate: ".len();
            let now = httpdate::parse_http_date(&written[at..at + date.len()]).unwrap();
            response.insert_header("date", httpdate::fmt_http_date(now));
            prop_assert_eq!(written, "before".to_owned() + &encoded(response));
        }
    }

    const HSTS: &str = "strict-transport-security";

    #[test]
    fn what_is_left_out_is_not_written() {
        let mut response = Response::new(StatusCode::NotModified);
        response.insert_header("content-type", "text/plain");
        response.insert_header("etag", "\"a\"");
        let ours = Ours { framing: FramingField::None, connection: None, date: false, hsts: None };
        let mut written = Vec::new();
        push_head(&mut written, &response, |name| name.as_str() == "content-type", ours);
        assert_eq!(written, b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n");
    }

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 200, 65_536, usize::MAX] {
            assert_eq!(Digits::default().write(number), number.to_string());
        }
    }
}
