//! We refuse the client's certificate.

use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints,
};

use crate::support::{Authority, Crl, Leaf, Pki, Profile, Setup, openssl, s_client};
use crate::{Site, on_every_verifying_backend};

on_every_verifying_backend! {
    no_certificate
    none_from_openssl_either
    another_ca
    a_ca_that_was_made_anew
    a_missing_intermediate
    self_signed
    a_name_without_end
    expired
    not_yet_valid
    revoked
    of_a_revoked_intermediate
    no_revocation_list
    a_revocation_list_that_expired
    not_for_clients
    a_key_that_may_not_sign
    of_a_ca
    a_ca_that_may_not_sign
    an_intermediate_that_may_not_sign
    more_cas_than_are_allowed
    more_cas_than_an_intermediate_allows
    a_name_in_the_subject_that_is_not_permitted
    an_alternative_name_that_is_not_permitted
    a_forged_signature
    no_rule
    no_rule_early
    an_issuer_that_is_not_allowed
    an_issuer_that_is_not_allowed_early
    a_namesake_of_an_allowed_issuer
    no_certificate_where_that_is_not_enough
}

const CLIENT: &str = "\"CN=client.localhost,O=Company\"";
const CA: &str = "\"CN=Test CA,O=Company\"";

fn no_certificate(setup: Setup) {
    let site = Site::mutual(setup, Pki::new(), &[]);
    setup.client(&site.pki).fetch(&site.server.url).assert_refused();
    let text = format!(
        "refused: the client sent no certificate, and one is required; it needs one issued by {CA} \
         (curl: --cert and --key)"
    );
    site.assert_told("no_certificate", &[&text]);
}

fn none_from_openssl_either(setup: Setup) {
    let site = Site::mutual(setup, Pki::new(), &[]);
    let output = s_client(site.server.port, &["-quiet"], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(output.text(), "");
    site.assert_told("no_certificate", &["refused: the client sent no certificate"]);
}

fn another_ca(setup: Setup) {
    let site = refused(setup, |_| Authority::root("Other CA").issue(&client()));
    let issuer = "is signed by \"CN=Other CA,O=Company\", which is not a client CA";
    site.assert_told("unknown_ca", &["refused: ", CLIENT, issuer, CA, "--client-ca"]);
}

/// The name is that of ours, and the key is not. That is said of a CA, and not of a signature.
fn a_ca_that_was_made_anew(setup: Setup) {
    let old = Authority::root("Test CA");
    let site = refused(setup, |_| old.issue(&client().naming_issuer_key()));
    let issuer = format!("is signed by another CA of the name {CA} than the one in --client-ca");
    site.assert_told(
        "unknown_ca",
        &["refused: ", CLIENT, &issuer, "issue the client's certificate"],
    );
}

fn a_missing_intermediate(setup: Setup) {
    let site = refused(setup, |pki| pki.ca.subordinate("Department CA").issue(&client()));
    let issuer = "is signed by \"CN=Department CA,O=Company\"";
    site.assert_told("unknown_ca", &[CLIENT, issuer, CA, "have the client send the certificates"]);
}

fn self_signed(setup: Setup) {
    let site = refused(setup, |_| client().self_signed());
    site.assert_told("unknown_ca", &["refused: ", CLIENT, "is self-signed", CA, "--client-ca"]);
}

/// Who chooses such names must neither fill the log nor the memory that folds its lines.
fn a_name_without_end(setup: Setup) {
    let site = refused(setup, |_| Profile::client(&"x".repeat(20_000)).self_signed());
    let told =
        format!("refused: the client certificate \"CN={}…\" is self-signed", "x".repeat(253));
    site.assert_told("unknown_ca", &[&told]);
}

fn expired(setup: Setup) {
    let site = refused(setup, |pki| pki.ca.issue(&client().expired()));
    let end = date(&site, &["x509", "-enddate"], "refused.crt");
    let times = format!("expired on {end}, 1 day ago (it is now 20");
    site.assert_told("expired", &["refused: ", CLIENT, &times, "renew it"]);
}

fn not_yet_valid(setup: Setup) {
    let site = refused(setup, |pki| pki.ca.issue(&client().not_yet_valid()));
    let start = date(&site, &["x509", "-startdate"], "refused.crt");
    let times = format!("is not valid before {start}, in 23 hours (it is now 20");
    site.assert_told("not_yet_valid", &["refused: ", CLIENT, &times, "is the clock right"]);
}

fn revoked(setup: Setup) {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&client());
    let list = pki.write("list.pem", Crl::of(&[leaf.serial]).pem(&pki.ca));
    let site = refuse(setup, pki, &leaf, &["--client-crl", &list]);
    let serial = openssl(&["x509", "-noout", "-serial", "-in", &site.pki.path("refused.crt")]);
    let serial = serial.trim().trim_start_matches("serial=");
    let told = format!("(serial {serial}) is revoked by {CA}");
    site.assert_told("revoked", &["refused: ", CLIENT, &told, "needs a new one"]);
}

fn of_a_revoked_intermediate(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let lists = Crl::of(&[department.serial]).pem(&pki.ca) + &Crl::default().pem(&department);
    let lists = pki.write("lists.pem", lists);
    let leaf = department.issue(&client()).with_chain(&[&department]);
    let site = refuse(setup, pki, &leaf, &["--client-crl", &lists]);
    let whose = "\"CN=Department CA,O=Company\", which the client certificate";
    site.assert_told("revoked", &["refused: ", whose, CLIENT, "is revoked by", CA]);
}

fn no_revocation_list(setup: Setup) {
    let pki = Pki::new();
    let other = Authority::root("Other CA");
    let other_file = pki.write("other.crt", other.pem());
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let more = ["--client-ca", &other_file, "--client-crl", &list];
    let site = refuse(setup, pki, &other.issue(&client()), &more);
    let why = "there is no revocation list of \"CN=Other CA,O=Company\"; add it with --client-crl";
    site.assert_told("no_revocation_list", &["refused: ", CLIENT, "cannot be told", why]);
}

fn a_revocation_list_that_expired(setup: Setup) {
    let pki = Pki::new();
    let list = pki.write("list.pem", Crl::default().expired().pem(&pki.ca));
    let leaf = pki.ca.issue(&client());
    let site = refuse(setup, pki, &leaf, &["--client-crl", &list]);
    let end = date(&site, &["crl", "-nextupdate"], "list.pem");
    let why = format!("the revocation list of {CA} expired on {end}, 1 day ago");
    site.assert_told(
        "revocation_list_expired",
        &["refused: ", CLIENT, "cannot be told", &why, "--client-crl"],
    );
}

fn not_for_clients(setup: Setup) {
    let site = refused(setup, |pki| pki.ca.issue(&Profile::server("client.localhost")));
    let why = "is not for the authentication of clients";
    site.assert_told("not_for_clients", &["refused: ", CLIENT, why, "clientAuth"]);
}

/// A CA may sign, and is nobody's client.
fn of_a_ca(setup: Setup) {
    let pki = Pki::new();
    let ca = pki.ca.subordinate("Department CA");
    let leaf = Leaf { cert: ca.pem(), key: ca.key_pem(), serial: ca.serial };
    let site = refuse(setup, pki, &leaf, &[]);
    let who = "the client certificate \"CN=Department CA,O=Company\"";
    site.assert_told(
        "not_for_clients",
        &["refused: ", who, "is the certificate of a CA, not of a client"],
    );
}

fn a_key_that_may_not_sign(setup: Setup) {
    let encipher = |leaf: &mut CertificateParams| {
        leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    };
    let site = refused(setup, |pki| pki.ca.issue_odd(&client(), encipher));
    site.assert_told(
        "bad_certificate",
        &["refused: ", CLIENT, "key usage without digitalSignature"],
    );
}

fn a_ca_that_may_not_sign(setup: Setup) {
    let root = Authority::odd_root("Odd CA", may_not_sign);
    let who = "\"CN=Odd CA,O=Company\", which the client certificate";
    let told = ["refused: ", who, CLIENT, "key usage without keyCertSign"];
    below(setup, &root, &root.issue(&client())).assert_told("bad_certificate", &told);
}

fn an_intermediate_that_may_not_sign(setup: Setup) {
    let site = refused(setup, |pki| {
        let department = pki.ca.odd_subordinate("Department CA", may_not_sign);
        department.issue(&client()).with_chain(&[&department])
    });
    let who = "\"CN=Department CA,O=Company\", which the client certificate";
    let told = ["refused: ", who, CLIENT, "key usage without keyCertSign"];
    site.assert_told("bad_certificate", &told);
}

fn more_cas_than_are_allowed(setup: Setup) {
    let root = Authority::odd_root("Odd CA", allows_none_below);
    let department = root.subordinate("Department CA");
    let leaf = department.issue(&client()).with_chain(&[&department]);
    let who = "\"CN=Odd CA,O=Company\", which the client certificate";
    let told = ["refused: ", who, CLIENT, "allows fewer CAs below it than there are (pathlen)"];
    below(setup, &root, &leaf).assert_told("bad_certificate", &told);
}

fn more_cas_than_an_intermediate_allows(setup: Setup) {
    let site = refused(setup, |pki| {
        let upper = pki.ca.odd_subordinate("Upper CA", allows_none_below);
        let lower = upper.subordinate("Lower CA");
        lower.issue(&client()).with_chain(&[&lower, &upper])
    });
    let told = ["refused: \"CN=Upper CA,O=Company\", which", CLIENT, "allows fewer CAs"];
    site.assert_told("bad_certificate", &told);
}

fn a_name_in_the_subject_that_is_not_permitted(setup: Setup) {
    let nameless = client().names(&[]);
    let site = refused(setup, |pki| constrained(&pki.ca, &nameless));
    site.assert_told("bad_certificate", &["refused: ", CLIENT, "has a name that a CA above"]);
}

fn an_alternative_name_that_is_not_permitted(setup: Setup) {
    let site = refused(setup, |pki| constrained(&pki.ca, &client()));
    site.assert_told("bad_certificate", &["refused: ", CLIENT, "has a name that a CA above"]);
}

/// Issued by a CA for names below `dept.test`.
fn constrained(root: &Authority, profile: &Profile) -> Leaf {
    let dept = root.odd_subordinate("Dept CA", |ca| {
        let permitted_subtrees = vec![GeneralSubtree::DnsName("dept.test".to_owned())];
        let excluded_subtrees = Vec::new();
        ca.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    });
    dept.issue(profile).with_chain(&[&dept])
}

fn may_not_sign(ca: &mut CertificateParams) {
    ca.key_usages = vec![KeyUsagePurpose::DigitalSignature];
}

fn allows_none_below(ca: &mut CertificateParams) {
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
}

/// The same as [`refuse`] with another CA listed.
fn below(setup: Setup, root: &Authority, leaf: &Leaf) -> Site {
    let pki = Pki::new();
    let file = pki.write("odd.pem", root.pem());
    refuse(setup, pki, leaf, &["--client-ca", &file])
}

/// By a CA of the right name, with a key of its own.
fn a_forged_signature(setup: Setup) {
    let site = refused(setup, |_| Authority::root("Test CA").issue(&client()));
    site.assert_told("bad_signature", &["refused: ", "a signature of", CLIENT, "is wrong"]);
}

fn no_rule(setup: Setup) {
    let site = Site::mutual(setup, Pki::new(), &["--allow-cn", "somebody.else"]);
    let curl = setup.client(&site.pki).and(&["-E", &site.pki.client.both]);
    let answer = curl.fetch(&site.server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
    let text = answer.text();
    assert!(text.contains(CLIENT) && !text.contains("somebody.else"), "{text}");
    let told = format!("answered with 403: no rule lets in the client certificate {CLIENT}");
    site.assert_told("denied_by_rule", &[&told, "--allow-cn", "--allow-san"]);
}

fn no_rule_early(setup: Setup) {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&client());
    let site = refuse(setup, pki, &leaf, &["--allow-cn", "somebody.else", "--deny-early"]);
    let told = format!("refused: no rule lets in the client certificate {CLIENT}");
    site.assert_told("not_allowed_by_rule", &[&told, "--allow-cn", "--allow-san"]);
}

fn an_issuer_that_is_not_allowed(setup: Setup) {
    let pki = Pki::new();
    let file = pki.write("one-ca.pem", pki.ca.subordinate("One CA").pem());
    let site = Site::mutual(setup, pki, &["--allow-issuer", &file, "--allow-cn", "somebody.else"]);
    let curl = setup.client(&site.pki).and(&["-E", &site.pki.client.both]);
    let answer = curl.fetch(&site.server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
    let text = answer.text();
    assert!(text.contains(CLIENT) && !text.contains("CA"), "{text}");
    let told = format!(
        "answered with 403: the client certificate {CLIENT} is issued by {CA}, which no --allow-issuer"
    );
    site.assert_told("denied_by_rule", &[&told, "add that CA's certificate with --allow-issuer"]);
}

fn an_issuer_that_is_not_allowed_early(setup: Setup) {
    let pki = Pki::new();
    let (leaf, file) =
        (pki.ca.issue(&client()), pki.write("one-ca.pem", pki.ca.subordinate("One CA").pem()));
    let site = refuse(setup, pki, &leaf, &["--allow-issuer", &file, "--deny-early"]);
    let told = format!(
        "refused: the client certificate {CLIENT} is issued by {CA}, which no --allow-issuer"
    );
    site.assert_told(
        "not_allowed_by_rule",
        &[&told, "add that CA's certificate with --allow-issuer"],
    );
}

fn a_namesake_of_an_allowed_issuer(setup: Setup) {
    let pki = Pki::new();
    let (leaf, file) =
        (pki.ca.issue(&client()), pki.write("namesake.pem", Authority::root("Test CA").pem()));
    let site = refuse(setup, pki, &leaf, &["--allow-issuer", &file, "--deny-early"]);
    let told = format!("is issued by another CA of the name {CA} than the one in --allow-issuer");
    site.assert_told("not_allowed_by_rule", &["refused: ", CLIENT, &told, "was the CA made anew?"]);
}

fn no_certificate_where_that_is_not_enough(setup: Setup) {
    let closed = ["--client-verify", "optional", "--allow-anonymous", "off"];
    let site = Site::mutual(setup, Pki::new(), &closed);
    let answer = setup.client(&site.pki).fetch(&site.server.url);
    assert_eq!(answer.status, 403, "{answer:?}");
    let text = format!(
        "answered with 403: the client sent no certificate, and --allow-anonymous is off; it needs one \
         issued by {CA} (curl: --cert and --key)"
    );
    site.assert_told("denied_by_rule", &[&text]);
}

fn client() -> Profile {
    Profile::client("client.localhost")
}

fn refused(setup: Setup, make: impl Fn(&Pki) -> Leaf) -> Site {
    let pki = Pki::new();
    let leaf = make(&pki);
    refuse(setup, pki, &leaf, &[])
}

/// Has curl try it with the certificate `leaf`.
fn refuse(setup: Setup, pki: Pki, leaf: &Leaf, more: &[&str]) -> Site {
    let site = Site::mutual(setup, pki, more);
    let files = site.pki.save("refused", leaf);
    let curl = setup.client(&site.pki).and(&["-E", &files.both]);
    curl.fetch(&site.server.url).assert_refused();
    site
}

/// A date of a file as the openssl tool reads it, and as the log writes it.
fn date(site: &Site, what: &[&str], file: &str) -> String {
    let file = site.pki.path(file);
    let line = openssl(&[what, &["-noout", "-dateopt", "iso_8601", "-in", &file]].concat());
    let (_, date) = line.trim().split_once('=').expect("a date");
    format!("{} UTC", date.trim_end_matches('Z'))
}
