//! Rules for clients, beside their CA: whom none lets in is told so, and not what the rules are.

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::support::{Dialer, FAILURE, Files, Pki, Profile, Program, USAGE, assert_complaint};

crate::on_every_verifying_backend! {
    by_common_name
    by_dns_name
    by_email_address
    by_uri
    by_spiffe_id
    one_rule_is_enough
    who_is_denied_is_told_who_that_is_and_not_the_rule
    nothing_behind_the_denial_is_served
    denying_early_fails_the_handshake
    whoever_needs_no_certificate_needs_no_rule
    a_ca_is_needed_beside_the_rule
}

/// One that lets everybody in would do so without a word.
#[test]
fn a_rule_for_nothing_is_wrong_usage() {
    let pki = Pki::new();
    for (option, rule) in [("--allow-cn", ""), ("--allow-san", "DNS:"), ("--allow-san", "IP:ten")] {
        let args = [&pki.mutual_args()[..], &[option, rule, "--port", "0"]].concat();
        assert_complaint(&Program::new(&args).run(), USAGE, &[option]);
    }
}

#[test]
fn denying_early_without_a_rule_is_wrong_usage() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--deny-early", "--port", "0"]].concat();
    let naming = ["--deny-early", "--allow-cn", "--allow-san", "--allow-issuer"];
    assert_complaint(&Program::new(&args).run(), USAGE, &naming);
}

#[test]
fn native_tls_has_no_clients_to_rule_over() {
    let pki = Pki::new();
    for rule in [["--allow-cn", "*"], ["--allow-san", "*"]] {
        let args = [&pki.mutual_args()[..], &rule, &["--backend", "native-tls"]].concat();
        assert_complaint(&Program::new(&args).run(), FAILURE, &["native-tls", "rustls", "openssl"]);
    }
}

fn by_common_name(setup: Setup) {
    let clients = Clients::new(&[("alice", &["a.test"]), ("malice", &["alice"]), ("Alice", &[])]);
    clients.assert_allowed(setup, &["--allow-cn", "alice"], &["alice"]);
    clients.assert_allowed(setup, &["--allow-cn", "?lice"], &[]);
    clients.assert_allowed(setup, &["--allow-cn", "*lice"], &["alice", "malice", "Alice"]);
    clients.assert_allowed(setup, &["--allow-cn", "m*", "--allow-cn", "A*"], &["malice", "Alice"]);
}

/// A star stays within a label, two go anywhere.
fn by_dns_name(setup: Setup) {
    let clients = Clients::new(&[
        ("one", &["a.example.test"]),
        ("two", &["a.b.example.test"]),
        ("none", &["example.test"]),
        ("several", &["elsewhere.test", "B.Example.TEST"]),
        ("a.example.test", &["URI:https://a.example.test", "email:x@a.example.test"]),
    ]);
    for rule in ["*.example.test", "DNS:*.example.test"] {
        clients.assert_allowed(setup, &["--allow-san", rule], &["one", "several"]);
    }
    clients.assert_allowed(setup, &["--allow-san", "**.example.test"], &["one", "two", "several"]);
    clients.assert_allowed(setup, &["--allow-san", "example.test"], &["none"]);
    let clients = Clients::new(&[
        ("wildcard", &["*.example.test"]),
        ("partial", &["w*.example.test"]),
        ("wildcard-and-host", &["*.example.test", "a.example.test"]),
    ]);
    for rule in ["*.example.test", "**.example.test"] {
        clients.assert_allowed(setup, &["--allow-san", rule], &["wildcard-and-host"]);
    }
}

fn by_email_address(setup: Setup) {
    let clients = Clients::new(&[
        ("alice", &["email:Alice@example.test"]),
        ("bob", &["email:bob@elsewhere.test"]),
        ("example.test", &["example.test", "URI:mailto:alice@example.test"]),
    ]);
    for rule in ["*@example.test", "email:alice@example.test"] {
        clients.assert_allowed(setup, &["--allow-san", rule], &["alice"]);
    }
}

fn by_uri(setup: Setup) {
    let clients = Clients::new(&[
        ("whole", &["URI:https://example.test/a/b"]),
        ("deeper", &["URI:https://example.test/a/b/c"]),
        ("other-case", &["URI:https://example.test/A/b"]),
    ]);
    clients.assert_allowed(setup, &["--allow-san", "URI:https://example.test/a/*"], &["whole"]);
    let anywhere = ["--allow-san", "https://example.test/**"];
    clients.assert_allowed(setup, &anywhere, &["whole", "deeper", "other-case"]);
    let clients = Clients::new(&[
        ("host", &["URI:https://a.example.test/x"]),
        ("query", &["URI:https://evil.test?.example.test/x"]),
        ("fragment", &["URI:https://evil.test#.example.test/x"]),
        ("backslash", &[r"URI:https://evil.test\.example.test/x"]),
        ("user", &["URI:https://evil.test@a.example.test/x"]),
    ]);
    clients.assert_allowed(setup, &["--allow-san", "https://*.example.test/x"], &["host"]);
}

fn by_spiffe_id(setup: Setup) {
    let clients = Clients::new(&[
        ("web", &["URI:spiffe://example.test/ns/prod/sa/web"]),
        ("staged", &["URI:spiffe://example.test/ns/staging/sa/web"]),
        ("job", &["URI:spiffe://example.test/ns/prod/sa/job"]),
        ("stranger", &["URI:spiffe://example.test.evil.test/ns/prod/sa/web"]),
        ("dots", &["URI:spiffe://example.test/ns/../sa/web"]),
        ("empty", &["URI:spiffe://example.test/ns//sa/web"]),
        ("two", &["URI:spiffe://evil.test/x", "URI:spiffe://example.test/ns/prod/sa/web"]),
    ]);
    let rule = ["--allow-san", "spiffe://example.test/ns/*/sa/web"];
    clients.assert_allowed(setup, &rule, &["web", "staged"]);
    let rule = ["--allow-san", "URI:spiffe://example.test/**"];
    clients.assert_allowed(setup, &rule, &["web", "staged", "job"]);
}

fn one_rule_is_enough(setup: Setup) {
    let clients = Clients::new(&[
        ("alice", &["a.test"]),
        ("bob", &["b.test"]),
        ("carol", &["email:carol@c.test"]),
        ("dave", &["d.test"]),
    ]);
    let rules = ["--allow-cn", "alice", "--allow-san", "b.test", "--allow-san", "*@c.test"];
    clients.assert_allowed(setup, &rules, &["alice", "bob", "carol"]);
}

fn who_is_denied_is_told_who_that_is_and_not_the_rule(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&[&pki.mutual_args()[..], &["--allow-cn", "s3cret*"]].concat());
    let client = setup.client(&pki).and(&["-E", &pki.client.both, "-i"]);
    for path in ["", "whoami", "missing"] {
        let answer = client.fetch(&format!("{}{path}", server.url));
        assert_eq!((answer.exit, answer.status), (0, 403), "{answer:?}");
        let text = answer.text();
        assert!(text.contains("\"CN=client.localhost,O=Company\""), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.to_ascii_lowercase().contains("content-type: text/plain"), "{text}");
    }
    // Whoever runs the server is told what to do.
    server.assert_logs(&["403", "CN=client.localhost", "--allow-cn"]);
}

/// Not what comes along with the first request, and not its body.
fn nothing_behind_the_denial_is_served(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&[&pki.mutual_args()[..], &["--allow-cn", "nobody"]].concat());
    let mut conn = Dialer::mutual(server.port, &pki.ca_file, &pki.client).open();
    let post = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    conn.send(&post.repeat(2)).unwrap();
    let answers = String::from_utf8(conn.rest()).unwrap();
    assert!(answers.starts_with("HTTP/1.1 403 "), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    assert!(!answers.contains("hello"), "{answers}");
}

fn denying_early_fails_the_handshake(setup: Setup) {
    let pki = Pki::new();
    let args = ["--allow-cn", "client.*", "--deny-early"];
    let mut server = setup.serve(&[&pki.mutual_args()[..], &args].concat());
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other.localhost")));
    assert_refused(setup, &pki, &mut server, Some(&other));
    assert_served_as(setup, &pki, &server, &pki.client);
}

/// Optional: nobody is nobody in particular. Who says more is held to it.
fn whoever_needs_no_certificate_needs_no_rule(setup: Setup) {
    let pki = Pki::new();
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other.localhost")));
    for early in [&[][..], &["--deny-early"]] {
        let args = ["--client-verify", "optional", "--allow-cn", "client.*"];
        let server = setup.serve(&[&pki.mutual_args()[..], &args, early].concat());
        let whoami = setup.client(&pki).fetch(&format!("{}whoami", server.url)).json();
        assert!(whoami["client_certificate"].is_null(), "{whoami}");
        assert_served_as(setup, &pki, &server, &pki.client);
        let answer = setup.client(&pki).and(&["-E", &other.both]).fetch(&server.url);
        let expected = if early.is_empty() { 403 } else { 0 };
        assert_eq!(answer.status, expected, "{answer:?}");
    }
}

/// What anybody can write into a certificate lets nobody in.
fn a_ca_is_needed_beside_the_rule(setup: Setup) {
    let pki = Pki::new();
    let mut server = setup.serve(&[&pki.mutual_args()[..], &["--allow-cn", "client.*"]].concat());
    let own = pki.save("own", &Profile::client("client.localhost").self_signed());
    assert_refused(setup, &pki, &mut server, Some(&own));
}

/// Clients of the CA, by their common names.
struct Clients {
    pki: Pki,
    all: Vec<(&'static str, Files)>,
}

impl Clients {
    fn new(clients: &[(&'static str, &[&str])]) -> Self {
        let pki = Pki::new();
        let all = clients.iter().map(|&(name, names)| {
            let leaf = pki.ca.issue(&Profile::client(name).names(names));
            (name, pki.save(&format!("client-{name}"), &leaf))
        });
        Self { all: all.collect(), pki }
    }

    /// Just these are served, and the others get a 403.
    #[track_caller]
    fn assert_allowed(&self, setup: Setup, rules: &[&str], allowed: &[&str]) {
        let server = setup.serve(&[&self.pki.mutual_args()[..], rules].concat());
        for (name, files) in &self.all {
            let client = setup.client(&self.pki).and(&["-E", &files.both]);
            let answer = client.fetch(&format!("{}whoami", server.url));
            let expected = if allowed.contains(name) { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{name} by {rules:?}: {answer:?}");
        }
    }
}
