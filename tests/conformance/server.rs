//! Server mode: the client checks the server, the server does not ask who the client is.

use crate::support::{Authority, Client, Pki, TlsVersion, s_client};
use crate::{HeldBy, Setup};

crate::support::table! {
    columns {
        native_tls = Setup::NATIVE_TLS;
        rustls_server_tls12 = Setup::RUSTLS_SERVER_12;
        rustls_server_tls13 = Setup::RUSTLS_SERVER_13;
        rustls_client_tls12 = Setup::RUSTLS_CLIENT_12;
        rustls_client_tls13 = Setup::RUSTLS_CLIENT_13;
        openssl_server_tls12 = Setup::OPENSSL_SERVER_12;
        openssl_server_tls13 = Setup::OPENSSL_SERVER_13;
        openssl_client_tls12 = Setup::OPENSSL_CLIENT_12;
        openssl_client_tls13 = Setup::OPENSSL_CLIENT_13;
    } rows {
        trusted_ca_is_served
        the_certificate_is_good_for_its_names
        an_untrusted_ca_is_refused_by_the_client
        the_version_is_negotiated_and_reported
        the_key_exchange_is_negotiated_and_reported
        tls_1_0_is_refused
        tls_1_1_is_refused
        a_clean_close_ends_the_stream
    }
}

/// What is held to one version by the server, or knows no other, takes no other.
mod one_version {
    use super::{Setup, the_other_version_is_refused};

    crate::support::table! {
        columns {
            native_tls = Setup::NATIVE_TLS;
            rustls_tls12 = Setup::RUSTLS_SERVER_12;
            rustls_tls13 = Setup::RUSTLS_SERVER_13;
            openssl_tls12 = Setup::OPENSSL_SERVER_12;
            openssl_tls13 = Setup::OPENSSL_SERVER_13;
        } rows {
            the_other_version_is_refused
        }
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn trusted_ca_is_served(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    setup.client(&pki).fetch(&server.url).assert_top_level();
}

fn the_certificate_is_good_for_its_names(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    let port = server.port;
    let client = setup.client(&pki);
    // By name the client sends SNI, by address it does not.
    let by_name = client.and(&["--resolve", &format!("localhost:{port}:127.0.0.1")]);
    by_name.fetch(&format!("https://localhost:{port}/")).assert_top_level();
    // A name that it was not issued for.
    let elsewhere = client.and(&["--resolve", &format!("example.test:{port}:127.0.0.1")]);
    let answer = elsewhere.fetch(&format!("https://example.test:{port}/"));
    assert_eq!(answer.exit, 60, "{answer:?}");
}

fn an_untrusted_ca_is_refused_by_the_client(setup: Setup) {
    let pki = Pki::new();
    let mut server = setup.serve(&pki.server_args());
    let other = pki.write("other.crt", Authority::root("Other CA").pem());
    let answer = setup.client_trusting(&other).fetch(&server.url);
    assert_eq!(answer.exit, 60, "the client does not trust the server: {answer:?}");
    answer.assert_refused();
    server.assert_alive();
    setup.client(&pki).fetch(&server.url).assert_top_level();
}

fn the_version_is_negotiated_and_reported(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    let expected = setup.version.number();

    let args = [setup.s_client_args(), &["-brief", "-CAfile", &pki.ca_file]].concat();
    let brief = s_client(server.port, &args, b"").stderr;
    assert!(brief.contains(&format!("Protocol version: TLSv{expected}\n")), "{brief}");
    assert!(brief.contains("Verification: OK\n"), "{brief}");

    let whoami = setup.client(&pki).fetch(&format!("{}whoami", server.url)).json();
    let reported = whoami["tls"]["version"].as_str().unwrap_or_default();
    assert!(reported.ends_with(expected), "expected {expected}: {whoami}");
    assert_eq!(whoami["mode"], "https");
    assert_eq!(whoami["scheme"], "https");
    assert!(whoami["client_certificate"].is_null(), "{whoami}");
}

fn the_key_exchange_is_negotiated_and_reported(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    // In TLS 1.2 they are those of certificates too, and ours is on P-256.
    for (curves, name) in [("X25519:P-256", "x25519"), ("P-256", "secp256r1")] {
        let client = setup.client(&pki).and(&["--curves", curves]);
        let whoami = client.fetch(&format!("{}whoami", server.url)).json();
        let reported = &whoami["tls"]["key_exchange"];
        // native-tls does not tell.
        let expected = (setup.backend != "native-tls").then_some(name);
        assert_eq!(reported.as_str(), expected, "{whoami}");
    }
}

fn tls_1_0_is_refused(setup: Setup) {
    old_version_is_refused(setup, "-tls1");
}

fn tls_1_1_is_refused(setup: Setup) {
    old_version_is_refused(setup, "-tls1_1");
}

fn old_version_is_refused(setup: Setup, version: &str) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    // At security level 0 the client would take part, so that it is the server that refuses.
    let args = [version, "-cipher", "DEFAULT@SECLEVEL=0", "-quiet"];
    let output = s_client(server.port, &args, REQUEST);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert_eq!(output.text(), "");
    // OpenSSL says what the matter is (RFC 5246 §E.1). rustls misses the signature_algorithms
    // extension before it comes to the version: TLS 1.1 does not have it.
    let alerts = ["alert protocol version", "alert handshake failure"];
    let alerts = if setup.backend == "rustls" { &alerts[..] } else { &alerts[..1] };
    let told = alerts.iter().any(|alert| output.stderr.contains(alert));
    assert!(told, "expected one of {alerts:?}: {}", output.stderr);
}

fn the_other_version_is_refused(setup: Setup) {
    assert_ne!(setup.held_by, HeldBy::Client, "nothing to refuse");
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    let other = match setup.version {
        TlsVersion::Tls12 => TlsVersion::Tls13,
        TlsVersion::Tls13 => TlsVersion::Tls12,
    };
    let client = Client::new(&["--cacert", &pki.ca_file]);
    let answer = client.and(&other.curl()).fetch(&server.url);
    answer.assert_refused();
    assert_eq!(answer.exit, 35, "a failed handshake: {answer:?}");
    client.and(&setup.version.curl()).fetch(&server.url).assert_top_level();
}

fn a_clean_close_ends_the_stream(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    let args = [setup.s_client_args(), &["-quiet", "-CAfile", &pki.ca_file]].concat();
    let output = s_client(server.port, &args, REQUEST);
    assert!(output.text().starts_with("HTTP/1.1 200 "), "{output:?}");
    assert!(output.text().trim_end().ends_with("Top-level content"), "{output:?}");
    // Without close_notify before the FIN this says "unexpected eof while reading".
    assert!(!output.stderr.contains("error"), "no clean end: {}", output.stderr);
    assert_eq!(output.code, Some(0), "{output:?}");
}
