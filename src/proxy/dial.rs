//! Connects to an upstream.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};
#[cfg(unix)]
use std::path::Path;
use std::time::{Duration, Instant};

#[cfg(unix)]
use turnkey_backend::Timer;
use turnkey_backend::{Connected, Socket, TlsInfo};

use super::connection::Connection;
use super::error::UpstreamError;
use super::upstream::Upstream;
use super::upstream_tls::UpstreamTls;
use crate::common::address::Address;
use crate::common::within::within;

/// The first and the longest wait between attempts at a server whose queue is full; each wait doubles.
#[cfg(unix)]
const PAUSE: Duration = Duration::from_millis(2);
#[cfg(unix)]
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// A new connection to `upstream`, ready for a request within `limit`; over `tls`, if the upstream speaks TLS.
pub(super) async fn dial(
    upstream: &Upstream,
    tls: &UpstreamTls,
    limit: Duration,
) -> Result<Connection, UpstreamError> {
    let dialing = async {
        let socket = connect(upstream.address(), limit).await.map_err(UpstreamError::Connect)?;
        let Some(name) = upstream.server_name() else {
            return Ok(Connection::new(Box::new(socket.clone()), socket));
        };
        // Never send in the clear what must be encrypted.
        let Some(speaker) = tls.get() else {
            return Err(UpstreamError::Tls("nothing was set up to speak it".into()));
        };
        let connected = speaker.connector.connect(socket.clone(), name).await;
        let Connected { stream, tls } = connected.map_err(|e| UpstreamError::Tls(e.into()))?;
        log::debug!("{upstream}: connected over {}", negotiated(&tls));
        Ok(Connection::over_tls(stream, socket, speaker))
    };
    let late = || Err(UpstreamError::TimedOut("took no connection", limit.as_secs_f32()));
    within(limit, dialing).await.unwrap_or_else(late)
}

/// What was negotiated with an upstream, as far as it is known.
fn negotiated(tls: &TlsInfo) -> String {
    let version = tls.version.map_or_else(|| "TLS".to_owned(), |version| version.to_string());
    let group = tls.key_exchange.iter().map(|group| format!(", key exchange {group}"));
    let resumed = (tls.resumed == Some(true)).then(|| ", session resumed".to_owned());
    group.chain(resumed).fold(version, |said, more| said + &more)
}

async fn connect(address: &Address, limit: Duration) -> io::Result<Socket> {
    match address {
        Address::Tcp(host, port) => connect_tcp(host.clone(), *port, limit).await,
        #[cfg(unix)]
        Address::Unix(path) => connect_unix(path).await,
        #[cfg(not(unix))]
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Connects to the first address of `host` that accepts the connection. An address that does not respond leaves
/// the others their share of `limit`.
async fn connect_tcp(host: String, port: u16, limit: Duration) -> io::Result<Socket> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Socket::connect((address, port).into()).await;
    }
    // The system's resolver blocks, and the reactor must not.
    let end = Instant::now() + limit;
    let mut addresses = smol::unblock(move || (host.as_str(), port).to_socket_addrs()).await?;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    while let Some(address) = addresses.next() {
        let left = end.saturating_duration_since(Instant::now());
        let connecting = Socket::connect(address);
        let connected = match u32::try_from(addresses.len()) {
            // The last address gets all the time that is left; the caller enforces the limit.
            Ok(0) => Some(connecting.await),
            others => within(left / others.unwrap_or(u32::MAX).saturating_add(1), connecting).await,
        };
        match connected {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(error)) => last = error,
            None => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// Connects to the server at `path`. The system does not wait for room in a full queue, so this function does.
#[cfg(unix)]
async fn connect_unix(path: &Path) -> io::Result<Socket> {
    let mut pause = PAUSE;
    loop {
        match Socket::connect_unix(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Timer::after(pause).await,
            done => return done,
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A library user may forget to set up TLS for an `https://` upstream.
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
