//! What a failed handshake says of itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::io;

use support::{Holder, new_year_2026, parse, printed};
use turnkey_backend::{Alert, Common, Fault, HandshakeError, Refused};

#[test]
fn each_kind_says_what_happened() {
    let reset = || io::Error::new(io::ErrorKind::ConnectionReset, "reset");
    let errors = [
        (HandshakeError::Io(reset()), "the connection ended during the handshake: reset"),
        (
            HandshakeError::NoClientCertificate,
            "the client sent no certificate, and one is required",
        ),
        (Alert(48).into(), "the client ended the handshake: alert unknown_ca (48)"),
        (
            HandshakeError::NothingInCommon(Common::Version),
            "client and server have no TLS version in common",
        ),
        (
            HandshakeError::NothingInCommon(Common::Cipher),
            "client and server have no cipher in common",
        ),
        (HandshakeError::NotTls, "what the client sent is not TLS"),
        (HandshakeError::Tls("bad record".into()), "the TLS handshake failed: bad record"),
    ];
    for (error, text) in errors {
        assert_eq!(printed(&error), text);
    }
}

#[test]
fn a_refused_certificate_is_named_with_its_fault() {
    let ca = || "CN=ca".to_owned();
    let faults = [
        (Fault::UnknownIssuer, "no trusted CA issued it"),
        (Fault::Expired, "it has expired"),
        (Fault::NotYetValid, "it is not valid yet"),
        (Fault::Revoked, "it is revoked"),
        (Fault::NotForClients, "it is not for the authentication of clients"),
        (Fault::NotAllowed, "no rule allows it"),
        (Fault::BadSignature, "a signature is wrong"),
        (Fault::NoRevocationList { issuer: ca() }, "there is no revocation list of its CA"),
        (
            Fault::RevocationListExpired { issuer: ca(), next_update: Some(new_year_2026()) },
            "the revocation list of its CA has expired",
        ),
        (Fault::Other("it is odd".to_owned()), "it is odd"),
    ];
    let certificate = parse(&Holder::leaf("alice\n").self_signed());
    for (fault, text) in faults {
        let error = HandshakeError::from(Refused::new(certificate.clone(), fault.clone()));
        let wanted = format!(r#"the client certificate "CN=alice\0A" was refused: {text}"#);
        assert_eq!(printed(&error), wanted);
        let HandshakeError::ClientCertificate(refused) = error else { panic!("{error}") };
        assert_eq!(refused.fault(), &fault);
    }
}

#[test]
fn the_fault_may_lie_with_a_ca_in_between() {
    let (leaf, ca) = (Holder::leaf("alice"), Holder::ca("ca"));
    let (leaf, ca) = (parse(&leaf.signed_by(&ca)), parse(&ca.self_signed()));
    let refused = Refused::new(leaf.clone(), Fault::Expired);
    assert_eq!(refused.culprit(), &leaf);
    let refused = refused.because_of(ca.clone());
    assert_eq!((refused.certificate(), refused.culprit()), (&leaf, &ca));
    let refused = refused.because_of(leaf.clone());
    assert_eq!(refused.culprit(), &leaf);
}

#[test]
fn alerts_have_their_names_from_the_rfcs() {
    // RFC 8446 §6, RFC 5246 §7.2, RFC 7507, RFC 6066, RFC 7301.
    let named = [
        (0, "close_notify"),
        (10, "unexpected_message"),
        (20, "bad_record_mac"),
        (22, "record_overflow"),
        (40, "handshake_failure"),
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (47, "illegal_parameter"),
        (48, "unknown_ca"),
        (49, "access_denied"),
        (50, "decode_error"),
        (51, "decrypt_error"),
        (70, "protocol_version"),
        (71, "insufficient_security"),
        (80, "internal_error"),
        (86, "inappropriate_fallback"),
        (90, "user_canceled"),
        (100, "no_renegotiation"),
        (109, "missing_extension"),
        (110, "unsupported_extension"),
        (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"),
        (116, "certificate_required"),
        (120, "no_application_protocol"),
    ];
    for number in 0..=u8::MAX {
        let name = named.iter().find(|(n, _)| *n == number).map(|(_, name)| *name);
        assert_eq!(Alert(number).name(), name, "{number}");
    }
    assert_eq!(Alert(45).to_string(), "alert certificate_expired (45)");
    assert_eq!(Alert(200).to_string(), "alert 200");
}
