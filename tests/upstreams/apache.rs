//! Apache before a turnkey app, configured as docs/GUIDE.md says.

use std::fs;
use std::net::TcpStream;

use serde_json::Value;

use crate::support::documents::in_language;
use crate::support::programs::{Running, beside, directory, own_address, system_server};
use crate::support::{Client, Pki, Server};

/// Where Debian has them.
const MODULES: &str = "/usr/lib/apache2/modules";

/// Apache with a plain virtual host and one with TLS.
pub(crate) struct Apache {
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) pki: Pki,
    _running: Running,
}

impl Apache {
    /// Before the app at this URL, with these directives in both hosts.
    pub(crate) fn before(app: &str, rules: &str) -> Self {
        let (pki, dir, address) = (Pki::new(), directory(), own_address());
        let file = dir.path().join("rules.conf");
        fs::write(&file, rules).expect("a file");
        let mut command = system_server("apache2");
        command.args(["-D", "FOREGROUND", "-f", &beside("apache.conf")]);
        command.env("DIR", dir.path()).env("MODULES", MODULES).env("ADDRESS", &address);
        command.env("CERT", &pki.server.cert).env("KEY", &pki.server.key).env("APP", app);
        command.env("RULES", file);
        let mut running = Running::start(command, dir);
        running.until_ready(|_| TcpStream::connect((&*address, 8443)).is_ok());
        Self { address, pki, _running: running }
    }

    /// What is answered at a path of the host with this scheme, in JSON.
    #[track_caller]
    pub(crate) fn fetch(&self, scheme: &str, path: &str, options: &[&str]) -> Value {
        let port = port(scheme);
        // By the name in the certificate, at the address that is ours.
        let to = format!("localhost:{port}:{}:{port}", self.address);
        let curl = Client::new(&["--connect-to", &to, "--cacert", &self.pki.ca_file]);
        curl.and(options).fetch(&format!("{scheme}://localhost:{port}{path}")).json()
    }
}

pub(crate) fn port(scheme: &str) -> u16 {
    if scheme == "https" { 8443 } else { 8080 }
}

/// The configuration of Apache in docs/GUIDE.md.
pub(crate) fn documented() -> String {
    let blocks = in_language("apache").into_iter().map(|block| block.lines.join("\n") + "\n");
    blocks.collect()
}

struct Site {
    app: Server,
    apache: Apache,
}

impl Site {
    /// Both on the loopback, and the app with these options.
    fn start(options: &[&str]) -> Self {
        let app = Server::with(options);
        let apache = Apache::before(&app.url, &documented());
        Self { app, apache }
    }

    /// What the app says of a request through Apache.
    #[track_caller]
    fn whoami(&self, scheme: &str, options: &[&str]) -> Value {
        self.apache.fetch(scheme, "/whoami", options)
    }
}

const TRUSTING: [&str; 2] = ["--trust-proxy", "127.0.0.1"];

const CLAIMS_HTTPS: [&str; 12] = [
    "-H",
    "X-Forwarded-Proto: https",
    "-H",
    "X-Forwarded-For: 192.0.2.66",
    "-H",
    "Forwarded: for=192.0.2.66;proto=https;host=elsewhere.test",
    "-H",
    "Forwarded: for=127.0.0.2;proto=https",
    "-H",
    "X-Forwarded-Host: elsewhere.test",
    "-H",
    "X_Forwarded_Proto: https",
];
const CLAIMS_HTTP: [&str; 8] = [
    "-H",
    "X-Forwarded-Proto: http",
    "-H",
    "X-Forwarded-For: 192.0.2.66",
    "-H",
    "Forwarded: for=192.0.2.66;proto=http;host=elsewhere.test",
    // A client knows its own address.
    "-H",
    "Forwarded: for=127.0.0.2;proto=http",
];

#[test]
fn through_apache_it_is_as_the_client_came() {
    assert_as_the_client_came(&TRUSTING);
}

/// One in the network of the proxies is trusted itself: only Apache can remove what it writes.
#[test]
fn a_client_in_the_network_of_the_proxies_is_none() {
    assert_as_the_client_came(&["--trust-proxy", "127.0.0.0/8"]);
}

#[track_caller]
fn assert_as_the_client_came(trust: &[&str]) {
    let site = Site::start(trust);
    for options in [&[][..], &CLAIMS_HTTP, &CLAIMS_HTTPS] {
        for scheme in ["https", "http"] {
            // Somebody other than Apache itself, so that it can be told apart.
            let options = [options, &["--interface", "127.0.0.2"]].concat();
            let said = site.whoami(scheme, &options);
            let port = port(scheme);
            assert_eq!(said["scheme"], scheme, "{options:?}: {said}");
            assert_eq!(said["client"], "127.0.0.2", "{options:?}: {said}");
            assert_eq!(said["host"], format!("localhost:{port}"), "{options:?}: {said}");
            assert!(said["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{said}");
            // The app itself speaks plain HTTP.
            assert_eq!([&said["mode"], &said["tls"]], [&"http".into(), &Value::Null]);
        }
    }
}

/// With `ProxyAddHeaders Off` it hands on what it gets, and all that it does not remove is the client's.
#[test]
fn nothing_of_a_client_s_is_left() {
    let app = Server::with(&TRUSTING);
    let apache = Apache::before(&app.url, &format!("{}ProxyAddHeaders Off\n", documented()));
    let said = apache.fetch("http", "/whoami", &CLAIMS_HTTPS);
    let expected = ["http", "127.0.0.1", "localhost:8080"];
    assert_eq!([&said["scheme"], &said["client"], &said["host"]], expected, "{said}");
}

#[test]
fn past_apache_nobody_is_believed() {
    let site = Site::start(&TRUSTING);
    let url = format!("{}whoami", site.app.url);
    let stranger = Client::new(&["--interface", "127.0.0.2"]).and(&CLAIMS_HTTPS);
    let said = stranger.fetch(&url).json();
    assert_eq!([&said["scheme"], &said["client"]], ["http", "127.0.0.2"], "{said}");
    assert_eq!(said["host"], format!("127.0.0.1:{}", site.app.port), "{said}");
    site.app.assert_logs(&["ignored X-Forwarded-Proto from 127.0.0.2", "--trust-proxy 127.0.0.2"]);
    // It is the address that makes the difference.
    let proxy = Client::new(&["-H", "X-Forwarded-Proto: https"]);
    assert_eq!(proxy.fetch(&url).json()["scheme"], "https");
}

/// What the seed is about: all that Apache says is in vain if the app is not told to believe it.
#[test]
fn without_trust_apache_is_anybody() {
    let site = Site::start(&[]);
    let said = site.whoami("https", &[]);
    assert_eq!([&said["scheme"], &said["client"]], ["http", "127.0.0.1"], "{said}");
    site.app
        .assert_logs(&["ignored X-Forwarded-Proto from 127.0.0.1", "add --trust-proxy 127.0.0.1"]);
}
