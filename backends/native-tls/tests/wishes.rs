//! What the platform's TLS stack cannot do is refused before the first client comes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod support;

use std::time::SystemTime;

use support::{Ca, config};
use turnkey_backend::{
    BuildError, ClientPolicy, Identities, OcspResponse, Resumption, TicketKey, TlsConfig,
    TlsVersion, TrustAnchors, VersionRange,
};
use turnkey_native_tls::NativeTls;

#[track_caller]
fn assert_refused(config: &TlsConfig, what: &str) {
    match NativeTls::new(config) {
        Err(BuildError::Unsupported(lacking)) => assert_eq!(lacking, what),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whether_sessions_are_resumed_is_left_to_it() {
    for resumption in [Resumption::On, Resumption::Off] {
        let config = TlsConfig { resumption, ..config(Ca::new().identity("localhost")) };
        NativeTls::new(&config).unwrap();
    }
}

#[test]
fn shared_ticket_keys() {
    let resumption = Resumption::Shared(TicketKey::new(&[7; 80]).unwrap());
    let config = TlsConfig { resumption, ..config(Ca::new().identity("localhost")) };
    assert_refused(&config, "resumption control");
}

#[test]
fn a_second_identity() {
    let ca = Ca::new();
    let identities = Identities::new(ca.identity("one.test"), [ca.identity("two.test")]).unwrap();
    let config = TlsConfig { identities, ..config(ca.identity("localhost")) };
    assert_refused(&config, "several identities, by the name that a client asks for");
}

#[test]
fn clients_with_certificates() {
    let ca = Ca::new();
    let anchors = TrustAnchors::from_pem(ca.pem().as_bytes(), SystemTime::now()).unwrap();
    for clients in [ClientPolicy::Required, ClientPolicy::Optional] {
        let clients = clients(anchors.clone().into());
        let config = TlsConfig { clients, ..config(ca.identity("localhost")) };
        assert_refused(&config, "client certificates");
    }
}

#[test]
fn nothing_older_than_tls_1_3() {
    let versions = VersionRange::new(TlsVersion::Tls13, TlsVersion::Tls13).unwrap();
    let config = TlsConfig { versions, ..config(Ca::new().identity("localhost")) };
    assert_refused(&config, "TLS 1.3");
}

#[test]
fn a_stapled_response() {
    let ca = Ca::new();
    let identity = ca.identity("localhost");
    let response = OcspResponse::from_der(&ca.ocsp_response(&identity)).unwrap();
    let stapled = identity.with_ocsp(&response, SystemTime::now()).unwrap();
    assert_refused(&config(stapled), "OCSP stapling");
    NativeTls::new(&config(identity)).unwrap();
}
