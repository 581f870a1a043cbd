//! The log, on stderr. It goes through a queue, so that a slow reader blocks no thread.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Duration;

use env_logger::{Builder, Env, Target};
use turnkey::log::LineQueue;

/// How long the program waits, when it ends, for the reader of the log.
const FLUSH: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<LineQueue> = OnceLock::new();

/// Logs to stderr, at level `info` and above, or as `RUST_LOG` says.
pub(crate) fn init() {
    let env = Env::default().default_filter_or("info");
    let mut builder = Builder::from_env(env);
    builder.format(|out, record| {
        let level = record.level().as_str().to_ascii_lowercase();
        writeln!(out, "{level}: {}", on_one_line(&record.args().to_string()))
    });
    // If no thread can be started for the queue, each thread writes to stderr itself.
    if let Ok(queue) = LineQueue::new("the log", Duration::ZERO, io::stderr()) {
        builder.target(Target::Pipe(Box::new(Enqueue(queue.clone()))));
        _ = QUEUE.set(queue);
    }
    // Another logger may be set already; keep it.
    _ = builder.try_init();
}

/// `text` with its control characters escaped. A message of a handler or a library may contain bytes from a client.
/// They must not begin a new line or control a terminal.
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

/// Prints `text`, which ends with a line break, unchanged.
pub(crate) fn say(text: &str) {
    match QUEUE.get() {
        Some(queue) => queue.push(text.as_bytes()),
        // If stderr is closed, there is nobody to tell.
        None => _ = io::stderr().write_all(text.as_bytes()),
    }
}

/// Waits until the log is written, but not longer than [`FLUSH`].
pub(crate) fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH);
    }
}

/// The queue, if there is one. It counts the lines that it drops.
pub(crate) fn queue() -> Option<LineQueue> {
    QUEUE.get().cloned()
}

/// Puts each write, which is whole lines, into a queue.
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
