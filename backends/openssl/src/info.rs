//! The negotiated values of a connection.

use openssl::ssl::{SslCipherRef, SslRef, SslVersion};
use turnkey_backend::{Certificate, HandshakeError, TlsInfo, TlsVersion};

use crate::groups;
use crate::seen::{Client, Seen};

/// The values of a client's connection after its handshake, during which `seen` was recorded.
pub(crate) fn read(ssl: &SslRef, seen: Seen) -> Result<TlsInfo, HandshakeError> {
    let mut tls = negotiated(ssl);
    tls.server_name = seen.server_name.and_then(|name| String::from_utf8(name).ok());
    // For a resumed session it is in the ticket, with the key of its issuer; the rest of the chain is not.
    let Some(leaf) = ssl.peer_certificate() else { return Ok(tls) };
    match seen.client {
        Some(Client::Verified(vouched)) if !ssl.session_reused() => tls.set_client(Some(vouched)),
        _ => {
            let der = leaf.to_der().map_err(|e| HandshakeError::Tls(e.into()))?;
            let leaf = Certificate::from_der(&der).map_err(|e| HandshakeError::Tls(e.into()))?;
            tls.client_certificate = Some(leaf);
            if let Some(bound) = seen.resumed {
                tls.client_vouched_until = bound.until;
                tls.client_issuer_key = bound.issuer;
            }
        }
    }
    Ok(tls)
}

/// The values that both servers and clients have.
pub(crate) fn negotiated(ssl: &SslRef) -> TlsInfo {
    let mut tls = TlsInfo::default();
    tls.version = match ssl.version2() {
        Some(SslVersion::TLS1_2) => Some(TlsVersion::Tls12),
        Some(SslVersion::TLS1_3) => Some(TlsVersion::Tls13),
        _ => None,
    };
    tls.cipher_suite =
        ssl.current_cipher().and_then(SslCipherRef::standard_name).map(str::to_owned);
    tls.alpn = ssl.selected_alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    tls.resumed = Some(ssl.session_reused());
    tls.key_exchange = groups::agreed(ssl);
    tls
}
