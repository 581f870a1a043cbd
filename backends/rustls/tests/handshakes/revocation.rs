//! Revocation lists.

use std::time::Duration;

use rustls::AlertDescription;
use turnkey_backend::{Certificate, ClientTrust, Fault, RevocationList};

use crate::pki::{Ca, Holder, MINUTE, ago, ahead};
use crate::refusals::{is_let_in, is_refused, refusals};

#[test]
fn who_is_on_a_list_is_refused() {
    let root = Ca::root("root");
    let (alice, bob) = (root.client("alice"), root.client("bob"));
    let trust = root.trust().revocation_lists(vec![root.list(&[bob.leaf()])]);
    is_let_in(&trust, &alice);
    let alert = AlertDescription::CertificateRevoked;
    is_refused(&trust, &bob, &bob.certificate(), &Fault::Revoked, alert);
    // Without lists nobody is on one.
    is_let_in(&root.trust(), &bob);
}

#[test]
fn an_intermediate_can_be_revoked() {
    let root = Ca::root("root");
    let (good, bad) = (root.intermediate("good"), root.intermediate("bad"));
    let lists = vec![root.list(&[&bad.der]), good.list(&[]), bad.list(&[])];
    let trust = root.trust().revocation_lists(lists);
    is_let_in(&trust, &good.client("alice").and(&good));
    let bob = bad.client("bob").and(&bad);
    let alert = AlertDescription::CertificateRevoked;
    is_refused(&trust, &bob, &bad.certificate(), &Fault::Revoked, alert);
}

#[test]
fn the_list_of_an_intermediate_counts() {
    let root = Ca::root("root");
    let ca = root.intermediate("CA");
    let (alice, bob) = (ca.client("alice").and(&ca), ca.client("bob").and(&ca));
    let lists = vec![root.list(&[]), ca.list(&[bob.leaf()])];
    let trust = root.trust().revocation_lists(lists);
    is_let_in(&trust, &alice);
    let alert = AlertDescription::CertificateRevoked;
    is_refused(&trust, &bob, &bob.certificate(), &Fault::Revoked, alert);
}

#[test]
fn a_ca_whose_list_is_missing_is_not_taken_at_its_word() {
    let (root, other) = (Ca::root("root"), Ca::root("other"));
    let ca = root.intermediate("CA");
    let alert = AlertDescription::UnknownCA;
    let fault = |issuer: &str| Fault::NoRevocationList { issuer: format!("CN={issuer}") };

    let alice = ca.client("alice").and(&ca);
    let trust = root.trust().revocation_lists(vec![root.list(&[])]);
    is_refused(&trust, &alice, &alice.certificate(), &fault("CA"), alert);
    let trust = root.trust().revocation_lists(vec![ca.list(&[])]);
    is_refused(&trust, &alice, &ca.certificate(), &fault("root"), alert);
    // What stands above a trusted CA, or is one, needs none.
    let with_root = ca.client("alice").and(&ca).and(&root);
    is_refused(&trust, &with_root, &ca.certificate(), &fault("root"), alert);

    let trust = root.anchors().and(other.anchors());
    let trust = ClientTrust::new(trust).revocation_lists(vec![root.list(&[])]);
    let bob = other.client("bob");
    is_refused(&trust, &bob, &bob.certificate(), &fault("other"), alert);
    is_let_in(&trust, &root.client("alice"));
}

/// A list that was due a minute ago.
fn expired(ca: &Ca) -> RevocationList {
    ca.list_of(&[], ago(MINUTE * 60), ago(MINUTE))
}

#[test]
fn a_list_that_has_expired_says_nothing_any_more() {
    let root = Ca::root("root");
    let ca = root.intermediate("CA");
    let alert = AlertDescription::UnknownCA;
    let fault = |issuer: &str, list: &RevocationList| Fault::RevocationListExpired {
        issuer: format!("CN={issuer}"),
        next_update: list.next_update(),
    };

    let alice = root.client("alice");
    let old = expired(&root);
    let trust = root.trust().revocation_lists(vec![old.clone()]);
    is_refused(&trust, &alice, &alice.certificate(), &fault("root", &old), alert);

    let older = root.list_of(&[], ago(MINUTE * 90), ago(MINUTE * 30));
    for lists in [vec![older.clone(), old.clone()], vec![old.clone(), older]] {
        let trust = root.trust().revocation_lists(lists);
        is_refused(&trust, &alice, &alice.certificate(), &fault("root", &old), alert);
    }

    let bob = ca.client("bob").and(&ca);
    let trust = root.trust().revocation_lists(vec![ca.list(&[]), old.clone()]);
    is_refused(&trust, &bob, &ca.certificate(), &fault("root", &old), alert);
    let old = expired(&ca);
    let trust = root.trust().revocation_lists(vec![old.clone(), root.list(&[])]);
    is_refused(&trust, &bob, &bob.certificate(), &fault("CA", &old), alert);
}

/// To webpki it says all.
#[test]
fn a_list_that_is_not_valid_yet_says_nothing() {
    let root = Ca::root("root");
    let ca = root.intermediate("CA");
    let (alice, bob) = (root.client("alice"), ca.client("bob").and(&ca));
    let early = |ca: &Ca| ca.list_of(&[], ahead(MINUTE), ahead(MINUTE * 60));
    let alert = AlertDescription::UnknownCA;
    let refused = |lists, holder: &Holder, culprit: &Certificate, fault: &Fault| {
        let trust = root.trust().revocation_lists(lists);
        is_refused(&trust, holder, culprit, fault, alert);
    };
    let of_root = early(&root);
    let fault = Fault::list_not_yet_valid(&of_root);
    refused(vec![of_root.clone()], &alice, &alice.certificate(), &fault);
    refused(vec![ca.list(&[]), of_root.clone()], &bob, &ca.certificate(), &fault);
    let of_ca = early(&ca);
    let fault = Fault::list_not_yet_valid(&of_ca);
    refused(vec![root.list(&[]), of_ca.clone()], &bob, &bob.certificate(), &fault);
    is_let_in(&root.trust().revocation_lists(vec![root.list(&[]), of_ca]), &alice);

    // As long as there is another, that one counts.
    let carol = root.client("carol");
    let holds = root.list(&[carol.leaf()]);
    let old = expired(&root);
    let trust = root.trust().revocation_lists(vec![of_root.clone(), holds]);
    is_let_in(&trust, &alice);
    let revoked = AlertDescription::CertificateRevoked;
    is_refused(&trust, &carol, &carol.certificate(), &Fault::Revoked, revoked);
    let (issuer, next_update) = ("CN=root".to_owned(), old.next_update());
    let fault = Fault::RevocationListExpired { issuer, next_update };
    refused(vec![old, of_root], &alice, &alice.certificate(), &fault);
}

#[test]
fn the_newest_list_of_a_ca_counts_whatever_the_order() {
    let root = Ca::root("root");
    let (alice, bob) = (root.client("alice"), root.client("bob"));
    let new = root.list_of(&[bob.leaf()], ago(MINUTE), ahead(MINUTE * 60));
    let old = root.list_of(&[alice.leaf()], ago(MINUTE * 60), ahead(MINUTE));
    let alert = AlertDescription::CertificateRevoked;
    for lists in [[&new, &old, &expired(&root)], [&expired(&root), &old, &new]] {
        let trust = root.trust().revocation_lists(lists.map(Clone::clone).to_vec());
        is_let_in(&trust, &alice);
        is_refused(&trust, &bob, &bob.certificate(), &Fault::Revoked, alert);
    }
}

#[test]
fn two_cas_of_one_name_have_a_list_each() {
    // One takes over from the other: same name, new key.
    let (before, after) = (Ca::root("root"), Ca::root("root"));
    let anchors = before.anchors().and(after.anchors());
    let (alice, bob) = (before.client("alice"), after.client("bob"));
    let (carol, dave) = (before.client("carol"), after.client("dave"));
    let old = before.list_of(&[carol.leaf()], ago(MINUTE * 2), ahead(MINUTE));
    let stale = before.list_of(&[alice.leaf()], ago(MINUTE * 3), ahead(MINUTE));
    let new = after.list_of(&[dave.leaf()], ago(MINUTE), ahead(MINUTE));
    for lists in [[&old, &new, &stale], [&stale, &new, &old], [&new, &stale, &old]] {
        let lists = lists.map(Clone::clone).to_vec();
        let trust = ClientTrust::new(anchors.clone()).revocation_lists(lists);
        is_let_in(&trust, &alice);
        is_let_in(&trust, &bob);
        let alert = AlertDescription::CertificateRevoked;
        for revoked in [&carol, &dave] {
            is_refused(&trust, revoked, &revoked.certificate(), &Fault::Revoked, alert);
        }
    }
    // A list of one is none of the other.
    let trust = ClientTrust::new(anchors).revocation_lists(vec![new]);
    is_let_in(&trust, &bob);
    for (refused, _) in refusals(&trust, &alice) {
        assert!(matches!(refused.fault(), Fault::Other(_) | Fault::BadSignature), "{refused}");
    }
}

#[test]
fn looking_for_the_list_of_one_ca_takes_no_old_one_of_another() {
    let (before, after) = (Ca::root("root"), Ca::root("root"));
    let ca = before.intermediate("CA");
    let (alice, bob) = (ca.client("alice").and(&ca), ca.client("bob").and(&ca));
    let lists = vec![
        after.list_of(&[], ago(MINUTE), ahead(MINUTE)),
        before.list_of(&[], ago(MINUTE * 2), ahead(MINUTE)),
        ca.list_of(&[bob.leaf()], ago(MINUTE), ahead(MINUTE)),
        ca.list_of(&[alice.leaf()], ago(MINUTE * 2), ahead(MINUTE)),
    ];
    let anchors = before.anchors().and(after.anchors());
    let trust = ClientTrust::new(anchors).revocation_lists(lists);
    is_let_in(&trust, &alice);
    let alert = AlertDescription::CertificateRevoked;
    is_refused(&trust, &bob, &bob.certificate(), &Fault::Revoked, alert);
}

#[test]
fn a_list_that_the_ca_has_not_signed_is_of_no_use() {
    let (root, forger) = (Ca::root("root"), Ca::root("root"));
    let alice = root.client("alice");
    let trust = root.trust().revocation_lists(vec![forger.list(&[])]);
    let text = "the revocation list of its CA is of no use: its signature is wrong";
    let fault = Fault::Other(text.to_owned());
    let alert = AlertDescription::UnknownCA;
    is_refused(&trust, &alice, &alice.certificate(), &fault, alert);
}

#[test]
fn a_list_runs_out_while_the_server_runs() {
    let root = Ca::root("root");
    let alice = root.client("alice");
    let list = root.list_of(&[], ago(MINUTE), ahead(Duration::from_secs(1)));
    let trust = root.trust().revocation_lists(vec![list.clone()]);
    let due = list.next_update().unwrap();
    let left = due.duration_since(std::time::SystemTime::now()).unwrap_or_default();
    std::thread::sleep(left + Duration::from_millis(100));
    let fault =
        Fault::RevocationListExpired { issuer: "CN=root".to_owned(), next_update: Some(due) };
    let alert = AlertDescription::UnknownCA;
    is_refused(&trust, &alice, &alice.certificate(), &fault, alert);
}
