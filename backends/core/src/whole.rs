use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::Socket;
use crate::read_ahead::ReadAhead;

/// A connection that notes when it has ended, to be put below a TLS stack that takes any end for a
/// good one, as OpenSSL does through the `openssl` crate: what such a stack reads as the end goes
/// through [`Whole`]. It reads ahead for it, too.
#[derive(Debug)]
pub struct Noting {
    socket: ReadAhead<Socket>,
    ended: Arc<AtomicBool>,
}

/// A TLS stream whose end is an error unless the peer has said so by `close_notify` (RFC 8446 §6.1):
/// anybody on the way can end the connection below, and what came so far is not the whole then.
#[derive(Debug)]
pub struct Whole<S> {
    stream: S,
    ended: Arc<AtomicBool>,
}

impl Noting {
    /// The same connection, and what its end is noted in.
    #[must_use]
    pub fn new(socket: Socket) -> (Self, Arc<AtomicBool>) {
        let ended = Arc::new(AtomicBool::new(false));
        (Self { socket: ReadAhead::new(socket), ended: Arc::clone(&ended) }, ended)
    }
}

impl<S> Whole<S> {
    /// `stream` over a connection whose end is noted in `ended`.
    pub fn new(stream: S, ended: Arc<AtomicBool>) -> Self {
        Self { stream, ended }
    }
}

impl AsyncRead for Noting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        if n == 0 && !buf.is_empty() {
            self.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(n))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Whole<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        // `close_notify` is the end for TLS before anybody asks TCP for more.
        if n == 0 && !buf.is_empty() && self.ended.load(Ordering::Relaxed) {
            let cut = "the connection ended without close_notify: what came may not be the whole";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut)));
        }
        Poll::Ready(Ok(n))
    }
}

impl AsyncWrite for Noting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket.stream).poll_close(cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Whole<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
