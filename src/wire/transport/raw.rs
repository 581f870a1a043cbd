//! Connections after a change to another protocol.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::io::AsyncRead;

use super::Transport;

impl Transport {
    /// Reads bytes of the client without interpreting them.
    pub(crate) fn poll_raw(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let ahead = self.input.unread();
        if ahead.is_empty() {
            self.input.release();
            if self.ended {
                return Poll::Ready(Ok(0));
            }
            let n = ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            self.tally.took(n);
            return Poll::Ready(Ok(n));
        }
        let n = ahead.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), ahead.get(..n)) {
            to.copy_from_slice(from);
        }
        self.input.consume(n);
        self.tally.took(n);
        Poll::Ready(Ok(n))
    }
}
