//! The options about upstreams, as they are typed and set.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::upstream::Upstream;
use crate::support::{FAILURE, Pki, Profile, Program, USAGE, assert_complaint, openssl};
use crate::{Front, OK, OK_CLOSE, Proxied};

#[test]
fn what_makes_no_sense_is_said() {
    let http = ["--proxy", "http://127.0.0.1:1"];
    let https = ["--proxy", "https://127.0.0.1:1"];
    for (args, naming) in [
        (&["--proxy", ""][..], &["--proxy", "; type: turnkey --proxy URL"][..]),
        (&["--proxy", "127.0.0.1:5000"], &["--proxy", "127.0.0.1:5000", "http://host:port"]),
        (&["--proxy", "ftp://a"], &["--proxy", "ftp://a"]),
        (&["--proxy", "http://"], &["--proxy", "host"]),
        (&["--proxy", "http://a:0"], &["--proxy", "http://a:0", "65535"]),
        (&["--proxy", "http://a:65536"], &["--proxy", "http://a:65536"]),
        (&["--proxy", "http://a/base"], &["--proxy", "http://a/base", "path"]),
        (&["--proxy", "http://a?b"], &["--proxy", "path"]),
        (&["--proxy", "http://u:p@a"], &["--proxy"]),
        (&["--proxy", "http://a b"], &["--proxy"]),
        (&["--proxy", "unix:"], &["--proxy", "unix:/path"]),
        (&["--balance", "round-robin"], &["--balance", "--proxy"]),
        (&["--upstream-host", "a"], &["--upstream-host", "--proxy"]),
        (&["--upstream-ca", "f"], &["--upstream-ca", "--proxy"]),
        (&["--upstream-cert", "f"], &["--upstream-cert", "--proxy"]),
        (&["--upstream-key", "f"], &["--upstream-key", "--proxy"]),
        (&["--proxy-timeout", "5"], &["--proxy-timeout", "--proxy"]),
        (&["--proxy-streaming"], &["--proxy-streaming", "--proxy"]),
        (&["--proxy-buffer-max", "1G"], &["--proxy-buffer-max", "--proxy"]),
        (&["--lenient-names"], &["--lenient-names", "--proxy"]),
        (&["--upgrade", "chat"], &["--upgrade", "--proxy"]),
        (&["--tunnel-timeout", "5"], &["--tunnel-timeout", "--proxy"]),
        (&[&http[..], &["--upgrade", "h2c"]].concat(), &["--upgrade", "h2c", "carry requests"]),
        (&[&http[..], &["--upgrade", "a/1"]].concat(), &["--upgrade", "a/1", "its version"]),
        (&[&http[..], &["--tunnel-timeout", "0"]].concat(), &["--tunnel-timeout", "seconds"]),
        (&[&http[..], &["--balance", "random"]].concat(), &["--balance", "least-connections"]),
        (&[&http[..], &["--proxy-timeout", "0"]].concat(), &["--proxy-timeout", "seconds"]),
        (&[&http[..], &["--proxy-timeout", "-1"]].concat(), &["--proxy-timeout"]),
        (&[&http[..], &["--proxy-buffer-max", "1X"]].concat(), &["--proxy-buffer-max", "10M"]),
        (&[&http[..], &["--upstream-host", "a/b"]].concat(), &["--upstream-host", "a/b"]),
        (&[&http[..], &["--upstream-host", "a\r\nX: y"]].concat(), &["--upstream-host"]),
        (&[&http[..], &["--upstream-host", ""]].concat(), &["--upstream-host"]),
        (&[&http[..], &["--upstream-ca", "f"]].concat(), &["--upstream-ca", "https://"]),
        (&[&http[..], &["--upstream-cert", "f"]].concat(), &["--upstream-cert", "https://"]),
        (&[&https[..], &["--upstream-key", "f"]].concat(), &["--upstream-key", "--upstream-cert"]),
    ] {
        assert_complaint(&Program::new(args).run(), USAGE, naming);
    }
    let variable = Program::new(&[]).env("TURNKEY_PROXY", "app:5000").run();
    assert_complaint(&variable, USAGE, &["TURNKEY_PROXY", "app:5000"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of it is a table")]
fn files_that_do_not_work_are_named() {
    let pki = Pki::new();
    let https = ["--proxy", "https://127.0.0.1:1"];
    let none = pki.path("none.crt");
    let bad = pki.write("bad.crt", "no PEM");
    let other = pki.save("other", &pki.ca.issue(&Profile::client("other")));
    let (cert, key) = (&*pki.client.cert, &*pki.client.key);
    let expired = pki.save("expired", &pki.ca.issue(&Profile::client("late").expired()));
    for (args, code, naming) in [
        (&["--upstream-ca", &none][..], FAILURE, &["--upstream-ca", &none][..]),
        (&["--upstream-ca", &bad], FAILURE, &["--upstream-ca", &bad]),
        (&["--upstream-ca", cert], FAILURE, &["--upstream-ca", cert, "not a CA certificate"]),
        (&["--upstream-ca", &pki.ca_file, "--upstream-ca", &none], FAILURE, &[&none]),
        (&["--upstream-cert", &none], FAILURE, &[&none, "(--upstream-cert)"]),
        (&["--upstream-cert", &bad], FAILURE, &[&bad, "(--upstream-cert)"]),
        (&["--upstream-cert", cert], USAGE, &["--upstream-cert", cert, "with --upstream-key"]),
        (
            &["--upstream-cert", cert, "--upstream-key", &none],
            FAILURE,
            &[&none, "(--upstream-key)"],
        ),
        (&["--upstream-cert", cert, "--upstream-key", &bad], FAILURE, &[&bad, "(--upstream-key)"]),
        (
            &["--upstream-cert", cert, "--upstream-key", &other.key],
            FAILURE,
            &[&other.key, cert, "(--upstream-key)"],
        ),
        (
            &["--upstream-cert", &expired.cert, "--upstream-key", &expired.key],
            FAILURE,
            &[&expired.cert, "(--upstream-cert)", "expired"],
        ),
    ] {
        let identity = pki.server_args();
        // In http mode as with TLS of our own.
        for own in [&[][..], &identity] {
            let args = [&https[..], args, own, &["--port", "0"]].concat();
            let output = Program::new(&args).run();
            assert_complaint(&output, code, naming);
            let confused = [" --cert", "(--cert)", " --key ", "(--key)", "client-ca", "clients'"];
            assert!(!confused.iter().any(|other| output.stderr.contains(other)), "{output:?}");
            let checked = Program::new(&[&["check"], &args[..]].concat()).run();
            assert_eq!(checked.code, Some(1), "{checked:?}");
            assert!(naming.iter().all(|name| checked.text().contains(name)), "{checked:?}");
        }
    }
    // A system without CAs leaves nobody to be trusted.
    let args = [&https[..], &pki.server_args(), &["--backend", "rustls", "--port", "0"]].concat();
    let bare = Program::new(&args).env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", &none);
    assert_complaint(&bare.run(), FAILURE, &["TLS stack cannot be set up", &none]);
    // What is good is said to be.
    let good = ["--upstream-ca", &pki.ca_file, "--upstream-cert", cert, "--upstream-key", key];
    let checked = Program::new(&[&["check"], &https[..], &good].concat()).run();
    assert_eq!(checked.code, Some(0), "{checked:?}");
    // What upstreams will not take is warned of, at the start as well.
    let files = pki.save("served", &pki.ca.issue(&Profile::server("app")));
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o644)).unwrap();
    let args = ["--upstream-cert", &*files.cert, "--upstream-key", &files.key];
    let args = [&https[..], &args, &["--port", "0"]].concat();
    let server = Program::new(&args).start();
    server.assert_logs(&[
        "warn",
        &files.cert,
        "not for clients",
        "clientAuth",
        "(--upstream-cert)",
    ]);
    server.assert_logs(&["warn", &files.key, "all on this machine can read", "(--upstream-key)"]);
}

/// Its password is where those of other keys are.
#[test]
fn an_encrypted_key_has_a_password() {
    let pki = Pki::new();
    let (plain, key) = (&pki.client.key, pki.path("encrypted.key"));
    openssl(&["pkcs8", "-topk8", "-in", plain, "-out", &key, "-passout", "pass:secret"]);
    let (right, wrong) = (pki.write("right", "secret\n"), pki.write("wrong", "guess\n"));
    let https = ["--proxy", "https://127.0.0.1:1", "--port", "0"];
    let args =
        [&https[..], &["--upstream-cert", &*pki.client.cert, "--upstream-key", &key]].concat();
    let with = |file| Program::new(&[&args[..], &["--key-password-file", file]].concat());
    assert!(with(&right).start().banner.contains("http"));
    assert!(Program::new(&args).env("TURNKEY_KEY_PASSWORD", "secret").start().port > 0);
    let naming = [&*key, "(--upstream-key)", "--key-password-file"];
    assert_complaint(&with(&wrong).run(), FAILURE, &naming);
    assert_complaint(&Program::new(&args).run(), FAILURE, &naming);
}

#[test]
fn the_environment_takes_a_list() {
    let (a, b) = (Upstream::answering(OK), Upstream::answering(OK));
    let list = format!("{},{}", a.url, b.url);
    let proxied = Proxied::start(Front::Http, &[], &[], |program| {
        program
            .env("TURNKEY_PROXY", &list)
            .env("TURNKEY_UPSTREAM_HOST", "app.test")
            .env("TURNKEY_PROXY_TIMEOUT", "5")
            .env("TURNKEY_BALANCE", "least-connections")
    });
    for _ in 0..2 {
        assert_eq!(proxied.get("/"), OK_CLOSE);
    }
    assert_eq!(a.only().values("host"), ["app.test"]);
    assert_eq!(b.only().values("host"), ["app.test"]);
    // A wish about upstreams that only stands in the environment is for when there are some.
    let without = Program::new(&["--port", "0"]).env("TURNKEY_PROXY_TIMEOUT", "5").start();
    assert!(without.banner.contains("http"), "{}", without.banner);
}
