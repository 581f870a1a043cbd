//! Room for so many connections, and no more.

use std::sync::Arc;

use smol::channel::Sender;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use crate::limits::Limits;

/// Lets in as many as there are places for.
pub(crate) struct Door {
    places: Arc<Semaphore>,
    /// `None` where there are no handshakes.
    handshakes: Option<Arc<Semaphore>>,
    alive: Sender<()>,
}

impl Door {
    /// A door as wide as `limits` say; `tls` is whether there are handshakes, and `alive` what
    /// each connection gets a clone of.
    pub(crate) fn new(limits: &Limits, tls: bool, alive: Sender<()>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.max_connections)),
            handshakes: tls.then(|| Arc::new(Semaphore::new(limits.max_handshakes))),
            alive,
        }
    }

    /// A place, if there is one.
    pub(crate) fn admit(&self) -> Result<Places, Full> {
        let place = self.places.try_acquire_arc().ok_or(Full::Connections)?;
        let handshake = match &self.handshakes {
            Some(handshakes) => Some(handshakes.try_acquire_arc().ok_or(Full::Handshakes)?),
            None => None,
        };
        Ok(Places { _place: place, handshake, _alive: self.alive.clone() })
    }
}

/// What a connection holds while it lives, so that others wait for it or do without.
#[derive(Debug)]
pub(crate) struct Places {
    _place: SemaphoreGuardArc,
    /// Held during the handshake only; a mode without one needs none.
    handshake: Option<SemaphoreGuardArc>,
    /// The server has drained when nobody holds one any more.
    _alive: Sender<()>,
}

impl Places {
    /// The handshake is done: another may begin.
    pub(crate) fn handshake_done(&mut self) {
        self.handshake = None;
    }
}

/// Which limit is reached.
pub(crate) enum Full {
    Connections,
    Handshakes,
}

impl Full {
    /// What to tell the log.
    pub(crate) fn text(&self, limits: &Limits) -> String {
        let (what, max, option) = match self {
            Self::Connections => ("connections", limits.max_connections, "--max-connections"),
            Self::Handshakes => ("handshakes", limits.max_handshakes, "--max-handshakes"),
        };
        format!("{max} {what} are open, which is the limit ({option})")
    }
}
