//! A process that is out of descriptors.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, Site, Stack, on, report};

const DESCRIPTORS: u32 = 64;

/// What the log says when the system has no descriptor left.
const SHORTAGE: &str = "cannot accept connections: ";

/// Those that are served, and a flood beside them that the system accepts and the server cannot.
#[test]
fn a_flood_past_the_descriptor_limit_passes() {
    on(&Stack::ALL, |stack| {
        // Nobody leaves by a time-out, and the limit on connections is no help.
        let patient = [
            ("--max-connections", "1000"),
            ("--max-handshakes", "1000"),
            ("--idle-timeout", "60"),
            ("--handshake-timeout", "60"),
        ];
        let site = Site::with_descriptors(DESCRIPTORS, stack, &patient);
        let rest = site.descriptors_at_rest();
        let mut served: Vec<Conn> = (0..10).map(|_| site.open()).collect();
        assert_served(&mut served);

        for episode in 1..=2 {
            // Two episodes are two if it was quiet in between.
            thread::sleep(Duration::from_secs(6 * (episode as u64 - 1)));
            let flood = flood(&site);
            let cpu = site.server.cpu_time();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(2) {
                assert_served(&mut served);
                thread::sleep(Duration::from_millis(100));
            }
            let spent = site.server.cpu_time().saturating_sub(cpu);
            report(stack, &format!("{spent:?} of processor in 2 seconds without descriptors"));
            assert!(spent < Duration::from_millis(500), "{spent:?} in 2 seconds");
            site.server.assert_says(SHORTAGE, episode);

            drop(flood);
            // The accept loop looks again within a second.
            site.assert_served_within(Duration::from_secs(2));
            site.server.await_descriptors(rest + served.len(), Duration::from_secs(4));
            site.assert_served_soon();
            assert_served(&mut served);
            site.server.assert_says(SHORTAGE, episode);
        }
    });
}

/// The time-outs let one of the flood go and the next come in, over and over: that is one episode.
#[test]
fn a_flood_that_time_outs_wear_down_is_one_episode() {
    on(&Stack::ALL, |stack| {
        let limits = [("--max-connections", "1000"), ("--max-handshakes", "1000")];
        let site = Site::with_descriptors(DESCRIPTORS, stack, &limits);
        let rest = site.descriptors_at_rest();
        let flood = flood(&site);
        thread::sleep(Duration::from_secs(6));
        let advised = site.server.log().matches(SHORTAGE).count();
        assert_eq!(advised, 1, "{stack:?}: times that the log says what to raise");
        drop(flood);
        site.server.await_descriptors(rest, Duration::from_secs(5));
        // Accepting may have to wait out its pause, which is of a second at most.
        site.assert_served_within(Duration::from_secs(2));
    });
}

/// With no limit on connections given, the program takes one that leaves room.
#[test]
fn the_default_limit_keeps_clear_of_it() {
    on(&Stack::ALL, |stack| {
        let patient = [("--idle-timeout", "60"), ("--handshake-timeout", "60")];
        let site = Site::with_descriptors(DESCRIPTORS, stack, &patient);
        let rest = site.descriptors_at_rest();
        let mut served: Vec<Conn> = (0..10).map(|_| site.open()).collect();
        let flood = flood(&site);
        for _ in 0..10 {
            assert_served(&mut served);
            thread::sleep(Duration::from_millis(100));
        }
        let log = site.server.log();
        assert_eq!(log.matches(SHORTAGE).count(), 0, "{log}");
        assert_eq!(log.matches("are open as may be: ").count(), 1, "{log}");
        drop(flood);
        drop(served);
        site.server.await_descriptors(rest, Duration::from_secs(4));
        site.assert_served_soon();
    });
}

/// Connections that say nothing, also those that only the system has accepted.
fn flood(site: &Site) -> Vec<TcpStream> {
    let flood: Vec<_> = thread::scope(|scope| {
        let connecting: Vec<_> = (0..200).map(|_| scope.spawn(|| site.dialer.try_tcp())).collect();
        // Past the backlog there is no answer.
        connecting.into_iter().filter_map(|c| c.join().unwrap().ok()).collect()
    });
    assert!(flood.len() > usize::try_from(2 * DESCRIPTORS).unwrap(), "{} connected", flood.len());
    flood
}

#[track_caller]
fn assert_served(conns: &mut [Conn]) {
    for conn in conns {
        let start = Instant::now();
        conn.get().assert_top_level();
        assert!(start.elapsed() < Duration::from_secs(1), "after {:?}", start.elapsed());
    }
}
