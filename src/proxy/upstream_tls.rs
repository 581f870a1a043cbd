use std::sync::{Arc, PoisonError, RwLock};

use turnkey_backend::Connector;

/// What does the TLS with upstreams that speak it. It can be replaced while requests are under way.
#[derive(Debug, Default)]
pub(super) struct UpstreamTls {
    current: RwLock<Option<Arc<Speaker>>>,
}

/// It does the TLS until it is replaced, and what was opened with it is known by it.
#[derive(Debug)]
pub(super) struct Speaker(pub(super) Box<dyn Connector>);

impl UpstreamTls {
    /// What a connection is opened with now, if TLS was set up.
    pub(super) fn get(&self) -> Option<Arc<Speaker>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens connections with `connector` from the next one on.
    pub(super) fn replace(&self, connector: Box<dyn Connector>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::new(Speaker(connector)));
    }

    /// Whether a connection that was opened with this, or in the clear, is as good as a new one.
    pub(super) fn is_current(&self, opened_with: Option<&Arc<Speaker>>) -> bool {
        let Some(speaker) = opened_with else { return true };
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|current| Arc::ptr_eq(current, speaker))
    }
}
