//! Sessions that are resumed: where that is wanted, and never as a way around what a client would
//! have to show in a full handshake.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use self::caller::{Caller, Visit};
use crate::Setup;
use crate::support::{
    Authority, Crl, Dialer, FAILURE, Files, Pki, Profile, Program, Server, USAGE, assert_complaint,
    shared_keys,
};

mod caller;
mod ends;
mod issuers;
mod shared;

crate::on_every_verifying_backend! {
    in_https_mode_sessions_are_resumed
    in_mutual_mode_they_are_not
    it_can_be_switched_off
    it_can_be_switched_on_in_mutual_mode
    a_client_that_is_not_ours_resumes
    rules_hold_for_a_resumed_session
    a_removed_ca_ends_the_sessions_of_its_clients
    a_revoked_client_does_not_come_back
    another_listener_knows_nothing_of_a_session
    a_session_belongs_to_the_name_that_was_asked_for
}

/// A session lives longer than this.
#[test]
fn a_certificate_expires_within_a_session() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let pki = Pki::new();
        let soon = Profile::client("client.localhost").valid_for(Duration::from_secs(4));
        let files = pki.save("soon", &pki.ca.issue(&soon));
        let issued = Instant::now();
        let server = serve_mutual(setup, &pki, &[]);
        let caller = Caller::new(setup, &pki, Some(&files));
        resumes(caller, &server);
        let session = caller.begins(&server, 200);
        // To the next second, which is what certificates count in.
        thread::sleep(Duration::from_secs(5).saturating_sub(issued.elapsed()));
        assert_refused(&caller, &server, &session);
        server.assert_logs(&["refused: ", "\"CN=client.localhost,O=Company\" expired on "]);
    });
}

/// It may be good for longer than the CA.
#[test]
fn a_ca_expires_within_a_session() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let pki = Pki::new();
        let ending = Authority::root_for("Ending CA", Duration::from_secs(4));
        let issued = Instant::now();
        let files = pki.save("theirs", &ending.issue(&Profile::client("client.localhost")));
        let cas = pki.write("cas.pem", pki.ca.pem() + &ending.pem());
        let args = ["--client-ca", &cas, "--resumption", "on"];
        let server = setup.serve(&[&pki.server_args()[..], &args].concat());
        let caller = Caller::new(setup, &pki, Some(&files));
        let session = caller.begins(&server, 200);
        thread::sleep(Duration::from_secs(5).saturating_sub(issued.elapsed()));
        assert_refused(&caller, &server, &session);
        server.assert_logs(&["refused: ", "\"CN=Ending CA,O=Company\", which ", " expired on "]);
        resumes(Caller::new(setup, &pki, Some(&pki.client)), &server);
        // Below an intermediate of another CA. Where it is not known which CA that is, it is let in, and only
        // its sessions are not.
        let between = pki.ca.subordinate("Between");
        let leaf = between.issue(&Profile::client("client.localhost")).with_chain(&[&between]);
        let files = pki.save("below", &leaf);
        let (dialer, _client) = Dialer::renewable(server.port, &pki.ca_file, &files);
        let mut conn = dialer.open();
        conn.get().assert_top_level();
    });
}

/// A client that lives on gets a new certificate in time, and comes with sessions of the old one. Each
/// ticket is good for one attempt (RFC 8446 §C.4), and a refusal brings no more of them. In TLS 1.2 it is
/// for the client to give a session up.
#[test]
fn a_session_that_is_refused_is_not_begun_anew() {
    crate::at_once(&[Setup::RUSTLS_SERVER_13, Setup::OPENSSL_SERVER_13], |setup| {
        let pki = Pki::new();
        let soon = Profile::client("client.localhost").valid_for(Duration::from_secs(4));
        let files = pki.save("soon", &pki.ca.issue(&soon));
        let issued = Instant::now();
        let server = serve_mutual(setup, &pki, &[]);
        let (dialer, client) = Dialer::renewable(server.port, &pki.ca_file, &files);
        let visit = || {
            let mut conn = dialer.try_open()?;
            conn.try_get().map(|response| {
                response.assert_top_level();
                conn.is_resumed()
            })
        };
        assert!(!visit().unwrap());

        thread::sleep(Duration::from_secs(5).saturating_sub(issued.elapsed()));
        client.renew(&pki.client);
        // A server gives two at first. OpenSSL does not resume them, and asks for the certificate at once.
        let visits: Vec<_> = (0..5).map(|_| visit().ok()).collect();
        let refused = visits.iter().take_while(|resumed| resumed.is_none()).count();
        let expected = if setup.backend == "openssl" { 0..=0 } else { 1..=2 };
        assert!(expected.contains(&refused), "{visits:?}");
        assert_eq!(visits[refused], Some(false), "{visits:?}");
        assert_eq!(visits[refused + 1], Some(true), "{visits:?}");
    });
}

/// A ticket holds whatever the client sent beside its certificate. OpenSSL's holds none of it.
#[test]
fn a_resumed_session_tells_the_verified_chain() {
    crate::at_once(&[Setup::RUSTLS_SERVER_12, Setup::RUSTLS_SERVER_13], |setup| {
        let pki = Pki::new();
        let department = pki.ca.subordinate("Department CA");
        let forged = Authority::root("Other CA").subordinate("Department CA");
        let profile = Profile::client("client.localhost");
        let leaf = department.issue(&profile).with_chain(&[&forged, &department]);
        let files = pki.save("forged", &leaf);
        let cas = pki.write("cas.pem", pki.ca.pem() + &Authority::root("Other CA").pem());
        let args = ["--client-ca", &cas, "--resumption", "on"];
        let server = setup.serve(&[&pki.server_args()[..], &args].concat());
        let visit = resumes(Caller::new(setup, &pki, Some(&files)), &server);
        let chain = &visit.whoami()["client_certificate"]["chain"];
        assert_eq!(chain[0]["subject"], "CN=Department CA,O=Company", "{chain}");
        assert_eq!(chain[1]["subject"], "CN=Test CA,O=Company", "{chain}");
    });
}

fn in_https_mode_sessions_are_resumed(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    resumes(Caller::new(setup, &pki, None), &server);
}

fn in_mutual_mode_they_are_not(setup: Setup) {
    let pki = Pki::new();
    for more in [&[][..], &["--client-verify", "optional"], &["--resumption", "off"]] {
        let server = setup.serve(&[&pki.mutual_args()[..], more].concat());
        never_resumes(Caller::new(setup, &pki, Some(&pki.client)), &server);
    }
}

fn it_can_be_switched_off(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&[&pki.server_args()[..], &["--resumption", "off"]].concat());
    never_resumes(Caller::new(setup, &pki, None), &server);
}

/// Then the session stands for the certificate that it was begun with.
fn it_can_be_switched_on_in_mutual_mode(setup: Setup) {
    let pki = Pki::new();
    for verify in ["required", "optional"] {
        let server = serve_mutual(setup, &pki, &["--client-verify", verify]);
        let visit = resumes(Caller::new(setup, &pki, Some(&pki.client)), &server);
        let certificate = &visit.whoami()["client_certificate"];
        assert_eq!(certificate["common_name"], "client.localhost");
        assert!(certificate["subject"].as_str().unwrap().contains("O=Company"), "{certificate}");
        assert!(certificate["fingerprint"].is_string(), "{certificate}");
        // OpenSSL does not keep the rest of the chain.
        assert_eq!(certificate["chain"].is_null(), setup.backend == "openssl", "{certificate}");
    }
}

/// rustls on the client's side, where the others are OpenSSL.
fn a_client_that_is_not_ours_resumes(setup: Setup) {
    let pki = Pki::new();
    let server = serve_mutual(setup, &pki, &[]);
    let dialer = Dialer::mutual(server.port, &pki.ca_file, &pki.client);
    for resumed in [false, true, true] {
        let mut conn = dialer.open();
        conn.get().assert_top_level();
        assert_eq!(conn.is_resumed(), resumed);
    }
}

fn rules_hold_for_a_resumed_session(setup: Setup) {
    let pki = Pki::new();
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other.localhost")));
    let server = serve_mutual(setup, &pki, &["--allow-cn", "client.*"]);
    resumes(Caller::new(setup, &pki, Some(&pki.client)), &server);

    let other = Caller::new(setup, &pki, Some(&other));
    let session = other.begins(&server, 403);
    let visit = other.comes_back(&server, &session);
    assert_eq!((visit.resumed, visit.status), (true, Some(403)), "{visit:?}");
}

/// With tickets whose keys are the server's own, and with such whose keys stay the same.
fn a_removed_ca_ends_the_sessions_of_its_clients(setup: Setup) {
    let pki = Pki::new();
    let next = Authority::root("Next CA");
    let theirs = pki.save("theirs", &next.issue(&Profile::client("client.localhost")));
    let keys = shared_keys(&pki, "keys", 7);
    for more in [&[][..], &["--ticket-keys", &keys]] {
        let cas = pki.write("cas.pem", pki.ca.pem() + &next.pem());
        let args = ["--client-ca", &cas, "--resumption", "on"];
        let server = setup.serve(&[&pki.server_args()[..], &args, more].concat());
        let ours = Caller::new(setup, &pki, Some(&pki.client));
        let session = ours.begins(&server, 200);
        assert!(ours.comes_back(&server, &session).resumed);
        let session = ours.begins(&server, 200);

        fs::write(&cas, next.pem()).unwrap();
        server.reload();
        assert_refused(&ours, &server, &session);
        // Their CA is there still, but the policy is another, and so is the session's ticket.
        let theirs = Caller::new(setup, &pki, Some(&theirs));
        let visit = theirs.comes_back(&server, &session);
        assert_eq!((visit.resumed, visit.status), (false, Some(200)), "{visit:?}");
        resumes(theirs, &server);
    }
}

fn a_revoked_client_does_not_come_back(setup: Setup) {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::client("client.localhost"));
    let files = pki.save("revoked", &leaf);
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let server = serve_mutual(setup, &pki, &["--client-crl", &list]);
    let caller = Caller::new(setup, &pki, Some(&files));
    resumes(caller, &server);
    let session = caller.begins(&server, 200);

    fs::write(&list, Crl::of(&[leaf.serial]).pem(&pki.ca)).unwrap();
    server.reload();
    assert_refused(&caller, &server, &session);
}

/// Of the same kind, and of one that asks for less.
fn another_listener_knows_nothing_of_a_session(setup: Setup) {
    let pki = Pki::new();
    let required = serve_mutual(setup, &pki, &[]);
    let same = serve_mutual(setup, &pki, &[]);
    let optional = serve_mutual(setup, &pki, &["--client-verify", "optional"]);
    let https = setup.serve(&pki.server_args());

    let known = Caller::new(setup, &pki, Some(&pki.client));
    for server in [&same, &optional, &https] {
        let session = known.begins(server, 200);
        let visit = known.comes_back(&required, &session);
        assert_eq!((visit.resumed, visit.status), (false, Some(200)), "{visit:?}");
        // It stands for no certificate either.
        assert_refused(&known.without_certificate(), &required, &session);
    }
    let nobody = Caller::new(setup, &pki, None);
    for server in [&optional, &https] {
        let session = nobody.begins(server, 200);
        assert_refused(&nobody, &required, &session);
    }
}

/// It is resumed under no other (RFC 6066 §3), and the server tells the name of the connection at hand.
fn a_session_belongs_to_the_name_that_was_asked_for(setup: Setup) {
    const NAMES: [&[&str]; 4] = [
        &["-servername", "localhost"],
        &["-servername", "server.localhost"],
        &["-servername", "elsewhere.test"],
        &["-noservername"],
    ];
    let pki = Pki::new();
    let args = [&pki.server_args()[..], &["--resumption", "on"]].concat();
    let https = (setup.serve(&args), None);
    let mutual = (serve_mutual(setup, &pki, &[]), Some(&pki.client));
    for (server, client) in [https, mutual] {
        let caller = Caller::new(setup, &pki, client);
        for first in NAMES {
            for next in NAMES {
                let begun = caller.asking(first, "-sess_out", &server);
                let back = caller.asking(next, "-sess_in", &server);
                assert_eq!((begun.resumed, begun.status), (false, Some(200)), "{begun:?}");
                assert_eq!((back.resumed, back.status), (first == next, Some(200)), "{back:?}");
                for (visit, name) in [(begun, first), (back, next)] {
                    let told = &visit.whoami()["tls"]["server_name"];
                    assert_eq!(told.as_str(), name.get(1).copied(), "{visit:?}");
                }
            }
        }
        // The case of a name means nothing (RFC 4343).
        caller.asking(NAMES[0], "-sess_out", &server);
        let visit = caller.asking(&["-servername", "LocalHost"], "-sess_in", &server);
        visit.assert_resumed();
        assert_eq!(visit.whoami()["tls"]["server_name"], "localhost");
    }
}

fn serve_mutual(setup: Setup, pki: &Pki, more: &[&str]) -> Server {
    setup.serve(&[&pki.mutual_args()[..], &["--resumption", "on"], more].concat())
}

/// Twice is not enough: the second session could be one that nobody can go on from.
fn resumes(caller: Caller<'_>, server: &Server) -> Visit {
    let session = caller.begins(server, 200);
    caller.comes_back(server, &session).assert_resumed();
    let visit = caller.comes_back(server, &session);
    visit.assert_resumed();
    visit
}

/// The server gives nothing to come back with, or nothing that leads anywhere.
fn never_resumes(caller: Caller<'_>, server: &Server) {
    if let Some(session) = caller.tries_to_begin(server, 200) {
        caller.comes_back(server, &session).assert_served_in_full();
    }
    let (port, ca) = (server.port, &caller.pki.ca_file);
    let dialer = match caller.client {
        Some(files) => Dialer::mutual(port, ca, files),
        None => Dialer::tls(port, ca),
    };
    for _ in 0..3 {
        let mut conn = dialer.open();
        conn.get().assert_top_level();
        assert!(!conn.is_resumed());
    }
}

/// Not one byte.
fn assert_refused(caller: &Caller<'_>, server: &Server, session: &str) {
    let visit = caller.comes_back(server, session);
    assert_eq!(visit.status, None, "{visit:?}");
    assert!(!visit.output.text().contains("client_certificate"), "{visit:?}");
}
