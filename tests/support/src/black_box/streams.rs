//! An upstream whose answers have no end.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::Conn;

/// Asks for a tunnel.
pub const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\n\r\nhello";

const EVENTS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Transfer-Encoding: chunked\r\n\r\n7\r\nhello\n\n\r\n";

/// Says hello in each tunnel, and then what it hears. To whoever asks for anything else it says hello as the
/// first event, and no more until the other side ends it.
pub struct Streams {
    pub url: String,
}

impl Streams {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || talk(stream));
            }
        });
        Self { url }
    }

    /// A connection on which the upstream has said hello.
    #[track_caller]
    pub fn hear(mut conn: Conn, request: &[u8]) -> Conn {
        Self::echo(&mut conn, request, b"hello");
        conn
    }

    /// Sends that, and waits for this.
    #[track_caller]
    pub fn echo(conn: &mut Conn, sent: &[u8], heard: &[u8]) {
        conn.send(sent).expect("it is open");
        while !conn.ahead().windows(heard.len()).any(|bytes| bytes == heard) {
            let read = conn.read_some();
            assert!(matches!(read, Ok(1..)), "{read:?} after {}", conn.ahead().escape_ascii());
        }
    }
}

fn talk(mut stream: TcpStream) {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(n @ 1..) => head.extend_from_slice(&piece[..n]),
            _ => return,
        }
    }
    let upgrade = head.to_ascii_lowercase().windows(9).any(|bytes| bytes == b"websocket");
    let mut alive = stream.write_all(if upgrade { SWITCH } else { EVENTS }).is_ok();
    while alive {
        alive = match stream.read(&mut piece) {
            Ok(n @ 1..) if upgrade => stream.write_all(&piece[..n]).is_ok(),
            read => matches!(read, Ok(1..)),
        };
    }
}
