//! The command that start-up says to try is run in a shell, exactly as it is printed, for every kind of
//! certificate.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::fs;

use turnkey_test_support::{
    self as support, Authority, Files, Output, Pki, Profile, Program, Server, export_pkcs12,
    openssl, secret,
};

mod clients;

/// How curl trusts the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// `--cacert` with the file of this name.
    File(&'static str),
    /// The CAs of the system.
    System,
    /// The key.
    Key,
}

/// Serves with these options and runs what is said to be tried.
#[track_caller]
fn tried(by: By, args: &[&str]) -> Server {
    tried_with(by, args, &[])
}

#[track_caller]
fn tried_with(by: By, args: &[&str], variables: &[(&str, &str)]) -> Server {
    let mut args = args.to_vec();
    if !args.contains(&"--listen") {
        args.extend(["--port", "0"]);
    }
    let program = Program::new(&args);
    let server = variables.iter().fold(program, |p, (name, value)| p.env(name, value)).start();
    assert_answers(&server, &server.run_try_command_with(variables));
    let command = &server.try_command;
    let trust = match by {
        By::File(name) => {
            let mut words = command.split(' ').skip_while(|word| *word != "--cacert").skip(1);
            let file = words.next().unwrap_or_default();
            assert!(file.ends_with(&format!("/{name}")), "no --cacert …/{name}: {command}");
            "--cacert"
        }
        By::System => "",
        By::Key => "--pinnedpubkey",
    };
    for option in ["--cacert", "--insecure", "--pinnedpubkey"] {
        let has = command.contains(option);
        let wanted = option == trust || (option == "--insecure" && by == By::Key);
        assert_eq!(has, wanted, "{option}: {command}");
    }
    server
}

#[track_caller]
fn assert_answers(server: &Server, output: &Output) {
    let said = format!("{}{}\n{}", output.text(), output.stderr, server.log());
    assert_eq!(output.code, Some(0), "{}: {said}", server.try_command);
    assert_eq!(output.text(), "Top-level content", "{}: {said}", server.try_command);
}

/// A server's certificate of the test's CA, made by `openssl x509 -req` with these extensions; with
/// none, it is one of version 1.
fn issued(pki: &Pki, name: &str, subject: &str, extensions: &str) -> Files {
    let ca_key = secret(pki.write("ca.key", pki.ca.key_pem()));
    let (key, request, cert) =
        (pki.path("own.key"), pki.path("own.csr"), pki.path(&format!("{name}.crt")));
    let curve = "ec_paramgen_curve:P-256";
    openssl(&[
        "req", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout", &key, "-out", &request,
        "-subj", subject,
    ]);
    let mut args = vec![
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &pki.ca_file,
        "-CAkey",
        &ca_key,
        "-days",
        "20",
        "-out",
        &cert,
    ];
    let file = pki.write("extensions", extensions);
    if !extensions.is_empty() {
        args.extend(["-extfile", &file]);
    }
    openssl(&args);
    let (cert, key) = (fs::read_to_string(cert).unwrap(), fs::read_to_string(key).unwrap());
    pki.save(name, &support::Leaf { cert, key, serial: 0 })
}

/// With the names of certificates: the subject, the extensions, who vouches, and what is in the command.
const NAMES: [(&str, &str, By, &str); 16] = [
    ("/CN=a", "subjectAltName=IP:127.0.0.1", By::File("ca.crt"), " https://127.0.0.1:"),
    (
        "/CN=a",
        "subjectAltName=DNS:localhost,DNS:b.test",
        By::File("ca.crt"),
        " --resolve localhost:",
    ),
    ("/CN=a", "subjectAltName=DNS:b.test,DNS:c.test", By::File("ca.crt"), " --resolve b.test:"),
    ("/CN=a", "subjectAltName=DNS:*.b.test", By::File("ca.crt"), " --resolve www.b.test:"),
    ("/CN=a", "subjectAltName=DNS:*.test,DNS:b.test", By::File("ca.crt"), " --resolve b.test:"),
    ("/CN=a", "subjectAltName=DNS:my_service", By::File("ca.crt"), " --resolve my_service:"),
    ("/CN=a", "subjectAltName=DNS:*.test", By::Key, " https://127.0.0.1:"),
    ("/CN=a", "subjectAltName=IP:192.0.2.7", By::File("ca.crt"), " --connect-to 192.0.2.7:"),
    ("/CN=a", "subjectAltName=IP:2001:db8::7", By::File("ca.crt"), " --connect-to '[2001:db8::7]:"),
    // curl looks at the common name if there is neither a DNS name nor an address.
    (
        "/CN=b.test",
        "subjectAltName=email:a@b.test,URI:a://b",
        By::File("ca.crt"),
        " --resolve b.test:",
    ),
    ("/CN=b.test", "basicConstraints=CA:FALSE", By::File("ca.crt"), " --resolve b.test:"),
    ("/CN=*.b.test", "basicConstraints=CA:FALSE", By::File("ca.crt"), " --resolve www.b.test:"),
    ("/CN=127.0.0.1", "basicConstraints=CA:FALSE", By::File("ca.crt"), " https://127.0.0.1:"),
    ("/CN=b.test/CN=c.test", "basicConstraints=CA:FALSE", By::Key, " https://127.0.0.1:"),
    ("/CN=My Server", "basicConstraints=CA:FALSE", By::Key, " https://127.0.0.1:"),
    ("/O=Company", "basicConstraints=CA:FALSE", By::Key, " https://127.0.0.1:"),
];

#[test]
fn whatever_its_names() {
    for (subject, extensions, by, part) in NAMES {
        let pki = Pki::new();
        let Files { cert, key, .. } = issued(&pki, "own", subject, extensions);
        let server = tried(by, &["--backend", "openssl", "--cert", &cert, "--key", &key]);
        assert!(server.try_command.contains(part), "{extensions}: {}", server.try_command);
    }
}

#[test]
fn on_ipv6() {
    for (names, part) in [
        (&["::1", "a.test"][..], " 'https://[::1]:"),
        (&["a.test"], " --resolve 'a.test:"),
        (&["127.0.0.1"], " --connect-to '127.0.0.1:"),
        (&["2001:db8::7"], " --connect-to '[2001:db8::7]:"),
    ] {
        let pki = Pki::new();
        let own = pki.save("own", &pki.ca.issue(&Profile::server("a").names(names)));
        for host in ["::1", "::"] {
            let args = ["--cert", &own.cert, "--key", &own.key, "--host", host];
            let server = tried(By::File("ca.crt"), &args);
            assert!(server.try_command.contains(part), "{}", server.try_command);
        }
    }
}

/// What `openssl x509 -req` of OpenSSL 3.0 makes when nobody names extensions; of the CA, too.
#[test]
fn of_version_1() {
    let pki = Pki::new();
    let Files { cert, key, .. } = issued(&pki, "own", "/CN=server.test", "");
    let text = openssl(&["x509", "-in", &cert, "-noout", "-text"]);
    assert!(text.contains("Version: 1 "), "{text}");
    let (ca_key, request, ca) = (pki.path("v1.key"), pki.path("v1.csr"), pki.path("v1.crt"));
    openssl(&[
        "req", "-newkey", "rsa:2048", "-nodes", "-keyout", &ca_key, "-out", &request, "-subj",
        "/CN=V1",
    ]);
    openssl(&["x509", "-req", "-in", &request, "-signkey", &ca_key, "-out", &ca]);
    for backend in ["openssl", "native-tls"] {
        tried(By::File("ca.crt"), &["--backend", backend, "--cert", &cert, "--key", &key]);
        // Its own issuer, without a name that a URL could have.
        tried(By::File("v1.crt"), &["--backend", backend, "--cert", &ca, "--key", &ca_key]);
    }
}

#[test]
fn of_its_own_issuer() {
    let pki = Pki::new();
    let own = pki.save("own", &Profile::server("a.test").self_signed());
    tried(By::File("own.crt"), &["--cert", &own.cert, "--key", &own.key]);
    // As `openssl req -x509` makes it: a CA's, without a name but the common one.
    let (cert, key) = (pki.path("req.crt"), pki.path("req.key"));
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        &key,
        "-out",
        &cert,
        "-subj",
        "/CN=b.test",
    ]);
    tried(By::File("req.crt"), &["--backend", "openssl", "--cert", &cert, "--key", &key]);
}

/// A folder with nothing but a server's certificate in it.
fn alone(pki: &Pki, name: &str) -> String {
    let dir = pki.path(name);
    fs::create_dir(&dir).unwrap();
    dir
}

#[test]
fn without_the_ca_beside_it() {
    let pki = Pki::new();
    let dir = alone(&pki, "alone");
    let leaf = pki.ca.issue(&Profile::server("a"));
    let key = secret(pki.write("alone/own.key", &leaf.key));
    let cert = pki.write("alone/own.crt", &leaf.cert);
    tried(By::File("own.crt"), &["--cert", &cert, "--key", &key]);
    // With the CA behind it.
    let chain = pki.write("alone/chain.pem", leaf.clone().with_chain(&[&pki.ca]).cert);
    tried(By::File("chain.pem"), &["--cert", &chain, "--key", &key]);
    let both = pki.write("alone/both.pem", format!("{}{}", leaf.key, leaf.cert));
    tried(By::Key, &["--cert", &both]);
    let p12 = export_pkcs12(&pki, "own.p12", &leaf, "secret");
    let password = secret(pki.write("password", "secret"));
    tried(By::File("ca.crt"), &["--identity", &p12, "--key-password-file", &password]);
    let moved = format!("{dir}/own.p12");
    fs::rename(p12, &moved).unwrap();
    tried(By::Key, &["--identity", &moved, "--key-password-file", &password]);
    // A pipe is empty by the time that anybody looks at it again.
    let line = format!(
        "cat {cert} | {} --cert /dev/stdin --key {key} --port 0",
        env!("CARGO_BIN_EXE_turnkey")
    );
    let server = Program::shell(&line).start();
    assert_answers(&server, &server.run_try_command());
}

#[test]
fn with_a_ca_beside_it_that_does_not_vouch() {
    let stranger = Authority::root("Test CA");
    for ca in [stranger.pem(), "garbage".to_owned()] {
        let pki = Pki::new();
        pki.write("ca.crt", ca);
        tried(By::File("server.crt"), &pki.server_args());
    }
    // Of two by one name, OpenSSL takes the first.
    let pki = Pki::new();
    pki.write("ca.crt", format!("{}{}", stranger.pem(), pki.ca.pem()));
    tried(By::File("server.crt"), &pki.server_args());
    // It is over.
    let pki = Pki::new();
    pki.write("ca.crt", pki.ca.expired_pem("Test CA"));
    tried(By::File("server.crt"), &pki.server_args());
}

/// OpenSSL refuses a chain with such a signature, and takes what is trusted itself.
#[test]
fn with_a_weak_signature() {
    let pki = Pki::new();
    let Files { key, cert, .. } = issued(&pki, "own", "/CN=a", "subjectAltName=IP:127.0.0.1");
    let (ca_key, request) = (pki.path("ca.key"), pki.path("own.csr"));
    let extensions = pki.path("extensions");
    openssl(&[
        "x509",
        "-req",
        "-sha1",
        "-in",
        &request,
        "-CA",
        &pki.ca_file,
        "-CAkey",
        &ca_key,
        "-days",
        "20",
        "-extfile",
        &extensions,
        "-out",
        &cert,
    ]);
    tried(By::File("own.crt"), &["--backend", "rustls", "--cert", &cert, "--key", &key]);
    let chain = format!("{}{}", fs::read_to_string(&cert).unwrap(), pki.ca.pem());
    let chain = pki.write("chain.pem", chain);
    tried(By::Key, &["--backend", "rustls", "--cert", &chain, "--key", &key]);
}

/// A public CA is one that the system knows: curl and the server by the same variable.
#[test]
fn of_a_ca_that_the_system_trusts() {
    let pki = Pki::new();
    let middle = pki.ca.subordinate("Middle CA");
    let leaf = middle.issue(&Profile::server("a").names(&["www.example.test"]));
    let own = pki.save("own", &leaf.with_chain(&[&middle]));
    let bundle = pki.write("bundle.pem", format!("{}{}", Authority::root("A").pem(), pki.ca.pem()));
    let args = ["--cert", &own.cert, "--key", &own.key];
    let server = tried_with(By::System, &args, &[("SSL_CERT_FILE", &bundle)]);
    let start = format!("curl --resolve www.example.test:{}:127.0.0.1 https://", server.port);
    assert!(server.try_command.starts_with(&start), "{}", server.try_command);
    // Another of the same name does not vouch for it.
    let bundle = pki.write("bundle.pem", Authority::root("Test CA").pem());
    tried_with(By::File("ca.crt"), &args, &[("SSL_CERT_FILE", &bundle)]);
    // The server's own, as people add it to the store.
    let own = pki.save("itself", &Profile::server("a").self_signed());
    let args = ["--cert", &own.cert, "--key", &own.key];
    tried_with(By::System, &args, &[("SSL_CERT_FILE", &own.cert)]);
}

#[test]
fn for_other_than_servers() {
    let pki = Pki::new();
    let extensions = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=clientAuth";
    let Files { cert, key, .. } = issued(&pki, "own", "/CN=a", extensions);
    tried(By::Key, &["--backend", "openssl", "--cert", &cert, "--key", &key]);
}

/// The one that is shown is the first, and by no name of another.
#[test]
fn of_several() {
    let pki = Pki::new();
    let other = Authority::root("Other CA");
    let save = |name: &str, ca: &Authority, names: &[&str]| {
        pki.save(name, &ca.issue(&Profile::server(name).names(names)))
    };
    let second = save("second", &other, &["www.a.test", "localhost"]);
    for (names, by, part) in [
        (&["*.a.test"][..], By::Key, " https://127.0.0.1:"),
        (&["*.a.test", "b.test"], By::File("ca.crt"), " --resolve b.test:"),
    ] {
        let first = save("first", &pki.ca, names);
        let args = ["--cert", &first.cert, "--key", &first.key, "--cert", &second.cert];
        let args = [&args[..], &["--key", &second.key]].concat();
        let server = tried(by, &args);
        assert!(server.try_command.contains(part), "{}", server.try_command);
        assert!(server.greeting.contains("\nalso DNS:www.a.test, DNS:localhost\n"));
        let socket = format!("unix:{}", pki.path("socket"));
        tried(by, &[&args[..], &["--listen", &socket]].concat());
    }
    let nameless = issued(&pki, "nameless", "/CN=c.test", "basicConstraints=CA:FALSE");
    let args = ["--cert", &second.cert, "--key", &second.key, "--cert", &nameless.cert];
    let args = [&args[..], &["--key", &nameless.key, "--backend", "openssl"]].concat();
    let server = tried(By::File("second.crt"), &args);
    assert!(server.greeting.contains("\nalso CN=c.test\n"), "{}", server.greeting);
}

#[test]
fn over_a_unix_socket() {
    let pki = Pki::new();
    let socket = pki.path("it's a socket");
    let listen = format!("unix:{socket}");
    for (names, by, url) in [
        (&["a.test", "localhost"][..], By::File("ca.crt"), "https://localhost/"),
        (&["a.test"], By::File("ca.crt"), "https://a.test/"),
        (&["192.0.2.7"], By::File("ca.crt"), "https://192.0.2.7/"),
        (&["2001:db8::7"], By::File("ca.crt"), "'https://[2001:db8::7]/'"),
        (&["*.test"], By::Key, "https://localhost/"),
    ] {
        let own = pki.save("own", &pki.ca.issue(&Profile::server("a").names(names)));
        let args = ["--cert", &own.cert, "--key", &own.key, "--listen", &listen];
        let server = tried(by, &args);
        assert!(server.try_command.ends_with(url), "{}", server.try_command);
    }
    tried(By::System, &["--listen", &listen]);
}

/// A proxy that is trusted has to send a header, and curl on this machine is one.
#[test]
fn with_a_proxy_header() {
    let socket = tempfile::tempdir().unwrap();
    let listen = format!("unix:{}", socket.path().join("socket").display());
    for args in [
        &["--trust-proxy", "127.0.0.0/8"][..],
        &["--trust-proxy", "unix", "--listen", &listen],
        &["--trust-proxy", "10.0.0.1"],
    ] {
        let server = tried(By::System, &[args, &["--proxy-protocol"]].concat());
        let command = &server.try_command;
        assert_eq!(command.contains("--haproxy-protocol"), args[1] != "10.0.0.1", "{command}");
    }
}
