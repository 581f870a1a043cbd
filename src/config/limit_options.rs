//! The limits that the options ask for.

use turnkey::Limits;
use turnkey::net::Descriptors;

use super::error::{ConfigError, usage};
use super::layers::Layers;
use crate::cli::units::{Bytes, Delay, Seconds};

/// The limits from the options. The default of the others is that of a server that needs so many descriptors.
pub(crate) fn limits(layers: Layers<'_>, descriptors: Descriptors) -> Result<Limits, ConfigError> {
    let default = Limits::of(descriptors);
    let at_least_one = |name: &str, value: Option<usize>| match value {
        Some(0) => Err(usage(format!("{name} 0 lets nobody in: give 1 or more"))),
        value => Ok(value),
    };
    at_least_one("--threads", layers.of(|s| s.threads))?;
    let max_connections = at_least_one("--max-connections", layers.of(|s| s.max_connections))?
        .unwrap_or(default.max_connections);
    let max_handshakes = at_least_one("--max-handshakes", layers.of(|s| s.max_handshakes))?
        .unwrap_or((max_connections / 2).max(1));
    let mut limits = default;
    for (limit, option) in [
        (&mut limits.handshake_timeout, layers.of(|s| s.handshake_timeout)),
        (&mut limits.head_timeout, layers.of(|s| s.head_timeout)),
        (&mut limits.body_timeout, layers.of(|s| s.body_timeout)),
        (&mut limits.write_timeout, layers.of(|s| s.write_timeout)),
        (&mut limits.idle_timeout, layers.of(|s| s.idle_timeout)),
        (&mut limits.drain_timeout, layers.of(|s| s.drain_timeout)),
    ] {
        if let Some(Seconds(duration)) = option {
            *limit = duration;
        }
    }
    if let Some(Seconds(age)) = layers.of(|s| s.max_age) {
        limits.max_age = Some(age);
    }
    if let Some(Delay(delay)) = layers.of(|s| s.drain_delay) {
        limits.drain_delay = delay;
    }
    if let Some(Bytes(size)) = layers.of(|s| s.max_head) {
        // A smaller value fits no useful request line; a larger one is a mistake.
        limits.max_head = usize::try_from(size)
            .ok()
            .filter(|size| (256..=16 * 1024 * 1024).contains(size))
            .ok_or_else(|| usage(format!("--max-head {size}: give 256 bytes to 16M")))?;
    }
    if let Some(Bytes(size)) = layers.of(|s| s.max_body) {
        limits.max_body = (size > 0).then_some(size);
    }
    limits.max_connections = max_connections;
    limits.max_handshakes = max_handshakes;
    Ok(limits)
}
