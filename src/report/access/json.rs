//! Lines for programs: the same keys on each, `null` if there is no value.

use turnkey_backend::TlsVersion;

use super::escape::push_json;
use super::put;
use super::stamp::Stamps;
use crate::report::record::Record;

/// Adds an object.
pub(super) fn write(line: &mut Vec<u8>, record: &Record<'_>, stamps: &mut Stamps) {
    let noted = record.noted;
    let parts = noted.parts();
    // A malformed request line is logged as a whole.
    let target = parts.map_or(noted.request_line(), |[_, target, _]| target);
    line.extend_from_slice(b"{\"time\":\"");
    stamps.push_iso(line, record.began);
    line.extend_from_slice(b"\",\"id\":");
    match record.id {
        Some(id) => put(line, format_args!("\"{id}\"")),
        None => line.extend_from_slice(b"null"),
    }
    push_text(line, "outcome", Some(record.outcome.name().as_bytes()));
    push_key(line, "status");
    put(line, record.status);
    push_text(line, "method", parts.map(|[method, ..]| method));
    push_text(line, "target", Some(target).filter(|target| !target.is_empty()));
    push_text(line, "version", parts.map(|[.., version]| version));
    push_text(line, "host", noted.host());
    push_key(line, "client");
    put(line, format_args!("\"{}\"", noted.client()));
    let (tls, certificate) = (record.tls, record.certificate());
    let version = tls.and_then(|tls| tls.version).map(TlsVersion::number);
    push_text(line, "tls", version.map(str::as_bytes));
    let group = tls.and_then(|tls| tls.key_exchange.as_deref());
    push_text(line, "tls_group", group.map(str::as_bytes));
    // Rules ignore the common names if there are several, and so must readers of the log.
    let common_name = certificate.and_then(|c| c.sole_common_name());
    push_text(line, "client_cn", common_name.map(str::as_bytes));
    push_text(line, "client_subject", certificate.map(|c| c.subject().as_bytes()));
    push_key(line, "received");
    put(line, record.received);
    push_key(line, "sent");
    put(line, record.sent);
    push_key(line, "seconds");
    put(line, format_args!("{}.{:06}", record.took.as_secs(), record.took.subsec_micros()));
    push_text(line, "upstream", record.upstream.map(str::as_bytes));
    push_text(line, "referer", noted.referer());
    push_text(line, "user_agent", noted.user_agent());
    line.push(b'}');
}

fn push_text(line: &mut Vec<u8>, key: &str, text: Option<&[u8]>) {
    push_key(line, key);
    match text {
        Some(text) => push_json(line, text),
        None => line.extend_from_slice(b"null"),
    }
}

fn push_key(line: &mut Vec<u8>, key: &str) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(key.as_bytes());
    line.extend_from_slice(b"\":");
}
