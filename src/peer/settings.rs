use std::sync::Arc;
use std::time::SystemTime;

use super::trust::Trust;
use crate::common::address::{LocalAddr, RemoteAddr};
use crate::common::limits::Limits;
use crate::common::shutdown::Shutdown;
use crate::mode::current::Serving;
use crate::report::Observer;
use crate::report::explain::{Context, Event, Explainer};

/// What all connections of a listener share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) mode: &'static str,
    pub(crate) limits: Arc<Limits>,
    pub(crate) trust: Arc<Trust>,
    /// For how many seconds clients that come by HTTPS are told to use nothing else (RFC 6797).
    pub(crate) hsts: Option<u64>,
    /// The path at which the server reports its state.
    pub(crate) health: Option<Arc<str>>,
    /// Is told of the requests.
    pub(crate) observer: Arc<Observer>,
    /// Tells the log why clients are not served.
    pub(crate) explainer: Arc<Explainer>,
    pub(crate) shutdown: Shutdown,
}

impl Settings {
    /// Tells the log why `peer`, which came to `local`, was not served by `serving`.
    pub(crate) fn explain(
        &self,
        serving: &Serving,
        local: &LocalAddr,
        peer: RemoteAddr,
        event: &Event<'_>,
    ) {
        let context = Context { serving, local, now: SystemTime::now() };
        self.explainer.explain(peer, event, &context);
    }
}
