use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

/// The groups for key exchange, the preferred one first: it withstands a quantum computer. rustls puts it
/// last, unless its cargo feature `prefer-post-quantum` is on. The order is that of connectors: a server
/// on rustls takes the first of the client's that it has.
static GROUPS: [&dyn SupportedKxGroup; 4] =
    [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];

/// The cryptography that servers and connectors are built with.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: GROUPS.to_vec(), ..default_provider() })
}
