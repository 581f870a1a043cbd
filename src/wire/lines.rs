//! The lines of a request head, by httparse: what is malformed is refused.

use std::mem::MaybeUninit;

use http_types::StatusCode;
use httparse::Header;

use super::head_limits::{HeadLimits, MAX_FIELDS};
use crate::common::refusal::Refusal;

/// Room for the fields of a head, to be parsed into.
#[derive(Debug)]
pub(crate) struct FieldSlots<'b> {
    few: [MaybeUninit<Header<'b>>; MAX_FIELDS],
    /// For heads with more than a few, where the limit on heads is raised.
    many: Vec<MaybeUninit<Header<'b>>>,
}

/// Empty room for [`parse_lines`].
pub(crate) fn field_slots<'b>() -> FieldSlots<'b> {
    FieldSlots { few: [const { MaybeUninit::uninit() }; MAX_FIELDS], many: Vec::new() }
}

/// The request line and the fields, as they are.
pub(super) fn parse_lines<'h, 'b>(
    bytes: &'b [u8],
    slots: &'h mut FieldSlots<'b>,
    limits: HeadLimits,
) -> Result<httparse::Request<'h, 'b>, Refusal> {
    let mut parsed = httparse::Request::new(&mut []);
    let mut status = parsed.parse_with_uninit_headers(bytes, &mut slots.few);
    if status == Err(httparse::Error::TooManyHeaders) && limits.fields > MAX_FIELDS {
        // A field takes a line of its own: one slot too many is none too few.
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        slots.many.resize_with(lines.min(limits.fields), MaybeUninit::uninit);
        parsed = httparse::Request::new(&mut []);
        status = parsed.parse_with_uninit_headers(bytes, &mut slots.many);
    }
    match status {
        Ok(status) if status.is_complete() => Ok(parsed),
        Ok(_) => Err(Refusal::bad_request("the request head is incomplete")),
        Err(httparse::Error::TooManyHeaders) => Err(limits.too_many_fields()),
        Err(error) => Err(malformed(error, bytes)),
    }
}

fn malformed(error: httparse::Error, bytes: &[u8]) -> Refusal {
    match error {
        httparse::Error::Version if names_other_version(bytes) => Refusal::new(
            StatusCode::HttpVersionNotSupported,
            "this server speaks HTTP/1.1 and HTTP/1.0 only",
        ),
        httparse::Error::HeaderName => Refusal::bad_request(
            "a field name is malformed (RFC 9112 section 5: a token, then a colon, no white space)",
        ),
        httparse::Error::HeaderValue => Refusal::bad_request(
            "a field value holds a byte that may not be there (RFC 9110 section 5.5)",
        ),
        _ => Refusal::bad_request("the request line is malformed (RFC 9112 section 3)"),
    }
}

/// Whether the request line ends in a version of HTTP, well-formed, but not ours
/// (RFC 9112 §2.3: `HTTP/` DIGIT `.` DIGIT).
fn names_other_version(bytes: &[u8]) -> bool {
    let line = request_line(bytes).trim_ascii_end();
    let version = line.rsplit(|&b| b == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && *major != b'1' && minor.is_ascii_digit())
}

/// The first line of `bytes`, or the part of it that is there.
fn request_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == b'\n').next().unwrap_or_default()
}
