//! Lines for people to read.

use std::time::Duration;

use anstyle::{AnsiColor, Reset, Style};

use super::escape::{push_quoted, push_word};
use super::push::{push_address, push_number, push_three_digits};
use super::put;
use super::stamp::Stamps;
use crate::report::record::{Completion, Record};

/// The time and the client's address, which matter less.
const FAINT: Style = Style::new().dimmed();
/// The name in the client's certificate.
const CLIENT: Style = AnsiColor::Cyan.on_default();
/// A request that did not end normally.
const BROKEN: Style = AnsiColor::Red.on_default().bold();

/// Adds the time, status, request, host, size, duration and client, and anything unusual.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, stamps: &mut Stamps, colours: bool) {
    colour(line, colours, FAINT);
    stamps.push_iso(line, record.began);
    plain(line, colours);
    line.push(b' ');
    colour(line, colours, of_status(record.status));
    push_number(line, record.status);
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
    line.push(b' ');
    push_number(line, record.sent);
    line.extend_from_slice(b" B ");
    push_millis(line, record.took);
    line.extend_from_slice(b" ms ");
    push_address(line, record.noted.client());
    push_client(line, record, colours);
    colour(line, colours, FAINT);
    if let Some(id) = record.id {
        line.extend_from_slice(b" #");
        push_number(line, id.connection);
        line.push(b'.');
        push_number(line, id.number);
    }
    if let Some(upstream) = record.upstream {
        line.extend_from_slice(b" via ");
        push_word(line, upstream.as_bytes());
    }
    plain(line, colours);
    push_outcome(line, record.outcome, colours);
}

/// Adds `took` in milliseconds, with three decimals.
fn push_millis(line: &mut Vec<u8>, took: Duration) {
    let seconds = took.as_secs();
    let millis = u64::from(took.subsec_millis());
    push_number(line, seconds.saturating_mul(1000).saturating_add(millis));
    line.push(b'.');
    push_three_digits(line, took.subsec_micros());
}

/// Adds the client's certificate and the TLS version.
fn push_client(line: &mut Vec<u8>, record: &Record<'_>, colours: bool) {
    if let Some(certificate) = record.certificate() {
        line.extend_from_slice(b" \"");
        colour(line, colours, CLIENT);
        // The subject says more if there is no common name, or several.
        let name = certificate.sole_common_name().unwrap_or(certificate.subject());
        push_quoted(line, name.as_bytes());
        plain(line, colours);
        line.push(b'"');
    }
    if let Some(version) = record.tls.and_then(|tls| tls.version) {
        put(line, format_args!(" {version}"));
    }
}

/// Adds how the request ended, if not normally.
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

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::common::address::ClientAddr;
    use crate::common::request_id::RequestId;
    use crate::report::record::Noted;

    /// A line written in the simplest way.
    fn expected(record: &Record<'_>, client: ClientAddr) -> String {
        let micros = record.took.as_micros();
        let id = record.id.map(|id| format!(" #{id}")).unwrap_or_default();
        format!(
            "2024-02-29T12:34:56.007Z {} \"GET /a HTTP/1.1\" - {} B {}.{:03} ms {client}{id}",
            record.status,
            record.sent,
            micros / 1000,
            micros % 1000,
        )
    }

    #[test]
    fn a_line_is_what_fmt_makes_of_it() {
        let clients = ["192.0.2.217", "::1"].map(|ip| ClientAddr::Ip(ip.parse().unwrap()));
        let ids = [None, Some(RequestId { connection: 4217, number: 10 })];
        let durations = [0, 1, 999, 1000, 1001, 261, 59_999_999, 123_456_789_012];
        let mut stamps = Stamps::default();
        for (n, client) in clients.into_iter().chain([ClientAddr::Unix]).enumerate() {
            let mut noted = Noted::new(client, true);
            noted.line(b"GET /a HTTP/1.1\r\n");
            for (id, micros) in ids.iter().flat_map(|id| durations.map(|micros| (*id, micros))) {
                let record = Record {
                    id,
                    noted: &noted,
                    tls: None,
                    began: UNIX_EPOCH + Duration::from_millis(1_709_210_096_007),
                    took: Duration::from_micros(micros),
                    status: [200, 404, 499][n],
                    outcome: Completion::Complete,
                    sent: micros,
                    received: 0,
                    upstream: None,
                    failures: &[],
                };
                let mut line = Vec::new();
                write(&mut line, &record, &mut stamps, false);
                assert_eq!(String::from_utf8(line).unwrap(), expected(&record, client));
            }
        }
    }
}
