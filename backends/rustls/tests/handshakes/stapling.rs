//! Responses of OCSP responders, beside the certificate.

use std::thread;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use time::OffsetDateTime;
use turnkey_backend::{Certificate, ClientPolicy, Identities, OcspResponse};

use crate::client::{Site, VERSIONS, credulous_client, meet_as};
use crate::configuration::tlv;
use crate::pki::{Ca, MINUTE, ago, ahead};

/// Says that a certificate is good (RFC 6960 §4.2.1). Nobody has signed it: that is not checked.
fn good(leaf: &Certificate, ca: &str, until: OffsetDateTime) -> OcspResponse {
    let moment = |time: OffsetDateTime| {
        let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
        tlv(0x18, &[text.as_bytes()])
    };
    let sha256 = tlv(0x30, &[&tlv(0x06, &[b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"])]);
    let name = tlv(0x30, &[&tlv(0x06, &[b"\x55\x04\x03"]), &tlv(0x0c, &[ca.as_bytes()])]);
    let name = digest::digest(&digest::SHA256, &tlv(0x30, &[&tlv(0x31, &[&name])]));
    let serial = u64::from_str_radix(leaf.serial(), 16).unwrap().to_be_bytes();
    let zeros = serial.iter().take_while(|&&byte| byte == 0).count();
    let id = [
        sha256.clone(),
        tlv(0x04, &[name.as_ref()]),
        // The chain has no issuer, whose key this would be held against.
        tlv(0x04, &[&[0; 32]]),
        tlv(0x02, &[&serial[zeros..]]),
    ];
    let id = tlv(0x30, &[&id.concat()]);
    let answer = [id, tlv(0x80, &[]), moment(ago(MINUTE)), tlv(0xa0, &[&moment(until)])];
    let answers = tlv(0x30, &[&tlv(0x30, &[&answer.concat()])]);
    let responder = tlv(0xa2, &[&tlv(0x04, &[&[0; 20]])]);
    let data = tlv(0x30, &[&responder, &moment(ago(MINUTE)), &answers]);
    let basic = tlv(0x30, &[&data, &sha256, &tlv(0x03, &[&[0, 1]])]);
    let kind = tlv(0x06, &[b"\x2b\x06\x01\x05\x05\x07\x30\x01\x01"]);
    let body = tlv(0xa0, &[&tlv(0x30, &[&kind, &tlv(0x04, &[&basic])])]);
    OcspResponse::from_der(&tlv(0x30, &[&tlv(0x0a, &[&[0]]), &body])).unwrap()
}

#[test]
fn a_response_is_shown_with_its_certificate() {
    let ca = Ca::root("the server's CA");
    let (one, two) = (ca.server(&["one.test"]), ca.server(&["two.test"]));
    let response = good(&two.certificate(), "the server's CA", ahead(MINUTE));
    let stapled = two.identity().with_ocsp(&response, SystemTime::now()).unwrap();
    let identities = Identities::new(one.identity(), [stapled]).unwrap();
    let backend = Site { ca, identities }.backend(ClientPolicy::None);
    for version in VERSIONS {
        let (client, shown) = credulous_client(version);
        meet_as(&backend, &client, "two.test").info();
        assert_eq!(shown.ocsp_response(), response.der());
        meet_as(&backend, &client, "one.test").info();
        assert!(shown.ocsp_response().is_empty());
    }
}

#[test]
fn one_that_expires_is_shown_no_more() {
    let ca = Ca::root("the server's CA");
    let server = ca.server(&["localhost"]);
    let response = good(&server.certificate(), "the server's CA", ahead(Duration::from_secs(3)));
    let until = response.next_update().unwrap() + Duration::from_secs(1);
    let identity = server.identity().with_ocsp(&response, SystemTime::now()).unwrap();
    let backend = Site { ca, identities: identity.into() }.backend(ClientPolicy::None);

    let (client, shown) = credulous_client(VERSIONS[1]);
    meet_as(&backend, &client, "localhost").info();
    assert!(!shown.ocsp_response().is_empty());
    thread::sleep(until.duration_since(SystemTime::now()).unwrap_or_default());
    meet_as(&backend, &client, "localhost").info();
    assert!(shown.ocsp_response().is_empty());
}
