use std::sync::Arc;

use crate::app::App;
use crate::proxy::Proxy;

/// What answers to requests.
#[derive(Debug)]
pub(crate) enum Content {
    App(App),
    Proxy(Arc<Proxy>),
}

impl From<App> for Content {
    fn from(app: App) -> Self {
        Self::App(app)
    }
}
