use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

/// The groups for key exchange. The first one, which resists quantum computers, is preferred; rustls puts it last,
/// unless its cargo feature `prefer-post-quantum` is on. The order matters for connectors: a server on rustls
/// uses the client's order.
static GROUPS: [&dyn SupportedKxGroup; 4] =
    [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// The cryptography of servers and connectors.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: GROUPS.to_vec(), ..default_provider() })
}
