//! Flask: the recipe's app in the recipe's three modes, and who is let in by it.

use tempfile::TempDir;

use crate::Front;
use crate::support::programs::{Listen, Running, beside, directory, gunicorn};
use crate::support::{Client, Files, Pki, Profile, Program, openssl, python, table};

table! {
    columns {
        own_server = own_server;
        gunicorn = by_gunicorn;
        gunicorn_at_a_unix_socket = by_gunicorn_at_a_unix_socket;
    } rows {
        the_app_lets_in_whom_it_knows
        the_three_modes_of_the_recipe
    }
}

/// How Flask is served: with which directory and environment, and where.
type Serve = fn(TempDir, &[(&str, &str)]) -> (Running, String);

fn own_server(dir: TempDir, env: &[(&str, &str)]) -> (Running, String) {
    let mut command = python();
    command.arg(beside("flask_app.py")).envs(env.iter().copied());
    let mut flask = Running::start(command, dir);
    let url = flask.word_after("Running on ");
    (flask, url)
}

fn by_gunicorn(dir: TempDir, env: &[(&str, &str)]) -> (Running, String) {
    gunicorn("flask_app", Listen::Tcp, dir, env)
}

fn by_gunicorn_at_a_unix_socket(dir: TempDir, env: &[(&str, &str)]) -> (Running, String) {
    gunicorn("flask_app", Listen::Unix, dir, env)
}

fn the_app_lets_in_whom_it_knows(serve: Serve) {
    let pki = Pki::new();
    let alice = pki.save("alice", &pki.ca.issue(&Profile::client("alice")));
    let bob = pki.save("bob", &pki.ca.issue(&Profile::client("bob")));
    let (_flask, upstream) = serve(directory(), &[("ALLOWED", &fingerprint(&alice))]);
    let front = Front::with(pki, "mutual", &upstream, &["--client-verify", "optional"]);
    let url = format!("{}private", front.url());
    let curl = Client::new(&["-4", "--cacert", &front.pki.ca_file]);

    let claims_to_be_alice = [
        "X-Client-Verify: SUCCESS".to_owned(),
        format!("X-Client-Fingerprint: {}", fingerprint(&alice)),
        format!("X-Client-Fingerprint: {}", fingerprint(&alice)).replace('-', "_"),
        "X-Client-Subject: CN=alice,O=Company".to_owned(),
        format!("Client-Cert: :{}:", base64_of(&alice)),
    ];
    let claims: Vec<_> = claims_to_be_alice.iter().flat_map(|claim| ["-H", claim]).collect();
    for claims in [&[][..], &claims] {
        let curl = curl.and(claims);
        let known = curl.and(&["-E", &alice.both]).fetch(&url);
        known.assert_ok();
        assert_eq!(known.text(), "for CN=alice,O=Company");
        assert_eq!(curl.and(&["-E", &bob.both]).fetch(&url).status, 403, "{claims:?}");
        assert_eq!(curl.fetch(&url).status, 401, "{claims:?}");
    }
}

pub(crate) fn fingerprint(client: &Files) -> String {
    let said = openssl(&["x509", "-in", &client.cert, "-noout", "-fingerprint", "-sha256"]);
    said.trim().split_once('=').unwrap().1.to_owned()
}

/// What is between the lines of PEM.
pub(crate) fn base64_of(client: &Files) -> String {
    let pem = openssl(&["x509", "-in", &client.cert]);
    pem.lines().filter(|line| !line.starts_with("---")).collect()
}

/// By the switches of the recipe, and with its curls.
fn the_three_modes_of_the_recipe(serve: Serve) {
    let pki = Pki::new();
    let (_flask, upstream) = serve(directory(), &[]);
    let curl = Client::new(&["-4", "--cacert", &pki.ca_file]);
    let with_certificate = curl.and(&["-E", &pki.client.both]);
    for (https, verify) in [("False", "False"), ("True", "False"), ("True", "True")] {
        let server = Program::new(&["--proxy", &upstream])
            .env("HTTPS_ENABLED", https)
            .env("VERIFY_USER", verify)
            .env("API_HOST", "127.0.0.1")
            .env("API_PORT", "0")
            .env("CA_CHAIN_CRT", &pki.server.cert)
            .env("API_KEY", &pki.server.key)
            .env("API_CA_T", &pki.ca_file)
            .start();
        with_certificate.fetch(&server.url).assert_top_level();
        let without = curl.fetch(&server.url);
        if verify == "True" {
            without.assert_refused();
        } else {
            without.assert_top_level();
        }
    }
}
