use std::sync::{Arc, PoisonError, RwLock};

use turnkey_backend::{ConnectConfig, Connector};

/// TLS for `https://` upstreams. It can be replaced while requests are in progress.
#[derive(Debug, Default)]
pub(super) struct UpstreamTls {
    current: RwLock<Option<Arc<Speaker>>>,
}

/// The TLS setup of one period, until it is replaced. It also marks the connections that it opened.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) connector: Box<dyn Connector>,
    config: ConnectConfig,
}

impl UpstreamTls {
    /// The setup for new connections, if TLS was set up.
    pub(super) fn get(&self) -> Option<Arc<Speaker>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses `connector`, which was built from `config`, for new connections.
    pub(super) fn replace(&self, connector: Box<dyn Connector>, config: ConnectConfig) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::new(Speaker { connector, config }));
    }

    /// Whether a connector built from `config` would be the same as the current one.
    pub(super) fn is_of(&self, config: &ConnectConfig) -> bool {
        self.get().is_some_and(|current| current.config.is_as(config))
    }

    /// Whether a connection that was opened with `opened_with`, or in the clear, is as good as a new one.
    pub(super) fn is_current(&self, opened_with: Option<&Arc<Speaker>>) -> bool {
        let Some(speaker) = opened_with else { return true };
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(|current| Arc::ptr_eq(current, speaker))
    }
}
