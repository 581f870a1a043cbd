//! A request equals what async-h1 makes of the same head.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::{future::Future, io};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use smol::io::{AsyncRead, AsyncWrite, Cursor};

use super::*;
use crate::common::field;
use crate::common::limits::Limits;
use crate::peer::trust::{Own, Trust};
use crate::wire::Transport;
use crate::wire::head::field_slots;
use crate::wire::head_limits::HeadLimits;

/// Bytes that async-h1 reads as if from a connection.
#[derive(Debug, Clone)]
struct HeadBytes(Cursor<Vec<u8>>);

impl AsyncRead for HeadBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for HeadBytes {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        unreachable!("it writes for `Expect` alone")
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        unreachable!("it writes for `Expect` alone")
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        unreachable!("it writes for `Expect` alone")
    }
}

/// What async-h1 makes of a complete head, without waiting.
fn decode(head: String) -> Option<Request> {
    let bytes = HeadBytes(Cursor::new(head.into_bytes()));
    let mut decoding = pin!(async_h1::server::decode(bytes));
    match decoding.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(request)) => Some(request.expect("a head").0),
        Poll::Ready(Err(_)) => None,
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

/// Everything that a request says of its head.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    method: Method,
    url: String,
    version: Option<Version>,
    fields: BTreeMap<String, Vec<String>>,
}

impl From<Request> for Said {
    fn from(request: Request) -> Self {
        let fields = request.iter().map(|(name, values)| {
            let values = values.iter().map(|value| value.as_str().to_owned());
            (name.as_str().to_owned(), values.collect())
        });
        Self {
            method: request.method(),
            url: request.url().as_str().to_owned(),
            version: request.version(),
            fields: fields.collect(),
        }
    }
}

/// What the wire and async-h1 make of one head; `None` if the wire rejects it.
fn both(head: &str) -> Option<(Option<Said>, Option<Said>)> {
    let mut slots = field_slots();
    let parsed = Head::parse(head.as_bytes(), &mut slots, HeadLimits::of(16 * 1024)).ok()?;
    let authority = parsed.authority.unwrap_or("localhost");
    let trust = Trust::default();
    let sender = trust.at(SocketAddr::from(([198, 51, 100, 1], 1)));
    let own = Own { scheme: "https", host: authority };
    let decision = trust.decide(sender, parsed.fields, own).unwrap();

    let stream = Box::new(Cursor::new(Vec::new()));
    let transport = Transport::new(stream, Arc::new(Limits::default()));
    let body = RequestBody::new(&Arc::new(Mutex::new(transport)), 1);
    let ours = build(&parsed, &decision, body).ok();
    if let (Some(request), Some(path)) = (&ours, parsed.target.raw_path()) {
        assert_eq!(request.url().path(), path, "it is matched as it stands in the head");
    }
    let ours = ours.map(Said::from);

    let path = match parsed.target {
        Target::Path(path) => path,
        Target::Server => "",
    };
    let mut same = format!("{} https://{authority}{path} HTTP/1.1\r\n", parsed.method);
    // async-h1 needs a Host field where HTTP/1.0 does not.
    write!(same, "Host: {authority}\r\n").unwrap();
    for (name, value) in decision.fields(parsed.fields) {
        if !name.eq_ignore_ascii_case("host") {
            write!(same, "{name}: {}\r\n", std::str::from_utf8(value).unwrap()).unwrap();
        }
    }
    let theirs = decode(same + "\r\n").map(|mut request| {
        if parsed.version == head::Version::Http10 {
            request.set_version(Some(Version::Http1_0));
            if !parsed.fields.iter().any(|field| field.name.eq_ignore_ascii_case("host")) {
                request.remove_header(headers::HOST);
            }
        }
        Said::from(request)
    });
    Some((ours, theirs))
}

fn host() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "127.0.0.1",
        "1.2.3.456",
        "0x7f.1",
        "1.2.3",
        "256",
        "1.2.3.4.",
        "[::1]",
        "xn--a",
        "a.xn--",
        "XN--BCHER-KVA.example",
        "a%41",
        "a%20b",
        "a%00",
        "a%2Fb",
        "%C3%BC",
        "a.0x",
        "a.1",
        "..",
        "a..b",
        "_",
        "~!$&'()*+,;=",
        "a.1b",
        "-",
        "a.0XfG",
    ]);
    let port = select(vec!["", "", ":", ":80", ":443", ":8000", ":65535", ":00080"]);
    let host = prop_oneof!["[a-zA-Z0-9.-]{1,8}", odd.prop_map(str::to_owned)];
    (host, port).prop_map(|(host, port)| host + port)
}

fn target() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[!-~]{0,6}",
        select(vec![
            "/", "/.", "/..", "/%2e", "/%2E%2e/", "%", "%zz", "%C3%A9", "?", "'", "|", "//"
        ])
        .prop_map(str::to_owned),
    ];
    let path = vec(piece, 0..8).prop_map(|pieces| "/".to_owned() + &pieces.concat());
    let whole = (host(), path.clone()).prop_map(|(host, path)| format!("http://{host}{path}"));
    prop_oneof![8 => path, 1 => whole, 1 => Just("*".to_owned())]
}

fn field() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        3 => "[a-zA-Z0-9_.!-]{1,10}",
        2 => select(vec![
            "Accept", "cookie", "COOKIE", "Set-Cookie", "User-Agent", "If-None-Match", "Referer",
            "Content-Type", "X-Forwarded-For", "Connection", "Range",
        ]).prop_map(str::to_owned),
    ];
    (name, "[ \t]{0,2}[!-~]{0,4}[ -~]{0,12}")
        .prop_map(|(name, value)| format!("{name}:{value}\r\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_request_is_what_async_h1_makes_of_the_head(
        method in select(vec!["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND", "M-SEARCH"]),
        target in target(),
        version in select(vec!["1.1", "1.1", "1.0"]),
        host in host(),
        fields in vec(field(), 0..20),
    ) {
        let head = format!("{method} {target} HTTP/{version}\r\nHost: {host}\r\n{}\r\n", fields.concat());
        if let Some((ours, theirs)) = both(&head) {
            prop_assert_eq!(ours, theirs, "{:?}", head);
        }
    }

    /// Answers that need no `Request` use the same check of hosts.
    #[test]
    fn an_app_is_asked_for_the_hosts_that_a_url_can_have(host in host()) {
        if field::is_authority(host.as_bytes()) {
            let url = Url::parse(&format!("http://{host}/"));
            prop_assert_eq!(field::is_authority_of_url(&host), url.is_ok(), "{}", host);
        }
    }
}

#[test]
fn http_1_0_needs_no_host() {
    let (ours, theirs) = both("GET /a HTTP/1.0\r\nCookie: a\r\ncookie: b\r\n\r\n").unwrap();
    assert_eq!(ours, theirs);
    let ours = ours.unwrap();
    assert_eq!((ours.version, ours.fields["cookie"].len()), (Some(Version::Http1_0), 2));
}

/// The lengths in the lookup match the names.
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
