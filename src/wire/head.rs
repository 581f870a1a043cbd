//! Parses a request head once, and refuses one that is malformed or ambiguous.

use std::str::FromStr;

use http_types::{Method, StatusCode};
use httparse::Header;

use super::head_limits::{self, HeadLimits};
use super::lines::parse_lines;
pub(crate) use super::lines::{FieldSlots, field_slots};
use crate::common::field;
use crate::common::refusal::Refusal;

/// What nearly all requests are.
const COMMON: [Method; 4] = [Method::Get, Method::Post, Method::Head, Method::Put];

/// A request head that is well-formed and unambiguous.
#[derive(Debug)]
pub(crate) struct Head<'h, 'b> {
    pub(crate) method: Method,
    pub(crate) target: Target<'b>,
    /// The host: from the target if it is in absolute form, otherwise from `Host` (RFC 9112 §3.2.2). It can be
    /// `None` in HTTP/1.0 only.
    pub(crate) authority: Option<&'b str>,
    pub(crate) version: Version,
    pub(crate) fields: &'h [Header<'b>],
    pub(crate) framing: Framing,
    /// Whether the client wants to keep the connection after this request (RFC 9112 §9.3).
    pub(crate) persistent: bool,
    /// The client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    pub(crate) expects_continue: bool,
}

/// The target of a request (RFC 9112 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target<'b> {
    /// A path, and a query if there is one: `/where?q=now`.
    Path(&'b str),
    /// `*`: the server as a whole, with `OPTIONS` only.
    Server,
}

impl<'b> Target<'b> {
    /// The path, if a URL has it just as it stands here: without percent-encoding and dot segments, and without
    /// anything that a URL encodes.
    pub(crate) fn raw_path(self) -> Option<&'b str> {
        let Self::Path(target) = self else { return None };
        let path = target.split('?').next().unwrap_or_default();
        let mut before = b'.';
        let is_plain = path.bytes().all(|byte| {
            let plain = match byte {
                // A dot segment begins with one.
                b'.' => before != b'/',
                b'/'
                | b'-'
                | b'_'
                | b'~'
                | b':'
                | b'@'
                | b'!'
                | b'$'
                | b'&'..=b','
                | b';'
                | b'=' => true,
                _ => byte.is_ascii_alphanumeric(),
            };
            before = byte;
            plain
        });
        (is_plain && path.starts_with('/')).then_some(path)
    }
}

/// The versions that are spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    Http11,
}

/// How long the body of a request is (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    /// This many bytes, at least one.
    Length(u64),
    Chunked,
}

impl<'h, 'b> Head<'h, 'b> {
    /// Reads a whole head, from the first byte of the request line to the empty line.
    pub(crate) fn parse(
        bytes: &'b [u8],
        slots: &'h mut FieldSlots<'b>,
        limits: HeadLimits,
    ) -> Result<Self, Refusal> {
        let parsed = parse_lines(bytes, slots, limits)?;
        let (Some(method), Some(target), Some(version)) =
            (parsed.method, parsed.path, parsed.version)
        else {
            return Err(Refusal::bad_request("the request line is incomplete"));
        };
        let fields: &'h [Header<'b>] = parsed.headers;

        let version = if version == 0 { Version::Http10 } else { Version::Http11 };
        let method = known_method(method)?;
        limits.check_target(target.len())?;
        let host = host(fields, version)?;
        let (target, named) = read_target(target, method)?;
        if field::has_too_many_options(fields) {
            return Err(too_many_options());
        }
        let options = connection_options(fields);
        Ok(Self {
            method,
            target,
            authority: named.or(host),
            version,
            fields,
            framing: framing(fields, version)?,
            persistent: match version {
                Version::Http11 => !options.close,
                Version::Http10 => options.keep_alive && !options.close,
            },
            expects_continue: expectation(fields)? && version == Version::Http11,
        })
    }
}

/// RFC 9110 §2.5: a later minor version is processed as the latest known one. `head` begins with the request
/// line.
pub(crate) fn lower_minor_version(head: &mut [u8]) {
    let line = memchr::memchr(b'\r', head).unwrap_or(head.len());
    if let Some([rest @ .., b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'2'..=b'9']) =
        head.get_mut(..line)
        && rest.ends_with(b" ")
    {
        *minor = b'1';
    }
}

/// The method of a head that is refused: an answer to `HEAD` has no body, also if it is a refusal
/// (RFC 9110 §9.3.2).
pub(crate) fn method_of_refused(input: &[u8]) -> Method {
    let input = input.trim_ascii_start();
    if input.starts_with(b"HEAD ") { Method::Head } else { Method::Get }
}

/// What is said where a URL cannot be made of what the client asks for.
pub(crate) fn no_url() -> Refusal {
    Refusal::bad_request("the host and the request target do not make a valid URL")
}

fn too_many_options() -> Refusal {
    head_limits::too_large(format!(
        "the Connection fields name more than {} options",
        field::MAX_OPTIONS
    ))
}

/// The method, by its exact name: methods are case-sensitive (RFC 9110 §9.1).
fn known_method(name: &str) -> Result<Method, Refusal> {
    // http-types would make a copy in upper case, and compare it with some forty names.
    if let Some(method) = COMMON.into_iter().find(|method| method.as_ref() == name) {
        return Ok(method);
    }
    match Method::from_str(name) {
        Ok(method) if method.as_ref() == name && method != Method::Connect => Ok(method),
        _ => Err(Refusal::new(
            StatusCode::NotImplemented,
            "this server does not implement the request method",
        )),
    }
}

/// Parses a request target (RFC 9112 §3.2): the target itself, and the host, if it has one.
fn read_target(target: &str, method: Method) -> Result<(Target<'_>, Option<&str>), Refusal> {
    if !target.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
        return Err(Refusal::bad_request(
            "the request target holds a character that must be percent-encoded (RFC 3986 section 2)",
        ));
    }
    let path = target.split('?').next().unwrap_or_default();
    // The URL standard (and so the `url` crate) treats a backslash as a slash, so that the path would
    // differ from what a proxy before us saw. In a query browsers send it unescaped.
    if path.contains('\\') {
        return Err(Refusal::bad_request(
            "the path of the request target holds a backslash, which must be percent-encoded \
             (RFC 3986 section 2)",
        ));
    }
    if target.starts_with('/') {
        return Ok((Target::Path(target), None));
    }
    if target == "*" && method == Method::Options {
        return Ok((Target::Server, None));
    }
    let absolute = target.split_once("://").filter(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    let Some((_, rest)) = absolute else {
        return Err(Refusal::bad_request(
            "the request target is neither a path nor an http:// or https:// URL \
             (RFC 9112 section 3.2)",
        ));
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if !field::is_authority(authority.as_bytes()) {
        return Err(Refusal::bad_request("the request target names an invalid host"));
    }
    let target = match (path, method) {
        // RFC 9112 §3.2.4: the form of `*` for a proxy.
        ("", Method::Options) => Target::Server,
        ("", _) => Target::Path("/"),
        (path, _) => Target::Path(path),
    };
    Ok((target, Some(authority)))
}

/// RFC 9112 §3.2: an HTTP/1.1 request has exactly one `Host`, which is valid.
fn host<'b>(fields: &[Header<'b>], version: Version) -> Result<Option<&'b str>, Refusal> {
    let mut hosts = field::values(fields, "host");
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        (None, _) if version == Version::Http10 => return Ok(None),
        (None, _) => {
            return Err(Refusal::bad_request(
                "the request has no Host field (RFC 9112 section 3.2)",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Refusal::bad_request(
                "the request has two Host fields (RFC 9112 section 3.2)",
            ));
        }
    };
    std::str::from_utf8(host)
        .ok()
        .filter(|host| field::is_authority(host.as_bytes()))
        .map(Some)
        .ok_or_else(|| Refusal::bad_request("the Host field is invalid (RFC 9110 section 7.2)"))
}

/// RFC 9112 §6.3, but stricter: what a recipient may repair is refused here.
fn framing(fields: &[Header<'_>], version: Version) -> Result<Framing, Refusal> {
    let mut lengths = field::values(fields, "content-length");
    let length = lengths.next();
    if lengths.next().is_some() {
        return Err(Refusal::bad_request("the request has two Content-Length fields"));
    }
    let mut codings = field::values(fields, "transfer-encoding").peekable();
    match (length, codings.peek().is_some()) {
        (None, false) => Ok(Framing::Empty),
        (Some(length), false) => match content_length(length)? {
            0 => Ok(Framing::Empty),
            length => Ok(Framing::Length(length)),
        },
        (Some(_), true) => Err(Refusal::bad_request(
            "the request has both Content-Length and Transfer-Encoding (RFC 9112 section 6.1)",
        )),
        (None, true) if version == Version::Http10 => {
            Err(Refusal::bad_request("HTTP/1.0 has no Transfer-Encoding (RFC 9112 section 6.1)"))
        }
        (None, true) => transfer_codings(codings),
    }
}

/// Only digits (RFC 9110 §8.6), of a number that fits into a `u64`.
fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let digits = std::str::from_utf8(value)
        .ok()
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .ok_or_else(|| Refusal::bad_request("the Content-Length is not a number"))?;
    digits.parse().map_err(|_| {
        Refusal::new(StatusCode::PayloadTooLarge, "the Content-Length is too large a number")
    })
}

/// `chunked`, once, and nothing else. Where another coding is the last, nobody can tell where the body ends
/// (RFC 9112 §6.3); where another comes before it, that can be told, and no more (§6.1).
fn transfer_codings<'b>(values: impl Iterator<Item = &'b [u8]>) -> Result<Framing, Refusal> {
    let (mut chunked, mut others, mut chunked_is_last) = (0, 0, false);
    for coding in values.flat_map(|value| value.split(|&b| b == b',')).map(field::trim) {
        // Other codings may have parameters (RFC 9112 §7), chunked has none.
        let name = coding.split(|&b| b == b';').next().map(field::trim).unwrap_or_default();
        chunked_is_last = coding.eq_ignore_ascii_case(b"chunked");
        if chunked_is_last {
            chunked += 1;
        } else if field::is_token(name) && !name.eq_ignore_ascii_case(b"chunked") {
            others += 1;
        } else {
            return Err(Refusal::bad_request("the Transfer-Encoding field is malformed"));
        }
    }
    match (chunked_is_last, chunked, others) {
        (true, 1, 0) => Ok(Framing::Chunked),
        (true, 1, _) => Err(Refusal::new(
            StatusCode::NotImplemented,
            "the only transfer coding that this server knows is chunked",
        )),
        (true, ..) => Err(Refusal::bad_request("chunked must stand once in Transfer-Encoding")),
        (false, ..) => Err(Refusal::bad_request(
            "chunked is not the last coding in Transfer-Encoding (RFC 9112 section 6.3)",
        )),
    }
}

#[derive(Debug, Default)]
struct ConnectionOptions {
    close: bool,
    keep_alive: bool,
}

/// All options of all `Connection` fields (RFC 9110 §7.6.1).
fn connection_options(fields: &[Header<'_>]) -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    for option in field::values(fields, "connection").flat_map(field::list) {
        options.close |= option.eq_ignore_ascii_case(b"close");
        options.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    options
}

/// Whether the client expects `100 Continue`. Other expectations are refused (RFC 9110 §10.1.1).
fn expectation(fields: &[Header<'_>]) -> Result<bool, Refusal> {
    let mut expected = false;
    for expectation in field::values(fields, "expect").flat_map(field::list) {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::new(
                StatusCode::ExpectationFailed,
                "the only expectation that this server knows is 100-continue",
            ));
        }
        expected = true;
    }
    Ok(expected)
}
