//! How the link of a connection affects what goes out on the wire.

mod incoming;
mod outgoing;

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use http_types::{Request, Response};
use smol::io::{AsyncRead, AsyncWrite};

use super::*;
use crate::app::App;
use crate::common::address::LocalAddr;
use crate::common::limits::Limits;
use crate::peer::settings::Settings;
use crate::peer::trust::Trust;
use crate::wire::Transport;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HSTS: &str = "strict-transport-security: max-age=300\r\n";
const DENIED: &str = "the certificate \"CN=alice\" is not allowed here";

/// A client whose input is fixed, and the answers that it got, write by write.
#[derive(Debug, Default)]
struct Said {
    left: &'static [u8],
    /// How many bytes it takes at a time, then waits; 0: everything, without a wait.
    takes: usize,
    took: bool,
    /// Bytes that are not flushed yet.
    written: Vec<Vec<u8>>,
    answered: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsyncRead for Said {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut self.left, buf))
    }
}

impl AsyncWrite for Said {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = if self.takes == 0 {
            buf.len()
        } else {
            self.took = !self.took;
            if !self.took {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.takes.min(buf.len())
        };
        self.written.push(buf[..n].to_vec());
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { written, answered, .. } = self.get_mut();
        answered.lock().unwrap().append(written);
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A connection of a server that trusts the proxy at 127.0.0.1.
fn link(tls: bool, from_proxy: bool) -> Link {
    let peer: SocketAddr = if from_proxy { "127.0.0.1:1" } else { "192.0.2.1:1" }.parse().unwrap();
    let trust = Trust::new("127.0.0.1".parse().unwrap(), false);
    Link {
        id: 1,
        remote: peer.into(),
        sender: trust.at(peer),
        local: LocalAddr::Tcp("192.0.2.2:2".parse().unwrap()),
        backend: "any",
        tls: tls.then(Box::default),
        asks_clients: false,
        denied: None,
        settings: Arc::new(Settings {
            trust: Arc::new(trust),
            hsts: Some(300),
            limits: Arc::new(Limits { max_body: Some(100), ..Limits::default() }),
            ..Settings::default()
        }),
    }
}

/// The same connection, of a server with other settings.
fn with(mut link: Link, change: impl FnOnce(&mut Settings)) -> Link {
    change(Arc::get_mut(&mut link.settings).unwrap());
    link
}

/// The answers to the requests of a connection, and what happens to it then.
fn answers(link: Link, app: &Content, said: impl Into<String>) -> (String, After) {
    let (writes, after) = writes(link, app, said);
    (writes.concat().escape_ascii().to_string().replace("\\r\\n", "\r\n"), after)
}

/// The same, write by write.
fn writes(link: Link, app: &Content, said: impl Into<String>) -> (Vec<Vec<u8>>, After) {
    let (mut turns, after) = turns(link, app, said);
    (turns.pop().unwrap_or_default(), after)
}

/// The same, after each turn of the connection.
fn turns(link: Link, app: &Content, said: impl Into<String>) -> (Vec<Vec<Vec<u8>>>, After) {
    let said: &'static str = said.into().leak();
    turns_of(link, app, Said { left: said.as_bytes(), ..Said::default() })
}

fn turns_of(link: Link, app: &Content, stream: Said) -> (Vec<Vec<Vec<u8>>>, After) {
    let answered = Arc::clone(&stream.answered);
    let limits = Arc::clone(&link.settings.limits);
    let shared = Arc::new(Mutex::new(Transport::new(Box::new(stream), limits)));
    let (mut link, mut standing) = (Arc::new(link), Standing::default());
    let mut serving = pin!(serve(&shared, &mut link, &mut standing, app));
    let mut turns = Vec::new();
    let after = smol::block_on(poll_fn(|cx| {
        let after = serving.as_mut().poll(cx);
        turns.push(answered.lock().unwrap().clone());
        after
    }));
    (turns, after)
}

fn app() -> Content {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("hello") });
    app.at("/no-content").get(|_| async { Ok(Response::new(StatusCode::NoContent)) });
    app.at("/fails").get(|_| async { Err::<Response, _>(http_types::format_err!("on purpose")) });
    app.at("/host").get(|request: Request| async move {
        let said = request.header("host").map_or("", |values| values.as_str());
        Ok(format!("{} {said}", request.url()))
    });
    app.at("/own").get(|_| async {
        let mut response = Response::from("own");
        response.insert_header("Strict-Transport-Security", "max-age=0");
        response.insert_header("Date", "Thu, 01 Jan 1970 00:00:00 GMT");
        Ok(response)
    });
    app.into()
}

#[test]
fn what_comes_by_https_is_told_to_stay_there() {
    for said in [
        GET,
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /no-content HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /fails HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /not-there HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "no HTTP at all",
    ] {
        let (answered, _) = answers(link(true, false), &app(), said);
        assert_eq!(answered.matches(HSTS).count(), 1, "{said:?}: {answered}");
        let (answered, _) = answers(link(false, false), &app(), said);
        assert!(answered.starts_with("HTTP/1.1 "), "{said:?}: {answered}");
        assert!(!answered.contains("strict-transport"), "{said:?}: {answered}");
        let off = with(link(true, false), |settings| settings.hsts = None);
        assert!(!answers(off, &app(), said).0.contains("strict-transport"), "{said:?}");
    }
    let (answered, _) = answers(link(true, false), &app(), GET.repeat(3));
    assert_eq!(answered.matches(HSTS).count(), 3, "{answered}");
}

/// RFC 9112 §3.2.2: a host in the target overrides the field, so there is only one reading.
#[test]
fn a_host_that_does_not_count_is_not_shown() {
    for (target, host, told) in [
        ("/host", "a:81", "\r\nhttp://a:81/host a:81"),
        ("http://b:81/host", "a", "\r\nhttp://b:81/host b:81"),
    ] {
        let said = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let (answered, _) = answers(link(false, false), &app(), said);
        assert!(answered.ends_with(told), "{answered}");
    }
}

#[test]
fn by_which_scheme_a_request_came_is_the_word_of_a_trusted_proxy() {
    let said = |proto| format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: {proto}\r\n\r\n");
    for (tls, from_proxy, proto, expected) in [
        (false, true, "https", true),
        (true, true, "http", false),
        (false, false, "https", false),
        (true, false, "http", true),
    ] {
        let (answered, _) = answers(link(tls, from_proxy), &app(), said(proto));
        assert_eq!(answered.contains(HSTS), expected, "{tls} {from_proxy} {proto}: {answered}");
    }
    // The scheme is unknown if the request cannot be parsed.
    for tls in [true, false] {
        let (answered, _) = answers(link(tls, true), &app(), "GET /\r\n\r\n");
        assert!(!answered.contains("strict-transport"), "{answered}");
    }
}

#[test]
fn an_app_that_says_so_itself_is_not_overruled() {
    let (answered, _) = answers(link(true, false), &app(), "GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answered.contains("strict-transport-security: max-age=0\r\n"), "{answered}");
    assert_eq!(answered.matches("strict-transport-security").count(), 1, "{answered}");
    assert!(answered.contains("date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), "{answered}");
    assert_eq!(answered.matches("date: ").count(), 1, "{answered}");
    let (answered, _) = answers(link(true, false), &app(), GET);
    assert_eq!(answered.matches("date: ").count(), 1, "{answered}");
    assert!(!answered.contains(" 1970 "), "{answered}");
}

#[test]
fn who_is_denied_is_told_so_and_nothing_else() {
    let called = Arc::new(AtomicBool::new(false));
    let mut app = App::new();
    app.fallback({
        let called = Arc::clone(&called);
        move |_: Request| {
            called.store(true, Ordering::SeqCst);
            async { Ok("secret") }
        }
    });
    let app = app.into();
    for (said, status, body) in [
        (GET.repeat(2), "403 Forbidden", DENIED),
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "403 Forbidden", ""),
        (
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello{GET}"),
            "403 Forbidden",
            DENIED,
        ),
        (
            "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n"
                .into(),
            "403 Forbidden",
            DENIED,
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), "400 Bad Request", "two Host"),
        ("GET / HTTP/1.1".to_owned(), "400 Bad Request", "complete"),
    ] {
        let denied = Link { denied: Some(DENIED.to_owned()), ..link(true, false) };
        let (answered, after) = answers(denied, &app, said.as_str());
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{said}: {answered}");
        assert_eq!(answered.matches("HTTP/1.1").count(), 1, "{said}: {answered}");
        for field in ["connection: close\r\n", "content-type: text/plain; charset=utf-8\r\n", HSTS]
        {
            assert!(answered.contains(field), "{field}: {said}: {answered}");
        }
        let (_, content) = answered.split_once("\r\n\r\n").unwrap();
        let content = content.replace("\\\"", "\"");
        assert!(content.contains(body) && content.is_empty() == body.is_empty(), "{answered}");
        assert_eq!(after, After::Close);
    }
    assert!(!called.load(Ordering::SeqCst), "a request came to the app");
}

#[test]
fn people_are_refused_on_a_page_that_names_the_request() {
    let fields = "Host: a\r\nAccept: text/html\r\n";
    for (first, status) in [
        ("GET /not-there HTTP/1.1\r\n", "404 Not Found"),
        ("POST / HTTP/1.1\r\nContent-Length: 101\r\n", "413 Payload Too Large"),
    ] {
        for before in 0..4 {
            let said = format!("{}{first}{fields}\r\n", GET.repeat(before));
            let (answered, _) = answers(link(false, false), &app(), said);
            let number = format!("Request <code>1.{}</code>", before + 1);
            assert!(answered.contains(status), "{answered}");
            assert!(answered.contains(&number), "{number}: {answered}");
        }
    }
}

#[test]
fn the_path_for_health_is_the_servers_and_no_other() {
    let link = || with(link(false, false), |settings| settings.health = Some("/health".into()));
    for (line, expected) in [
        ("GET /health", "200 OK"),
        ("HEAD /health", "200 OK"),
        ("GET /health?full", "200 OK"),
        ("POST /health", "404 Not Found"),
        ("GET /healthy", "404 Not Found"),
        ("GET /not-there", "404 Not Found"),
    ] {
        let (answered, _) = answers(link(), &app(), format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(answered.starts_with(&format!("HTTP/1.1 {expected}")), "{line}: {answered}");
    }
    let (answered, _) = answers(link(), &app(), GET);
    assert!(answered.ends_with("\r\n\r\nhello"), "{answered}");
}

#[test]
fn a_tls_handshake_in_the_clear_gets_an_alert() {
    const HELLO: &str = "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03\r\n\r\n";
    // OpenSSL reads it as: tlsv1 alert protocol version.
    const ALERT: &str = "\\x15\\x03\\x01\\x00\\x02\\x02F";
    for said in [HELLO.to_owned(), HELLO[..2].to_owned(), format!("{HELLO}{GET}")] {
        let (answered, after) = answers(link(false, false), &app(), said.as_str());
        assert_eq!((answered.as_str(), after), (ALERT, After::BeganTls), "{said:?}");
    }
    // Elsewhere it is just a malformed request.
    for (tls, said, last) in [
        (true, HELLO.to_owned(), "where an HTTP request is due"),
        (false, format!("{GET}{HELLO}"), "where an HTTP request is due"),
        (false, format!("\r\n{HELLO}"), "where an HTTP request is due"),
        (false, "\x16".to_owned(), "before its head was complete"),
        (false, "\x16\x02".to_owned(), "this is not an HTTP request"),
        (false, "\x15".to_owned(), "this is not an HTTP request"),
        (false, "\x15\x03\x01\0\x02\x02F".to_owned(), "this is not an HTTP request"),
    ] {
        let (answered, after) = answers(link(tls, false), &app(), said.as_str());
        assert!(answered.contains("HTTP/1.1 400 Bad Request\r\n"), "{said:?}: {answered}");
        assert!(answered.contains(last), "{said:?}: {answered}");
        assert_eq!(after, After::Close, "{said:?}");
    }
}
