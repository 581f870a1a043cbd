//! A sign of life on a terminal, where something takes long.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What is over within this time has needed no sign.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long each of the frames stands.
const FRAME: Duration = Duration::from_millis(100);

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Shows on stderr that something is being done, if that is a terminal, until it is dropped; nothing of
/// it is left then.
#[derive(Debug)]
pub(crate) struct Progress {
    showing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to do `what`.
    pub(crate) fn start(what: &'static str) -> Self {
        if !io::stderr().is_terminal() || !anstyle_query::term_supports_ansi_color() {
            return Self { showing: None };
        }
        let (over, is_over) = channel();
        // Without a thread for it, it is done all the same.
        let thread = thread::Builder::new().spawn(move || show(what, &is_over));
        Self { showing: thread.ok().map(|thread| (over, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((over, thread)) = self.showing.take() {
            drop(over);
            // What comes next on the terminal must find it clean.
            _ = thread.join();
        }
    }
}

fn show(what: &str, is_over: &Receiver<()>) {
    let goes_on = |limit| is_over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if !goes_on(PATIENCE) {
        return;
    }
    let mut out = io::stderr();
    for frame in FRAMES.iter().cycle() {
        // A terminal that is gone has nobody before it.
        _ = write!(out, "\r{frame} {what}").and_then(|()| out.flush());
        if !goes_on(FRAME) {
            break;
        }
    }
    let blank = " ".repeat(what.len() + 2);
    _ = write!(out, "\r{blank}\r").and_then(|()| out.flush());
}
