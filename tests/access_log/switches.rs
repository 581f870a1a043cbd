//! What turns the access log on and off, and what is said of it at start-up.

use crate::lines;
use crate::support::{Client, Program, Server, USAGE, assert_complaint};

fn with_rust_log(filter: &str) -> Server {
    Program::new(&["--port", "0"]).env("RUST_LOG", filter).start()
}

#[test]
fn rust_log_turns_it_off_and_on() {
    for (filter, on) in [
        ("info", true),
        ("debug", true),
        ("turnkey=info", true),
        ("warn", false),
        ("info,turnkey::access=off", false),
        ("warn,turnkey::access=info", true),
        ("off", false),
    ] {
        let mut server = with_rust_log(filter);
        Client::new(&[]).fetch(&server.url).assert_top_level();
        server.signal("TERM");
        server.wait();
        assert_eq!(lines(&server, on.into()).len(), usize::from(on), "{filter}");
    }
}

/// The start-up lines are the first, and on stdout, where people read them.
#[test]
fn the_greeting_is_first_or_elsewhere() {
    for (format, on_stdout) in
        [("text", true), ("common", false), ("combined", false), ("json", false)]
    {
        let server = Server::with(&["--log-format", format]);
        Client::new(&[]).fetch(&server.url).assert_top_level();
        let line = lines(&server, 1).remove(0);
        let stdout = server.stdout();
        let expected = if on_stdout { format!("{}{line}\n", server.greeting) } else { line + "\n" };
        assert_eq!(stdout, expected, "{format}");
        assert_eq!(server.log().contains("turnkey 0."), !on_stdout, "{format}: {}", server.log());
    }
}

#[test]
fn a_format_that_there_is_not() {
    let output = Program::new(&["--log-format", "xml"]).run();
    assert_complaint(&output, USAGE, &["--log-format", "xml", "text, common, combined or json"]);
    let output = Program::new(&["--port", "0"]).env("TURNKEY_LOG_FORMAT", "xml").run();
    assert_complaint(&output, USAGE, &["TURNKEY_LOG_FORMAT", "text, common, combined or json"]);
}
