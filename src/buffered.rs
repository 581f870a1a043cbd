use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::io::AsyncBufRead;

/// How whatever has a buffer is read from: as much of what the buffer holds as there is room for.
pub(crate) fn poll_read(
    mut source: Pin<&mut impl AsyncBufRead>,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    let ahead = ready!(source.as_mut().poll_fill_buf(cx))?;
    let n = ahead.len().min(buf.len());
    if let (Some(to), Some(from)) = (buf.get_mut(..n), ahead.get(..n)) {
        to.copy_from_slice(from);
    }
    source.consume(n);
    Poll::Ready(Ok(n))
}
