//! The wire corpus through the proxy: what is refused does not reach an upstream, and nothing reaches
//! it that is not a request of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use crate::support::upstream::{Received, Upstream};
use crate::support::{is_time_out, table};
use crate::{Front, Proxied};

table! {
    columns {
        held_back = &[];
        streaming = &["--proxy-streaming"];
    } rows {
        no_refused_and_no_second_request_gets_through
    }
}

/// How many requests reach the upstream in cases that are about what the test app does, where ours
/// does otherwise: it reads all of each body, and never fails.
const OTHERWISE: [(&str, usize); 9] = [
    // The app does not wait for the end of the body.
    ("chunk-unread-bad", 0),
    ("timeout-unread-body", 0),
    // It ends the connection, so that the second request is not read.
    ("connection-close-by-the-app", 2),
    ("expect-continue-unread", 2),
    ("http-1-0-stream-keep-alive", 2),
    ("response-body-fails-at-once", 2),
    ("response-body-too-short", 2),
    ("unread-large", 2),
    ("unread-large-chunked", 2),
];

/// A case as far as it matters here.
struct Case {
    name: String,
    request: Vec<u8>,
    /// The client says that it is done.
    fin: bool,
    /// How many of the requests are not refused.
    served: usize,
}

/// The statuses by which the wire refuses a request.
const REFUSALS: [&str; 8] = ["400", "408", "413", "414", "417", "431", "501", "505"];

fn corpus() -> Vec<Case> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "request") {
            continue;
        }
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let statuses = expected.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
        let statuses: Vec<_> = statuses.map(|status| &status[..3]).collect();
        let served = statuses.iter().filter(|status| !REFUSALS.contains(status)).count();
        cases.push(Case {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            request: fs::read(&path).unwrap(),
            fin: expected.lines().any(|line| line == "@fin"),
            served,
        });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() >= 500, "there are {} cases: some got lost", cases.len());
    cases
}

/// How many cases are under way at a time, each with an upstream of its own.
const LANES: usize = 8;

fn no_refused_and_no_second_request_gets_through(args: &'static [&'static str]) {
    let cases = corpus();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let lane = Lane::new(args);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(got) = lane.run(case) {
                        wrong.lock().unwrap().insert(case.name.clone(), got);
                    }
                }
                lane.end();
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} cases went wrong: {wrong:#?}", wrong.len());
}

/// The program before an upstream that counts.
struct Lane {
    upstream: Upstream,
    proxied: Proxied,
}

impl Lane {
    fn new(args: &[&str]) -> Self {
        let upstream = Upstream::new(|talk| {
            while let Some(request) = talk.request() {
                let to_head = request.line().starts_with("HEAD ");
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
                talk.send(if to_head { head.to_owned() } else { format!("{head}ok") }.as_bytes());
            }
        });
        let limits = ["--head-timeout", "0.3", "--body-timeout", "0.3", "--idle-timeout", "0.3"];
        let args = [&limits[..], &["--max-body", "100000"], args].concat();
        let proxied = Proxied::with(Front::Http, &[&upstream.url], &args);
        Self { upstream, proxied }
    }

    /// Sends the request, to the end of the connection. The error is what reached the upstream, and how
    /// many requests that should have been.
    fn run(&self, case: &Case) -> Result<(), (usize, Vec<String>)> {
        let mut conn = self.proxied.open();
        conn.wait_at_most(Duration::from_secs(8));
        // A refusal may come while this is sent, and it may be more than anybody wants.
        _ = conn.send(&case.request);
        if case.fin {
            _ = conn.finish();
        }
        while match conn.read_some() {
            Ok(n) => n > 0,
            Err(error) if is_time_out(&error) => panic!("{}: it does not end", case.name),
            Err(_) => false,
        } {}
        let requests = self.upstream.take_requests();
        for request in &requests {
            let chunked = !request.values("transfer-encoding").is_empty();
            let framed = request.values("content-length").len() + usize::from(chunked);
            assert!(framed <= 1, "{}", request.text());
        }
        let lines: Vec<_> = requests.iter().map(Received::line).collect();
        let otherwise = OTHERWISE.iter().find(|(name, _)| *name == case.name);
        let canary = lines.iter().any(|line| line.contains("/canary"));
        let served = otherwise.map_or(case.served, |(_, served)| *served);
        if requests.len() != served || (canary && otherwise.is_none()) {
            return Err((served, lines));
        }
        Ok(())
    }

    fn end(mut self) {
        self.proxied.server.assert_alive();
    }
}
