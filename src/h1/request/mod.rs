//! Builds the http-types `Request` of a head, for apps that take one.

use std::mem;
use std::sync::LazyLock;

use http_types::headers::{self, CONTENT_TYPE, HeaderName, Headers};
use http_types::{Body, Method, Request, Url, Version};
use smol::io::BufReader;

use super::body::RequestBody;
use crate::common::fields::keep_beyond_ascii;
use crate::common::refusal::Refusal;
use crate::peer::trust::Decision;
use crate::wire::head::{self, Framing, Head, Target};

/// Builds a request from a vetted head, as async-h1's `decode` would. `decode` would parse the head again, which
/// costs as much as everything else together.
///
/// The URL, and which fields the request has, follow `decision`.
pub(crate) fn build(
    head: &Head<'_, '_>,
    decision: &Decision<'_>,
    body: RequestBody,
) -> Result<Request, Refusal> {
    let path = match head.target {
        Target::Path(path) => path,
        // http-types cannot express `*`: the handler sees the root.
        Target::Server => "",
    };
    let url = Url::parse(&[decision.scheme, "://", &decision.host, path].concat())
        .map_err(|_| head::no_url())?;
    let mut request = Request::new(head.method, url);
    request.set_version(Some(match head.version {
        head::Version::Http10 => Version::Http1_0,
        head::Version::Http11 => Version::Http1_1,
    }));
    if head.fields.len() > FEW {
        let headers: &mut Headers = request.as_mut();
        headers.clone_from(&ROOM);
    }
    let mut beyond_ascii = Vec::new();
    for (name, value) in decision.fields(head.fields) {
        let value = match head.authority {
            // The Host field is ignored if the target is absolute (RFC 9112 §3.2.2).
            Some(authority) if name.eq_ignore_ascii_case("host") => authority.as_bytes(),
            _ => value,
        };
        // http-types accepts ASCII only (RFC 9110 §5.5 calls the rest obs-text).
        match std::str::from_utf8(value).ok().filter(|value| value.is_ascii()) {
            Some(value) => add(&mut request, name, value),
            None => beyond_ascii.push((name.to_owned(), value.to_vec())),
        }
    }
    keep_beyond_ascii(&mut request, beyond_ascii);
    attach(&mut request, head.framing, body);
    Ok(request)
}

/// How many fields http-types' map holds before it grows for the second time.
const FEW: usize = 3;

/// An empty map with room for the fields that a browser sends. http-types has no `with_capacity`, but a clone of a
/// map that was filled and emptied keeps its capacity.
static ROOM: LazyLock<Headers> = LazyLock::new(|| {
    let mut request = Request::new(Method::Get, "http://localhost/");
    let names: Vec<_> = (0..2 * FEW + 2).map(|n| n.to_string()).collect();
    for name in &names {
        request.insert_header(name.as_str(), "");
    }
    for name in &names {
        request.remove_header(name.as_str());
    }
    let headers: &Headers = request.as_ref();
    headers.clone()
});

/// The ready-made name of a common field. At most three names share a length, so other fields cost almost nothing.
fn common(name: &str) -> Option<&'static HeaderName> {
    static OF_4: [HeaderName; 1] = [headers::HOST];
    static OF_6: [HeaderName; 3] = [headers::ACCEPT, headers::COOKIE, headers::ORIGIN];
    static OF_7: [HeaderName; 1] = [headers::REFERER];
    static OF_10: [HeaderName; 2] = [headers::USER_AGENT, headers::CONNECTION];
    static OF_12: [HeaderName; 1] = [CONTENT_TYPE];
    static OF_13: [HeaderName; 3] =
        [headers::CACHE_CONTROL, headers::AUTHORIZATION, headers::IF_NONE_MATCH];
    static OF_14: [HeaderName; 1] = [headers::CONTENT_LENGTH];
    static OF_15: [HeaderName; 2] = [headers::ACCEPT_ENCODING, headers::ACCEPT_LANGUAGE];
    static OF_17: [HeaderName; 2] = [headers::IF_MODIFIED_SINCE, headers::TRANSFER_ENCODING];
    let candidates: &[HeaderName] = match name.len() {
        4 => &OF_4,
        6 => &OF_6,
        7 => &OF_7,
        10 => &OF_10,
        12 => &OF_12,
        13 => &OF_13,
        14 => &OF_14,
        15 => &OF_15,
        17 => &OF_17,
        _ => &[],
    };
    candidates.iter().find(|common| common.as_str().eq_ignore_ascii_case(name))
}

/// Adds a field. http-types' own `append_header` builds the name twice and looks it up twice.
fn add(request: &mut Request, name: &str, value: &str) {
    let before = match common(name) {
        Some(name) => request.insert_header(name, value),
        None => request.insert_header(name, value),
    };
    // Moves the earlier values back: copying them for each repeated field would take quadratic time.
    if let Some(mut before) = before
        && let Some(values) = request.header_mut(name)
    {
        mem::swap(values, &mut before);
        values.append(&mut before);
    }
}

fn attach(request: &mut Request, framing: Framing, mut body: RequestBody) {
    let length = match framing {
        Framing::Empty => return,
        Framing::Length(length) => usize::try_from(length).ok(),
        Framing::Chunked => {
            body.send_trailers(request.send_trailers());
            None
        }
    };
    let named = request.header(CONTENT_TYPE).is_some();
    request.set_body(Body::from_reader(BufReader::new(body), length));
    if !named {
        // http-types adds `application/octet-stream`, which the client did not send.
        request.remove_header(CONTENT_TYPE);
    }
}

#[cfg(test)]
mod tests;
