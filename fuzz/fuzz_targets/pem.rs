#![no_main]

use turnkey_backend::{Identity, TrustAnchors};
use turnkey_fuzz::{check_certificate, check_identity, check_printable, now};

/// Stands between the certificates and the key; without it, both are the same file.
const MARKER: &[u8] = b"\n%%\n";
/// Of the seeds with an encrypted key.
const PASSWORD: &str = "fuzz";

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let marker = input.windows(MARKER.len()).position(|window| window == MARKER);
    let (chain, key) = match marker {
        Some(at) => (&input[..at], &input[at + MARKER.len()..]),
        None => (input, input),
    };
    match Identity::from_pem(chain, key, Some(PASSWORD), now()) {
        Ok(identity) => check_identity(&identity),
        Err(error) => check_printable(&error.to_string()),
    }
    match TrustAnchors::from_pem(chain, now()) {
        Ok(anchors) => {
            assert!(!anchors.certificates().is_empty());
            for certificate in anchors.certificates() {
                check_certificate(certificate);
                assert!(certificate.is_ca() && certificate.check_validity(now()).is_ok());
                // One in DER is taken too.
                match TrustAnchors::from_pem(certificate.der(), now()) {
                    Ok(alone) => assert_eq!(alone.certificates(), [certificate.clone()]),
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
        Err(error) => check_printable(&error.to_string()),
    }
});
