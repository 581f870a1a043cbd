use std::sync::Arc;

use crate::app::App;
use crate::common::buffers::Buffers;
use crate::common::limits::Descriptors;
use crate::proxy::Proxy;

/// What answers requests.
#[derive(Debug)]
pub(crate) enum Content {
    App(Box<App>),
    Proxy(Arc<Proxy>),
}

impl Content {
    /// How many descriptors clients use.
    pub(crate) fn descriptors(&self) -> Descriptors {
        match self {
            Self::App(_) => Descriptors::OF_APP,
            Self::Proxy(proxy) => proxy.descriptors(),
        }
    }

    /// The buffers for slow clients.
    pub(crate) fn buffers(&self) -> Option<&Arc<Buffers>> {
        match self {
            Self::App(_) => None,
            Self::Proxy(proxy) => Some(proxy.buffers()),
        }
    }
}

impl From<App> for Content {
    fn from(app: App) -> Self {
        Self::App(Box::new(app))
    }
}
