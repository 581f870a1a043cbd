//! Reading what the server logs, which comes through a pipe and may be on its way still; and having
//! it read its files again, which is known to be done by a line there.

use std::thread;
use std::time::{Duration, Instant};

use super::Server;

/// How long the log may lag behind what a client has seen.
const PATIENCE: Duration = Duration::from_secs(10);

impl Server {
    /// Waits for the log to say all of `parts` on one line.
    #[track_caller]
    pub fn assert_logs(&self, parts: &[&str]) {
        self.logged(parts);
    }

    /// The first line that has all of `parts`.
    #[track_caller]
    pub fn logged(&self, parts: &[&str]) -> String {
        self.logged_since(0, parts)
    }

    /// The first one of those that come after so many bytes.
    #[track_caller]
    pub fn logged_since(&self, start: usize, parts: &[&str]) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let log = self.log_since(start);
            let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
            if let Some(line) = log.lines().find(has_all) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "no {parts:?} in {log:?}");
            thread::sleep(Duration::from_millis(3));
        }
    }

    /// Asks for the files to be read again, and waits until it is done: the line that says so.
    #[track_caller]
    pub fn hang_up(&self) -> String {
        let start = self.log_len();
        self.signal("HUP");
        self.logged_since(start, &["reloaded (SIGHUP)"])
    }

    /// Has the files read again, which has to go well.
    #[track_caller]
    pub fn reload(&self) {
        let line = self.hang_up();
        assert!(line.starts_with("info: reloaded"), "{line}");
    }
}
