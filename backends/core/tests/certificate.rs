//! What a certificate says of itself, compared with what the `openssl` program says of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use rcgen::{DnType, DnValue};
use support::{Dir, Holder, new_year_2026, now, parse, printed};
use turnkey_backend::{Certificate, CertificateError};

const DAY: Duration = Duration::from_secs(86_400);

/// Makes `cert.pem` and `cert.der` with a new key, with arguments for `openssl req -x509`.
fn certificate(dir: &Dir, arguments: &[&str]) -> Certificate {
    let fixed = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                 -keyout key.pem -out cert.pem";
    let fixed = fixed.split_whitespace();
    dir.openssl_with(&fixed.chain(arguments.iter().copied()).collect::<Vec<_>>());
    dir.openssl("x509 -in cert.pem -outform DER -out cert.der");
    Certificate::from_der(&dir.read("cert.der")).unwrap()
}

/// What `openssl x509` prints behind the equals sign.
fn openssl_says(dir: &Dir, what: &str) -> String {
    let line = dir.openssl(&format!("x509 -in cert.pem -noout {what} -nameopt RFC2253"));
    line.trim_end_matches('\n').split_once('=').unwrap().1.to_owned()
}

#[test]
fn facts_are_those_of_openssl() {
    let dir = Dir::new();
    for serial in ["1", "0x80", "0xFEDCBA9876543210", "0x00ABCDEF"] {
        let cert =
            certificate(&dir, &["-subj", "/C=CT/ST=State/O=Company/CN=me", "-set_serial", serial]);
        assert_eq!(cert.serial(), openssl_says(&dir, "-serial"));
        assert_eq!(cert.fingerprint(), openssl_says(&dir, "-fingerprint -sha256"));
        assert_eq!(cert.subject(), "CN=me,O=Company,ST=State,C=CT");
        assert_eq!(cert.issuer(), cert.subject());
        assert_eq!(cert.common_name(), Some("me"));
        assert_eq!(cert.der().as_ref(), dir.read("cert.der"));
        assert!(cert.is_self_signed());
    }
    let cert = certificate(&dir, &["-subj", "/CN=me"]);
    dir.openssl("pkey -in key.pem -pubout -outform DER -out spki.der");
    dir.openssl("dgst -sha256 -binary -out spki.sha256 spki.der");
    assert_eq!(cert.spki_sha256().as_slice(), dir.read("spki.sha256"));
}

#[test]
fn subjects_are_written_as_openssl_writes_them() {
    let dir = Dir::new();
    let subjects = [
        "/CN=plain",
        "/C=CT/ST=State/L=City/O=Company/OU=Department/CN=server.localhost",
        r#"/CN=a,b\+c"d\\e<f>g;h=i"#,
        "/CN= a  b /O=#hash",
        "/CN=Jos\u{e9} \u{4f60}\u{597d} \u{1f600}",
        "/CN=two\n\tlines\u{1b}[31m\u{7f}\u{202e}",
        "/DC=org/DC=example/UID=jdoe/emailAddress=a@b.c/serialNumber=7/GN=G/SN=S/title=Dr",
        "/CN=one+OU=same level/O=other",
        "/street=Road 1/postalCode=12345/description=d/initials=X/pseudonym=p/dnQualifier=q",
        "/jurisdictionC=CT/businessCategory=b/organizationIdentifier=o/unstructuredName=u/name=n",
        "/jurisdictionST=s/jurisdictionL=l/generationQualifier=g/1.2.3.4.5=unknown type/CN=x",
        "/O=no common name",
    ];
    for subject in subjects {
        let cert = certificate(&dir, &["-utf8", "-subj", subject]);
        assert_eq!(cert.subject(), openssl_says(&dir, "-subject"), "{subject}");
        assert!(cert.subject().bytes().all(|byte| matches!(byte, b' '..=b'~')), "{subject}");
    }
    assert_eq!(certificate(&dir, &["-subj", "/O=no common name"]).common_name(), None);
    let cert = certificate(&dir, &["-utf8", "-subj", "/CN=Jos\u{e9}, first/CN=second"]);
    assert_eq!(cert.common_name(), Some("Jos\u{e9}, first"));
    assert_eq!(cert.sole_common_name(), None, "each program takes another");
    assert_eq!(certificate(&dir, &["-subj", "/"]).subject(), "");
    let cert = certificate(&dir, &["-subj", "/CN=only/O=other"]);
    assert_eq!(cert.sole_common_name(), Some("only"));
}

#[test]
fn certificates_are_the_same_if_their_bytes_are() {
    let holder = Holder::leaf("me");
    let (one, other) = (parse(&holder.self_signed()), parse(&holder.self_signed()));
    assert_eq!(one, one.clone());
    assert_ne!(one, other);
    // Whom it is for, and no more.
    let (serial, fingerprint) = (one.serial(), one.fingerprint());
    assert_eq!(
        format!("{one:?}"),
        format!(
            "Certificate {{ subject: \"CN=me\", issuer: \"CN=me\", serial: {serial:?}, \
             fingerprint: {fingerprint:?}, .. }}"
        )
    );
}

#[test]
fn every_string_type_is_read() {
    let dir = Dir::new();
    for (mask, name) in [
        ("MASK:0x0002", "printable"),
        ("MASK:0x0800", "Jos\u{e9} \u{20ac} bmp"),
        ("MASK:0x0004", "Jos\u{e9} t61"),
        ("MASK:0x2000", "Jos\u{e9} utf8"),
    ] {
        dir.write(
            "req.cnf",
            format!(
                "[req]\nprompt=no\nutf8=yes\nstring_mask={mask}\ndistinguished_name=dn\n[dn]\nCN={name}\n"
            ),
        );
        let cert = certificate(&dir, &["-config", "req.cnf"]);
        assert_eq!(cert.subject(), openssl_says(&dir, "-subject"), "{mask}");
        assert_eq!(cert.common_name(), Some(name), "{mask}");
    }
    // Which `openssl req` does not write into a name.
    let name = "Jos\u{e9} \u{1f600} universal";
    let mut holder = Holder::leaf("");
    let value = DnValue::UniversalString(name.try_into().unwrap());
    holder.params.distinguished_name.push(DnType::CommonName, value);
    dir.write("cert.pem", holder.self_signed());
    let cert = parse(&holder.self_signed());
    assert_eq!(cert.subject(), openssl_says(&dir, "-subject"));
    assert_eq!(cert.common_name(), Some(name));
}

#[test]
fn alternative_names_are_listed() {
    let dir = Dir::new();
    let names = "subjectAltName=DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1,email:a@b.c,\
                 URI:https://e.org/x,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d,\
                 dirName:dn";
    dir.write(
        "req.cnf",
        format!(
            "[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ext\n[ext]\n{names}\n[dn]\nCN=me\n"
        ),
    );
    let cert = certificate(&dir, &["-config", "req.cnf"]);
    assert_eq!(
        cert.subject_alt_names(),
        [
            "DNS:localhost",
            "DNS:*.example.org",
            "IP:127.0.0.1",
            "IP:::1",
            "email:a@b.c",
            "URI:https://e.org/x",
            "other:1.2.3.4",
            "other:1.3.6.1.4.1.311.20.2.3",
            "other:directoryName",
        ]
    );
    assert!(certificate(&dir, &["-subj", "/CN=me"]).subject_alt_names().is_empty());
}

#[test]
fn a_ca_is_one_by_its_constraints_or_by_its_age() {
    let dir = Dir::new();
    let ca = |constraints: &str| {
        let extension = format!("basicConstraints=critical,{constraints}");
        certificate(&dir, &["-subj", "/CN=me", "-addext", &extension]).is_ca()
    };
    assert!(ca("CA:TRUE"));
    assert!(ca("CA:TRUE,pathlen:0"));
    assert!(!ca("CA:FALSE"));

    // Version 1: `openssl x509 -req` without extensions.
    dir.openssl("req -new -key key.pem -subj /CN=old -out old.csr");
    dir.openssl("x509 -req -in old.csr -signkey key.pem -outform DER -out old.der");
    let text = dir.openssl("x509 -in old.der -noout -text");
    assert!(text.contains("Version: 1"), "{text}");
    assert!(Certificate::from_der(&dir.read("old.der")).unwrap().is_ca());

    dir.openssl("req -new -key key.pem -subj /CN=leaf -out leaf.csr");
    dir.openssl("x509 -req -in leaf.csr -CA old.der -CAkey key.pem -CAcreateserial -outform DER -out leaf.der");
    assert!(!Certificate::from_der(&dir.read("leaf.der")).unwrap().is_ca());
}

#[test]
fn an_issuer_is_told_by_name_and_key() {
    let (root, namesake, leaf) = (Holder::ca("root"), Holder::ca("root"), Holder::leaf("leaf"));
    let (root_cert, namesake_cert) = (parse(&root.self_signed()), parse(&namesake.self_signed()));
    let leaf_cert = parse(&leaf.signed_by(&root));
    assert!(root_cert.issued(&leaf_cert));
    assert!(!namesake_cert.issued(&leaf_cert), "another key");
    assert!(!leaf_cert.issued(&root_cert));
    assert!(root_cert.is_self_signed() && !leaf_cert.is_self_signed());

    // A leaf that bears its CA's name is not self-signed.
    let mut confusing = Holder::ca("root");
    confusing.params.is_ca = rcgen::IsCa::ExplicitNoCa;
    assert!(!parse(&confusing.signed_by(&root)).is_self_signed());
}

#[test]
fn validity_includes_both_ends() {
    let mut holder = Holder::leaf("me");
    holder.params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    holder.params.not_after = rcgen::date_time_ymd(2026, 1, 11);
    let cert = parse(&holder.self_signed());
    let (start, end) = (cert.not_before(), cert.not_after());
    assert_eq!(start, new_year_2026());
    assert_eq!(end, new_year_2026() + 10 * DAY);

    let moment = Duration::from_millis(1);
    for good in [start, start + moment, end, end + Duration::from_millis(999)] {
        cert.check_validity(good).unwrap();
    }
    assert!(matches!(
        cert.check_validity(start - moment),
        Err(CertificateError::NotYetValid { .. })
    ));
    assert!(matches!(
        cert.check_validity(end + Duration::from_secs(1)),
        Err(CertificateError::Expired { .. })
    ));
    assert_eq!(
        cert.check_validity(end + 3 * DAY).unwrap_err().to_string(),
        "the certificate \"CN=me\" expired on 2026-01-11 00:00:00 UTC, 3 days ago \
         (it is now 2026-01-14 00:00:00 UTC); renew it"
    );
    let early = cert.check_validity(start - DAY / 16).unwrap_err().to_string();
    assert!(early.contains("not valid before 2026-01-01 00:00:00 UTC, in 1 hour"), "{early}");
}

#[test]
fn dates_from_before_1970_and_far_ahead_are_read() {
    let mut holder = Holder::leaf("me");
    holder.params.not_before = rcgen::date_time_ymd(1950, 1, 1);
    holder.params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    let cert = parse(&holder.self_signed());
    assert_eq!(cert.not_before(), UNIX_EPOCH - Duration::from_secs(631_152_000));
    assert_eq!(cert.not_after(), UNIX_EPOCH + Duration::from_secs(253_402_214_400));
    cert.check_validity(now()).unwrap();
}

#[test]
fn what_is_not_a_certificate_is_malformed() {
    let holder = Holder::leaf("me");
    let cert = parse(&holder.self_signed());
    let der = cert.der().to_vec();
    let longer = [der.as_slice(), &[0]].concat();
    let key = holder.key.serialize_der();
    for bad in [&b""[..], b"garbage", &der[..der.len() - 1], &longer, &key] {
        let error = Certificate::from_der(bad).unwrap_err();
        assert!(matches!(error, CertificateError::Malformed(_)), "{error}");
        assert!(printed(&error).starts_with("not a valid X.509 certificate: "), "{error}");
    }
}
