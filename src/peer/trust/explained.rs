use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::common::address::ClientAddr;

/// How many addresses are remembered, and how many fields of each. Forged fields must not fill the memory
/// or the log.
const MAX_PEERS: usize = 1024;
const MAX_FIELDS: usize = 16;

/// How much of a peer's text is shown, in bytes.
const SHOWN: usize = 64;

/// Which fields were logged: each is explained once for each address.
#[derive(Debug, Default)]
pub(crate) struct Explained {
    state: Mutex<Mentioned>,
}

#[derive(Debug, Default)]
struct Mentioned {
    fields: HashMap<ClientAddr, Vec<String>>,
    full: bool,
}

impl Explained {
    /// Logs that the field called `name`, which came from `peer`, is ignored, and `why`.
    pub(crate) fn ignored(&self, peer: ClientAddr, name: &str, why: impl fmt::Display) {
        let name = shown(name.as_bytes());
        if self.is_new(peer, &name.to_ascii_lowercase()) {
            log::info!("ignored {name} from {peer}: {why}");
        }
    }

    /// Logs that a request from `peer` is refused, and `why`.
    pub(crate) fn refused(&self, peer: ClientAddr, why: &str) {
        // No field has an empty name.
        if self.is_new(peer, "") {
            log::info!("refused a request from {peer}: {why}");
        }
    }

    fn is_new(&self, peer: ClientAddr, name: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.fields.contains_key(&peer) && state.fields.len() == MAX_PEERS {
            if !state.full {
                state.full = true;
                log::info!(
                    "fields were ignored from {MAX_PEERS} addresses so far: those from further \
                     addresses are not explained"
                );
            }
            return false;
        }
        let known = state.fields.entry(peer).or_default();
        if known.len() == MAX_FIELDS || known.iter().any(|k| k == name) {
            return false;
        }
        known.push(name.to_owned());
        true
    }
}

/// A peer's text, escaped to one line and cut.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => format!("{}...", start.escape_ascii()),
        _ => bytes.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn each_field_of_each_address_once() {
        let explained = Explained::default();
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|ip| ip.parse::<IpAddr>().unwrap().into());
        assert!(explained.is_new(a, "x-forwarded-for"));
        assert!(!explained.is_new(a, "x-forwarded-for"));
        assert!(explained.is_new(a, "x-forwarded-proto"));
        assert!(explained.is_new(b, "x-forwarded-for"));
    }

    #[test]
    fn memory_is_bounded() {
        let explained = Explained::default();
        for n in 0..5000_u32 {
            let peer = IpAddr::from(n.to_be_bytes()).into();
            assert_eq!(explained.is_new(peer, "forwarded"), n < 1024, "{n}");
        }
        let state = explained.state.lock().unwrap();
        assert_eq!((state.fields.len(), state.full), (1024, true));
        drop(state);
        let first = IpAddr::from([0, 0, 0, 0]).into();
        let fields = (0..100).filter(|n| explained.is_new(first, &format!("x-forwarded-{n}")));
        assert_eq!(fields.count(), MAX_FIELDS - 1);
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shown(b"a\r\n\x1b[31m\xff"), r"a\r\n\x1b[31m\xff");
        assert_eq!(shown(&[b'a'; 64]).len(), 64);
        assert_eq!(shown(&[b'a'; 16_000]).len(), 67);
    }
}
