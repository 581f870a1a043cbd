use std::io::{self, IoSlice};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::read_ahead::ReadAhead;
use crate::{Socket, TlsVersion};

/// The maximum that is held back of a handshake, in bytes: more than the session tickets of either version of TLS,
/// and most flights.
const HELD: usize = 16 * 1024;

/// The connection that a TLS stack reads and writes. [`EstablishedStream`](crate::EstablishedStream) is the stream
/// above.
///
/// It records the end of the connection, since OpenSSL accepts any end through the `openssl` crate, and reads ahead
/// for it.
///
/// It also combines writes. Each write is a segment of TCP, and half of what a small request costs. So what a
/// handshake writes is held until the stack waits for the peer. With TLS 1.3 the session tickets at its end are sent
/// with the first answer, if the request has arrived by then, and `close_notify` is sent with the FIN. Tickets of a
/// stream that is [dropped unused](HandshakeProgress::hold_tickets) are never sent.
///
/// Without tickets nothing would tell the client that its last flight has arrived, and most clients (Nagle's
/// algorithm, RFC 1122 §4.2.3.4) hold their request back until they know. So the kernel is told to acknowledge it
/// before its 40 ms are over.
#[derive(Debug)]
pub struct HandshakeIo {
    socket: ReadAhead<Socket>,
    held: Vec<u8>,
    /// Whether something was sent since the handshake, and with it the acknowledgement.
    acknowledged: bool,
    progress: Arc<HandshakeProgress>,
}

/// The progress of a connection, shared by the streams below and above a TLS stack.
#[derive(Debug, Default)]
pub struct HandshakeProgress {
    ended: AtomicBool,
    established: AtomicBool,
    holds_tickets: AtomicBool,
    closing: AtomicBool,
}

impl HandshakeIo {
    /// Wraps a connection before its handshake. The result includes its progress.
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

    /// Holds `bufs` back if they belong to a handshake and there is room. The result is their length.
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

    /// Marks the handshake as finished.
    pub(crate) fn establish(&self) {
        self.established.store(true, Ordering::Relaxed);
    }

    /// Records the version that a server's handshake has negotiated. With TLS 1.3 it leaves session tickets to be
    /// sent. They are discarded if the stream is dropped before it is written to or waits for the peer, which the
    /// server does with a client that it rejects: with tickets the client would come back, and be rejected again.
    /// Without them it must do a full handshake, in which it may show another certificate.
    ///
    /// With TLS 1.2 the bytes that are left are part of the handshake, and are sent.
    pub fn hold_tickets(&self, version: Option<TlsVersion>) {
        self.holds_tickets.store(version == Some(TlsVersion::Tls13), Ordering::Relaxed);
    }

    /// Marks the next write as the last.
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
            // The peer may be waiting for the held bytes.
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

/// Sends the alert that says why a handshake has failed, which a stack writes last.
impl Drop for HandshakeIo {
    fn drop(&mut self) {
        if self.progress.holds_tickets.load(Ordering::Relaxed) && !self.acknowledged {
            return;
        }
        // If there is no room, the peer has not read the earlier bytes either.
        _ = self.poll_send(&mut Context::from_waker(Waker::noop()), &[]);
    }
}

#[cfg(test)]
mod tests;
