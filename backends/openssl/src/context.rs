//! What all connections of a listener have in common.

use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SslAcceptor, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions,
    SslSessionCacheMode, SslVersion, select_next_proto,
};
use turnkey_backend::{BuildError, ClientPolicy, Resumption, TlsConfig, TlsVersion};

use crate::again::Again;
use crate::identities::Shown;
use crate::{clients, groups, sessions, setup};

/// What we speak, in the wire form of ALPN (RFC 7301 §3.1).
const ALPN: &[u8] = b"\x08http/1.1\x08http/1.0";

/// Of TLS 1.2: forward secret by elliptic curves, with authenticated encryption, and nothing else.
/// Finite-field groups are left out: they cost the server more than the client (CVE-2002-20001).
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                       ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
                       ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Without SHA-1 and SHA-224.
const SIGNATURES: &str = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:\
                          ed25519:ed448:\
                          rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:\
                          rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:\
                          rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

/// What takes at least 2^112 steps to break: RSA keys of 2048 bits, no SHA-1 in certificates. Some
/// distributions have it as their default, others less.
pub(crate) const SECURITY_LEVEL: u32 = 2;

/// Builds the context of a listener, and what verifies its clients again, where they are asked.
pub(crate) fn build(config: &TlsConfig) -> Result<(SslContext, Option<Again>), BuildError> {
    let mut builder =
        SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(setup)?;
    protocol(&mut builder, config).map_err(setup)?;
    let again = clients::set(&mut builder, &config.clients)?;
    resumption(&mut builder, &config.resumption, &config.clients).map_err(setup)?;
    let shown = Arc::new(Shown::new(&config.identities)?);
    shown.set(&mut builder)?;
    let context = builder.build().into_context();
    shown.try_on(&context)?;
    Ok((context, again))
}

fn protocol(builder: &mut SslContextBuilder, config: &TlsConfig) -> Result<(), ErrorStack> {
    builder.set_min_proto_version(Some(version(config.versions.min())))?;
    builder.set_max_proto_version(Some(version(config.versions.max())))?;
    builder.set_security_level(SECURITY_LEVEL);
    builder.set_cipher_list(CIPHERS)?;
    groups::offer(builder)?;
    builder.set_sigalgs_list(SIGNATURES)?;
    // A client that renegotiates makes the server work for nothing (CVE-2011-1473).
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    // Ours is the order of the ciphers, except that a client without AES in hardware, which is one
    // that puts ChaCha20 first, gets that.
    builder.set_options(SslOptions::CIPHER_SERVER_PREFERENCE | SslOptions::PRIORITIZE_CHACHA);
    // It would ask for the head of a record and then for the rest, each a system call.
    builder.set_read_ahead(true);
    // Chains are sent as they were given.
    builder.set_mode(SslMode::NO_AUTO_CHAIN);
    // Whoever names protocols and none of ours is not let in (RFC 7301 §3.2).
    builder.set_alpn_select_callback(|_, offered| {
        select_next_proto(ALPN, offered).ok_or(AlpnError::ALERT_FATAL)
    });
    Ok(())
}

/// With tickets only: what a client keeps costs the server no memory.
fn resumption(
    builder: &mut SslContextBuilder,
    resumption: &Resumption,
    clients: &ClientPolicy,
) -> Result<(), ErrorStack> {
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    sessions::note_names(builder);
    // Without it resumption is a fatal alert as soon as client verification is on; from the
    // policy, so that no session crosses from one to another.
    builder.set_session_id_context(&clients.digest())?;
    match resumption {
        Resumption::Off => {
            builder.set_options(SslOptions::NO_TICKET);
            // TLS 1.3 would send tickets for its cache.
            builder.set_num_tickets(0)
        }
        // The keys are random and as old as the context.
        Resumption::On => sessions::bind(builder),
        Resumption::Shared(key) => {
            sessions::bind(builder)?;
            turnkey_openssl_calls::set_ticket_keys(builder, &key.derive("openssl", clients))
        }
    }
}

fn version(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::Tls12 => SslVersion::TLS1_2,
        TlsVersion::Tls13 => SslVersion::TLS1_3,
    }
}
