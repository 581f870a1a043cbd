//! Shows on a terminal that the program works on something slow.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Shorter work shows nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long each frame is shown.
const FRAME: Duration = Duration::from_millis(100);

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// Shows on stderr, if that is a terminal, that work is in progress. Dropping it clears the line.
#[derive(Debug)]
pub(crate) struct Progress {
    showing: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to show `what`.
    pub(crate) fn start(what: &'static str) -> Self {
        if !io::stderr().is_terminal() || !anstyle_query::term_supports_ansi_color() {
            return Self { showing: None };
        }
        let (over, is_over) = channel();
        // If the thread cannot start, the work continues without it.
        let thread = thread::Builder::new().spawn(move || show(&mut io::stderr(), what, &is_over));
        Self { showing: thread.ok().map(|thread| (over, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((over, thread)) = self.showing.take() {
            drop(over);
            // The line must be clear before the next output.
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
        // An error means that the terminal is gone, so nobody is reading.
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

    /// Records what is shown, and ends the work after enough frames.
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

    /// What is shown for work that ends after `frames` frames.
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
