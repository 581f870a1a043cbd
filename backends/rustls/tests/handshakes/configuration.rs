//! What a backend is built from, and what it does not take.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::PrivatePkcs8KeyDer;
use turnkey_backend::{
    BuildError, ClientPolicy, ConnectConfig, ConnectError, Connector as _, Identity,
    RevocationList, Socket, TlsConfig, TlsVersion, TrustAnchors, VersionRange,
};
use turnkey_rustls::{Rustls, RustlsConnector};

use crate::client::{Site, VERSIONS, client, meet};
use crate::pki::Ca;

/// An identity whose key is not its own, and does not say so.
pub(crate) fn with_anothers_key() -> Identity {
    let [own, other] = [(), ()].map(|()| KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let params = CertificateParams::new(vec!["bad.test".to_owned()]).unwrap();
    let leaf = params.self_signed(&own).unwrap().der().clone();
    // Version 2 of PKCS#8 states the public key; version 1 ends before it (RFC 8410 §7).
    let mut key = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    key.extend(&other.serialize_der()[16..48]);
    Identity::from_der(vec![leaf], PrivatePkcs8KeyDer::from(key), SystemTime::now()).unwrap()
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let site = Site { ca: Ca::root("unused"), identities: with_anothers_key().into() };
    let error = Rustls::new(&site.config(ClientPolicy::None)).unwrap_err();
    assert!(matches!(error, BuildError::KeyMismatch), "{error}");
}

/// The certificate of a CA that names one algorithm within its signature and another beside it.
fn odd_ca() -> TrustAnchors {
    const ECDSA_WITH_SHA256: &[u8] = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let mut der = Ca::root("odd").der.to_vec();
    let at = der.windows(ECDSA_WITH_SHA256.len()).rposition(|bytes| bytes == ECDSA_WITH_SHA256);
    der[at.unwrap() + ECDSA_WITH_SHA256.len() - 1] = 3;
    TrustAnchors::from_pem(&der, SystemTime::now()).unwrap()
}

#[test]
fn a_ca_that_rustls_does_not_read_is_refused() {
    let (site, anchors) = (Site::new(), odd_ca());
    let policy = ClientPolicy::Required(anchors.clone().into());
    let error = Rustls::new(&site.config(policy)).unwrap_err();
    assert!(matches!(error, BuildError::ClientCa(_)), "{error}");
    let error = RustlsConnector::new(&ConnectConfig { anchors: Some(anchors), identity: None });
    let error = error.unwrap_err();
    assert!(matches!(error, BuildError::ServerCa(_)), "{error}");
}

#[test]
fn a_server_is_not_asked_for_what_is_no_name() {
    let ca = Ca::root("the upstream's CA");
    let config = ConnectConfig { anchors: Some(ca.anchors()), identity: None };
    let connector = RustlsConnector::new(&config).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = Socket::tcp(tcp).unwrap();
    let error = smol::block_on(connector.connect(socket, "no name")).err().unwrap();
    assert!(matches!(&error, ConnectError::Name(name) if name == "no name"), "{error}");
}

#[test]
fn http_1_1_and_1_0_are_agreed_on() {
    let site = Site::new();
    let backend = site.backend(ClientPolicy::None);
    for version in VERSIONS {
        let offers = |protocols: &[&str]| {
            let mut config = Arc::unwrap_or_clone(client(&site.ca, None, version));
            config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
            meet(&backend, &Arc::new(config))
        };
        assert_eq!(offers(&[]).info().alpn, None);
        assert_eq!(offers(&["h2", "http/1.1"]).info().alpn.as_deref(), Some("http/1.1"));
        assert_eq!(offers(&["http/1.0"]).info().alpn.as_deref(), Some("http/1.0"));
        let (_, alert) = offers(&["h2"]).refusal();
        assert_eq!(alert, rustls::AlertDescription::NoApplicationProtocol);
    }
}

#[test]
fn the_range_of_versions_is_kept_to() {
    let site = Site::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let versions = VersionRange::new(version, version).unwrap();
        let config = TlsConfig { versions, ..site.config(ClientPolicy::None) };
        let backend = Rustls::new(&config).unwrap();
        for (offered, name) in VERSIONS.into_iter().zip([TlsVersion::Tls12, TlsVersion::Tls13]) {
            let met = meet(&backend, &client(&site.ca, None, offered));
            if name == version {
                assert_eq!(met.info().version, Some(version));
            } else {
                let (_, alert) = met.refusal();
                assert_eq!(alert, rustls::AlertDescription::ProtocolVersion);
            }
        }
    }
}

/// A list without a version, and with one moment or two, that nobody has signed.
fn list(due: bool) -> RevocationList {
    let algorithm = tlv(0x30, &[&tlv(0x06, &[b"\x2a\x86\x48\xce\x3d\x04\x03\x02"])]);
    let name = tlv(0x06, &[b"\x55\x04\x03"]);
    let name = tlv(0x31, &[&tlv(0x30, &[&name, &tlv(0x0c, &[b"odd"])])]);
    let moment = tlv(0x17, &[b"260101000000Z"]);
    let due = if due { moment.clone() } else { Vec::new() };
    let version = if due.is_empty() { tlv(0x02, &[&[1]]) } else { Vec::new() };
    let body = tlv(0x30, &[&version, &algorithm, &tlv(0x30, &[&name]), &moment, &due]);
    let signature = tlv(0x03, &[&[0, 1, 2, 3]]);
    RevocationList::from_der(&tlv(0x30, &[&body, &algorithm, &signature])).unwrap()
}

/// DER with a short length or a long one.
pub(crate) fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match (high, low) {
        (0, 0..0x80) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag], &length[..], &content].concat()
}

/// webpki reads neither.
#[test]
fn lists_of_any_age_are_taken() {
    let (site, ca) = (Site::new(), Ca::root("the clients' CA"));
    for due in [true, false] {
        let trust = ca.trust().revocation_lists(vec![ca.list(&[]), list(due)]);
        Rustls::new(&site.config(ClientPolicy::Required(trust))).unwrap();
    }
}
