use std::io::Read as _;
use std::net::TcpStream;

use super::*;
use crate::loopback;

/// A connection before its handshake, and the peer's end of it, which does not wait.
fn pair() -> (HandshakeIo, Arc<HandshakeProgress>, TcpStream, Socket) {
    let (peer, accepted) = loopback::pair();
    peer.set_nonblocking(true).unwrap();
    let socket = Socket::tcp(accepted).unwrap();
    let (below, progress) = HandshakeIo::new(socket.clone());
    (below, progress, peer, socket)
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn write(below: &mut HandshakeIo, bytes: &[u8]) {
    let written = Pin::new(&mut *below).poll_write(&mut cx(), bytes);
    assert!(matches!(written, Poll::Ready(Ok(n)) if n == bytes.len()), "{written:?}");
    assert!(matches!(Pin::new(below).poll_flush(&mut cx()), Poll::Ready(Ok(()))));
}

fn wait_for_peer(below: &mut HandshakeIo) {
    assert!(Pin::new(below).poll_read(&mut cx(), &mut [0; 8]).is_pending());
}

/// All bytes that have arrived; `None` if there are none.
fn came(peer: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; 64 * 1024];
    match peer.read(&mut bytes) {
        Ok(n) => Some(bytes[..n].to_vec()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_flight_is_sent_when_the_peer_is_waited_for() {
    let (mut below, _course, mut peer, _socket) = pair();
    write(&mut below, b"hello, ");
    write(&mut below, b"certificate");
    assert_eq!(came(&mut peer), None);
    wait_for_peer(&mut below);
    assert_eq!(came(&mut peer).unwrap(), b"hello, certificate");
    assert_eq!(below.held.capacity(), 0, "it holds memory");
}

#[test]
fn tickets_are_sent_with_the_first_answer() {
    let (mut below, progress, mut peer, _socket) = pair();
    write(&mut below, b"tickets, ");
    progress.establish();
    assert_eq!(came(&mut peer), None);
    let written = Pin::new(&mut below).poll_write(&mut cx(), b"answer");
    assert!(matches!(written, Poll::Ready(Ok(6))), "{written:?}");
    assert_eq!(came(&mut peer).unwrap(), b"tickets, answer");
    write(&mut below, b"another");
    assert_eq!(came(&mut peer).unwrap(), b"another");
}

#[test]
fn tickets_of_a_stream_that_is_dropped_unused_are_never_sent() {
    for (version, sent) in
        [(Some(TlsVersion::Tls13), &b""[..]), (Some(TlsVersion::Tls12), b"last flight")]
    {
        for is_established in [false, true] {
            let (mut below, progress, mut peer, socket) = pair();
            write(&mut below, b"last flight");
            progress.hold_tickets(version);
            if is_established {
                progress.establish();
            }
            drop(below);
            socket.shutdown_write().unwrap();
            assert_eq!(came(&mut peer).unwrap(), sent, "{version:?}");
        }
    }
}

#[test]
fn tickets_of_a_stream_that_is_used_are_sent() {
    let established = || {
        let (mut below, progress, peer, socket) = pair();
        write(&mut below, b"tickets");
        progress.hold_tickets(Some(TlsVersion::Tls13));
        progress.establish();
        (below, peer, socket)
    };
    let (mut below, mut peer, _socket) = established();
    wait_for_peer(&mut below);
    drop(below);
    assert_eq!(came(&mut peer).unwrap(), b"tickets");
    let (mut below, mut peer, _socket) = established();
    write(&mut below, b", goodbye");
    drop(below);
    assert_eq!(came(&mut peer).unwrap(), b"tickets, goodbye");
}

#[test]
fn tickets_are_sent_to_a_client_that_asks_for_nothing() {
    let (mut below, progress, mut peer, _socket) = pair();
    write(&mut below, b"tickets");
    progress.establish();
    wait_for_peer(&mut below);
    assert_eq!(came(&mut peer).unwrap(), b"tickets");
}

#[test]
fn no_more_is_held_than_there_is_room_for() {
    let (mut below, _course, mut peer, _socket) = pair();
    let bytes: Vec<u8> = (0..HELD).map(|i| u8::try_from(i % 251).unwrap()).collect();
    write(&mut below, &bytes);
    assert_eq!(came(&mut peer), None);
    write(&mut below, b"!");
    assert_eq!(came(&mut peer).unwrap(), [&bytes[..], b"!"].concat());
}

/// An acknowledgement costs a system call: it is requested once, and not if sent data carries it already.
#[test]
fn an_acknowledgement_is_asked_for_where_nothing_else_brings_it() {
    let (mut below, progress, _peer, _socket) = pair();
    write(&mut below, b"flight");
    wait_for_peer(&mut below);
    assert!(!below.acknowledged, "the handshake is not over");
    progress.establish();
    assert!(Pin::new(&mut below).poll_flush(&mut cx()).is_ready());
    assert!(!below.acknowledged, "nothing has gone out");
    wait_for_peer(&mut below);
    assert!(below.acknowledged);

    let (mut below, progress, _peer, _socket) = pair();
    progress.establish();
    write(&mut below, b"answer");
    assert!(below.acknowledged);
    let (mut below, progress, _peer, _socket) = pair();
    write(&mut below, b"tickets");
    progress.establish();
    assert!(Pin::new(&mut below).poll_flush(&mut cx()).is_ready());
    assert!(below.acknowledged);
}

#[test]
fn what_is_held_is_sent_when_it_is_flushed_or_closed() {
    let (mut below, progress, mut peer, _socket) = pair();
    write(&mut below, b"tickets");
    progress.establish();
    assert!(Pin::new(&mut below).poll_flush(&mut cx()).is_ready());
    assert_eq!(came(&mut peer).unwrap(), b"tickets");
    let (mut below, _course, mut peer, _socket) = pair();
    write(&mut below, b"alert");
    assert!(matches!(Pin::new(&mut below).poll_close(&mut cx()), Poll::Ready(Ok(()))));
    assert_eq!(came(&mut peer).unwrap(), b"alert");
}

#[test]
fn the_end_is_known_once_it_has_been_read() {
    let (mut below, progress, peer, _socket) = pair();
    drop(peer);
    let mut read = |buf: &mut [u8]| {
        let read = std::future::poll_fn(|cx| Pin::new(&mut below).poll_read(cx, buf));
        smol::block_on(read).unwrap()
    };
    assert_eq!(read(&mut []), 0);
    assert!(!progress.has_ended(), "nothing was asked for");
    assert_eq!(read(&mut [0; 8]), 0);
    assert!(progress.has_ended());
}

#[test]
fn an_alert_is_sent_though_the_stack_gives_up() {
    let (mut below, _course, mut peer, _socket) = pair();
    write(&mut below, b"alert");
    drop(below);
    assert_eq!(came(&mut peer).unwrap(), b"alert");
}

/// The kernel holds it for a fifth of a second, which may be too short on a busy machine.
#[cfg(target_os = "linux")]
#[test]
fn the_goodbye_is_sent_with_the_fin() {
    let waited = || {
        let (mut below, progress, mut peer, socket) = pair();
        progress.establish();
        progress.close();
        write(&mut below, b"goodbye");
        let early = came(&mut peer);
        socket.shutdown_write().unwrap();
        let bytes = early.clone().or_else(|| came(&mut peer)).unwrap();
        assert_eq!((&bytes[..], came(&mut peer)), (&b"goodbye"[..], Some(Vec::new())));
        early.is_none()
    };
    assert!((0..10).any(|_| waited()));
}
