//! Which limit keeps a connection out.

use crate::common::limits::Limits;

/// Which limit is reached.
pub(crate) enum Full {
    Connections,
    Handshakes,
}

impl Full {
    /// Its name, which other programs go by.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Handshakes => "handshakes",
        }
    }

    /// What to tell the log.
    pub(crate) fn text(&self, limits: &Limits) -> String {
        let (what, max, option) = match self {
            Self::Connections => ("connections", limits.max_connections, "--max-connections"),
            Self::Handshakes => ("handshakes", limits.max_handshakes, "--max-handshakes"),
        };
        format!("as many {what} are open as may be: {max} ({option})")
    }
}
