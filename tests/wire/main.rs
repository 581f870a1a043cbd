//! The wire, byte by byte: each case of `tests/wire/` is sent to a server in this process, over
//! every stack, in one write and in a write for each byte. `tests/wire/README.md` says how to
//! read a case, and how to add one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use turnkey_test_support::wire::{
    Case, Client, Cut, Ending, Stack, TestServer, corpus, parse, show,
};

/// How many cases are under way at a time, in each test.
const AT_A_TIME: usize = 16;

#[test]
fn the_corpus_is_as_large_as_it_was() {
    let cases = corpus();
    assert!(cases.len() >= 500, "there are {} cases: some got lost", cases.len());
}

mod plain {
    use super::*;

    #[test]
    fn whole() {
        all(&TestServer::patient(Stack::Plain), false, &Cut::Whole);
    }

    #[test]
    fn byte_by_byte() {
        all(&TestServer::patient(Stack::Plain), false, &Cut::Bytes);
    }

    #[test]
    fn in_odd_pieces() {
        all(&TestServer::patient(Stack::Plain), false, &Cut::Pieces(vec![7, 2, 31, 3]));
    }

    #[test]
    fn short_timeouts() {
        all(&TestServer::hurried(Stack::Plain), true, &Cut::Whole);
    }
}

#[cfg(feature = "rustls")]
mod rustls_backend {
    use super::*;

    #[test]
    fn whole() {
        all(&TestServer::patient(Stack::Rustls), false, &Cut::Whole);
    }

    #[test]
    fn byte_by_byte() {
        all(&TestServer::patient(Stack::Rustls), false, &Cut::Bytes);
    }

    #[test]
    fn short_timeouts() {
        all(&TestServer::hurried(Stack::Rustls), true, &Cut::Whole);
    }
}

#[cfg(feature = "openssl")]
mod openssl_backend {
    use super::*;

    #[test]
    fn whole() {
        all(&TestServer::patient(Stack::OpenSsl), false, &Cut::Whole);
    }

    #[test]
    fn byte_by_byte() {
        all(&TestServer::patient(Stack::OpenSsl), false, &Cut::Bytes);
    }

    #[test]
    fn short_timeouts() {
        all(&TestServer::hurried(Stack::OpenSsl), true, &Cut::Whole);
    }
}

#[cfg(feature = "native-tls")]
mod native_tls_backend {
    use super::*;

    #[test]
    fn whole() {
        all(&TestServer::patient(Stack::NativeTls), false, &Cut::Whole);
    }
}

/// Runs all cases that are for such a server and such a cut, or those whose names hold what
/// `WIRE_CASE` says.
fn all(server: &TestServer, hurried: bool, cut: &Cut) {
    let only = std::env::var("WIRE_CASE").unwrap_or_default();
    let cases: Vec<Case> = corpus()
        .into_iter()
        .filter(|case| case.is_for(server.stack.is_tls(), hurried, cut))
        .filter(|case| case.name.contains(&only))
        .collect();
    assert!(!cases.is_empty(), "no case to run (WIRE_CASE={only:?})");
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = case.run(server, cut) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    assert!(
        failures.is_empty(),
        "{} of {} cases failed\n\n{}\n",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
    server.records.assert_no_connection_panicked();
}

/// What a file cannot say: who waits for whom.
mod turns {
    use super::*;

    const HEAD: &[u8] = b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                          Expect: 100-continue\r\n\r\n";

    fn on_each(test: fn(&TestServer)) {
        let stacks = [
            Stack::Plain,
            #[cfg(feature = "rustls")]
            Stack::Rustls,
            #[cfg(feature = "openssl")]
            Stack::OpenSsl,
            #[cfg(feature = "native-tls")]
            Stack::NativeTls,
        ];
        for stack in stacks {
            test(&TestServer::patient(stack));
        }
    }

    /// Reads until `end` responses' worth of bytes end with it.
    fn until(client: &mut Client, end: &[u8]) {
        while !client.received.ends_with(end) {
            assert!(client.fill(), "the connection ended; came:\n{}", show(&client.received));
        }
    }

    /// The content of a chunked response that has no end yet. Content is letters.
    fn chunks_so_far(received: &[u8]) -> String {
        let text = String::from_utf8_lossy(received);
        let body = text.split_once("\r\n\r\n").unwrap_or_default().1;
        body.split("\r\n").skip(1).step_by(2).collect()
    }

    /// RFC 9110 §10.1.1: a client that waits for `100 Continue` gets it, once the body is wanted.
    #[test]
    fn continue_comes_before_the_body_is_sent() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            client.send(HEAD, &Cut::Whole).unwrap();
            until(&mut client, b"\r\n\r\n");
            assert_eq!(client.received, b"HTTP/1.1 100 Continue\r\n\r\n");
            client.send(b"hello", &Cut::Whole).unwrap();
            until(&mut client, b"5 bytes: hello\n");
            let interim = b"HTTP/1.1 100 Continue\r\n\r\n".len();
            let (response, _) = parse(&client.received[interim..], false, false).unwrap().unwrap();
            assert_eq!((response.status, response.says_close()), (200, false));
        });
    }

    /// RFC 9110 §10.1.1: a handler that does not want the body answers at once, and since nobody
    /// can tell whether the body follows, the connection closes.
    #[test]
    fn no_continue_when_the_body_is_not_wanted() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            let head = String::from_utf8_lossy(HEAD).replace("/read", "/ignore");
            client.send(head.as_bytes(), &Cut::Whole).unwrap();
            assert_eq!(client.ending(), Ending::Clean);
            let (response, length) = parse(&client.received, true, false).unwrap().unwrap();
            assert_eq!((response.status, response.says_close()), (200, true));
            assert_eq!(length, client.received.len());
        });
    }

    /// RFC 9110 §10.1.1: a client that is sending already is not told to go on.
    #[test]
    fn no_continue_to_a_client_that_sends_already() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            client.send(&[HEAD, b"he"].concat(), &Cut::Whole).unwrap();
            thread::sleep(Duration::from_millis(100));
            client.send(b"llo", &Cut::Whole).unwrap();
            until(&mut client, b"5 bytes: hello\n");
            assert!(client.received.starts_with(b"HTTP/1.1 200 "), "{:?}", client.received);
        });
    }

    /// RFC 9110 §10.1.1: a client that has its answer may leave the body out. What it sends next is
    /// neither body nor request then: nobody can tell.
    #[test]
    fn nothing_is_read_after_continue_was_withheld() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            let head = String::from_utf8_lossy(HEAD).replace("/read", "/hold");
            let next = "GET /canary HTTP/1.1\r\nHost: a\r\n\r\n";
            client.send(format!("{head}{next}").as_bytes(), &Cut::Whole).unwrap();
            assert_eq!(client.ending(), Ending::Clean);
            let (response, length) = parse(&client.received, true, false).unwrap().unwrap();
            assert_eq!(response.status, 200);
            assert_eq!(length, client.received.len(), "a second answer");
        });
    }

    /// RFC 9110 §10.1.1: no `100 Continue` before a refusal that needs no body.
    #[test]
    fn no_continue_before_a_refusal() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            let head = String::from_utf8_lossy(HEAD).replace(": 5", ": 100001");
            client.send(head.as_bytes(), &Cut::Whole).unwrap();
            assert_eq!(client.ending(), Ending::Clean);
            let (response, _) = parse(&client.received, true, false).unwrap().unwrap();
            assert_eq!((response.status, response.says_close()), (413, true));
        });
    }

    /// A streamed body comes back while it goes out: nobody waits for the whole.
    #[test]
    fn a_body_is_echoed_piece_by_piece() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            let head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            client.send(head, &Cut::Whole).unwrap();
            let mut sent = String::new();
            for piece in ["first", "second", "third"] {
                let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
                client.send(chunk.as_bytes(), &Cut::Bytes).unwrap();
                sent.push_str(piece);
                while chunks_so_far(&client.received) != sent {
                    assert!(client.fill(), "came:\n{}", show(&client.received));
                }
            }
            client.send(b"0\r\n\r\n", &Cut::Whole).unwrap();
            until(&mut client, b"\r\n0\r\n\r\n");
            let (response, _) = parse(&client.received, false, false).unwrap().unwrap();
            assert_eq!(response.body, b"firstsecondthird");
        });
    }

    /// DESIGN §4: a refusal can be read although the client has not stopped sending: no reset
    /// over unread input takes it away.
    #[test]
    fn a_refusal_reaches_a_client_that_goes_on_sending() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &Cut::Whole).unwrap();
            for n in 0..50 {
                client
                    .send(&vec![b'x'; 20_000], &Cut::Whole)
                    .unwrap_or_else(|e| panic!("after {n} pieces: {e}"));
            }
            assert_eq!(client.ending(), Ending::Clean);
            let (response, length) = parse(&client.received, true, false).unwrap().unwrap();
            assert_eq!((response.status, length), (400, client.received.len()));
        });
    }

    /// RFC 9112 §9.3: content that nobody reads is passed over up to a bound, also when it comes
    /// bit by bit: the connection closes, and nothing after the body is served.
    #[test]
    fn an_unread_body_that_comes_slowly_is_passed_over_up_to_a_bound() {
        const CHUNK: usize = 1000;
        let server = TestServer::patient(Stack::Plain);
        let mut client = Client::connect(&server).unwrap();
        let head = b"POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(head, &Cut::Whole).unwrap();
        let chunk = format!("{CHUNK:x}\r\n{}\r\n", "x".repeat(CHUNK));
        // Less than the largest body, and far more than the 64 KiB that are worth it.
        for _ in 0..90 {
            client.send(chunk.as_bytes(), &Cut::Whole).unwrap();
            thread::sleep(Duration::from_millis(3));
        }
        let rest = b"0\r\n\r\nGET /canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        client.send(rest, &Cut::Whole).unwrap();
        assert_eq!(client.ending(), Ending::Clean);
        assert_eq!(server.hits.take(client.local()), 0, "a request after the body was served");
        let (response, length) = parse(&client.received, true, false).unwrap().unwrap();
        assert_eq!((response.status, length), (200, client.received.len()));
    }

    /// DESIGN §4, HAZARDS: an app that fails is a 500, and what failed is in the log.
    #[test]
    fn the_log_names_the_cause_that_the_client_is_not_told() {
        let server = TestServer::patient(Stack::Plain);
        for (path, cause) in [
            ("/fail", "the handler failed: secret cause"),
            ("/panic", "the handler panicked"),
            ("/fails-at-once", "the response body failed: secret cause"),
            ("/split", "\"x-reflected\""),
            ("/interim", "the status 100"),
        ] {
            let mut client = Client::connect(&server).unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            client.send(request.as_bytes(), &Cut::Whole).unwrap();
            assert_eq!(client.ending(), Ending::Clean, "{path}");
            let came = String::from_utf8_lossy(&client.received).into_owned();
            assert!(came.starts_with("HTTP/1.1 500 ") && !came.contains("secret"), "{came}");
            let lines = server.records.with(cause);
            assert!(lines.iter().any(|line| line.contains("request ")), "{path}: {lines:?}");
        }
    }

    /// RFC 9112 §6.3: to HTTP/1.0 the end of the connection is the end of a streamed answer, so one
    /// that breaks off ends in a reset.
    #[test]
    fn an_answer_that_breaks_off_does_not_end_well_for_http_1_0() {
        on_each(|server| {
            for (path, whole) in [("/stream", true), ("/breaks-off", false)] {
                let mut client = Client::connect(server).unwrap();
                let request = format!("GET {path} HTTP/1.0\r\n\r\n");
                client.send(request.as_bytes(), &Cut::Whole).unwrap();
                assert_eq!(client.ending() == Ending::Clean, whole, "{path}");
            }
        });
    }

    /// HAZARDS: head and body of a small answer are gathered into one write, so that one read, or
    /// one TLS record, has them both.
    #[test]
    fn a_small_answer_is_one_write() {
        on_each(|server| {
            let mut client = Client::connect(server).unwrap();
            for _ in 0..20 {
                client.received.clear();
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &Cut::Whole).unwrap();
                assert!(client.fill());
                let came = show(&client.received);
                assert!(client.received.ends_with(b"\r\n\r\nhello\n"), "in pieces:\n{came}");
            }
        });
    }

    /// DESIGN §4: the idle timeout ends a connection on which no request began.
    #[test]
    fn a_connection_that_says_nothing_is_left_alone_and_then_closed() {
        let server = TestServer::hurried(Stack::Plain);
        let mut client = Client::connect(&server).unwrap();
        client.wait_at_most(Duration::from_secs(10));
        assert_eq!(client.ending(), Ending::Clean);
        assert_eq!(client.received, b"", "an idle connection is closed without a word");
    }
}
