//! Tests with faults that no real backend has.

#![cfg(feature = "pki")]

use std::time::SystemTime;

use turnkey::backend::{Accepted, Backend, BoxFuture, HandshakeError, Socket};
use turnkey::tls::ClientTrust;
use turnkey::{Mode, Tls};

use super::*;
use crate::pki;

/// A backend for a generated identity.
fn built() -> (Built, Identity) {
    let identity = pki::adhoc(&[], SystemTime::now()).unwrap();
    let built = Mode::Https(identity.clone()).build(&Tls::default()).unwrap();
    (built, identity)
}

fn codes(serving: Serving<'_>, identity: &Identity) -> Vec<(Severity, &'static str)> {
    let mut findings = Vec::new();
    let served = [Served::adhoc(identity.clone())];
    try_out(serving, &served, None, &[], &mut findings);
    findings.iter().map(|finding| (finding.severity, finding.code)).collect()
}

#[test]
fn what_is_served_is_shown() {
    let (built, identity) = built();
    assert_eq!(codes((&built).into(), &identity), [(Severity::Ok, "handshake")]);
}

#[test]
fn another_certificate_than_the_one_that_was_read() {
    let ((built, _), (_, other)) = (built(), built());
    let codes = codes((&built).into(), &other);
    assert_eq!(codes[0], (Severity::Warning, "handshake-chain"), "{codes:?}");
}

/// The backend asks nobody for a certificate, so the server decides.
#[test]
fn a_policy_that_the_backend_does_not_keep() {
    let (built, identity) = built();
    let made = pki::adhoc_mutual(&[], SystemTime::now()).unwrap();
    let clients = ClientPolicy::Required(ClientTrust::new(made.anchors));
    let codes = codes(Serving { backend: built.backend(), clients: &clients }, &identity);
    assert_eq!(codes[0], (Severity::Ok, "handshake-refuses"), "{codes:?}");
}

/// Accepts a connection, and never responds.
#[derive(Debug)]
struct Silent;

impl Backend for Silent {
    fn accept(&self, _: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn a_handshake_that_does_not_end() {
    let (_, identity) = built();
    let start = Instant::now();
    let client = Client::new(None).unwrap();
    let name = name_of(identity.leaf(), true).unwrap();
    let silent = Serving { backend: &Silent, clients: &ClientPolicy::None };
    let outcome = client.shake_hands(silent, &name, start + Duration::from_millis(200)).unwrap();
    assert_eq!(outcome.refusal.unwrap().text, "it takes too long");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn names_to_ask_for() {
    let (_, identity) = built();
    assert_eq!(name_of(identity.leaf(), false).unwrap().to_str(), "localhost");
    let client = pki::adhoc_mutual(&[], SystemTime::now()).unwrap();
    let client = std::fs::read(client.client).unwrap();
    let client = Identity::from_pem(&client, &client, None, SystemTime::now()).unwrap();
    assert_eq!(name_of(client.leaf(), true).unwrap().to_str(), LOOPBACK, "it has no host");
    assert!(name_of(client.leaf(), false).is_none());
}
