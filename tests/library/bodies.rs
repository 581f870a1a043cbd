//! Bodies stream both ways, held back by whoever is slower; and what is read whole is bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use smol::io::{AsyncRead, AsyncReadExt, BufReader};
use turnkey::{App, Body, Limits, Request, Response, Result, Server, StatusCode, with_state};

use crate::support::{Conn, Dialer, Library, Pki, Stack, is_time_out, on};

/// More than all buffers on the way hold, in bytes: what has been held back is less.
const BUFFERS: u64 = 24 << 20;
const LONG: u64 = 64 << 20;

/// Zeros, of which it is counted how many were taken.
#[derive(Debug)]
struct Zeros(Arc<AtomicU64>);

impl AsyncRead for Zeros {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let left = LONG - self.0.load(Ordering::SeqCst);
        let n = usize::try_from(left).unwrap().min(buf.len());
        buf[..n].fill(0);
        self.0.fetch_add(n as u64, Ordering::SeqCst);
        Poll::Ready(Ok(n))
    }
}

/// A server on `stack`, for bodies of any length.
fn serve(stack: Stack, app: App) -> Library {
    let mut limits = Limits::default();
    limits.max_body = None;
    Library::limited(stack, app, limits)
}

#[test]
fn a_response_is_made_no_faster_than_it_is_read() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let taken = Arc::new(AtomicU64::new(0));
        let mut app = App::new();
        app.at("/").get(with_state(&taken, |taken, _| async move {
            let mut response = Response::new(StatusCode::Ok);
            response.set_body(Body::from_reader(BufReader::new(Zeros(taken)), None));
            Ok(response)
        }));
        let library = serve(stack, app);
        let mut conn = library.open();
        conn.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let held = settled(&taken);
        assert!(held > 0 && held < BUFFERS, "{stack:?}: {held} bytes were made for nobody");
        let response = conn.response();
        assert_eq!(response.body.len() as u64, LONG);
        assert!(response.body.iter().all(|&byte| byte == 0));
    });
}

#[test]
fn a_request_is_taken_no_faster_than_its_handler_reads_it() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let (go, wait) = smol::channel::bounded::<()>(1);
        let mut app = App::new();
        app.at("/").post(with_state(&wait, |wait, mut request: Request| async move {
            _ = wait.recv().await;
            let mut body = request.take_body();
            let (mut length, mut piece) = (0, vec![0; 16 * 1024]);
            loop {
                match body.read(&mut piece).await? {
                    0 => return Ok(length.to_string()),
                    n => length += n,
                }
            }
        }));
        let library = serve(stack, app);
        let mut conn = library.open();
        conn.send(
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LONG}\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        let sending = thread::spawn(move || send(&mut conn, &counted).then_some(conn));
        let held = settled(&sent);
        assert!(held < BUFFERS, "{stack:?}: {held} bytes were taken that nobody read");
        go.close();
        let mut conn = sending.join().unwrap().expect("all of it is sent");
        assert_eq!(conn.response().body, LONG.to_string().as_bytes());
    });
}

/// Sends the long body, and says whether it could be sent.
fn send(conn: &mut Conn, sent: &AtomicU64) -> bool {
    let piece = vec![0; 64 * 1024];
    while sent.load(Ordering::SeqCst) < LONG {
        if let Err(error) = conn.send(&piece) {
            assert!(!is_time_out(&error), "{error}");
            return false;
        }
        sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
    }
    true
}

/// What a counter stands at when it has stood still for a while.
fn settled(counter: &AtomicU64) -> u64 {
    let mut last = 0;
    loop {
        thread::sleep(Duration::from_millis(500));
        let now = counter.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
    }
}

/// Half of a body.
const HALF: usize = 50;

/// Answers when the first half is there, and has a task of its own read on.
async fn answer_and_read_on(
    told: Sender<io::Result<usize>>,
    mut request: Request,
) -> Result<Response> {
    let (half, read) = smol::channel::bounded::<()>(1);
    smol::spawn(async move {
        let (mut body, mut bytes) = (request.take_body(), vec![0; HALF]);
        body.read_exact(&mut bytes).await.unwrap();
        half.close();
        _ = told.send(body.read_to_end(&mut bytes).await);
    })
    .detach();
    _ = read.recv().await;
    Ok(Response::new(StatusCode::Accepted))
}

/// What has not been read by then is passed over, to get at the next request: whoever still reads is told
/// so, and neither takes half of the body for all of it nor waits for more.
#[test]
fn a_body_ends_in_an_error_for_who_reads_on_behind_the_answer() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let (told, ended) = channel();
        let mut app = App::new();
        app.at("/")
            .get(|_| async { Ok("Top-level content") })
            .post(with_state(&told, answer_and_read_on));
        let library = serve(stack, app);
        let mut conn = library.open();
        let half = "x".repeat(HALF);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 2 * HALF);
        conn.send(format!("{head}{half}").as_bytes()).unwrap();
        assert_eq!(conn.response().status, 202);
        let read = ended.recv_timeout(Duration::from_secs(5)).expect("it is not kept waiting");
        let is_told = read.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe);
        assert!(is_told, "{stack:?}: {read:?}");
        conn.send(half.as_bytes()).unwrap();
        conn.get().assert_top_level();
    });
}

/// What a body is read as, the limit holds; it is the wire that says so, in its own words.
#[test]
fn a_body_that_is_too_large_is_413_whatever_it_is_read_as() {
    let mut app = App::new();
    app.at("/json").post(|mut request: Request| async move { request.body_json::<String>().await });
    app.at("/form").post(|mut request: Request| async move {
        Ok(request.body_form::<Vec<(String, String)>>().await?.len().to_string())
    });
    app.at("/text").post(|mut request: Request| async move { request.body_string().await });
    let mut limits = Limits::default();
    limits.max_body = Some(1000);
    let server = Server::new(app).limits(limits);
    let library = Library::start(server, Pki::new(), |port, _| Dialer::plain(port));
    let piece = format!("400\r\n{}\r\n", "x".repeat(1024));
    for path in ["/json", "/form", "/text"] {
        let mut conn = library.open();
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        conn.send(format!("{head}{piece}0\r\n\r\n").as_bytes()).unwrap();
        let answer = conn.response();
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
        assert_eq!(answer.body, b"the request body is larger than 1000 bytes\n", "{path}");
        assert!(conn.rest().is_empty());
    }
}

/// RFC 9112 §6.3: to HTTP/1.0 the end of the connection is the end of such an answer. It must not look so
/// to who reads on after a pause that was too long, nor to who is not done when the server stops.
#[test]
fn half_an_answer_does_not_pass_for_the_whole_at_the_end_of_the_connection() {
    for stops in [false, true] {
        let mut app = App::new();
        app.at("/").get(|_| async {
            let mut response = Response::new(StatusCode::Ok);
            let endless = smol::io::repeat(b'x').take(u64::MAX);
            response.set_body(Body::from_reader(BufReader::new(endless), None));
            Ok(response)
        });
        let library = Library::serve(Stack::Plain, app);
        let mut conn = library.open();
        conn.send(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        assert!(matches!(conn.read_some(), Ok(1..)));
        let stopping = stops.then(|| thread::spawn(move || drop(library)));
        if !stops {
            // Longer than it takes to write to somebody.
            thread::sleep(Duration::from_secs(3));
        }
        let start = Instant::now();
        let end = loop {
            assert!(start.elapsed() < Duration::from_secs(10), "it goes on");
            match conn.read_some() {
                Ok(0) => break Ok(()),
                // All of it is kept, and this need not be much.
                Ok(_) if stops => thread::sleep(Duration::from_millis(2)),
                Ok(_) => {}
                Err(error) => break Err(error.kind()),
            }
        };
        assert_eq!(end, Err(io::ErrorKind::ConnectionReset), "stops: {stops}");
        stopping.map(thread::JoinHandle::join).transpose().unwrap();
    }
}

/// http-types makes up a type for what it does not know.
#[test]
fn no_content_type_is_made_up() {
    let mut app = App::new();
    app.at("/").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_reader(&b"text"[..], None));
        response.remove_header("content-type");
        Ok(response)
    });
    let library = Library::serve(Stack::Plain, app);
    for version in ["1.1", "1.0"] {
        let mut conn = library.open();
        let request = format!("GET / HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n");
        conn.send(request.as_bytes()).unwrap();
        let answer = String::from_utf8(conn.rest()).unwrap().to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 200 ") && answer.contains("text"), "{answer}");
        assert!(!answer.contains("content-type"), "HTTP/{version}: {answer}");
    }
}
