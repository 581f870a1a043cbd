//! Those who read the log slowly, not at all, or not any more: no request waits for them.

use std::io::Read;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Dialer, GET, run, tool};

/// More than a pipe and the queue hold, at 100 bytes a line and more.
const MANY: usize = 30_000;

/// The program, whose output is read when a test says so.
struct Unread {
    child: Child,
    dialer: Dialer,
    _log: thread::JoinHandle<()>,
    said: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Unread {
    /// With stdout as it is given.
    fn start(stdout: Stdio) -> Self {
        let mut command = tool(env!("CARGO_BIN_EXE_turnkey"));
        command.args(["--port", "0", "--log-format", "json"]);
        Self::of(command.stdout(stdout))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
        let mut stderr = child.stderr.take().unwrap();
        let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let all = std::sync::Arc::clone(&said);
        let log = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut piece) {
                all.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..n]));
            }
        });
        let mut unread = Self { child, dialer: Dialer::plain(0), _log: log, said };
        let said = unread.says("try: ");
        let port = said.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next());
        unread.dialer = Dialer::plain(port.unwrap().parse().unwrap());
        unread
    }

    /// Waits for the log to say `text`: all that it has said.
    #[track_caller]
    fn says(&self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(text) {
                return said;
            }
            assert!(Instant::now() < end, "no {text:?} in {said:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends so many requests, and has each answered within a second.
    #[track_caller]
    fn ask(&self, count: usize) {
        let mut conn = self.dialer.open();
        conn.wait_at_most(Duration::from_secs(1));
        for _ in 0..count / 10 {
            conn.send(&[GET; 10].concat()).unwrap();
            for _ in 0..10 {
                conn.response().assert_top_level();
            }
        }
    }

    /// Asks it to leave; the result is how long it took.
    fn stop(&mut self) -> Duration {
        let mut kill = tool("sh");
        kill.args(["-c", &format!("kill -TERM {}", self.child.id())]);
        assert_eq!(run(kill, b"", Duration::from_secs(5)).code, Some(0));
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0), "{}", self.said.lock().unwrap());
                return start.elapsed();
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it does not leave");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn read_all(stdout: &mut ChildStdout) -> thread::JoinHandle<usize> {
    let mut stdout =
        std::os::fd::AsFd::as_fd(stdout).try_clone_to_owned().map(std::fs::File::from).unwrap();
    thread::spawn(move || {
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).unwrap();
        let text = String::from_utf8(all).unwrap();
        text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count()
    })
}

#[test]
fn requests_go_on_while_nobody_reads() {
    let mut unread = Unread::start(Stdio::piped());
    let mut stdout = unread.child.stdout.take().unwrap();
    unread.ask(MANY);
    assert!(!unread.said.lock().unwrap().contains("were dropped"), "nothing has drained yet");
    // The reader goes on, and is told what it has missed.
    let read = read_all(&mut stdout);
    let said = unread.says("lines of the access log were dropped");
    let line = said.lines().find(|line| line.contains("were dropped")).unwrap();
    let dropped = line.strip_prefix("warn: ").and_then(|line| line.split(' ').next());
    let dropped: usize = dropped.unwrap().parse().unwrap();
    unread.ask(10);
    unread.stop();
    drop(stdout);
    assert_eq!(read.join().unwrap() + dropped, MANY + 10, "each line was written whole or counted");
    assert!(dropped > 1_000, "{dropped}");
}

#[test]
fn the_end_waits_for_the_reader_and_not_for_long() {
    // One that is only late gets all of it.
    let mut unread = Unread::start(Stdio::piped());
    let mut stdout = unread.child.stdout.take().unwrap();
    unread.ask(1_000);
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        read_all(&mut stdout).join().unwrap()
    });
    unread.stop();
    assert_eq!(late.join().unwrap(), 1_000);

    // One that reads nothing is not waited for.
    let mut unread = Unread::start(Stdio::piped());
    let _stdout = unread.child.stdout.take().unwrap();
    unread.ask(2_000);
    let took = unread.stop();
    assert!(took < Duration::from_secs(4), "{took:?}");
    unread.says("the end of the access log is lost");
}

#[test]
fn a_reader_that_has_left_disturbs_nobody() {
    let mut unread = Unread::start(Stdio::piped());
    drop(unread.child.stdout.take());
    unread.ask(100);
    unread.says("warn: the access log ends here: nobody reads it any more");
    unread.ask(1_000);
    assert_eq!(unread.said.lock().unwrap().matches("nobody reads it").count(), 1);
    unread.stop();
}

#[test]
fn a_disk_that_is_full_disturbs_nobody() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut unread = Unread::start(full.into());
    unread.ask(100);
    unread.says("warn: the access log cannot be written, and lines of it are dropped: ");
    unread.ask(1_000);
    assert_eq!(unread.said.lock().unwrap().matches("cannot be written").count(), 1);
    unread.stop();
}

/// The log itself can be left unread too: `2>&1 | less` does that to both.
#[test]
fn requests_go_on_while_nobody_reads_the_log() {
    let mut command = tool("sh");
    // stderr is a pipe that is read to the start-up lines, and then no further.
    let script = "exec \"$0\" --port 0 2>&1";
    command.args(["-c", script, env!("CARGO_BIN_EXE_turnkey")]);
    command.env("RUST_LOG", "debug").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut said = String::new();
    while !said.contains("try: ") {
        let mut piece = [0; 512];
        let n = stdout.read(&mut piece).unwrap();
        said.push_str(&String::from_utf8_lossy(&piece[..n]));
    }
    let port = said.split("http://127.0.0.1:").nth(1).unwrap().split('/').next().unwrap();
    let dialer = Dialer::plain(port.parse().unwrap());
    // Each makes a line on both.
    for _ in 0..3_000 {
        let mut conn = dialer.open();
        conn.wait_at_most(Duration::from_secs(1));
        conn.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(conn.response().status, 400);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
