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

/// How long lines are gathered before they are written: a thread that is woken for each of them costs
/// more than they do.
const GATHER: Duration = Duration::from_millis(5);

/// How a line of the access log is written. What clients have written is escaped in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// The Common Log Format, as Apache writes it: `%h %l %u %t "%r" %>s %b`.
    Common,
    /// The same with `"%{Referer}i" "%{User-Agent}i"` behind it, Apache's Combined Log Format.
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

/// Writes a line for each request after it has ended: whole or broken off, refused or handed on.
///
/// No request waits for whoever reads the lines: a thread writes them. There is room for a mebibyte of
/// lines that wait; further ones are dropped, and how many is logged when the reader goes on.
#[derive(Debug)]
pub struct AccessLog {
    format: LogFormat,
    colours: bool,
    queue: LineQueue,
}

impl AccessLog {
    /// What a logger may know it by, to have the access log on or off like other targets: its lines do not go
    /// through [`log`].
    pub const TARGET: &str = "turnkey::access";

    /// Writes to stdout, without colour.
    ///
    /// Fails when there can be no further thread.
    pub fn stdout(format: LogFormat) -> io::Result<Self> {
        Self::new(format, io::stdout())
    }

    /// Writes to `out`, many lines at a time, without colour.
    ///
    /// Fails when there can be no further thread.
    pub fn new(format: LogFormat, out: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = LineQueue::new("the access log", GATHER, out)?;
        Ok(Self { format, colours: false, queue })
    }

    /// Sets whether [`LogFormat::Text`] is in colour; it is not. The other formats never are.
    #[must_use]
    pub fn colours(mut self, on: bool) -> Self {
        self.colours = on;
        self
    }

    /// Writes the line of a request.
    pub(crate) fn write(&self, record: &Record<'_>) {
        with_line(self.format, self.colours, record, |line| self.queue.push(line));
    }

    /// What the lines go through.
    pub(crate) fn queue(&self) -> &LineQueue {
        &self.queue
    }

    /// Waits until all lines are written, for a while.
    pub(crate) fn flush(&self) {
        if !self.queue.flush(FLUSH) {
            log::warn!("the end of the access log is lost: nobody reads it");
        }
    }
}

/// Does `with` the line of a request, and the end of the line.
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

/// What a thread writes lines with, so that none of them costs memory of its own.
#[derive(Debug, Default)]
struct Scratch {
    line: Vec<u8>,
    stamps: Stamps,
}

/// Adds what is of our own making, as it is shown.
fn put(line: &mut Vec<u8>, shown: impl Display) {
    // A vector takes all that is written to it.
    _ = write!(line, "{shown}");
}
