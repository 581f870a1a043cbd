//! What `--adhoc` generates for one run.

use std::time::SystemTime;

use crate::config::error::ConfigError;
use crate::config::files::{Adhoc, ClientFiles};

/// Generates an identity for `host`. Generates a CA and a client certificate too, if `clients` must be verified
/// and no CA is named.
#[cfg(feature = "pki")]
pub(crate) fn make(
    host: &str,
    clients: Option<&ClientFiles>,
    now: SystemTime,
) -> Result<Adhoc, ConfigError> {
    use crate::config::files::AdhocClients;
    use crate::console::causes::with_causes;
    use crate::pki;

    let failed = |e: pki::PkiError| ConfigError::Failed(format!("--adhoc: {}", with_causes(&e)));
    let hosts = [host.to_owned()];
    if clients.is_none_or(|clients| !clients.cas.is_empty()) {
        let identity = pki::adhoc(&hosts, now).map_err(failed)?;
        return Ok(Adhoc { identity, clients: None });
    }
    let made = pki::adhoc_mutual(&hosts, now).map_err(failed)?;
    let clients = AdhocClients {
        anchors: made.anchors,
        ca: made.ca,
        client: made.client,
        _folder: made.folder,
    };
    Ok(Adhoc { identity: made.identity, clients: Some(clients) })
}

/// Says what is missing.
#[cfg(not(feature = "pki"))]
pub(crate) fn make(
    _host: &str,
    _clients: Option<&ClientFiles>,
    _now: SystemTime,
) -> Result<Adhoc, ConfigError> {
    Err(ConfigError::Failed(
        "--adhoc: not compiled in; build with the cargo feature pki, or use --cert and --key"
            .to_owned(),
    ))
}
