use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use crate::below::Course;

/// A TLS stream, its handshake done, over [`Below`](crate::Below).
///
/// Its end is an error unless the peer has said so by `close_notify` (RFC 8446 §6.1): anybody on the way
/// can end the connection below, and what came so far is not the whole then.
#[derive(Debug)]
pub struct Whole<S> {
    stream: S,
    course: Arc<Course>,
}

impl<S> Whole<S> {
    /// `stream` over a connection whose course is noted in `course`.
    pub fn new(stream: S, course: Arc<Course>) -> Self {
        course.establish();
        Self { stream, course }
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
        if n == 0 && !buf.is_empty() && self.course.has_ended() {
            let cut = "the connection ended without close_notify: what came may not be the whole";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, cut)));
        }
        Poll::Ready(Ok(n))
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

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.course.close();
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
