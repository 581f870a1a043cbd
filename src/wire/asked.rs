use http_types::Method;

use super::head::Version;
use super::transport::{Shared, lock};
use crate::common::request_id::RequestId;

/// How much of a body that the handler left unread is passed over to get at the next request, in
/// bytes. To read more costs more than a new connection.
pub(crate) const DISCARD: u64 = 64 * 1024;

/// What the answer to a request depends on, besides what the handler says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// What the log calls the request.
    pub(crate) id: RequestId,
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// Whether the connection may go on after the answer, and the client wants it to.
    pub(crate) persistent: bool,
    /// For how many seconds the client is told to use nothing but HTTPS (RFC 6797), if it is.
    pub(crate) hsts: Option<u64>,
    /// Whether the client prefers a page if it is refused.
    pub(crate) page: bool,
}

impl Asked {
    /// What is asked by a request of which no more than the method is known.
    pub(crate) fn unread(id: RequestId, method: Method) -> Self {
        Self { id, method, version: Version::Http11, persistent: false, hsts: None, page: false }
    }

    /// Whether the connection can go on after an answer that begins now.
    pub(crate) fn persists(&self, shared: &Shared) -> bool {
        let transport = lock(shared);
        self.persistent && transport.can_discard(DISCARD) && !transport.has_aged()
    }
}
