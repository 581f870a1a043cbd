//! Upstreams that speak TLS, by each backend: whom they are believed to be.

use std::fs;

use crate::support::upstream::Upstream;
use crate::support::{Authority, FAILURE, Pki, Profile, Program, Server, assert_complaint, table};
use crate::tls::{Before, server_config, serving};
use crate::{OK, OK_CLOSE, assert_refused};

table! {
    columns {
        native_tls = "native-tls";
        rustls = "rustls";
        openssl = "openssl";
    } rows {
        an_upstream_of_the_ca_is_good
        an_intermediate_without_its_root_is_enough_or_an_error
        others_are_not
        cas_of_the_system_are_read_at_the_start
    }
}

fn an_upstream_of_the_ca_is_good(backend: &'static str) {
    let pki = Pki::new();
    let upstream = serving(&pki, |talk| talk.answer_all(OK));
    for url in [upstream.url.clone(), upstream.url.replace("127.0.0.1", "localhost")] {
        let proxied = Before::new(backend, &pki, &url, &[]);
        assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
    }
    // Behind an intermediate, which the upstream sends.
    let intermediate = pki.ca.subordinate("Intermediate");
    let leaf = intermediate.issue(&Profile::server("app")).with_chain(&[&intermediate]);
    let files = pki.save("behind", &leaf);
    let upstream = Upstream::tls(server_config(&files, None), |talk| talk.answer_all(OK));
    assert_eq!(Before::new(backend, &pki, &upstream.url, &[]).get(), OK_CLOSE);
    // What clients call us is not what the upstream has to be called.
    assert_eq!(upstream.only().values("host"), ["a.test"]);
    // Of two CAs, either is as good.
    let other = pki.write("other.crt", Authority::root("Other CA").pem());
    let proxied = Before::new(backend, &pki, &upstream.url, &["--upstream-ca", &other]);
    assert_eq!(proxied.get(), OK_CLOSE);
}

/// Whoever cannot take it for a CA says so before all requests fail.
fn an_intermediate_without_its_root_is_enough_or_an_error(backend: &'static str) {
    let pki = Pki::new();
    let intermediate = pki.ca.subordinate("Intermediate");
    let files = pki.save("behind", &intermediate.issue(&Profile::server("app")));
    let upstream = Upstream::tls(server_config(&files, None), |talk| talk.answer_all(OK));
    let anchor = pki.write("intermediate.crt", intermediate.pem());
    let proxy = ["--proxy", &upstream.url, "--upstream-ca", &anchor];
    let left_open = [&pki.server_args()[..], &proxy].concat();
    let asked = [&left_open[..], &["--backend", backend]].concat();
    let with_root = [&asked[..], &["--upstream-ca", &pki.ca_file]].concat();
    let mut served = vec![left_open, with_root];
    if backend == "native-tls" {
        let output = Program::new(&[&asked[..], &["--port", "0"]].concat()).run();
        assert_complaint(&output, FAILURE, &["--backend native-tls", "intermediate CA", "rustls"]);
    } else {
        served.push(asked);
    }
    for args in served {
        let proxied = Before::of(Server::with(&args), &pki);
        assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
    }
}

fn others_are_not(backend: &'static str) {
    let pki = Pki::new();
    let other = Authority::root("Test CA");
    let cases = [
        ("other-ca", other.issue(&Profile::server("app"))),
        ("self-signed", Profile::server("app").self_signed()),
        ("name", pki.ca.issue(&Profile::server("127.0.0.1").names(&["other.test", "127.0.0.2"]))),
        ("expired", pki.ca.issue(&Profile::server("app").expired())),
        ("not-yet", pki.ca.issue(&Profile::server("app").not_yet_valid())),
        ("client", pki.ca.issue(&Profile::client("app").names(&["localhost", "127.0.0.1"]))),
    ];
    for (name, leaf) in cases {
        let files = pki.save(name, &leaf);
        let upstream = Upstream::tls(server_config(&files, None), |talk| talk.answer_all(OK));
        let proxied = Before::new(backend, &pki, &upstream.url, &[]);
        let came = proxied.get();
        assert_refused(&came, 502, &["the TLS handshake with the upstream failed"]);
        proxied.server.assert_logs(&["error", &upstream.url, "TLS handshake", "certificate"]);
        assert_eq!(upstream.requests().len(), 0, "{name}: it got a request");
    }
    // Nor is a good one by another name.
    let files = pki.save("named", &pki.ca.issue(&Profile::server("app").names(&["localhost"])));
    let upstream = Upstream::tls(server_config(&files, None), |talk| talk.answer_all(OK));
    assert_refused(&Before::new(backend, &pki, &upstream.url, &[]).get(), 502, &["TLS"]);
    // Without a CA of ours it is those of the system, which do not know ours.
    let upstream = serving(&pki, |talk| talk.answer_all(OK));
    let proxy = ["--backend", backend, "--proxy", &upstream.url];
    let proxied = Before::of(Server::with(&[&pki.server_args()[..], &proxy].concat()), &pki);
    assert_refused(&proxied.get(), 502, &["TLS"]);
}

/// And not for each connection: there may be hundreds of them.
fn cas_of_the_system_are_read_at_the_start(backend: &'static str) {
    let pki = Pki::new();
    let upstream = serving(&pki, |talk| talk.answer_all(OK));
    let (file, empty) = (pki.path("system.crt"), pki.path("empty"));
    fs::copy(&pki.ca_file, &file).unwrap();
    fs::create_dir(&empty).unwrap();
    let proxy = ["--backend", backend, "--proxy", &upstream.url, "--port", "0"];
    let args = [&pki.server_args()[..], &proxy].concat();
    let program = Program::new(&args).env("SSL_CERT_FILE", &file).env("SSL_CERT_DIR", &empty);
    let server = program.start();
    fs::remove_file(&file).unwrap();
    let proxied = Before::of(server, &pki);
    assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
}
