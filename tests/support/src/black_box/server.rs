//! The program under test, as its users start it.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::process::{Output, run, spawn, tool, wait};
use super::words::assert_in_words;

/// How long the program may take to start or to fail, on a machine that is busy.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// The path of the program: Cargo builds it for the test programs, into the folder above theirs.
/// `CARGO_BIN_EXE_turnkey` is there for the tests of the program's own package only.
fn turnkey() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test program");
    test.ancestors().nth(2).expect("a folder above").join("turnkey")
}

/// A command line of the program, with an environment of its own and no terminal.
pub struct Program {
    command: Command,
}

impl Program {
    pub fn new(args: &[&str]) -> Self {
        // In a session of its own the process has no terminal that it could ask for a password.
        // setsid(1) replaces itself, so the process id is the program's.
        let mut command = tool("setsid");
        command.arg(turnkey()).args(args);
        Self { command }
    }

    /// The same for a process that may have so many descriptors.
    pub fn with_descriptors(most: u32, args: &[&str]) -> Self {
        let mut command = tool("sh");
        command.args(["-c", "ulimit -n \"$0\" && exec setsid \"$@\"", &most.to_string()]);
        command.arg(turnkey()).args(args);
        Self { command }
    }

    /// The same for a process that may read no more than its files' permissions say, even as root.
    pub fn without_privileges(args: &[&str]) -> Self {
        const SCRIPT: &str = r#"[ "$(id -u)" = 0 ] || exec setsid "$@"
            exec setsid setpriv --bounding-set -dac_override,-dac_read_search "$@""#;
        let mut command = tool("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(turnkey()).args(args);
        Self { command }
    }

    /// The same for a process that is another program first, which is given these words and becomes
    /// ours.
    pub fn behind(other: &[&str], args: &[&str]) -> Self {
        let mut command = tool("setsid");
        command.args(other).arg(turnkey()).args(args);
        Self { command }
    }

    /// The same for a line of shell that starts it.
    pub fn shell(line: &str) -> Self {
        let mut command = tool("setsid");
        command.args(["sh", "-c", line]);
        Self { command }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The directory that relative paths start from.
    pub fn dir(mut self, dir: &str) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs a command line that is expected to end by itself.
    #[track_caller]
    pub fn run(self) -> Output {
        self.run_within(DEADLINE)
    }

    /// The same for what takes longer, to make RSA keys for example.
    #[track_caller]
    pub fn run_within(self, deadline: Duration) -> Output {
        let output = run(self.command, b"", deadline);
        assert_in_words(&output.stderr);
        assert_in_words(&output.text());
        output
    }

    /// Starts the server and waits until it says where it listens.
    pub fn start(self) -> Server {
        Server::start(self.command)
    }
}

/// The running server; killed when it goes out of scope.
pub struct Server {
    child: Child,
    /// Of the first place that it listens at; 0 if that is a Unix socket.
    pub port: u16,
    /// Ends in `/`, unless it is a Unix socket.
    pub url: String,
    /// The first line that it printed.
    pub banner: String,
    /// What it says to try.
    pub try_command: String,
    /// The start-up lines, as far as the one with the command to try. They come on standard output, or
    /// on standard error where that is for programs.
    pub greeting: String,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    dir: Option<PathBuf>,
}

impl Server {
    /// Serves with `args` on a free port.
    pub fn with(args: &[&str]) -> Self {
        Program::new(&[args, &["--port", "0"]].concat()).start()
    }

    fn start(mut command: Command) -> Self {
        let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let (sender, lines) = channel();
        let stdout = follow(child.stdout.take().expect("stdout is piped"), sender.clone());
        let stderr = follow(child.stderr.take().expect("stderr is piped"), sender);
        let dir = command.get_current_dir().map(Into::into);
        // From here on the child is killed whatever happens.
        let mut server = Self {
            child,
            port: 0,
            url: String::new(),
            banner: String::new(),
            try_command: String::new(),
            greeting: String::new(),
            stdout,
            stderr,
            dir,
        };
        server.read_greeting(&lines);
        server
    }

    fn read_greeting(&mut self, lines: &Receiver<String>) {
        let end = Instant::now() + 2 * DEADLINE;
        while self.try_command.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                panic!("no start-up lines; stdout: {}\nlog: {}", self.greeting, self.log());
            };
            if let Some(command) = line.strip_prefix("try: ") {
                command.clone_into(&mut self.try_command);
            } else if line.starts_with("turnkey ") {
                self.banner.clone_from(&line);
            } else if self.banner.is_empty() {
                // The log says something before.
                continue;
            }
            self.greeting.push_str(&line);
            self.greeting.push('\n');
        }
        let url = self.banner.split(" on ").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let url = url.unwrap_or_else(|| panic!("no URL in {:?}", self.banner));
        if !url.starts_with("unix:") {
            let port = url.trim_end_matches('/').rsplit(':').next().and_then(|p| p.parse().ok());
            self.port = port.unwrap_or_else(|| panic!("no port in {url:?}"));
        }
        url.clone_into(&mut self.url);
    }

    /// The backend that the start-up line names.
    pub fn backend(&self) -> &str {
        let rest = self.banner.split("backend ").nth(1).unwrap_or_default();
        rest.split([' ', ',']).next().unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("no reader panics").clone()
    }

    /// Standard error so far: the log.
    pub fn log(&self) -> String {
        self.log_since(0)
    }

    /// The same without its first bytes.
    pub fn log_since(&self, start: usize) -> String {
        let log = self.stderr.lock().expect("no reader panics");
        log[start..].to_owned()
    }

    pub fn log_len(&self) -> usize {
        self.stderr.lock().expect("no reader panics").len()
    }

    /// Runs the command that the server says to try, as if pasted into a shell beside it.
    pub fn run_try_command(&self) -> Output {
        self.run_try_command_with(&[])
    }

    /// The same where these variables are set.
    pub fn run_try_command_with(&self, variables: &[(&str, &str)]) -> Output {
        let mut shell = tool("sh");
        shell.args(["-c", &self.try_command]).envs(variables.iter().copied());
        if let Some(dir) = &self.dir {
            shell.current_dir(dir);
        }
        run(shell, b"", DEADLINE)
    }

    /// Sends a signal, `TERM` for example.
    pub fn signal(&self, name: &str) {
        let mut kill = tool("sh");
        kill.args(["-c", &format!("kill -{name} {}", self.child.id())]);
        let output = run(kill, b"", DEADLINE);
        assert_eq!(output.code, Some(0), "kill: {}", output.stderr);
    }

    /// Waits for the server to leave by itself.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child, 2 * DEADLINE)
            .unwrap_or_else(|| panic!("the server did not leave; log: {}", self.log()))
    }

    /// Fails the test when the server has left.
    pub fn assert_alive(&mut self) {
        let status = self.child.try_wait().expect("the child can be waited for");
        assert!(status.is_none(), "the server left with {status:?}; log: {}", self.log());
        assert!(!self.log().contains("panicked"), "the server panicked: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a line of shell, the program is a child of the shell: both are in the session of their own.
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        group.and_then(|group| kill_process_group(group, Signal::KILL).ok());
        self.child.kill().ok();
        self.child.wait().ok();
        if !thread::panicking() {
            assert_in_words(&self.log());
        }
    }
}

/// Reads lines to the end of the stream, so that the program never blocks on a full pipe.
fn follow(from: impl std::io::Read + Send + 'static, sender: Sender<String>) -> Arc<Mutex<String>> {
    let all = Arc::new(Mutex::new(String::new()));
    let text = Arc::clone(&all);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = text.lock().expect("no reader panics");
            text.push_str(&line);
            text.push('\n');
            drop(text);
            // Nobody listens any more once the greeting is read.
            sender.send(line).ok();
        }
    });
    all
}
