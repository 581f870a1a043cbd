//! Handshakes that come to nothing for other reasons than the client's certificate.

use std::io::Write as _;
use std::sync::Arc;

use rustls::client::ClientConfig;
use turnkey_backend::{
    Alert, ClientPolicy, Common, HandshakeError, TlsConfig, TlsVersion, VersionRange,
};
use turnkey_rustls::Rustls;

use crate::client::{Site, VERSIONS, client, connect, exchange, meet, meet_as, serve_one};
use crate::hello::{
    ECDHE_ECDSA_AES_128_GCM, GROUPS, RSA_AES_128_CBC, SIGNATURE_ALGORITHMS, TLS11, TLS12,
    client_hello,
};
use crate::pki::Ca;

/// What the server makes of `bytes`, and the number of the alert that it answers with.
fn sent(backend: &Rustls, bytes: &[u8]) -> (HandshakeError, Option<u8>) {
    let (outcome, answer) = serve_one(backend, |address| exchange(address, bytes));
    let alert = match answer[..] {
        [] => None,
        [0x15, 3, _, 0, 2, 2, alert] => Some(alert),
        _ => panic!("{answer:?}"),
    };
    (outcome.unwrap_err(), alert)
}

fn lacks(backend: &Rustls, hello: &[u8], common: Common, alert: u8) {
    let (error, seen) = sent(backend, hello);
    assert!(matches!(error, HandshakeError::NothingInCommon(c) if c == common), "{error:?}");
    assert_eq!(seen, Some(alert));
}

#[test]
fn versions_of_yesterday_are_told() {
    let site = Site::new();
    let backend = site.backend(ClientPolicy::None);
    let suites = [ECDHE_ECDSA_AES_128_GCM, RSA_AES_128_CBC];
    // As OpenSSL and curl send it, and as one with an odd extension would.
    lacks(&backend, &client_hello(TLS11, &suites, &[GROUPS]), Common::Version, 40);
    lacks(&backend, &client_hello(TLS11, &suites, &[]), Common::Version, 40);
    let odd = client_hello(TLS11, &suites, &[SIGNATURE_ALGORITHMS, GROUPS]);
    lacks(&backend, &odd, Common::Version, 70);

    let only_13 = VersionRange::new(TlsVersion::Tls13, TlsVersion::Tls13).unwrap();
    let config = TlsConfig { versions: only_13, ..site.config(ClientPolicy::None) };
    let backend = Rustls::new(&config).unwrap();
    let hello = client_hello(TLS12, &suites, &[SIGNATURE_ALGORITHMS, GROUPS]);
    lacks(&backend, &hello, Common::Version, 70);
    let (error, _) = meet(&backend, &client(&site.ca, None, VERSIONS[0])).refusal();
    assert!(matches!(error, HandshakeError::NothingInCommon(Common::Version)), "{error:?}");
}

#[test]
fn ciphers_of_yesterday_are_told() {
    let backend = Site::new().backend(ClientPolicy::None);
    let extensions = [SIGNATURE_ALGORITHMS, GROUPS];
    lacks(&backend, &client_hello(TLS12, &[RSA_AES_128_CBC], &extensions), Common::Cipher, 40);
    let without_groups = client_hello(TLS12, &[RSA_AES_128_CBC], &[SIGNATURE_ALGORITHMS]);
    lacks(&backend, &without_groups, Common::Cipher, 40);
    // SHA-1 only.
    let sha1 = [(13, &[0, 2, 2, 3][..]), GROUPS];
    lacks(&backend, &client_hello(TLS12, &[ECDHE_ECDSA_AES_128_GCM], &sha1), Common::Cipher, 40);
}

#[test]
fn what_is_no_tls_is_told() {
    let backend = Site::new().backend(ClientPolicy::None);
    let socks = b"\x05\x01\x00";
    let ssl2 = b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10";
    let texts: [&[u8]; 6] = [
        b"get / http/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.7\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"\x16\x16\x16\x16\x16\x16\x16\x16",
        ssl2,
        &[socks, &[0; 8][..]].concat(),
    ];
    for bytes in texts {
        let (error, _) = sent(&backend, bytes);
        assert!(matches!(error, HandshakeError::NotTls), "{bytes:?}: {error:?}");
    }
}

#[test]
fn an_end_in_the_middle_is_the_networks() {
    let backend = Site::new().backend(ClientPolicy::None);
    let hello = client_hello(TLS12, &[ECDHE_ECDSA_AES_128_GCM], &[SIGNATURE_ALGORITHMS, GROUPS]);
    for length in [0, 1, 5, 20, hello.len() - 1, hello.len()] {
        let (outcome, ()) = serve_one(&backend, |address| {
            connect(address).write_all(&hello[..length]).unwrap();
        });
        let error = outcome.unwrap_err();
        assert!(matches!(error, HandshakeError::Io(_)), "{length} bytes: {error:?}");
    }
}

#[test]
fn the_clients_alerts_are_told() {
    let site = Site::new();
    let elsewhere = Ca::root("another CA");
    let root = Ca::root("the clients' CA");
    for policy in [ClientPolicy::None, ClientPolicy::Optional(root.trust())] {
        let backend = site.backend(policy);
        for version in VERSIONS {
            let told = |client: &Arc<ClientConfig>, name: &str, number: u8| {
                let met = meet_as(&backend, client, name);
                assert!(met.client.is_err());
                let error = met.server.unwrap_err();
                assert!(
                    matches!(error, HandshakeError::Alert { alert: Alert(n), .. } if n == number),
                    "{error:?}"
                );
            };
            told(&client(&elsewhere, None, version), "localhost", 48);
            told(&client(&site.ca, None, version), "elsewhere.test", 42);
        }
    }
    // Before any handshake.
    let backend = site.backend(ClientPolicy::None);
    let (error, _) = sent(&backend, &[0x15, 3, 1, 0, 2, 2, 80]);
    assert!(matches!(error, HandshakeError::Alert { alert: Alert(80), .. }), "{error:?}");
}

#[test]
fn what_else_goes_wrong_is_told_in_the_words_of_rustls() {
    let backend = Site::new().backend(ClientPolicy::None);
    // A record of TLS with something else in it.
    let (error, alert) = sent(&backend, &[0x17, 3, 3, 0, 1, 0]);
    assert!(matches!(error, HandshakeError::Tls(_)), "{error:?}");
    assert_eq!(alert, Some(10));
}
