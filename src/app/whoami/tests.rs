//! The page claims nothing that this end of a connection cannot know.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http_types::StatusCode;
use httparse::Header;
use rcgen::{CertificateParams, DnType, KeyPair};
use turnkey_backend::{Certificate, TlsInfo, TlsVersion};

use super::{json, page};
use crate::common::request_id::RequestId;
use crate::peer::settings::Settings;
use crate::peer::trust::Trust;
use crate::peer::{Link, Peer};

const CLIENT: &str = "192.0.2.7:5000";
const PROXY: &str = "10.0.0.5:5000";

/// Who sends a request with `fields` from `address`; the proxies in 10.0.0.0/8 are trusted.
fn peer(address: &str, fields: &[(&str, &str)], tls: Option<TlsInfo>) -> Peer {
    let remote: SocketAddr = address.parse().unwrap();
    let trust = Trust::new("10.0.0.0/8".parse().unwrap(), false);
    let asks_clients = tls.is_some();
    let in_process = Link::in_process(remote.into(), tls);
    let link = Link {
        sender: trust.at(remote),
        settings: Arc::new(Settings { trust: Arc::new(trust), ..Settings::default() }),
        backend: "rustls",
        asks_clients,
        ..in_process
    };
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
    let decision = link.decide(&fields, "localhost").unwrap();
    Arc::new(link).peer(decision, RequestId { connection: 1, number: 1 })
}

/// Everything that a stack can report, for a client called Alice.
fn told() -> TlsInfo {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Alice");
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let mut tls = TlsInfo::default();
    tls.version = Some(TlsVersion::Tls13);
    tls.cipher_suite = Some("TLS_AES_128_GCM_SHA256".to_owned());
    tls.key_exchange = Some("X25519MLKEM768".to_owned());
    tls.resumed = Some(false);
    tls.client_certificate = Some(Certificate::from_der(certificate.der()).unwrap());
    tls
}

fn markup(peer: &Peer) -> String {
    let mut response = page::of(peer, SystemTime::now()).response(StatusCode::Ok);
    smol::block_on(response.body_string()).unwrap()
}

#[track_caller]
fn assert_says(peer: &Peer, says: &[&str], not: &[&str]) {
    let markup = markup(peer);
    for said in says {
        assert!(markup.contains(said), "no {said:?} in {markup}");
    }
    for said in not {
        assert!(!markup.contains(said), "{said:?} in {markup}");
    }
}

#[test]
fn without_tls_nobody_has_proved_anything() {
    let clear = "This connection is in the clear: whoever is on the way can read along";
    assert_says(&peer(CLIENT, &[], None), &[clear], &["You came"]);
    // The client may have used HTTPS to this proxy, which does not say so.
    assert_says(&peer(PROXY, &[], None), &[clear], &["You came"]);
    // The field of an untrusted client.
    let forged = peer(CLIENT, &[("X-Forwarded-Proto", "https")], None);
    assert_says(&forged, &[clear], &["HTTPS"]);
}

#[test]
fn https_before_a_proxy_is_the_proxys_word() {
    let proxied = peer(PROXY, &[("X-Forwarded-Proto", "https")], None);
    let says = [
        "A proxy that this server trusts says that you came to it by HTTPS.",
        "None: the connection to this server is in the clear.",
        "None: certificates are shown in TLS only.",
    ];
    assert_says(&proxied, &says, &["This connection is encrypted"]);
    assert!(json::of(&proxied, SystemTime::now())["tls"].is_null());
}

#[test]
fn whether_the_server_was_believed_is_not_known() {
    let says = "This connection is encrypted with TLS 1.3. The server cannot tell whether its own \
                certificate was checked.";
    assert_says(&peer(CLIENT, &[], Some(told())), &[says], &["proved who it is"]);
    let mut unknown = told();
    unknown.version = None;
    let says = "This connection is encrypted with TLS. The";
    assert_says(&peer(CLIENT, &[], Some(unknown)), &[says], &[]);
}

#[test]
fn a_certificate_proves_its_key_and_when_that_was() {
    let key = "the key of the certificate of <strong>Alice</strong>.";
    let new = peer(CLIENT, &[], Some(told()));
    assert_says(&new, &["You have proved that you have", key], &["that you are", "session began"]);
    let mut tls = told();
    tls.resumed = Some(true);
    let says = [
        "When its session began, you proved that you have",
        key,
        "The session was resumed: certificate and key were checked when it began.",
    ];
    assert_says(&peer(CLIENT, &[], Some(tls)), &says, &["You have proved"]);
}

/// Connection and certificate may be the proxy's own.
#[test]
fn behind_a_proxy_nobody_knows_whose_certificate_it_is() {
    let key = "the key of the certificate of <strong>Alice</strong>.";
    let fields = [("X-Forwarded-For", "203.0.113.7")];
    let new = peer(PROXY, &fields, Some(told()));
    let says = "The other end, which may be a proxy, has proved that it has";
    assert_says(&new, &[says, key], &["you have", "You have", "your certificate"]);
    let mut tls = told();
    tls.resumed = Some(true);
    let says = "When its session began, the other end, which may be a proxy, proved that it has";
    assert_says(&peer(PROXY, &fields, Some(tls)), &[says, key], &["you proved", "You have"]);
}

#[test]
fn who_sent_no_certificate() {
    let mut tls = told();
    tls.client_certificate = None;
    let asked = "A certificate of the client was asked for, and none was sent.";
    let says = [asked, "None: one was asked for, and none was sent."];
    assert_says(&peer(PROXY, &[], Some(tls.clone())), &says, &["proved"]);
    assert_says(&peer(CLIENT, &[], Some(tls)), &says, &["proved"]);
}

#[test]
fn what_a_stack_does_not_tell_is_one_sentence() {
    let mut little = TlsInfo::default();
    let all = "Not told by rustls: Protocol, Cipher suite, Key exchange, ALPN, Server name (SNI), Session.";
    assert_says(&peer(CLIENT, &[], Some(little.clone())), &[all], &["<dt>Protocol"]);
    little.version = Some(TlsVersion::Tls12);
    let rest = "Not told by rustls: Cipher suite, Key exchange, ALPN, Server name (SNI), Session.";
    let silent = ["<dt>Cipher suite", "<dt>Key exchange", "<dt>ALPN", "<dt>Session", "none agreed"];
    assert_says(&peer(CLIENT, &[], Some(little)), &[rest, "<dd>TLS 1.2</dd>"], &silent);
    let says = ["none agreed on", "none asked for", "<code>X25519MLKEM768</code>"];
    assert_says(&peer(CLIENT, &[], Some(told())), &says, &["Not told"]);
}

#[test]
fn a_resumed_session_of_tls_1_2_exchanges_no_keys() {
    let mut tls = told();
    (tls.key_exchange, tls.resumed) = (None, Some(true));
    // In TLS 1.3 it does.
    let untold = "Not told by rustls: Key exchange.";
    assert_says(&peer(CLIENT, &[], Some(tls.clone())), &[untold], &["none: the session"]);
    tls.version = Some(TlsVersion::Tls12);
    let none = "none: the session was resumed";
    assert_says(&peer(CLIENT, &[], Some(tls.clone())), &[none], &["Not told"]);
    tls.resumed = Some(false);
    assert_says(&peer(CLIENT, &[], Some(tls)), &[untold], &[none]);
}

#[test]
fn a_chain_that_is_not_told_is_said_to_be_put_together() {
    let mut tls = told();
    let leaf = tls.client_certificate.clone().unwrap();
    let says = "it is put together by names and key identifiers";
    assert_says(&peer(CLIENT, &[], Some(tls.clone())), &["The backend does not tell."], &[says]);
    tls.client_chain = Some(vec![leaf.clone(), leaf]);
    let roles = ["the client's certificate, until", "a CA that this server trusts, until"];
    assert_says(&peer(CLIENT, &[], Some(tls)), &[&[says][..], &roles].concat(), &[]);
}
