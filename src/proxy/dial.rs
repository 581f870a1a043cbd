//! Reaching an upstream.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use smol::future::FutureExt;
use turnkey_backend::{Socket, Timer};

use super::connection::Connection;
use super::error::UpstreamError;
use super::upstream::Upstream;
use super::upstream_tls::UpstreamTls;
use crate::address::Address;

/// A new connection to `upstream`, ready for a request within `limit`; over `tls`, if it speaks that.
pub(super) async fn dial(
    upstream: &Upstream,
    tls: &UpstreamTls,
    limit: Duration,
) -> Result<Connection, UpstreamError> {
    let dialing = async {
        let socket = connect(upstream.address()).await.map_err(UpstreamError::Connect)?;
        let Some(name) = upstream.server_name() else {
            return Ok(Connection::new(Box::new(socket.clone()), socket));
        };
        // Never in the clear what was to be encrypted.
        let Some(speaker) = tls.get() else {
            return Err(UpstreamError::Tls("nothing was set up to speak it".into()));
        };
        let stream = speaker.connector.connect(socket.clone(), name).await;
        let stream = stream.map_err(|e| UpstreamError::Tls(e.into()))?;
        Ok(Connection::over_tls(stream, socket, speaker))
    };
    dialing
        .or(async {
            Timer::after(limit).await;
            Err(UpstreamError::TimedOut("took no connection", limit.as_secs_f32()))
        })
        .await
}

async fn connect(address: &Address) -> io::Result<Socket> {
    match address {
        Address::Tcp(host, port) => connect_tcp(host.clone(), *port).await,
        #[cfg(unix)]
        Address::Unix(path) => Socket::connect_unix(path).await,
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Connects to the first address of `host` that takes the connection.
async fn connect_tcp(host: String, port: u16) -> io::Result<Socket> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Socket::connect((address, port).into()).await;
    }
    // The system's resolver takes its time, and the reactor has none to give.
    let addresses = smol::unblock(move || (host.as_str(), port).to_socket_addrs()).await?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match Socket::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A library user may forget what an `https://` upstream takes.
    #[test]
    fn nothing_goes_out_in_the_clear_that_was_to_be_encrypted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream: Upstream = format!("https://127.0.0.1:{port}").parse().unwrap();
        let none = UpstreamTls::default();
        let dialed = smol::block_on(dial(&upstream, &none, Duration::from_secs(5)));
        assert!(matches!(dialed, Err(UpstreamError::Tls(_))), "{dialed:?}");
        let plain: Upstream = format!("http://127.0.0.1:{port}").parse().unwrap();
        assert!(smol::block_on(dial(&plain, &none, Duration::from_secs(5))).is_ok());
    }
}
