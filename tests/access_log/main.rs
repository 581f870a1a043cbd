//! The access log: a line for each request after it has ended, in the formats that people and programs
//! read, whatever clients write and however slowly it is read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]

mod ends;
mod formats;
mod hostile;
mod library;
mod readers;
mod switches;
mod terminal;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use turnkey_test_support::{self as support, Dialer, Server};

/// How long a line may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines of the access log, of which there have to be just so many.
#[track_caller]
fn lines(server: &Server, count: usize) -> Vec<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let stdout = server.stdout();
        // Where people read it, the start-up lines come first.
        let lines = stdout.strip_prefix(&server.greeting).unwrap_or(&stdout);
        let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        assert!(lines.len() <= count, "more than {count}: {lines:#?}");
        if lines.len() == count {
            return lines;
        }
        assert!(Instant::now() < end, "less than {count}: {lines:#?}");
        thread::sleep(Duration::from_millis(3));
    }
}

/// The same as JSON.
#[track_caller]
fn objects(server: &Server, count: usize) -> Vec<Value> {
    let parse = |line: &String| {
        serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON: {e}: {line}"))
    };
    lines(server, count).iter().map(parse).collect()
}

/// The only one.
#[track_caller]
fn object(server: &Server) -> Value {
    objects(server, 1).remove(0)
}

/// A server that logs in JSON.
fn json(args: &[&str]) -> Server {
    Server::with(&[args, &["--log-format", "json"]].concat())
}

/// What has come when a connection on which `bytes` were sent ends.
#[track_caller]
fn talk(dialer: &Dialer, bytes: &[u8]) -> String {
    let mut conn = dialer.open();
    conn.send(bytes).unwrap();
    // The server may have ended it first.
    _ = conn.finish();
    String::from_utf8_lossy(&conn.rest()).into_owned()
}

#[track_caller]
fn assert_ended(line: &Value, outcome: &str, status: u16) {
    assert_eq!((&line["outcome"], &line["status"]), (&outcome.into(), &status.into()), "{line}");
}
