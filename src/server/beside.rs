//! Listeners for plain HTTP beside the server's own: the redirect to HTTPS, and the metrics.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::bound::{Bound, Listening};
use super::connection::Endpoint;
use super::error::ServerError;
use super::listener::Listener;
use super::metrics_page;
use crate::app::{App, redirect};
use crate::common::limits::Limits;
use crate::mode::current::Current;
use crate::mode::{Mode, Tls};
use crate::peer::settings::Settings;
use crate::report::metrics::Metrics;

/// The most connections for metrics at a time. Their descriptors are reserved: clients do not get them.
const SCRAPERS: usize = 8;

/// The port for plain HTTP that redirects to HTTPS.
#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) port: u16,
    /// Used instead of the port.
    pub(super) listener: Option<Listener>,
    pub(super) challenges: Option<PathBuf>,
}

impl Redirect {
    /// Listens beside `main`, and redirects to its port.
    pub(super) fn listen(self, main: &Bound) -> Result<Listening, ServerError> {
        let own = main.local_addr().map_err(|_| ServerError::NoPort)?;
        let listener = match self.listener {
            Some(listener) => listener,
            None => Listener::bind(SocketAddr::new(own.ip(), self.port))?,
        };
        let shared = &main.endpoint;
        let current = Arc::clone(&shared.current);
        let app = redirect::app(redirect::Target {
            is_ours: Box::new(move |host| current.get().is_for_host(host)),
            https_port: own.port(),
            folder: self.challenges,
        });
        let settings = Settings { hsts: None, health: None, ..Settings::clone(&shared.settings) };
        plain(listener, app, settings)
    }
}

/// The listener for metrics. It shares only the threads with the others: it has its own limit and its own end, and
/// its requests are not reported.
pub(super) fn metrics_listening(
    listener: Listener,
    metrics: Arc<Metrics>,
) -> Result<Listening, ServerError> {
    let limits = Limits { max_connections: SCRAPERS, ..Limits::default() };
    let settings = Settings { limits: Arc::new(limits), ..Settings::default() };
    plain(listener, metrics_page::app(metrics), settings)
}

/// Lets `app` answer in plain HTTP.
fn plain(listener: Listener, app: App, settings: Settings) -> Result<Listening, ServerError> {
    let current = Current::new(Mode::Http.build(&Tls::default())?.serving, None);
    let settings = Settings { mode: Mode::Http.name(), ..settings };
    let endpoint = Endpoint::new(app.into(), Arc::new(current), settings);
    Ok(Listening { listener, endpoint: Arc::new(endpoint) })
}
