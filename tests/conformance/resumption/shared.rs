//! Ticket keys that several servers share (`--ticket-keys`).

use super::*;

crate::on_every_verifying_backend! {
    a_session_is_resumed_at_another_server
    another_policy_does_not_take_it
    a_session_without_a_certificate_opens_nothing_that_requires_one
    other_keys_do_not_open_it
    keys_are_read_again
}

#[test]
fn keys_that_are_too_short_are_an_error() {
    let pki = Pki::new();
    for bytes in [0, 31] {
        let file = pki.write("keys", vec![7; bytes]);
        let args = [&pki.server_args()[..], &["--ticket-keys", &file, "--port", "0"]].concat();
        let held = format!("{bytes} bytes");
        assert_complaint(&Program::new(&args).run(), FAILURE, &[&file, "--ticket-keys", &held]);
    }
    let missing = pki.path("missing");
    let args = [&pki.server_args()[..], &["--ticket-keys", &missing, "--port", "0"]].concat();
    assert_complaint(&Program::new(&args).run(), FAILURE, &[&missing, "--ticket-keys"]);
}

/// They would say that something is shared, and nothing is.
#[test]
fn keys_where_nothing_is_resumed_are_wrong_usage() {
    let pki = Pki::new();
    let file = shared_keys(&pki, "keys", 7);
    let given = ["--ticket-keys", &file, "--port", "0"];
    let mutual = [&pki.mutual_args()[..], &given].concat();
    let off = [&pki.server_args()[..], &given, &["--resumption", "off"]].concat();
    for args in [mutual, off] {
        assert_complaint(&Program::new(&args).run(), USAGE, &["--ticket-keys", "--resumption on"]);
    }
}

fn a_session_is_resumed_at_another_server(setup: Setup) {
    let pki = Pki::new();
    let file = shared_keys(&pki, "keys", 7);
    let shared = ["--ticket-keys", &file];
    let https = [(); 2].map(|()| setup.serve(&[&pki.server_args()[..], &shared].concat()));
    let mutual = [(); 2].map(|()| serve_mutual(setup, &pki, &shared));
    for ([one, other], client) in [(https, None), (mutual, Some(&pki.client))] {
        let caller = Caller::new(setup, &pki, client);
        for (here, there) in [(&one, &other), (&other, &one)] {
            let session = caller.begins(here, 200);
            let visit = caller.comes_back(there, &session);
            visit.assert_resumed();
            assert_eq!(visit.whoami()["client_certificate"].is_object(), client.is_some());
        }
    }
}

/// The rules, the CAs, or whether a certificate is required at all: whichever is another.
fn another_policy_does_not_take_it(setup: Setup) {
    let pki = Pki::new();
    let other = pki.write("other.crt", Authority::root("Other CA").pem());
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let file = shared_keys(&pki, "keys", 7);
    let required = serve_mutual(setup, &pki, &["--ticket-keys", &file]);
    let caller = Caller::new(setup, &pki, Some(&pki.client));
    for more in [
        ["--client-verify", "optional"],
        ["--client-ca", &other],
        ["--client-crl", &list],
        ["--allow-cn", "client.*"],
    ] {
        let differing = serve_mutual(setup, &pki, &[&["--ticket-keys", &file], &more[..]].concat());
        for (here, there) in [(&required, &differing), (&differing, &required)] {
            let session = caller.begins(here, 200);
            caller.comes_back(there, &session).assert_served_in_full();
        }
    }
}

fn a_session_without_a_certificate_opens_nothing_that_requires_one(setup: Setup) {
    let pki = Pki::new();
    let file = shared_keys(&pki, "keys", 7);
    let shared = ["--ticket-keys", &file];
    let required = serve_mutual(setup, &pki, &shared);
    let optional = [&["--client-verify", "optional"][..], &shared].concat();
    let optional = serve_mutual(setup, &pki, &optional);
    let https = setup.serve(&[&pki.server_args()[..], &shared].concat());
    let nobody = Caller::new(setup, &pki, None);
    for server in [&optional, &https] {
        let session = nobody.begins(server, 200);
        nobody.comes_back(server, &session).assert_resumed();
        let session = nobody.begins(server, 200);
        assert_refused(&nobody, &required, &session);
    }
    // Nor one with a certificate, in the hands of somebody who has none.
    let known = Caller::new(setup, &pki, Some(&pki.client));
    let session = known.begins(&optional, 200);
    assert_refused(&nobody, &required, &session);
}

fn other_keys_do_not_open_it(setup: Setup) {
    let pki = Pki::new();
    let [one, other] = [7, 8].map(|byte| shared_keys(&pki, &format!("keys-{byte}"), byte));
    let [here, there] =
        [&one, &other].map(|file| serve_mutual(setup, &pki, &["--ticket-keys", file]));
    let caller = Caller::new(setup, &pki, Some(&pki.client));
    let session = caller.begins(&here, 200);
    caller.comes_back(&there, &session).assert_served_in_full();
}

/// What was begun with the old ones begins anew, and what was begun with the new ones goes anywhere.
fn keys_are_read_again(setup: Setup) {
    let pki = Pki::new();
    let file = shared_keys(&pki, "keys", 7);
    let servers = [(); 2].map(|()| serve_mutual(setup, &pki, &["--ticket-keys", &file]));
    let caller = Caller::new(setup, &pki, Some(&pki.client));
    let old = caller.begins(&servers[0], 200);

    // The same keys and the same policy: the same sessions.
    servers[0].reload();
    caller.comes_back(&servers[0], &old).assert_resumed();
    let old = caller.begins(&servers[0], 200);

    shared_keys(&pki, "keys", 8);
    servers[0].reload();
    caller.comes_back(&servers[0], &old).assert_served_in_full();
    let new = caller.begins(&servers[0], 200);
    caller.comes_back(&servers[1], &new).assert_served_in_full();
    servers[1].reload();
    let new = caller.begins(&servers[0], 200);
    caller.comes_back(&servers[1], &new).assert_resumed();
}
