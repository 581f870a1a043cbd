//! What was negotiated.

use openssl::ssl::{NameType, SslCipherRef, SslRef, SslVersion};
use turnkey_backend::{Certificate, HandshakeError, TlsInfo, TlsVersion};

/// Reads it from a connection whose handshake is done.
pub(crate) fn read(ssl: &SslRef) -> Result<TlsInfo, HandshakeError> {
    let mut tls = TlsInfo::default();
    tls.version = match ssl.version2() {
        Some(SslVersion::TLS1_2) => Some(TlsVersion::Tls12),
        Some(SslVersion::TLS1_3) => Some(TlsVersion::Tls13),
        _ => None,
    };
    tls.cipher_suite =
        ssl.current_cipher().and_then(SslCipherRef::standard_name).map(str::to_owned);
    tls.alpn = ssl.selected_alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    // The case of a name means nothing (RFC 4343), and rustls hands it on like this too.
    tls.server_name = ssl.servername(NameType::HOST_NAME).map(str::to_ascii_lowercase);
    tls.resumed = Some(ssl.session_reused());
    // Of a resumed session it is in the ticket; the rest of the chain is not.
    if let Some(leaf) = ssl.peer_certificate() {
        let der = leaf.to_der().map_err(|e| HandshakeError::Tls(e.into()))?;
        let leaf = Certificate::from_der(&der).map_err(|e| HandshakeError::Tls(e.into()))?;
        tls.client_certificate = Some(leaf);
    }
    Ok(tls)
}
