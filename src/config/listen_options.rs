//! Where the program listens, according to the options.

use std::io;
use std::net::{IpAddr, SocketAddr};

use turnkey::ServerError;
use turnkey::net::{Address, LocalAddr};

use super::error::{ConfigError, usage};
use super::layers::Layers;
use crate::console::causes::with_causes;

/// Where to listen.
#[derive(Debug)]
pub(crate) struct ListenOptions {
    /// At least one.
    pub(crate) addresses: Vec<Address>,
    /// The permissions of Unix sockets.
    pub(crate) socket_mode: Option<u32>,
    /// The server's main name.
    pub(crate) host: String,
    /// The options that give the addresses.
    by: By,
}

/// Which options gave the addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    HostAndPort,
    Listen,
}

/// Combines `--host`, `--port` and `--listen`. The first layer that has any of them counts.
pub(crate) fn choose(layers: Layers<'_>) -> Result<ListenOptions, ConfigError> {
    let says = |layer: &&crate::cli::Serve| {
        !layer.listen.is_empty() || layer.host.is_some() || layer.port.is_some()
    };
    let listen = layers.0.iter().find(says).filter(|layer| !layer.listen.is_empty());
    let socket_mode = layers.of(|s| s.socket_mode);
    let options = match listen {
        Some(layer) if layer.port.is_some() => {
            return Err(usage(
                "--port and --listen both say where to listen: leave --port out, and write it behind \
                 the address, as in --listen 127.0.0.1:8000",
            ));
        }
        Some(layer) => ListenOptions {
            host: layer.host.clone().unwrap_or_else(|| called(&layer.listen)),
            addresses: layer.listen.clone(),
            socket_mode,
            by: By::Listen,
        },
        None => {
            let host = layers.of(|s| s.host.clone()).unwrap_or_else(|| "127.0.0.1".to_owned());
            let port = layers.of(|s| s.port).unwrap_or(8000);
            ListenOptions {
                addresses: vec![Address::Tcp(host.clone(), port)],
                host,
                socket_mode,
                by: By::HostAndPort,
            }
        }
    };
    options.check_places()?;
    let typed = layers.typed().is_some_and(|s| s.socket_mode.is_some());
    if typed && options.tcp().count() == options.addresses.len() {
        return Err(usage(
            "--socket-mode is for the file of a Unix socket, and here is none: add --listen \
             unix:/path/to/socket",
        ));
    }
    Ok(options)
}

/// The name of a server that listens on `addresses` and was given no name.
fn called(addresses: &[Address]) -> String {
    let hosts = addresses.iter().filter_map(|address| match address {
        Address::Tcp(host, _) => Some(host.clone()),
        Address::Unix(_) => None,
    });
    hosts.take(1).next().unwrap_or_else(|| "localhost".to_owned())
}

impl ListenOptions {
    /// The host and port of each address that has them.
    pub(crate) fn tcp(&self) -> impl Iterator<Item = (&str, u16)> {
        self.addresses.iter().filter_map(|address| match address {
            Address::Tcp(host, port) => Some((host.as_str(), *port)),
            Address::Unix(_) => None,
        })
    }

    /// Checks that no address conflicts with another.
    fn check_places(&self) -> Result<(), ConfigError> {
        // Beside an IPv4 address with the same port, `[::]` listens on IPv6 only.
        let side_by_side = |one: &Address, other: &Address| match (one, other) {
            (Address::Tcp(any, _), Address::Tcp(_, port)) => any == "::" && other.is_ipv4_on(*port),
            _ => false,
        };
        for (n, one) in self.addresses.iter().enumerate() {
            let mut before = self.addresses.iter().take(n);
            let taken = before.find(|other| {
                one.overlaps(other) && !side_by_side(one, other) && !side_by_side(other, one)
            });
            if let Some(other) = taken {
                return Err(usage(format!(
                    "--listen {other} and --listen {one} take the same port: leave one of them out, \
                     or choose another port"
                )));
            }
        }
        Ok(())
    }

    /// The option that named the hosts.
    pub(crate) fn host_option(&self) -> &'static str {
        match self.by {
            By::Listen => "--listen",
            By::HostAndPort => "--host",
        }
    }

    /// What is wrong with an address, and how to fix it. `redirect` is the port that redirects all requests.
    pub(crate) fn explain(&self, redirect: Option<u16>, error: &ServerError) -> String {
        match error {
            ServerError::Address(_) => self.explain_host(),
            ServerError::Bind { address: LocalAddr::Tcp(address), source } => {
                let option = match self.by {
                    _ if redirect == Some(address.port()) => "--redirect-from",
                    By::Listen => "--listen",
                    By::HostAndPort => "--port",
                };
                self.explain_tcp(option, *address, source).unwrap_or_else(|| with_causes(error))
            }
            ServerError::Bind { address, source } => {
                explain_unix("--listen", address, source).unwrap_or_else(|| with_causes(error))
            }
            other => with_causes(other),
        }
    }

    fn explain_host(&self) -> String {
        let names = self.tcp().map(|(host, _)| host).filter(|host| host.parse::<IpAddr>().is_err());
        let names = names.collect::<Vec<_>>().join(", ");
        no_such_host(self.host_option(), &names)
    }

    fn explain_tcp(&self, option: &str, address: SocketAddr, error: &io::Error) -> Option<String> {
        let what = match self.by {
            By::Listen => format!("--listen {address}"),
            By::HostAndPort => format!("--host {}", self.host),
        };
        explain_tcp(option, &what, address, error)
    }
}

/// What is wrong with an `address` that only `option` names.
pub(crate) fn explain_at(option: &str, address: &Address, error: &ServerError) -> String {
    let what = format!("{option} {address}");
    let explained = match error {
        ServerError::Address(_) => Some(no_such_host(option, &address.to_string())),
        ServerError::Bind { address: LocalAddr::Tcp(address), source } => {
            explain_tcp(option, &what, *address, source)
        }
        ServerError::Bind { address, source } => explain_unix(option, address, source),
        _ => None,
    };
    explained.unwrap_or_else(|| with_causes(error))
}

fn no_such_host(option: &str, name: &str) -> String {
    format!(
        "{option} {name}: no such host; use an address such as 127.0.0.1, or 0.0.0.0 for all of \
         this machine"
    )
}

/// `what` is the option with the host that it names.
fn explain_tcp(option: &str, what: &str, address: SocketAddr, error: &io::Error) -> Option<String> {
    let port = address.port();
    Some(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "{address} is in use by another program; choose another with {option}, or find out \
             which with: ss -ltnp 'sport = :{port}'"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("{what}: not an address of this machine; ip addr lists those that are")
        }
        io::ErrorKind::PermissionDenied => format!(
            "{option} {port}: not permitted; ports below 1024 need privileges, take one above"
        ),
        _ => return None,
    })
}

fn explain_unix(option: &str, address: &LocalAddr, error: &io::Error) -> Option<String> {
    let what = format!("{option} {address}");
    Some(match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "{what}: in use by another program; choose another path, or find out which with: ss -lxp"
        ),
        io::ErrorKind::AlreadyExists => format!(
            "{what}: a file is there already that is no socket; choose another path, or move it away"
        ),
        io::ErrorKind::NotFound => format!("{what}: there is no such folder; make it first"),
        io::ErrorKind::PermissionDenied => {
            format!("{what}: not permitted; the folder has to be one that this user may write to")
        }
        // The system has no clear text for this error.
        io::ErrorKind::InvalidInput => format!("{what}: the path is too long for a socket"),
        _ => return None,
    })
}
