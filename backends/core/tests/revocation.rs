//! Certificate revocation lists.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::Duration;

use support::{Dir, Holder, new_year_2026, parse, printed};
use turnkey_backend::{Certificate, Found, RevocationList, RevocationListError, pem};

fn read(text: &str) -> Vec<RevocationList> {
    RevocationList::read(text.as_bytes()).unwrap()
}

fn one(text: &str) -> RevocationList {
    let [list] = <[RevocationList; 1]>::try_from(read(text)).unwrap();
    list
}

fn refusal(bytes: &[u8]) -> RevocationListError {
    RevocationList::read(bytes).unwrap_err()
}

/// A certificate with a serial number of one's choice.
fn issued(ca: &Holder, serial: &[u8]) -> Certificate {
    let mut leaf = Holder::leaf("leaf");
    leaf.params.serial_number = Some(serial.to_vec().into());
    parse(&leaf.signed_by(ca))
}

#[test]
fn lists_are_read_from_pem_and_der() {
    let (ca, other) = (Holder::ca("ca"), Holder::ca("other"));
    let (first, second) = (ca.crl(&[&[1], &[2]], 2030), other.crl(&[], 2031));
    // With a certificate between them, as some CAs publish them.
    let lists = read(&[&first, &ca.self_signed(), &second].map(String::as_str).concat());
    let facts = |list: &RevocationList| (list.issuer().to_owned(), list.revoked());
    assert_eq!(facts(&lists[0]), ("CN=ca".to_owned(), 2));
    assert_eq!(facts(&lists[1]), ("CN=other".to_owned(), 0));
    assert_eq!(lists.len(), 2);

    let der = &pem::blocks(first.as_bytes()).unwrap()[0].der;
    let from_der = RevocationList::read(der).unwrap();
    assert_eq!(from_der.len(), 1);
    assert_eq!(from_der[0].der(), der.as_slice());
    assert_eq!(facts(&from_der[0]), facts(&lists[0]));
    assert_eq!(
        format!("{:?}", from_der[0]),
        "RevocationList { issuer: \"CN=ca\", revoked: 2, .. }"
    );
}

#[test]
fn lists_of_openssl_are_read() {
    let dir = Dir::new();
    let list = one(&openssl_list(&dir, ""));
    assert_eq!((list.issuer(), list.revoked()), ("CN=ca", 1));
    // Version 1, which has no extensions, not even a number.
    let config = String::from_utf8(dir.read("ca.cnf")).unwrap();
    dir.write("ca.cnf", config.replace("crlnumber=number\n", ""));
    dir.openssl("ca -config ca.cnf -gencrl -crldays 7 -out old.crl");
    let text = dir.openssl("crl -in old.crl -noout -text");
    assert!(text.contains("Version 1"), "{text}");
    let old = one(str::from_utf8(&dir.read("old.crl")).unwrap());
    assert_eq!((old.issuer(), old.revoked()), ("CN=ca", 1));
}

/// The list of a CA that `openssl` plays, with extensions as its configuration writes them.
fn openssl_list(dir: &Dir, extensions: &str) -> String {
    let ca = Holder::ca("ca");
    dir.write("ca.pem", ca.self_signed());
    dir.write("ca.key", ca.key_pem());
    dir.write("index.txt", "R\t400101000000Z\t260101000000Z\t0A1B\tunknown\t/CN=leaf\n");
    dir.write("number", "01\n");
    dir.write(
        "ca.cnf",
        format!(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ncertificate=ca.pem\n\
             private_key=ca.key\ndefault_md=sha256\n\
             [extensions]\nauthorityKeyIdentifier=keyid\n{extensions}"
        ),
    );
    dir.openssl("ca -config ca.cnf -gencrl -crldays 7 -crlexts extensions -out ca.crl");
    String::from_utf8(dir.read("ca.crl")).unwrap()
}

#[test]
fn partial_lists_are_refused() {
    let refused = |extensions: &str, what: &str| {
        let error = refusal(openssl_list(&Dir::new(), extensions).as_bytes());
        assert!(matches!(error, RevocationListError::Unsupported { .. }), "{error}");
        let error = error.to_string();
        assert!(error.starts_with("the revocation list of \"CN=ca\" is "), "{error}");
        assert!(error.contains(what), "{error}");
        assert!(error.ends_with("; give a full one"), "{error}");
    };
    refused("2.5.29.27=critical,DER:020101\n", "a delta list");
    let point = "issuingDistributionPoint=critical,@point\n[point]\n";
    refused(&format!("{point}indirectCRL=TRUE\n"), "an indirect list");
    refused(&format!("{point}onlysomereasons=keyCompromise\n"), "for some reasons only");
    refused(&format!("{point}onlyAA=TRUE\n"), "of attribute certificates");
    // One with a relative name, for clients and for CAs, for clients twice, with a field that is not known,
    // with a flag that is neither true nor false, and with a name that is empty.
    refused("2.5.29.28=critical,DER:3011a00fa10d300b06035504030c0474657374\n", "a relative name");
    for odd in [
        "30068101ff8201ff",
        "30068101ff8101ff",
        "30038601ff",
        "3003810101",
        "3004a002a000",
        "3006840100840100",
    ] {
        let point = format!("2.5.29.28=critical,DER:{odd}\n");
        refused(&point, "issuing distribution point is malformed");
    }
    refused("1.2.3.4=critical,ASN1:NULL\n", "a critical extension that is not understood");
    refused("2.5.29.28=critical,ASN1:NULL\n", "issuing distribution point is malformed");
    refused("2.5.29.28=ASN1:NULL\n", "issuing distribution point is malformed");
    assert_eq!(one(&openssl_list(&Dir::new(), "1.2.3.4=ASN1:NULL\n")).revoked(), 1);

    // A flag that is false need not stand there, and says nothing.
    assert_eq!(one(&openssl_list(&Dir::new(), "2.5.29.28=critical,DER:3003840100\n")).revoked(), 1);
    // One that says where it is published is like any other.
    let whole = format!("{point}fullname=URI:http://crl.example.test/ca.crl\n");
    assert_eq!(one(&openssl_list(&Dir::new(), &whole)).revoked(), 1);
}

/// Such an entry is of another CA's certificate (RFC 5280 §5.3.3), or of nobody knows what.
#[test]
fn odd_entries_are_refused() {
    let dir = Dir::new();
    openssl_list(&dir, "");
    let entry =
        "R\t400101000000Z\t260101000000Z,CAkeyTime,20250101000000Z\t0A1B\tunknown\t/CN=leaf\n";
    dir.write("index.txt", entry);
    dir.openssl("ca -config ca.cnf -gencrl -crldays 7 -crlexts extensions -out ca.crl");
    let text = dir.openssl("crl -in ca.crl -noout -text");
    assert!(text.contains("Invalidity Date"), "{text}");
    let pem = String::from_utf8(dir.read("ca.crl")).unwrap();
    let der = pem::blocks(pem.as_bytes()).unwrap().remove(0).der.to_vec();
    assert_eq!(RevocationList::from_der(&der).unwrap().revoked(), 1);
    // The invalidity date by another number: certificateIssuer.
    let place = der.windows(5).position(|bytes| bytes == b"\x06\x03\x55\x1d\x18").unwrap();
    let mut odd = der;
    odd[place + 4] = 0x1d;
    let error = RevocationList::from_der(&odd).unwrap_err().to_string();
    assert!(error.contains("one with an entry that has a critical extension"), "{error}");
}

#[test]
fn what_is_no_list_is_told_by_what_it_holds() {
    let ca = Holder::ca("ca");
    assert!(matches!(refusal(b""), RevocationListError::Empty));
    assert!(matches!(refusal(b" \n\t"), RevocationListError::Empty));
    assert!(matches!(refusal(b"garbage"), RevocationListError::Malformed(_)));
    let found = |bytes: &[u8]| match refusal(bytes) {
        RevocationListError::WrongKind(found) => found,
        error => panic!("{error}"),
    };
    assert_eq!(found(ca.self_signed().as_bytes()), Found::PemCertificate);
    assert_eq!(found(ca.key_pem().as_bytes()), Found::PemPrivateKey);
    assert_eq!(found(parse(&ca.self_signed()).der()), Found::DerCertificate);
    assert_eq!(found(&ca.key.serialize_der()), Found::DerPrivateKey);
    assert_eq!(
        refusal(ca.self_signed().as_bytes()).to_string(),
        "expected a certificate revocation list in PEM or DER, but it holds a certificate in PEM"
    );

    let list = ca.crl(&[&[1]], 2030);
    let cut = &list.as_bytes()[..list.len() - 30];
    assert!(matches!(refusal(cut), RevocationListError::BrokenPem { .. }));
    let der = pem::blocks(list.as_bytes()).unwrap()[0].der.to_vec();
    for bad in [&der[..der.len() - 1], &[&der[..], &[0]].concat()] {
        let error = refusal(bad);
        assert!(matches!(error, RevocationListError::Malformed(_)), "{error}");
        assert!(printed(&error).starts_with("not a valid certificate revocation list: "));
    }
    // One that is bad makes all of the file bad: a revocation must not get lost.
    let both = list + "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    assert!(matches!(refusal(both.as_bytes()), RevocationListError::Malformed(_)));
}

#[test]
fn a_list_in_the_place_of_another_file_is_named() {
    let list = Holder::ca("ca").crl(&[], 2030);
    let error = turnkey_backend::TrustAnchors::from_pem(list.as_bytes(), new_year_2026());
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no certificate among the CAs: it holds a certificate revocation list in PEM"
    );
}

#[test]
fn a_list_expires() {
    let list = one(&Holder::ca("ca").crl(&[], 2026));
    assert_eq!(list.this_update(), new_year_2026());
    let end = new_year_2026() + Duration::from_secs(364 * 86_400);
    assert_eq!(list.next_update(), Some(end));
    assert!(!list.has_expired(new_year_2026()));
    assert!(!list.has_expired(end - Duration::from_secs(1)));
    assert!(list.has_expired(end));
}

#[test]
fn a_list_revokes_what_its_ca_issued() {
    let (ca, other) = (Holder::ca("ca"), Holder::ca("other"));
    let list = one(&ca.crl(&[&[0x0a, 0x1b], &[0x7f]], 2030));
    let revoked = issued(&ca, &[0x0a, 0x1b]);
    assert!(list.covers(&revoked) && list.revokes(&revoked));
    let good = issued(&ca, &[0x0a, 0x1c]);
    assert!(list.covers(&good) && !list.revokes(&good));

    // The number says nothing without the CA.
    let namesake = issued(&other, &[0x0a, 0x1b]);
    assert!(!list.covers(&namesake) && !list.revokes(&namesake));
}

#[test]
fn serial_numbers_are_compared_as_they_are_written() {
    let ca = Holder::ca("ca");
    // A number with its high bit set has a zero byte before it in DER.
    let list = one(&ca.crl(&[&[0xf0, 0x01], &[0x00, 0x80], &[0x01, 0x00]], 2030));
    for revoked in [&[0xf0, 0x01][..], &[0x80], &[0x00, 0x80], &[0x01, 0x00]] {
        assert!(list.revokes(&issued(&ca, revoked)), "{revoked:x?}");
    }
    for good in [&[0x70, 0x01][..], &[0x01], &[0x00, 0x01], &[0x80, 0x00]] {
        assert!(!list.revokes(&issued(&ca, good)), "{good:x?}");
    }
}
