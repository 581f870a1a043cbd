//! Admits connections within the limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smol::channel::Sender;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use crate::common::limits::Limits;
use crate::report::metrics::turned_away::Full;

/// Admits connections up to the limits. All clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    places: Arc<Semaphore>,
    /// The number of the next connection.
    next: Arc<AtomicU64>,
    /// `None` if there are no handshakes.
    handshakes: Option<Arc<Semaphore>>,
    turned_away: Arc<Semaphore>,
    alive: Sender<()>,
}

impl Admission {
    /// Admits connections within `limits`. `tls`: whether connections begin with a handshake. `turned_away`: how many
    /// rejected clients are told so at a time. Each connection gets a clone of `alive`.
    pub(crate) fn new(limits: &Limits, tls: bool, turned_away: usize, alive: Sender<()>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.max_connections)),
            next: Arc::new(AtomicU64::new(1)),
            handshakes: tls.then(|| Arc::new(Semaphore::new(limits.max_handshakes))),
            turned_away: Arc::new(Semaphore::new(turned_away)),
            alive,
        }
    }

    /// The same limits, for connections without a handshake.
    pub(crate) fn without_handshake(&self) -> Self {
        Self { handshakes: None, ..self.clone() }
    }

    /// A permit, if one is left.
    pub(crate) fn admit(&self) -> Result<Permit, Full> {
        let place = self.places.try_acquire_arc().ok_or(Full::Connections)?;
        let handshake = match &self.handshakes {
            Some(handshakes) => Some(handshakes.try_acquire_arc().ok_or(Full::Handshakes)?),
            None => None,
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(Permit { id, _place: place, handshake, _alive: self.alive.clone() })
    }

    /// The right to tell a client that it is not admitted, if one is left.
    pub(crate) fn turn_away(&self) -> Option<SemaphoreGuardArc> {
        self.turned_away.try_acquire_arc()
    }
}

/// What a connection holds while it is served. It counts against the limits.
#[derive(Debug)]
pub(crate) struct Permit {
    id: u64,
    _place: SemaphoreGuardArc,
    /// Held during the handshake only; `None` in a mode without one.
    handshake: Option<SemaphoreGuardArc>,
    /// When nobody holds one any more, the server has drained.
    _alive: Sender<()>,
}

impl Permit {
    /// The number of the connection in the log, from 1.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Ends the handshake, so that another may begin.
    pub(crate) fn handshake_done(&mut self) {
        self.handshake = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_have_the_same_places_for_who_is_turned_away() {
        let (alive, _gone) = smol::channel::bounded::<()>(1);
        let admission = Admission::new(&Limits::default(), true, 2, alive);
        let clones = [admission.clone(), admission.without_handshake(), admission];
        let told: Vec<_> = clones.iter().map(Admission::turn_away).collect();
        let at_once: Vec<_> = told.iter().map(Option::is_some).collect();
        assert_eq!(at_once, [true, true, false]);
        drop(told);
        assert!(
            clones.iter().all(|admission| admission.turn_away().is_some()),
            "one after the other"
        );
    }
}
