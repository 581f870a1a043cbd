//! What Prometheus is told (`--metrics`): what there is to count is counted, on a listener of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]

mod connections;
mod listener;
mod requests;
mod standing;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use turnkey_test_support::{self as support, Client, Server, python, run};

/// How long a number may take to be right.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that is counted.
fn counted(args: &[&str]) -> Server {
    Server::with(&[args, &["--metrics", "127.0.0.1:0"]].concat())
}

/// Where it says that it is.
#[track_caller]
fn url(server: &Server) -> String {
    let line = server.greeting.lines().find_map(|line| line.strip_prefix("metrics on "));
    line.unwrap_or_else(|| panic!("no metrics in {}", server.greeting)).to_owned()
}

/// The text of the metrics.
#[track_caller]
fn text(server: &Server) -> String {
    let answer = Client::new(&[]).fetch(&url(server));
    answer.assert_ok();
    answer.text()
}

/// Each series and its value, as the parser of Prometheus' own library for Python reads them.
#[track_caller]
fn samples(server: &Server) -> BTreeMap<String, f64> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/metrics/parse.py");
    let mut python = python();
    python.arg(script);
    let output = run(python, text(server).as_bytes(), PATIENCE);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Waits until each of `expected` has its value: a request is counted when it has ended, and that may
/// be after the client has its answer.
#[track_caller]
fn assert_counts(server: &Server, expected: &[(&str, f64)]) {
    let end = Instant::now() + PATIENCE;
    loop {
        let samples = samples(server);
        let wrong: Vec<_> = expected
            .iter()
            .filter(|(name, value)| samples.get(*name) != Some(value))
            .map(|(name, value)| (name, samples.get(*name), value))
            .collect();
        if wrong.is_empty() {
            return;
        }
        let all: Vec<_> = samples.iter().filter(|(_, value)| **value != 0.0).collect();
        assert!(Instant::now() < end, "(series, is, should be): {wrong:#?} in {all:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
