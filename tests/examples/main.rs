//! Every example does what its first lines say: their commands are run, one after the other, in an
//! empty folder, and have to print what stands there. `[...]` stands for whatever comes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod built;
mod session;

use std::fs;

use session::Session;
use turnkey_test_support as support;

/// The source of an example.
fn source(name: &str) -> String {
    let file = format!("{}/examples/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// The name of an example, which may be a word of the language.
fn name(identifier: &'static str) -> &'static str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// One test for each example.
macro_rules! examples {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            Session::new().play(&source(name(stringify!($name))));
        })+

        #[test]
        fn there_is_a_test_for_each() {
            let mut tried = vec![$(format!("{}.rs", name(stringify!($name)))),+];
            let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"));
            let file = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
            let files = folder.unwrap().map(|entry| file(entry).into_string().unwrap());
            let mut there: Vec<_> = files.collect();
            tried.sort();
            there.sort();
            assert_eq!(tried, there);
        }
    };
}
examples! { hello modes own_backend proxy r#static whoami }

/// The recipe as one program, and a backend of the user's own, are small.
#[test]
fn they_are_as_short_as_they_are_said_to_be() {
    assert!(source("modes").lines().count() < 90);
    assert!(source("own_backend").lines().count() < 80);
}

/// What the recipe's two switches cannot be together.
#[test]
fn users_that_are_verified_without_https_are_refused() {
    let session = Session::new();
    let output = session.fails("HTTPS_ENABLED=False VERIFY_USER=True cargo run --example modes");
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.contains("VERIFY_USER=true needs HTTPS_ENABLED=true"), "{output}");
    // Not even when the other switch is left out.
    let output = session.fails("VERIFY_USER=True cargo run --example modes");
    assert!(output.contains("VERIFY_USER=true needs HTTPS_ENABLED=true"), "{output}");
}

/// As the recipe ends: "Error starting flask server. Missing cert or key. Details: …"
#[test]
fn files_that_are_missing_are_named() {
    let session = Session::new();
    let files = "CA_CHAIN_CRT=server_chain.pem API_KEY=server.key API_CA_T=ca.crt";
    let output = session.fails(&format!("{files} HTTPS_ENABLED=1 cargo run --example modes"));
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.contains("server_chain.pem: there is no such file"), "{output}");
    let output = session.fails("HTTPS_ENABLED=1 cargo run --example modes");
    assert!(output.contains("CA_CHAIN_CRT"), "{output}");
    let output = session.fails("HTTPS_ENABLED=maybe cargo run --example modes");
    assert!(output.contains("HTTPS_ENABLED=maybe: expected true or false"), "{output}");
    let output = session.fails("API_PORT=http cargo run --example modes");
    assert!(output.contains("API_PORT=http"), "{output}");
}

/// In mutual mode nobody gets a byte who shows no certificate.
#[test]
fn the_recipe_in_mutual_mode_refuses_whoever_shows_no_certificate() {
    let mut session = Session::new();
    session.run("cargo run -- certs --out certs", None);
    let files = "CA_CHAIN_CRT=certs/server_chain.pem API_KEY=certs/server.key \
                 API_CA_T=certs/ca.crt";
    session.run(&format!("{files} HTTPS_ENABLED=1 VERIFY_USER=1 cargo run --example modes"), None);
    let url = "https://127.0.0.1:8000/";
    session.run(
        &format!("curl --cacert certs/ca.crt {url}"),
        Some("curl: [...]certificate required[...]"),
    );
    session.run(
        &format!("curl --cacert certs/ca.crt -E certs/client.pem {url}"),
        Some("Top-level content"),
    );
}
