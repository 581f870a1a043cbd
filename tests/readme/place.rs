//! Where the commands are played: a copy of this system, in which every address, port and path that
//! they name is theirs.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::support::console::{fits, quiet};
use crate::support::{Output, Program, Server, apart, run, tool};

/// For all commands together, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(600);
/// For one of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// What says to a test that it is there.
const VARIABLE: &str = "TURNKEY_TEST_PLACE";

/// Has the test of this name, which calls this, run in the place, where it plays.
pub(crate) fn in_place(name: &str, play: impl FnOnce()) {
    if env::var_os(VARIABLE).is_some() {
        return play();
    }
    let mut command = apart("tests/readme/place.sh");
    command.arg(env::current_exe().expect("a test")).arg(name);
    command.arg(env!("CARGO_BIN_EXE_turnkey"));
    let output = run(command, b"", DEADLINE);
    let ran = output.text().contains("test result: ok. 1 passed");
    assert!(output.code == Some(0) && ran, "{}{}", output.text(), output.stderr);
}

/// The folder of the project there, or one in it.
pub(crate) fn folder(name: &str) -> String {
    format!("{}/{name}", env::var(VARIABLE).expect("only there"))
}

/// Runs a line of shell to its end.
pub(crate) fn shell(line: &str, folder: &str) -> Output {
    let mut shell = tool("sh");
    shell.args(["-c", &quiet(line)]).current_dir(folder);
    run(shell, b"", PATIENCE)
}

/// The same for what has to be done before, and has to go well.
#[track_caller]
pub(crate) fn prepare(script: &str) {
    let output = shell(&format!("set -e\n{script}"), &folder(""));
    assert_eq!(output.code, Some(0), "{script}: {}{}", output.text(), output.stderr);
}

/// What serves because a line of shell says so; with all that it started it ends when this goes out of
/// scope.
pub(crate) struct Serving {
    pub(crate) server: Server,
}

impl Serving {
    pub(crate) fn start(line: &str, folder: &str) -> Self {
        assert!(Path::new(folder).is_dir(), "{folder}");
        Self { server: Program::shell(line).dir(folder).start() }
    }

    /// Waits until it has printed what is expected, to which it may add.
    #[track_caller]
    pub(crate) fn assert_prints(&self, expected: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let printed = self.server.stdout();
            if fits(&plain(&printed), &plain(&format!("{expected}\n[...]"))) {
                return;
            }
            assert!(Instant::now() < end, "{printed}\nis not\n{expected}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It leads a group; in that there may be make, too.
        let group = self.server.pid();
        let script = format!(
            "kill -TERM -{group}; n=0
            while kill -0 -{group} 2>/dev/null && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done"
        );
        // It has to be waited for to be gone.
        let ending = thread::spawn(move || shell(&script, "/"));
        self.server.wait();
        ending.join().ok();
    }
}

/// The text with what is another each time put in one form: dates and times, versions but our own, ports
/// that the system chose, and how long something took.
pub(crate) fn plain(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        out.push_str(before);
        out.push_str(&plain_word(&word[..end], word[end..].starts_with(" ms")));
        rest = &word[end..];
    }
    out.push_str(rest);
    out
}

fn plain_word(word: &str, is_time_taken: bool) -> String {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_version = word.split('.').count() == 3
        && word.split(['.', ':']).all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    match shape.as_str() {
        "0000-00-00" => "DATE".to_owned(),
        "0000-00-00T00:00:00.000Z" => "TIME".to_owned(),
        _ if is_version && !word.starts_with(env!("CARGO_PKG_VERSION")) => {
            let colon = if word.ends_with(':') { ":" } else { "" };
            format!("VERSION{colon}")
        }
        _ if is_time_taken => "TOOK".to_owned(),
        _ => plain_port(word),
    }
}

/// An address with a port that the system chose.
fn plain_port(word: &str) -> String {
    let bare = word.trim_end_matches(':');
    let Some((address, port)) = bare.rsplit_once(':') else { return word.to_owned() };
    let is_chosen = port.parse::<u16>().is_ok_and(|port| port >= 32_768);
    let is_address = address.parse::<std::net::IpAddr>().is_ok();
    if is_chosen && is_address {
        return format!("{address}:PORT{}", &word[bare.len()..]);
    }
    word.to_owned()
}
