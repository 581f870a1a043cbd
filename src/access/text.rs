//! Lines for people.

use super::escape::{push_quoted, push_word};
use super::put;
use super::stamp::Stamps;
use crate::record::{Outcome, Record};

/// What it takes to set a terminal's colours (ECMA-48 §8.3.117).
const DIM: &[u8] = b"\x1b[2m";
const RED: &[u8] = b"\x1b[31m";
const GREEN: &[u8] = b"\x1b[32m";
const YELLOW: &[u8] = b"\x1b[33m";
const CYAN: &[u8] = b"\x1b[36m";
const RESET: &[u8] = b"\x1b[0m";

/// Adds when, what came of what, how much, how long, and for whom; and what is out of the ordinary.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, stamps: &mut Stamps, coloured: bool) {
    let colour = |line: &mut Vec<u8>, colour: &[u8]| {
        if coloured {
            line.extend_from_slice(colour);
        }
    };
    colour(line, DIM);
    stamps.push_iso(line, record.began);
    colour(line, RESET);
    line.push(b' ');
    colour(line, of_status(record.status));
    put(line, record.status);
    colour(line, RESET);
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
    if let Some(certificate) = record.certificate {
        line.extend_from_slice(b" \"");
        colour(line, CYAN);
        // Of a certificate without a common name there is still to tell whose it is.
        let name = certificate.common_name().unwrap_or(certificate.subject());
        push_quoted(line, name.as_bytes());
        colour(line, RESET);
        line.push(b'"');
    }
    if let Some(version) = record.tls {
        put(line, format_args!(" {version}"));
    }
    colour(line, DIM);
    if let Some(id) = record.id {
        put(line, format_args!(" #{id}"));
    }
    if let Some(upstream) = record.upstream {
        line.extend_from_slice(b" via ");
        push_word(line, upstream.as_bytes());
    }
    colour(line, RESET);
    let outcome: &[u8] = match record.outcome {
        Outcome::Complete => return,
        Outcome::ClientLeft => b"the client left",
        Outcome::BrokenOff => b"broken off",
        Outcome::CutOff => b"cut off by the end of the server",
    };
    colour(line, RED);
    line.extend_from_slice(b" (");
    line.extend_from_slice(outcome);
    line.push(b')');
    colour(line, RESET);
}

/// The colour of a class of statuses (RFC 9110 §15).
fn of_status(status: u16) -> &'static [u8] {
    match status {
        ..300 => GREEN,
        300..400 => CYAN,
        400..500 => YELLOW,
        500.. => RED,
    }
}
