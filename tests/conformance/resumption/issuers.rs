//! Sessions of clients whose CA has to be allowed (`--allow-issuer`). A resumed session shows no chain, and is held to
//! the same.

use super::*;

crate::on_every_verifying_backend! {
    a_resumed_session_has_the_issuer_that_it_began_with
    an_issuer_that_is_gone_ends_the_sessions_of_its_clients
    another_issuer_takes_no_session_with_shared_keys
}

/// Clients of two CAs below the trusted one.
struct Site {
    pki: Pki,
    one: Authority,
    two: Authority,
    of_one: Files,
    of_two: Files,
}

impl Site {
    fn new() -> Self {
        let pki = Pki::new();
        let [one, two] = ["One CA", "Two CA"].map(|name| pki.ca.subordinate(name));
        let [of_one, of_two] = [("one", &one), ("two", &two)].map(|(name, ca)| {
            let leaf = ca.issue(&Profile::client("client.localhost")).with_chain(&[ca]);
            pki.save(name, &leaf)
        });
        Self { pki, one, two, of_one, of_two }
    }
}

fn a_resumed_session_has_the_issuer_that_it_began_with(setup: Setup) {
    let site = Site::new();
    let file = site.pki.write("issuer.pem", site.one.pem());
    let keys = shared_keys(&site.pki, "keys", 7);
    let rule = ["--allow-issuer", &file];
    for more in [&[][..], &["--ticket-keys", &keys]] {
        let server = serve_mutual(setup, &site.pki, &[&rule[..], more].concat());
        resumes(Caller::new(setup, &site.pki, Some(&site.of_one)), &server);
        // Whoever is answered with 403 is so again.
        let other = Caller::new(setup, &site.pki, Some(&site.of_two));
        let session = other.begins(&server, 403);
        let visit = other.comes_back(&server, &session);
        assert_eq!((visit.resumed, visit.status), (true, Some(403)), "{visit:?}");
        // And the session of one is nobody else's.
        let one = Caller::new(setup, &site.pki, Some(&site.of_one));
        let session = one.begins(&server, 200);
        let visit = other.comes_back(&server, &session);
        assert_eq!((visit.resumed, visit.status), (true, Some(200)), "{visit:?}");

        let early = [&rule[..], &["--deny-early"], more].concat();
        let server = serve_mutual(setup, &site.pki, &early);
        resumes(Caller::new(setup, &site.pki, Some(&site.of_one)), &server);
    }
}

/// With tickets whose keys are the server's own, and with such whose keys stay the same; late and early.
fn an_issuer_that_is_gone_ends_the_sessions_of_its_clients(setup: Setup) {
    let site = Site::new();
    let keys = shared_keys(&site.pki, "keys", 7);
    let file = site.pki.path("issuers.pem");
    for (more, status) in [
        (&[][..], Some(403)),
        (&["--ticket-keys", &keys], Some(403)),
        (&["--deny-early"], None),
        (&["--deny-early", "--ticket-keys", &keys], None),
    ] {
        fs::write(&file, site.one.pem() + &site.two.pem()).unwrap();
        let rule = ["--allow-issuer", &file];
        let server = serve_mutual(setup, &site.pki, &[&rule[..], more].concat());
        let [one, two] =
            [&site.of_one, &site.of_two].map(|files| Caller::new(setup, &site.pki, Some(files)));
        resumes(two, &server);
        let session = two.begins(&server, 200);

        fs::write(&file, site.one.pem()).unwrap();
        server.reload();
        let visit = two.comes_back(&server, &session);
        assert_eq!((visit.resumed, visit.status), (false, status), "{visit:?}");
        assert!(!visit.output.text().contains("client_certificate"), "{visit:?}");
        resumes(one, &server);
    }
}

fn another_issuer_takes_no_session_with_shared_keys(setup: Setup) {
    let site = Site::new();
    let keys = shared_keys(&site.pki, "keys", 7);
    let serve = |name: &str, pem: String| {
        let file = site.pki.write(name, pem);
        serve_mutual(setup, &site.pki, &["--ticket-keys", &keys, "--allow-issuer", &file])
    };
    let one = serve("one-issuer.pem", site.one.pem());
    let both = serve("both-issuers.pem", site.one.pem() + &site.two.pem());
    let renewed = serve("renewed.pem", site.one.signed_again_by(&site.pki.ca, "One CA"));
    let any = serve_mutual(setup, &site.pki, &["--ticket-keys", &keys]);
    let caller = Caller::new(setup, &site.pki, Some(&site.of_one));
    for other in [&both, &any] {
        for (here, there) in [(&one, other), (other, &one)] {
            let session = caller.begins(here, 200);
            caller.comes_back(there, &session).assert_served_in_full();
        }
    }
    // By the key it is the same policy.
    let session = caller.begins(&one, 200);
    caller.comes_back(&renewed, &session).assert_resumed();
}
