//! The client refuses our certificate, and its alert says why.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Authority, Pki, Profile, Setup, at_once, run, s_client, tool};
use crate::{EVERY, Site, on_every_backend, python};

on_every_backend! {
    curl_does_not_know_the_ca
    openssl_does_not_know_the_ca
    python_does_not_know_the_ca
    python_wanted_another_name
    openssl_wanted_another_name
    openssl_has_another_clock
}

const OURS: &str = "the client refused our certificate \"CN=server.localhost,O=Company\"";
const NAMES: &str = "DNS:localhost, IP:127.0.0.1, IP:::1";

fn curl_does_not_know_the_ca(setup: Setup) {
    let site = Site::https(setup, &[]);
    let answer = setup.client_trusting(&other_ca(&site.pki)).fetch(&site.server.url);
    assert_eq!(answer.exit, 60, "{answer:?}");
    assert_ca_unknown(&site);
}

fn openssl_does_not_know_the_ca(setup: Setup) {
    let site = Site::https(setup, &[]);
    verify(&site, &other_ca(&site.pki), &[]);
    assert_ca_unknown(&site);
}

fn python_does_not_know_the_ca(setup: Setup) {
    let site = Site::https(setup, &[]);
    let output = python(&site, &other_ca(&site.pki), "localhost");
    assert!(output.stderr.contains("unable to get local issuer"), "{output:?}");
    assert_ca_unknown(&site);
}

fn assert_ca_unknown(site: &Site) {
    let why = "does not trust \"CN=Test CA,O=Company\", which signed it (alert unknown_ca (48))";
    site.assert_told("our_ca_unknown_to_client", &[OURS, why, "curl: --cacert"]);
}

fn python_wanted_another_name(setup: Setup) {
    let site = Site::https(setup, &[]);
    let output = python(&site, &site.pki.ca_file, "elsewhere.test");
    assert!(output.stderr.contains("Hostname mismatch"), "{output:?}");
    assert_wrong_name(&site);
}

fn openssl_wanted_another_name(setup: Setup) {
    let site = Site::https(setup, &[]);
    verify(&site, &site.pki.ca_file, &["-verify_hostname", "elsewhere.test"]);
    assert_wrong_name(&site);
}

fn assert_wrong_name(site: &Site) {
    let why = format!("called the server by a name that is not in it (good for {NAMES})");
    site.assert_told(
        "our_certificate_bad_for_client",
        &[OURS, "(alert bad_certificate (42))", &why],
    );
}

/// To us it is good still.
fn openssl_has_another_clock(setup: Setup) {
    let site = Site::https(setup, &[]);
    // 2100-01-01
    verify(&site, &site.pki.ca_file, &["-attime", "4102444800"]);
    let why = "(alert certificate_expired (45)): by the client's clock it is not valid, and by ours \
               it is until 20";
    site.assert_told(
        "our_certificate_expired_for_client",
        &[OURS, why, "is the client's clock right?"],
    );
}

/// It looks when the handshake is done, and leaves like somebody who is served.
fn curl_finds_another_name_and_says_nothing(setup: Setup) {
    let mut site = Site::https(setup, &[]);
    let at = format!("elsewhere.test:{}", site.server.port);
    let curl = setup.client(&site.pki).and(&["--resolve", &format!("{at}:127.0.0.1")]);
    assert_eq!(curl.fetch(&format!("https://{at}/")).exit, 60);
    site.server.signal("TERM");
    assert!(site.server.wait().success());
    assert!(!site.server.log().contains("came to nothing"), "{}", site.server.log());
}

/// In TLS 1.3 the tickets that it does not wait for may find it gone.
mod in_tls_1_2 {
    use super::curl_finds_another_name_and_says_nothing;
    use crate::support::Setup;

    crate::support::table! {
        columns {
            native_tls = Setup::NATIVE_TLS;
            rustls = Setup::RUSTLS_SERVER_12;
            openssl = Setup::OPENSSL_SERVER_12;
        } rows {
            curl_finds_another_name_and_says_nothing
        }
    }
}

mod in_tls_1_3 {
    use super::node_leaves_without_an_alert;
    use crate::support::Setup;

    crate::support::table! {
        columns {
            rustls = Setup::RUSTLS_SERVER_13;
            openssl = Setup::OPENSSL_SERVER_13;
        } rows {
            node_leaves_without_an_alert
        }
    }
}

/// Node does not trust us either, and ends the connection without a word of why.
fn node_leaves_without_an_alert(setup: Setup) {
    const GET: &str = "require('https').get(process.argv[1]).on('error', e => console.log(e.code))";
    let site = Site::https(setup, &[]);
    let mut node = tool("node");
    node.args(["-e", GET, &site.server.url]);
    let output = run(node, b"", Duration::from_secs(20));
    assert_eq!(output.text(), "UNABLE_TO_VERIFY_LEAF_SIGNATURE\n", "{output:?}");
    site.assert_told("left_midway", &["left in the middle of the handshake, without saying why"]);
}

mod by_name {
    use super::of_several_the_one_that_was_shown_is_named;

    crate::on_every_verifying_backend! {
        of_several_the_one_that_was_shown_is_named
    }
}

/// Whoever reads the line renews the one that it names.
fn of_several_the_one_that_was_shown_is_named(setup: Setup) {
    let pki = Pki::new();
    let other = Authority::root("Other CA").issue(&Profile::server("other").names(&["other.test"]));
    let other = pki.save("other", &other);
    let args = [&pki.server_args()[..], &["--cert", &other.cert, "--key", &other.key]].concat();
    let site = Site { setup, server: setup.serve(&args), pki };
    verify(&site, &site.pki.ca_file, &["-servername", "other.test"]);
    let ours = "the client refused our certificate \"CN=other,O=Company\"";
    let why = "does not trust \"CN=Other CA,O=Company\", which signed it";
    site.assert_told("our_ca_unknown_to_client", &[ours, why]);
}

#[test]
fn it_has_expired_while_we_served() {
    at_once(&EVERY, |setup| {
        let pki = Pki::new();
        let soon = Profile::server("server.localhost").valid_for(Duration::from_secs(4));
        let files = pki.save("soon", &pki.ca.issue(&soon));
        let issued = Instant::now();
        let server = setup.serve(&["--cert", &files.cert, "--key", &files.key]);
        let site = Site { setup, pki, server };
        // To the next second, which is what certificates count in.
        thread::sleep(Duration::from_secs(5).saturating_sub(issued.elapsed()));
        let output = python(&site, &site.pki.ca_file, "localhost");
        assert!(output.stderr.contains("certificate has expired"), "{output:?}");
        let why = ["it expired on 20", "(alert certificate_expired (45)); renew it"];
        site.assert_told("our_certificate_expired_for_client", &[OURS, why[0], why[1]]);
    });
}

fn other_ca(pki: &Pki) -> String {
    pki.write("other.crt", Authority::root("Other CA").pem())
}

/// A client that does not go on when the certificate is not good.
fn verify(site: &Site, ca: &str, more: &[&str]) {
    let args = [&["-CAfile", ca, "-verify_return_error", "-brief"], more].concat();
    let output = s_client(site.server.port, &args, b"");
    assert!(output.stderr.contains("certificate verify failed"), "{output:?}");
}
