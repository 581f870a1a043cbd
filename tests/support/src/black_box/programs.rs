//! Programs of others: started on loopback, with their files in a directory of their own, and ended
//! with all that they have started.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::{Output, python, run, tool};

/// How long a program may take to start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that runs until it goes out of scope.
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
    /// What it has written, and all else of its own.
    pub dir: TempDir,
}

impl Running {
    /// Starts `command`, whose files are in `dir`.
    pub fn start(mut command: Command, dir: TempDir) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = dir.path().join("log");
        let out = File::create(&log).expect("a file");
        let err = out.try_clone().expect("a file");
        // A group of its own, so that its workers can be ended with it.
        command.stdout(out).stderr(err).process_group(0);
        let child = command.spawn();
        let child = child.unwrap_or_else(|e| panic!("cannot run {name}: {e}; try make deps"));
        Self { child, name, log, dir }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for it to say `before`; the result is the word after it.
    pub fn word_after(&mut self, before: &str) -> String {
        let found = self.until(|running| {
            let log = running.log();
            let (_, rest) = log.split_once(before)?;
            // The word is whole when something comes after it.
            rest.find(char::is_whitespace).map(|end| rest[..end].to_owned())
        });
        found.unwrap_or_else(|| panic!("{} never said {before:?}: {}", self.name, self.log()))
    }

    /// Waits until `ready` is so.
    pub fn until_ready(&mut self, ready: impl Fn(&Path) -> bool) {
        let found = self.until(|running| ready(running.dir.path()).then_some(()));
        found.unwrap_or_else(|| panic!("{} is not ready: {}", self.name, self.log()));
    }

    fn until<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return Some(found);
            }
            let left = self.child.try_wait().expect("the child can be waited for");
            if left.is_some() || Instant::now() > end {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let Some(group) = group else { return };
        kill_process_group(group, Signal::TERM).ok();
        let end = Instant::now() + Duration::from_secs(2);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        // Those whose parent has left may still be there.
        kill_process_group(group, Signal::KILL).ok();
        self.child.wait().ok();
    }
}

pub fn directory() -> TempDir {
    tempfile::Builder::new().prefix("turnkey-test-").tempdir().expect("a directory")
}

/// What is beside this file.
pub fn beside(name: &str) -> String {
    format!("{}/tests/upstreams/{name}", crate::root())
}

/// Runs a script that has to end well, and gives what it printed.
#[track_caller]
pub fn script(name: &str, args: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = python();
    command.arg(beside(name)).args(args).envs(env.iter().copied());
    let Output { code, stdout, stderr } = run(command, b"", Duration::from_secs(60));
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    assert_eq!(code, Some(0), "{name}: {stdout}{stderr}");
    stdout
}

/// gunicorn with the `application` of a module beside this file. The result is where it listens, as
/// `--proxy` takes it.
pub fn gunicorn(
    module: &str,
    listen: Listen,
    dir: TempDir,
    env: &[(&str, &str)],
) -> (Running, String) {
    gunicorn_of(&["--workers", "2", "--threads", "4"], module, listen, dir, env)
}

/// The same with these workers.
pub fn gunicorn_of(
    workers: &[&str],
    module: &str,
    listen: Listen,
    dir: TempDir,
    env: &[(&str, &str)],
) -> (Running, String) {
    let bind = match listen {
        Listen::Tcp => "127.0.0.1:0".to_owned(),
        Listen::Unix => format!("unix:{}/socket", dir.path().display()),
    };
    let mut command = python();
    command.args(["-m", "gunicorn", "--bind", &bind, "--chdir", &beside("")]);
    // Fields with `_` reach the app: it must be we who keep them from it.
    command.args(["--header-map", "dangerous", "--no-control-socket"]);
    command.args(workers).args(["--graceful-timeout", "1"]);
    command.arg("--worker-tmp-dir").arg(dir.path());
    command.arg(format!("{module}:application")).envs(env.iter().copied());
    let mut gunicorn = Running::start(command, dir);
    let url = gunicorn.word_after("Listening at: ");
    (gunicorn, url)
}

#[derive(Debug, Clone, Copy)]
pub enum Listen {
    Tcp,
    Unix,
}

/// A server of Debian's, which may be where only root looks for programs.
pub fn system_server(name: &str) -> Command {
    let mut command = tool(name);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command
}

/// An address of the loopback that nobody else has: on it any port is free, and stays so while a
/// server on it restarts.
pub fn own_address() -> String {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let [_, _, a, b] = std::process::id().to_be_bytes();
    // 127.0.0.0/16 is for those who think of an address.
    format!("127.{}.{a}.{b}", 100 + LAST.fetch_add(1, Ordering::Relaxed))
}
