//! Revocation lists: what its CA has taken back is refused, and so is what no list can speak for.

use std::fs;

use rcgen::{CrlDistributionPoint, CrlScope};

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::standing::assert_no_longer;
use crate::support::{
    Authority, Crl, Dialer, FAILURE, Files, Leaf, Pki, Profile, Program, Server, assert_complaint,
};

crate::on_every_verifying_backend! {
    a_revoked_client_is_refused_and_others_are_not
    lists_may_be_in_pem_or_der
    several_lists_may_stand_in_one_file
    a_client_of_a_revoked_intermediate_is_refused
    an_intermediate_has_a_list_of_its_own
    a_ca_without_a_list_is_refused
    an_expired_list_refuses
    a_list_from_the_future_refuses
    a_list_from_the_future_beside_one_that_holds
    a_list_signed_by_another_key_refuses
    cas_of_one_name_have_a_list_each
    lists_of_different_distribution_points_all_count
    a_client_without_a_distribution_point_may_stand_on_any_list
    lists_of_clients_and_of_cas_both_count
    an_older_list_of_one_distribution_point_is_replaced
    a_trusted_intermediate_can_be_revoked
    optional_is_not_lenient
    a_new_list_counts_at_once
}

#[test]
fn what_is_no_list_is_an_error() {
    let pki = Pki::new();
    let empty = pki.write("empty.crl", "");
    let text = pki.write("text.crl", "not a list");
    for file in [&pki.ca_file, &pki.client.key, &empty, &text, &pki.path("missing.crl")] {
        let args = [&pki.mutual_args()[..], &["--client-crl", file, "--port", "0"]].concat();
        assert_complaint(&Program::new(&args).run(), FAILURE, &[file, "--client-crl"]);
    }
}

/// That would refuse everybody.
#[test]
fn a_list_of_another_ca_by_the_same_name_is_an_error() {
    let pki = Pki::new();
    let list = pki.write("list.pem", Crl::default().pem(&Authority::root("Test CA")));
    let args = [&pki.mutual_args()[..], &["--client-crl", &list, "--port", "0"]].concat();
    let output = Program::new(&args).run();
    assert_complaint(&output, FAILURE, &[&list, "--client-crl", "not signed by", "Test CA"]);
}

fn a_revoked_client_is_refused_and_others_are_not(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let list = pki.write("list.pem", Crl::of(&[revoked.serial]).pem(&pki.ca));
    let mut server = serve(setup, &pki, &[&list]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", &revoked)));
    assert_served_as(setup, &pki, &server, &pki.client);
}

fn lists_may_be_in_pem_or_der(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let files = pki.save("revoked", &revoked);
    let list = Crl::of(&[revoked.serial]);
    for list in [list.pem(&pki.ca).into_bytes(), list.der(&pki.ca)] {
        let list = pki.write("list", list);
        let mut server = serve(setup, &pki, &[&list]);
        assert_refused(setup, &pki, &mut server, Some(&files));
    }
}

/// Of two CAs, beside each other and in files of their own.
fn several_lists_may_stand_in_one_file(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let other = Authority::root("Other CA");
    let cas = pki.write("cas.pem", pki.ca.pem() + &other.pem());
    let files = pki.save("revoked", &revoked);
    let of_other = other.issue(&client());
    let revoked_of_other = pki.save("revoked-of-other", &of_other);
    let good_of_other = pki.save("good-of-other", &other.issue(&client()));

    let [ours, theirs] =
        [Crl::of(&[revoked.serial]).pem(&pki.ca), Crl::of(&[of_other.serial]).pem(&other)];
    let both = [pki.write("both.pem", ours.clone() + &theirs)];
    let apart = [pki.write("ours.pem", ours), pki.write("theirs.pem", theirs)];
    for lists in [&both[..], &apart[..]] {
        let lists: Vec<_> = lists.iter().map(String::as_str).collect();
        let mut server = serve_for(setup, &pki, &cas, &lists);
        assert_refused(setup, &pki, &mut server, Some(&files));
        assert_refused(setup, &pki, &mut server, Some(&revoked_of_other));
        assert_served_as(setup, &pki, &server, &pki.client);
        assert_served_as(setup, &pki, &server, &good_of_other);
    }
}

fn a_client_of_a_revoked_intermediate_is_refused(setup: Setup) {
    let pki = Pki::new();
    let [good, revoked] = ["Good CA", "Revoked CA"].map(|name| pki.ca.subordinate(name));
    let lists = Crl::of(&[revoked.serial]).pem(&pki.ca)
        + &Crl::default().pem(&good)
        + &Crl::default().pem(&revoked);
    let lists = pki.write("lists.pem", lists);
    let mut server = serve(setup, &pki, &[&lists]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", &chained(&revoked))));
    assert_served_as(setup, &pki, &server, &pki.save("good", &chained(&good)));
}

fn an_intermediate_has_a_list_of_its_own(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let [good, revoked] = [chained(&department), chained(&department)];
    let root = pki.write("root.pem", Crl::default().pem(&pki.ca));
    let list = pki.write("department.crl", Crl::of(&[revoked.serial]).der(&department));
    let mut server = serve(setup, &pki, &[&root, &list]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", &revoked)));
    assert_served_as(setup, &pki, &server, &pki.save("good", &good));
}

/// Whoever gives lists wants to be sure: what cannot be looked up is not taken at its word.
fn a_ca_without_a_list_is_refused(setup: Setup) {
    let pki = Pki::new();
    let other = Authority::root("Other CA");
    let department = pki.ca.subordinate("Department CA");
    let cas = pki.write("cas.pem", pki.ca.pem() + &other.pem());
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let mut server = serve_for(setup, &pki, &cas, &[&list]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("other", &other.issue(&client()))));
    assert_refused(setup, &pki, &mut server, Some(&pki.save("leaf", &chained(&department))));
    assert_served_as(setup, &pki, &server, &pki.client);
}

fn an_expired_list_refuses(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let list = pki.write("list.pem", Crl::of(&[revoked.serial]).expired().pem(&pki.ca));
    // It serves: a list runs out while the server runs, and a restart must not be worse than that.
    let server = serve(setup, &pki, &[&list]);
    refuses_everybody(setup, &pki, server, &[&pki.client, &pki.save("revoked", &revoked)]);
}

/// The CA's clock is wrong, or ours: then it is not known what is revoked by now.
fn a_list_from_the_future_refuses(setup: Setup) {
    let pki = Pki::new();
    let other = Authority::root("Other CA");
    let theirs = pki.save("theirs", &other.issue(&client()));
    let cas = pki.write("cas.pem", pki.ca.pem() + &other.pem());
    let early = Crl::default().not_yet_valid();
    // Alone, and beside one of another CA.
    for lists in [early.pem(&other), early.pem(&other) + &Crl::default().pem(&pki.ca)] {
        let list = pki.write("list.pem", lists);
        let server = serve_for(setup, &pki, &cas, &[&list]);
        let curl = setup.client(&pki).and(&["-E", &theirs.both]);
        curl.fetch(&server.url).assert_refused();
        let why = "the revocation list of its CA is of no use: it is not valid before 20";
        server.assert_logs(&["refused: the client certificate ", why, "is the clock right?"]);
    }
    let list = pki.write("list.pem", early.pem(&other) + &Crl::default().pem(&pki.ca));
    let server = serve_for(setup, &pki, &cas, &[&list]);
    assert_served_as(setup, &pki, &server, &pki.client);
}

/// Until then the other counts.
fn a_list_from_the_future_beside_one_that_holds(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let lists =
        Crl::of(&[revoked.serial]).pem(&pki.ca) + &Crl::default().not_yet_valid().pem(&pki.ca);
    let list = pki.write("list.pem", lists);
    let mut server = serve(setup, &pki, &[&list]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", &revoked)));
    assert_served_as(setup, &pki, &server, &pki.client);
    let more = ["--client-crl", &*list, "--resumption", "on"];
    let server = setup.serve(&[&pki.mutual_args()[..], &more].concat());
    let (dialer, _client) = Dialer::renewable(server.port, &pki.ca_file, &pki.client);
    for resumed in [false, true] {
        let mut conn = dialer.open();
        conn.get().assert_top_level();
        assert_eq!(conn.is_resumed(), resumed);
    }
}

/// An intermediate's, whose certificate the server does not have before a client sends it.
fn a_list_signed_by_another_key_refuses(setup: Setup) {
    let pki = Pki::new();
    let [department, impostor] = [(); 2].map(|()| pki.ca.subordinate("Department CA"));
    let lists = Crl::default().pem(&pki.ca) + &Crl::default().pem(&impostor);
    let lists = pki.write("lists.pem", lists);
    let mut server = serve(setup, &pki, &[&lists]);
    assert_refused(setup, &pki, &mut server, Some(&pki.save("leaf", &chained(&department))));
    assert_served_as(setup, &pki, &server, &pki.client);
}

/// One took over from the other. The list of the one before is older, and still its own.
fn cas_of_one_name_have_a_list_each(setup: Setup) {
    let pki = Pki::new();
    let [before, after] = [(); 2].map(|()| Authority::root("One CA"));
    let cas = pki.write("cas.pem", before.pem() + &after.pem());
    // OpenSSL takes the first CA of a name, unless the client says which it means.
    let profile = client().naming_issuer_key();
    let clients = [&before, &after].map(|ca| [(); 2].map(|()| ca.issue(&profile)));
    let serials = [&clients[0][1], &clients[1][1]].map(|revoked| revoked.serial);
    let files = [("before", 0), ("after", 1)].map(|(name, ca)| {
        let [good, revoked] = &clients[ca];
        [pki.save(name, good), pki.save(&format!("{name}-revoked"), revoked)]
    });
    let old = Crl::of(&serials[..1]).old().pem(&before);
    let new = Crl::of(&serials[1..]).pem(&after);
    for lists in [old.clone() + &new, new.clone() + &old] {
        let lists = pki.write("lists.pem", lists);
        let server = serve_for(setup, &pki, &cas, &[&lists]);
        for [good, revoked] in &files {
            assert_served_as(setup, &pki, &server, good);
            setup.client(&pki).and(&["-E", &revoked.both]).fetch(&server.url).assert_refused();
        }
    }
    // That of one says nothing of the other's clients.
    let list = pki.write("list.pem", new);
    let server = serve_for(setup, &pki, &cas, &[&list]);
    setup.client(&pki).and(&["-E", &files[0][0].both]).fetch(&server.url).assert_refused();
    server.assert_logs(&["refused: ", "is of no use: its signature is wrong"]);
    assert_served_as(setup, &pki, &server, &files[1][0]);
}

const POINTS: [&str; 2] = ["http://crl.test/1.crl", "http://crl.test/2.crl"];

/// A client whose list is published at one of the points.
fn listed_at(ca: &Authority, point: &str) -> Leaf {
    ca.issue_odd(&client(), |params| {
        params.crl_distribution_points =
            vec![CrlDistributionPoint { uris: vec![point.to_owned()] }];
    })
}

/// A CA with many clients splits its list (RFC 5280 §5.2.5).
fn lists_of_different_distribution_points_all_count(setup: Setup) {
    let pki = Pki::new();
    let [first, second] = POINTS.map(|point| [(); 2].map(|()| listed_at(&pki.ca, point)));
    // The first list is the older one.
    let one = Crl::of(&[first[1].serial]).old().at(POINTS[0], None).pem(&pki.ca);
    let two = Crl::of(&[second[1].serial]).at(POINTS[1], None).pem(&pki.ca);
    for lists in [one.clone() + &two, two.clone() + &one] {
        let lists = pki.write("lists.pem", lists);
        let mut server = serve(setup, &pki, &[&lists]);
        for [good, revoked] in [&first, &second] {
            assert_served_as(setup, &pki, &server, &pki.save("good", good));
            assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", revoked)));
        }
    }
    let list = pki.write("list.pem", one);
    let mut server = serve(setup, &pki, &[&list]);
    assert_served_as(setup, &pki, &server, &pki.save("good", &first[0]));
    assert_refused(setup, &pki, &mut server, Some(&pki.save("good", &second[0])));
    server.assert_logs(&["refused: ", "is of no use: it is for other certificates of that CA"]);
}

/// So all of them are asked, and each has to hold.
fn a_client_without_a_distribution_point_may_stand_on_any_list(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let revoked_files = pki.save("revoked", &revoked);
    let [none, some] = [Crl::default(), Crl::of(&[revoked.serial])];
    let one = some.clone().old().at(POINTS[0], None).pem(&pki.ca);
    let two = none.clone().at(POINTS[1], None).pem(&pki.ca);
    let lists = pki.write("lists.pem", one.clone() + &two);
    let mut server = serve(setup, &pki, &[&lists]);
    assert_served_as(setup, &pki, &server, &pki.client);
    assert_refused(setup, &pki, &mut server, Some(&revoked_files));

    let expired = none.clone().expired().at(POINTS[1], None).pem(&pki.ca);
    let lists = pki.write("expired.pem", one.clone() + &expired);
    let server = serve(setup, &pki, &[&lists]);
    refuses_everybody(setup, &pki, server, &[&pki.client, &revoked_files]);
    // A full list answers for all that expired ones leave open, and for nothing that they revoke.
    let lists = pki.write("full.pem", none.pem(&pki.ca) + &one + &expired);
    let mut server = serve(setup, &pki, &[&lists]);
    assert_served_as(setup, &pki, &server, &pki.client);
    assert_refused(setup, &pki, &mut server, Some(&revoked_files));
}

fn lists_of_clients_and_of_cas_both_count(setup: Setup) {
    let pki = Pki::new();
    let [good, bad] = ["Good CA", "Bad CA"].map(|name| pki.ca.subordinate(name));
    let of_cas = Crl::of(&[bad.serial]).old().at(POINTS[0], Some(CrlScope::CaCertsOnly));
    let of_clients = Crl::default().at(POINTS[0], Some(CrlScope::UserCertsOnly)).pem(&pki.ca);
    let below = Crl::default().pem(&good) + &Crl::default().pem(&bad);
    let [good, bad] =
        [("good", &good), ("bad", &bad)].map(|(name, ca)| pki.save(name, &chained(ca)));
    let all = pki.write("all.pem", of_cas.pem(&pki.ca) + &of_clients + &below);
    let mut server = serve(setup, &pki, &[&all]);
    assert_served_as(setup, &pki, &server, &pki.client);
    assert_served_as(setup, &pki, &server, &good);
    assert_refused(setup, &pki, &mut server, Some(&bad));

    let some = pki.write("some.pem", of_clients + &below);
    let mut server = serve(setup, &pki, &[&some]);
    assert_served_as(setup, &pki, &server, &pki.client);
    assert_refused(setup, &pki, &mut server, Some(&good));
}

fn an_older_list_of_one_distribution_point_is_replaced(setup: Setup) {
    let pki = Pki::new();
    let leaf = listed_at(&pki.ca, POINTS[0]);
    let old = Crl::of(&[leaf.serial]).old().at(POINTS[0], None).pem(&pki.ca);
    let new = Crl::default().at(POINTS[0], None).pem(&pki.ca);
    let files = pki.save("leaf", &leaf);
    for lists in [old.clone() + &new, new.clone() + &old] {
        let lists = pki.write("lists.pem", lists);
        assert_served_as(setup, &pki, &serve(setup, &pki, &[&lists]), &files);
    }
}

/// Where its own CA is trusted too, and has a list.
fn a_trusted_intermediate_can_be_revoked(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let files = pki.save("below", &department.issue(&client()));
    let cas = pki.write("cas.pem", pki.ca.pem() + &department.pem());
    let own = Crl::default().pem(&department);
    let list = pki.write("own.pem", own.clone());
    assert_served_as(setup, &pki, &serve_for(setup, &pki, &cas, &[&list]), &files);
    let list = pki.write("revoking.pem", own + &Crl::of(&[department.serial]).pem(&pki.ca));
    let mut server = serve_for(setup, &pki, &cas, &[&list]);
    assert_refused(setup, &pki, &mut server, Some(&files));
}

fn optional_is_not_lenient(setup: Setup) {
    let (pki, revoked) = with_two_clients();
    let list = pki.write("list.pem", Crl::of(&[revoked.serial]).pem(&pki.ca));
    let args = [&pki.mutual_args()[..], &["--client-verify", "optional", "--client-crl", &list]];
    let mut server = setup.serve(&args.concat());
    assert_refused(setup, &pki, &mut server, Some(&pki.save("revoked", &revoked)));
    setup.client(&pki).fetch(&server.url).assert_top_level();
}

/// For connections that stand too.
fn a_new_list_counts_at_once(setup: Setup) {
    let (pki, other) = with_two_clients();
    let files = pki.save("other", &other);
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let mut server = serve(setup, &pki, &[&list]);
    assert_served_as(setup, &pki, &server, &files);
    let mut standing = Dialer::mutual(server.port, &pki.ca_file, &files).open();
    standing.get().assert_top_level();

    fs::write(&list, Crl::of(&[other.serial]).pem(&pki.ca)).unwrap();
    server.reload();
    assert_refused(setup, &pki, &mut server, Some(&files));
    assert_no_longer(&mut standing, "it is revoked");

    fs::write(&list, Crl::default().pem(&pki.ca)).unwrap();
    server.reload();
    assert_served_as(setup, &pki, &server, &files);
}

/// One that is let in, and another for a list to revoke.
fn with_two_clients() -> (Pki, Leaf) {
    let pki = Pki::new();
    let other = pki.ca.issue(&client());
    (pki, other)
}

fn client() -> Profile {
    Profile::client("client.localhost")
}

fn chained(ca: &Authority) -> Leaf {
    ca.issue(&client()).with_chain(&[ca])
}

fn serve(setup: Setup, pki: &Pki, lists: &[&str]) -> Server {
    serve_for(setup, pki, &pki.ca_file, lists)
}

fn serve_for(setup: Setup, pki: &Pki, cas: &str, lists: &[&str]) -> Server {
    let mut args = [&pki.server_args()[..], &["--client-ca", cas]].concat();
    args.extend(lists.iter().flat_map(|list| ["--client-crl", list]));
    setup.serve(&args)
}

fn refuses_everybody(setup: Setup, pki: &Pki, mut server: Server, clients: &[&Files]) {
    for files in clients {
        setup.client(pki).and(&["-E", &files.both]).fetch(&server.url).assert_refused();
    }
    server.assert_alive();
}
