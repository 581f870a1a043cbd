//! Room for so many connections, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smol::channel::Sender;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use crate::common::limits::Limits;
use crate::report::metrics::turned_away::Full;

/// Lets in as many as there are places for. A clone is another door to the same places.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    places: Arc<Semaphore>,
    /// What the next connection is called.
    next: Arc<AtomicU64>,
    /// `None` where there are no handshakes.
    handshakes: Option<Arc<Semaphore>>,
    turned_away: Arc<Semaphore>,
    alive: Sender<()>,
}

impl Door {
    /// A door as wide as `limits` say; `tls` is whether there are handshakes, `turned_away` how many that
    /// do not get in are told so at a time, and `alive` what each connection gets a clone of.
    pub(crate) fn new(limits: &Limits, tls: bool, turned_away: usize, alive: Sender<()>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.max_connections)),
            next: Arc::new(AtomicU64::new(1)),
            handshakes: tls.then(|| Arc::new(Semaphore::new(limits.max_handshakes))),
            turned_away: Arc::new(Semaphore::new(turned_away)),
            alive,
        }
    }

    /// A second door to the same places, for connections without a handshake.
    pub(crate) fn without_handshake(&self) -> Self {
        Self { handshakes: None, ..self.clone() }
    }

    /// A place, if there is one.
    pub(crate) fn admit(&self) -> Result<Places, Full> {
        let place = self.places.try_acquire_arc().ok_or(Full::Connections)?;
        let handshake = match &self.handshakes {
            Some(handshakes) => Some(handshakes.try_acquire_arc().ok_or(Full::Handshakes)?),
            None => None,
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(Places { id, _place: place, handshake, _alive: self.alive.clone() })
    }

    /// A place for somebody who does not get in, to be told so.
    pub(crate) fn turn_away(&self) -> Option<SemaphoreGuardArc> {
        self.turned_away.try_acquire_arc()
    }
}

/// What a connection holds while it lives, so that others wait for it or do without.
#[derive(Debug)]
pub(crate) struct Places {
    id: u64,
    _place: SemaphoreGuardArc,
    /// Held during the handshake only; a mode without one needs none.
    handshake: Option<SemaphoreGuardArc>,
    /// The server has drained when nobody holds one any more.
    _alive: Sender<()>,
}

impl Places {
    /// What the log calls the connection; from 1.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The handshake is done: another may begin.
    pub(crate) fn handshake_done(&mut self) {
        self.handshake = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_doors_have_the_same_places_for_who_is_turned_away() {
        let (alive, _gone) = smol::channel::bounded::<()>(1);
        let door = Door::new(&Limits::default(), true, 2, alive);
        let doors = [door.clone(), door.without_handshake(), door];
        let told: Vec<_> = doors.iter().map(Door::turn_away).collect();
        let at_once: Vec<_> = told.iter().map(Option::is_some).collect();
        assert_eq!(at_once, [true, true, false]);
        drop(told);
        assert!(doors.iter().all(|door| door.turn_away().is_some()), "one after the other");
    }
}
