//! Closes a connection.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use smol::io::AsyncReadExt;
use turnkey_backend::Socket;

use crate::common::within::within;
use crate::h1::exchange::After;
use crate::wire::{self, Shared};

/// How long to read on after the server has closed its side, so that the client can read the answer: until 2 seconds
/// pass without bytes, and at most `LINGER_MAX`.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_MAX: Duration = Duration::from_secs(10);

/// Ends a connection so that the client can read everything it was sent: `close_notify` in TLS, then FIN, then reads
/// what still comes, unless the client has closed its side. A connection that is closed with unread input is reset,
/// and the reset may discard the answer (RFC 9112 §9.6).
pub(super) async fn close(shared: Shared, socket: Socket, after: After) {
    match after {
        After::Abort => return,
        After::Reset => return socket.reset_on_drop(),
        After::Persist | After::Close | After::BeganTls | After::ProxyHeader | After::Left => {}
    }
    let goodbye = poll_fn(|cx| wire::lock(&shared).poll_close(cx)).await;
    drop(shared);
    if goodbye.is_ok() && after != After::Left {
        linger(socket).await;
    }
}

/// Closes the sending side, and reads until the client has closed its side too.
pub(super) async fn linger(mut socket: Socket) {
    if socket.shutdown_write().is_err() {
        return;
    }
    let mut sink = vec![0; 4096];
    let start = Instant::now();
    while start.elapsed() < LINGER_MAX {
        if !matches!(within(LINGER, socket.read(&mut sink)).await, Some(Ok(1..))) {
            return;
        }
        // A client that always sends must not make others wait.
        smol::future::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::pin::pin;

    use super::*;

    #[test]
    fn whoever_sends_on_after_the_end_takes_turns() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let ours = accepted.try_clone().unwrap();
        client.write_all(&[b'x'; 16 * 1024]).unwrap();
        smol::block_on(async {
            let socket = Socket::tcp(accepted).unwrap();
            let mut lingering = pin!(linger(socket));
            while ours.peek(&mut [0; 16 * 1024]).is_ok_and(|there| there == 16 * 1024) {
                assert!(smol::future::poll_once(&mut lingering).await.is_none());
                // The first poll registered with the reactor; let the reactor report what has come.
                smol::future::yield_now().await;
            }
            let left = ours.peek(&mut [0; 16 * 1024]).unwrap();
            assert_eq!(left, 12 * 1024, "it took more than one piece at a time");
        });
    }
}
