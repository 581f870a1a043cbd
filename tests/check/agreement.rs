//! What a check calls an error keeps the server from starting, and nothing else does.

use crate::support::ocsp::Status;
use crate::support::{
    Authority, Crl, Pki, Profile, Program, assert_agreement, export_pkcs12, openssl, secret,
};

/// What is served with, and whether it can be.
struct Case {
    name: &'static str,
    pki: Pki,
    args: Vec<String>,
    password: Option<&'static str>,
    starts: bool,
}

impl Case {
    fn new(name: &'static str, starts: bool, args: impl FnOnce(&Pki) -> Vec<String>) -> Self {
        let pki = Pki::new();
        let args = args(&pki);
        Self { name, pki, args, password: None, starts }
    }

    fn with_password(mut self, password: &'static str) -> Self {
        self.password = Some(password);
        self
    }

    fn program(&self, before: &[&str]) -> Program {
        let args = self.args.iter().map(String::as_str);
        let program = Program::new(&before.iter().copied().chain(args).collect::<Vec<_>>());
        match self.password {
            Some(password) => program.env("TURNKEY_KEY_PASSWORD", password),
            None => program,
        }
    }
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|&arg| arg.to_owned()).collect()
}

/// The server's own identity, and more.
fn good_and(pki: &Pki, more: &[&str]) -> Vec<String> {
    owned(&[&pki.server_args()[..], more].concat())
}

fn identity(pki: &Pki, profile: &Profile) -> Vec<String> {
    let files = pki.save("case", &pki.ca.issue(profile));
    owned(&["--cert", &files.cert, "--key", &files.key])
}

/// A proxy to an upstream that speaks TLS.
fn upstream(more: &[&str]) -> Vec<String> {
    owned(&[&["--proxy", "https://127.0.0.1:1"], more].concat())
}

fn server() -> Profile {
    Profile::server("server.localhost")
}

#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn cases() -> Vec<Case> {
    vec![
        Case::new("good", true, |pki| good_and(pki, &[])),
        Case::new("http", true, |_| vec![]),
        Case::new("adhoc", true, |_| owned(&["--adhoc"])),
        Case::new("adhoc in mutual mode", true, |_| owned(&["--adhoc", "--mode", "mutual"])),
        Case::new("mutual", true, |pki| good_and(pki, &["--client-ca", &pki.ca_file])),
        Case::new("not there", false, |pki| good_and(pki, &["--client-ca", &pki.path("none")])),
        Case::new("expired", false, |pki| identity(pki, &server().expired())),
        Case::new("not yet valid", false, |pki| identity(pki, &server().not_yet_valid())),
        Case::new("without names", true, |pki| identity(pki, &server().names(&[]))),
        Case::new("for clients", true, |pki| identity(pki, &Profile::client("client"))),
        Case::new("of another key", false, |pki| {
            owned(&["--cert", &pki.server.cert, "--key", &pki.client.key])
        }),
        Case::new("without a key", false, |pki| owned(&["--cert", &pki.server.cert])),
        Case::new("of another key that does not say so", false, |pki| {
            let key = pki.path("short.key");
            openssl(&["ec", "-in", &pki.client.key, "-no_public", "-out", &key]);
            owned(&["--cert", &pki.server.cert, "--key", &secret(key)])
        }),
        Case::new("with a stray", false, |pki| {
            let leaf = pki.ca.issue(&server()).with_chain(&[&Authority::root("Stranger CA")]);
            let files = pki.save("stray", &leaf);
            owned(&["--cert", &files.cert, "--key", &files.key])
        }),
        Case::new("with an issuer that did not sign", true, |pki| {
            let leaf = pki.ca.subordinate("Lower").issue(&server());
            let files = pki.save("odd", &leaf.with_chain(&[&pki.ca.subordinate("Lower")]));
            owned(&["--cert", &files.cert, "--key", &files.key])
        }),
        Case::new("self-signed", true, |pki| {
            let files = pki.save("own", &server().self_signed());
            owned(&["--cert", &files.cert, "--key", &files.key])
        }),
        Case::new("rsa with 1024 bits", false, |pki| {
            let (key, cert) = (pki.path("small.key"), pki.path("small.crt"));
            openssl(&["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=small",
                "-days", "50", "-keyout", &key, "-out", &cert]);
            owned(&["--cert", &cert, "--key", &secret(key), "--backend", "rustls"])
        }),
        Case::new("pkcs12", true, |pki| {
            owned(&["--identity", &export_pkcs12(pki, "id.p12", &pki.ca.issue(&server()), "secret")])
        }).with_password("secret"),
        Case::new("pkcs12 and the wrong password", false, |pki| {
            owned(&["--identity", &export_pkcs12(pki, "id.p12", &pki.ca.issue(&server()), "secret")])
        }).with_password("wrong"),
        Case::new("two for one name", false, |pki| {
            let again = identity(pki, &server());
            good_and(pki, &again.iter().map(String::as_str).collect::<Vec<_>>())
        }),
        Case::new("two names", true, |pki| {
            let other = identity(pki, &server().names(&["other.test"]));
            good_and(pki, &other.iter().map(String::as_str).collect::<Vec<_>>())
        }),
        Case::new("two names on native-tls", false, |pki| {
            let other = identity(pki, &server().names(&["other.test"]));
            let other: Vec<_> = other.iter().map(String::as_str).collect();
            good_and(pki, &[&other[..], &["--backend", "native-tls"]].concat())
        }),
        Case::new("tls 1.3 on native-tls", false, |pki| {
            good_and(pki, &["--tls-min", "1.3", "--backend", "native-tls"])
        }),
        Case::new("a client's certificate for a CA", false, |pki| {
            good_and(pki, &["--client-ca", &pki.client.cert])
        }),
        Case::new("a list", true, |pki| {
            let list = pki.write("ca.crl", Crl::of(&[7]).pem(&pki.ca));
            good_and(pki, &["--client-ca", &pki.ca_file, "--client-crl", &list])
        }),
        Case::new("a list that has expired", true, |pki| {
            let list = pki.write("ca.crl", Crl::of(&[7]).expired().pem(&pki.ca));
            good_and(pki, &["--client-ca", &pki.ca_file, "--client-crl", &list])
        }),
        Case::new("a list signed by another", false, |pki| {
            let list = pki.write("ca.crl", Crl::of(&[7]).pem(&Authority::root("Test CA")));
            good_and(pki, &["--client-ca", &pki.ca_file, "--client-crl", &list])
        }),
        Case::new("no list", false, |pki| {
            let list = pki.write("ca.crl", "nothing");
            good_and(pki, &["--client-ca", &pki.ca_file, "--client-crl", &list])
        }),
        Case::new("short ticket keys", false, |pki| {
            good_and(pki, &["--ticket-keys", &secret(pki.write("keys", "short"))])
        }),
        Case::new("no response", false, |pki| {
            good_and(pki, &["--ocsp", &pki.write("ocsp", "nothing")])
        }),
        Case::new("a response of a revoked certificate", false, |pki| {
            let leaf = pki.ca.issue(&server());
            let files = pki.save("revoked", &leaf);
            let ocsp = pki.ocsp("ocsp", &leaf, Status::Revoked, 5);
            owned(&["--cert", &files.cert, "--key", &files.key, "--ocsp", &ocsp])
        }),
        Case::new("upstreams", true, |pki| upstream(&["--upstream-ca", &pki.ca_file])),
        Case::new("no CA of upstreams", false, |pki| {
            upstream(&["--upstream-ca", &pki.ca_file, "--upstream-ca", &pki.client.cert])
        }),
        Case::new("no key for upstreams", false, |pki| {
            upstream(&["--upstream-cert", &pki.client.cert])
        }),
        Case::new("another key for upstreams", false, |pki| {
            upstream(&["--upstream-cert", &pki.client.cert, "--upstream-key", &pki.server.key])
        }),
        Case::new("expired for upstreams", false, |pki| {
            let files = pki.save("late", &pki.ca.issue(&Profile::client("late").expired()));
            upstream(&["--upstream-cert", &files.cert, "--upstream-key", &files.key])
        }),
        Case::new("no folder", false, |pki| {
            good_and(pki, &["--dir", &pki.path("none")])
        }),
        Case::new("everybody is trusted", true, |_| owned(&["--trust-proxy", "0.0.0.0/0"])),
    ]
}

#[test]
fn check_and_start_up_agree() {
    for case in cases() {
        let Case { name, starts, .. } = &case;
        let checked = case.program(&["check", "--json"]).run();
        let code = i32::from(!starts);
        assert_eq!(checked.code, Some(code), "{name}: {} {}", checked.text(), checked.stderr);
        if *starts {
            // It says where it listens, or the test fails.
            case.program(&["--port", "0"]).start();
        } else {
            let output = case.program(&["--port", "0"]).run();
            assert!(matches!(output.code, Some(1 | 2)), "{name}: {output:?}");
            assert_eq!(output.stderr.lines().count(), 1, "{name}: {}", output.stderr);
            assert_agreement(&output, &checked);
        }
        drop(case.pki);
    }
}
