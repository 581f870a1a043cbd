use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::{io, pin::Pin};

use http_types::headers::{self, CONTENT_TYPE, HeaderName};
use http_types::{Body, Request, Url, Version};
use smol::io::{AsyncRead, AsyncWrite, BufReader};

use super::body::RequestBody;
use crate::common::field;
use crate::common::refusal::Refusal;
use crate::peer::trust::Decision;
use crate::wire::head::{self, Framing, Head, Target};

/// async-h1 takes heads shorter than this, in bytes.
const ENGINE_MAX_HEAD: usize = 8 * 1024;

/// Makes a request of a vetted head: async-h1 reads the request line and the host, which is all
/// that it is given; the fields, which have been parsed already, and the body are added to what
/// it made.
///
/// The URL, and which of the fields there are, follow `decision`.
pub(crate) fn build(
    head: &Head<'_, '_>,
    decision: &Decision<'_>,
    body: RequestBody,
) -> Result<Request, Refusal> {
    let (scheme, authority) = (decision.scheme, &decision.host);
    let path = match head.target {
        Target::Path(path) => path,
        // http-types has no `*`: the handler sees the root.
        Target::Server => "",
    };
    let method = head.method.as_ref();
    let engine_head = |path: &str| {
        let parts = [
            method,
            " ",
            scheme,
            "://",
            authority,
            path,
            " HTTP/1.1\r\nHost: ",
            authority,
            "\r\n\r\n",
        ];
        parts.concat().into_bytes()
    };
    let whole = engine_head(path);
    let mut request = if whole.len() < ENGINE_MAX_HEAD {
        decode(whole)?
    } else {
        // A target this long is allowed here and not there.
        let mut request = decode(engine_head("/"))?;
        *request.url_mut() =
            Url::parse(&format!("{scheme}://{authority}{path}")).map_err(|_| bad_url())?;
        request
    };
    if head.version == head::Version::Http10 {
        request.set_version(Some(Version::Http1_0));
    }
    // It has the `Host` that async-h1 was given, which is that of the client, most of the time.
    let has_host = is_host_of(head, authority);
    if !has_host {
        request.remove_header(headers::HOST);
    }
    for (name, value) in decision.fields(head.fields) {
        let value = match head.authority {
            Some(_) if has_host && name.eq_ignore_ascii_case("host") => continue,
            // Beside an absolute target it does not count (RFC 9112 §3.2.2).
            Some(authority) if name.eq_ignore_ascii_case("host") => authority.as_bytes(),
            _ => value,
        };
        // http-types holds ASCII only (RFC 9110 §5.5 calls the rest obs-text).
        let value = std::str::from_utf8(value).ok().filter(|v| v.is_ascii());
        let Some(value) = value else {
            return Err(Refusal::bad_request("a field value holds a byte outside of ASCII"));
        };
        add(&mut request, name, value);
    }
    attach(&mut request, head.framing, body);
    Ok(request)
}

/// Whether the client's `Host`, of which there is one at most, says `authority` and nothing else.
fn is_host_of(head: &Head<'_, '_>, authority: &str) -> bool {
    field::values(head.fields, "host").next() == Some(authority.as_bytes())
}

/// The name of a field that many requests have: it need not be made. There are three of one length at
/// most, so that this is next to nothing for the others.
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

/// Adds a field. http-types' own `append_header` makes the name twice, and looks for it twice.
fn add(request: &mut Request, name: &str, value: &str) {
    let before = match common(name) {
        Some(name) => request.insert_header(name, value),
        None => request.insert_header(name, value),
    };
    if let Some(before) = before {
        request.insert_header(name, &before);
        request.append_header(name, value);
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
        // http-types makes up `application/octet-stream`, which the client never said.
        request.remove_header(CONTENT_TYPE);
    }
}

/// Runs async-h1's decoder on a head that is whole: it has nothing to wait for.
fn decode(head: Vec<u8>) -> Result<Request, Refusal> {
    let mut decoding = pin!(async_h1::server::decode(HeadBytes::new(head)));
    match decoding.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Some((request, _)))) => Ok(request),
        _ => Err(bad_url()),
    }
}

fn bad_url() -> Refusal {
    Refusal::bad_request("the host and the request target do not make a valid URL")
}

/// The bytes of one head, in the shape that async-h1 reads from.
#[derive(Debug, Clone)]
struct HeadBytes {
    bytes: Arc<Vec<u8>>,
    read: usize,
}

impl HeadBytes {
    fn new(head: Vec<u8>) -> Self {
        Self { bytes: Arc::new(head), read: 0 }
    }
}

impl AsyncRead for HeadBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.read += n;
        Poll::Ready(Ok(n))
    }
}

impl AsyncWrite for HeadBytes {
    /// async-h1 writes nothing but `100 Continue`, for a field that it is never given.
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths that names are looked for by are their own.
    #[test]
    fn names_that_are_common_are_known() {
        for name in [
            "Host",
            "accept",
            "Cookie",
            "ORIGIN",
            "Referer",
            "User-Agent",
            "Connection",
            "Content-Type",
            "Cache-Control",
            "Authorization",
            "If-None-Match",
            "Content-Length",
            "Accept-Encoding",
            "Accept-Language",
            "If-Modified-Since",
            "Transfer-Encoding",
        ] {
            let known = common(name).map(HeaderName::as_str);
            assert_eq!(known, Some(&*name.to_ascii_lowercase()));
        }
        for name in ["Hose", "Sec-Fetch-Dest", "X", ""] {
            assert_eq!(common(name), None);
        }
    }
}
