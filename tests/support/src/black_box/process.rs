//! Child processes that end: each has a deadline, and passing it fails the test.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a finished process left behind.
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// A command with nothing in its environment that could change what it does (proxies, trust
/// stores, dot files), and without a standard input.
pub fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env_clear().stdin(Stdio::null());
    for kept in ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("HOME", "/nonexistent").env("LC_ALL", "C");
    command
}

/// Python with the modules that the tests need, without those of whoever runs them.
pub fn python() -> Command {
    let python = &format!("{}/.venv/bin/python", crate::root());
    assert!(std::path::Path::new(python).exists(), "there is no {python}; make deps makes it");
    let mut command = tool(python);
    command.args(["-I", "-B"]);
    command
}

/// Runs `command` to its end, with `input` as its standard input; fails the test when the program
/// is not installed or does not end within `deadline`.
pub fn run(mut command: Command, input: &[u8], deadline: Duration) -> Output {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));

    let writer = child.stdin.take().map(|mut stdin| {
        let input = input.to_vec();
        // A process that leaves early does not read it all, which is no failure.
        thread::spawn(move || drop(stdin.write_all(&input)))
    });
    let stdout = collect(child.stdout.take().expect("stdout is piped"));
    let stderr = collect(child.stderr.take().expect("stderr is piped"));

    let status = wait(&mut child, deadline);
    if status.is_none() {
        child.kill().ok();
        child.wait().ok();
    }
    if let Some(writer) = writer {
        writer.join().expect("the writer does not panic");
    }
    let stdout = stdout.join().expect("the reader does not panic");
    let stderr = stderr.join().expect("the reader does not panic");
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    let Some(status) = status else {
        let stdout = String::from_utf8_lossy(&stdout);
        panic!("{command:?} still ran after {deadline:?}\nstdout: {stdout}\nstderr: {stderr}");
    };
    Output { code: status.code(), stdout, stderr }
}

pub(super) fn spawn(command: &mut Command) -> Child {
    let program = command.get_program().to_owned();
    command.spawn().unwrap_or_else(|e| {
        panic!("cannot run {}: {e}; the black-box tests need it installed", program.display())
    })
}

/// Waits for the process to end; `None` when it has not at the deadline.
pub(super) fn wait(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return Some(status);
        }
        if Instant::now() > end {
            return None;
        }
        thread::sleep(Duration::from_millis(3));
    }
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).ok();
        bytes
    })
}
