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
        let thread = thread::Builder::new().spawn(move || show(&mut io::stderr(), what, &is_over));
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

fn show(out: &mut impl Write, what: &str, is_over: &Receiver<()>) {
    let goes_on = |limit| is_over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if !goes_on(PATIENCE) {
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what is shown, and has the work be over once enough frames were.
    struct Terminal {
        shown: String,
        frames: usize,
        working: Option<Sender<()>>,
    }

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.shown += std::str::from_utf8(bytes).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            if self.shown.matches("work").count() == self.frames {
                self.working = None;
            }
            Ok(())
        }
    }

    /// What is shown of work that is over after that many frames.
    fn shown(frames: usize) -> String {
        let (working, is_over) = channel();
        let working = (frames > 0).then_some(working);
        let mut terminal = Terminal { shown: String::new(), frames, working };
        show(&mut terminal, "work", &is_over);
        terminal.shown
    }

    #[test]
    fn it_turns_and_leaves_an_empty_line() {
        assert_eq!(shown(0), "");
        assert_eq!(shown(1), "\r| work\r      \r");
        let turned = "\r| work\r/ work\r- work\r\\ work\r| work\r      \r";
        assert_eq!(shown(5), turned);
    }
}
