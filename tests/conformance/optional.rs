//! Client certificates on request: optional is not lenient, what is presented has to be good.

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::support::{Authority, Pki, Profile, Server};

crate::on_every_verifying_backend! {
    none_is_served_as_nobody
    the_right_one_is_served
    a_bad_one_is_refused
    none_is_denied_where_that_is_asked_for
    none_is_refused_early_where_that_is_asked_for
}

fn serve(setup: Setup, pki: &Pki) -> Server {
    setup.serve(&[&pki.mutual_args()[..], &["--client-verify", "optional"]].concat())
}

fn none_is_served_as_nobody(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki);
    let whoami = setup.client(&pki).fetch(&format!("{}whoami", server.url)).json();
    assert!(whoami["client_certificate"].is_null(), "{whoami}");
    assert!(whoami.as_object().unwrap().contains_key("client_certificate"), "{whoami}");
}

fn the_right_one_is_served(setup: Setup) {
    let pki = Pki::new();
    let server = serve(setup, &pki);
    assert_served_as(setup, &pki, &server, &pki.client);
}

/// With rules and without any.
fn none_is_denied_where_that_is_asked_for(setup: Setup) {
    let pki = Pki::new();
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other.localhost")));
    let closed = ["--client-verify", "optional", "--allow-anonymous", "off"];
    for (rules, others) in [(&[][..], 200), (&["--allow-cn", "client.*"], 403)] {
        let server = setup.serve(&[&pki.mutual_args()[..], &closed, rules].concat());
        for path in ["", "whoami", "missing"] {
            let answer = setup.client(&pki).fetch(&format!("{}{path}", server.url));
            assert_eq!((answer.exit, answer.status), (0, 403), "{answer:?}");
            assert_eq!(answer.text(), "a client certificate is needed here\n");
        }
        assert_served_as(setup, &pki, &server, &pki.client);
        let answer = setup.client(&pki).and(&["-E", &other.both]).fetch(&server.url);
        assert_eq!(answer.status, others, "{answer:?}");
    }
}

fn none_is_refused_early_where_that_is_asked_for(setup: Setup) {
    let pki = Pki::new();
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other.localhost")));
    let closed = ["--client-verify", "optional", "--allow-anonymous", "off", "--deny-early"];
    let args = [&pki.mutual_args()[..], &closed, &["--allow-cn", "client.*"]].concat();
    let mut server = setup.serve(&args);
    assert_refused(setup, &pki, &mut server, None);
    assert_refused(setup, &pki, &mut server, Some(&other));
    assert_served_as(setup, &pki, &server, &pki.client);
}

fn a_bad_one_is_refused(setup: Setup) {
    let pki = Pki::new();
    let mut server = serve(setup, &pki);
    let client = Profile::client("client.localhost");
    let bad = [
        pki.save("expired", &pki.ca.issue(&client.clone().expired())),
        pki.save("foreign", &Authority::root("Other CA").issue(&client)),
        pki.save("selfsigned", &client.self_signed()),
    ];
    for files in &bad {
        assert_refused(setup, &pki, &mut server, Some(files));
    }
}
