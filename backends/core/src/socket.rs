use std::fs::File;
use std::io;
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_io::Async;
use futures_io::{AsyncRead, AsyncWrite};

/// A connection, over TCP or over a Unix socket.
///
/// Clones are handles on one connection: the backend reads and writes through one, and the
/// server keeps another to close the connection with.
#[derive(Debug, Clone)]
pub struct Socket {
    io: Io,
    /// The last read took all there was, so that the next would only say `WouldBlock`.
    drained: bool,
}

#[derive(Debug, Clone)]
enum Io {
    Tcp(Arc<Async<TcpStream>>),
    #[cfg(unix)]
    Unix(Arc<Async<UnixStream>>),
}

/// Does the same with either kind of connection.
macro_rules! either {
    ($socket:expr, $io:ident => $what:expr) => {
        match &$socket.io {
            Io::Tcp($io) => $what,
            #[cfg(unix)]
            Io::Unix($io) => $what,
        }
    };
}

impl Socket {
    /// Takes over a connection over TCP, which sends small writes at once from here on
    /// (`TCP_NODELAY`): the server above gathers what belongs together.
    pub fn tcp(io: Async<TcpStream>) -> io::Result<Self> {
        io.get_ref().set_nodelay(true)?;
        Ok(Self { io: Io::Tcp(Arc::new(io)), drained: false })
    }

    /// Takes over a connection over a Unix socket.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(io: Async<UnixStream>) -> Self {
        Self { io: Io::Unix(Arc::new(io)), drained: false }
    }

    /// Waits for bytes to arrive and copies them into `buf` without taking them; 0 is the end.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.io {
            Io::Tcp(io) => io.peek(buf).await,
            #[cfg(unix)]
            Io::Unix(io) => {
                use rustix::net::{RecvFlags, recv};
                io.read_with(|io| Ok(recv(io, &mut *buf, RecvFlags::PEEK)?.0)).await
            }
        }
    }

    /// Whether there is something to read, which may be the end of the stream or an error, as far as
    /// can be told without waiting.
    #[must_use]
    pub fn has_news(&self) -> bool {
        // Both kinds never block, since the reactor has them.
        let peeked = match &self.io {
            Io::Tcp(io) => io.get_ref().peek(&mut [0]),
            #[cfg(unix)]
            Io::Unix(io) => {
                use rustix::net::{RecvFlags, recv};
                recv(io, &mut [0], RecvFlags::PEEK).map(|(n, _)| n).map_err(io::Error::from)
            }
        };
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Returns when there is something to read, which may be the end of the stream.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_readable(cx))
    }

    /// Returns when there is room for something to be sent, or nothing can be sent any more.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_writable(cx))
    }

    /// Has the kernel send up to `count` bytes of `file` from `offset` on, as far as there is room for
    /// them at once. The result is how many they were, and 0 at the end of the file. That may wait
    /// for the disk. Where the kernel cannot do it, the error is of the kind `Unsupported`.
    #[cfg_attr(not(target_os = "linux"), expect(clippy::unused_self, reason = "nothing is sent"))]
    pub fn send_file(&self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        {
            use rustix::io::Errno;
            let mut offset = offset;
            rustix::fs::sendfile(self, file, Some(&mut offset), count).map_err(|e| {
                match e {
                    // Not every file system can.
                    Errno::INVAL | Errno::NOSYS => io::ErrorKind::Unsupported.into(),
                    other => other.into(),
                }
            })
        }
        #[cfg(not(target_os = "linux"))]
        {
            _ = (file, offset, count);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Says that no more bytes will be sent (FIN). The peer may still send.
    pub fn shutdown_write(&self) -> io::Result<()> {
        either!(self, io => io.get_ref().shutdown(Shutdown::Write))
    }

    /// Has the connection end in a reset (RST) when the last handle is dropped, so that the peer
    /// does not take what it has got for the whole. Only Unix knows how, and only with TCP.
    pub fn reset_on_drop(&self) {
        // Where that fails, the peer sees the end all the same, of another kind.
        #[cfg(unix)]
        if let Io::Tcp(io) = &self.io {
            let now = Some(std::time::Duration::ZERO);
            _ = rustix::net::sockopt::set_socket_linger(io.get_ref(), now);
        }
    }
}

/// For what can be asked of a socket and has no place here.
#[cfg(unix)]
impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, io => io.as_fd())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        // After a read that took less than was offered there is nothing left: to ask the kernel
        // again before waiting costs a system call on every keep-alive request.
        if self.drained {
            ready!(self.poll_readable(cx))?;
            self.drained = false;
        }
        let n = ready!(either!(self, io => Pin::new(&mut &**io).poll_read(cx, buf)))?;
        self.drained = n > 0 && n < buf.len();
        Poll::Ready(Ok(n))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, io => Pin::new(&mut &**io).poll_write(cx, buf))
    }

    /// Several buffers in one system call. rustls counts on it: when a handshake fails, it writes
    /// once, and the alert is behind all that was to be sent before.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, io => Pin::new(&mut &**io).poll_write_vectored(cx, bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The server closes the connection itself, after it has read what the peer still sends.
        Poll::Ready(Ok(()))
    }
}
