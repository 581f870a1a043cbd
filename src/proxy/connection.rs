use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use smol::io::AsyncWrite;
use turnkey_backend::{Socket, Stream};

use super::upstream_tls::Speaker;
use crate::wire::input::Input;

/// A connection to an upstream: a stream, and the bytes that were read ahead from it.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    /// A handle on the underlying socket, to check whether anything has arrived.
    socket: Socket,
    /// The TLS setup that opened it; `None` in the clear.
    speaker: Option<Arc<Speaker>>,
    pub(super) input: Input,
    /// Whether it has carried a request before, and may have gone stale since.
    pub(super) reused: bool,
    /// Whether it serves one client connection alone.
    pub(super) private: bool,
    /// How much has been read from it, in bytes.
    pub(super) heard: u64,
}

impl Connection {
    /// A new connection, over `socket`.
    pub(super) fn new(stream: Box<dyn Stream>, socket: Socket) -> Self {
        Self {
            stream,
            socket,
            speaker: None,
            input: Input::default(),
            reused: false,
            private: false,
            heard: 0,
        }
    }

    /// A connection over TLS, opened with `speaker`.
    pub(super) fn over_tls(stream: Box<dyn Stream>, socket: Socket, speaker: Arc<Speaker>) -> Self {
        Self { speaker: Some(speaker), ..Self::new(stream, socket) }
    }

    /// The TLS setup that opened it, if any.
    pub(super) fn speaker(&self) -> Option<&Arc<Speaker>> {
        self.speaker.as_ref()
    }

    /// Reads the available bytes into the input; 0 is the end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let filled = self.input.poll_fill(cx, &mut self.stream);
        if let Poll::Ready(Ok(n)) = filled {
            self.heard += u64::try_from(n).unwrap_or(u64::MAX);
        }
        filled
    }

    /// Whether it belongs to the calling thread.
    pub(super) fn is_local(&self) -> bool {
        self.socket.is_local()
    }

    /// Whether the upstream has closed the connection, or sent something unasked.
    pub(super) fn is_stale(&mut self) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        // The stream itself would wait for the reactor to report new bytes.
        self.socket.has_news()
    }

    /// Lets the kernel detect an upstream that disappeared silently.
    pub(super) fn keep_alive(&self) {
        self.socket.keep_alive();
    }

    /// Says that no more will be sent; the upstream may still send.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_close(cx))?;
        // A stream leaves that to the owner of the socket.
        self.socket.shutdown_write().into()
    }

    /// Closes the connection cleanly, as far as that is possible without waiting.
    pub(super) async fn close(mut self) {
        let mut goodbye = poll_fn(|cx| Pin::new(&mut self.stream).poll_close(cx));
        _ = smol::future::poll_once(&mut goodbye).await;
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("reused", &self.reused).finish_non_exhaustive()
    }
}

/// Writes all of `bytes`, of which `written` have been written before, then flushes the stream.
pub(super) fn poll_write_all(
    stream: &mut Box<dyn Stream>,
    cx: &mut Context<'_>,
    bytes: &[u8],
    written: &mut usize,
) -> Poll<io::Result<()>> {
    while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
        match Pin::new(&mut *stream).poll_write(cx, rest) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(n)) => *written += n,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
    }
    Pin::new(stream).poll_flush(cx)
}
