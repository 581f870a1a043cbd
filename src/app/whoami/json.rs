//! `/whoami` as JSON. Names do not change; new ones may be added.

use std::time::SystemTime;

use serde_json::{Value, json};
use turnkey_backend::{Certificate, TlsInfo};

use super::days_left;
use crate::peer::Peer;

pub(super) fn of(peer: &Peer, now: SystemTime) -> Value {
    json!({
        "mode": peer.mode(),
        "backend": peer.backend(),
        "scheme": peer.scheme(),
        "host": peer.host(),
        "client": peer.client().to_string(),
        "peer": peer.remote().to_string(),
        "tls": peer.tls().map(tls),
        "client_certificate": peer.certificate().map(|own| {
            let mut certificate = certificate(own, now);
            certificate["chain"] = issuers(peer).map(|all| {
                all.iter().map(|issuer| self::certificate(issuer, now)).collect()
            }).unwrap_or_default();
            certificate
        }),
        "ignored_headers": ignored_names(peer),
        "removed": peer.ignored_headers().iter().map(|header| json!({
            "name": header.name(),
            "value": header.value(),
            "reason": header.reason(),
        })).collect::<Vec<_>>(),
        "trust": trust(peer),
    })
}

/// Each name once.
fn ignored_names(peer: &Peer) -> Vec<&str> {
    let mut names = Vec::new();
    for header in peer.ignored_headers() {
        if !names.contains(&header.name()) {
            names.push(header.name());
        }
    }
    names
}

/// Why the client's address is trusted.
fn trust(peer: &Peer) -> Value {
    let origin = peer.origin();
    let proxies = origin
        .proxies
        .iter()
        .map(|(address, by)| json!({ "address": address.to_string(), "trusted_by": by }));
    json!({
        "why": origin.why,
        "proxy_header": peer.by_proxy_header().map(|sender| sender.to_string()),
        "field": origin.field,
        "hop": origin.hop,
        "proxies": proxies.collect::<Vec<_>>(),
    })
}

/// The certificates above the client's own, the trusted CA's last.
fn issuers(peer: &Peer) -> Option<&[Certificate]> {
    peer.chain()?.split_first().map(|(_, issuers)| issuers)
}

fn tls(tls: &TlsInfo) -> Value {
    json!({
        "version": tls.version.map(|v| v.to_string()),
        "cipher_suite": tls.cipher_suite,
        "key_exchange": tls.key_exchange,
        "alpn": tls.alpn,
        "server_name": tls.server_name,
        "resumed": tls.resumed,
    })
}

fn certificate(certificate: &Certificate, now: SystemTime) -> Value {
    json!({
        "subject": certificate.subject(),
        "common_name": certificate.sole_common_name(),
        "subject_alt_names": certificate.subject_alt_names(),
        "issuer": certificate.issuer(),
        "serial": certificate.serial(),
        "fingerprint": certificate.fingerprint(),
        "not_before": date(certificate.not_before()),
        "not_after": date(certificate.not_after()),
        "days_left": days_left(certificate.not_after(), now),
    })
}

/// RFC 3339, in UTC.
fn date(time: SystemTime) -> String {
    time::OffsetDateTime::from(time)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}
