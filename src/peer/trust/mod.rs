//! Which proxies are trusted to say who the client is.
//!
//! A proxy tells the application who its client is, in fields that a client can write too. So they count only
//! if a trusted proxy sent them, as far back as each hop is trusted. All others are removed before
//! anything reads them.
//!
//! The decision ([`Decision`]) is made here, once for each request, from its sender ([`Sender`]) and the
//! fields of its head. Everything that depends on client, scheme or host uses it.

mod basis;
mod decision;
mod explained;
pub(crate) mod forwarded;
mod ignored;
mod names;
pub(crate) mod node;
mod proxies;
pub(crate) mod proxy_protocol;
mod x_forwarded;

use std::sync::Arc;

use httparse::Header;
use turnkey_backend::Socket;

pub(crate) use basis::{Basis, Origin};
pub(crate) use decision::{Contradiction, Decision, Own};
use explained::Explained;
pub use ignored::IgnoredHeader;
pub(crate) use names::{is_strange, is_written_here, may_be_trailer};
pub use proxies::{TrustedProxies, TrustedProxiesError};
use proxy_protocol::ProxiedClient;
pub(crate) use proxy_protocol::{ProxyHeaderError, START as HEADER_START};

use crate::common::address::{ClientAddr, RemoteAddr};
use crate::common::setting_names::SettingNames;

/// The proxies that a server believes, and the senders that it has told that it does not.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    proxies: TrustedProxies,
    proxy_protocol: bool,
    explained: Explained,
    names: Arc<SettingNames>,
}

impl Trust {
    /// With `proxy_protocol`, connections of the proxies begin with a PROXY header.
    pub(crate) fn new(proxies: TrustedProxies, proxy_protocol: bool) -> Self {
        Self { proxies, proxy_protocol, explained: Explained::default(), names: Arc::default() }
    }

    /// Calls the settings of the server by these names.
    pub(crate) fn with_names(self, names: Arc<SettingNames>) -> Self {
        Self { names, ..self }
    }

    /// What the settings of the server are called.
    pub(crate) fn names(&self) -> &SettingNames {
        &self.names
    }

    /// Whether a connection from `remote` has to begin with a PROXY header.
    pub(crate) fn expects_header(&self, remote: RemoteAddr) -> bool {
        self.proxy_protocol && self.at(remote).standing == Standing::Trusted
    }

    /// The error for a connection of `peer` that begins with a PROXY header, which is not expected there.
    pub(crate) fn unexpected_header(
        &self,
        start: &[u8],
        peer: RemoteAddr,
    ) -> Option<ProxyHeaderError> {
        let is_one = !self.proxy_protocol && proxy_protocol::is_header(start);
        is_one.then(|| ProxyHeaderError::Unexpected { peer: peer.client() })
    }

    /// Finds the sender of requests on `socket`, a connection from `remote`. With the PROXY protocol this reads
    /// the header, which comes first; `None` if the peer leaves before it.
    pub(crate) async fn sender(
        &self,
        socket: &Socket,
        remote: RemoteAddr,
    ) -> Result<Option<Sender>, ProxyHeaderError> {
        let direct = self.at(remote);
        if !self.proxy_protocol {
            return Ok(Some(direct));
        }
        if direct.standing != Standing::Trusted {
            proxy_protocol::refuse(socket, direct.client()).await?;
            return Ok(Some(direct));
        }
        Ok(proxy_protocol::read(socket).await?.map(|source| match source {
            ProxiedClient::Client(client) => self.at(client),
            ProxiedClient::Local => direct,
            ProxiedClient::Unnamed => Sender { standing: Standing::Unnamed, ..direct },
        }))
    }

    pub(crate) fn at(&self, addr: impl Into<RemoteAddr>) -> Sender {
        let addr = addr.into();
        let trusted = self.proxies.trusts(addr.client());
        Sender { addr, standing: if trusted { Standing::Trusted } else { Standing::Untrusted } }
    }

    /// Decides what is believed of a request with `fields`, beyond what is known without them.
    pub(crate) fn decide<'b>(
        &self,
        sender: Sender,
        fields: &[Header<'b>],
        own: Own<'b>,
    ) -> Result<Decision<'b>, Contradiction> {
        decision::decide(self, sender, fields, own)
    }

    /// Removes fields whose names have other marks than `-` and `_`.
    pub(crate) fn remove_strange(
        &self,
        sender: Sender,
        fields: &[Header<'_>],
        decision: &mut Decision<'_>,
    ) {
        decision::remove_strange(self, sender, fields, decision);
    }
}

/// The sender of a connection's requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    addr: RemoteAddr,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Trusted,
    Untrusted,
    /// An unknown client behind a trusted proxy, which forwards bytes without naming the client. Fields in
    /// them are not the proxy's.
    Unnamed,
}

impl Sender {
    /// The address of the connection, or that in the PROXY header.
    pub(crate) fn addr(&self) -> RemoteAddr {
        self.addr
    }

    /// Whether it is a trusted proxy.
    pub(crate) fn is_trusted(&self) -> bool {
        self.standing == Standing::Trusted
    }

    /// The same without the port.
    fn client(&self) -> ClientAddr {
        self.addr.client()
    }
}
