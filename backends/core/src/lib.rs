//! The boundary between turnkey and its backends.
//!
//! A *backend* turns an accepted connection into the byte stream that HTTP is spoken over:
//! the plain one returns the connection itself, the others do a TLS handshake first. This crate contains
//! the [`Backend`] trait, what it yields, and the inputs that every TLS backend is built from:
//! [`Identities`], a [`ClientPolicy`], a range of protocol versions, each valid once it exists.
//!
//! Deadlines, connection limits and logging are outside the trait, in one place for all backends.

mod allow;
mod backend;
mod capabilities;
mod certificate;
mod chain;
mod connector;
mod distinguished_name;
mod established_stream;
mod factory;
mod found;
mod glob;
mod handshake_error;
mod handshake_io;
mod identities;
mod identity;
mod issuers;
#[cfg(test)]
mod loopback;
mod ocsp;
pub mod pem;
mod policy;
mod polled;
mod read_ahead;
mod resumption;
mod revocation;
mod scope;
pub mod time;
mod tls;
mod vouched;
mod x509_fault;

pub use allow::{AllowRules, CommonNameRule, SanKind, SanRule};
pub use backend::{Accepted, Backend, BoxFuture, BuildError, Stream};
pub use capabilities::Capabilities;
pub use certificate::{Certificate, CertificateError, KeyKind};
pub use chain::chain_fault;
pub use connector::{ConnectConfig, ConnectError, Connected, Connector};
pub use established_stream::EstablishedStream;
pub use factory::BackendFactory;
pub use found::Found;
pub use handshake_error::{Alert, Common, Fault, HandshakeError, Refused};
pub use handshake_io::{HandshakeIo, HandshakeProgress};
pub use identities::{DuplicateName, Identities};
pub use identity::{Identity, IdentityError, Part};
pub use issuers::{AllowedIssuers, IssuerKey};
pub use ocsp::{OcspError, OcspResponse};
pub use policy::{ClientPolicy, ClientTrust, PolicyError, TrustAnchors};
pub use polled::{Polled, Session, TlsStream};
pub use resumption::{Resumption, TicketKey};
pub use revocation::{RevocationList, RevocationListError};
pub use rustls_pki_types as pki_types;
pub use tls::{TlsConfig, TlsInfo, TlsVersion, VersionRange};
pub use turnkey_reactor::{Acceptor, Incoming, Reactor, Socket, Timer};
pub use vouched::{Signed, Vouched};
