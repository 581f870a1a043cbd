//! Lines for people.

use anstyle::{AnsiColor, Reset, Style};

use super::escape::{push_quoted, push_word};
use super::put;
use super::stamp::Stamps;
use crate::report::record::{Completion, Record};

/// When, and for whom: what the eye may pass over.
const FAINT: Style = Style::new().dimmed();
/// Who came with a certificate.
const CLIENT: Style = AnsiColor::Cyan.on_default();
/// How it ended, if not as it should.
const BROKEN: Style = AnsiColor::Red.on_default().bold();

/// Adds when, what came of what, how much, how long, and for whom; and what is out of the ordinary.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, stamps: &mut Stamps, colours: bool) {
    colour(line, colours, FAINT);
    stamps.push_iso(line, record.began);
    plain(line, colours);
    line.push(b' ');
    colour(line, colours, of_status(record.status));
    put(line, record.status);
    plain(line, colours);
    line.extend_from_slice(b" \"");
    match record.noted.request_line() {
        b"" => line.push(b'-'),
        asked => push_quoted(line, asked),
    }
    line.extend_from_slice(b"\" ");
    match record.noted.host() {
        Some(host) => push_word(line, host),
        None => line.push(b'-'),
    }
    let micros = record.took.as_micros();
    let (millis, rest) = (micros / 1000, micros % 1000);
    let client = record.noted.client();
    put(line, format_args!(" {} B {millis}.{rest:03} ms {client}", record.sent));
    push_client(line, record, colours);
    colour(line, colours, FAINT);
    if let Some(id) = record.id {
        put(line, format_args!(" #{id}"));
    }
    if let Some(upstream) = record.upstream {
        line.extend_from_slice(b" via ");
        push_word(line, upstream.as_bytes());
    }
    plain(line, colours);
    push_outcome(line, record.outcome, colours);
}

/// By which certificate the client is known, and over which version of TLS it came.
fn push_client(line: &mut Vec<u8>, record: &Record<'_>, colours: bool) {
    if let Some(certificate) = record.certificate() {
        line.extend_from_slice(b" \"");
        colour(line, colours, CLIENT);
        // The subject tells more when there is no common name, or several.
        let name = certificate.sole_common_name().unwrap_or(certificate.subject());
        push_quoted(line, name.as_bytes());
        plain(line, colours);
        line.push(b'"');
    }
    if let Some(version) = record.tls.and_then(|tls| tls.version) {
        put(line, format_args!(" {version}"));
    }
}

/// How it ended, if not as it should.
fn push_outcome(line: &mut Vec<u8>, outcome: Completion, colours: bool) {
    let outcome: &[u8] = match outcome {
        Completion::Complete => return,
        Completion::ClientLeft => b"the client left",
        Completion::BrokenOff => b"broken off",
        Completion::CutOff => b"cut off by the end of the server",
    };
    colour(line, colours, BROKEN);
    line.extend_from_slice(b" (");
    line.extend_from_slice(outcome);
    line.push(b')');
    plain(line, colours);
}

fn colour(line: &mut Vec<u8>, colours: bool, style: Style) {
    if colours {
        put(line, style.render());
    }
}

fn plain(line: &mut Vec<u8>, colours: bool) {
    if colours {
        put(line, Reset);
    }
}

/// The colour of a class of statuses (RFC 9110 §15).
fn of_status(status: u16) -> Style {
    match status {
        ..300 => AnsiColor::Green.on_default(),
        300..400 => AnsiColor::Cyan.on_default(),
        400..500 => AnsiColor::Yellow.on_default(),
        500.. => AnsiColor::Red.on_default().bold(),
    }
}
