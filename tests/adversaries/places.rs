//! More clients than there are places for.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, Site, Stack, is_time_out, on};

const PLACES: usize = 5;

fn five_places(stack: Stack, handshakes: &str) -> Site {
    let limits = [
        ("--max-connections", "5"),
        ("--max-handshakes", handshakes),
        ("--idle-timeout", "20"),
        ("--handshake-timeout", "3"),
    ];
    Site::new(stack, &limits)
}

/// In plain the client is told, and when to try again.
#[test]
fn over_the_connection_limit_is_503() {
    let site = five_places(Stack::Plain, "5");
    let mut seated = seat(&site);
    for _ in 0..100 {
        let mut late = site.open();
        // Without being asked, and to those who ask.
        let answer = late.response();
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.has("connection: close"), "{answer:?}");
        let retry = answer.head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        assert!(retry.is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0)), "{answer:?}");
        assert!(late.rest().is_empty());
    }
    let answer = site.curl().fetch(&site.server.url);
    assert_eq!((answer.exit, answer.status), (0, 503), "{answer:?}");
    site.server.assert_says("--max-connections", 1);
    places_come_back(&site, &mut seated);
}

/// Over TLS there is nothing to say before the handshake, which is what costs.
#[test]
fn over_the_connection_limit_is_closed_over_tls() {
    on(&[Stack::Rustls, Stack::NativeTls, Stack::OpenSsl], |stack| {
        let site = five_places(stack, "5");
        let mut seated = seat(&site);
        let cpu = site.server.cpu_time();
        for _ in 0..100 {
            assert_closed_at_once(&site);
            assert!(site.dialer.try_open().is_err(), "there is a sixth place");
        }
        let spent = site.server.cpu_time().saturating_sub(cpu);
        assert!(spent < Duration::from_millis(300), "{spent:?} of processor for 200 clients");
        site.server.assert_says("--max-connections", 1);
        places_come_back(&site, &mut seated);
    });
}

/// Takes all the places.
fn seat(site: &Site) -> Vec<Conn> {
    (0..PLACES)
        .map(|_| {
            let mut conn = site.open();
            conn.get().assert_top_level();
            conn
        })
        .collect()
}

/// However a client leaves, the next one has its place; and those that stay are served.
fn places_come_back(site: &Site, seated: &mut Vec<Conn>) {
    let mut gone = Vec::new();
    for n in 0..4 * PLACES {
        let mut leaving = seated.remove(0);
        match n % 4 {
            0 => drop(leaving),
            1 => leaving.reset(),
            2 if !leaving.is_plain() => {
                // It has left as soon as it has said so; the connection below is not waited for.
                leaving.say_goodbye().unwrap();
                gone.push(leaving);
            }
            _ => {
                leaving.finish().unwrap();
                assert!(leaving.rest().is_empty());
            }
        }
        let mut next = soon(|| site.dialer.try_open().ok().filter(|c| !is_turned_away(c)));
        next.get().assert_top_level();
        seated.push(next);
        for conn in &mut *seated {
            conn.get().assert_top_level();
        }
    }
}

/// Whether the server says or closes something without having been asked.
fn is_turned_away(conn: &Conn) -> bool {
    let tcp = conn.tcp();
    tcp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let turned_away = match tcp.peek(&mut [0]) {
        Ok(0) => true,
        // In plain it is the 503; over TLS, tickets for the next session.
        Ok(_) => conn.is_plain(),
        Err(e) => !is_time_out(&e),
    };
    conn.wait_at_most(Duration::from_secs(10));
    turned_away
}

/// What `attempt` gets within a second.
fn soon<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(1);
    loop {
        if let Some(got) = attempt() {
            return got;
        }
        assert!(Instant::now() < end, "no place came back");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Closed without a byte, and long before any time-out.
fn assert_closed_at_once(site: &Site) {
    let mut tcp = site.dialer.tcp();
    let start = Instant::now();
    match tcp.read(&mut [0]) {
        Ok(0) => {}
        Err(e) if e.kind() == io::ErrorKind::ConnectionReset => {}
        other => panic!("not closed: {other:?}"),
    }
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(1), "closed after {taken:?}");
}

/// Clients that connect and do not shake hands cannot take all the places: those that are open are
/// served, and when their time is over so are new ones.
#[test]
fn handshakes_in_flight_are_limited() {
    on(&[Stack::Rustls, Stack::NativeTls, Stack::OpenSsl], |stack| {
        let site = five_places(stack, "2");
        let mut open = site.open();
        open.get().assert_top_level();
        // Half a hello is a handshake as well.
        let mut silent: Vec<TcpStream> = (0..2).map(|_| site.dialer.tcp()).collect();
        silent[0].write_all(&[0x16, 3, 1, 2, 0, 1]).unwrap();
        thread::sleep(Duration::from_millis(200));
        for _ in 0..20 {
            assert_closed_at_once(&site);
            open.get().assert_top_level();
        }
        site.server.assert_says("--max-handshakes", 1);
        // One of them leaves: there is a place at once.
        silent.pop();
        let mut next = soon(|| site.dialer.try_open().ok());
        next.get().assert_top_level();
        // The other's time-out runs out.
        let start = Instant::now();
        while silent[0].read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
        assert!(start.elapsed() < Duration::from_secs(4), "after {:?}", start.elapsed());
        // The end is seen a moment before the place is free.
        thread::sleep(Duration::from_millis(100));
        let both = [site.dialer.tcp(), site.dialer.tcp()];
        for tcp in both {
            site.dialer.speak_over(tcp).expect("a place").get().assert_top_level();
        }
        site.assert_calm();
    });
}

/// A handshake that has failed is no handshake any more, however long the client stays.
#[test]
fn failed_handshakes_hold_no_handshake_place() {
    on(&[Stack::Rustls, Stack::NativeTls, Stack::OpenSsl], |stack| {
        let site = five_places(stack, "2");
        let failed: Vec<TcpStream> = (0..2)
            .map(|_| {
                let mut tcp = site.dialer.tcp();
                tcp.write_all(b"\x16\x03\x01\x00\x05hello").unwrap();
                // The alert: the server has given up.
                assert!(tcp.read(&mut [0; 64]).is_ok());
                tcp
            })
            .collect();
        let mut next = soon(|| site.dialer.try_open().ok());
        next.get().assert_top_level();
        drop(failed);
    });
}
