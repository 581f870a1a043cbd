//! The OpenSSL backend.

use std::pin::Pin;

use async_openssl::SslStream;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, NameType, Ssl, SslAcceptor, SslAcceptorBuilder, SslCipherRef, SslMethod, SslOptions,
    SslRef, SslSessionCacheMode, SslVerifyMode, SslVersion, select_next_proto,
};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};
use turnkey_backend::{
    Accepted, Backend, BoxFuture, BuildError, Capabilities, Certificate, ClientPolicy,
    HandshakeError, Identity, Tcp, TlsConfig, TlsInfo, TlsVersion, TrustAnchors,
};

/// What we speak, in the wire form of ALPN (RFC 7301 §3.1).
const ALPN: &[u8] = b"\x08http/1.1\x08http/1.0";

/// Serves TLS with OpenSSL.
pub struct OpenSsl {
    acceptor: SslAcceptor,
    client_certificate_required: bool,
}

impl OpenSsl {
    /// What this backend can do.
    pub const CAPABILITIES: Capabilities = Capabilities::OPENSSL;

    /// A backend for `config`.
    pub fn new(config: &TlsConfig) -> Result<Self, BuildError> {
        let mut builder =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(setup)?;
        builder.set_min_proto_version(Some(version(config.versions.min()))).map_err(setup)?;
        builder.set_max_proto_version(Some(version(config.versions.max()))).map_err(setup)?;
        // A client that renegotiates makes the server work for nothing (CVE-2011-1473).
        builder.set_options(SslOptions::NO_RENEGOTIATION);
        builder.set_alpn_select_callback(|_, offered| {
            select_next_proto(ALPN, offered).ok_or(AlpnError::NOACK)
        });
        set_identity(&mut builder, config.identities.first())?;
        set_clients(&mut builder, &config.clients)?;
        Ok(Self {
            acceptor: builder.build(),
            client_certificate_required: matches!(config.clients, ClientPolicy::Required(_)),
        })
    }

    /// The name and version of the TLS stack.
    #[must_use]
    pub fn library() -> String {
        // `OpenSSL 3.0.19 27 Jan 2026` without its date.
        openssl::version::version().split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    async fn handshake(&self, tcp: Tcp) -> Result<Accepted, HandshakeError> {
        let ssl = Ssl::new(self.acceptor.context()).map_err(|e| HandshakeError::Tls(e.into()))?;
        let mut stream = SslStream::new(ssl, tcp).map_err(|e| HandshakeError::Tls(e.into()))?;
        if let Err(error) = Pin::new(&mut stream).accept().await {
            return Err(handshake_error(error, stream.ssl()));
        }
        let tls = tls_info(stream.ssl())?;
        // OpenSSL has checked this already; whatever it did, nobody gets past here without.
        if self.client_certificate_required
            && (tls.client_certificate.is_none()
                || stream.ssl().verify_result() != X509VerifyResult::OK)
        {
            return Err(HandshakeError::NoClientCertificate);
        }
        Ok(Accepted { stream: Box::new(stream), tls: Some(tls) })
    }
}

impl Backend for OpenSsl {
    fn accept(&self, tcp: Tcp) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(self.handshake(tcp))
    }
}

impl std::fmt::Debug for OpenSsl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSsl")
            .field("client_certificate_required", &self.client_certificate_required)
            .finish_non_exhaustive()
    }
}

fn set_identity(builder: &mut SslAcceptorBuilder, identity: &Identity) -> Result<(), BuildError> {
    let failed = |e: ErrorStack| BuildError::Identity(e.into());
    let key = PKey::private_key_from_pkcs8(identity.key().secret_pkcs8_der()).map_err(failed)?;
    let mut chain = identity.chain().iter().map(|c| X509::from_der(c.der()));
    if let Some(leaf) = chain.next() {
        let leaf = leaf.map_err(failed)?;
        // Asked for by hand: OpenSSL would drop the one that does not fit without a word.
        if !leaf.public_key().map_err(failed)?.public_eq(&key) {
            return Err(BuildError::KeyMismatch);
        }
        builder.set_certificate(&leaf).map_err(failed)?;
        builder.set_private_key(&key).map_err(failed)?;
    }
    for issuer in chain {
        builder.add_extra_chain_cert(issuer.map_err(failed)?).map_err(failed)?;
    }
    Ok(())
}

fn set_clients(builder: &mut SslAcceptorBuilder, policy: &ClientPolicy) -> Result<(), BuildError> {
    let mode = match policy {
        ClientPolicy::None => SslVerifyMode::NONE,
        ClientPolicy::Optional(_) => SslVerifyMode::PEER,
        ClientPolicy::Required(_) => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    builder.set_verify(mode);

    if let Some(clients) = policy.trust() {
        trust(builder, clients.anchors()).map_err(|e| BuildError::ClientCa(e.into()))?;
        // A resumed session skips the check of the client's certificate: one that has expired or
        // lost its CA since would still be let in.
        builder.set_session_cache_mode(SslSessionCacheMode::OFF);
        builder.set_options(SslOptions::NO_TICKET);
        builder.set_num_tickets(0).map_err(setup)?;
    }
    // Without it resumption is a fatal alert as soon as client verification is on; from the
    // policy, so that no session crosses from one to another.
    let mut digest_input = format!("{mode:?}").into_bytes();
    for certificate in policy.trust().map_or(&[][..], |trust| trust.anchors().certificates()) {
        digest_input.extend_from_slice(certificate.der());
    }
    let context = hash(MessageDigest::sha256(), &digest_input).map_err(setup)?;
    builder.set_session_id_context(&context).map_err(setup)
}

/// Accepts what `anchors` issued, an intermediate among them counting as an anchor too, as it
/// does with rustls; and tells clients whose certificates are wanted.
fn trust(builder: &mut SslAcceptorBuilder, anchors: &TrustAnchors) -> Result<(), ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    let mut names = Stack::new()?;
    for anchor in anchors.certificates() {
        let anchor = X509::from_der(anchor.der())?;
        names.push(anchor.subject_name().to_owned()?)?;
        store.add_cert(anchor)?;
    }
    builder.set_verify_cert_store(store.build())?;
    builder.set_client_ca_list(names);
    Ok(())
}

fn tls_info(ssl: &SslRef) -> Result<TlsInfo, HandshakeError> {
    let mut tls = TlsInfo::default();
    tls.version = match ssl.version2() {
        Some(SslVersion::TLS1_2) => Some(TlsVersion::Tls12),
        Some(SslVersion::TLS1_3) => Some(TlsVersion::Tls13),
        _ => None,
    };
    tls.cipher_suite =
        ssl.current_cipher().and_then(SslCipherRef::standard_name).map(str::to_owned);
    tls.alpn = ssl.selected_alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    tls.server_name = ssl.servername(NameType::HOST_NAME).map(str::to_owned);
    tls.resumed = Some(ssl.session_reused());
    if let Some(leaf) = ssl.peer_certificate() {
        let der = leaf.to_der().map_err(|e| HandshakeError::Tls(e.into()))?;
        let leaf = Certificate::from_der(&der).map_err(|e| HandshakeError::Tls(e.into()))?;
        tls.client_certificate = Some(leaf);
    }
    Ok(tls)
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::Tls12 => SslVersion::TLS1_2,
        TlsVersion::Tls13 => SslVersion::TLS1_3,
    }
}

fn setup(error: ErrorStack) -> BuildError {
    BuildError::Setup(error.into())
}

fn handshake_error(error: openssl::ssl::Error, ssl: &SslRef) -> HandshakeError {
    let verified = ssl.verify_result();
    if verified != X509VerifyResult::OK {
        return HandshakeError::Tls(verified.error_string().into());
    }
    match error.into_io_error() {
        Ok(io) => HandshakeError::Io(io),
        Err(error) if lacks_certificate(&error) => HandshakeError::NoClientCertificate,
        Err(error) => HandshakeError::Tls(error.into()),
    }
}

fn lacks_certificate(error: &openssl::ssl::Error) -> bool {
    error.ssl_error().is_some_and(|stack| {
        stack.errors().iter().any(|e| e.reason() == Some("peer did not return a certificate"))
    })
}
