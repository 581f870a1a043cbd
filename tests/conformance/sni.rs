//! Several identities on one listener: each client is shown the one for the name that it asks for.

use crate::Setup;
use crate::mutual::assert_refused;
use crate::support::{
    FAILURE, Files, Pki, Profile, Program, Server, USAGE, assert_complaint, export_pkcs12, s_client,
};

crate::on_every_verifying_backend! {
    an_exact_name_goes_before_a_wildcard
    a_wildcard_is_for_one_label
    without_a_name_it_is_the_first
    with_an_unknown_name_it_is_the_first
    the_case_of_a_name_means_nothing
    keys_belong_to_certificates_by_their_order
    pkcs12_is_repeated_too
    a_real_client_finds_its_name
    clients_are_asked_under_every_name
    a_name_of_two_identities_is_an_error
}

#[test]
fn a_missing_key_is_wrong_usage() {
    let pki = Pki::new();
    let other = identity(&pki, "other", &["other.test"]);
    let args = ["--cert", &pki.server.cert, "--key", &pki.server.key, "--cert", &other.cert];
    let output = Program::new(&args).run();
    assert_complaint(&output, USAGE, &["--cert", "2 times", "--key", "1 time"]);
}

#[test]
fn keys_in_another_order_are_an_error() {
    let pki = Pki::new();
    let other = identity(&pki, "other", &["other.test"]);
    let certs = ["--cert", &pki.server.cert, "--cert", &other.cert];
    let keys = ["--key", &other.key, "--key", &pki.server.key];
    let output = Program::new(&[certs, keys].concat()).run();
    assert_complaint(&output, FAILURE, &[&other.key, &pki.server.cert]);
}

/// The first, one for an exact name, and one for a wildcard that covers it too.
fn serve(setup: Setup, pki: &Pki, more: &[&str]) -> Server {
    let exact = identity(pki, "exact", &["www.example.test"]);
    let wildcard = identity(pki, "wildcard", &["*.example.test"]);
    let identities = [&pki.server, &wildcard, &exact];
    let mut args: Vec<&str> = identities.iter().flat_map(|files| pair(files)).collect();
    args.extend(more);
    setup.serve(&args)
}

fn an_exact_name_goes_before_a_wildcard(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    assert_eq!(shown(setup, &server, Some("www.example.test")), "exact");
    assert_eq!(shown(setup, &server, Some("ftp.example.test")), "wildcard");
}

/// Not for two, and not for none (RFC 6125 §6.4.3).
fn a_wildcard_is_for_one_label(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    assert_eq!(shown(setup, &server, Some("a.example.test")), "wildcard");
    assert_eq!(shown(setup, &server, Some("a.b.example.test")), FIRST);
    assert_eq!(shown(setup, &server, Some("example.test")), FIRST);
    assert_eq!(shown(setup, &server, Some("a.www.example.test")), FIRST);
}

fn without_a_name_it_is_the_first(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    assert_eq!(shown(setup, &server, None), FIRST);
    // curl sends no name when it is given an address.
    setup.client(&pki).fetch(&server.url).assert_top_level();
}

fn with_an_unknown_name_it_is_the_first(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    assert_eq!(shown(setup, &server, Some("elsewhere.test")), FIRST);
}

fn the_case_of_a_name_means_nothing(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    assert_eq!(shown(setup, &server, Some("WWW.Example.TEST")), "exact");
    assert_eq!(shown(setup, &server, Some("FTP.Example.TEST")), "wildcard");
}

fn keys_belong_to_certificates_by_their_order(setup: Setup) {
    let pki = Pki::new();
    let other = identity(&pki, "other", &["other.test"]);
    let certs = ["--cert", &pki.server.cert, "--cert", &other.cert];
    let keys = ["--key", &pki.server.key, "--key", &other.key];
    for args in [[certs, keys].concat(), [keys, certs].concat()] {
        let server = setup.serve(&args);
        assert_eq!(shown(setup, &server, Some("other.test")), "other");
        assert_eq!(shown(setup, &server, Some("localhost")), FIRST);
    }
}

/// With one password for all: there is one option for it.
fn pkcs12_is_repeated_too(setup: Setup) {
    const PASSWORD: &str = "correct horse";
    let pki = Pki::new();
    let leaf = |name: &str, names: &[&str]| pki.ca.issue(&Profile::server(name).names(names));
    let first = export_pkcs12(&pki, "first.p12", &leaf("first", &["first.test"]), PASSWORD);
    let second = export_pkcs12(&pki, "second.p12", &leaf("second", &["second.test"]), PASSWORD);
    let password = pki.write("password", PASSWORD);
    let identities = ["--identity", &first, "--identity", &second];
    let server = setup.serve(&[&identities[..], &["--key-password-file", &password]].concat());
    assert_eq!(shown(setup, &server, Some("second.test")), "second");
    assert_eq!(shown(setup, &server, Some("first.test")), "first");
    assert_eq!(shown(setup, &server, None), "first");
}

/// One that checks the name, and says which it asked for.
fn a_real_client_finds_its_name(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki, &[]);
    for name in ["localhost", "www.example.test", "ftp.example.test"] {
        let at = format!("{name}:{}", server.port);
        let client = setup.client(&pki).and(&["--resolve", &format!("{at}:127.0.0.1")]);
        let whoami = client.fetch(&format!("https://{at}/whoami")).json();
        assert_eq!(whoami["tls"]["server_name"], name, "{whoami}");
    }
}

/// There is one policy for each listener: no name is a way around it (CVE-2025-23419).
fn clients_are_asked_under_every_name(setup: Setup) {
    let pki = Pki::new();
    let mut server = serve(setup, &pki, &["--client-ca", &pki.ca_file]);
    assert_refused(setup, &pki, &mut server, None);
    for name in ["localhost", "www.example.test", "ftp.example.test", "elsewhere.test"] {
        let at = format!("{name}:{}", server.port);
        // The name in the request is another matter, and no way around it either.
        for host in [name, "localhost"] {
            let host = format!("Host: {host}");
            let resolve = format!("{at}:127.0.0.1");
            let client = setup.client(&pki).and(&["-k", "--resolve", &resolve, "-H", &host]);
            client.fetch(&format!("https://{at}/whoami")).assert_refused();
            let known = client.and(&["-E", &pki.client.both]);
            let whoami = known.fetch(&format!("https://{at}/whoami")).json();
            assert_eq!(whoami["client_certificate"]["common_name"], "client.localhost");
        }
    }
    server.assert_alive();
}

fn a_name_of_two_identities_is_an_error(setup: Setup) {
    let pki = Pki::new();
    let one = identity(&pki, "one", &["one.test", "both.test"]);
    let other = identity(&pki, "other", &["other.test", "BOTH.test"]);
    let args = [&pair(&one)[..], &pair(&other), &["--backend", setup.backend, "--port", "0"]];
    let output = Program::new(&args.concat()).run();
    assert_complaint(&output, FAILURE, &["both.test", &one.cert, &other.cert]);
}

/// The common name of the identity that stands first.
const FIRST: &str = "server.localhost";

pub(crate) fn identity(pki: &Pki, common_name: &str, names: &[&str]) -> Files {
    pki.save(common_name, &pki.ca.issue(&Profile::server(common_name).names(names)))
}

fn pair(files: &Files) -> [&str; 4] {
    ["--cert", &files.cert, "--key", &files.key]
}

/// The common name of the certificate that a client is shown who asks for `name`, or for none.
pub(crate) fn shown(setup: Setup, server: &Server, name: Option<&str>) -> String {
    let asking = name.map_or(vec!["-noservername"], |name| vec!["-servername", name]);
    let output = s_client(server.port, &[setup.s_client_args(), &asking].concat(), b"");
    let subject = output.text();
    let subject = subject.lines().find_map(|line| line.strip_prefix("subject="));
    let subject = subject.unwrap_or_else(|| panic!("no certificate: {output:?}"));
    subject.rsplit("CN = ").next().unwrap_or_default().to_owned()
}
