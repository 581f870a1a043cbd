//! Client certificates on request: optional is not lenient, what is presented has to be good.

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::support::{Authority, Pki, Profile, Server};

crate::on_every_verifying_backend! {
    none_is_served_as_nobody
    the_right_one_is_served
    a_bad_one_is_refused
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
