use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::io::{AsyncBufRead, AsyncRead};

/// Produces data, one buffer at a time.
pub(crate) trait Fill {
    /// Replaces the content of `buffer`, which has been read, by the next data. It may take the buffer away
    /// until then. An empty buffer means the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<()>>;
}

/// Reads the data of a [`Fill`].
pub(crate) struct Buffered<F> {
    fill: F,
    /// Data that was produced; unread from `start` on.
    buffer: Vec<u8>,
    start: usize,
}

impl<F> Buffered<F> {
    pub(crate) fn new(fill: F) -> Self {
        Self { fill, buffer: Vec::new(), start: 0 }
    }
}

impl<F: Fill + Unpin> AsyncBufRead for Buffered<F> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.start >= this.buffer.len() {
            ready!(this.fill.poll_fill(cx, &mut this.buffer))?;
            this.start = 0;
        }
        Poll::Ready(Ok(this.buffer.get(this.start..).unwrap_or_default()))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.start += n;
    }
}

impl<F: Fill + Unpin> AsyncRead for Buffered<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let ahead = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = ahead.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), ahead.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Poll::Ready(Ok(n))
    }
}
