//! Restarts under load.

use std::io;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::{Conn, Dialer, GET, Site, Stack, on, report};

const RESTARTS: usize = 20;
const CLIENTS: usize = 6;

/// What became of the requests.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicUsize,
    /// The connection had served before, and ended just when it was used again: a client tries
    /// once more (RFC 9112 §9.3.1).
    overtaken: AtomicUsize,
    /// Nobody listened.
    refused: AtomicUsize,
    /// The connection was in the queue of the listener when that was closed, a moment after it
    /// had been found empty. The system resets those, and knows no way to close only the door.
    raced: AtomicUsize,
    /// All else, which must not happen.
    lost: Mutex<Vec<String>>,
}

/// A request on a connection that was accepted has its whole answer; only one on a connection that
/// had served before may come too late for it.
#[test]
fn twenty_restarts_lose_nothing() {
    on(&Stack::ALL, |stack| {
        let port = free_port().to_string();
        let limits = [("--port", port.as_str()), ("--drain-timeout", "10")];
        let counts = Counts::default();
        for restart in 0..RESTARTS {
            let mut site = Site::new(stack, &limits);
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                let (counts, over, dialer) = (&counts, &over, &site.dialer);
                for n in 0..CLIENTS {
                    // Some use connections again, some do not.
                    scope.spawn(move || ask(dialer, n % 2 == 0, counts, over));
                }
                thread::sleep(Duration::from_millis(60 + 7 * restart as u64));
                site.server.signal("TERM");
                // For as long as it drains, and a little longer.
                thread::sleep(Duration::from_millis(60));
                over.store(true, Ordering::SeqCst);
            });
            assert_eq!(site.server.wait().code(), Some(0), "{}", site.server.log());
            site.assert_calm();
        }
        report(stack, &format!("{counts:?}"));
        assert!(counts.lost.lock().unwrap().is_empty(), "{counts:?}");
        // A server that left its queue to the system would have several of them each time.
        assert!(counts.raced.load(Ordering::SeqCst) <= RESTARTS / 5, "{counts:?}");
        assert!(counts.answered.load(Ordering::SeqCst) > 10 * RESTARTS, "{counts:?}");
        assert!(counts.refused.load(Ordering::SeqCst) > RESTARTS, "{counts:?}");
    });
}

/// Makes requests until it is `over`.
fn ask(dialer: &Dialer, keep_alive: bool, counts: &Counts, over: &AtomicBool) {
    let count = |counter: &AtomicUsize| _ = counter.fetch_add(1, Ordering::SeqCst);
    let mut kept: Option<Conn> = None;
    while !over.load(Ordering::SeqCst) {
        let used_before = kept.is_some();
        let mut conn = match kept.take() {
            Some(conn) => conn,
            None => match dialer.try_tcp() {
                Ok(tcp) => match dialer.speak_over(tcp) {
                    Ok(conn) => conn,
                    Err(e) => {
                        failed_first(counts, "handshake", &e);
                        continue;
                    }
                },
                Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                    count(&counts.refused);
                    thread::sleep(Duration::from_millis(5));
                    continue;
                }
                Err(e) => {
                    failed_first(counts, "connecting", &e);
                    continue;
                }
            },
        };
        match conn.send(GET).and_then(|()| conn.try_response()) {
            Ok(answer) => {
                answer.assert_top_level();
                count(&counts.answered);
                if keep_alive && !answer.has("connection: close") {
                    kept = Some(conn);
                }
            }
            Err(_) if used_before && conn.ahead().is_empty() => count(&counts.overtaken),
            Err(e) if used_before || !conn.ahead().is_empty() => lost(counts, "broken off", &e),
            Err(e) => failed_first(counts, "first request", &e),
        }
    }
}

/// Nothing has come yet on a new connection.
fn failed_first(counts: &Counts, stage: &str, error: &io::Error) {
    if error.kind() == io::ErrorKind::ConnectionReset {
        counts.raced.fetch_add(1, Ordering::SeqCst);
    } else {
        lost(counts, stage, error);
    }
}

fn lost(counts: &Counts, stage: &str, error: &io::Error) {
    counts.lost.lock().unwrap().push(format!("{stage}: {error}"));
}

/// A port that nobody listens on. The server takes it again at each restart.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
