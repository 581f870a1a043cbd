//! What upstreams are told about the client's certificate.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::support::upstream::Upstream;
use crate::support::{Dialer, Pki, Profile, Server, on_every_verifying_backend, openssl};
use crate::{OK, OK_CLOSE, Setup};

on_every_verifying_backend! {
    a_certificate_is_told_of
    the_issuing_ca_is_told_of
    without_a_certificate_it_is_none
}

/// A client that says all of it itself.
const FORGED: &str = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close, Client-Cert, \
    X-Client-Verify\r\nClient-Cert: :MIIB:\r\nClient_Cert: :MIIB:\r\nX-Client-Verify: SUCCESS\r\n\
    X_Client_Verify: SUCCESS\r\nX-Client-Subject: CN=admin\r\nX-Client-Issuer: CN=admin\r\nX-Client-Fingerprint: 00\r\n\
    X-CLIENT_fingerprint: 00\r\n\r\n";

fn serve(setup: Setup, pki: &Pki, upstream: &Upstream, verify: &str) -> Server {
    let verify = ["--client-verify", verify, "--proxy", &upstream.url];
    setup.serve(&[&pki.mutual_args()[..], &verify].concat())
}

fn ask(dialer: &Dialer) {
    let mut conn = dialer.open();
    conn.send(FORGED.as_bytes()).unwrap();
    assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
}

fn a_certificate_is_told_of(setup: Setup) {
    let (pki, upstream) = (Pki::new(), Upstream::answering(OK));
    for verify in ["required", "optional"] {
        let server = serve(setup, &pki, &upstream, verify);
        ask(&Dialer::mutual(server.port, &pki.ca_file, &pki.client));
        let request = upstream.take_requests().remove(0);
        assert_eq!(request.values("x-client-verify"), ["SUCCESS"]);
        let der = CertificateDer::from_pem_file(&pki.client.cert).unwrap();
        // RFC 9440 §2.2: a byte sequence.
        let value = format!(":{}:", BASE64_STANDARD.encode(&der));
        assert_eq!(request.values("client-cert"), [value]);
        let subject = request.values("x-client-subject");
        assert!(subject.len() == 1 && subject[0].contains("client.localhost"), "{subject:?}");
        assert_eq!(request.values("x-client-issuer"), ["CN=Test CA,O=Company"]);
        let shown =
            openssl(&["x509", "-in", &pki.client.cert, "-noout", "-sha256", "-fingerprint"]);
        let digest = shown.trim().rsplit('=').next().unwrap().replace(':', "");
        let fingerprint = request.values("x-client-fingerprint");
        assert_eq!(fingerprint.len(), 1);
        assert_eq!(fingerprint[0].replace(':', "").to_uppercase(), digest.to_uppercase());
        assert!(!request.text().contains('_'), "{}", request.text());
    }
}

/// The CA between, and not the one that is trusted.
fn the_issuing_ca_is_told_of(setup: Setup) {
    let (pki, upstream) = (Pki::new(), Upstream::answering(OK));
    let server = serve(setup, &pki, &upstream, "required");
    let department = pki.ca.subordinate("Department CA");
    let leaf = department.issue(&Profile::client("client.localhost")).with_chain(&[&department]);
    ask(&Dialer::mutual(server.port, &pki.ca_file, &pki.save("below", &leaf)));
    let issuer = ["CN=Department CA,O=Company"];
    assert_eq!(upstream.only().values("x-client-issuer"), issuer);
}

fn without_a_certificate_it_is_none(setup: Setup) {
    let (pki, upstream) = (Pki::new(), Upstream::answering(OK));
    let server = serve(setup, &pki, &upstream, "optional");
    ask(&Dialer::tls(server.port, &pki.ca_file));
    let request = upstream.only();
    assert_eq!(request.values("x-client-verify"), ["NONE"]);
    let text = request.text().to_ascii_lowercase().replace('_', "-");
    assert_eq!(text.matches("client-").count(), 1, "{text}");
}
