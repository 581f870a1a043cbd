//! Which fields are forwarded from one connection to the other.

use httparse::Header;

use crate::common::field;

/// Hop-by-hop fields (RFC 9110 §7.6.1), whether `Connection` names them or not.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "content-length",
];

/// The end-to-end fields of a head: neither hop-by-hop nor named in `Connection`. Content-Length is not among
/// them, because turnkey writes its own.
#[derive(Debug)]
pub(super) struct EndToEnd {
    /// The names in `Connection`, in lower case and sorted.
    named: Vec<Vec<u8>>,
}

impl EndToEnd {
    pub(super) fn of(fields: &[Header<'_>]) -> Self {
        let lines = field::values(fields, "connection");
        let named = lines.flat_map(field::list).map(<[u8]>::to_ascii_lowercase);
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        Self { named }
    }

    pub(super) fn keeps(&self, name: &str) -> bool {
        is_end_to_end(name) && !self.names(name)
    }

    /// Whether `Connection` names `option`, ignoring case.
    pub(super) fn names(&self, option: &str) -> bool {
        let lower = || option.bytes().map(|byte| byte.to_ascii_lowercase());
        self.named.binary_search_by(|named| named.iter().copied().cmp(lower())).is_ok()
    }
}

/// Whether a field is end-to-end, unless `Connection` names it.
pub(super) fn is_end_to_end(name: &str) -> bool {
    !HOP_BY_HOP.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// Adds a field line to a head.
pub(super) fn push(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}
