//! The options about upstreams, as they are typed and set.

use crate::support::{FAILURE, Pki, Program, USAGE, assert_complaint};
use crate::upstream::Upstream;
use crate::{Front, OK, OK_CLOSE, Proxied};

#[test]
fn what_makes_no_sense_is_said() {
    let http = ["--proxy", "http://127.0.0.1:1"];
    let https = ["--proxy", "https://127.0.0.1:1"];
    for (args, naming) in [
        (&["--proxy", ""][..], &["--proxy", "http://host:port"][..]),
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
        (&[&http[..], &["--balance", "random"]].concat(), &["--balance", "least-connections"]),
        (&[&http[..], &["--proxy-timeout", "0"]].concat(), &["--proxy-timeout", "seconds"]),
        (&[&http[..], &["--proxy-timeout", "-1"]].concat(), &["--proxy-timeout"]),
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
fn files_that_do_not_work_are_named() {
    let pki = Pki::new();
    let https = ["--proxy", "https://127.0.0.1:1"];
    let none = pki.path("none.crt");
    let bad = pki.write("bad.crt", "no PEM");
    let other = pki.save("other", &pki.ca.issue(&crate::support::Profile::client("other")));
    for (args, naming) in [
        (&["--upstream-ca", &none][..], &["--upstream-ca", &none][..]),
        (&["--upstream-ca", &bad], &["--upstream-ca", &bad]),
        (&["--upstream-cert", &none], &[&none]),
        (&["--upstream-cert", &bad], &[&bad]),
        (&["--upstream-cert", &pki.client.cert], &[&pki.client.cert, "key"]),
        (&["--upstream-cert", &pki.client.cert, "--upstream-key", &other.key], &["key"]),
    ] {
        let args = [&https[..], args, &["--port", "0"]].concat();
        assert_complaint(&Program::new(&args).run(), FAILURE, naming);
    }
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
