//! The context that all connections of a listener share.

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

/// Our protocols, in the wire format of ALPN (RFC 7301 §3.1).
const ALPN: &[u8] = b"\x08http/1.1\x08http/1.0";

/// The suites of TLS 1.2: only those with forward secrecy by elliptic curves and with authenticated encryption.
/// Finite-field groups cost the server more than the client (CVE-2002-20001).
const CIPHERS: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
                       ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
                       ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Without SHA-1 and SHA-224.
const SIGNATURES: &str = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:\
                          ed25519:ed448:\
                          rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:\
                          rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:\
                          rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";

/// Requires a strength of 112 bits: RSA keys of 2048 bits, no SHA-1 in certificates. The default of some
/// distributions is lower.
pub(crate) const SECURITY_LEVEL: u32 = 2;

/// Builds the context of a listener, and, if clients are asked for certificates, what verifies them again.
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
    // A client could make the server work by renegotiating (CVE-2011-1473).
    builder.set_options(SslOptions::NO_RENEGOTIATION);
    // The server decides the order of ciphers, but a client that prefers ChaCha20, because it has no AES in
    // hardware, gets it.
    builder.set_options(SslOptions::CIPHER_SERVER_PREFERENCE | SslOptions::PRIORITIZE_CHACHA);
    // Otherwise it reads the head of a record and then the rest, with a system call each.
    builder.set_read_ahead(true);
    // Chains are sent as given.
    builder.set_mode(SslMode::NO_AUTO_CHAIN);
    // A client that offers only other protocols is rejected (RFC 7301 §3.2).
    builder.set_alpn_select_callback(|_, offered| {
        select_next_proto(ALPN, offered).ok_or(AlpnError::ALERT_FATAL)
    });
    Ok(())
}

/// With tickets only, since they cost the server no memory.
fn resumption(
    builder: &mut SslContextBuilder,
    resumption: &Resumption,
    clients: &ClientPolicy,
) -> Result<(), ErrorStack> {
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    sessions::note_names(builder);
    // Without it, resumption is a fatal alert when client verification is on. It is made from the policy, so
    // that a session cannot be resumed under another one.
    builder.set_session_id_context(&clients.digest())?;
    match resumption {
        Resumption::Off => {
            builder.set_options(SslOptions::NO_TICKET);
            // TLS 1.3 would send tickets for the cache.
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
