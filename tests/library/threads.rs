//! Which thread does what, and what handlers may count on.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turnkey::{App, Request, Server};

use crate::support::{Conn, Library, Stack};

fn serve(app: App, threads: usize) -> Library {
    Library::serve_with(Stack::Plain, app, |server: Server| server.threads(threads))
}

#[track_caller]
fn ask(conn: &mut Conn, path: &str) -> String {
    conn.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
    let answer = conn.response();
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body).unwrap()
}

/// A server that answers what it is told, in capitals.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut said = [0; 64];
            let n = stream.read(&mut said).unwrap();
            thread::sleep(Duration::from_millis(20));
            stream.write_all(&said[..n].to_ascii_uppercase()).unwrap();
        }
    });
    address
}

/// Handlers that wait for what other threads do.
fn app(address: SocketAddr) -> App {
    let mut app = App::new();
    app.at("/timer").get(async |_: Request| {
        smol::Timer::after(Duration::from_millis(20)).await;
        Ok("rang")
    });
    app.at("/net").get(move |_: Request| async move {
        let mut stream = smol::net::TcpStream::connect(address).await?;
        stream.write_all(b"spoke").await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        Ok(said)
    });
    app.at("/unblock").get(async |_: Request| {
        Ok(smol::unblock(|| {
            thread::sleep(Duration::from_millis(20));
            "slept"
        })
        .await)
    });
    app.at("/spawn").get(async |_: Request| Ok(smol::spawn(async { "elsewhere" }).await));
    app
}

/// They wake the thread from others.
#[test]
fn handlers_may_use_all_of_smol() {
    let address = upstream();
    for threads in [1, 2] {
        let library = serve(app(address), threads);
        let mut conn = library.open();
        for _ in 0..3 {
            for (path, said) in [
                ("/timer", "rang"),
                ("/net", "SPOKE"),
                ("/unblock", "slept"),
                ("/spawn", "elsewhere"),
            ] {
                assert_eq!(ask(&mut conn, path), said);
            }
        }
    }
}

/// The name of the thread, which only those that serve beside another have.
fn tells_its_thread() -> App {
    let mut app = App::new();
    let name = || thread::current().name().unwrap_or_default().to_owned();
    app.at("/").get(move |_: Request| async move { Ok(name()) });
    app.at("/later").get(move |_: Request| async move {
        let before = name();
        smol::Timer::after(Duration::from_millis(10)).await;
        assert_eq!(name(), before, "it has moved");
        Ok(before)
    });
    app
}

#[test]
fn connections_are_spread_over_the_threads_and_stay() {
    let library = serve(tells_its_thread(), 3);
    let mut conns: Vec<_> = (0..9).map(|_| library.open()).collect();
    let names: Vec<_> = conns.iter_mut().map(|conn| ask(conn, "/")).collect();
    for worker in ["worker-1", "worker-2", "worker-3"] {
        let count = names.iter().filter(|name| *name == worker).count();
        assert_eq!(count, 3, "{worker}: {names:?}");
    }
    for _ in 0..3 {
        for (conn, name) in conns.iter_mut().zip(&names) {
            assert_eq!(ask(conn, "/later"), *name);
        }
    }
    // Whoever has lost connections gets new ones.
    let mut kept = 0;
    conns.retain(|_| {
        kept += 1;
        names[kept - 1] != "worker-2"
    });
    thread::sleep(Duration::from_millis(200));
    for _ in 0..3 {
        let mut conn = library.open();
        assert_eq!(ask(&mut conn, "/"), "worker-2");
        conns.push(conn);
    }
}

/// Those that have come to the blocked one by then wait with it.
#[test]
fn one_that_a_handler_blocks_leaves_the_others_to_serve() {
    const LONG: Duration = Duration::from_secs(3);
    let mut app = tells_its_thread();
    app.at("/block").get(async |_: Request| {
        thread::sleep(LONG);
        Ok("awake")
    });
    let library = serve(app, 2);
    let mut blocking = library.open();
    assert!(ask(&mut blocking, "/").starts_with("worker"));
    blocking.send(b"GET /block HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let start = Instant::now();
    let late = thread::scope(|scope| {
        let asking: Vec<_> = (0..20)
            .map(|_| {
                thread::sleep(Duration::from_millis(20));
                scope.spawn(|| {
                    let mut conn = library.open();
                    ask(&mut conn, "/");
                    let answered = start.elapsed();
                    // It stays, so that this is not the one with the fewest.
                    thread::sleep(LONG.saturating_sub(start.elapsed()));
                    answered
                })
            })
            .collect();
        let answered = asking.into_iter().map(|asking| asking.join().unwrap());
        answered.filter(|answered| *answered >= LONG / 2).count()
    });
    assert!(late <= 6, "{late}");
    assert_eq!(blocking.response().body, b"awake");
}
