use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use mio::Interest;

use crate::readiness::{Direction, Ready};
use crate::registration::Registration;

/// A connection, over TCP or over a Unix socket.
///
/// It belongs to the reactor of the thread that it was made on, which wakes waiting tasks on any thread. Clones are
/// handles of one connection: the backend reads and writes through one, and the server closes the connection
/// through another. One task at a time may wait to read, and one to write.
#[derive(Debug, Clone)]
pub struct Socket {
    source: Arc<Registration<Io>>,
}

#[derive(Debug)]
enum Io {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

source_of_either!();

impl Socket {
    /// Takes over a TCP connection. It becomes non-blocking and sends small writes at once (`TCP_NODELAY`): the
    /// server combines what belongs together.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::tcp_that_never_blocks(stream)
    }

    /// Like [`Self::tcp`], for a connection that is non-blocking already.
    pub(crate) fn tcp_that_never_blocks(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Self::new(Io::Tcp(mio::net::TcpStream::from_std(stream)), Ready::ToWrite)
    }

    /// Takes over a connection over a Unix socket, which becomes non-blocking.
    #[cfg(unix)]
    pub fn unix(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::unix_that_never_blocks(stream)
    }

    /// Like [`Self::unix`], for a connection that is non-blocking already.
    #[cfg(unix)]
    pub(crate) fn unix_that_never_blocks(stream: UnixStream) -> io::Result<Self> {
        Self::new(Io::Unix(mio::net::UnixStream::from_std(stream)), Ready::ToWrite)
    }

    /// Connects to `address` over TCP.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let io = mio::net::TcpStream::connect(address)?;
        io.set_nodelay(true)?;
        Self::new(Io::Tcp(io), Ready::No)?.connected().await
    }

    /// Connects to the Unix socket at `path`.
    #[cfg(unix)]
    pub async fn connect_unix(path: &Path) -> io::Result<Self> {
        let io = mio::net::UnixStream::connect(path)?;
        Self::new(Io::Unix(io), Ready::No)?.connected().await
    }

    fn new(io: Io, ready: Ready) -> io::Result<Self> {
        let both = Interest::READABLE | Interest::WRITABLE;
        Ok(Self { source: Arc::new(Registration::new(io, both, ready)?) })
    }

    /// Waits until the connection is established.
    async fn connected(self) -> io::Result<Self> {
        let connected = |io: &Io| {
            if let Some(error) = either!(io, io => io.take_error())? {
                return Err(error);
            }
            match either!(io, io => io.peer_addr().map(drop)) {
                // The event came for another reason: it is not connected yet.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                result => result,
            }
        };
        poll_fn(|cx| self.source.poll_io(Direction::Write, cx, connected)).await?;
        Ok(self)
    }

    /// Whether it belongs to this thread's reactor. Waiting for another thread's costs a switch between threads.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.source.is_local()
    }

    /// Waits for bytes and copies them into `buf` without consuming them; 0 is the end.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.source.poll_io(Direction::Read, cx, |io| io.peek(buf))).await
    }

    /// Whether there is something to read, without waiting. That may be the end of the stream or an error.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let peeked = self.source.io().peek(&mut [0]);
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Returns when there is something to read, which may be the end of the stream.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The bytes may have been read since the last event.
        self.source.poll_io(Direction::Read, cx, |io| io.peek(&mut [0]).map(drop))
    }

    /// Returns when there is room to send, or nothing can be sent any more, as far as is known from the last
    /// attempt.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(Direction::Write, cx).map(Ok)
    }

    /// Makes the kernel acknowledge received bytes at once, if it supports that (`TCP_QUICKACK`).
    #[cfg_attr(not(target_os = "linux"), expect(clippy::unused_self, reason = "nothing is told"))]
    pub fn acknowledge(&self) {
        // If that fails, it does so later.
        #[cfg(target_os = "linux")]
        if let Io::Tcp(io) = self.source.io() {
            _ = rustix::net::sockopt::set_tcp_quickack(io, true);
        }
    }

    /// Sends the last bytes of this side. If the kernel supports it, they are sent together with the FIN, which must
    /// follow at once.
    pub fn poll_write_last(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        #[cfg(target_os = "linux")]
        if matches!(self.source.io(), Io::Tcp(_)) {
            use rustix::net::{SendFlags, send};
            let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
            return self
                .source
                .poll_bytes(Direction::Write, cx, buf.len(), |io| Ok(send(io, buf, flags)?));
        }
        Pin::new(self).poll_write(cx, buf)
    }

    /// Makes the kernel send up to `count` bytes of `file` from `offset` on, as many as there is room for. The result
    /// is their number, and 0 at the end of the file. This may wait for the disk. If the kernel does not support it,
    /// the error is `Unsupported`.
    #[cfg_attr(not(target_os = "linux"), expect(clippy::unused_self, reason = "nothing is sent"))]
    pub fn send_file(&self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        {
            let mut sent = 0;
            // Until there is no room: the kernel reports room again only after an attempt that fails.
            while sent < count {
                let mut from = offset.saturating_add(sent as u64);
                let attempt = |io: &Io| {
                    let n = rustix::fs::sendfile(io, file, Some(&mut from), count - sent);
                    n.map_err(io::Error::from)
                };
                match self.source.try_io(Direction::Write, attempt) {
                    Ok(0) => break,
                    Ok(n) => sent += n,
                    Err(_) if sent > 0 => break,
                    Err(error) => return Err(not_every_file(error)),
                }
            }
            Ok(sent)
        }
        #[cfg(not(target_os = "linux"))]
        {
            _ = (file, offset, count);
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    /// Ends the sending direction (FIN). The peer may still send.
    pub fn shutdown_write(&self) -> io::Result<()> {
        either!(self.source.io(), io => io.shutdown(Shutdown::Write))
    }

    /// Enables keep-alive probes after a minute without data. Reads fail another minute later if the peer is gone.
    /// Shorter settings of the system stay. Unix sockets need no probes.
    pub fn keep_alive(&self) {
        // If that fails, the caller's timeouts still apply.
        #[cfg(unix)]
        if let Io::Tcp(io) = self.source.io() {
            _ = rustix::net::sockopt::set_socket_keepalive(io, true);
            #[cfg(target_os = "linux")]
            {
                _ = probe_soon(io);
            }
        }
    }

    /// Makes the connection end in a reset (RST) when the last handle is dropped, so that the peer does not
    /// take a part for the whole. Supported only on Unix, and only for TCP.
    pub fn reset_on_drop(&self) {
        // If that fails, the connection ends without a reset.
        #[cfg(unix)]
        if let Io::Tcp(io) = self.source.io() {
            let now = Some(std::time::Duration::ZERO);
            _ = rustix::net::sockopt::set_socket_linger(io, now);
        }
    }
}

#[cfg(target_os = "linux")]
fn probe_soon(io: &mio::net::TcpStream) -> io::Result<()> {
    use std::time::Duration;

    use rustix::net::sockopt::{
        set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl, tcp_keepcnt, tcp_keepidle,
        tcp_keepintvl,
    };

    const QUIET: Duration = Duration::from_secs(60);
    const BETWEEN: Duration = Duration::from_secs(15);
    const PROBES: u32 = 4;
    set_tcp_keepidle(io, tcp_keepidle(io)?.min(QUIET))?;
    set_tcp_keepintvl(io, tcp_keepintvl(io)?.min(BETWEEN))?;
    set_tcp_keepcnt(io, tcp_keepcnt(io)?.min(PROBES))?;
    Ok(())
}

/// For socket options that have no method here.
#[cfg(unix)]
impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.io().as_fd()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let wanted = buf.len();
        self.source.poll_bytes(
            Direction::Read,
            cx,
            wanted,
            |io| either!(io, io => (&*io).read(buf)),
        )
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_bytes(
            Direction::Write,
            cx,
            buf.len(),
            |io| either!(io, io => (&*io).write(buf)),
        )
    }

    /// Several buffers in one system call. rustls relies on it: when a handshake fails, it writes once, and the alert
    /// comes after everything that was queued before.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        self.source.poll_bytes(
            Direction::Write,
            cx,
            wanted,
            |io| either!(io, io => (&*io).write_vectored(bufs)),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The server closes the connection itself, after it has read what the peer still sends.
        Poll::Ready(Ok(()))
    }
}

impl Io {
    fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(io) => io.peek(buf),
            #[cfg(unix)]
            Self::Unix(io) => {
                use rustix::net::{RecvFlags, recv};
                Ok(recv(io, buf, RecvFlags::PEEK)?.0)
            }
        }
    }
}

#[cfg(unix)]
impl AsFd for Io {
    fn as_fd(&self) -> BorrowedFd<'_> {
        either!(self, io => io.as_fd())
    }
}

/// The error of `std` for file systems that do not support it.
#[cfg(target_os = "linux")]
fn not_every_file(error: io::Error) -> io::Error {
    use rustix::io::Errno;
    match Errno::from_io_error(&error) {
        Some(Errno::INVAL | Errno::NOSYS) => io::ErrorKind::Unsupported.into(),
        _ => error,
    }
}
