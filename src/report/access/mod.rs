//! The access log: a line for each request, after it has ended.

mod apache;
mod escape;
mod json;
mod push;
mod stamp;
mod text;

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use self::stamp::Stamps;
use super::log::{FLUSH, LineQueue};
use super::record::Record;

/// How long to gather lines before they are written: waking a thread for each line costs more than the line.
const GATHER: Duration = Duration::from_millis(5);

/// The format of a line in the access log. All formats escape what clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people to read.
    #[default]
    Text,
    /// The Common Log Format of Apache: `%h %l %u %t "%r" %>s %b`.
    Common,
    /// Apache's Combined Log Format: the same, followed by `"%{Referer}i" "%{User-Agent}i"`.
    Combined,
    /// One JSON object (RFC 8259) on each line, in ASCII.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "text" => Ok(Self::Text),
            "common" => Ok(Self::Common),
            "combined" => Ok(Self::Combined),
            "json" => Ok(Self::Json),
            _ => Err("expected text, common, combined or json".to_owned()),
        }
    }
}

/// Writes a line for each request after it has ended: complete or broken off, rejected or forwarded.
///
/// A separate thread writes the lines, so no request waits for their reader. A mebibyte of lines can wait. Further
/// lines are dropped, and their number is logged when the reader continues.
#[derive(Debug)]
pub struct AccessLog {
    format: LogFormat,
    colours: bool,
    queue: LineQueue,
}

impl AccessLog {
    /// A name for loggers, to switch the access log on or off like other targets. Its lines do not go through
    /// [`log`].
    pub const TARGET: &str = "turnkey::access";

    /// Writes to stdout, without colour.
    ///
    /// Fails if no thread can be started.
    pub fn stdout(format: LogFormat) -> io::Result<Self> {
        Self::new(format, io::stdout())
    }

    /// Writes to `out`, many lines at a time, without colour.
    ///
    /// Fails if no thread can be started.
    pub fn new(format: LogFormat, out: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = LineQueue::new("the access log", GATHER, out)?;
        Ok(Self { format, colours: false, queue })
    }

    /// Sets whether [`LogFormat::Text`] uses colour. Default: `false`. The other formats never do.
    #[must_use]
    pub fn colours(mut self, on: bool) -> Self {
        self.colours = on;
        self
    }

    /// Writes the line of a request.
    pub(crate) fn write(&self, record: &Record<'_>) {
        with_line(self.format, self.colours, record, |line| self.queue.push(line));
    }

    /// The queue of the lines.
    pub(crate) fn queue(&self) -> &LineQueue {
        &self.queue
    }

    /// Waits a limited time until all lines are written.
    pub(crate) fn flush(&self) {
        if !self.queue.flush(FLUSH) {
            log::warn!("the end of the access log is lost: nobody reads it");
        }
    }
}

/// Calls `with` with the line of a request, including its line end.
pub(crate) fn with_line<T>(
    format: LogFormat,
    colours: bool,
    record: &Record<'_>,
    with: impl FnOnce(&[u8]) -> T,
) -> T {
    SCRATCH.with_borrow_mut(|Scratch { line, stamps }| {
        line.clear();
        match format {
            LogFormat::Text => text::write(line, record, stamps, colours),
            LogFormat::Common => apache::write(line, record, stamps, false),
            LogFormat::Combined => apache::write(line, record, stamps, true),
            LogFormat::Json => json::write(line, record, stamps),
        }
        line.push(b'\n');
        with(line)
    })
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A thread's buffer for lines, so that a line needs no allocation.
#[derive(Debug, Default)]
struct Scratch {
    line: Vec<u8>,
    stamps: Stamps,
}

/// Adds a trusted value, without escaping.
fn put(line: &mut Vec<u8>, shown: impl Display) {
    // Writing to a vector cannot fail.
    _ = write!(line, "{shown}");
}
