//! The access log of the library: where an app wants it, and nowhere else.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use turnkey::log::{AccessLog, LogFormat};
use turnkey::{App, Body, Response, StatusCode};

use crate::support::{Library, Stack};

/// What has been written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    #[track_caller]
    fn lines(&self, count: usize) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            if text.lines().count() >= count {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            assert!(Instant::now() < end, "{text}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

static XS: &[u8] = &[b'x'; 100_000];

fn app() -> App {
    let mut app = App::new();
    app.at("/panics").get(|_| async {
        // Of which the compiler does not know that it always comes to this.
        assert!(XS.is_empty(), "as it should");
        Ok("")
    });
    app.at("/chunks").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(Body::from_reader(smol::io::BufReader::new(XS), None));
        Ok(response)
    });
    app.at("/unchanged").get(|_| async { Ok(Response::new(StatusCode::NotModified)) });
    app.at("/short").get(|_| async {
        let mut response = Response::new(StatusCode::Ok);
        let part = smol::io::BufReader::new(&XS[..50_000]);
        response.set_body(Body::from_reader(part, Some(100_000)));
        Ok(response)
    });
    app
}

#[test]
fn an_app_has_it_written_where_it_likes() {
    let written = Written::default();
    let log = AccessLog::new(LogFormat::Json, written.clone()).unwrap();
    let server = Library::serve_with(Stack::Plain, app(), |server| server.access_log(log));
    let mut conn = server.open();
    for (path, status, sent) in [
        ("/panics", 500, 26),
        ("/chunks", 200, 100_000),
        ("/unchanged", 304, 0),
        ("/none", 404, 14),
    ] {
        conn.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(conn.response().status, status, "{path}");
        let line = written.lines(1).remove(0);
        crate::assert_ended(&line, "complete", status);
        assert_eq!((&line["target"], &line["sent"]), (&path.into(), &sent.into()), "{line}");
        written.0.lock().unwrap().clear();
    }
    // HTTP/1.0 has no chunks, and gets the same.
    let mut old = server.open();
    old.send(b"GET /chunks HTTP/1.0\r\n\r\n").unwrap();
    old.rest();
    let line = written.lines(1).remove(0);
    assert_eq!((&line["sent"], &line["version"]), (&100_000.into(), &"HTTP/1.0".into()), "{line}");
    written.0.lock().unwrap().clear();
    // An answer that is less than it said it would be.
    conn.send(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(conn.try_response().is_err());
    let line = written.lines(1).remove(0);
    crate::assert_ended(&line, "broken_off", 200);
    let sent = line["sent"].as_u64().unwrap();
    assert!((1..=50_000).contains(&sent), "{line}");
}

/// All of it is there when the server has ended.
#[test]
fn nothing_is_left_behind() {
    let written = Written::default();
    let log = AccessLog::new(LogFormat::Json, written.clone()).unwrap();
    let server = Library::serve_with(Stack::Plain, app(), |server| server.access_log(log));
    let mut conn = server.open();
    for _ in 0..100 {
        conn.send(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!(conn.response().status, 404);
    }
    drop(conn);
    drop(server);
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 100);
}
