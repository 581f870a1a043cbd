//! Whom to believe about who is at the other end.
//!
//! A proxy tells the application behind it whom it speaks for, in fields that a client can write
//! just as well. So they count when they come from a proxy that is trusted, as far back as each hop
//! was one; all others go before anyone reads them.
//!
//! The decision is made once for each request, here, from who sends it ([`Sender`]) and from the
//! fields of its head ([`Decision`]); whatever depends on client, scheme or host follows it.

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

/// Whom a server believes, and whom it has told that it does not.
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

    /// That a connection of `peer`'s, which begins like this, begins with a PROXY header that nobody is
    /// asked for.
    pub(crate) fn unexpected_header(
        &self,
        start: &[u8],
        peer: RemoteAddr,
    ) -> Option<ProxyHeaderError> {
        let is_one = !self.proxy_protocol && proxy_protocol::is_header(start);
        is_one.then(|| ProxyHeaderError::Unexpected { peer: peer.client() })
    }

    /// Finds out who sends what comes over `socket`, a connection from `remote`. With the PROXY protocol this
    /// takes the header, which comes before all else; `None` if the peer leaves before it.
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

    /// Decides what is believed of a request with `fields`, over what is known without them.
    pub(crate) fn decide<'b>(
        &self,
        sender: Sender,
        fields: &[Header<'b>],
        own: Own<'b>,
    ) -> Result<Decision<'b>, Contradiction> {
        decision::decide(self, sender, fields, own)
    }

    /// Removes the fields from a request whose names have other marks than `-` and `_`.
    pub(crate) fn remove_strange(
        &self,
        sender: Sender,
        fields: &[Header<'_>],
        decision: &mut Decision<'_>,
    ) {
        decision::remove_strange(self, sender, fields, decision);
    }
}

/// Who sends the requests of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    addr: RemoteAddr,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Trusted,
    Untrusted,
    /// Somebody behind a trusted proxy, which hands their bytes on and does not say whose they are:
    /// what is written there is not the proxy's word.
    Unnamed,
}

impl Sender {
    /// The address: that of the connection, or what the PROXY header says.
    pub(crate) fn addr(&self) -> RemoteAddr {
        self.addr
    }

    /// Whether it is a proxy that may speak for others.
    pub(crate) fn is_trusted(&self) -> bool {
        self.standing == Standing::Trusted
    }

    /// The same without the port.
    fn client(&self) -> ClientAddr {
        self.addr.client()
    }
}
