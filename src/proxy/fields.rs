//! Which fields go on from one connection to the other.

use httparse::Header;

use crate::common::field;

/// Fields that are between two neighbours (RFC 9110 §7.6.1), whether `Connection` names them or not.
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

/// The fields of a head that are for whoever is behind us: not those between neighbours, not those
/// that `Connection` names. Content-Length is among those that go: it is said anew.
#[derive(Debug)]
pub(super) struct EndToEnd {
    /// What `Connection` names, in lower case and sorted.
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

    /// Whether `Connection` names `option`, in any case of letters.
    pub(super) fn names(&self, option: &str) -> bool {
        let lower = || option.bytes().map(|byte| byte.to_ascii_lowercase());
        self.named.binary_search_by(|named| named.iter().copied().cmp(lower())).is_ok()
    }
}

/// Whether a field can be for whoever is behind us, unless `Connection` names it.
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
