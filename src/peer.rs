use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http_types::Request;
use turnkey_backend::{Certificate, TlsInfo};

use crate::trust;

/// Who is at the other end of a request, and over what.
///
/// Handlers find it with [`Peer::of`].
#[derive(Debug, Clone)]
pub struct Peer {
    link: Arc<Link>,
    host: String,
    ignored: Vec<String>,
}

impl Peer {
    /// Who sent `request`; `None` if it did not come over a connection of a
    /// [`Server`](crate::Server).
    #[must_use]
    pub fn of(request: &Request) -> Option<&Self> {
        request.ext().get::<Self>()
    }

    /// The mode that the server runs in: `http`, `https` or `mutual`.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        self.link.mode
    }

    /// The scheme by which the client reached the server: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.link.scheme()
    }

    /// The host, and the port if one was given, by which the client called the server.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The client's address.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.link.addr.ip().to_canonical()
    }

    /// The address of the socket at the other end.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        self.link.addr
    }

    /// What was negotiated; `None` without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.link.tls.as_ref()
    }

    /// The client's certificate, verified; `None` if it sent none or was not asked for one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.tls()?.client_certificate.as_ref()
    }

    /// The fields that were removed from the request, because nobody is trusted to say what they
    /// say; in lower case.
    #[must_use]
    pub fn ignored_headers(&self) -> &[String] {
        &self.ignored
    }
}

/// What is the same for all requests of a connection.
#[derive(Debug)]
pub(crate) struct Link {
    id: u64,
    addr: SocketAddr,
    authority: String,
    mode: &'static str,
    tls: Option<TlsInfo>,
}

impl Link {
    /// `id` is what the log calls the connection, `local` the address that the client reached.
    pub(crate) fn new(
        id: u64,
        addr: SocketAddr,
        local: SocketAddr,
        mode: &'static str,
        tls: Option<TlsInfo>,
    ) -> Self {
        Self { id, addr, authority: local.to_string(), mode, tls }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// What stands in for the host when the client names none, as HTTP/1.0 may.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Who sends `request`, which names `host`; what it says without being trusted is removed.
    pub(crate) fn peer(self: &Arc<Self>, host: &str, request: &mut Request) -> Peer {
        let ignored = trust::remove_untrusted(request);
        Peer { link: Arc::clone(self), host: host.to_owned(), ignored }
    }
}
