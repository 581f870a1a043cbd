//! Bodies whose length is not known when they begin: held back until it is, or passed on in chunks.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::bodies::{POST, SOON, await_connections, signal};
use crate::support::table;
use crate::support::upstream::{Received, Upstream, find};
use crate::{Front, OK, OK_CLOSE, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        chunks_arrive_with_a_length
        a_body_that_is_held_back_takes_no_memory
        streaming_passes_chunks_and_trailers
        trailers_go_by_the_rule_for_fields
    }
}

/// `body` in chunks of some sizes, with an extension and a trailer that go.
pub(crate) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in body.chunks(40_000) {
        bytes.extend_from_slice(format!("{:X};a=\"b\"\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nX-Sum: 1\r\n\r\n");
    bytes
}

pub(crate) fn post_chunked(proxied: &Proxied, body: &[u8]) -> String {
    let head = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
    proxied.ask([head.as_bytes(), &chunked(body)].concat())
}

fn chunks_arrive_with_a_length(front: Front) {
    let upstream = Upstream::answering(OK);
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().to_str().unwrap().to_owned();
    let urls = [&*upstream.url];
    let proxied = Proxied::start(front, &urls, &[], |program| program.env("TMPDIR", &there));
    for length in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let body: Vec<u8> = (0..251).cycle().take(length).collect();
        assert_eq!(post_chunked(&proxied, &body), OK_CLOSE, "{length}");
        let request = upstream.take_requests().remove(0);
        assert_eq!(request.values("content-length"), [length.to_string()]);
        assert!(request.values("transfer-encoding").is_empty(), "{}", request.text());
        assert!(request.body == body, "{length} bytes came as others");
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
    // Up to 64 KiB take no file; what is larger takes one.
    let there = format!("{there}/none");
    let proxied = Proxied::start(front, &urls, &[], |program| program.env("TMPDIR", &there));
    assert_eq!(post_chunked(&proxied, &b"x".repeat(65_536)), OK_CLOSE);
    let upstream_got = upstream.requests().len();
    assert_refused(&post_chunked(&proxied, &b"x".repeat(65_537)), 500, &["Internal Server Error"]);
    assert_eq!(upstream.requests().len(), upstream_got);
    proxied.server.assert_logs(&["error", "body cannot be held back"]);
}

fn a_body_that_is_held_back_takes_no_memory(front: Front) {
    const LENGTH: usize = 32 << 20;
    let (go, may_go) = signal::<()>();
    let upstream = Upstream::new(move |talk| {
        let head = talk.head().unwrap();
        may_go.lock().unwrap().recv_timeout(SOON).unwrap();
        let body = talk.exactly(LENGTH).unwrap();
        talk.record(Received { connection: talk.number, head, body });
        talk.send(OK);
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--max-body", "32M"]);
    let body: Vec<u8> = (0..251).cycle().take(LENGTH).collect();
    let mut conn = proxied.open();
    conn.send(format!("{POST}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let before = proxied.server.memory();
    conn.send(&chunked(&body)).unwrap();
    await_connections(&upstream, 1);
    thread::sleep(Duration::from_millis(300));
    let held = proxied.server.memory().saturating_sub(before);
    assert!(held < 4 << 10, "{held} KiB more");
    go.send(()).unwrap();
    assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
    assert!(upstream.only().body == body, "other bytes came");
}

/// The content of a chunked body.
pub(crate) fn content(received: &Received) -> Vec<u8> {
    let (mut rest, mut content) = (&*received.body, Vec::new());
    loop {
        let line = find(rest, b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return content;
        }
        content.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + size + 4..];
    }
}

fn streaming_passes_chunks_and_trailers(front: Front) {
    let (got, so_far) = signal();
    let upstream = Upstream::new(move |talk| {
        let head = String::from_utf8(talk.head().unwrap()).unwrap();
        assert!(head.ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n"), "{head}");
        assert!(!head.contains("Content-Length"), "{head}");
        got.send(talk.exactly(10)).unwrap();
        got.send(talk.until(b"\r\n\r\n")).unwrap();
        talk.send(OK);
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let mut conn = proxied.open();
    let head = format!("{POST}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n");
    conn.send(format!("{head}5;x\r\nhello\r\n").as_bytes()).unwrap();
    let so_far = so_far.lock().unwrap();
    assert_eq!(so_far.recv_timeout(SOON).unwrap().unwrap(), b"5\r\nhello\r\n");
    conn.send(
        b"0\r\nX-Sum: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX_Client_Verify: SUCCESS\r\n\
          Client-Cert: :MIIB:\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\nX-End: 2\r\n\r\n",
    )
    .unwrap();
    let end = so_far.recv_timeout(SOON).unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&end), "0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n");
    assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);

    let upstream = Upstream::answering(OK);
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let body: Vec<u8> = (0..251).cycle().take(1_000_000).collect();
    assert_eq!(post_chunked(&proxied, &body), OK_CLOSE);
    assert!(content(&upstream.only()) == body, "other bytes came");
}

/// An app may take one for the other.
fn trailers_go_by_the_rule_for_fields(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let trailers = "Script_Name: /evil\r\nPATH_INFO: /evil\r\nProxy: http://evil.test\r\n\
                    Host: evil.test\r\nExpect: 100-continue\r\nX-Forwarded-For: 6.6.6.6\r\n\
                    x-hop: 1\r\nX-Sum: 1\r\n";
    let came = proxied.ask(format!(
        "{POST}Connection: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\n{trailers}\r\n"
    ));
    assert_eq!(came, OK_CLOSE);
    let body = upstream.only().body;
    assert_eq!(String::from_utf8_lossy(&body), "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
}
