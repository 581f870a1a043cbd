//! What must hold of the wire for any bytes, not only for those that somebody thought of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod generate;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use generate::{Valid, cut, hostile, request};
use proptest::collection::vec;
use proptest::prelude::*;
use turnkey_test_support::wire::{Client, Cut, Ending, Response, Stack, TestServer, parse, show};

/// Answers well-formed requests, however slowly they come.
static PATIENT: LazyLock<TestServer> = LazyLock::new(|| TestServer::patient(Stack::Plain));
/// The same over TLS.
#[cfg(feature = "rustls")]
static PATIENT_TLS: LazyLock<TestServer> = LazyLock::new(|| TestServer::patient(Stack::Rustls));
/// Gives up on what does not end.
static HURRIED: LazyLock<TestServer> =
    LazyLock::new(|| TestServer::start(Stack::Plain, Duration::from_millis(60)));

/// `cases`, unless `PROPTEST_CASES` says otherwise: for a search through a night.
fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |n| n.parse().expect("a number"));
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_time: 20_000,
        ..Default::default()
    }
}

/// A response without what may differ from one time to the next.
#[derive(Debug, PartialEq, Eq)]
struct Essence {
    status_line: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl From<Response> for Essence {
    fn from(mut response: Response) -> Self {
        response.fields.retain(|(name, _)| name != "date");
        let Response { status_line, fields, body, .. } = response;
        Self { status_line, fields, body }
    }
}

/// Sends `requests` in one go over one connection and reads as many answers.
fn answers(server: &TestServer, requests: &[Valid], cut: &Cut) -> Result<Vec<Essence>, String> {
    let mut client = Client::connect(server).map_err(|e| e.to_string())?;
    let bytes: Vec<u8> = requests.iter().flat_map(|r| r.bytes.clone()).collect();
    let result = exchange(&mut client, requests, &bytes, cut);
    match server.hits.take(client.local()) {
        0 => result.map_err(|e| {
            format!("{e}\nsent:\n{}\ncame:\n{}", show(&bytes), show(&client.received))
        }),
        _ => Err(format!("the inside of a body was served as a request:\n{}", show(&bytes))),
    }
}

fn exchange(
    client: &mut Client,
    requests: &[Valid],
    bytes: &[u8],
    cut: &Cut,
) -> Result<Vec<Essence>, String> {
    client.send(bytes, cut).map_err(|e| format!("reset: {e}"))?;
    client.finish().map_err(|e| format!("reset: {e}"))?;
    let ending = client.ending();
    if ending != Ending::Clean {
        return Err(format!("{ending:?}"));
    }
    let (mut rest, mut essences) = (client.received.as_slice(), Vec::new());
    for request in requests {
        let (response, length) =
            parse(rest, true, request.to_head)?.ok_or("an answer did not come")?;
        essences.push(response.into());
        rest = &rest[length..];
    }
    if rest.is_empty() { Ok(essences) } else { Err("more answers than requests".to_owned()) }
}

proptest! {
    #![proptest_config(config(400))]

    /// RFC 9112 §9.3.2: a pipeline is answered as its requests are one by one, however it is cut.
    #[test]
    fn a_pipeline_is_answered_like_its_requests_alone(requests in vec(request(), 1..6), cut in cut()) {
        let together = answers(&PATIENT, &requests, &cut).map_err(TestCaseError::fail)?;
        for (request, answer) in requests.iter().zip(&together) {
            let alone = answers(&PATIENT, std::slice::from_ref(request), &Cut::Whole)
                .map_err(TestCaseError::fail)?;
            prop_assert!(answer.status_line != "HTTP/1.1 400 Bad Request", "{}", show(&request.bytes));
            prop_assert_eq!(&alone[..], std::slice::from_ref(answer), "{}", show(&request.bytes));
        }
        PATIENT.records.assert_no_connection_panicked();
    }
}

#[cfg(feature = "rustls")]
proptest! {
    #![proptest_config(config(100))]

    /// TLS in between changes nothing.
    #[test]
    fn tls_answers_as_plain_does(requests in vec(request(), 1..6), cut in cut()) {
        let plain = answers(&PATIENT, &requests, &Cut::Whole).map_err(TestCaseError::fail)?;
        let tls = answers(&PATIENT_TLS, &requests, &cut).map_err(TestCaseError::fail)?;
        prop_assert_eq!(plain, tls);
    }
}

/// Whether all that came is responses, one after the other. An answer to `HEAD` has no content
/// although it may speak of some, and nobody can tell here what was asked.
fn only_responses(received: &[u8]) -> Result<(), String> {
    if received.is_empty() {
        return Ok(());
    }
    let mut reason = String::new();
    for to_head in [false, true] {
        match parse(received, true, to_head) {
            Ok(Some((_, length))) => match only_responses(&received[length..]) {
                Ok(()) => return Ok(()),
                Err(e) => reason = e,
            },
            Ok(None) => "an answer that never ends".clone_into(&mut reason),
            Err(e) => reason = e,
        }
    }
    Err(reason)
}

/// A stream that had begun when its request turned out bad is broken off, and only that.
fn breaks_off_in_a_stream(received: &[u8]) -> bool {
    let begin: &[u8] = b"HTTP/1.1 200 OK\r\n";
    let Some(at) = received.windows(begin.len()).rposition(|window| window == begin) else {
        return false;
    };
    let (before, last) = received.split_at(at);
    only_responses(before).is_ok()
        && matches!(parse(last, true, false), Err(how) if how.contains("the connection ended within"))
}

proptest! {
    #![proptest_config(config(1500))]

    /// Whatever comes in, what goes out is well-formed, and comes to an end in time.
    #[test]
    fn any_bytes_are_answered_or_closed(bytes in hostile(), cut in cut(), fin in any::<bool>()) {
        let start = Instant::now();
        let mut client = Client::connect(&HURRIED).unwrap();
        client.wait_at_most(Duration::from_secs(10));
        // The server may be through with the connection before all has been sent.
        let sent = client.send(&bytes, &cut).and_then(|()| if fin { client.finish() } else { Ok(()) });
        let ending = client.ending();
        let story = || format!("{sent:?}, {ending:?}\nsent:\n{}\ncame:\n{}", show(&bytes), show(&client.received));
        let broken_off = breaks_off_in_a_stream(&client.received);
        prop_assert!(ending == Ending::Clean || broken_off, "not closed well: {}", story());
        if let Err(reason) = only_responses(&client.received) {
            prop_assert!(broken_off, "{reason}: {}", story());
        }
        prop_assert!(start.elapsed() < Duration::from_secs(10), "took too long: {}", story());
        HURRIED.records.assert_no_connection_panicked();
    }
}

/// How much the server takes of what never ends before it refuses.
#[test]
fn what_never_ends_is_refused_after_a_bounded_amount() {
    const CHUNKED: &str = "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    // Beside the bound: what one read may take more than it needs.
    const READ_AHEAD: usize = 24 * 1024;
    let server = TestServer::patient(Stack::Plain);
    for (what, begin, endless, status, bound) in [
        ("empty lines", "", "\r\n", 431, 16 * 1024),
        ("a method", "", "G", 414, 9 * 1024),
        ("a target", "GET /", "a", 414, 9 * 1024),
        ("fields", "GET / HTTP/1.1\r\nHost: a\r\n", "X-A: b\r\n", 431, 16 * 1024),
        ("empty fields", "GET / HTTP/1.1\r\nHost: a\r\n", "a:\r\n", 431, 16 * 1024),
        ("a field name", "GET / HTTP/1.1\r\n", "a", 431, 16 * 1024),
        ("a field value", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 431, 16 * 1024),
        ("white space", "GET / HTTP/1.1\r\nHost:", " ", 431, 16 * 1024),
        ("a chunk size", CHUNKED, "0", 400, 1024),
        ("a chunk extension", &format!("{CHUNKED}5;a="), "a", 400, 1024),
        ("chunk extensions", &format!("{CHUNKED}5"), ";a=b", 400, 1024),
        ("a trailer name", &format!("{CHUNKED}0\r\n"), "a", 400, 8 * 1024),
        ("a trailer value", &format!("{CHUNKED}0\r\nX: "), "a", 400, 8 * 1024),
        ("trailers", &format!("{CHUNKED}0\r\n"), "X: y\r\n", 400, 8 * 1024),
        ("chunks", CHUNKED, "1\r\nx\r\n", 413, 6 * 100_001),
        ("a chunk", &format!("{CHUNKED}7fffffffffffffff\r\n"), "x", 413, 100_001),
    ] {
        let mut client = Client::connect(&server).unwrap();
        // No more than fits: what the server leaves unread is refused as well.
        let endless = endless.repeat((bound + READ_AHEAD) / endless.len());
        client.send(&[begin.as_bytes(), endless.as_bytes()].concat(), &Cut::Whole).unwrap();
        assert_eq!(client.ending(), Ending::Clean, "{what}");
        let (response, length) = parse(&client.received, true, false)
            .unwrap_or_else(|e| panic!("{what}: {e}: {}", show(&client.received)))
            .unwrap_or_else(|| panic!("{what}: no answer"));
        assert_eq!((response.status, length), (status, client.received.len()), "{what}");
    }
    server.records.assert_no_connection_panicked();
}

/// The server that took all of the above still serves.
#[test]
fn a_server_that_was_fed_garbage_still_serves() {
    let server = TestServer::start(Stack::Plain, Duration::from_millis(300));
    let mut runner = proptest::test_runner::TestRunner::new(config(200));
    runner
        .run(&hostile(), |bytes| {
            let mut client = Client::connect(&server).unwrap();
            // It leaves without waiting, as scanners do.
            _ = client.send(&bytes, &Cut::Whole);
            Ok(())
        })
        .unwrap();
    let request =
        Valid { bytes: b"GET /probe HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), to_head: false };
    let answers = answers(&server, &[request], &Cut::Whole).unwrap();
    assert_eq!(answers[0].body, b"probe\n");
    server.records.assert_no_connection_panicked();
}
