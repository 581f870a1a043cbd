//! Text in colour on a terminal, and plain everywhere else.

use std::time::Duration;

use crate::support::{Client, Pki, Server, python, run};

/// What the program writes to a terminal (a pseudo-terminal that Python makes) while it serves one
/// request.
fn on_a_terminal(variables: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access_log/terminal.py");
    let mut python = python();
    python.args([script, env!("CARGO_BIN_EXE_turnkey")]).args(variables);
    let output = run(python, b"", Duration::from_secs(20));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.text()
}

#[test]
fn coloured_on_a_terminal() {
    let text = on_a_terminal(&[]);
    assert!(text.contains("\x1b[32m200\x1b[0m \"GET / HTTP/1.1\""), "{text:?}");
    let text = on_a_terminal(&["NO_COLOR="]);
    assert!(text.contains("\x1b[32m200"), "an empty NO_COLOR is none: {text:?}");
}

#[test]
fn plain_where_it_is_not_wanted() {
    for variable in ["NO_COLOR=1", "TERM=dumb"] {
        let text = on_a_terminal(&[variable]);
        assert!(text.contains(" 200 \"GET / HTTP/1.1\""), "{text:?}");
        assert!(!text.contains('\x1b'), "{variable}: {text:?}");
    }
}

#[test]
fn plain_when_piped() {
    let pki = Pki::new();
    let server = Server::with(&pki.mutual_args());
    let curl = Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]);
    curl.fetch(&server.url).assert_top_level();
    let line = crate::lines(&server, 1).remove(0);
    assert!(line.contains(" 200 \"GET ") && !line.contains('\x1b'), "{line:?}");
}
