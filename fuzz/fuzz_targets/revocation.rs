#![no_main]

use std::sync::LazyLock;

use turnkey_backend::{Identity, OcspResponse, RevocationList};
use turnkey_fuzz::{check_printable, now};

/// Whom the responses among the seeds are about.
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    let chain = include_bytes!("../seeds/revocation/identity");
    Identity::from_pem(chain, chain, None, now()).unwrap_or_else(|error| panic!("{error}"))
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match RevocationList::read(input) {
        Ok(lists) => lists.iter().for_each(check_list),
        Err(error) => check_printable(&error.to_string()),
    }
    match OcspResponse::from_der(input) {
        Ok(response) => check_response(&response),
        Err(error) => check_printable(&error.to_string()),
    }
});

fn check_list(list: &RevocationList) {
    check_printable(&format!("{list:?}"));
    check_printable(list.issuer());
    let end = list.next_update();
    assert_eq!(list.has_expired(now()), end.is_some_and(|end| end <= now()));
    for certificate in IDENTITY.chain() {
        assert!(list.covers(certificate) || !list.revokes(certificate));
    }
    match RevocationList::read(list.der()).as_deref() {
        Ok([again]) => assert_eq!(again.revoked(), list.revoked()),
        other => panic!("it is not read twice: {other:?}"),
    }
}

fn check_response(response: &OcspResponse) {
    check_printable(&format!("{response:?}"));
    assert!(OcspResponse::from_der(response.der()).is_ok(), "it is not read twice");
    match IDENTITY.with_ocsp(response, now()) {
        Ok(stapled) => {
            assert_eq!(stapled.ocsp(now()), Some(response.der()));
            assert_eq!(stapled.chain(), IDENTITY.chain());
            assert!(response.next_update().is_none_or(|end| end >= now()));
        }
        Err(error) => check_printable(&error.to_string()),
    }
}
