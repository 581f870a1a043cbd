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
    /// Wraps a connection before its handshake. The result has its progress too.
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

    /// Holds `bufs` back if they are of a handshake, as far as there is room; the result is how much.
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

    /// Sends the held bytes together with `bufs`, as far as there is room; the result is how much of `bufs` was sent.
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
                // Frees the memory, since there may be many idle connections.
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
            // The peer sends nothing before it gets this.
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
        // A stack flushes each flight and each ticket, but they are held until it waits for the peer.
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
mod tests;
