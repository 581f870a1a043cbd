//! Files that the kernel sends, on connections without TLS.

use std::io;
use std::task::{Context, Poll};

use turnkey_backend::Socket;

use super::Transport;

impl Transport {
    /// The connection, if files can be sent over it as they are.
    pub(crate) fn bare(&self) -> Option<Socket> {
        // The method of the boxed stream: the box is a stream itself.
        (*self.stream).bare().filter(|_| cfg!(target_os = "linux"))
    }

    /// Counts bytes that the kernel has sent to the client.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.tally.wrote(bytes);
        self.writing.clear();
    }

    /// Waits until the client accepts more, within the write timeout.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(socket) = self.bare() else { return Poll::Ready(Ok(())) };
        match socket.poll_writable(cx) {
            Poll::Pending => self.poll_write_limit(cx),
            Poll::Ready(Err(error)) => self.fail(error),
            ready @ Poll::Ready(Ok(())) => ready,
        }
    }

    /// Marks the connection as broken, if `error` means that.
    pub(crate) fn failed(&mut self, error: &io::Error) {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut,
        };
        let left = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut];
        self.broken |= left.contains(&error.kind());
    }
}
