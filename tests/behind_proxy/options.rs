//! `--trust-proxy` and `--proxy-protocol` as they are typed and set.

use crate::support::{Client, Program, USAGE, assert_complaint};
use crate::with;

#[test]
fn the_environment_takes_a_list() {
    let server = Program::new(&["--port", "0"])
        .env("TURNKEY_TRUST_PROXY", "10.0.0.0/8,127.0.0.1")
        .env("TURNKEY_PROXY_PROTOCOL", "false")
        .start();
    let client = Client::new(&with(&["X-Forwarded-For: 192.0.2.1, 10.0.0.2"]));
    let whoami = client.fetch(&format!("{}whoami", server.url)).json();
    assert_eq!(whoami["client"], "192.0.2.1");
    // What is typed is all that counts.
    let server = Program::new(&["--port", "0", "--trust-proxy", "127.0.0.9"])
        .env("TURNKEY_TRUST_PROXY", "127.0.0.1")
        .start();
    let whoami = client.fetch(&format!("{}whoami", server.url)).json();
    assert_eq!(whoami["client"], "127.0.0.1");
}

#[test]
fn what_makes_no_sense_is_said() {
    for (args, naming) in [
        (&["--trust-proxy", "localhost"][..], &["--trust-proxy", "localhost", "10.0.0.0/8"][..]),
        (&["--trust-proxy", "10.0.0.7/8"], &["10.0.0.7", "10.0.0.0/8"]),
        (
            &["--trust-proxy", ""],
            &["--trust-proxy is empty", "type: turnkey --trust-proxy NETWORK"],
        ),
        (&["--proxy-protocol"], &["--proxy-protocol", "--trust-proxy"]),
    ] {
        assert_complaint(&Program::new(args).run(), USAGE, naming);
    }
    let variable = Program::new(&[]).env("TURNKEY_TRUST_PROXY", "10.0.0.1;10.0.0.2").run();
    assert_complaint(&variable, USAGE, &["TURNKEY_TRUST_PROXY", "10.0.0.1;10.0.0.2"]);
}

#[test]
fn to_trust_everybody_is_warned_of() {
    let server = Program::new(&["--port", "0", "--trust-proxy", "0.0.0.0/0"]).start();
    server.assert_logs(&["warn", "--trust-proxy", "names everybody"]);
}
