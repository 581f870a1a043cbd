//! The limits that the options ask for.

use super::error::{ConfigError, usage};
use super::layers::Layers;
use crate::cli::Serve;
use crate::common::limits::{Descriptors, Limits};
use crate::common::units::{Bytes, Delay, Seconds};

/// The limits of the options, and where there are none the default ones of a server that takes so many
/// descriptors.
pub(crate) fn limits(layers: Layers<'_>, descriptors: Descriptors) -> Result<Limits, ConfigError> {
    let default = Limits::of(descriptors);
    let seconds = |option: fn(&Serve) -> Option<Seconds>, default| {
        layers.of(option).map_or(default, |Seconds(duration)| duration)
    };
    let at_least_one = |name: &str, value: Option<usize>| match value {
        Some(0) => Err(usage(format!("{name} 0 lets nobody in: give 1 or more"))),
        value => Ok(value),
    };
    at_least_one("--threads", layers.of(|s| s.threads))?;
    let max_connections = at_least_one("--max-connections", layers.of(|s| s.max_connections))?
        .unwrap_or(default.max_connections);
    let max_handshakes = at_least_one("--max-handshakes", layers.of(|s| s.max_handshakes))?
        .unwrap_or((max_connections / 2).max(1));
    Ok(Limits {
        handshake_timeout: seconds(|s| s.handshake_timeout, default.handshake_timeout),
        head_timeout: seconds(|s| s.head_timeout, default.head_timeout),
        body_timeout: seconds(|s| s.body_timeout, default.body_timeout),
        write_timeout: seconds(|s| s.write_timeout, default.write_timeout),
        idle_timeout: seconds(|s| s.idle_timeout, default.idle_timeout),
        max_age: layers.of(|s| s.max_age).map(|Seconds(age)| age).or(default.max_age),
        drain_delay: layers.of(|s| s.drain_delay).map_or(default.drain_delay, |Delay(delay)| delay),
        drain_timeout: seconds(|s| s.drain_timeout, default.drain_timeout),
        max_head: match layers.of(|s| s.max_head) {
            None => default.max_head,
            // Less than a request line of any use; more than anybody means.
            Some(Bytes(size)) => usize::try_from(size)
                .ok()
                .filter(|size| (256..=16 * 1024 * 1024).contains(size))
                .ok_or_else(|| usage(format!("--max-head {size}: give 256 bytes to 16M")))?,
        },
        max_body: match layers.of(|s| s.max_body) {
            None => default.max_body,
            Some(Bytes(0)) => None,
            Some(Bytes(size)) => Some(size),
        },
        max_connections,
        max_handshakes,
    })
}
