//! What was negotiated.

use openssl::ssl::{NameType, SslCipherRef, SslRef, SslVersion};
use turnkey_backend::{
    Certificate, ClientPolicy, ClientTrust, HandshakeError, TlsInfo, TlsVersion,
};

use crate::groups;

/// Reads it from a client's connection whose handshake is done.
pub(crate) fn read(ssl: &SslRef, clients: &ClientPolicy) -> Result<TlsInfo, HandshakeError> {
    let mut tls = negotiated(ssl);
    // The case of a name means nothing (RFC 4343), and rustls hands it on like this too.
    tls.server_name = ssl.servername(NameType::HOST_NAME).map(str::to_ascii_lowercase);
    // Of a resumed session it is in the ticket; the rest of the chain is not.
    if let Some(leaf) = ssl.peer_certificate() {
        let der = leaf.to_der().map_err(|e| HandshakeError::Tls(e.into()))?;
        let leaf = Certificate::from_der(&der).map_err(|e| HandshakeError::Tls(e.into()))?;
        tls.client_chain = clients.trust().and_then(|trust| chain(ssl, &leaf, trust));
        tls.client_certificate = Some(leaf);
    }
    Ok(tls)
}

/// Reads what a server and a client both know of a connection.
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

/// The chain that was verified in this handshake; one that resumes a session verifies none.
fn chain(ssl: &SslRef, leaf: &Certificate, trust: &ClientTrust) -> Option<Vec<Certificate>> {
    // What stands in memory already need not stand there once more for each connection.
    let known = || trust.anchors().certificates().iter().chain([leaf]);
    let chain = ssl.verified_chain()?.iter().map(|x509| {
        let der = x509.to_der().ok()?;
        let found = known().find(|known| known.der()[..] == der[..]).cloned();
        found.or_else(|| Certificate::from_der(&der).ok())
    });
    chain.collect::<Option<Vec<_>>>().filter(|chain| !chain.is_empty())
}
