//! Where connections are accepted: a port or a Unix socket.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use turnkey_backend::{Acceptor, Incoming};

use super::error::ServerError;
use crate::common::address::{Address, LocalAddr, RemoteAddr};

#[cfg(unix)]
mod file;

/// A port or a Unix socket. Clients can connect as soon as it exists.
#[derive(Debug)]
pub struct Listener {
    io: Io,
    local: LocalAddr,
}

#[derive(Debug)]
enum Io {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        io: std::os::unix::net::UnixListener,
        /// The socket file, if this listener created it. Deleted on drop.
        file: Option<file::SocketFile>,
    },
}

/// A new connection.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) incoming: Incoming,
    pub(crate) remote: RemoteAddr,
    /// The address that it reached.
    pub(crate) local: LocalAddr,
}

impl Listener {
    /// Listens on the first of the addresses of `address` that is available. Port 0 is any free port. `[::]` accepts
    /// IPv4 too.
    pub fn bind(address: impl ToSocketAddrs) -> Result<Self, ServerError> {
        Self::bind_tcp(address, false)
    }

    /// Listens on `address`. Replaces a Unix socket that nobody listens on any more. Its file gets the permissions
    /// `mode`, or those of the umask, and is deleted with the listener.
    pub fn at(address: &Address, mode: Option<u32>) -> Result<Self, ServerError> {
        match address {
            Address::Tcp(host, port) => Self::bind((host.as_str(), *port)),
            Address::Unix(path) => Self::bind_unix(path, mode),
        }
    }

    /// Listens on each of `addresses`, as [`Listener::at`] does. `[::]` does not accept IPv4 if another address
    /// covers IPv4 on the same port.
    pub(crate) fn all(addresses: &[Address], mode: Option<u32>) -> Result<Vec<Self>, ServerError> {
        let bind = |address: &Address| match address {
            Address::Tcp(host, port) if host == "::" => {
                let only_ipv6 = addresses.iter().any(|other| other.is_ipv4_on(*port));
                Self::bind_tcp((host.as_str(), *port), only_ipv6)
            }
            other => Self::at(other, mode),
        };
        addresses.iter().map(bind).collect()
    }

    /// Takes over a port that is already listened on, for example from systemd.
    pub fn tcp(listener: TcpListener) -> io::Result<Self> {
        let local = LocalAddr::Tcp(listener.local_addr()?);
        Ok(Self { io: Io::Tcp(listener), local })
    }

    /// Takes over a Unix socket that is already listened on. Its file is not deleted.
    #[cfg(unix)]
    pub fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        let path = listener.local_addr()?.as_pathname().map(Into::into).unwrap_or_default();
        let io = Io::Unix { io: listener, file: None };
        Ok(Self { io, local: LocalAddr::Unix(path) })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> &LocalAddr {
        &self.local
    }

    fn bind_tcp(address: impl ToSocketAddrs, only_ipv6: bool) -> Result<Self, ServerError> {
        let addresses: Vec<SocketAddr> =
            address.to_socket_addrs().map_err(ServerError::Address)?.collect();
        let Some(&first) = addresses.first() else {
            return Err(ServerError::Address(io::ErrorKind::NotFound.into()));
        };
        let mut bound = listen(first, only_ipv6);
        for other in addresses.iter().skip(1) {
            bound = bound.or_else(|_| listen(*other, only_ipv6));
        }
        bound
            .and_then(Self::tcp)
            .map_err(|source| ServerError::Bind { address: LocalAddr::Tcp(first), source })
    }

    #[cfg(unix)]
    fn bind_unix(path: &std::path::Path, mode: Option<u32>) -> Result<Self, ServerError> {
        let bound = file::bind(path, mode).map(|(listener, file)| {
            let io = Io::Unix { io: listener, file: Some(file) };
            Self { io, local: LocalAddr::Unix(path.to_owned()) }
        });
        bound.map_err(|source| ServerError::Bind {
            address: LocalAddr::Unix(path.to_owned()),
            source,
        })
    }

    #[cfg(not(unix))]
    fn bind_unix(path: &std::path::Path, _mode: Option<u32>) -> Result<Self, ServerError> {
        let source = io::ErrorKind::Unsupported.into();
        Err(ServerError::Bind { address: LocalAddr::Unix(path.to_owned()), source })
    }

    /// Registers the listener with the reactor of this thread.
    pub(crate) fn open(self) -> io::Result<Open> {
        let Self { io, local } = self;
        Ok(match io {
            Io::Tcp(listener) => Open {
                acceptor: Acceptor::tcp(listener)?,
                local,
                #[cfg(unix)]
                _file: None,
            },
            #[cfg(unix)]
            Io::Unix { io, file } => Open { acceptor: Acceptor::unix(io)?, local, _file: file },
        })
    }
}

/// A listener that is registered with the reactor.
#[derive(Debug)]
pub(crate) struct Open {
    acceptor: Acceptor,
    local: LocalAddr,
    #[cfg(unix)]
    _file: Option<file::SocketFile>,
}

impl Open {
    /// Waits for the next connection.
    pub(crate) async fn accept(&self) -> io::Result<Arrival> {
        let incoming = self.acceptor.accept().await?;
        let (remote, local) = match (&incoming, &self.local) {
            // The listener covers many addresses; use the one that was reached.
            (Incoming::Tcp(stream, remote), LocalAddr::Tcp(many)) if many.ip().is_unspecified() => {
                ((*remote).into(), LocalAddr::Tcp(stream.local_addr()?))
            }
            (Incoming::Tcp(_, remote), local) => ((*remote).into(), local.clone()),
            #[cfg(unix)]
            (Incoming::Unix(_), local) => (RemoteAddr::Unix, local.clone()),
        };
        Ok(Arrival { incoming, remote, local })
    }
}

/// How many connections may wait to be accepted. The system has its own limit (4096 on Linux). Connections beyond it
/// wait for a second or more before they try again.
pub(crate) const BACKLOG: u16 = 4096;

/// Like `TcpListener::bind`, which can set neither the backlog nor whether IPv6 accepts IPv4.
#[cfg(unix)]
fn listen(address: SocketAddr, only_ipv6: bool) -> io::Result<TcpListener> {
    use rustix::io::{FdFlags, fcntl_setfd};
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    // Not every Unix has a flag for it.
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    // A restart must not wait for the last connections' TIME-WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, only_ipv6)?;
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG.into())?;
    Ok(socket.into())
}

#[cfg(not(unix))]
fn listen(address: SocketAddr, _only_ipv6: bool) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use turnkey_backend::Reactor;

    use super::*;

    #[test]
    fn a_connection_knows_where_it_came_to() {
        for host in ["127.0.0.7", "0.0.0.0"] {
            let listener = Listener::bind((host, 0)).unwrap();
            let LocalAddr::Tcp(local) = *listener.local_addr() else { unreachable!() };
            let to = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 7), local.port()));
            let _client = TcpStream::connect(to).unwrap();
            let mut reactor = Reactor::new().unwrap();
            let arrival = reactor.drive(async { listener.open()?.accept().await }).unwrap();
            assert_eq!(arrival.unwrap().local, LocalAddr::Tcp(to), "{host}");
        }
    }
}
