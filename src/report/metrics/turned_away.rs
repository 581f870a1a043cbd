//! Which limit rejects a connection.

use crate::common::limits::Limits;
use crate::common::setting_names::SettingNames;

/// The limit that is reached.
pub(crate) enum Full {
    Connections,
    Handshakes,
}

impl Full {
    /// Its name in the metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
        }
    }

    /// The text for the log.
    pub(crate) fn text(&self, limits: &Limits, names: &SettingNames) -> String {
        let (what, max, name) = match self {
            Self::Connections => ("connections", limits.max_connections, names.max_connections),
            Self::Handshakes => ("handshakes", limits.max_handshakes, names.max_handshakes),
        };
        format!("as many {what} are open as may be: {max} ({name})")
    }
}
