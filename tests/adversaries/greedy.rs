//! Clients that ask faster than the server can answer, and read all they get: theirs must not be
//! the only requests that are served.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, GET, Site, Stack};

/// Twice as many as the server has threads.
const GREEDY: usize = 4;
const LONG: Duration = Duration::from_secs(3);

#[test]
fn endless_pipelines_leave_room_in_plain() {
    endless_pipelines_leave_room(Stack::Plain);
}

#[test]
fn endless_pipelines_leave_room_over_tls() {
    endless_pipelines_leave_room(Stack::Rustls);
}

fn endless_pipelines_leave_room(stack: Stack) {
    let site = Site::new(stack, &[("--threads", "2")]);
    thread::scope(|scope| {
        for _ in 0..GREEDY {
            scope.spawn(|| ask_and_read(site.open()));
        }
        site.served_while(|| thread::sleep(LONG));
    });
}

/// Asks again before the answers to what was asked are read.
fn ask_and_read(mut conn: Conn) {
    // So much is asked for ahead that the server always has something to do.
    let requests = GET.repeat(100);
    for _ in 0..4 {
        conn.send(&requests).unwrap();
    }
    let start = Instant::now();
    while start.elapsed() < LONG {
        conn.send(&requests).unwrap();
        for _ in 0..100 {
            conn.response().assert_top_level();
        }
    }
}
