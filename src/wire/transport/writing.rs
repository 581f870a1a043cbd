//! Writes to the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::io::AsyncWrite;

use super::Transport;

/// RFC 9110 §15.2.1.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Whether `100 Continue` has to be sent before the client sends the body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interim {
    #[default]
    NotExpected,
    Expected,
    /// This many bytes of it were sent.
    Sending(usize),
    /// The answer has begun, so it is not sent any more.
    Withheld,
}

impl Transport {
    /// Writes all of `bytes`, of which `written` were sent before.
    pub(crate) fn poll_write_all(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        written: &mut usize,
    ) -> Poll<io::Result<()>> {
        match self.interim {
            Interim::Expected => self.interim = Interim::Withheld,
            // A part of an interim response before the answer would corrupt both.
            Interim::Sending(_) => ready!(self.poll_interim(cx))?,
            Interim::NotExpected | Interim::Withheld => {}
        }
        ready!(self.poll_write_rest(cx, bytes, written))?;
        self.poll_flush(cx)
    }

    /// Sends `close_notify`, if there is TLS.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_close(cx) {
            Poll::Pending => self.poll_write_limit(cx),
            ready @ Poll::Ready(_) => ready,
        }
    }

    /// Sends `100 Continue` if the client waits for it (RFC 9110 §10.1.1).
    pub(super) fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sent = match self.interim {
            Interim::NotExpected | Interim::Withheld => return Poll::Ready(Ok(())),
            Interim::Expected => 0,
            Interim::Sending(sent) => sent,
        };
        let before = sent;
        let result = match self.poll_write_rest(cx, CONTINUE, &mut sent) {
            Poll::Ready(Ok(())) => self.poll_flush(cx),
            other => other,
        };
        // The answer may have begun, with a body that is made from the request's body.
        self.tally.wrote_between(sent - before);
        self.interim = match result {
            Poll::Pending => Interim::Sending(sent),
            Poll::Ready(_) => Interim::NotExpected,
        };
        result
    }

    fn poll_write_rest(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        written: &mut usize,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    *written += n;
                    self.tally.wrote(n);
                    self.writing.clear();
                }
                Poll::Ready(Err(e)) => return self.fail(e),
                Poll::Pending => return self.poll_write_limit(cx),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Pending => self.poll_write_limit(cx),
            Poll::Ready(Err(e)) => self.fail(e),
            ready @ Poll::Ready(Ok(())) => {
                self.writing.clear();
                ready
            }
        }
    }

    pub(super) fn poll_write_limit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = self.limits.write_timeout;
        ready!(self.writing.poll(cx, limit));
        self.fail(io::ErrorKind::TimedOut.into())
    }
}
