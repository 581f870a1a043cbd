//! What the program says: the log, on stderr, through a queue, so that whoever reads it slowly holds nobody up.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Duration;

use env_logger::{Builder, Env, Target};
use turnkey::log::LineQueue;

/// How long the end of the program waits for whoever reads what it has said.
const FLUSH: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<LineQueue> = OnceLock::new();

/// Logs to stderr, from `info` up, or as `RUST_LOG` says.
pub(crate) fn init() {
    let env = Env::default().default_filter_or("info");
    let mut builder = Builder::from_env(env);
    builder.format(|out, record| {
        let level = record.level().as_str().to_ascii_lowercase();
        writeln!(out, "{level}: {}", on_one_line(&record.args().to_string()))
    });
    // Without a thread to write for others, each writes for itself.
    if let Ok(queue) = LineQueue::new("the log", Duration::ZERO, io::stderr()) {
        builder.target(Target::Pipe(Box::new(Enqueue(queue.clone()))));
        _ = QUEUE.set(queue);
    }
    // A logger that somebody else has set is theirs to keep.
    _ = builder.try_init();
}

/// `text` with its control characters escaped: what a handler or a library says may hold what a client has
/// sent, and must neither begin a line of its own nor have a terminal do anything.
fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// Says `text`, which ends in a line's end, as it is.
pub(crate) fn say(text: &str) {
    match QUEUE.get() {
        Some(queue) => queue.push(text.as_bytes()),
        // With stderr gone there is nobody left to tell.
        None => _ = io::stderr().write_all(text.as_bytes()),
    }
}

/// Waits until what has been logged is written, for a while.
pub(crate) fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH);
    }
}

/// The queue, if there is one: what it drops is counted.
pub(crate) fn queue() -> Option<LineQueue> {
    QUEUE.get().cloned()
}

/// Puts what is written into a queue; each write is whole lines.
struct Enqueue(LineQueue);

impl Write for Enqueue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn a_line_of_the_log_stays_one() {
        assert_eq!(on_one_line("a \"b\" ü\\"), "a \"b\" ü\\");
        let forged = "no such file: a\nerror: reload failed\u{1b}[2J\r\t\u{9b}";
        let shown = r"no such file: a\nerror: reload failed\u{1b}[2J\r\t\u{9b}";
        assert_eq!(on_one_line(forged), shown);
    }
}
