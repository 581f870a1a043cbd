//! Which of several identities a client is shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use rcgen::{CertificateParams, SanType};
use support::Holder;
use turnkey_backend::{DuplicateName, Identities, Identity};

/// With a common name that is none of its names, as those of many CAs.
fn named(names: &[&str]) -> Identity {
    let mut holder = Holder::leaf("common.example.test");
    let subject = holder.params.distinguished_name;
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    holder.params = CertificateParams::new(names).unwrap();
    holder.params.distinguished_name = subject;
    holder.identity()
}

fn identities(all: &[&[&str]]) -> Result<Identities, DuplicateName> {
    let mut all = all.iter().map(|names| named(names));
    Identities::new(all.next().unwrap(), all)
}

fn choose(identities: &Identities, name: &str) -> usize {
    identities.choose(Some(name))
}

#[test]
fn an_exact_name_comes_before_a_wildcard() {
    // Whichever is given first.
    let chosen = identities(&[
        &["first.test"],
        &["*.example.test"],
        &["www.example.test"],
        &["api.example.test", "*.api.example.test"],
    ])
    .unwrap();
    assert_eq!(choose(&chosen, "www.example.test"), 2);
    assert_eq!(choose(&chosen, "api.example.test"), 3);
    assert_eq!(choose(&chosen, "other.example.test"), 1);
    assert_eq!(choose(&chosen, "v1.api.example.test"), 3);
}

#[test]
fn a_wildcard_covers_one_label_and_not_the_bare_domain() {
    let chosen = identities(&[&["first.test"], &["*.example.test"]]).unwrap();
    assert_eq!(choose(&chosen, "a.example.test"), 1);
    assert_eq!(choose(&chosen, "a.b.example.test"), 0);
    assert_eq!(choose(&chosen, "example.test"), 0);
    assert_eq!(choose(&chosen, ".example.test"), 0);
    assert_eq!(choose(&chosen, "aexample.test"), 0);
    assert_eq!(choose(&chosen, "a.example.test.evil.test"), 0);
}

#[test]
fn case_and_the_dot_of_the_root_make_no_difference() {
    let chosen = identities(&[&["first.test"], &["WWW.Example.test"], &["*.Shop.test"]]).unwrap();
    assert_eq!(choose(&chosen, "www.eXample.TEST"), 1);
    assert_eq!(choose(&chosen, "www.example.test."), 1);
    assert_eq!(choose(&chosen, "A.SHOP.test."), 2);
    assert_eq!(choose(&chosen, "www.example.test.."), 0);
}

#[test]
fn the_first_is_for_clients_that_ask_for_none_or_for_an_unknown_one() {
    let chosen = identities(&[&["first.test"], &["second.test"]]).unwrap();
    assert_eq!(chosen.choose(None), 0);
    for unknown in ["third.test", "", ".", "*", "second", "first.test.second"] {
        assert_eq!(choose(&chosen, unknown), 0, "{unknown}");
    }
    assert_eq!(chosen.first().leaf(), chosen.all()[0].leaf());
    assert_eq!(chosen.all().len(), 2);

    let alone = Identities::from(named(&["alone.test"]));
    assert_eq!((alone.choose(None), choose(&alone, "alone.test")), (0, 0));
}

#[test]
fn the_common_name_is_a_name_only_where_there_are_no_others() {
    let old = Holder::leaf("old.test").identity();
    let mut addressed = Holder::leaf("addressed.test");
    addressed.params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    let further = [named(&["new.test"]), old, addressed.identity()];
    let chosen = Identities::new(named(&["first.test"]), further).unwrap();
    assert_eq!(choose(&chosen, "old.test"), 2);
    assert_eq!(choose(&chosen, "common.example.test"), 0);
    // It has alternative names, if not of this kind.
    assert_eq!(choose(&chosen, "addressed.test"), 0);
}

#[test]
fn two_identities_for_one_name_are_an_error_that_names_it() {
    let exact = identities(&[&["a.test"], &["b.test"], &["c.test", "A.test"]]).unwrap_err();
    assert_eq!(exact, DuplicateName { name: "a.test".to_owned(), first: 0, second: 2 });
    assert_eq!(
        exact.to_string(),
        "two identities are for the name \"a.test\"; leave one of them out"
    );
    let wildcard = identities(&[&["a.test"], &["*.b.test"], &["*.B.test"]]).unwrap_err();
    assert_eq!(wildcard, DuplicateName { name: "*.b.test".to_owned(), first: 1, second: 2 });

    let twice = [Holder::leaf("old.test").identity(), Holder::leaf("old.test").identity()];
    let [first, second] = twice;
    assert_eq!(Identities::new(first, [second]).unwrap_err().name, "old.test");
}

#[test]
fn names_that_only_look_alike_are_no_duplicates() {
    // A wildcard and a name that it covers; one name twice in one certificate.
    assert!(identities(&[&["*.a.test"], &["www.a.test"], &["a.test"]]).is_ok());
    let chosen = identities(&[&["first.test"], &["a.test", "A.test", "a.test"]]).unwrap();
    assert_eq!(choose(&chosen, "a.test"), 1);
    // No name at all is nobody's.
    let nameless = [Holder::leaf("").identity(), Holder::leaf("").identity()];
    let [first, second] = nameless;
    assert!(Identities::new(first, [second]).is_ok());
}
