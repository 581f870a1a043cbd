//! The recipe that turnkey grew from, as its text has it: its `openssl` commands as they stand, which
//! make certificates of X.509 version 1, then its two switches and its `curl` lines.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use super::recipe::{assert_http, assert_https, assert_mode, assert_mutual, options, recipe};
use crate::support::{
    Client, FAILURE, Pki, Program, Server, USAGE, assert_complaint, openssl, run, tool,
};

/// Word for word.
const COMMANDS: &str = r#"# Common variables
CERT_DN_C="CT"
CERT_DN_ST="State"
CERT_DN_L="City"
CERT_DN_O="Company"
CERT_DN_OU="Department"
# CA
openssl req -x509 -sha256 -days 3650 -newkey rsa:4096 -keyout ca.key -nodes -out ca.crt -subj "/C=${CERT_DN_C}/ST=${CERT_DN_ST}/L=${CERT_DN_L}/O=${CERT_DN_O}/OU=${CERT_DN_OU}/CN=ca.localhost/emailAddress=ca@localhost"
cat ca.crt ca.key > ca.pem
# Server
openssl req -new -newkey rsa:4096 -keyout server.key -out server.csr -nodes -subj "/C=${CERT_DN_C}/ST=${CERT_DN_ST}/L=${CERT_DN_L}/O=${CERT_DN_O}/OU=${CERT_DN_OU}/CN=server.localhost/emailAddress=server@localhost"
openssl x509 -req -CA ca.crt -CAkey ca.key -in server.csr -out server.crt -days 365 -CAcreateserial
cat server.crt ca.crt > server_chain.pem
# Client
openssl req -new -newkey rsa:4096 -nodes -keyout client.key -out client.csr -subj "/C=${CERT_DN_C}/ST=${CERT_DN_ST}/L=${CERT_DN_L}/O=${CERT_DN_O}/OU=${CERT_DN_OU}/CN=client.server.localhost/emailAddress=client@localhost"
openssl x509 -req -CA ca.crt -CAkey ca.key -in client.csr -out client.crt -days 365 -CAcreateserial
cat client.crt client.key > client.pem
"#;

/// For what makes keys of RSA-4096, on a machine that has other work too.
const PATIENCE: Duration = Duration::from_secs(300);

const IDENTITY: [&str; 4] = ["--cert", "server_chain.pem", "--key", "server.key"];

/// A folder of its own in which the commands were run.
struct Seed {
    pki: Pki,
    dir: String,
}

/// Keys of RSA-4096 take seconds: they are made once for all tests, and copied.
static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();

impl Seed {
    fn new() -> Self {
        let pki = Pki::new();
        let dir = pki.path("seed");
        std::fs::create_dir(&dir).unwrap();
        let made = MADE.get_or_init(|| {
            let made = tempfile::tempdir().unwrap();
            let mut shell = tool("sh");
            shell.args(["-e", "-c", COMMANDS]).current_dir(made.path());
            let output = run(shell, b"", PATIENCE);
            assert_eq!(output.code, Some(0), "{output:?}");
            made
        });
        for file in std::fs::read_dir(made.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), Path::new(&dir).join(file.file_name())).unwrap();
        }
        Self { pki, dir }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.dir)
    }

    fn is_version_1(&self, name: &str) -> bool {
        let text = openssl(&["x509", "-in", &self.path(name), "-noout", "-text"]);
        text.contains("Version: 1 (0x0)")
    }

    /// PKCS#12 of the certificate and key of that name, as `name.p12`, with the password of `turnkey
    /// certs`.
    fn export(&self, name: &str, chain: &str) -> String {
        let (p12, key) = (self.path(&format!("{name}.p12")), self.path(&format!("{name}.key")));
        let chain = self.path(chain);
        let files = ["-out", &p12, "-inkey", &key, "-in", &chain];
        openssl(&[&["pkcs12", "-export"][..], &files, &["-passout", "pass:turnkey"]].concat());
        p12
    }

    /// The client of the recipe, with the certificate and key in this file.
    fn client(&self, file: &str) -> Client {
        Client::new(&["-k", "-E", &self.path(file)])
    }
}

fn url(server: &Server) -> String {
    format!("https://127.0.0.1:{}/", server.port)
}

/// If this fails, `openssl` is another one, and makes what the other tests are not about.
#[test]
fn the_commands_make_version_1() {
    let seed = Seed::new();
    assert!(seed.is_version_1("server.crt") && seed.is_version_1("client.crt"));
    assert!(!seed.is_version_1("ca.crt"), "this one has extensions");
}

#[test]
fn http() {
    let seed = Seed::new();
    assert_http(&recipe(&seed.dir, "False", "False").start());
}

#[test]
fn https() {
    let seed = Seed::new();
    let server = recipe(&seed.dir, "True", "False").start();
    assert_https(&server);
    assert_eq!(server.backend(), "openssl", "rustls refuses version 1");
    let tls13 = Client::new(&["-k", "--tlsv1.3"]);
    tls13.fetch(&url(&server)).assert_top_level();
    assert_eq!(server.run_try_command().text().trim_end(), "Top-level content");
}

#[test]
fn https_with_the_client_verified() {
    let seed = Seed::new();
    seed.export("client", "client.crt");
    let server = recipe(&seed.dir, "True", "True").start();
    assert_mutual(&server, &seed.dir);
    assert_eq!(server.backend(), "openssl");
    assert_eq!(server.run_try_command().text().trim_end(), "Top-level content");
}

#[test]
fn a_client_verified_without_https() {
    let seed = Seed::new();
    let output = recipe(&seed.dir, "False", "True").run();
    assert_complaint(&output, USAGE, &["VERIFY_USER=true needs HTTPS_ENABLED=true"]);
}

#[test]
fn pkcs12_of_the_same_files() {
    let seed = Seed::new();
    seed.export("client", "client.crt");
    let identity = seed.export("server", "server_chain.pem");
    let serve = |more: &[&str]| {
        let args = [&["--identity", &identity][..], more].concat();
        options(&seed.dir, &args).env("TURNKEY_KEY_PASSWORD", "turnkey").start()
    };
    assert_https(&serve(&[]));
    assert_https(&serve(&["--backend", "native-tls"]));
    assert_mutual(&serve(&["--client-ca", "ca.crt"]), &seed.dir);
}

#[test]
fn a_backend_that_cannot_is_named_with_one_that_can() {
    let seed = Seed::new();
    let output = options(&seed.dir, &[&IDENTITY[..], &["--backend", "rustls"]].concat()).run();
    let words = ["--backend rustls", "X.509 version 1", "use --backend openssl or native-tls"];
    assert_complaint(&output, FAILURE, &words);
}

/// The client of the recipe, where the server's certificate is another.
#[test]
fn a_client_of_version_1_is_known_from_beside_the_ca() {
    let seed = Seed::new();
    let pki = &seed.pki;
    let args = [&pki.server_args()[..], &["--client-ca", "ca.crt"]].concat();
    let server = options(&seed.dir, &args).start();
    assert_eq!(server.backend(), "openssl");
    assert_mode(&server, "mutual");
    seed.client("client.pem").fetch(&url(&server)).assert_top_level();
    assert!(server.try_command.contains("--cert client.pem"), "{:?}", server.greeting);
    assert_eq!(server.run_try_command().text().trim_end(), "Top-level content");
    let named = options(&seed.dir, &[&args[..], &["--backend", "rustls"]].concat()).start();
    assert!(named.greeting.contains("put one, and its key, into client.pem"), "{}", named.greeting);
}

#[test]
fn a_client_of_version_1_that_nobody_knew_of_is_told_in_words() {
    let seed = Seed::new();
    std::fs::rename(seed.path("client.pem"), seed.path("alice.pem")).unwrap();
    let args = [&seed.pki.server_args()[..], &["--client-ca", "ca.crt"]].concat();
    let server = options(&seed.dir, &args).start();
    assert_eq!(server.backend(), "rustls");
    seed.client("alice.pem").fetch(&url(&server)).assert_refused();
    let name = "emailAddress=client@localhost,CN=client.server.localhost";
    server.assert_logs(&["refused: the client certificate", name, "is of X.509 version 1"]);
    server.assert_logs(&["which rustls does not accept; serve with --backend openssl, or have it"]);
    let openssl = options(&seed.dir, &[&args[..], &["--backend", "openssl"]].concat()).start();
    seed.client("alice.pem").fetch(&url(&openssl)).assert_top_level();
}

/// Who issued it goes before how old it is.
#[test]
fn a_client_of_version_1_of_another_ca_is_told_so() {
    let seed = Seed::new();
    let server = options(&seed.dir, &seed.pki.mutual_args()).start();
    assert_eq!(server.backend(), "rustls");
    seed.client("client.pem").fetch(&url(&server)).assert_refused();
    server.assert_logs(&["refused: the client certificate", "which is not a client CA"]);
}

#[test]
fn check_tells_what_version_1_comes_to() {
    let seed = Seed::new();
    let check = |args: &[&str]| {
        let identity = [&["check"][..], &IDENTITY, &["--client-ca", "ca.crt"], args].concat();
        let output = Program::new(&identity).dir(&seed.dir).run();
        (output.code, output.text())
    };
    let (code, text) = check(&[]);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "is X.509 version 1, which has no alternative names",
        "turnkey certs does",
        "rustls (rustls 0.23, aws-lc-rs): cannot do X.509 version 1 certificates",
        "what would serve is openssl",
        "with client.pem: TLS 1.3",
        "without a certificate: refused, as it should be",
    ] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let (code, text) = check(&["--backend", "rustls"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("--backend rustls: cannot do X.509 version 1"), "{text}");
}

/// The one of the client, where only that is of version 1 and the backend refuses it.
#[test]
fn check_tells_of_a_client_that_would_be_refused() {
    let seed = Seed::new();
    let args = [&["check"][..], &seed.pki.server_args(), &["--client-ca", "ca.crt"]].concat();
    let output = Program::new(&[&args[..], &["--backend", "rustls"]].concat()).dir(&seed.dir).run();
    let text = output.text();
    assert!(text.contains("client.pem: the client certificate"), "{text}");
    assert!(text.contains("is X.509 version 1, which this backend refuses"), "{text}");
    let text = Program::new(&args).dir(&seed.dir).run().text();
    assert!(!text.contains("this backend refuses"), "{text}");
}

/// The CA stays, and what it vouches for is made anew for every backend.
#[test]
fn turnkey_certs_in_the_same_folder() {
    let seed = Seed::new();
    let ca = std::fs::read(seed.path("ca.crt")).unwrap();
    // It keeps the kind of the keys.
    let made = Program::new(&["certs", "--out", &seed.dir]).run_within(PATIENCE);
    assert_eq!(made.code, Some(0), "{made:?}");
    for name in ["server", "client"] {
        assert!(made.text().contains(&format!("{name}: ")), "{made:?}");
    }
    assert_eq!(made.text().matches("the old one was of X.509 version 1").count(), 2, "{made:?}");
    assert_eq!(std::fs::read(seed.path("ca.crt")).unwrap(), ca);
    assert!(!seed.is_version_1("server.crt") && !seed.is_version_1("client.crt"));
    for backend in ["rustls", "openssl"] {
        let args = ["--client-ca", "ca.crt", "--backend", backend];
        assert_mutual(&options(&seed.dir, &[&IDENTITY[..], &args].concat()).start(), &seed.dir);
    }
    let args = [&["check"][..], &IDENTITY, &["--client-ca", "ca.crt"]].concat();
    let check = Program::new(&args).dir(&seed.dir).run();
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(!check.text().contains("version 1"), "{check:?}");
}

/// Version 1 cannot say that it is no CA: what a client signs with its key must not pass for a client.
#[test]
fn a_client_of_version_1_vouches_for_nobody() {
    let seed = Seed::new();
    let file = |name: &str| seed.path(name);
    let request = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", &file("forged.key")];
    openssl(&[&request[..], &["-subj", "/CN=forged", "-out", &file("forged.csr")]].concat());
    let sign = ["x509", "-req", "-in", &file("forged.csr"), "-days", "30", "-CAcreateserial"];
    let by = ["-CA", &file("client.crt"), "-CAkey", &file("client.key")];
    openssl(&[&sign[..], &by, &["-out", &file("forged.crt")]].concat());
    let parts = ["forged.crt", "client.crt", "forged.key"].map(|f| std::fs::read(file(f)).unwrap());
    std::fs::write(file("forged.pem"), parts.concat()).unwrap();
    for version in ["1.2", "1.3"] {
        let more = ["--client-ca", "ca.crt", "--tls-min", version, "--tls-max", version];
        let server = options(&seed.dir, &[&IDENTITY[..], &more].concat()).start();
        assert_eq!(server.backend(), "openssl");
        seed.client("client.pem").fetch(&url(&server)).assert_top_level();
        seed.client("forged.pem").fetch(&url(&server)).assert_refused();
        server.assert_logs(&["refused: ", "CN=client.server.localhost", "CN=forged"]);
    }
}

/// A CA of version 1 can only be known by being its own issuer.
#[test]
fn a_client_ca_of_version_1() {
    let seed = Seed::new();
    let request = ["req", "-new", "-key", &seed.path("ca.key"), "-subj", "/CN=old CA"];
    openssl(&[&request[..], &["-out", &seed.path("old.csr")]].concat());
    let (csr, key) = (seed.path("old.csr"), seed.path("ca.key"));
    let old = ["x509", "-req", "-in", &csr, "-signkey", &key, "-days", "30"];
    openssl(&[&old[..], &["-out", &seed.path("old.crt")]].concat());
    assert!(seed.is_version_1("old.crt"));
    let (csr, ca) = (seed.path("client.csr"), seed.path("old.crt"));
    let sign = ["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &key, "-days", "30"];
    openssl(&[&sign[..], &["-CAcreateserial", "-out", &seed.path("below.crt")]].concat());
    let below =
        [seed.path("below.crt"), seed.path("client.key")].map(|f| std::fs::read(f).unwrap());
    std::fs::write(seed.path("below.pem"), below.concat()).unwrap();

    let server = options(&seed.dir, &[&IDENTITY[..], &["--client-ca", "old.crt"]].concat()).start();
    seed.client("below.pem").fetch(&url(&server)).assert_top_level();
    seed.client("client.pem").fetch(&url(&server)).assert_refused();

    // What is below a CA is no CA, and cannot say that it is.
    let args = [&IDENTITY[..], &["--client-ca", "client.crt"]].concat();
    assert_complaint(&options(&seed.dir, &args).run(), FAILURE, &["client.crt", "--client-ca"]);
}

#[test]
fn version_1_with_a_key_that_no_backend_takes() {
    let seed = Seed::new();
    let (key, csr) = (seed.path("odd.key"), seed.path("odd.csr"));
    openssl(&["ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", &key]);
    openssl(&["req", "-new", "-key", &key, "-subj", "/CN=odd", "-out", &csr]);
    let (ca, ca_key) = (seed.path("ca.crt"), seed.path("ca.key"));
    let sign = ["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
    openssl(&[&sign[..], &["-out", &seed.path("odd.crt")]].concat());
    for backend in [&[][..], &["--backend", "openssl"], &["--backend", "native-tls"]] {
        let args = [&["--cert", "odd.crt", "--key", "odd.key"][..], backend].concat();
        let words = ["\"CN=odd\"", "EC on secp256k1", "have it issued for a P-256 key"];
        assert_complaint(&options(&seed.dir, &args).run(), FAILURE, &words);
    }
}
