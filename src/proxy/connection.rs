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

/// A connection to an upstream: a stream, and what has been read of it ahead.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    /// A handle on the socket below, to look whether anything has come.
    socket: Socket,
    /// What did the handshake; nothing, if it is in the clear.
    speaker: Option<Arc<Speaker>>,
    pub(super) input: Input,
    /// It has served a request before, and may have gone stale since.
    pub(super) reused: bool,
    /// It serves one client connection alone.
    pub(super) private: bool,
    /// How much has been read of it, in bytes.
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

    /// The same over TLS that `speaker` did the handshake for.
    pub(super) fn over_tls(stream: Box<dyn Stream>, socket: Socket, speaker: Arc<Speaker>) -> Self {
        Self { speaker: Some(speaker), ..Self::new(stream, socket) }
    }

    /// What did the handshake, if there was one.
    pub(super) fn speaker(&self) -> Option<&Arc<Speaker>> {
        self.speaker.as_ref()
    }

    /// Reads what there is into the input; 0 is the end.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let filled = self.input.poll_fill(cx, &mut self.stream);
        if let Poll::Ready(Ok(n)) = filled {
            self.heard += u64::try_from(n).unwrap_or(u64::MAX);
        }
        filled
    }

    /// Whether it belongs to the thread that asks.
    pub(super) fn is_local(&self) -> bool {
        self.socket.is_local()
    }

    /// Whether the upstream has closed the connection, or said something that nobody asked for.
    pub(super) fn is_stale(&mut self) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        // The stream itself would wait for the reactor to tell it of news.
        self.socket.has_news()
    }

    /// Has the kernel notice when the upstream is gone without a word.
    pub(super) fn keep_alive(&self) {
        self.socket.keep_alive();
    }

    /// Says that no more will be sent; the upstream may still speak.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_close(cx))?;
        // A stream leaves that to whoever has the socket.
        self.socket.shutdown_write().into()
    }

    /// Says goodbye, as far as that takes no waiting.
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

/// Writes all of `bytes`, of which `written` have gone out before, and has them leave.
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
