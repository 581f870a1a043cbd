//! A client that is not waited for, and may leave meanwhile.

use std::io;
use std::task::{Context, Poll};

use super::Transport;

/// How much is read ahead of a client that is only looked at, in bytes. The end of a connection stands
/// behind all that was sent on it: whoever has sent more than this is not seen to leave.
const AHEAD: usize = 16 * 1024;

impl Transport {
    /// Ready when the client has left: its connection was reset, or over TLS ended without a goodbye.
    ///
    /// One that has said that it will send no more (FIN, or `close_notify`) may still wait for its
    /// answer (RFC 9293 §3.6, RFC 8446 §6.1), and has not left. What comes meanwhile, of the body or
    /// of requests in a pipeline, stays in the input for whoever asks for it.
    pub(crate) fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let before = (self.input.unread().len(), self.ended);
        while !self.ended && self.input.unread().len() < AHEAD {
            match self.input.poll_fill(cx, &mut self.stream) {
                Poll::Ready(Ok(0)) => self.ended = true,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => {
                    self.broken = true;
                    return Poll::Ready(error);
                }
                Poll::Pending => break,
            }
        }
        if (self.input.unread().len(), self.ended) != before && !self.body.is_done() {
            // Whoever reads the body may have been told that there is nothing yet.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
