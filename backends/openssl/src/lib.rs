//! The OpenSSL backend.
//!
//! There is one context for each listener. Identities are set on the connection, so that the client policy, the
//! session tickets and everything else are the same for every name. (A policy for each name can be bypassed:
//! CVE-2025-23419.)
//!
//! On systems where OpenSSL is not the TLS stack, the crate is empty without its feature `everywhere`.

#![cfg(any(feature = "everywhere", not(any(target_os = "windows", target_vendor = "apple"))))]

mod again;
mod clients;
mod connector;
mod context;
mod groups;
mod identities;
mod info;
mod refusal;
mod seen;
mod sessions;
mod stream;
mod verify;

use openssl::error::ErrorStack;
use openssl::ssl::{NameType, Ssl, SslContext, SslRef};
use turnkey_backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, Certificate,
    ClientPolicy, EstablishedStream, Fault, HandshakeError, HandshakeIo, Identities, Refused,
    Socket, TlsConfig, TlsStream, Vouched,
};
use turnkey_openssl_errors::{handshake_error, is_bad_signature};

use self::again::Again;
pub use self::connector::OpenSslConnector;
use self::seen::Seen;
use self::stream::OpenSslSession;

/// Serves TLS with OpenSSL.
pub struct OpenSsl {
    context: SslContext,
    identities: Identities,
    clients: ClientPolicy,
    /// `None` if clients are not asked for certificates.
    again: Option<Again>,
}

impl OpenSsl {
    /// What this backend can do.
    pub const CAPABILITIES: Capabilities = Capabilities {
        name: "openssl",
        tls: true,
        client_certificates: true,
        tls13: true,
        sni: true,
        crl: true,
        alpn: true,
        resumption_control: true,
        ocsp: true,
        partial_chain: true,
        self_signed_upstreams: true,
        x509_v1: true,
        name_constraints: true,
        ed25519: true,
        ed448: true,
        max_rsa_bits: 16_384,
    };

    /// A backend for `config`.
    pub fn new(config: &TlsConfig) -> Result<Self, BuildError> {
        let (context, again) = context::build(config)?;
        Ok(Self {
            context,
            again,
            identities: config.identities.clone(),
            clients: config.clients.clone(),
        })
    }

    /// The name and version of the TLS stack.
    #[must_use]
    pub fn library() -> String {
        // `OpenSSL 3.0.19 27 Jan 2026` without its date.
        openssl::version::version().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    async fn handshake(&self, socket: Socket) -> Result<Accepted, HandshakeError> {
        let ssl = self.connection().map_err(handshake_error)?;
        let (below, progress) = HandshakeIo::new(socket);
        let mut session = OpenSslSession::new(ssl, below).map_err(handshake_error)?;
        if let Err(error) = session.accept().await {
            return Err(self.explain(error, session.ssl()));
        }
        // It is taken from the connection, to keep idle connections small.
        let tls = info::read(session.ssl(), Seen::take(session.ssl()))?;
        progress.hold_tickets(tls.version);
        if tls.client_certificate.is_some() {
            verify::confirm(session.ssl())?;
        }
        let stream = TlsStream(session);
        Ok(Accepted { stream: Box::new(EstablishedStream::new(stream, progress)), tls: Some(tls) })
    }

    fn connection(&self) -> Result<Ssl, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        Seen::attach(&mut ssl)?;
        Ok(ssl)
    }

    /// Our certificate that the client got.
    fn shown(&self, ssl: &SslRef) -> Certificate {
        let chosen = self.identities.choose(ssl.servername(NameType::HOST_NAME));
        let chosen = self.identities.all().get(chosen).unwrap_or(self.identities.first());
        chosen.leaf().clone()
    }

    /// OpenSSL's result for the client's certificate has more information than its error.
    fn explain(&self, error: openssl::ssl::Error, ssl: &SslRef) -> HandshakeError {
        let seen = Seen::take(ssl);
        match seen.verified_leaf() {
            Some(leaf) if is_bad_signature(&error) => {
                return Refused::new(leaf.clone(), Fault::BadSignature).into();
            }
            _ => {}
        }
        match seen.refused() {
            Some(refused) => refused.into(),
            None => handshake_error(error).having_shown(self.shown(ssl)),
        }
    }
}

impl Backend for OpenSsl {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(self.handshake(socket))
    }

    fn verify_again(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
    ) -> Result<Option<Vouched>, HandshakeError> {
        self.again.as_ref().map(|again| again.verify(leaf, others)).transpose()
    }
}

impl std::fmt::Debug for OpenSsl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSsl").field("clients", &self.clients).finish_non_exhaustive()
    }
}

/// Builds [`OpenSsl`].
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenSslFactory;

impl BackendFactory for OpenSslFactory {
    fn capabilities(&self) -> Capabilities {
        OpenSsl::CAPABILITIES
    }

    fn library(&self) -> String {
        OpenSsl::library()
    }

    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(OpenSsl::new(config)?))
    }
}

fn setup(error: ErrorStack) -> BuildError {
    BuildError::Setup(error.into())
}
