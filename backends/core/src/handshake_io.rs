use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::read_ahead::ReadAhead;
use crate::{Socket, TlsVersion};

/// How much of a handshake is held back at most, in bytes: more than the session tickets of either
/// version of TLS, and most flights.
const HELD: usize = 16 * 1024;

/// The connection that a TLS stack reads and writes; [`EstablishedStream`](crate::EstablishedStream) is what it gives.
///
/// It notes when it has ended, since OpenSSL takes any end for a good one through the `openssl` crate,
/// and reads ahead for it.
///
/// And it sends together what belongs together. Each write is a segment of TCP, and half of what a small
/// request costs: so what a handshake writes is held until the stack waits for the peer. With TLS 1.3 the
/// session tickets that end it go out with the first answer, if the request is there by then, and
/// `close_notify` goes out with the FIN. Tickets of a stream that is [dropped
/// unused](HandshakeProgress::hold_tickets) never go out.
///
/// Where there are no tickets nothing would tell the client that its last flight has come, and most clients
/// (Nagle's algorithm, RFC 1122 §4.2.3.4) hold their request back until they know: the kernel is told to
/// acknowledge it before its 40 ms are over.
#[derive(Debug)]
pub struct HandshakeIo {
    socket: ReadAhead<Socket>,
    held: Vec<u8>,
    /// Whether something has gone out since the handshake, and with it the acknowledgement.
    acknowledged: bool,
    progress: Arc<HandshakeProgress>,
}

/// How far a connection has come: shared by the streams below and above a TLS stack.
#[derive(Debug, Default)]
pub struct HandshakeProgress {
    ended: AtomicBool,
    established: AtomicBool,
    holds_tickets: AtomicBool,
    closing: AtomicBool,
}

impl HandshakeIo {
    /// The same connection, before its handshake, and what its progress is noted in.
    #[must_use]
    pub fn new(socket: Socket) -> (Self, Arc<HandshakeProgress>) {
        let progress = Arc::new(HandshakeProgress::default());
        (
            Self {
                socket: ReadAhead::new(socket),
                held: Vec::new(),
                acknowledged: false,
                progress: Arc::clone(&progress),
            },
            progress,
        )
    }

    /// Takes `bufs` for later if they are of a handshake, and there is room for them; how much that was.
    fn hold(&mut self, bufs: &[IoSlice<'_>]) -> Option<usize> {
        let length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if self.progress.is_established() || self.held.len() + length > HELD {
            return None;
        }
        self.held.reserve_exact(length);
        for buf in bufs {
            self.held.extend_from_slice(buf);
        }
        Some(length)
    }

    /// Sends what is held, and with it `bufs`, in one go as far as there is room; how much of `bufs` went.
    fn poll_send(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let nothing = bufs.is_empty() && self.held.is_empty();
        self.acknowledged |= self.progress.is_established() && !nothing;
        while !self.held.is_empty() {
            let mut all = vec![IoSlice::new(&self.held)];
            all.extend_from_slice(bufs);
            let n = ready!(Pin::new(&mut self.socket.stream).poll_write_vectored(cx, &all))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if let Some(sent) = n.checked_sub(self.held.len()) {
                // Idle connections are many: no memory stays.
                self.held = Vec::new();
                if sent > 0 {
                    return Poll::Ready(Ok(sent));
                }
            } else {
                self.held.drain(..n);
            }
        }
        match bufs {
            [] => Poll::Ready(Ok(0)),
            [buf] if self.progress.closing.load(Ordering::Relaxed) => {
                self.socket.stream.poll_write_last(cx, buf)
            }
            [buf] => Pin::new(&mut self.socket.stream).poll_write(cx, buf),
            bufs => Pin::new(&mut self.socket.stream).poll_write_vectored(cx, bufs),
        }
    }
}

impl HandshakeProgress {
    /// Whether the connection below has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The handshake is over.
    pub(crate) fn establish(&self) {
        self.established.store(true, Ordering::Relaxed);
    }

    /// Notes the version that a server's handshake has agreed on. What it leaves to be sent with TLS 1.3 are session
    /// tickets. They are discarded if the stream is dropped before anybody writes to it or waits for the peer,
    /// which the server does with a client that it refuses: a client that got them would come back with them, and be
    /// refused again. Without them it must do a full handshake, in which it may show another certificate.
    ///
    /// With TLS 1.2 what is left is part of the handshake, and is sent.
    pub fn hold_tickets(&self, version: Option<TlsVersion>) {
        self.holds_tickets.store(version == Some(TlsVersion::Tls13), Ordering::Relaxed);
    }

    /// What is written from here on is the last.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn is_established(&self) -> bool {
        self.established.load(Ordering::Relaxed)
    }
}

impl AsyncRead for HandshakeIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        match &read {
            Poll::Ready(Ok(0)) if !buf.is_empty() => {
                self.progress.ended.store(true, Ordering::Relaxed);
            }
            // Nothing comes before the peer has got this.
            Poll::Pending => {
                if let Poll::Ready(Err(error)) = self.poll_send(cx, &[]) {
                    return Poll::Ready(Err(error));
                }
                if self.progress.is_established() && !mem::replace(&mut self.acknowledged, true) {
                    self.socket.stream.acknowledge();
                }
            }
            Poll::Ready(_) => {}
        }
        read
    }
}

impl AsyncWrite for HandshakeIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.hold(bufs) {
            Some(length) => Poll::Ready(Ok(length)),
            None => self.poll_send(cx, bufs),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A stack flushes each flight and each ticket; what is held is sent when it waits for the peer.
        if self.progress.is_established() {
            ready!(self.poll_send(cx, &[]))?;
        }
        Pin::new(&mut self.socket.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx, &[]))?;
        Pin::new(&mut self.socket.stream).poll_close(cx)
    }
}

/// The alert that says why a handshake has failed is the last that a stack writes.
impl Drop for HandshakeIo {
    fn drop(&mut self) {
        if self.progress.holds_tickets.load(Ordering::Relaxed) && !self.acknowledged {
            return;
        }
        // Where there is no room for it the peer has not read what came before either.
        _ = self.poll_send(&mut Context::from_waker(Waker::noop()), &[]);
    }
}

#[cfg(test)]
mod tests {
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

    /// What has come, all of it at once; `None` if nothing has.
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

    /// That costs a system call: it is once, and not where something has gone out that does it.
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

    /// The kernel keeps it for a fifth of a second, which may be over on a machine that is busy.
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
}
