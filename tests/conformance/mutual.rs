//! Mutual mode: a client without a good certificate gets not one byte.

use std::thread;
use std::time::{Duration, Instant};

use crate::Setup;
use crate::support::{
    Authority, Dialer, Files, Leaf, Output, Pki, Profile, Server, openssl, s_client,
};

crate::on_every_verifying_backend! {
    the_right_one_is_served
    no_certificate_is_refused
    another_ca_is_refused
    a_selfsigned_one_is_refused
    an_expired_one_is_refused
    not_yet_valid_is_refused
    server_auth_only_is_refused
    through_an_intermediate_is_served
    through_an_intermediate_not_sent_is_refused
    a_forged_signature_is_refused
    a_forged_intermediate_names_no_ca
    a_request_does_not_wait_for_an_acknowledgement
}

const REQUEST: &[u8] = b"GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn the_right_one_is_served(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.mutual_args());
    assert_served_as(setup, &pki, &server, &pki.client);
    assert_issuers(setup, &pki, &server, &pki.client, &["CN=Test CA,O=Company"]);
}

/// Clients that leave Nagle's algorithm on, as most do, hold it back until they know that their certificate has
/// come, which the kernel would have told them 40 ms later.
fn a_request_does_not_wait_for_an_acknowledgement(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.mutual_args());
    let dialer = Dialer::mutual(server.port, &pki.ca_file, &pki.client);
    let answered = |at_once| {
        let tcp = dialer.tcp();
        tcp.set_nodelay(at_once).unwrap();
        let mut conn = dialer.speak_over(tcp).unwrap();
        let begun = Instant::now();
        conn.get().assert_top_level();
        begun.elapsed()
    };
    // Beside those that hold nothing back, since the machine may be busy.
    let mut times: Vec<_> = (0..21).map(|_| (answered(true), answered(false))).collect();
    times.sort_by_key(|(at_once, held_back)| held_back.saturating_sub(*at_once));
    let (at_once, held_back) = times[times.len() / 2];
    assert!(held_back < at_once + Duration::from_millis(25), "{times:?}");
}

fn no_certificate_is_refused(setup: Setup) {
    let pki = Pki::new();
    let mut server = setup.serve(&pki.mutual_args());
    assert_refused(setup, &pki, &mut server, None);
}

fn another_ca_is_refused(setup: Setup) {
    refused(setup, |_| {
        let other = Authority::root("Other CA");
        other.issue(&client())
    });
}

fn a_selfsigned_one_is_refused(setup: Setup) {
    refused(setup, |_| client().self_signed());
}

fn an_expired_one_is_refused(setup: Setup) {
    refused(setup, |pki| pki.ca.issue(&client().expired()));
}

/// Its clients' certificates may be good for longer, and those of others are.
#[test]
fn a_ca_expires_while_the_server_runs() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let pki = Pki::new();
        let ending = Authority::root_for("Ending CA", Duration::from_secs(4));
        let year = Duration::from_secs(365 * 86_400);
        let files = pki.save("theirs", &ending.issue(&client().valid_for(year)));
        let cas = pki.write("cas.pem", pki.ca.pem() + &ending.pem());
        let mut server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
        let curl = setup.client(&pki).and(&["-E", &files.both]);
        curl.fetch(&server.url).assert_top_level();

        let end = Instant::now() + Duration::from_secs(20);
        while curl.fetch(&server.url).exit == 0 {
            assert!(Instant::now() < end, "its clients are let in still");
            thread::sleep(Duration::from_millis(100));
        }
        assert_refused(setup, &pki, &mut server, Some(&files));
        let told = "\"CN=Ending CA,O=Company\", which the client certificate \
                    \"CN=client.localhost,O=Company\" stands on, expired on ";
        server.assert_logs(&["refused: ", told]);
    });
}

fn not_yet_valid_is_refused(setup: Setup) {
    refused(setup, |pki| pki.ca.issue(&client().not_yet_valid()));
}

fn server_auth_only_is_refused(setup: Setup) {
    refused(setup, |pki| pki.ca.issue(&Profile::server("client.localhost")));
}

/// Issued by a CA of the right name, with a key of its own.
fn a_forged_signature_is_refused(setup: Setup) {
    refused(setup, |_| Authority::root("Test CA").issue(&client()));
}

fn through_an_intermediate_is_served(setup: Setup) {
    let pki = Pki::new();
    let intermediate = pki.ca.subordinate("Department CA");
    let leaf = intermediate.issue(&client()).with_chain(&[&intermediate]);
    let files = pki.save("chained", &leaf);
    let server = setup.serve(&pki.mutual_args());
    assert_served_as(setup, &pki, &server, &files);
    let issuers = ["CN=Department CA,O=Company", "CN=Test CA,O=Company"];
    assert_issuers(setup, &pki, &server, &files, &issuers);
}

/// It has the name of the CA that issued the certificate, names another CA that is trusted, and is sent
/// first. OpenSSL looks no further than the first of a name.
fn a_forged_intermediate_names_no_ca(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let forged = Authority::root("Other CA").subordinate("Department CA");
    let leaf = department.issue(&client()).with_chain(&[&forged, &department]);
    let files = pki.save("forged", &leaf);
    let cas = pki.write("cas.pem", pki.ca.pem() + &Authority::root("Other CA").pem());
    let mut server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
    if setup.backend == "openssl" {
        assert_refused(setup, &pki, &mut server, Some(&files));
    } else {
        let issuers = ["CN=Department CA,O=Company", "CN=Test CA,O=Company"];
        assert_issuers(setup, &pki, &server, &files, &issuers);
    }
}

fn through_an_intermediate_not_sent_is_refused(setup: Setup) {
    refused(setup, |pki| pki.ca.subordinate("Department CA").issue(&client()));
}

fn client() -> Profile {
    Profile::client("client.localhost")
}

fn refused(setup: Setup, make: impl Fn(&Pki) -> Leaf) {
    let pki = Pki::new();
    let files = pki.save("refused", &make(&pki));
    let mut server = setup.serve(&pki.mutual_args());
    assert_refused(setup, &pki, &mut server, Some(&files));
}

/// Both clients are served, and the server says who came.
pub(crate) fn assert_served_as(setup: Setup, pki: &Pki, server: &Server, files: &Files) {
    let curl = setup.client(pki).and(&["-E", &files.both]);
    curl.fetch(&server.url).assert_top_level();
    let whoami = curl.fetch(&format!("{}whoami", server.url)).json();
    let certificate = &whoami["client_certificate"];

    assert_eq!(whoami["mode"], "mutual");
    let version = whoami["tls"]["version"].as_str().unwrap_or_default();
    assert!(version.ends_with(setup.version.number()), "{whoami}");
    let subject = certificate["subject"].as_str().unwrap_or_default();
    assert!(subject.contains("client.localhost") && subject.contains("Company"), "{whoami}");
    assert_eq!(certificate["common_name"], "client.localhost");
    let names = certificate["subject_alt_names"].to_string();
    assert!(names.contains("client.localhost"), "{whoami}");
    let issuer = certificate["issuer"].as_str().unwrap_or_default();
    assert!(issuer.contains(" CA"), "{whoami}");
    let fingerprint = certificate["fingerprint"].as_str().unwrap_or_default();
    assert_eq!(digits(fingerprint), digits(&openssl_says(&files.cert, "-fingerprint")));
    let serial = certificate["serial"].as_str().unwrap_or_default();
    assert_eq!(digits(serial), digits(&openssl_says(&files.cert, "-serial")));
    for time in ["not_before", "not_after"] {
        assert!(certificate[time].is_string() || certificate[time].is_number(), "{whoami}");
    }

    let output = raw(setup, pki, server, Some(files));
    assert!(output.text().starts_with("HTTP/1.1 200 "), "{output:?}");
    assert!(output.text().contains("client.localhost"), "{output:?}");
}

/// The server says by which CAs the client's certificate leads to one that it trusts.
fn assert_issuers(setup: Setup, pki: &Pki, server: &Server, files: &Files, issuers: &[&str]) {
    let curl = setup.client(pki).and(&["-E", &files.both]);
    let whoami = curl.fetch(&format!("{}whoami", server.url)).json();
    let certificate = &whoami["client_certificate"];
    let chain = certificate["chain"].as_array().unwrap_or_else(|| panic!("no chain: {whoami}"));
    let subjects: Vec<_> = chain.iter().map(|ca| &ca["subject"]).collect();
    assert_eq!(subjects, issuers, "{whoami}");
    // It is good for fifty days, of which some seconds have passed.
    assert_eq!(certificate["days_left"], 49, "{certificate}");
    assert!(chain.iter().all(|ca| ca["days_left"].is_u64()), "{whoami}");
}

/// Neither client gets one byte of application data. In TLS 1.3 a client has done its part of
/// the handshake before the server judges it: it sends its request, and learns at its first read.
pub(crate) fn assert_refused(setup: Setup, pki: &Pki, server: &mut Server, files: Option<&Files>) {
    let curl = match files {
        Some(files) => setup.client(pki).and(&["-E", &files.both]),
        None => setup.client(pki),
    };
    curl.fetch(&server.url).assert_refused();
    curl.fetch(&format!("{}whoami", server.url)).assert_refused();

    let output = raw(setup, pki, server, files);
    assert_eq!(output.text(), "", "application data came back: {output:?}");
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains("alert"), "expected to be told by an alert: {output:?}");

    // It was the certificate, not the server.
    setup.client(pki).and(&["-E", &pki.client.both]).fetch(&server.url).assert_top_level();
    server.assert_alive();
}

/// `s_client -quiet` prints application data alone to its stdout.
fn raw(setup: Setup, pki: &Pki, server: &Server, files: Option<&Files>) -> Output {
    let mut args = vec!["-quiet", "-CAfile", &pki.ca_file];
    args.extend(setup.s_client_args());
    if let Some(files) = files {
        args.extend(["-cert", &files.cert, "-key", &files.key, "-cert_chain", &files.cert]);
    }
    s_client(server.port, &args, REQUEST)
}

fn openssl_says(cert: &str, what: &str) -> String {
    let line = openssl(&["x509", "-in", cert, "-noout", what, "-sha256"]);
    line.trim().rsplit('=').next().unwrap_or_default().to_owned()
}

/// Hexadecimal however it is written: any case, colons or none, leading zeros or none.
fn digits(hex: &str) -> String {
    assert!(!hex.is_empty(), "nothing to compare");
    hex.replace(':', "").trim_start_matches('0').to_ascii_lowercase()
}
