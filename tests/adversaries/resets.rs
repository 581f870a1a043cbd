//! Clients that reset the connection, wherever it stands.

use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::support::{Conn, GET, Site, Stack, on, reset};

/// So many for each stage.
const MANY: usize = 20;

#[test]
fn resets_at_every_stage_harm_nobody() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let open = site.descriptors_at_rest();
        site.served_while(|| {
            for stage in [in_the_head, in_the_body, after_the_request, in_the_answer] {
                for _ in 0..MANY {
                    let mut conn = site.open();
                    stage(&mut conn);
                    conn.reset();
                }
            }
            if stack.is_tls() {
                in_the_handshake(&site);
            }
        });
        // Nothing of them stays behind.
        site.server.await_descriptors(open, Duration::from_secs(5));
        site.assert_served_soon();
    });
}

fn in_the_head(conn: &mut Conn) {
    conn.send(b"GET / HTTP/1.1\r\nHo").unwrap();
    pause();
}

fn in_the_body(conn: &mut Conn) {
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n01")
        .unwrap();
    pause();
}

/// Before the answer can have come.
fn after_the_request(conn: &mut Conn) {
    conn.send(GET).unwrap();
}

/// More than fits on the way is echoed, so that the server is still writing.
fn in_the_answer(conn: &mut Conn) {
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").unwrap();
    conn.send(&vec![b'x'; 500_000]).unwrap();
    conn.read_some().unwrap();
}

/// After the first bytes of a hello, and after nearly all of a whole one.
fn in_the_handshake(site: &Site) {
    for n in 0..MANY {
        let mut tcp = site.dialer.tcp();
        tcp.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..=n % 11]).unwrap();
        pause();
        reset(&tcp);
    }
}

/// So that the server has begun with what was sent.
fn pause() {
    thread::sleep(Duration::from_millis(5));
}
