//! How answers are split into writes.

use super::*;
use crate::folder::file_body::{FileBody, Piece};

/// A body that claims to have put bytes into the buffer but has not.
#[derive(Debug)]
struct Idle(usize);

impl AsyncRead for Idle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let n = self.0.min(buf.len());
        self.0 -= n;
        Poll::Ready(Ok(n))
    }
}

impl smol::io::AsyncBufRead for Idle {
    fn poll_fill_buf(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn consume(self: Pin<&mut Self>, _n: usize) {}
}

/// Otherwise one client that sends faster than it is answered would block all others.
#[test]
fn requests_that_came_together_are_answered_one_at_a_turn() {
    const COUNT: usize = 50;
    let (turns, _) = turns(link(false, false), &app(), GET.repeat(COUNT));
    let answered: Vec<usize> = turns.iter().map(Vec::len).collect();
    assert_eq!(answered.last(), Some(&COUNT));
    assert!(answered.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{answered:?}");
}

#[test]
fn what_fits_into_a_record_of_tls_is_one_write() {
    let mut app = App::new();
    app.at("/body").get(|_| async { Ok("b".repeat(15 * 1024)) });
    app.at("/head").get(|_| async {
        let mut response = Response::from("hello");
        response.insert_header("x-large", "v".repeat(9000));
        Ok(response)
    });
    app.at("/more").get(|_| async { Ok("m".repeat(100 * 1024)) });
    let app = app.into();
    let get = |path| {
        let said = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        writes(link(true, false), &app, said).0
    };
    for (path, end) in [("/body", "b".repeat(15 * 1024)), ("/head", "hello".to_owned())] {
        let [answer] = get(path).try_into().unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{path}");
        assert!(answer.ends_with(format!("\r\n\r\n{end}").as_bytes()), "{path}");
    }
    let lengths: Vec<usize> = get("/more").iter().map(Vec::len).collect();
    let (_, all_but_last) = lengths.split_last().unwrap();
    assert!(all_but_last.iter().all(|n| (15_000..=16 * 1024).contains(n)), "{lengths:?}");
    assert!(lengths.iter().sum::<usize>() > 100 * 1024, "{lengths:?}");
}

/// The kernel cannot send this file, since the connection is no socket. A small file is sent like any answer, a large
/// one as it is read.
#[test]
fn a_file_goes_out_as_it_is_read() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    io::Write::write_all(&mut file, &b"f".repeat(100_000)).unwrap();
    let file = Arc::new(file.reopen().unwrap());
    let mut app = App::new();
    for (path, size) in [("/small", 10_000), ("/large", 100_000)] {
        let pieces = Arc::new([Piece::File(0..size)]);
        let body = FileBody { file: Arc::clone(&file), pieces };
        app.at(path).get(move |_| {
            let mut response = Response::new(StatusCode::Ok);
            response.insert_header("content-type", "text/plain");
            body.clone().put_into(&mut response);
            async { Ok(response) }
        });
    }
    let app = app.into();
    let get = |path| {
        let said = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        writes(link(true, false), &app, said).0
    };
    let [small] = get("/small").try_into().unwrap();
    assert!(small.ends_with(&[b'f'; 10_000]) && !small.ends_with(&[b'f'; 10_001]));
    let large = get("/large");
    let lengths: Vec<usize> = large.iter().map(Vec::len).collect();
    assert_eq!(lengths[1..], [64 * 1024, 100_000 - 64 * 1024], "{lengths:?}");
    assert!(large[0].ends_with(b"\r\n\r\n"));
}

/// Responses reuse one buffer.
#[test]
fn nothing_of_another_response_is_read_where_a_body_puts_nothing() {
    let mut app = App::new();
    app.at("/secret").get(|_| async { Ok("secret".repeat(100)) });
    app.at("/idle").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(http_types::Body::from_reader(Idle(100), Some(100)));
        Ok(response)
    });
    let app = app.into();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let (answered, _) = answers(link(false, false), &app, get("/secret") + &get("/idle"));
    let (_, idle) = answered.split_once(&"secret".repeat(100)).unwrap();
    assert!(idle.ends_with(&"\\x00".repeat(100)), "{idle}");
}

/// A body that waits before each of its bytes; holds the bytes that are left.
#[derive(Debug)]
struct Halting(&'static [u8], bool);

impl AsyncRead for Halting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(io::Read::read(&mut self.0, &mut buf[..1]))
    }
}

/// What the client takes while the body is not ready is not written again.
#[test]
fn each_byte_goes_out_once_however_it_is_waited_for() {
    const BODY: &str = "a body of which each byte has to be waited for";
    let mut app = App::new();
    app.at("/").get(|_| async {
        let body = smol::io::BufReader::new(Halting(BODY.as_bytes(), false));
        let body = http_types::Body::from_reader(body, Some(BODY.len()));
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(body);
        Ok(response)
    });
    let app = app.into();
    let all = writes(link(false, false), &app, GET).0.concat();
    assert!(all.ends_with(format!("\r\n\r\n{BODY}").as_bytes()), "{}", all.escape_ascii());
    for takes in 1..200 {
        let said = Said { left: GET.as_bytes(), takes, ..Said::default() };
        let (mut turns, _) = turns_of(link(false, false), &app, said);
        let answer = turns.pop().unwrap().concat();
        // The date may differ.
        assert_eq!(answer.len(), all.len(), "{takes}: {}", answer.escape_ascii());
        assert!(answer.ends_with(BODY.as_bytes()), "{takes}: {}", answer.escape_ascii());
    }
}
