//! Apache's Common and Combined Log Formats (`mod_log_config`), which all log readers know.

use super::escape::{push_quoted, push_word};
use super::put;
use super::stamp::Stamps;
use crate::report::record::Record;

/// Adds `%h %l %u %t "%r" %>s %b`, and `"%{Referer}i" "%{User-Agent}i"` if `combined`. The user is the common name of
/// the client's certificate, if it has exactly one: rules also use only that.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, stamps: &mut Stamps, combined: bool) {
    put(line, record.noted.client());
    line.extend_from_slice(b" - ");
    match record.certificate().and_then(|certificate| certificate.sole_common_name()) {
        None => line.push(b'-'),
        Some("") => line.extend_from_slice(b"\"\""),
        // A client named "-" must not look like a client without a name.
        Some("-") => line.extend_from_slice(b"\\x2d"),
        Some(name) => push_word(line, name.as_bytes()),
    }
    line.extend_from_slice(b" [");
    stamps.push_apache(line, record.began);
    line.extend_from_slice(b"] ");
    let asked = record.noted.request_line();
    push_item(line, Some(asked).filter(|asked| !asked.is_empty()));
    line.push(b' ');
    put(line, record.status);
    line.push(b' ');
    match record.sent {
        0 => line.push(b'-'),
        bytes => put(line, bytes),
    }
    if combined {
        line.push(b' ');
        push_item(line, record.noted.referer());
        line.push(b' ');
        push_item(line, record.noted.user_agent());
    }
}

fn push_item(line: &mut Vec<u8>, item: Option<&[u8]>) {
    line.push(b'"');
    match item {
        Some(bytes) => push_quoted(line, bytes),
        None => line.push(b'-'),
    }
    line.push(b'"');
}
