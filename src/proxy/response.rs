//! The head of an upstream's response. It is read as strictly as a request: if two programs can read a response
//! differently, they also disagree on where the next one begins.

use std::mem::MaybeUninit;

use http_types::Method;
use httparse::{Header, ParserConfig};

use super::fields::{EndToEnd, push};
use super::private::authenticates_connection;
use crate::common::{date, field};
use crate::wire::head::Version;

/// The most fields that a response may have.
const MAX_FIELDS: usize = 256;

/// The largest head of a response, in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// A response head that can be read in one way only.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is another fact about the head")]
pub(super) struct Incoming {
    pub(super) status: u16,
    /// The status line and the end-to-end fields, without the framing fields and the empty line at the end.
    pub(super) head: Vec<u8>,
    pub(super) body: BodyLength,
    /// Whether the upstream's connection can be used again after this response.
    pub(super) persistent: bool,
    /// The protocol that the upstream changes to with 101.
    pub(super) upgrade: Option<Vec<u8>>,
    /// Whether it is part of authenticating the connection.
    pub(super) authenticates: bool,
    /// Whether the body is server-sent events. These are not buffered, because late events are of no use.
    pub(super) is_event_stream: bool,
    has_hsts: bool,
    has_date: bool,
}

/// Where the body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    /// No body. Holds the length that a response to `HEAD` states, to forward it.
    None(Option<u64>),
    Known(u64),
    Chunked,
    /// At the end of the connection.
    UntilClose,
}

/// What is wrong with a response, for the log and the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(&'static str);

impl Malformed {
    /// 101 that nobody asked for (RFC 9110 §15.2.2).
    pub(super) const UPGRADE: Self = Self("it changes to a protocol that nobody asked for");
}

/// Parses the head of a response to `method` at the front of `bytes`, and returns its length too; `None` if it
/// is not complete.
pub(super) fn read(bytes: &[u8], method: Method) -> Result<Option<(Incoming, usize)>, Malformed> {
    let mut slots = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut slots) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) => return Err(Malformed("its head is too large")),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Malformed("its head has too many fields"));
        }
        Err(_) => return Err(Malformed("its head is malformed")),
    };
    // httparse accepts lines that end in a bare LF, which other programs split differently.
    if has_bare_lf(bytes.get(..length).unwrap_or_default()) {
        return Err(Malformed("its head has a line that ends in a bare LF"));
    }
    let (Some(status), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(Malformed("its head is malformed"));
    };
    if !(100..=599).contains(&status) {
        return Err(Malformed("its status is none of HTTP"));
    }
    let fields: &[Header<'_>] = parsed.headers;
    if field::has_too_many_options(fields) {
        return Err(Malformed("its Connection fields name too many options"));
    }
    let end_to_end = EndToEnd::of(fields);
    let body = body_length(fields, status, minor, method)?;
    let mut head = format!("HTTP/1.1 {status:03} ").into_bytes();
    head.extend_from_slice(parsed.reason.unwrap_or_default().as_bytes());
    head.extend_from_slice(b"\r\n");
    for field in fields.iter().filter(|f| end_to_end.keeps(f.name)) {
        push(&mut head, field.name, field.value);
    }
    let has = |name: &str| fields.iter().any(|f| f.name.eq_ignore_ascii_case(name));
    let upgrade =
        field::values(fields, "upgrade").next().filter(|_| status == 101).map(<[u8]>::to_vec);
    let incoming = Incoming {
        status,
        head,
        body,
        persistent: body != BodyLength::UntilClose
            && !end_to_end.names("close")
            && (minor > 0 || end_to_end.names("keep-alive")),
        upgrade,
        authenticates: authenticates_connection(fields),
        is_event_stream: field::values(fields, "content-type").any(is_event_stream),
        has_hsts: has("strict-transport-security"),
        has_date: has("date"),
    };
    Ok(Some((incoming, length)))
}

impl Incoming {
    /// Whether another response to the same request follows (RFC 9110 §15.2).
    pub(super) fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// The whole head for a client that speaks `version`, with the framing fields and `Connection`. The result
    /// also says whether the connection can carry another request.
    pub(super) fn finish(
        mut self,
        version: Version,
        persistent: bool,
        hsts: Option<u64>,
    ) -> (Vec<u8>, bool) {
        if let Some(seconds) = hsts.filter(|_| !self.has_hsts) {
            let value = format!("max-age={seconds}");
            push(&mut self.head, "Strict-Transport-Security", value.as_bytes());
        }
        if !self.has_date {
            // RFC 9110 §6.6.1: a recipient adds `Date` if it is missing.
            date::with_now(|date| push(&mut self.head, "Date", date.as_bytes()));
        }
        let by_close = version == Version::Http10 && self.body.is_open_ended();
        match self.body {
            BodyLength::None(None) => {}
            BodyLength::None(Some(length)) | BodyLength::Known(length) => {
                push(&mut self.head, "Content-Length", length.to_string().as_bytes());
            }
            BodyLength::Chunked | BodyLength::UntilClose if by_close => {}
            BodyLength::Chunked | BodyLength::UntilClose => {
                push(&mut self.head, "Transfer-Encoding", b"chunked");
            }
        }
        let persistent = persistent && !by_close;
        match (persistent, version) {
            (false, _) => push(&mut self.head, "Connection", b"close"),
            (true, Version::Http10) => push(&mut self.head, "Connection", b"keep-alive"),
            (true, Version::Http11) => {}
        }
        self.head.extend_from_slice(b"\r\n");
        (self.head, persistent)
    }
}

impl Incoming {
    /// The whole head of an interim response.
    pub(super) fn finish_interim(mut self) -> Vec<u8> {
        self.head.extend_from_slice(b"\r\n");
        self.head
    }

    /// The whole head of a response that changes the protocol.
    pub(super) fn finish_upgrade(mut self) -> Vec<u8> {
        push(&mut self.head, "Connection", b"upgrade");
        if let Some(protocol) = &self.upgrade {
            push(&mut self.head, "Upgrade", protocol);
        }
        self.head.extend_from_slice(b"\r\n");
        self.head
    }
}

impl BodyLength {
    pub(super) fn is_open_ended(self) -> bool {
        matches!(self, Self::Chunked | Self::UntilClose)
    }
}

fn body_length(
    fields: &[Header<'_>],
    status: u16,
    minor: u8,
    method: Method,
) -> Result<BodyLength, Malformed> {
    let mut lengths = field::values(fields, "content-length");
    let length = match (lengths.next(), lengths.next()) {
        (_, Some(_)) => return Err(Malformed("it has two Content-Length fields")),
        (None, None) => None,
        (Some(value), None) => {
            Some(number(value).ok_or(Malformed("its Content-Length is no number"))?)
        }
    };
    let mut codings = field::values(fields, "transfer-encoding").peekable();
    if codings.peek().is_some() {
        if length.is_some() {
            return Err(Malformed("it has both Content-Length and Transfer-Encoding"));
        }
        if minor == 0 {
            return Err(Malformed("HTTP/1.0 has no Transfer-Encoding"));
        }
        let codings: Vec<&[u8]> = codings.flat_map(field::list).collect();
        if !matches!(&*codings, [coding] if coding.eq_ignore_ascii_case(b"chunked")) {
            return Err(Malformed("its Transfer-Encoding is not just chunked"));
        }
    }
    let chunked = field::values(fields, "transfer-encoding").next().is_some();
    Ok(if method == Method::Head || status == 304 {
        BodyLength::None(length)
    } else if status < 200 || status == 204 {
        BodyLength::None(None)
    } else if chunked {
        BodyLength::Chunked
    } else {
        length.map_or(BodyLength::UntilClose, BodyLength::Known)
    })
}

/// Whether it is the media type of server-sent events (HTML, §9.2).
fn is_event_stream(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|&b| b == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

fn has_bare_lf(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head.get(at - 1) != Some(&b'\r'))
}
