//! What may end a connection while its answer is made: the client leaves, or the connection gets too old.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use super::Transport;

/// How much is read ahead while the answer is made, in bytes. The end of a connection comes after all that was
/// sent on it: if a client has sent more than this, its leaving is not noticed.
const AHEAD: usize = 16 * 1024;

impl Transport {
    /// Ready when the client has left: its connection was reset, or ended without `close_notify` over TLS.
    ///
    /// A client that has ended its sending direction (FIN, or `close_notify`) may still wait for its answer
    /// (RFC 9293 §3.6, RFC 8446 §6.1), and has not left. Bytes of the body or of pipelined requests that arrive
    /// meanwhile stay in the input.
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
            // A reader of the body may wait for these bytes.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Ready when the connection has reached its maximum age.
    pub(crate) fn poll_age(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.age {
            Some(age) => age.poll(cx, Duration::MAX),
            None => Poll::Pending,
        }
    }

    /// Whether the connection has reached its maximum age, so that no request may follow.
    pub(crate) fn has_aged(&self) -> bool {
        self.age.as_ref().is_some_and(|age| age.is_over())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use smol::io::{AsyncRead, AsyncWrite};

    use super::*;
    use crate::wire::head::Framing;

    /// Counts how often a task was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A client that sends these bytes, one after the other, and then nothing.
    #[derive(Debug)]
    struct Talking(Vec<&'static [u8]>);

    impl AsyncRead for Talking {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            let Some(said) = self.0.pop() else { return Poll::Pending };
            buf[..said.len()].copy_from_slice(said);
            Poll::Ready(Ok(said.len()))
        }
    }

    impl AsyncWrite for Talking {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            _buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[test]
    fn whoever_reads_the_body_is_woken_for_what_has_come_and_only_for_that() {
        for (framing, said, wakes) in [
            (Framing::Length(9), vec![&b"some"[..]], 1),
            (Framing::Length(9), vec![b""], 1),
            (Framing::Length(9), vec![], 0),
            (Framing::Empty, vec![b"GET / HTTP/1.1\r\n"], 0),
            (Framing::Empty, vec![b""], 0),
        ] {
            let told = format!("{framing:?} {said:?}");
            let mut transport = Transport::new(Box::new(Talking(said)), Arc::default());
            transport.begin(0, framing, false);
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(Arc::clone(&woken));
            for _ in 0..3 {
                assert!(transport.poll_left(&mut Context::from_waker(&waker)).is_pending());
                assert_eq!(woken.0.load(Ordering::Relaxed), wakes, "{told}");
            }
        }
    }
}
