//! Files that change while the server runs, read again when SIGHUP says so: what begins from then on
//! is served with what they hold, what stands goes on if it would be let in, and what is bad changes nothing.

use std::fs;

use crate::Setup;
use crate::mutual::{assert_refused, assert_served_as};
use crate::sni::{identity, shown};
use crate::standing::assert_no_longer;
use crate::support::{
    Authority, Client, Dialer, Leaf, Pki, Profile, Program, Server, export_pkcs12, openssl,
};

mod load;
mod watch;

crate::support::table! {
    columns {
        native_tls = Setup::NATIVE_TLS;
        rustls = Setup::RUSTLS_CLIENT_13;
        openssl = Setup::OPENSSL_CLIENT_13;
    } rows {
        an_identity_is_read_again
        an_identity_in_pkcs12_is_read_again
        an_encrypted_key_is_read_again
        a_new_password_is_not_asked_for
        a_bad_identity_changes_nothing
    }
}

mod verifying {
    use super::*;

    crate::on_every_verifying_backend! {
        the_identity_of_every_name_is_read_again
        client_cas_are_read_again
        bad_client_files_change_nothing
    }
}

#[test]
fn http_mode_has_nothing_to_read_again() {
    let mut server = Server::with(&[]);
    let mut standing = Dialer::plain(server.port).open();
    standing.get().assert_top_level();
    for _ in 0..3 {
        let start = server.log_len();
        server.signal("HUP");
        server.logged_since(start, &["info: SIGHUP", "http mode"]);
    }
    standing.get().assert_top_level();
    Client::new(&[]).fetch(&server.url).assert_top_level();
    server.assert_alive();
}

fn an_identity_is_read_again(setup: Setup) {
    let pki = Pki::new();
    let server = setup.serve(&pki.server_args());
    assert_eq!(shown(setup, &server, None), "server.localhost");
    let mut standing = Dialer::tls(server.port, &pki.ca_file).open();
    standing.get().assert_top_level();

    pki.save("server", &renewed(&pki));
    server.reload();
    assert_eq!(shown(setup, &server, None), "renewed");
    setup.client(&pki).fetch(&server.url).assert_top_level();
    standing.get().assert_top_level();
}

const PASSWORD: &str = "correct horse";

fn an_identity_in_pkcs12_is_read_again(setup: Setup) {
    let pki = Pki::new();
    let file = export_pkcs12(&pki, "identity.p12", &pki.ca.issue(&old()), PASSWORD);
    let password = pki.write("password", PASSWORD);
    let server = setup.serve(&["--identity", &file, "--key-password-file", &password]);
    assert_eq!(shown(setup, &server, None), "server.localhost");

    export_pkcs12(&pki, "identity.p12", &renewed(&pki), PASSWORD);
    server.reload();
    assert_eq!(shown(setup, &server, None), "renewed");
}

/// With its password, which may be another by then.
fn an_encrypted_key_is_read_again(setup: Setup) {
    let pki = Pki::new();
    let first = encrypt(&pki, &pki.ca.issue(&old()), PASSWORD);
    let password = pki.write("password", PASSWORD);
    let server = setup.serve(&["--cert", &first, "--key-password-file", &password]);
    assert_eq!(shown(setup, &server, None), "server.localhost");

    encrypt(&pki, &renewed(&pki), "battery staple");
    pki.write("password", "battery staple");
    server.reload();
    assert_eq!(shown(setup, &server, None), "renewed");
}

/// There may be somebody at the terminal when the server starts, and nobody is when it reloads.
fn a_new_password_is_not_asked_for(setup: Setup) {
    let pki = Pki::new();
    let file = encrypt(&pki, &pki.ca.issue(&old()), PASSWORD);
    let args = ["--backend", setup.backend, "--cert", &file, "--port", "0"];
    let server = Program::new(&args).env("TURNKEY_KEY_PASSWORD", PASSWORD).start();

    encrypt(&pki, &renewed(&pki), PASSWORD);
    server.reload();
    assert_eq!(shown(setup, &server, None), "renewed");

    encrypt(&pki, &pki.ca.issue(&old()), "battery staple");
    let line = server.hang_up();
    assert!(line.starts_with("error: not reloaded") && line.contains("password"), "{line}");
    assert_eq!(shown(setup, &server, None), "renewed");
}

/// What it is that is bad is said, and in which file.
fn a_bad_identity_changes_nothing(setup: Setup) {
    let pki = Pki::new();
    let mut server = setup.serve(&pki.server_args());
    let [cert, key] = [&pki.server.cert, &pki.server.key];
    let mut standing = Dialer::tls(server.port, &pki.ca_file).open();
    let (good, expired) = (pki.ca.issue(&old()), pki.ca.issue(&old().expired()));
    for (bad_cert, bad_key, why) in [
        (&*good.cert, &*expired.key, [key, "does not belong"]),
        (&expired.cert, &expired.key, [cert, "expired"]),
        ("no certificate", &good.key, [cert, "PEM"]),
        (&good.cert, "", [key, "empty"]),
    ] {
        fs::write(cert, bad_cert).unwrap();
        fs::write(key, bad_key).unwrap();
        assert_not_reloaded(&server, &why);
        setup.client(&pki).fetch(&server.url).assert_top_level();
        standing.get().assert_top_level();
    }
    fs::remove_file(cert).unwrap();
    assert_not_reloaded(&server, &[cert, "no such file"]);
    assert_eq!(shown(setup, &server, None), "server.localhost");

    pki.save("server", &renewed(&pki));
    server.reload();
    assert_eq!(shown(setup, &server, None), "renewed");
    standing.get().assert_top_level();
    server.assert_alive();
}

fn the_identity_of_every_name_is_read_again(setup: Setup) {
    let pki = Pki::new();
    let other = identity(&pki, "other", &["other.test"]);
    let args = [&pki.server_args()[..], &["--cert", &other.cert, "--key", &other.key]].concat();
    let server = setup.serve(&args);
    assert_eq!(shown(setup, &server, Some("other.test")), "other");

    let renewed = Profile::server("renewed").names(&["other.test", "further.test"]);
    pki.save("other", &pki.ca.issue(&renewed));
    server.reload();
    assert_eq!(shown(setup, &server, Some("other.test")), "renewed");
    assert_eq!(shown(setup, &server, Some("further.test")), "renewed");
    assert_eq!(shown(setup, &server, None), "server.localhost");

    // Now there are two for one name.
    pki.save("other", &pki.ca.issue(&Profile::server("both").names(&["localhost"])));
    assert_not_reloaded(&server, &["localhost", &pki.server.cert, &other.cert]);
    assert_eq!(shown(setup, &server, Some("further.test")), "renewed");
}

fn client_cas_are_read_again(setup: Setup) {
    let pki = Pki::new();
    let next = Authority::root("Next CA");
    let cas = pki.write("cas.pem", pki.ca.pem());
    let theirs = pki.save("theirs", &next.issue(&Profile::client("client.localhost")));
    let mut server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
    assert_refused(setup, &pki, &mut server, Some(&theirs));
    let mut standing = Dialer::mutual(server.port, &pki.ca_file, &pki.client).open();
    standing.get().assert_top_level();

    fs::write(&cas, pki.ca.pem() + &next.pem()).unwrap();
    server.reload();
    standing.get().assert_top_level();
    assert_served_as(setup, &pki, &server, &theirs);
    assert_served_as(setup, &pki, &server, &pki.client);

    fs::write(&cas, next.pem()).unwrap();
    server.reload();
    assert_served_as(setup, &pki, &server, &theirs);
    setup.client(&pki).and(&["-E", &pki.client.both]).fetch(&server.url).assert_refused();
    assert_no_longer(&mut standing, "no trusted CA issued it");
}

fn bad_client_files_change_nothing(setup: Setup) {
    let pki = Pki::new();
    let cas = pki.write("cas.pem", pki.ca.pem());
    let list = pki.write("list.pem", crate::support::Crl::default().pem(&pki.ca));
    let clients = ["--client-ca", &cas, "--client-crl", &list];
    let mut server = setup.serve(&[&pki.server_args()[..], &clients].concat());
    let foreign = Authority::root("Other CA").issue(&Profile::client("client.localhost"));
    let foreign = pki.save("foreign", &foreign);
    for (file, bad) in [
        (&cas, ""),
        (&cas, "no certificate"),
        (&cas, &fs::read_to_string(&pki.client.cert).unwrap()),
        (&list, ""),
        (&list, &pki.ca.pem()),
    ] {
        let good = fs::read(file).unwrap();
        fs::write(file, bad).unwrap();
        assert_not_reloaded(&server, &[file]);
        fs::write(file, good).unwrap();
        assert_refused(setup, &pki, &mut server, Some(&foreign));
        assert_refused(setup, &pki, &mut server, None);
    }
    server.reload();
    assert_served_as(setup, &pki, &server, &pki.client);
}

fn old() -> Profile {
    Profile::server("server.localhost")
}

fn renewed(pki: &Pki) -> Leaf {
    pki.ca.issue(&Profile::server("renewed"))
}

/// Certificate and encrypted key in one file, always the same.
fn encrypt(pki: &Pki, leaf: &Leaf, password: &str) -> String {
    let plain = pki.save("plain", leaf).key;
    let password = format!("pass:{password}");
    let key = openssl(&["pkcs8", "-topk8", "-in", &plain, "-passout", &password]);
    pki.write("encrypted.pem", leaf.cert.clone() + &key)
}

#[track_caller]
fn assert_not_reloaded(server: &Server, naming: &[&str]) {
    let line = server.hang_up();
    assert!(line.starts_with("error: not reloaded"), "{line}");
    for name in naming {
        assert!(line.contains(name), "expected {name:?} in {line:?}");
    }
}
