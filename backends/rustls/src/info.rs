//! The negotiated values of a connection.

use rustls::{CommonState, HandshakeKind, NamedGroup, ProtocolVersion};
use turnkey_backend::{TlsInfo, TlsVersion};

/// The values that both servers and clients have.
pub(crate) fn negotiated(session: &CommonState) -> TlsInfo {
    let mut tls = TlsInfo::default();
    tls.version = session.protocol_version().and_then(|v| match v {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    });
    tls.cipher_suite =
        session.negotiated_cipher_suite().map(|s| suite_name(&format!("{:?}", s.suite())));
    tls.key_exchange =
        session.negotiated_key_exchange_group().map(|group| group_name(group.name()));
    tls.alpn = session.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    tls.resumed = session.handshake_kind().map(|k| k == HandshakeKind::Resumed);
    tls
}

/// rustls calls the suites of TLS 1.3 `TLS13_…`; their registered names begin with `TLS_`.
fn suite_name(suite: &str) -> String {
    match suite.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => suite.to_owned(),
    }
}

/// rustls uses the registered names of the groups, except the case of this one.
fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::X25519 => "x25519".to_owned(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::provider;

    #[test]
    fn suites_have_their_registered_names() {
        assert_eq!(suite_name("TLS13_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
        let tls12 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
        assert_eq!(suite_name(tls12), tls12);
    }

    #[test]
    fn groups_have_their_registered_names() {
        let names: Vec<_> = provider().kx_groups.iter().map(|g| group_name(g.name())).collect();
        assert_eq!(names, ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"]);
    }
}
