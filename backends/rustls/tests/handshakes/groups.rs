//! The groups that keys are exchanged in.

use std::sync::Arc;

use rustls::NamedGroup;
use rustls::crypto::aws_lc_rs::kx_group::{MLKEM768, SECP256R1, SECP384R1, X25519, X25519MLKEM768};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use turnkey_backend::{ClientPolicy, ConnectConfig, Connector as _, Resumption, Socket};
use turnkey_rustls::{Rustls, RustlsConnector};

use crate::client::{Met, Site, VERSIONS, client, client_with, connect, meet, provider, serve_one};

/// A client that offers just these, the first one with a key.
fn meet_offering(
    site: &Site,
    backend: &Rustls,
    version: usize,
    offered: &[&'static dyn SupportedKxGroup],
) -> Met {
    let provider = CryptoProvider { kx_groups: offered.to_vec(), ..(*provider()).clone() };
    meet(backend, &client_with(Arc::new(provider), &site.ca, None, VERSIONS[version]))
}

/// What both sides say that was agreed on.
#[track_caller]
fn assert_agreed(met: Met, group: Option<NamedGroup>, name: Option<&str>) {
    let theirs = met.client.as_ref().expect("the client is content");
    assert_eq!(theirs.negotiated_key_exchange_group().map(SupportedKxGroup::name), group);
    assert_eq!(met.info().key_exchange.as_deref(), name);
}

#[test]
fn the_first_of_the_clients_that_we_have_is_agreed_on() {
    let site = Site::new();
    let backend = site.backend(ClientPolicy::None);
    for (offered, group, name) in [
        (&[X25519][..], NamedGroup::X25519, "x25519"),
        (&[SECP256R1], NamedGroup::secp256r1, "secp256r1"),
        (&[SECP384R1], NamedGroup::secp384r1, "secp384r1"),
        (&[X25519MLKEM768], NamedGroup::X25519MLKEM768, "X25519MLKEM768"),
        (&[X25519MLKEM768, X25519], NamedGroup::X25519MLKEM768, "X25519MLKEM768"),
        // The server does not have the first, which the client sends a key for.
        (&[MLKEM768, X25519MLKEM768, X25519], NamedGroup::X25519MLKEM768, "X25519MLKEM768"),
        (&[MLKEM768, X25519, SECP256R1], NamedGroup::X25519, "x25519"),
    ] {
        assert_agreed(meet_offering(&site, &backend, 1, offered), Some(group), Some(name));
    }
    // TLS 1.2 has no hybrid one.
    let met = meet_offering(&site, &backend, 0, &[X25519MLKEM768, X25519]);
    assert_agreed(met, Some(NamedGroup::X25519), Some("x25519"));
    let met = meet_offering(&site, &backend, 0, &[SECP256R1]);
    assert_agreed(met, Some(NamedGroup::secp256r1), Some("secp256r1"));
}

#[test]
fn our_own_connector_and_server_agree_on_the_hybrid_one() {
    let site = Site::new();
    let config = ConnectConfig { anchors: Some(site.ca.anchors()), identity: None };
    let connector = RustlsConnector::new(&config).unwrap();
    let (server, client) = serve_one(&site.backend(ClientPolicy::None), |address| {
        let socket = Socket::tcp(connect(address)).unwrap();
        smol::block_on(connector.connect(socket, "localhost")).unwrap().tls
    });
    for tls in [server.unwrap(), client] {
        assert_eq!(tls.key_exchange.as_deref(), Some("X25519MLKEM768"));
        assert_eq!(tls.version.unwrap().number(), "1.3");
        assert_eq!(tls.resumed, Some(false));
    }
}

#[test]
fn a_resumed_session_has_the_one_that_it_exchanged_keys_in() {
    let site = Site::new();
    let backend = site.backend_with(ClientPolicy::None, Resumption::On);
    for (version, exchanged) in VERSIONS.into_iter().zip([None, Some("x25519")]) {
        let client = client(&site.ca, None, version);
        assert!(!meet(&backend, &client).resumed());
        let again = meet(&backend, &client);
        assert!(again.resumed());
        assert_eq!(again.info().key_exchange.as_deref(), exchanged);
    }
}
