//! What a connection says of itself, and how files go over it, with the peer at the other end of this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

use std::future::{Future, poll_fn};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_io::AsyncWrite as _;
use smol::future::FutureExt as _;
use smol::io::AsyncReadExt as _;
use turnkey_reactor::{Reactor, Socket, Timer};

/// The peer's end of a connection, and what comes of `test` at the other, within seconds.
fn with_peer<F: Future>(test: impl FnOnce(Socket, TcpStream) -> F) -> F::Output {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let accepted = listener.accept().unwrap().0;
    let mut reactor = Reactor::new().unwrap();
    let late = async {
        Timer::after(Duration::from_secs(10)).await;
        None
    };
    let test = async { Some(test(Socket::tcp(accepted).unwrap(), peer).await) };
    reactor.drive(test.or(late)).unwrap().expect("it waits for what has happened")
}

/// Writes until there is no room; how much that was.
async fn fill(socket: &mut Socket) -> usize {
    let mut filled = 0;
    poll_fn(|cx| {
        while let Poll::Ready(n) = Pin::new(&mut *socket).poll_write(cx, &[b'f'; 10_000]) {
            filled += n.unwrap();
        }
        Poll::Ready(())
    })
    .await;
    filled
}

/// Whether there is room, as far as is known.
async fn is_writable(socket: &Socket) -> bool {
    poll_fn(|cx| Poll::Ready(socket.poll_writable(cx).is_ready())).await
}

#[test]
fn what_has_come_is_looked_at_without_being_taken() {
    with_peer(async |mut socket, mut peer| {
        assert!(!socket.has_news());
        let early = poll_fn(|cx| Poll::Ready(socket.poll_readable(cx))).await;
        assert!(early.is_pending());
        peer.write_all(b"abc").unwrap();
        poll_fn(|cx| socket.poll_readable(cx)).await.unwrap();
        assert!(socket.has_news());
        for length in [1, 3, 8] {
            let mut buf = vec![0; length];
            let n = socket.peek(&mut buf).await.unwrap();
            assert_eq!(buf[..n], b"abc"[..length.min(3)]);
        }
        socket.read_exact(&mut [0; 3]).await.unwrap();
        assert!(!socket.has_news());
        drop(peer);
        assert_eq!(socket.peek(&mut [0; 8]).await.unwrap(), 0);
        assert!(socket.has_news(), "the end is news");
    });
}

#[test]
fn there_is_room_again_once_the_peer_has_read() {
    with_peer(async |mut socket, mut peer| {
        assert!(is_writable(&socket).await);
        let filled = fill(&mut socket).await;
        assert!(!is_writable(&socket).await);
        peer.read_exact(&mut vec![0; filled]).unwrap();
        poll_fn(|cx| socket.poll_writable(cx)).await.unwrap();
        assert!(fill(&mut socket).await > 0);
    });
}

#[test]
fn a_connection_ends_in_a_reset_if_it_is_to() {
    for reset in [false, true] {
        let mut peer = with_peer(async |socket, peer| {
            if reset {
                socket.reset_on_drop();
            }
            peer
        });
        match peer.read(&mut [0; 8]) {
            Ok(0) => assert!(!reset),
            Err(error) => assert!(reset && error.kind() == io::ErrorKind::ConnectionReset),
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(target_os = "linux")]
mod files {
    use std::fs::File;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn a_part_of_a_file_is_sent() {
        let content: Vec<u8> = (0..=250).collect();
        let file = file(&content);
        with_peer(async |socket, mut peer| {
            assert_eq!(socket.send_file(&file, 10, 100).unwrap(), 100);
            assert_eq!(socket.send_file(&file, 200, 100).unwrap(), 51, "to the end");
            assert_eq!(socket.send_file(&file, 251, 100).unwrap(), 0, "the end");
            assert_eq!(socket.send_file(&file, 0, 0).unwrap(), 0, "nothing");
            drop(socket);
            let mut got = Vec::new();
            peer.read_to_end(&mut got).unwrap();
            assert_eq!(got, [&content[10..110], &content[200..]].concat());
        });
    }

    #[test]
    fn as_much_is_sent_as_there_is_room_for() {
        const LENGTH: usize = 32 << 20;
        let content: Vec<u8> = (0..=250).cycle().take(LENGTH).collect();
        let file = file(&content);
        with_peer(async |socket, mut peer| {
            let sent = socket.send_file(&file, 0, LENGTH).unwrap();
            assert!((1..LENGTH).contains(&sent), "{sent} of {LENGTH}");
            assert!(!is_writable(&socket).await, "the kernel was not asked until it refused");
            let error = socket.send_file(&file, sent as u64, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
            let mut got = vec![0; sent];
            peer.read_exact(&mut got).unwrap();
            assert!(got == content[..sent]);
            poll_fn(|cx| socket.poll_writable(cx)).await.unwrap();
            assert!(socket.send_file(&file, sent as u64, 1).unwrap() == 1);
        });
    }

    #[test]
    fn what_the_kernel_cannot_send_is_told() {
        let file = File::open("/proc/self/cmdline").unwrap();
        with_peer(async |socket, _peer| {
            let error = socket.send_file(&file, 0, 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
        });
    }
}
