//! Who sent a request, and which proxies are trusted to say so.

pub(crate) mod settings;
pub(crate) mod trust;

use std::net::Ipv4Addr;
use std::sync::Arc;

use http_types::Request;
use httparse::Header;
use turnkey_backend::{Certificate, TlsInfo};

use self::settings::Settings;
use self::trust::{Basis, Contradiction, Decision, IgnoredHeader, Origin, Own, Sender};
use crate::common::address::{ClientAddr, LocalAddr, RemoteAddr};
use crate::common::request_id::RequestId;
use crate::mode::current::Serving;
use crate::report::explain::Event;

/// The client of a request, and the connection that it came over.
///
/// Handlers get it with [`Peer::of`].
#[derive(Debug, Clone)]
pub struct Peer {
    link: Arc<Link>,
    request: RequestId,
    client: ClientAddr,
    scheme: &'static str,
    host: String,
    basis: Option<Basis>,
    ignored: Vec<IgnoredHeader>,
}

impl Peer {
    /// Who sent `request`; `None` if it did not come over a connection of a
    /// [`Server`](crate::Server).
    #[must_use]
    pub fn of(request: &Request) -> Option<&Self> {
        request.ext().get::<Self>()
    }

    /// The server's mode: `http`, `https` or `mutual`.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        self.link.settings.mode
    }

    /// The request's id in the log.
    pub(crate) fn request_id(&self) -> RequestId {
        self.request
    }

    /// The name of the backend that the connection came through: `plain`, `native-tls`, `rustls`,
    /// `openssl`, or that of the program's own ([`Server::backend`](crate::Server::backend)); `none` of a
    /// request that came over no connection ([`TestClient`](crate::TestClient)).
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.link.backend
    }

    /// The scheme that the client used to reach the server, or a trusted proxy before it
    /// ([`Server::trust`](crate::Server::trust)): `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The host, and the port if there was one, that the client used for the server, or for a trusted proxy
    /// before it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The client's address: the nearest one that is not a trusted proxy's. If a proxy hides the client's
    /// address, it is the proxy's own. IPv4 is never written as IPv6.
    #[must_use]
    pub fn client(&self) -> ClientAddr {
        self.client
    }

    /// The other end of the connection: the client or a proxy.
    #[must_use]
    pub fn remote(&self) -> RemoteAddr {
        self.link.remote
    }

    /// What the TLS handshake negotiated; `None` without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.link.tls.as_deref()
    }

    /// The client's certificate, verified; `None` if it sent none or was not asked for one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.tls()?.client_certificate.as_ref()
    }

    /// The chain that was verified: the client's certificate first, each followed by its issuer's, the trusted
    /// CA last. Every link was checked, so an app may decide by the CAs in it. Other certificates that
    /// the client sent are not in it. It is also `None` after a resumption with OpenSSL, whose tickets do not
    /// contain the chain: an app that decides by CA must reject `None`.
    #[must_use]
    pub fn chain(&self) -> Option<&[Certificate]> {
        self.tls()?.client_chain.as_deref()
    }

    /// Whether clients are asked for a certificate.
    #[must_use]
    pub fn is_asked_for_certificate(&self) -> bool {
        self.link.asks_clients
    }

    /// The fields that were removed from the request, because their sender is not trusted or they are
    /// malformed.
    #[must_use]
    pub fn ignored_headers(&self) -> &[IgnoredHeader] {
        &self.ignored
    }

    /// Why [`client`](Self::client) is believed to be the client.
    pub(crate) fn origin(&self) -> Origin {
        let Link { settings, remote, sender, .. } = &*self.link;
        settings.trust.origin(*remote, *sender, self.basis.as_ref())
    }

    /// What holds the proxies that are trusted, as people know it.
    pub(crate) fn trusted_proxies(&self) -> &'static str {
        self.link.settings.trust.names().trusted_proxies
    }

    /// The sender of the request, if a PROXY header says that it is not the other end of the connection.
    pub(crate) fn by_proxy_header(&self) -> Option<RemoteAddr> {
        let sender = self.link.sender.addr();
        (sender != self.link.remote).then_some(sender)
    }
}

/// The values that all requests of a connection share, until the client policy changes.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) settings: Arc<Settings>,
    /// What the log calls the connection.
    pub(crate) id: u64,
    /// The other end.
    pub(crate) remote: RemoteAddr,
    /// The sender of the requests.
    pub(crate) sender: Sender,
    /// The address that the client reached.
    pub(crate) local: LocalAddr,
    /// The name of the backend that accepted the connection.
    pub(crate) backend: &'static str,
    /// On the heap: it is large, and absent without TLS.
    pub(crate) tls: Option<Box<TlsInfo>>,
    /// Whether clients are asked for a certificate.
    pub(crate) asks_clients: bool,
    /// Why nothing is served here, to be answered to each request.
    pub(crate) denied: Option<String>,
}

impl Link {
    /// The values for a request without a connection.
    pub(crate) fn in_process(remote: RemoteAddr, tls: Option<TlsInfo>) -> Self {
        let certificate = tls.as_ref().and_then(|tls| tls.client_certificate.as_ref());
        let mode = match (&tls, certificate) {
            (None, _) => "http",
            (Some(_), None) => "https",
            (Some(_), Some(_)) => "mutual",
        };
        let settings = Settings { mode, ..Settings::default() };
        Self {
            id: 0,
            remote,
            sender: settings.trust.at(remote),
            settings: Arc::new(settings),
            local: LocalAddr::Tcp((Ipv4Addr::LOCALHOST, 80).into()),
            backend: "none",
            asks_clients: certificate.is_some(),
            tls: tls.map(Box::new),
            denied: None,
        }
    }

    /// Tells the log why its client is not served by `serving`.
    pub(crate) fn explain(&self, serving: &Serving, event: &Event<'_>) {
        self.settings.explain(serving, &self.local, self.sender.addr(), event);
    }

    /// What is believed of a request with `fields`, whose URL and `Host` name `host`.
    pub(crate) fn decide<'b>(
        &self,
        fields: &[Header<'b>],
        host: &'b str,
    ) -> Result<Decision<'b>, Contradiction> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.settings.trust.decide(self.sender, fields, Own { scheme, host })
    }

    /// The peer of the request `id` for `host`, without fields of proxies.
    pub(crate) fn sends(self: &Arc<Self>, id: RequestId, host: &str) -> Peer {
        Peer {
            link: Arc::clone(self),
            request: id,
            client: self.remote.client(),
            scheme: if self.tls.is_some() { "https" } else { "http" },
            host: host.to_owned(),
            basis: None,
            ignored: Vec::new(),
        }
    }

    /// The peer of the request `id`, with the decision about it.
    pub(crate) fn peer(self: &Arc<Self>, decision: Decision<'_>, id: RequestId) -> Peer {
        Peer {
            link: Arc::clone(self),
            request: id,
            client: decision.client,
            scheme: decision.scheme,
            host: decision.host.into_owned(),
            basis: decision.basis,
            ignored: decision.ignored,
        }
    }
}
