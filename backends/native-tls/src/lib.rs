//! The native-tls backend: the TLS stack of the operating system (OpenSSL on Linux and the BSDs, Secure Transport on
//! macOS, `SChannel` on Windows).
//!
//! [`NativeTls::CAPABILITIES`] says what it lacks. The program checks that before it builds one, so a client
//! policy or TLS 1.3 is rejected earlier.

mod clean;
mod connector;
mod errors;
mod session;

use std::fmt;

use async_native_tls::TlsAcceptor;
use native_tls::Protocol;
use turnkey_backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, Certificate,
    EstablishedStream, HandshakeError, HandshakeIo, Identity, Resumption, Socket, TlsConfig,
    TlsInfo, TlsVersion, Vouched,
};

use self::clean::Clean;
pub use self::connector::NativeTlsConnector;
use self::errors::handshake_error;

/// Whether the operating system's stack is OpenSSL.
const IS_OPENSSL: bool = cfg!(not(any(target_os = "windows", target_vendor = "apple")));

/// Serves TLS with the operating system's stack.
pub struct NativeTls {
    acceptor: TlsAcceptor,
    /// Known only if a single version is possible: native-tls does not report the negotiated one.
    version: Option<TlsVersion>,
}

impl NativeTls {
    /// What this backend can do. Client certificates for servers are an open issue upstream (rust-native-tls#161). On
    /// Linux its acceptor forbids TLS 1.3, and macOS has none.
    pub const CAPABILITIES: Capabilities = Capabilities {
        name: "native-tls",
        tls: true,
        self_signed_upstreams: true,
        x509_v1: true,
        name_constraints: IS_OPENSSL,
        ed25519: IS_OPENSSL,
        ed448: IS_OPENSSL,
        max_rsa_bits: 16_384,
        ..Capabilities::NONE
    };

    /// A backend for `config`, which needs nothing outside [`Self::CAPABILITIES`].
    pub fn new(config: &TlsConfig) -> Result<Self, BuildError> {
        if let Some(what) = lacking(config) {
            return Err(BuildError::Unsupported(what));
        }
        // `Identity` guarantees the match if the key states its public half. This covers the other keys, since
        // native-tls would silently drop the certificate.
        #[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
        check_key(config.identities.first())?;

        let acceptor =
            native_tls::TlsAcceptor::builder(native_identity(config.identities.first())?)
                .min_protocol_version(Some(Protocol::Tlsv12))
                // No maximum: the platform may support later versions.
                .max_protocol_version(None)
                .build()
                .map_err(|e| BuildError::Setup(e.into()))?;
        let only = cfg!(not(target_os = "windows")).then_some(TlsVersion::Tls12);
        Ok(Self { acceptor: acceptor.into(), version: only })
    }

    /// The name and version of the TLS stack, as the platform reports it.
    #[must_use]
    pub fn library() -> String {
        #[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
        return short_version(openssl::version::version());
        #[cfg(target_vendor = "apple")]
        return "Secure Transport".to_owned();
        #[cfg(target_os = "windows")]
        return "SChannel".to_owned();
    }
}

/// Not all stacks implement `Debug` for their acceptors.
impl fmt::Debug for NativeTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeTls").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Backend for NativeTls {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        // async-native-tls accepts the connection. The wrappers add what it lacks:
        // - `HandshakeIo` collects what a handshake writes, so that a flight is one segment. async-native-tls writes
        //   each piece at once.
        // - `HandshakeIo` reads ahead, since OpenSSL reads a record in two pieces, with a system call each.
        // - `EstablishedStream` rejects an end without `close_notify`, which async-native-tls accepts.
        // - `Clean` empties OpenSSL's queue of errors. async-native-tls leaves errors of other connections there, and
        //   they would be taken for this connection's.
        // Its `poll_close` sends `close_notify` and leaves the socket open, as the server needs: it shuts the socket
        // down itself, after it has read what the client still sends.
        Box::pin(async {
            let (below, progress) = HandshakeIo::new(socket);
            let stream = self.acceptor.accept(below).await.map_err(handshake_error)?;
            let mut tls = TlsInfo::default();
            tls.version = self.version;
            Ok(Accepted {
                stream: Box::new(EstablishedStream::new(Clean(stream), progress)),
                tls: Some(tls),
            })
        })
    }

    /// Clients are not asked for certificates.
    fn verify_again(
        &self,
        _: &Certificate,
        _: &[Certificate],
    ) -> Result<Option<Vouched>, HandshakeError> {
        Ok(None)
    }
}

/// Builds [`NativeTls`].
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeTlsFactory;

impl BackendFactory for NativeTlsFactory {
    fn capabilities(&self) -> Capabilities {
        NativeTls::CAPABILITIES
    }

    fn library(&self) -> String {
        NativeTls::library()
    }

    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(NativeTls::new(config)?))
    }
}

/// The first requirement that is not supported. The platform decides whether sessions are resumed:
/// [`Resumption::On`] and [`Resumption::Off`] are the defaults, not requirements.
fn lacking(config: &TlsConfig) -> Option<&'static str> {
    let identities = config.identities.all();
    let wishes = [
        (!config.clients.is_none(), "client certificates"),
        (config.versions.min() > TlsVersion::Tls12, "TLS 1.3"),
        (identities.len() > 1, "several identities, by the name that a client asks for"),
        (matches!(config.resumption, Resumption::Shared(_)), "resumption control"),
        (identities.iter().any(Identity::is_stapled), "OCSP stapling"),
    ];
    wishes.into_iter().find(|(asked, _)| *asked).map(|(_, what)| what)
}

/// The identity in the format that works on the platform.
///
/// With OpenSSL that is PEM, because `from_pkcs12` sends two or more intermediates in reversed order there
/// (rust-native-tls#281). Elsewhere it is PKCS#12, because `from_pkcs8` does not accept EC keys. Remove the
/// difference when #281 is closed.
#[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
fn native_identity(identity: &Identity) -> Result<native_tls::Identity, BuildError> {
    native_tls::Identity::from_pkcs8(identity.chain_pem().as_bytes(), identity.key_pem().as_bytes())
        .map_err(|e| BuildError::Identity(e.into()))
}

#[cfg(any(target_os = "windows", target_vendor = "apple"))]
fn native_identity(identity: &Identity) -> Result<native_tls::Identity, BuildError> {
    // The PKCS#12 data stays in memory, between two libraries of one process: its password protects nothing.
    const PASSWORD: &str = "turnkey";
    let pkcs12 = identity.to_pkcs12(PASSWORD).map_err(|e| BuildError::Identity(e.into()))?;
    native_tls::Identity::from_pkcs12(&pkcs12, PASSWORD).map_err(|e| BuildError::Identity(e.into()))
}

#[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
fn check_key(identity: &Identity) -> Result<(), BuildError> {
    use openssl::{pkey::PKey, x509::X509};

    let failed = |e: openssl::error::ErrorStack| BuildError::Identity(e.into());
    let certificate = X509::from_der(identity.leaf().der()).map_err(failed)?;
    let public = certificate.public_key().map_err(failed)?;
    let private =
        PKey::private_key_from_pkcs8(identity.key().secret_pkcs8_der()).map_err(failed)?;
    if public.public_eq(&private) { Ok(()) } else { Err(BuildError::KeyMismatch) }
}

/// `OpenSSL 3.0.19 27 Jan 2026` without its date.
#[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
fn short_version(version: &str) -> String {
    version.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
