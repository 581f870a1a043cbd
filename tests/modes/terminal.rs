//! A password is asked for where there is a person to ask.

use std::time::Duration;

use crate::make_certs;
use crate::support::{Pki, run, tool};

/// Runs the rest of its arguments on a terminal of its own, types the first one when it is asked
/// for a password, and ends the program once it serves. It prints what stood on the terminal.
const TERMINAL: &str = r#"
import os, pty, select, signal, sys, termios, time
typed, argv = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
shown, asked, end = b"", False, time.time() + 10
while time.time() < end:
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    # What is typed before the echo is off would be shown by the terminal itself.
    if b"Password" in shown and not asked:
        while termios.tcgetattr(terminal)[3] & termios.ECHO and time.time() < end:
            time.sleep(0.01)
        os.write(terminal, typed.encode() + b"\n")
        asked = True
    if b"try: " in shown:
        os.kill(pid, signal.SIGTERM)
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

fn serve_after_typing(typed: &str) -> (Option<i32>, String) {
    let pki = Pki::new();
    let dir = pki.path("certs");
    make_certs(&dir);
    let identity = format!("{dir}/server.p12");
    let mut python = tool("python3");
    python.args(["-c", TERMINAL, typed, env!("CARGO_BIN_EXE_turnkey")]);
    python.args(["--port", "0", "--identity", &identity]);
    let output = run(python, b"", Duration::from_secs(15));
    (output.code, output.text())
}

#[test]
fn the_right_password_is_taken_and_not_shown() {
    let (code, shown) = serve_after_typing("turnkey");
    assert_eq!(code, Some(0), "{shown}");
    let prompt = shown.lines().next().unwrap_or_default();
    assert!(prompt.starts_with("Password of ") && prompt.ends_with("server.p12: "), "{shown}");
    assert!(shown.contains("https on https://"), "{shown}");
}

#[test]
fn a_wrong_password_is_refused() {
    let (code, shown) = serve_after_typing("guess");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("the password is wrong"), "{shown}");
    assert!(!shown.contains("guess"), "{shown}");
}
