//! CAs that have to have issued clients' certificates directly (`--allow-issuer`).

use rcgen::KeyUsagePurpose;

use crate::support::{Authority, Pki, Program};
use crate::{Checked, check};

/// Mutual mode with these files of issuers.
fn with_issuers(pki: &Pki, files: &[&str]) -> Checked {
    let rules = files.iter().flat_map(|file| ["--allow-issuer", file]);
    check(&pki.mutual_args().into_iter().chain(rules).collect::<Vec<_>>())
}

/// What a client of the trusted CA itself comes across, beside a finding.
const DENIED: &str = "handshake-client-not-allowed";

#[test]
fn issuers_that_are_good() {
    let pki = Pki::new();
    let checked = with_issuers(&pki, &[&pki.ca_file]);
    checked.assert_quiet().assert_found("ok", "issuer", &["CN=Test CA"]);
    checked.assert_found("ok", "client-policy", &["all that ", "CN=Test CA", " issued directly"]);

    let one = pki.ca.subordinate("One CA");
    let below = one.subordinate("Below CA");
    let crossed = Authority::root("Other CA");
    let files = [
        pki.write("one-ca.pem", one.pem()),
        // The one leads to it.
        pki.write("below.pem", below.pem()),
        // It has the key of the trusted CA.
        pki.write("crossed.pem", pki.ca.signed_again_by(&crossed, "Test CA")),
    ];
    let checked = with_issuers(&pki, &files.each_ref().map(String::as_str));
    checked.assert_quiet().assert_absent("issuer-of-another-ca").assert_absent(DENIED);
    let both = ["--allow-issuer", &files[0], "--allow-cn", "client.*"];
    let checked = check(&[&pki.mutual_args()[..], &both].concat());
    let naming = ["of those that", "CN=One CA", " issued directly, CN:client.*"];
    checked.assert_found("ok", "client-policy", &naming);
    // The client that is known is of none of these.
    checked.assert_only("note", DENIED, &["client.pem", "403"]);
}

#[test]
fn a_file_that_is_not_of_a_ca() {
    let pki = Pki::new();
    for (file, why) in [
        (pki.client.cert.clone(), "not a CA certificate"),
        (pki.client.key.clone(), "it holds a private key in PEM"),
        (pki.write("empty.pem", ""), "is empty"),
        (pki.path(""), "is a folder"),
    ] {
        with_issuers(&pki, &[&file]).assert_only("error", "allow-issuer", &[why]);
        // Nor does another file make up for it.
        let checked = with_issuers(&pki, &[&pki.ca_file, &file]);
        checked.assert_only("error", "allow-issuer", &[why]);
    }
}

#[test]
fn an_issuer_that_no_trusted_ca_leads_to() {
    let pki = Pki::new();
    let stranger = Authority::root("Other CA");
    let between = stranger.subordinate("Between CA");
    let namesake = Authority::root("Test CA").subordinate("Lower CA");
    let said = |ca: &Authority, severity, naming: &[&str]| {
        let file = pki.write("issuer.pem", ca.pem());
        let checked = with_issuers(&pki, &[&pki.ca_file, &file]);
        checked.assert_only(severity, "issuer-of-another-ca", naming);
        let args = [&pki.mutual_args()[..], &["--allow-issuer", &file, "--port", "0"]].concat();
        let server = Program::new(&args).start();
        if severity == "warning" {
            server.assert_logs(&["warn: ", &file, "(--allow-issuer)"]);
        }
    };
    said(&stranger, "warning", &["CN=Other CA", "self-signed"]);
    said(&Authority::root("Test CA"), "warning", &["CN=Test CA", "self-signed"]);
    said(&between, "note", &["CN=Between CA", "CN=Other CA", "the certificates between"]);
    said(&namesake, "warning", &["CN=Lower CA", "another CA of the name", "CN=Test CA"]);
    // What could not be read may be just the CA above it.
    let (garbage, file) = (pki.write("garbage.pem", "garbage"), pki.write("x.pem", stranger.pem()));
    let args = ["--client-ca", &garbage, "--allow-issuer", &file];
    let checked = check(&[&pki.mutual_args()[..], &args].concat());
    checked.assert_only("error", "client-ca", &[&garbage]);
}

/// Its dates decide nothing: another certificate of its key may be valid.
#[test]
fn an_issuer_that_has_expired() {
    let pki = Pki::new();
    let now = time::OffsetDateTime::now_utc();
    let days = time::Duration::days;
    let expired = pki.ca.odd_subordinate("Ended CA", |ca| ca.not_after = now - days(3));
    let to_come = pki.ca.odd_subordinate("New CA", |ca| ca.not_before = now + days(4));
    let [ended, new] = [("ended.pem", &expired), ("new.pem", &to_come)]
        .map(|(name, ca)| pki.write(name, ca.pem()));
    let naming = ["CN=Ended CA", "3 days ago", "another certificate of this key"];
    with_issuers(&pki, &[&pki.ca_file, &ended]).assert_only("warning", "issuer-expired", &naming);
    let naming = ["CN=New CA", "is not valid before", "in 3 days"];
    let checked = with_issuers(&pki, &[&pki.ca_file, &new]);
    checked.assert_only("warning", "issuer-not-yet-valid", &naming);

    let renewed = pki.write("renewed.pem", expired.signed_again_by(&pki.ca, "Ended CA"));
    with_issuers(&pki, &[&pki.ca_file, &ended, &renewed]).assert_quiet();
}

#[test]
fn an_issuer_that_may_not_issue() {
    let pki = Pki::new();
    let odd = pki.ca.odd_subordinate("Odd CA", |ca| ca.key_usages = vec![KeyUsagePurpose::CrlSign]);
    let file = pki.write("odd.pem", odd.pem());
    let checked = with_issuers(&pki, &[&pki.ca_file, &file]);
    checked.assert_only("warning", "ca-may-not-issue", &[&file, "CN=Odd CA"]);
}

/// Whoever it keeps out could come back without a certificate.
#[test]
fn an_issuer_that_nobody_has_to_have() {
    let pki = Pki::new();
    let rules = ["--client-verify", "optional", "--allow-issuer", &pki.ca_file];
    let checked = check(&[&pki.mutual_args()[..], &rules].concat());
    checked.assert_only("warning", "anonymous-past-rules", &["--allow-anonymous off"]);
}

#[test]
fn a_client_that_is_of_no_allowed_issuer() {
    let pki = Pki::new();
    let one = pki.write("one-ca.pem", pki.ca.subordinate("One CA").pem());
    with_issuers(&pki, &[&one]).assert_only("note", DENIED, &["client.pem", "403"]);
    let early = ["--allow-issuer", &one, "--deny-early"];
    for backend in ["rustls", "openssl"] {
        let args = [&pki.mutual_args()[..], &early, &["--backend", backend]].concat();
        let why = ["client.pem", "no allowed issuer issued it directly"];
        check(&args).assert_only("note", "handshake-client-refused", &why);
    }
}
