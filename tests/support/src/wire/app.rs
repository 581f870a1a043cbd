use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use smol::io::{AsyncRead, BufReader};
use turnkey::net::RemoteAddr;
use turnkey::{App, Body, Fields, Method, Peer, Request, Response, StatusCode, http_types};

/// How often each connection, known by the client's address, got through to `/canary`.
#[derive(Debug, Clone, Default)]
pub struct Hits(Arc<Mutex<HashMap<SocketAddr, usize>>>);

impl Hits {
    fn count(&self, request: &Request) {
        let client = Peer::of(request).expect("a request has a peer").remote();
        let RemoteAddr::Tcp(client) = client else { panic!("a client over TCP") };
        *self.0.lock().unwrap().entry(client).or_default() += 1;
    }

    /// The count of one connection, which is forgotten: its address may come again.
    pub fn take(&self, client: SocketAddr) -> usize {
        self.0.lock().unwrap().remove(&client).unwrap_or_default()
    }
}

const METHODS: [Method; 7] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Options,
    Method::Trace,
];

/// The app that the corpus talks to. Each route is one way for a handler to behave.
pub fn app(hits: &Hits) -> App {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("hello\n") });
    app.at("/probe").get(|_| async { Ok("probe\n") });
    for method in METHODS {
        let hits = hits.clone();
        app.at("/canary").method(method, move |request| {
            hits.count(&request);
            async { Ok("the canary is dead\n") }
        });
        app.at("/show").method(method, |request| std::future::ready(Ok(show(&request))));
        app.at("/*rest").method(method, |request| {
            let mut response = show(&request);
            response.set_status(StatusCode::NotFound);
            std::future::ready(Ok(response))
        });
    }
    bodies_in(&mut app);
    bodies_out(&mut app);
    failures(&mut app);
    app
}

/// Handlers that differ in what they do with the body of the request.
fn bodies_in(app: &mut App) {
    for method in [Method::Get, Method::Post, Method::Put] {
        // Streams the body back while it comes in.
        app.at("/echo").method(method, |mut request| async move {
            let mut response = Response::new(StatusCode::Ok);
            response.set_body(request.take_body());
            Ok(response)
        });
        // Reads all of the body, then answers.
        app.at("/read").method(method, |mut request| async move {
            let bytes = request.body_bytes().await?;
            Ok(format!("{} bytes: {}\n", bytes.len(), String::from_utf8_lossy(&bytes)))
        });
        // Leaves the body alone.
        app.at("/ignore").method(method, |_| async { Ok("ignored\n") });
        // Leaves the body alone, but does not let it go until the answer has gone out.
        app.at("/hold").method(method, |mut request| async move {
            let mut response = Response::from("held\n");
            response.ext_mut().insert(request.take_body());
            Ok(response)
        });
        // Leaves the body alone until some of it has come in for sure.
        app.at("/taste").method(method, |mut request| async move {
            let mut some = [0; 4];
            smol::io::AsyncReadExt::read_exact(&mut request.take_body(), &mut some).await?;
            Ok(format!("{}\n", String::from_utf8_lossy(&some)))
        });
    }
    app.at("/trailers").post(|mut request| async move {
        let trailers = request.recv_trailers();
        let mut text = format!("{}\n", request.body_string().await?);
        // Without a sender there is nothing to wait for.
        drop(request);
        if let Some(trailers) = trailers.await {
            text.push_str(&fields(trailers.iter()));
        }
        Ok(text)
    });
}

/// Handlers that differ in the body of their response.
fn bodies_out(app: &mut App) {
    app.at("/stream").get(|_| async { Ok(streaming(&[b"one\n", b"two\n", b"three\n"], None)) });
    app.at("/stream-nothing").get(|_| async { Ok(streaming(&[], None)) });
    app.at("/empty").get(|_| async { Ok(Response::new(StatusCode::NoContent)) });
    app.at("/unmodified").get(|_| async { Ok(Response::new(StatusCode::NotModified)) });
    app.at("/empty-with-body").get(|_| async {
        let mut response = Response::new(StatusCode::NoContent);
        response.set_body("this must not be sent\n");
        Ok(response)
    });
    app.at("/unmodified-with-stream").get(|_| async {
        let mut response = streaming(&[b"this must not be sent\n"], None);
        response.set_status(StatusCode::NotModified);
        Ok(response)
    });
    app.at("/close").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.insert_header("connection", "foo, Close");
        response.set_body("bye\n");
        Ok(response)
    });
    // Framing is not the handler's to say.
    app.at("/lies").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body("the truth\n");
        response.insert_header("content-length", "3");
        response.insert_header("transfer-encoding", "chunked");
        response.insert_header("connection", "keep-alive");
        Ok(response)
    });
    app.at("/large").get(|_| async { Ok("0123456789abcdef".repeat(16 * 1024)) });
}

/// Handlers that go wrong.
fn failures(app: &mut App) {
    app.at("/fail").get(|_| async {
        let cause = "secret cause";
        Err::<Response, _>(http_types::Error::from_str(StatusCode::InternalServerError, cause))
    });
    app.at("/fail-teapot").get(|_| async {
        Err::<Response, _>(http_types::Error::from_str(StatusCode::ImATeapot, "secret cause"))
    });
    app.at("/panic").get(|_| async {
        let purpose = super::log::ON_PURPOSE;
        std::panic::panic_any::<String>(format!("{purpose}: secret cause"));
        #[expect(unreachable_code, reason = "it says what a handler returns")]
        Ok("")
    });
    for (path, name, value) in [
        ("/split", "x-reflected", "a\r\nset-cookie: secret=1"),
        ("/split-response", "x-reflected", "a\r\n\r\nHTTP/1.1 200 secret"),
        ("/split-lf", "x-reflected", "a\nset-cookie: secret=1"),
        ("/split-nul", "x-reflected", "a\0secret"),
        ("/split-name", "x-a\r\nset-cookie", "secret"),
        ("/split-space", "x secret", "value"),
    ] {
        app.at(path).get(move |_| async move {
            let mut response = Response::new(StatusCode::Ok);
            response.set_body("never sent");
            response.insert_header(name, value);
            Ok(response)
        });
    }
    app.at("/interim").get(|_| async { Ok(Response::new(StatusCode::Continue)) });
    app.at("/fails-at-once").get(|_| async { Ok(streaming(&[], Some("secret cause"))) });
    app.at("/breaks-off").get(|_| async { Ok(streaming(&[b"one\n"], Some("secret cause"))) });
    app.at("/too-short").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_reader(Pieces::new(&[b"short"], None), Some(10)));
        Ok(response)
    });
}

/// What came in, as the handler sees it.
fn show(request: &Request) -> Response {
    let version = request.version().map_or("HTTP/1.1".to_owned(), |v| v.to_string());
    let host = Peer::of(request).expect("a request has a peer").host().to_owned();
    let url = request.url();
    let path = &url[url::PATH];
    let mut text = format!("{} {path} {version}\nfor {host}\n", request.method());
    text.push_str(&fields(request.iter()));
    for (name, value) in Fields::of(request).beyond_ascii() {
        _ = writeln!(text, "{}={}", name.to_ascii_lowercase(), value.escape_ascii());
    }
    text.into()
}

/// Where a URL's path begins, to the end of its query.
mod url {
    use turnkey::http_types::url::Position;

    pub(super) const PATH: std::ops::RangeFrom<Position> = Position::BeforePath..;
}

fn fields<'a>(
    fields: impl Iterator<
        Item = (&'a http_types::headers::HeaderName, &'a http_types::headers::HeaderValues),
    >,
) -> String {
    let mut lines: Vec<String> = fields
        .flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}\n")))
        .collect();
    lines.sort();
    lines.concat()
}

/// A response of unknown length.
fn streaming(pieces: &'static [&'static [u8]], failure: Option<&'static str>) -> Response {
    let mut response = Response::new(StatusCode::Ok);
    response.set_body(Body::from_reader(Pieces::new(pieces, failure), None));
    response
}

/// A reader that gives a piece at a time, waits a little between them, and may fail at the end.
struct Pieces {
    left: std::slice::Iter<'static, &'static [u8]>,
    failure: Option<&'static str>,
    waited: bool,
}

impl Pieces {
    fn new(pieces: &'static [&'static [u8]], failure: Option<&'static str>) -> BufReader<Self> {
        BufReader::new(Self { left: pieces.iter(), failure, waited: true })
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match (self.left.next(), self.failure) {
            (Some(piece), _) => {
                buf[..piece.len()].copy_from_slice(piece);
                Poll::Ready(Ok(piece.len()))
            }
            (None, Some(failure)) => Poll::Ready(Err(io::Error::other(failure))),
            (None, None) => Poll::Ready(Ok(0)),
        }
    }
}
