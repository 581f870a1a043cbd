//! `Upgrade`: a connection that changes to another protocol (RFC 9110 §7.8).

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use memchr::memchr_iter;

use crate::support::upstream::{Talk, Upstream};
use crate::support::{Conn, table};
use crate::{Front, OK, Proxied, assert_refused};

mod offered;

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        bytes_go_both_ways
        much_goes_both_ways_at_once
        it_ends_with_the_upstream
        it_ends_with_the_client
        a_client_that_has_finished_hears_the_rest
        a_quiet_tunnel_stays
        a_tunnel_that_is_quiet_for_too_long_ends
        whoever_is_gone_without_a_word_is_noticed
        a_drain_ends_tunnels
    }
}

const ASK: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket, Chat/1\r\nSec-WebSocket-Key: AAAA\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade, x-named\r\nX-Named: gone\r\nSec-WebSocket-Accept: BBBB\r\n\
    Content-Length: 7\r\n\r\n";

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: BBBB\r\n\
    Connection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Reads until these bytes have come last.
#[track_caller]
fn until(conn: &mut Conn, end: &[u8]) {
    while !conn.ahead().ends_with(end) {
        read(conn);
    }
}

#[track_caller]
fn read(conn: &mut Conn) {
    let read = conn.read_some();
    let came = conn.ahead().len();
    assert!(matches!(read, Ok(1..)), "{read:?} after {came} bytes");
}

/// A connection that has changed to another protocol.
#[track_caller]
fn tunnel(proxied: &Proxied) -> Conn {
    let mut conn = proxied.open();
    conn.send(ASK).unwrap();
    while conn.ahead().len() < SWITCHED.len() {
        read(&mut conn);
    }
    assert!(conn.ahead().starts_with(SWITCHED.as_bytes()), "{}", conn.ahead().escape_ascii());
    conn
}

/// Switches, and does then what the test says. What it does ends with the connection.
fn switching(then: impl Fn(&mut Talk) + Send + Sync + 'static) -> Upstream {
    Upstream::new(move |talk| {
        if talk.request().is_some() {
            talk.send(SWITCH);
            then(talk);
        }
    })
}

fn shared<T>() -> (Sender<T>, Arc<Mutex<Receiver<T>>>) {
    let (sender, receiver) = channel();
    (sender, Arc::new(Mutex::new(receiver)))
}

fn bytes_go_both_ways(front: Front) {
    let upstream = Upstream::new(|talk| {
        if talk.request().is_none() {
            return;
        }
        // Ahead of what the client has to say, in the write that has the head.
        talk.send(&[SWITCH, b"welcome\0\r\n\r\nHTTP/1.1 "].concat());
        while let Some(bytes) = talk.exactly(5) {
            talk.send(&bytes);
        }
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    conn.send(&[ASK, b"ahead"].concat()).unwrap();
    until(&mut conn, b"ahead");
    let came = String::from_utf8_lossy(conn.ahead()).into_owned();
    assert_eq!(came, format!("{SWITCHED}welcome\0\r\n\r\nHTTP/1.1 ahead"));
    for bytes in [b"GET /", b"\0\xff\r\n\r"] {
        conn.send(bytes).unwrap();
        until(&mut conn, bytes);
    }
    let request = upstream.only();
    let text = request.text();
    assert!(text.contains("\r\nSec-WebSocket-Key: AAAA\r\n"), "{text}");
    assert!(text.ends_with("\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"), "{text}");
    assert_eq!(request.values("connection"), ["upgrade"]);
    assert_eq!(request.values("x-forwarded-for"), ["127.0.0.1"]);
}

fn much_goes_both_ways_at_once(front: Front) {
    const LENGTH: usize = 16 << 20;
    const EARLY: usize = 1 << 20;
    // It sends all of its own before it takes any.
    let upstream = switching(|talk| {
        for _ in 0..LENGTH >> 16 {
            talk.send(&b"d".repeat(1 << 16));
        }
        let mut up = 0;
        for _ in 0..LENGTH >> 16 {
            up += talk.exactly(1 << 16).map_or(0, |p| memchr_iter(b'u', &p).count());
        }
        talk.send(format!("got {up}").as_bytes());
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = tunnel(&proxied);
    let before = proxied.server.memory();
    // What nobody takes yet must not keep what comes the other way.
    let piece = b"u".repeat(1 << 16);
    for _ in 0..EARLY >> 16 {
        conn.send(&piece).unwrap();
    }
    while conn.ahead().len() < SWITCHED.len() + LENGTH {
        read(&mut conn);
    }
    for _ in 0..(LENGTH - EARLY) >> 16 {
        conn.send(&piece).unwrap();
    }
    until(&mut conn, format!("got {LENGTH}").as_bytes());
    assert_eq!(memchr_iter(b'd', &conn.ahead()[SWITCHED.len()..]).count(), LENGTH);
    let held = proxied.server.memory().saturating_sub(before);
    assert!(held < 4 << 10, "{held} KiB more");
}

fn it_ends_with_the_upstream(front: Front) {
    let upstream = switching(|talk| {
        talk.send(&b"x".repeat(1_000_000));
        talk.send(b"bye");
        talk.finish();
        talk.rest();
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = tunnel(&proxied);
    let came = conn.rest();
    assert!(came.ends_with(b"xbye"));
    assert_eq!(memchr_iter(b'x', &came).count(), 1_000_000);
}

fn it_ends_with_the_client(front: Front) {
    let (ended, end) = shared();
    let upstream = switching(move |talk| ended.send(talk.rest()).unwrap());
    let mut proxied = Proxied::new(front, &upstream);
    let end = end.lock().unwrap();
    let mut conn = tunnel(&proxied);
    conn.send(b"bye").unwrap();
    conn.finish().unwrap();
    assert_eq!(end.recv_timeout(Duration::from_secs(5)).unwrap(), b"bye");
    assert_eq!(conn.rest(), SWITCHED.as_bytes());
    let conn = tunnel(&proxied);
    conn.reset();
    end.recv_timeout(Duration::from_secs(5)).expect("the upstream is told");
    proxied.server.assert_alive();
}

fn a_client_that_has_finished_hears_the_rest(front: Front) {
    let upstream = switching(|talk| {
        let said = talk.rest();
        thread::sleep(Duration::from_millis(100));
        talk.send(b"you said ");
        talk.send(&said);
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = tunnel(&proxied);
    conn.send(b"bye").unwrap();
    conn.finish().unwrap();
    assert_eq!(String::from_utf8_lossy(&conn.rest()), format!("{SWITCHED}you said bye"));

    // One that never finishes itself has so much time.
    let upstream = switching(|talk| {
        talk.rest();
        thread::sleep(Duration::from_secs(8));
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-timeout", "0.5"]);
    let mut conn = tunnel(&proxied);
    let start = Instant::now();
    conn.finish().unwrap();
    conn.rest();
    assert!(start.elapsed() < Duration::from_secs(4), "after {:?}", start.elapsed());
}

fn a_quiet_tunnel_stays(front: Front) {
    let upstream = switching(|talk| {
        while let Some(bytes) = talk.exactly(5) {
            talk.send(&bytes);
        }
    });
    let short = ["--proxy-timeout", "0.3", "--idle-timeout", "0.3", "--body-timeout", "0.3"];
    let more = ["--head-timeout", "0.3", "--write-timeout", "0.3"];
    let proxied = Proxied::with(front, &[&upstream.url], &[&short[..], &more].concat());
    let mut conn = tunnel(&proxied);
    for bytes in [b"hello", b"world"] {
        thread::sleep(Duration::from_millis(800));
        conn.send(bytes).unwrap();
        until(&mut conn, bytes);
    }
}

fn a_tunnel_that_is_quiet_for_too_long_ends(front: Front) {
    let (ended, end) = shared();
    let upstream = switching(move |talk| ended.send(talk.rest()).unwrap());
    let proxied = Proxied::with(front, &[&upstream.url], &["--tunnel-timeout", "0.3"]);
    let mut conn = tunnel(&proxied);
    conn.rest();
    end.lock().unwrap().recv_timeout(Duration::from_secs(5)).expect("the upstream is told");

    // A byte is enough, in one direction or the other.
    let upstream = switching(|talk| {
        if talk.exactly(1).as_deref() == Some(b"?") {
            for _ in 0..10 {
                thread::sleep(Duration::from_millis(250));
                talk.send(b".");
            }
        } else {
            talk.exactly(10);
        }
        talk.send(b"!");
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--tunnel-timeout", "2"]);
    let mut conn = tunnel(&proxied);
    conn.send(b"?").unwrap();
    until(&mut conn, b"!");
    let mut conn = tunnel(&proxied);
    for _ in 0..11 {
        conn.send(b".").unwrap();
        thread::sleep(Duration::from_millis(250));
    }
    until(&mut conn, b"!");
}

/// The kernel probes both ends of a tunnel.
fn whoever_is_gone_without_a_word_is_noticed(front: Front) {
    /// The timers of connections that stand and are about these ports, by the kernel's table.
    #[cfg(target_os = "linux")]
    fn timers(local: Option<u16>, remote: Option<u16>) -> Vec<String> {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let lines = table.lines().skip(1).map(|l| l.split_whitespace().collect::<Vec<_>>());
        let port = |at: &str| u16::from_str_radix(at.rsplit(':').next().unwrap(), 16).unwrap();
        let fits = |l: &Vec<&str>| {
            l[3] == "01"
                && local.is_none_or(|p| p == port(l[1]))
                && remote.is_none_or(|p| p == port(l[2]))
        };
        lines.filter(fits).map(|l| l[5][..2].to_owned()).collect()
    }
    let upstream = switching(|talk| while talk.exactly(1).is_some() {});
    let proxied = Proxied::new(front, &upstream);
    let _conn = tunnel(&proxied);
    #[cfg(target_os = "linux")]
    {
        let port = upstream.url.rsplit(':').next().unwrap().parse().unwrap();
        // 02 is the timer of probes; another one may be set until the peer has acknowledged what was sent.
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let client = timers(Some(proxied.server.port), None);
            let both = [client, timers(None, Some(port))];
            if both == [["02"], ["02"]] {
                break;
            }
            assert!(Instant::now() < end, "{both:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn a_drain_ends_tunnels(front: Front) {
    let upstream = switching(|talk| {
        while let Some(bytes) = talk.exactly(5) {
            talk.send(&bytes);
        }
    });
    let mut proxied = Proxied::with(front, &[&upstream.url], &["--drain-timeout", "1"]);
    let mut conn = tunnel(&proxied);
    proxied.server.signal("TERM");
    // Until then it goes on.
    conn.send(b"hello").unwrap();
    until(&mut conn, b"hello");
    let start = Instant::now();
    assert_eq!(proxied.server.wait().code(), Some(0));
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(3), "after {waited:?}");
    assert!(matches!(conn.read_some(), Ok(0) | Err(_)));
    // One that ends by itself holds nobody up.
    let mut proxied = Proxied::with(front, &[&upstream.url], &["--drain-timeout", "8"]);
    let conn = tunnel(&proxied);
    proxied.server.signal("TERM");
    drop(conn);
    let start = Instant::now();
    assert_eq!(proxied.server.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(4), "after {:?}", start.elapsed());
}
