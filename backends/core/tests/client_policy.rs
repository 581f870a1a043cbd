//! What tells one client policy from another, and what is checked once more behind the handshake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::{Duration, SystemTime};

use support::{Dir, Holder, new_year_2026, now, parse};
use turnkey_backend::{
    AllowRules, AllowedIssuers, Certificate, ClientPolicy, ClientTrust, Fault, HandshakeError,
    RevocationList, TlsInfo, TrustAnchors,
};

const DAY: Duration = Duration::from_secs(86_400);

fn anchors(text: &str) -> TrustAnchors {
    TrustAnchors::from_pem(text.as_bytes(), now()).unwrap()
}

fn issuers(text: &str) -> AllowedIssuers {
    AllowedIssuers::read(text.as_bytes()).unwrap()
}

fn lists(text: &str) -> Vec<RevocationList> {
    RevocationList::read(text.as_bytes()).unwrap()
}

fn rules(common_names: &[&str], alternative_names: &[&str]) -> AllowRules {
    AllowRules::new(
        common_names.iter().map(|rule| rule.parse().unwrap()).collect(),
        alternative_names.iter().map(|rule| rule.parse().unwrap()).collect(),
    )
}

#[test]
fn anchors_are_joined_without_duplicates() {
    let (one, two, three) = (Holder::ca("1"), Holder::ca("2"), Holder::ca("3"));
    let (one, two, three) = (one.self_signed(), two.self_signed(), three.self_signed());
    let joined = anchors(&(one.clone() + &two)).and(anchors(&(three + &two + &one)));
    let names: Vec<_> = joined.certificates().iter().map(|ca| ca.common_name().unwrap()).collect();
    assert_eq!(names, ["1", "2", "3"]);
}

#[test]
fn everything_that_decides_who_is_let_in_is_in_the_digest() {
    let ca = Holder::ca("ca");
    let (list, longer) = (ca.crl(&[&[1]], 2030), ca.crl(&[&[1], &[2]], 2030));
    // Made once: no two signatures are the same.
    let (ca, renewed) = (ca.self_signed(), ca.self_signed());
    let other = Holder::ca("other").self_signed();
    let trust = || ClientTrust::new(anchors(&ca));
    let required = |trust: ClientTrust| ClientPolicy::Required(trust);
    let policies = [
        ("none", ClientPolicy::None),
        ("optional", ClientPolicy::Optional(trust())),
        ("required", required(trust())),
        ("another CA", required(anchors(&other).into())),
        ("the CA with a new certificate", required(anchors(&renewed).into())),
        ("two CAs", required(anchors(&(ca.clone() + &other)).into())),
        ("a list", required(trust().revocation_lists(lists(&list)))),
        ("a longer list", required(trust().revocation_lists(lists(&longer)))),
        ("both lists", required(trust().revocation_lists(lists(&(list.clone() + &longer))))),
        ("rules", required(trust().allow(rules(&["a"], &[]), false))),
        ("other rules", required(trust().allow(rules(&["b"], &[]), false))),
        ("more rules", required(trust().allow(rules(&["a", "b"], &[]), false))),
        ("rules of another kind", required(trust().allow(rules(&[], &["a"]), false))),
        ("rules of a third kind", required(trust().allow(rules(&[], &["a@b"]), false))),
        ("rules, early", required(trust().allow(rules(&["a"], &[]), true))),
        ("no rules, early", required(trust().allow(rules(&[], &[]), true))),
        ("nobody without", required(trust().allow_anonymous(false))),
        ("an issuer", required(trust().issued_by(issuers(&ca)))),
        ("another issuer", required(trust().issued_by(issuers(&other)))),
        ("two issuers", required(trust().issued_by(issuers(&(ca.clone() + &other))))),
    ];
    for (i, (name, policy)) in policies.iter().enumerate() {
        assert_eq!(policy.digest(), policy.clone().digest(), "{name}");
        for (other_name, other) in policies.iter().skip(i + 1) {
            assert_ne!(policy.digest(), other.digest(), "{name} and {other_name}");
        }
    }
}

#[test]
fn the_order_of_the_files_is_not_in_the_digest() {
    let (ca, other) = (Holder::ca("ca"), Holder::ca("other"));
    let (one, two) = (ca.self_signed(), other.self_signed());
    let (first, second) = (ca.crl(&[&[1]], 2030), other.crl(&[&[2]], 2030));
    let policy = |cas: TrustAnchors, lists: Vec<RevocationList>| {
        ClientPolicy::Required(ClientTrust::new(cas).revocation_lists(lists)).digest()
    };
    let forwards = policy(anchors(&(one.clone() + &two)), lists(&(first.clone() + &second)));
    let backwards = policy(anchors(&two).and(anchors(&one)), lists(&(second + &first)));
    assert_eq!(forwards, backwards);
}

#[test]
fn a_policy_says_whom_it_asks_and_by_what() {
    let ca = Holder::ca("ca");
    let both = lists(&(ca.crl(&[&[1]], 2030) + &ca.crl(&[&[2]], 2030)));
    let trust = ClientTrust::new(anchors(&ca.self_signed())).revocation_lists(both);
    for (policy, asks, requires) in [
        (ClientPolicy::None, false, false),
        (ClientPolicy::Optional(trust.clone()), true, false),
        (ClientPolicy::Required(trust), true, true),
    ] {
        assert_eq!((!policy.is_none(), policy.is_required()), (asks, requires), "{policy:?}");
        assert_eq!(policy.trust().is_some(), asks, "{policy:?}");
        let crls = policy.trust().map_or(&[][..], ClientTrust::crls);
        assert_eq!(crls.len(), if asks { 2 } else { 0 }, "{policy:?}");
    }
}

/// A CA, and a certificate of it that is valid in January 2026.
fn dated() -> (ClientTrust, Certificate) {
    let ca = Holder::ca("ca");
    let mut alice = Holder::leaf("alice");
    alice.params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    alice.params.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let list = lists(&ca.crl(&[], 2026));
    let trust = ClientTrust::new(anchors(&ca.self_signed())).revocation_lists(list);
    (trust, parse(&alice.signed_by(&ca)))
}

fn fault(result: Result<(), HandshakeError>) -> Fault {
    match result.unwrap_err() {
        HandshakeError::ClientCertificate(refused) => {
            assert_eq!(refused.certificate().subject(), "CN=alice");
            refused.fault().clone()
        }
        error => panic!("{error}"),
    }
}

/// What `policy` says of a client that shows `certificate`, of which the backend knows no more.
fn check(
    policy: &ClientPolicy,
    certificate: Option<&Certificate>,
    resumed: bool,
    now: SystemTime,
) -> Result<(), HandshakeError> {
    let mut tls = TlsInfo::default();
    tls.client_certificate = certificate.cloned();
    tls.resumed = Some(resumed);
    policy.admit(&tls, now)
}

#[test]
fn a_required_certificate_has_to_be_there() {
    let (trust, alice) = dated();
    let at = new_year_2026();
    for resumed in [false, true] {
        let required = ClientPolicy::Required(trust.clone());
        let missing = check(&required, None, resumed, at).unwrap_err();
        assert!(matches!(missing, HandshakeError::NoClientCertificate), "{missing}");
        assert!(check(&required, Some(&alice), resumed, at).is_ok());

        let optional = ClientPolicy::Optional(trust.clone());
        assert!(check(&optional, None, resumed, at).is_ok());
        assert!(check(&optional, Some(&alice), resumed, at).is_ok());

        assert!(check(&ClientPolicy::None, None, resumed, at).is_ok());
    }
}

#[test]
fn a_session_of_which_nothing_is_known_counts_as_resumed() {
    let (trust, alice) = dated();
    let mut tls = TlsInfo::default();
    tls.client_certificate = Some(alice);
    let policy = ClientPolicy::Required(trust);
    assert_eq!(fault(policy.admit(&tls, new_year_2026() + 40 * DAY)), Fault::Expired);
    // Which its backend has looked at already.
    tls.client_vouched_until = Some(new_year_2026() + 50 * DAY);
    assert!(policy.admit(&tls, new_year_2026() + 40 * DAY).is_ok());
}

#[test]
fn a_resumed_session_ends_with_its_certificate() {
    let (trust, alice) = dated();
    for policy in [ClientPolicy::Optional(trust.clone()), ClientPolicy::Required(trust)] {
        let resumed = |at: SystemTime| check(&policy, Some(&alice), true, at);
        let end = new_year_2026() + 31 * DAY;
        assert!(resumed(new_year_2026()).is_ok());
        assert!(resumed(end).is_ok());
        assert_eq!(fault(resumed(end + DAY)), Fault::Expired);
        assert_eq!(fault(resumed(new_year_2026() - DAY)), Fault::NotYetValid);
        // In a full handshake the TLS stack has looked.
        assert!(check(&policy, Some(&alice), false, end + DAY).is_ok());
    }
}

/// A CA by this name that ends with the year; its key is that of `holder`.
fn ends_with(year: i32, holder: &mut Holder) -> String {
    holder.params.not_after = rcgen::date_time_ymd(year + 1, 1, 1);
    holder.self_signed()
}

#[test]
fn a_resumed_session_ends_with_its_ca() {
    let mut ca = Holder::ca("ca");
    let (old, other) = (ends_with(2026, &mut ca), Holder::ca("other"));
    let (alice, bob) = (Holder::leaf("alice").signed_by(&ca), Holder::leaf("alice"));
    let between = Holder::ca("between");
    let (alice, bob) = (parse(&alice), parse(&bob.signed_by(&other)));
    let carol = parse(&Holder::leaf("alice").signed_by(&between));
    let resumed = |cas: &str, who: &Certificate, at| {
        let policy = ClientPolicy::Required(anchors(cas).into());
        assert!(check(&policy, Some(who), false, at).is_ok(), "the TLS stack has looked");
        check(&policy, Some(who), true, at)
    };
    let end = new_year_2026() + 365 * DAY;
    let both = old.clone() + &other.self_signed();
    for who in [&alice, &bob, &carol] {
        assert!(resumed(&both, who, end).is_ok());
    }
    assert!(resumed(&both, &bob, end + DAY).is_ok());
    // A CA between may stand below the one that has ended.
    for who in [&alice, &carol] {
        let Err(HandshakeError::ClientCertificate(refused)) = resumed(&both, who, end + DAY) else {
            panic!("let in")
        };
        assert_eq!((refused.certificate(), refused.fault()), (who, &Fault::Expired));
        assert_eq!(refused.culprit().subject(), "CN=ca");
    }
    // With a new certificate for the same key it goes on; with a new key it is another CA.
    let renewed = old.clone() + &ends_with(2030, &mut ca);
    let anew = old + &ends_with(2030, &mut Holder::ca("ca"));
    for who in [&alice, &carol] {
        assert!(resumed(&renewed, who, end + DAY).is_ok());
        assert_eq!(fault(resumed(&anew, who, end + DAY)), Fault::Expired);
    }
}

#[test]
fn a_resumed_session_ends_with_a_revocation_list() {
    let ca = Holder::ca("ca");
    let alice = parse(&Holder::leaf("alice").signed_by(&ca));
    let both = ca.crl(&[], 2030) + &ca.crl(&[], 2026);
    let trust = ClientTrust::new(anchors(&ca.self_signed())).revocation_lists(lists(&both));
    let policy = ClientPolicy::Required(trust);
    let end = new_year_2026() + 364 * DAY;
    assert!(check(&policy, Some(&alice), true, end - DAY).is_ok());
    let wanted =
        Fault::RevocationListExpired { issuer: "CN=ca".to_owned(), next_update: Some(end) };
    assert_eq!(fault(check(&policy, Some(&alice), true, end)), wanted);
    assert!(check(&policy, Some(&alice), false, end).is_ok());
}

/// The clock may be set back, or be another server's.
#[test]
fn a_resumed_session_is_not_older_than_a_revocation_list() {
    let ca = Holder::ca("ca");
    let alice = parse(&Holder::leaf("alice").signed_by(&ca));
    let text = ca.crl(&[], 2030);
    let list = lists(&text);
    let early = Fault::list_not_yet_valid(&list[0]);
    assert!(
        early.to_string().contains("it is not valid before 2026-01-01 00:00:00 UTC"),
        "{early}"
    );
    let trust = ClientTrust::new(anchors(&ca.self_signed()));
    let with = |list| ClientPolicy::Required(trust.clone().revocation_lists(list));
    assert!(check(&with(list.clone()), Some(&alice), true, new_year_2026()).is_ok());
    assert_eq!(fault(check(&with(list), Some(&alice), true, new_year_2026() - DAY)), early);
    // One that is still to come takes nobody's place.
    let policy = with(lists(&(text + &ca.crl_of(2027, &[], 2028))));
    assert!(check(&policy, Some(&alice), true, new_year_2026()).is_ok());
}

/// A CA between is known by its name only: it may stand below the one whose list it is.
#[test]
fn a_list_that_has_expired_ends_no_session_of_another_cas_clients() {
    let (one, other, between) = (Holder::ca("one"), Holder::ca("other"), Holder::ca("between"));
    let both = one.crl(&[], 2030) + &other.crl(&[], 2026);
    let trust = ClientTrust::new(anchors(&(one.self_signed() + &other.self_signed())))
        .revocation_lists(lists(&both));
    let policy = ClientPolicy::Required(trust);
    let resumed = |issuer: &Holder, at: SystemTime| {
        let alice = parse(&Holder::leaf("alice").signed_by(issuer));
        check(&policy, Some(&alice), true, at)
    };
    let end = new_year_2026() + 364 * DAY;
    for issuer in [&one, &other, &between] {
        assert!(resumed(issuer, end - DAY).is_ok());
    }
    assert!(resumed(&one, end).is_ok());
    let wanted =
        Fault::RevocationListExpired { issuer: "CN=other".to_owned(), next_update: Some(end) };
    for issuer in [&other, &between] {
        assert_eq!(fault(resumed(issuer, end)), wanted);
    }
}

#[test]
fn a_list_that_has_been_replaced_ends_no_session() {
    let (ca, other) = (Holder::ca("ca"), Holder::ca("other"));
    let alice = parse(&Holder::leaf("alice").signed_by(&ca));
    let resumed = |text: String| {
        let trust = ClientTrust::new(anchors(&ca.self_signed())).revocation_lists(lists(&text));
        check(&ClientPolicy::Required(trust), Some(&alice), true, new_year_2026() + 400 * DAY)
    };
    let (old, new) = (ca.crl_of(2026, &[], 2026), ca.crl_of(2027, &[], 2027));
    assert!(resumed(old.clone() + &new).is_ok());
    assert!(resumed(new.clone() + &old).is_ok());
    assert!(resumed(old.clone()).is_err());
    // The list of another CA takes nobody's place.
    assert!(resumed(old + &other.crl_of(2027, &[], 2027)).is_err());
}

#[test]
fn rules_are_kept_in_the_handshake_where_that_is_asked_for() {
    let (trust, alice) = dated();
    let policy = |rule, early| {
        let trust = trust.clone().allow(rules(&[rule], &[]), early);
        assert_eq!(trust.denies_early(), early);
        let denied = (rule != "alice").then_some(Fault::NotAllowed);
        assert_eq!(trust.denies(&alice, None), denied);
        ClientPolicy::Required(trust)
    };
    let said =
        |policy: ClientPolicy, resumed| check(&policy, Some(&alice), resumed, new_year_2026());
    for resumed in [false, true] {
        assert_eq!(fault(said(policy("bob", true), resumed)), Fault::NotAllowed);
        assert!(said(policy("alice", true), resumed).is_ok());
        assert!(said(policy("bob", false), resumed).is_ok());
    }
}

#[test]
fn of_several_common_names_none_is_the_holders() {
    let dir = Dir::new();
    let certificate = |subject: &str| {
        dir.openssl(&format!("req -x509 -key key.pem -subj {subject} -out cert.pem"));
        parse(str::from_utf8(&dir.read("cert.pem")).unwrap())
    };
    dir.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    let allowed = |certificate: &Certificate| rules(&["alice"], &[]).allow(certificate);

    let sole = certificate("/O=org/CN=alice");
    assert_eq!(sole.sole_common_name(), Some("alice"));
    assert!(allowed(&sole));
    for subject in ["/CN=alice/CN=mallory", "/CN=mallory/CN=alice", "/CN=alice+CN=mallory"] {
        let several = certificate(subject);
        assert_eq!(several.sole_common_name(), None, "{subject}");
        assert!(several.common_name().is_some(), "{subject}");
        assert!(!allowed(&several), "{subject}");
        assert!(!rules(&["*"], &[]).allow(&several), "{subject}");
        // Which is about this kind of rule alone.
        assert!(rules(&[], &[]).allow(&several), "{subject}");
    }
    let none = certificate("/O=alice");
    assert_eq!(none.sole_common_name(), None);
    assert!(!allowed(&none));
}

#[test]
fn one_rule_of_either_kind_is_enough() {
    let mut alice = Holder::leaf("alice");
    alice.params.subject_alt_names = vec![
        rcgen::SanType::DnsName("alice.example.test".try_into().unwrap()),
        rcgen::SanType::URI("spiffe://example.test/alice".try_into().unwrap()),
    ];
    let alice = parse(&alice.self_signed());
    assert!(rules(&["bob", "alice"], &["nobody.test"]).allow(&alice));
    assert!(rules(&["bob"], &["nobody.test", "*.example.test"]).allow(&alice));
    assert!(rules(&[], &["spiffe://example.test/*"]).allow(&alice));
    assert!(!rules(&["bob"], &["nobody.test"]).allow(&alice));
    // The names are not mixed up.
    assert!(!rules(&["alice.example.test"], &["alice"]).allow(&alice));
}
