//! Rules for the CA that issued a client's certificate directly (`--allow-issuer`): the key counts, not the name.

use std::fs;

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::standing::assert_no_longer;
use crate::support::{Authority, Dialer, FAILURE, Files, Pki, Profile, Program, assert_complaint};

crate::on_every_verifying_backend! {
    only_clients_of_an_allowed_issuer_are_served
    several_issuers_may_be_allowed
    a_namesake_with_another_key_is_denied
    the_same_key_with_another_certificate_is_allowed
    the_name_has_to_be_allowed_too
    who_is_denied_is_told_who_that_is_and_not_the_rule
    denying_early_fails_the_handshake
    whoever_needs_no_certificate_needs_no_issuer
    a_connection_does_not_outlast_its_issuer
    a_file_that_changes_is_read_again
}

#[test]
fn native_tls_has_no_clients_with_issuers() {
    let pki = Pki::new();
    let rule = ["--allow-issuer", &pki.ca_file, "--backend", "native-tls"];
    let args = [&pki.mutual_args()[..], &rule].concat();
    assert_complaint(&Program::new(&args).run(), FAILURE, &["native-tls", "rustls", "openssl"]);
}

/// A trusted CA, two CAs below it, and a client of each.
struct Site {
    pki: Pki,
    one: Authority,
    two: Authority,
    /// The file with the certificate of the first.
    one_file: String,
    of_one: Files,
    of_two: Files,
}

impl Site {
    fn new() -> Self {
        let pki = Pki::new();
        let [one, two] = ["One CA", "Two CA"].map(|name| pki.ca.subordinate(name));
        let one_file = pki.write("one-ca.pem", one.pem());
        let [of_one, of_two] = [("one", &one), ("two", &two)]
            .map(|(name, ca)| pki.save(name, &ca.issue(&client()).with_chain(&[ca])));
        Self { pki, one, two, one_file, of_one, of_two }
    }

    fn args<'s>(&'s self, rules: &[&'s str]) -> Vec<&'s str> {
        [&self.pki.mutual_args()[..], rules].concat()
    }

    /// A client of a CA by the name of the first, which the second made: nothing forbids it.
    fn of_namesake(&self) -> Files {
        let namesake = self.two.subordinate("One CA");
        let leaf = namesake.issue(&client()).with_chain(&[&namesake, &self.two]);
        self.pki.save("namesake", &leaf)
    }

    /// How a server with these rules answers.
    fn status(&self, setup: Setup, rules: &[&str], files: &Files) -> u16 {
        let server = setup.serve(&self.args(rules));
        let curl = setup.client(&self.pki).and(&["-E", &files.both]);
        curl.fetch(&format!("{}whoami", server.url)).status
    }
}

fn client() -> Profile {
    Profile::client("client.localhost")
}

fn only_clients_of_an_allowed_issuer_are_served(setup: Setup) {
    let site = Site::new();
    let below = site.one.subordinate("Below CA");
    let below = below.issue(&client()).with_chain(&[&below, &site.one]);
    let below = site.pki.save("below", &below);
    let rule = ["--allow-issuer", &site.one_file];
    for (files, status) in
        [(&site.of_one, 200), (&site.of_two, 403), (&site.pki.client, 403), (&below, 403)]
    {
        assert_eq!(site.status(setup, &rule, files), status, "{files:?}");
    }
    // The trusted CA is an issuer like others.
    let rule = ["--allow-issuer", &site.pki.ca_file];
    for (files, status) in [(&site.pki.client, 200), (&site.of_one, 403)] {
        assert_eq!(site.status(setup, &rule, files), status, "{files:?}");
    }
}

/// In several files, or in one.
fn several_issuers_may_be_allowed(setup: Setup) {
    let site = Site::new();
    let two = site.pki.write("two-ca.pem", site.two.pem());
    let both = site.pki.write("both.pem", site.one.pem() + &site.two.pem());
    for rules in [
        &["--allow-issuer", &site.one_file, "--allow-issuer", &two][..],
        &["--allow-issuer", &both],
    ] {
        for (files, status) in [(&site.of_one, 200), (&site.of_two, 200), (&site.pki.client, 403)] {
            assert_eq!(site.status(setup, rules, files), status, "{files:?} by {rules:?}");
        }
    }
}

/// A CA without `pathlen:0` can make a CA of any name.
fn a_namesake_with_another_key_is_denied(setup: Setup) {
    let site = Site::new();
    let namesake = site.of_namesake();
    let rules = ["--allow-issuer", &site.one_file, "--allow-issuer", &site.pki.ca_file];
    let server = setup.serve(&site.args(&rules));
    let answer = setup.client(&site.pki).and(&["-E", &namesake.both]).fetch(&server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
    server.assert_logs(&[
        "403",
        "another CA of the name \"CN=One CA,O=Company\"",
        "--allow-issuer",
    ]);

    let mut server = setup.serve(&site.args(&[&rules[..], &["--deny-early"]].concat()));
    assert_refused(setup, &site.pki, &mut server, Some(&namesake));
    server.assert_logs(&["refused: ", "another CA of the name \"CN=One CA,O=Company\""]);
    assert_served_as(setup, &site.pki, &server, &site.of_one);
}

/// One that was renewed, one that another CA signed, and one that has expired, each in the file or from the client.
fn the_same_key_with_another_certificate_is_allowed(setup: Setup) {
    let site = Site::new();
    let other = Authority::root("Other CA");
    let renewed = site.one.signed_again_by(&site.pki.ca, "One CA");
    let crossed = site.one.signed_again_by(&other, "One CA of others");
    for (name, ca) in
        [("renewed", &renewed), ("crossed", &crossed), ("expired", &site.one.expired_pem("One CA"))]
    {
        let file = site.pki.write(&format!("{name}-ca.pem"), ca);
        let rule = ["--allow-issuer", &file];
        assert_eq!(site.status(setup, &rule, &site.of_one), 200, "{name}");
        assert_eq!(site.status(setup, &rule, &site.of_two), 403, "{name}");
    }
    let mut leaf = site.one.issue(&client());
    leaf.cert += &renewed;
    let files = site.pki.save("renewed", &leaf);
    assert_eq!(site.status(setup, &["--allow-issuer", &site.one_file], &files), 200);
    // The other CA calls it by another name, which does not make it another issuer.
    let mut leaf = site.one.named("One CA of others").issue(&client());
    leaf.cert += &crossed;
    let files = site.pki.save("crossed", &leaf);
    let cas = site.pki.write("cas.pem", site.pki.ca.pem() + &other.pem());
    let rules = ["--client-ca", &cas, "--allow-issuer", &site.one_file];
    assert_eq!(site.status(setup, &rules, &files), 200);
}

fn the_name_has_to_be_allowed_too(setup: Setup) {
    let site = Site::new();
    let other = site.one.issue(&Profile::client("other.localhost")).with_chain(&[&site.one]);
    let other = site.pki.save("other", &other);
    let rules = ["--allow-issuer", &site.one_file, "--allow-cn", "client.*"];
    for (files, status) in [(&site.of_one, 200), (&site.of_two, 403), (&other, 403)] {
        assert_eq!(site.status(setup, &rules, files), status, "{files:?}");
    }
    let rule = ["--allow-issuer", &site.one_file];
    assert_eq!(site.status(setup, &rule, &other), 200);
}

fn who_is_denied_is_told_who_that_is_and_not_the_rule(setup: Setup) {
    let site = Site::new();
    let server = setup.serve(&site.args(&["--allow-issuer", &site.one_file]));
    let client = setup.client(&site.pki).and(&["-E", &site.of_two.both]);
    let answer = client.fetch(&server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
    let said = "the client certificate \"CN=client.localhost,O=Company\" is not allowed here\n";
    assert_eq!(answer.text(), said);
    let why = "403: the client certificate \"CN=client.localhost,O=Company\" is issued by \"CN=Two CA,O=Company\", \
               which no --allow-issuer names";
    server.assert_logs(&[why]);
}

fn denying_early_fails_the_handshake(setup: Setup) {
    let site = Site::new();
    let rules =
        ["--allow-issuer", &site.one_file, "--allow-issuer", &site.pki.ca_file, "--deny-early"];
    let mut server = setup.serve(&site.args(&rules));
    assert_refused(setup, &site.pki, &mut server, Some(&site.of_two));
    let why = "refused: the client certificate \"CN=client.localhost,O=Company\" is issued by \"CN=Two CA,O=Company\", \
               which no --allow-issuer names";
    server.assert_logs(&[why]);
    assert_served_as(setup, &site.pki, &server, &site.of_one);
}

fn whoever_needs_no_certificate_needs_no_issuer(setup: Setup) {
    let site = Site::new();
    for early in [&[][..], &["--deny-early"]] {
        let rules = ["--client-verify", "optional", "--allow-issuer", &site.one_file];
        let server = setup.serve(&site.args(&[&rules[..], early].concat()));
        let whoami = setup.client(&site.pki).fetch(&format!("{}whoami", server.url)).json();
        assert!(whoami["client_certificate"].is_null(), "{whoami}");
        assert_served_as(setup, &site.pki, &server, &site.of_one);
        let answer = setup.client(&site.pki).and(&["-E", &site.of_two.both]).fetch(&server.url);
        let expected = if early.is_empty() { 403 } else { 0 };
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    // A server that closes this way round the rule.
    let closed = ["--client-verify", "optional", "--allow-anonymous", "off"];
    let server =
        setup.serve(&site.args(&[&closed[..], &["--allow-issuer", &site.one_file]].concat()));
    assert_eq!(setup.client(&site.pki).fetch(&server.url).status, 403);
    assert_served_as(setup, &site.pki, &server, &site.of_one);
}

/// The file is read again with the others, and each connection is asked about again.
fn a_connection_does_not_outlast_its_issuer(setup: Setup) {
    let site = Site::new();
    for early in [&[][..], &["--deny-early"]] {
        let file = site.pki.write("issuers.pem", site.one.pem() + &site.two.pem());
        let server = setup.serve(&site.args(&[&["--allow-issuer", &file][..], early].concat()));
        let [mut one, mut two] = [&site.of_one, &site.of_two].map(|files| {
            let mut conn = Dialer::mutual(server.port, &site.pki.ca_file, files).open();
            conn.get().assert_top_level();
            conn
        });
        let renewed = site.one.signed_again_by(&site.pki.ca, "One CA");
        fs::write(&file, renewed).unwrap();
        server.reload();
        one.get().assert_top_level();
        let why =
            if early.is_empty() { "is not allowed here" } else { "any more: no allowed issuer" };
        assert_no_longer(&mut two, why);
        server
            .assert_logs(&["is issued by \"CN=Two CA,O=Company\", which no --allow-issuer names"]);

        // What cannot be read changes nothing.
        fs::write(&file, "").unwrap();
        server.signal("HUP");
        server.assert_logs(&["--allow-issuer", "is empty"]);
        one.get().assert_top_level();
        let curl = setup.client(&site.pki).and(&["-E", &site.of_two.both]);
        assert_ne!(curl.fetch(&server.url).status, 200);
    }
}

/// Without a signal.
fn a_file_that_changes_is_read_again(setup: Setup) {
    let site = Site::new();
    let file = site.pki.write("issuers.pem", site.one.pem());
    let server = setup.serve(&site.args(&["--allow-issuer", &file]));
    assert_served_as(setup, &site.pki, &server, &site.of_one);
    let start = server.log_len();
    fs::write(&file, site.two.pem()).unwrap();
    server.logged_since(start, &["reloaded (a file changed)"]);
    assert_served_as(setup, &site.pki, &server, &site.of_two);
    let answer = setup.client(&site.pki).and(&["-E", &site.of_one.both]).fetch(&server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
}
