//! A server ends when it is told to, in whatever runs it.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use smol::{Executor, Timer};
use turnkey::tls::ConnectConfig;
use turnkey::{App, ModeError, Server};

use crate::support::Dialer;

/// Answers after a while.
fn slow_app() -> App {
    let mut app = App::new();
    app.at("/").get(|_| async {
        Timer::after(Duration::from_millis(500)).await;
        Ok("Top-level content")
    });
    app
}

#[test]
fn what_is_under_way_is_finished_in_an_executor_that_has_other_things_to_do() {
    let bound = Server::new(slow_app()).threads(1).bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap();
    assert_ne!(address.port(), 0, "the port that it got is told");
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    let client = thread::spawn(move || {
        let mut conn = Dialer::plain(address.port()).open();
        conn.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        stop.close();
        conn.response().assert_top_level();
        assert!(conn.rest().is_empty());
    });
    let executor = Executor::new();
    let ticks = executor.spawn(async {
        let mut ticks = 0;
        loop {
            Timer::after(Duration::from_millis(20)).await;
            ticks += 1;
            if ticks == 10 {
                return;
            }
        }
    });
    let serving = executor.spawn(bound.serve_until(async move { _ = stopped.recv().await }));
    smol::block_on(executor.run(async {
        serving.await.unwrap();
        assert!(ticks.is_finished(), "serving has kept the others waiting");
    }));
    client.join().unwrap();
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn what_is_not_there_is_not_replaced() {
    let bound = Server::new(slow_app()).bind("127.0.0.1:0").unwrap();
    let error = bound.reloader().replace_upstream_tls(None, &ConnectConfig::default()).unwrap_err();
    assert!(matches!(error, ModeError::NoUpstream), "{error}");
}

#[test]
fn a_server_that_is_dropped_is_gone() {
    let bound = Server::new(slow_app()).threads(2).bind("127.0.0.1:0").unwrap();
    let address = bound.local_addr().unwrap();
    let mut conn = None;
    smol::block_on(async {
        let serving = bound.serve_until(std::future::pending());
        let client = smol::unblock(move || {
            let mut conn = Dialer::plain(address.port()).open();
            conn.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            thread::sleep(Duration::from_millis(200));
            conn
        });
        let ended = smol::future::or(async { Err(serving.await) }, async { Ok(client.await) });
        conn = Some(ended.await.expect("it serves as long as it is asked to"));
    });
    let answer = conn.unwrap().try_response();
    assert!(answer.is_err(), "an answer came: {answer:?}");
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(address).is_ok() {
        assert!(std::time::Instant::now() < end, "somebody listens still");
        thread::sleep(Duration::from_millis(10));
    }
}
