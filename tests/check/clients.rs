//! CAs of clients, and their revocation lists.

use rcgen::KeyUsagePurpose;

use crate::support::{Authority, Crl, Pki, Program};
use crate::{Checked, check};

/// Mutual mode with further options.
fn mutual(pki: &Pki, more: &[&str]) -> Checked {
    check(&[&pki.mutual_args()[..], more].concat())
}

/// Mutual mode with this list for the CA.
fn with_list(pki: &Pki, list: impl AsRef<[u8]>) -> Checked {
    let list = pki.write("ca.crl", list);
    mutual(pki, &["--client-crl", &list])
}

const DAY: i64 = 24;

#[test]
fn the_policy_in_a_line() {
    let pki = Pki::new();
    mutual(&pki, &[]).assert_quiet().assert_found("ok", "client-policy", &["required", "1 CA"]);
    let rules = ["--client-verify", "optional", "--allow-cn", "ann", "--allow-san", "DNS:*.test"];
    let checked = mutual(&pki, &rules);
    checked.assert_found("ok", "client-policy", &["optional", "CN:ann or DNS:*.test"]);
}

/// Whoever a rule keeps out could come back without a certificate.
#[test]
fn rules_that_nobody_has_to_keep() {
    let pki = Pki::new();
    let rules = ["--client-verify", "optional", "--allow-cn", "*"];
    let naming = ["--client-verify", "shows no certificate is let in", "--allow-anonymous off"];
    mutual(&pki, &rules).assert_only("warning", "anonymous-past-rules", &naming);
    let args = [&pki.mutual_args()[..], &rules, &["--port", "0"]].concat();
    Program::new(&args).start().assert_logs(&naming);

    let said = |more: &[&str]| mutual(&pki, &[&rules[..], more].concat());
    said(&["--allow-anonymous", "on"]).assert_quiet();
    let closed = said(&["--allow-anonymous", "off"]);
    closed.assert_quiet().assert_found("ok", "client-policy", &["optional", "403"]);
    let early = said(&["--allow-anonymous", "off", "--deny-early"]);
    early.assert_quiet().assert_found("ok", "client-policy", &["required"]);
}

#[test]
fn a_file_that_holds_no_ca() {
    let pki = Pki::new();
    let args = [&pki.server_args()[..], &["--client-ca", &pki.client.cert]].concat();
    check(&args).assert_only("error", "client-ca", &[&pki.client.cert, "not a CA"]);
    let checked = with_list(&pki, "nothing");
    checked.assert_only("error", "client-crl", &["ca.crl"]);
}

#[test]
fn a_ca_that_has_expired_or_will() {
    let pki = Pki::new();
    let now = time::OffsetDateTime::now_utc();
    let with_ca = |days: i64| {
        let end = now + time::Duration::days(days);
        let ca = Authority::odd_root("Ending CA", |params| params.not_after = end);
        let ca = pki.write("ending.crt", ca.pem());
        mutual(&pki, &["--client-ca", &ca])
    };
    with_ca(3).assert_only("warning", "expires-soon", &["ending.crt", "CN=Ending CA"]);
    with_ca(-3).assert_only("error", "client-ca", &["ending.crt", "expired"]);
}

#[test]
fn a_ca_that_may_not_issue() {
    let pki = Pki::new();
    let ca = Authority::odd_root("Odd CA", |params| {
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
    });
    let ca = pki.write("odd.crt", ca.pem());
    mutual(&pki, &["--client-ca", &ca]).assert_only("warning", "ca-may-not-issue", &[&ca]);
}

#[test]
fn a_list_that_is_good() {
    let pki = Pki::new();
    let checked = with_list(&pki, Crl::of(&[7, 8]).pem(&pki.ca));
    checked.assert_quiet().assert_found("ok", "crl", &["CN=Test CA", "revokes 2"]);
    checked.assert_absent("crl-missing").assert_absent("crl-signature-unchecked");
    with_list(&pki, Crl::of(&[]).der(&pki.ca)).assert_quiet();
}

#[test]
fn a_list_that_has_expired() {
    let pki = Pki::new();
    let checked = with_list(&pki, pki.ca.list(-3 * DAY, -DAY));
    checked.assert_only("warning", "crl-expired", &["CN=Test CA", "1 day ago", "every client"]);
    // The handshake shows it.
    checked.assert_found("note", "handshake-client-refused", &["client.pem"]);
    // With a newer one it does not matter.
    let lists = pki.ca.list(-3 * DAY, -DAY) + &pki.ca.list(-DAY, 5 * DAY);
    with_list(&pki, lists).assert_only("note", "crl-superseded", &[]);
}

#[test]
fn a_list_that_ends_soon() {
    let pki = Pki::new();
    let checked = with_list(&pki, pki.ca.list(-DAY, DAY + 1));
    checked.assert_only("note", "crl-expires-soon", &["CN=Test CA", "in 1 day"]);
}

#[test]
fn a_list_from_the_future() {
    let pki = Pki::new();
    let checked = with_list(&pki, pki.ca.list(DAY, 5 * DAY));
    checked.assert_only("warning", "crl-not-yet-valid", &["every client", "clock"]);
    checked.assert_found("note", "handshake-client-refused", &["client.pem"]);
    let lists = pki.ca.list(-DAY, 5 * DAY) + &pki.ca.list(DAY, 9 * DAY);
    with_list(&pki, lists).assert_only("note", "crl-not-yet-valid", &["an older one counts"]);
    // One that has expired does not.
    let lists = pki.ca.list(-3 * DAY, -DAY) + &pki.ca.list(DAY, 9 * DAY);
    let checked = with_list(&pki, lists);
    checked.assert_found("warning", "crl-not-yet-valid", &["every client"]);
    checked.assert_found("warning", "crl-expired", &["every client"]);
}

#[test]
fn a_list_of_another_ca() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let lists = pki.ca.list(-DAY, 5 * DAY) + &lower.list(-DAY, 5 * DAY);
    with_list(&pki, lists).assert_only("note", "crl-of-another-ca", &["CN=Lower CA"]);
}

#[test]
fn a_list_signed_by_another() {
    let pki = Pki::new();
    let checked = with_list(&pki, Authority::root("Test CA").list(-DAY, 5 * DAY));
    checked.assert_only("error", "crl-signature-wrong", &["CN=Test CA", "made anew"]);
}

/// As after a renewal: the list is that of one of them.
#[test]
fn two_cas_of_one_name() {
    let pki = Pki::new();
    let renewed = Authority::root("Test CA");
    let ca = pki.write("renewed.crt", renewed.pem());
    let one = pki.write("one.crl", renewed.list(-DAY, 5 * DAY));
    let two = pki.write("two.crl", pki.ca.list(-DAY, 5 * DAY));
    let checked = mutual(&pki, &["--client-ca", &ca, "--client-crl", &one]);
    checked.assert_only("warning", "crl-missing", &[&pki.ca_file]);
    let checked = mutual(&pki, &["--client-ca", &ca, "--client-crl", &one, "--client-crl", &two]);
    checked.assert_absent("crl-missing").assert_absent("crl-signature-wrong").assert_code(0);
}

#[test]
fn a_ca_without_a_list_beside_one_that_has() {
    let pki = Pki::new();
    let other = pki.write("other.crt", Authority::root("Other CA").pem());
    let list = pki.write("ca.crl", pki.ca.list(-DAY, 5 * DAY));
    let checked = mutual(&pki, &["--client-ca", &other, "--client-crl", &list]);
    checked.assert_only("warning", "crl-missing", &[&other, "CN=Other CA"]);
    mutual(&pki, &["--client-ca", &other]).assert_quiet();
    // What could not be read may be just that list.
    let garbage = pki.write("garbage.crl", "garbage");
    let args = ["--client-ca", &other, "--client-crl", &list, "--client-crl", &garbage];
    mutual(&pki, &args).assert_only("error", "client-crl", &[&garbage]);
}

#[test]
fn a_ca_that_may_not_sign_lists() {
    let pki = Pki::new();
    let ca = Authority::odd_root("Odd CA", |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    });
    // rcgen makes no list with such a CA, which its namesake may.
    let file = pki.write("odd.crt", ca.pem());
    let list = list_in_spite(&pki, &ca);
    let args = [&pki.server_args()[..], &["--client-ca", &file, "--client-crl", &list]].concat();
    check(&args).assert_only("warning", "ca-may-not-revoke", &[&list, "cRLSign"]);
}

/// A list of a CA that may not make one, by a tool that does not ask.
fn list_in_spite(pki: &Pki, ca: &Authority) -> String {
    let (cert, key) = (pki.write("spite.crt", ca.pem()), pki.write("spite.key", ca.key_pem()));
    let (index, out) = (pki.write("index.txt", ""), pki.path("spite.crl"));
    let number = pki.write("crlnumber", "01\n");
    let config = pki.write(
        "ca.conf",
        format!(
            "[ca]\ndefault_ca=own\n[own]\ndatabase={index}\ncrlnumber={number}\n\
             default_md=sha256\ndefault_crl_days=5\ncrl_extensions=ext\n\
             [ext]\nauthorityKeyIdentifier=keyid\n"
        ),
    );
    let files = ["-config", &config, "-cert", &cert, "-keyfile", &key, "-out", &out];
    crate::support::openssl(&[&["ca", "-gencrl"], &files[..]].concat());
    out
}
