//! Many clients that do nothing.

use std::io::{self, Read};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::{Conn, Site, Stack, is_time_out, on, report, reset};

const CROWD: u32 = 2000;

/// In a debug build, KiB of resident memory for each idle connection.
const PLAIN_AT_MOST: u64 = 24;
const TLS_AT_MOST: u64 = 64;

/// This process is the other end of every connection.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit can be raised");
    let wanted = u64::from(CROWD) * 2 + 500;
    assert!(
        limit.maximum.is_none_or(|most| most >= wanted),
        "this test needs {wanted} descriptors: raise the hard limit on open files"
    );
}

#[test]
fn two_thousand_idle_in_plain() {
    two_thousand_idle(Stack::Plain, PLAIN_AT_MOST);
}

#[test]
fn two_thousand_idle_on_rustls() {
    two_thousand_idle(Stack::Rustls, TLS_AT_MOST);
}

#[test]
fn two_thousand_idle_on_openssl() {
    two_thousand_idle(Stack::OpenSsl, TLS_AT_MOST);
}

#[test]
fn two_thousand_idle_on_native_tls() {
    two_thousand_idle(Stack::NativeTls, TLS_AT_MOST);
}

/// They have been served, and hold on to their connections.
fn two_thousand_idle(stack: Stack, most: u64) {
    raise_descriptor_limit();
    let patient = [("--idle-timeout", "60"), ("--handshake-timeout", "20")];
    let site = Site::with_descriptors(4096, stack, &patient);
    // What the first of everything takes is not theirs.
    drop(open(&site, 50));
    let descriptors = site.descriptors_at_rest();
    let before = site.server.memory();

    let mut crowd = site.served_while(|| {
        // In two halves at once, to have it done sooner.
        thread::scope(|scope| {
            let half = scope.spawn(|| open(&site, CROWD / 2));
            let mut crowd = open(&site, CROWD - CROWD / 2);
            crowd.extend(half.join().unwrap());
            crowd
        })
    });
    let each = (site.server.memory() - before) / u64::from(CROWD);
    report(stack, &format!("{each} KiB for each idle connection"));
    assert!(each <= most, "{each} KiB for each idle connection, not {most}");

    // They cost no time either.
    let cpu = site.server.cpu_time();
    thread::sleep(Duration::from_millis(500));
    let spent = site.server.cpu_time().saturating_sub(cpu);
    assert!(spent < Duration::from_millis(50), "{spent:?} of processor in half an idle second");

    crowd[1000].get().assert_top_level();
    drop(crowd);
    site.server.await_descriptors(descriptors, Duration::from_secs(5));
    site.assert_served_soon();
    site.assert_calm();
}

fn open(site: &Site, many: u32) -> Vec<Conn> {
    (0..many)
        .map(|_| {
            let mut conn = site.open();
            conn.get().assert_top_level();
            conn
        })
        .collect()
}

/// They connect and do not say a word: over TLS that is a handshake that does not come, in plain a
/// request that does not.
#[test]
fn silent_connections_end_quietly() {
    on(&Stack::ALL, |stack| {
        let limits = [("--max-connections", "200"), ("--max-handshakes", "150")];
        let site = Site::new(stack, &limits);
        let limit = Duration::from_secs(if stack.is_tls() { 1 } else { 2 });
        let start = Instant::now();
        let silent: Vec<TcpStream> = (0..100).map(|_| site.dialer.tcp()).collect();
        site.served_while(|| {
            for tcp in &silent {
                assert_eq!(to_end(tcp).unwrap(), b"", "{stack:?}: said out of the blue");
                assert!(start.elapsed() >= limit.mul_f32(0.9), "ended after {:?}", start.elapsed());
            }
            let taken = start.elapsed();
            assert!(taken < limit + Duration::from_millis(1500), "ended after {taken:?}");
        });
        drop(silent);
        let lines = site.server.log().lines().count();
        // A handshake that does not come is said; a connection that was not used is nothing.
        assert!(lines <= if stack.is_tls() { 100 } else { 0 }, "{}", site.server.log());
    });
}

fn to_end(mut tcp: &TcpStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    tcp.read_to_end(&mut all)?;
    Ok(all)
}

/// Port scans and health checks: nobody wants to read of them.
#[test]
fn those_who_connect_and_leave_are_not_mentioned() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let open = site.descriptors_at_rest();
        site.served_while(|| {
            for n in 0..200 {
                let tcp = site.dialer.tcp();
                if n % 2 == 0 {
                    reset(&tcp);
                }
            }
        });
        site.server.await_descriptors(open, Duration::from_secs(5));
        assert_eq!(site.server.log(), "", "{stack:?}");
    });
}

/// Over TLS there are also those who complete the handshake, and leave then.
#[test]
fn those_who_leave_after_the_handshake_are_not_mentioned() {
    on(&[Stack::Rustls, Stack::NativeTls, Stack::OpenSsl], |stack| {
        let site = Site::new(stack, &[]);
        let open = site.descriptors_at_rest();
        site.served_while(|| {
            for n in 0..60 {
                let mut conn = site.open();
                // The client is through with the handshake before the server is.
                thread::sleep(Duration::from_millis(20));
                match n % 3 {
                    0 => conn.reset(),
                    // Without `close_notify`.
                    1 => drop(conn),
                    _ => {
                        conn.finish().unwrap();
                        conn.wait_at_most(Duration::from_secs(5));
                        let rest = conn.try_rest();
                        assert!(!rest.is_err_and(|e| is_time_out(&e)), "the end is not answered");
                    }
                }
            }
        });
        site.server.await_descriptors(open, Duration::from_secs(5));
        assert_eq!(site.server.log(), "", "{stack:?}");
    });
}
