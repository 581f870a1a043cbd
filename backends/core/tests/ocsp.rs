//! OCSP responses, made by the `openssl` program, and the identities that they are stapled to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use support::{Dir, Holder, now, printed};
use turnkey_backend::{Found, Identity, OcspError, OcspResponse};

const DAY: Duration = Duration::from_secs(86_400);
const VALID: &str = "V\t400101000000Z\t\t0A1B\tunknown\t/CN=leaf\n";
const REVOKED: &str = "R\t400101000000Z\t260101000000Z,keyCompromise\t0A1B\tunknown\t/CN=leaf\n";

/// A CA, and a certificate of it with the serial number 0A1B.
struct Issued {
    ca: Holder,
    leaf: Holder,
    dir: Dir,
}

impl Issued {
    fn new() -> Self {
        Self::by(Holder::ca("ca"))
    }

    fn by(ca: Holder) -> Self {
        let mut leaf = Holder::leaf("leaf");
        leaf.params.serial_number = Some(vec![0x0a, 0x1b].into());
        let dir = Dir::new();
        dir.write("ca.pem", ca.self_signed());
        dir.write("ca.key", ca.key_pem());
        dir.write("leaf.pem", leaf.signed_by(&ca));
        Self { ca, leaf, dir }
    }

    /// With the CA's own certificate in the chain.
    fn identity(&self) -> Identity {
        self.identity_of(&(self.leaf.signed_by(&self.ca) + &self.ca.self_signed()))
    }

    fn identity_of(&self, chain: &str) -> Identity {
        let key = self.leaf.key_pem();
        Identity::from_pem(chain.as_bytes(), key.as_bytes(), None, now()).unwrap()
    }

    /// What the CA answers to the request, by what stands in its index.
    fn answer(&self, index: &str, request: &str) -> OcspResponse {
        OcspResponse::from_der(&self.answer_der(index, request)).unwrap()
    }

    fn answer_der(&self, index: &str, request: &str) -> Vec<u8> {
        self.dir.write("index.txt", index);
        self.dir.openssl(&format!(
            "ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -issuer ca.pem {request} \
             -respout response.der"
        ));
        self.dir.read("response.der")
    }
}

fn staple(
    identity: &Identity,
    response: &OcspResponse,
    at: SystemTime,
) -> Result<Identity, String> {
    identity.with_ocsp(response, at).map_err(|error| printed(&error))
}

#[test]
fn a_good_answer_is_stapled() {
    let issued = Issued::new();
    let identity = issued.identity();
    assert!(!identity.is_stapled());
    assert!(identity.ocsp(now()).is_none());
    assert!(identity.ocsp_response().is_none());

    let started = now();
    let response = issued.answer(VALID, "-ndays 2 -cert leaf.pem");
    assert!(started - Duration::from_secs(1) <= response.this_update());
    assert_eq!(response.next_update(), Some(response.this_update() + 2 * DAY));

    let stapled = identity.with_ocsp(&response, now()).unwrap();
    assert!(stapled.is_stapled());
    assert_eq!(stapled.ocsp(now()), Some(response.der()));
    assert_eq!(stapled.ocsp_response().unwrap().der(), response.der());
    assert_eq!(stapled.chain(), identity.chain());
    assert!(!identity.is_stapled(), "the first one is as it was");
}

#[test]
fn an_answer_lasts_until_its_end() {
    let issued = Issued::new();
    let identity = issued.identity();
    let response = issued.answer(VALID, "-ndays 2 -cert leaf.pem");
    let end = response.next_update().unwrap();

    let stapled = identity.with_ocsp(&response, end).unwrap();
    assert!(stapled.ocsp(end).is_some());
    assert!(stapled.ocsp(end + Duration::from_millis(999)).is_some());
    assert!(stapled.ocsp(end + Duration::from_secs(1)).is_none());
    assert!(stapled.is_stapled(), "and it is known that there was one");

    let error = staple(&identity, &response, end + 3 * DAY).unwrap_err();
    assert!(error.starts_with("the OCSP response expired on 20"), "{error}");
    assert!(error.contains(" UTC, 3 days ago (it is now 20"), "{error}");
    assert!(error.ends_with("ask the responder again"), "{error}");
}

#[test]
fn an_answer_of_the_future_waits_and_a_clock_may_be_off_a_little() {
    let issued = Issued::new();
    let identity = issued.identity();
    let response = issued.answer(VALID, "-ndays 2 -cert leaf.pem");
    let start = response.this_update();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert!(staple(&identity, &response, start - minutes(5)).is_ok());
    let error = staple(&identity, &response, start - minutes(7)).unwrap_err();
    assert!(error.contains("does not hold before 20"), "{error}");
    assert!(error.contains("in 7 minutes"), "{error}");
    assert!(error.contains("is the clock right?"), "{error}");
}

#[test]
fn without_an_end_it_does_not_expire() {
    let issued = Issued::new();
    let response = issued.answer(VALID, "-cert leaf.pem");
    assert_eq!(response.next_update(), None);
    let stapled = issued.identity().with_ocsp(&response, now()).unwrap();
    assert!(stapled.ocsp(now() + 10_000 * DAY).is_some());
}

#[test]
fn revoked_and_unknown_are_refused() {
    let issued = Issued::new();
    let identity = issued.identity();
    let revoked = issued.answer(REVOKED, "-ndays 2 -cert leaf.pem");
    let error = staple(&identity, &revoked, now()).unwrap_err();
    assert_eq!(
        error,
        "the OCSP response says that the certificate \"CN=leaf\" was revoked on \
         2026-01-01 00:00:00 UTC; have a new one issued, with a new key"
    );
    let unknown = issued.answer("", "-ndays 2 -cert leaf.pem");
    let error = identity.with_ocsp(&unknown, now()).unwrap_err();
    assert!(matches!(error, OcspError::Unknown { .. }), "{error}");
    assert!(error.to_string().contains("\"CN=leaf\" is unknown"), "{error}");
    assert!(!error.is_about_another());
}

#[test]
fn an_answer_about_another_certificate_is_refused() {
    let issued = Issued::new();
    let identity = issued.identity();
    let refusal = |response: &OcspResponse| {
        let error = identity.with_ocsp(response, now()).unwrap_err();
        assert!(error.is_about_another(), "{error}");
        error.to_string()
    };

    // That the other one is revoked is not what is wrong.
    let other = REVOKED.replace("0A1B", "0A1C");
    let error = refusal(&issued.answer(&other, "-ndays 2 -serial 0x0A1C"));
    assert!(error.contains("not about the certificate \"CN=leaf\""), "{error}");
    assert!(error.contains("its serial number is another"), "{error}");

    let namesake = Issued::by(Holder::ca("another ca"));
    let error = refusal(&namesake.answer(VALID, "-ndays 2 -cert leaf.pem"));
    assert!(error.contains("an issuer of another name"), "{error}");

    let rekeyed = Issued::by(Holder::ca("ca"));
    let response = rekeyed.answer(VALID, "-ndays 2 -cert leaf.pem");
    let error = refusal(&response);
    assert!(error.contains("another key"), "{error}");
    // Which nobody can tell who does not know the CA's key.
    let alone = issued.identity_of(&issued.leaf.signed_by(&issued.ca));
    assert!(alone.with_ocsp(&response, now()).is_ok());
}

#[test]
fn issuers_are_named_by_several_hashes() {
    let issued = Issued::new();
    let identity = issued.identity();
    for hash in ["sha1", "sha256", "sha384", "sha512"] {
        let response = issued.answer(VALID, &format!("-ndays 2 -{hash} -cert leaf.pem"));
        assert_eq!(staple(&identity, &response, now()).err(), None, "{hash}");
    }
    let response = issued.answer(VALID, "-ndays 2 -sha224 -cert leaf.pem");
    let error = staple(&identity, &response, now()).unwrap_err();
    assert!(error.contains("by a hash that is not supported"), "{error}");
}

#[test]
fn of_several_answers_the_one_about_the_leaf_counts() {
    let issued = Issued::new();
    let identity = issued.identity();
    let index = [VALID, &REVOKED.replace("0A1B", "05")].concat();
    for request in ["-cert leaf.pem -serial 5", "-serial 5 -cert leaf.pem"] {
        let response = issued.answer(&index, &format!("-ndays 2 {request}"));
        assert!(identity.with_ocsp(&response, now()).is_ok(), "{request}");
    }
    let index = [REVOKED, &VALID.replace("0A1B", "05")].concat();
    let response = issued.answer(&index, "-ndays 2 -serial 5 -cert leaf.pem");
    let error = identity.with_ocsp(&response, now()).unwrap_err();
    assert!(matches!(error, OcspError::Revoked { .. }), "{error}");
}

#[test]
fn a_serial_number_with_its_high_bit_set_is_the_same_number() {
    let ca = Holder::ca("ca");
    let mut issued = Issued::by(ca);
    issued.leaf.params.serial_number = Some(vec![0xf0, 0x00, 0x01].into());
    issued.dir.write("leaf.pem", issued.leaf.signed_by(&issued.ca));
    let response = issued.answer(&VALID.replace("0A1B", "F00001"), "-ndays 2 -cert leaf.pem");
    assert!(issued.identity().with_ocsp(&response, now()).is_ok());
}

#[test]
fn a_responder_that_is_delegated_to_may_answer() {
    // With its own certificate in the response, and named by its key.
    let issued = Issued::new();
    let responder = Holder::leaf("responder");
    issued.dir.write("responder.pem", responder.signed_by(&issued.ca));
    issued.dir.write("responder.key", responder.key_pem());
    issued.dir.write("index.txt", VALID);
    issued.dir.openssl(
        "ocsp -index index.txt -rsigner responder.pem -rkey responder.key -resp_key_id -CA ca.pem \
         -issuer ca.pem -cert leaf.pem -ndays 2 -respout response.der",
    );
    let response = OcspResponse::from_der(&issued.dir.read("response.der")).unwrap();
    assert!(issued.identity().with_ocsp(&response, now()).is_ok());
}

#[test]
fn responses_are_read_from_pem_too() {
    let issued = Issued::new();
    let der = issued.answer_der(VALID, "-ndays 2 -cert leaf.pem");
    let block = |label: &str| {
        let base64 = BASE64_STANDARD.encode(&der);
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    };
    let pem = block("OCSP RESPONSE");
    assert_eq!(OcspResponse::from_der(pem.as_bytes()).unwrap().der(), der);
    let error = OcspResponse::from_der(pem.repeat(3).as_bytes()).unwrap_err();
    assert!(matches!(error, OcspError::Several { count: 3 }), "{error}");
    let error = OcspResponse::from_der(block("X").as_bytes()).unwrap_err();
    assert!(matches!(error, OcspError::WrongKind(Found::OtherPem)), "{error}");
    let cut = &pem[..pem.len() - 10];
    let error = OcspResponse::from_der(cut.as_bytes()).unwrap_err();
    assert!(matches!(error, OcspError::BrokenPem { .. }), "{error}");
}

#[test]
fn an_error_of_the_responder_is_named() {
    let statuses = [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
    ];
    for (number, name) in statuses {
        let error = OcspResponse::from_der(&[0x30, 3, 0x0a, 1, number]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the OCSP responder answered with the error {name}; ask it again")
        );
    }
    // No such status; and success without a word.
    for number in [4, 7, 0] {
        let error = OcspResponse::from_der(&[0x30, 3, 0x0a, 1, number]).unwrap_err();
        assert!(matches!(error, OcspError::Malformed(_)), "{number}: {error}");
    }
}

#[test]
fn what_is_no_response_is_told_by_what_it_holds() {
    let issued = Issued::new();
    let wrong = |bytes: &[u8]| OcspResponse::from_der(bytes).unwrap_err();
    assert!(matches!(wrong(b""), OcspError::Empty));
    assert!(matches!(wrong(b" \n"), OcspError::Empty));
    assert!(matches!(wrong(b"garbage"), OcspError::Malformed(_)));
    let found = |bytes: &[u8]| match wrong(bytes) {
        OcspError::WrongKind(found) => found,
        error => panic!("{error}"),
    };
    assert_eq!(found(&issued.dir.read("leaf.pem")), Found::PemCertificate);
    assert_eq!(found(&issued.dir.read("ca.key")), Found::PemPrivateKey);
    issued.dir.openssl("x509 -in leaf.pem -outform DER -out leaf.der");
    assert_eq!(found(&issued.dir.read("leaf.der")), Found::DerCertificate);

    let der = issued.answer_der(VALID, "-ndays 2 -cert leaf.pem");
    assert!(matches!(wrong(&der[..der.len() - 1]), OcspError::Malformed(_)));
    assert!(matches!(wrong(&[&der[..], &[0]].concat()), OcspError::Malformed(_)));
    assert_eq!(printed(&wrong(b"junk")).split(':').next(), Some("not a valid OCSP response"));
}

#[test]
fn a_response_is_shown_by_its_times() {
    let issued = Issued::new();
    let shown = format!("{:?}", issued.answer(VALID, "-ndays 2 -cert leaf.pem"));
    assert!(shown.starts_with("OcspResponse { this_update: \"20"), "{shown}");
}
