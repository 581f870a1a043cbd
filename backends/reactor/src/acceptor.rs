use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};

use mio::Interest;

use crate::readiness::{Direction, Ready};
use crate::registration::Registration;
use crate::socket::Socket;

/// Accepts connections on a port or a Unix socket. It belongs to the reactor of the thread that it was made on.
#[derive(Debug)]
pub struct Acceptor {
    source: Registration<Io>,
}

/// A new connection. It is non-blocking and belongs to no reactor yet, so that another thread can take it.
#[derive(Debug)]
pub enum Incoming {
    /// Over TCP, with the peer's address.
    Tcp(TcpStream, SocketAddr),
    /// Over a Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

#[derive(Debug)]
enum Io {
    Tcp(mio::net::TcpListener),
    #[cfg(unix)]
    Unix(mio::net::UnixListener),
}

source_of_either!();

impl Acceptor {
    /// Accepts on a port. It makes the listener, with all its handles, non-blocking.
    pub fn tcp(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::new(Io::Tcp(mio::net::TcpListener::from_std(listener)))
    }

    /// Accepts on a Unix socket. It makes the listener, with all its handles, non-blocking.
    #[cfg(unix)]
    pub fn unix(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::new(Io::Unix(mio::net::UnixListener::from_std(listener)))
    }

    fn new(io: Io) -> io::Result<Self> {
        Ok(Self { source: Registration::new(io, Interest::READABLE, Ready::No)? })
    }

    /// Waits for the next connection.
    pub async fn accept(&self) -> io::Result<Incoming> {
        poll_fn(|cx| self.source.poll_io(Direction::Read, cx, Io::accept)).await
    }
}

impl Incoming {
    /// Registers it with this thread's reactor.
    pub fn into_socket(self) -> io::Result<Socket> {
        match self {
            Self::Tcp(stream, _) => Socket::tcp_that_never_blocks(stream),
            #[cfg(unix)]
            Self::Unix(stream) => Socket::unix_that_never_blocks(stream),
        }
    }
}

impl Io {
    fn accept(&self) -> io::Result<Incoming> {
        match self {
            Self::Tcp(listener) => {
                let (stream, remote) = listener.accept()?;
                Ok(Incoming::Tcp(stream.into(), remote))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                Ok(Incoming::Unix(stream.into()))
            }
        }
    }
}
