//! What the kernel sends by itself: files, on connections that are nothing but their bytes.

use std::io;
use std::task::{Context, Poll};

use turnkey_backend::Socket;

use super::Transport;

impl Transport {
    /// The connection, if files can be sent over it as they are.
    pub(crate) fn bare(&self) -> Option<Socket> {
        // Of what is in the box: the box is a stream itself.
        (*self.stream).bare().filter(|_| cfg!(target_os = "linux"))
    }

    /// Takes note that the client has taken so many bytes that did not go through here.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.tally.wrote(bytes);
        self.writing.clear();
    }

    /// Waits until the client takes more, as long as it may take nothing.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(socket) = self.bare() else { return Poll::Ready(Ok(())) };
        match socket.poll_writable(cx) {
            Poll::Pending => self.poll_write_limit(cx),
            Poll::Ready(Err(error)) => self.fail(error),
            ready @ Poll::Ready(Ok(())) => ready,
        }
    }

    /// Takes note that there is nobody to talk to any more, if that is what `error` says.
    pub(crate) fn failed(&mut self, error: &io::Error) {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut,
        };
        let left = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut];
        self.broken |= left.contains(&error.kind());
    }
}
