//! Command lines and environments that make no sense.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{
    FAILURE, Pki, Program, USAGE, assert_complaint, assert_complaint_naming_one_of,
};
use crate::{program, run};

#[test]
fn an_unknown_mode() {
    assert_complaint(&run(&["--mode", "ftp"]), USAGE, &["--mode", "ftp", "mutual"]);
}

#[test]
fn an_unknown_backend() {
    let output = run(&["--backend", "gnutls"]);
    assert_complaint(&output, USAGE, &["--backend", "gnutls", "native-tls", "rustls", "openssl"]);
}

#[test]
fn an_unknown_option() {
    for args in [&["--prot", "80"][..], &["--prot=80"]] {
        assert_complaint(&run(args), USAGE, &["--prot", "did you mean --port?"]);
    }
}

#[test]
fn an_unknown_command() {
    assert_complaint(&Program::new(&["cert"]).run(), USAGE, &["cert", "did you mean certs?"]);
}

#[test]
fn an_argument_too_many() {
    assert_complaint(&run(&["8443"]), USAGE, &["8443"]);
}

#[test]
fn an_option_before_the_command() {
    let output = Program::new(&["--port", "1", "check"]).run();
    assert_complaint(&output, USAGE, &["as in: turnkey check --port 1;"]);
}

#[test]
fn a_port_that_is_none() {
    for port in ["70000", "abc", "-1", "8443x", ""] {
        assert_complaint(&Program::new(&["--port", port]).run(), USAGE, &["--port", port]);
        let joined = format!("--port={port}");
        assert_complaint(&Program::new(&[&joined]).run(), USAGE, &["--port", port]);
    }
}

#[test]
fn days_that_are_none() {
    let output = Program::new(&["certs", "--days", "ten"]).run();
    assert_complaint(&output, USAGE, &["--days", "ten", "a number of days, such as 365"]);
    assert!(output.stderr.ends_with("; see turnkey certs --help\n"), "{}", output.stderr);
}

#[test]
fn a_number_that_is_none() {
    for option in ["--threads", "--max-connections", "--max-handshakes"] {
        let output = run(&[option, "two"]);
        assert_complaint(&output, USAGE, &[option, "two", "expected a number, such as 4"]);
    }
}

#[test]
fn a_missing_value() {
    for option in ["--port", "--mode", "--cert", "--client-ca", "--tls-min"] {
        assert_complaint(&Program::new(&[option]).run(), USAGE, &[option]);
    }
}

#[test]
fn a_switch_that_is_neither_on_nor_off() {
    assert_complaint(&run(&["--adhoc=perhaps"]), USAGE, &["--adhoc", "perhaps"]);
    let variable = program(&[]).env("TURNKEY_ADHOC", "perhaps");
    assert_complaint(&variable.run(), USAGE, &["TURNKEY_ADHOC", "perhaps"]);
}

#[test]
fn an_unknown_tls_version() {
    let pki = Pki::new();
    for version in ["1.1", "2", "ssl3"] {
        let args = [&pki.server_args()[..], &["--tls-min", version]].concat();
        assert_complaint(&run(&args), USAGE, &["--tls-min", version]);
    }
}

#[test]
fn a_tls_range_that_is_empty() {
    let pki = Pki::new();
    let range = ["--tls-min", "1.3", "--tls-max", "1.2"];
    let output = run(&[&pki.server_args()[..], &range].concat());
    assert_complaint(&output, USAGE, &["--tls-min", "--tls-max"]);
}

#[test]
fn native_tls_with_what_it_lacks() {
    let pki = Pki::new();
    let native = ["--backend", "native-tls"];
    let mutual = run(&[&native, &pki.mutual_args()[..]].concat());
    assert_complaint(&mutual, FAILURE, &["native-tls", "rustls", "openssl"]);
    let newest = run(&[&native, &pki.server_args()[..], &["--tls-min", "1.3"]].concat());
    assert_complaint(&newest, FAILURE, &["native-tls", "rustls", "openssl"]);
}

#[test]
fn the_plain_backend_under_tls() {
    let pki = Pki::new();
    let output = run(&[&["--backend", "plain"], &pki.server_args()[..]].concat());
    assert!([Some(FAILURE), Some(USAGE)].contains(&output.code), "{output:?}");
    assert_complaint(&output, output.code.unwrap(), &["plain"]);
}

#[test]
fn a_tls_backend_without_tls() {
    let output = run(&["--mode", "http", "--backend", "rustls"]);
    assert_complaint(&output, USAGE, &["--backend", "http"]);
}

#[test]
fn https_without_an_identity() {
    assert_complaint(&run(&["--mode", "https"]), USAGE, &["--cert", "--identity", "--adhoc"]);
}

#[test]
fn mutual_without_a_client_ca() {
    let pki = Pki::new();
    let output = run(&[&pki.server_args()[..], &["--mode", "mutual"]].concat());
    assert_complaint(&output, USAGE, &["--client-ca"]);
}

#[test]
fn two_identities_at_once() {
    let pki = Pki::new();
    let output = run(&[&pki.server_args()[..], &["--identity", &pki.server.both]].concat());
    assert_complaint(&output, USAGE, &["--cert", "--identity"]);
    let output = run(&[&pki.server_args()[..], &["--adhoc"]].concat());
    assert_complaint(&output, USAGE, &["--cert", "--adhoc"]);
}

#[test]
fn http_with_an_identity() {
    let pki = Pki::new();
    let output = run(&[&["--mode", "http"], &pki.server_args()[..]].concat());
    assert_complaint(&output, USAGE, &["--mode", "--cert"]);
}

#[test]
fn https_with_a_client_ca() {
    let pki = Pki::new();
    let output = run(&[&["--mode", "https"], &pki.mutual_args()[..]].concat());
    assert_complaint(&output, USAGE, &["--mode", "--client-ca"]);
}

#[test]
fn client_verify_without_a_client_ca() {
    let pki = Pki::new();
    for verify in ["required", "optional"] {
        let output = run(&[&pki.server_args()[..], &["--client-verify", verify]].concat());
        assert_complaint(&output, USAGE, &["--client-ca"]);
    }
}

#[test]
fn an_unknown_client_verify() {
    let pki = Pki::new();
    let output = run(&[&pki.mutual_args()[..], &["--client-verify", "maybe"]].concat());
    assert_complaint(&output, USAGE, &["--client-verify", "maybe"]);
}

#[test]
fn mutual_that_verifies_nobody() {
    let pki = Pki::new();
    let contradiction = ["--mode", "mutual", "--client-verify", "none"];
    let output = run(&[&pki.mutual_args()[..], &contradiction].concat());
    assert_complaint(&output, USAGE, &["--client-verify"]);
}

#[test]
fn a_client_ca_without_an_identity() {
    let pki = Pki::new();
    assert_complaint(&run(&["--client-ca", &pki.ca_file]), USAGE, &["--cert"]);
}

#[test]
fn verify_user_without_https() {
    for https in ["false", "0", "no", "off"] {
        let program = program(&[]).env("HTTPS_ENABLED", https).env("VERIFY_USER", "true");
        assert_complaint(&program.run(), USAGE, &["VERIFY_USER", "HTTPS_ENABLED"]);
    }
    let alone = program(&[]).env("VERIFY_USER", "true");
    assert_complaint(&alone.run(), USAGE, &["VERIFY_USER", "HTTPS_ENABLED"]);
}

#[test]
fn a_switch_of_the_recipe_that_is_neither_on_nor_off() {
    let maybe = program(&[]).env("HTTPS_ENABLED", "maybe");
    assert_complaint(&maybe.run(), USAGE, &["HTTPS_ENABLED", "maybe"]);
    let maybe = program(&[]).env("HTTPS_ENABLED", "true").env("VERIFY_USER", "2");
    assert_complaint(&maybe.run(), USAGE, &["VERIFY_USER", "2"]);
}

#[test]
fn the_environment_is_named_when_it_is_wrong() {
    let port = Program::new(&[]).env("TURNKEY_PORT", "70000");
    assert_complaint(&port.run(), USAGE, &["TURNKEY_PORT", "70000"]);
    let mode = program(&[]).env("TURNKEY_MODE", "ftp");
    assert_complaint(&mode.run(), USAGE, &["TURNKEY_MODE", "ftp"]);
    let port = Program::new(&[]).env("HTTPS_ENABLED", "false").env("API_PORT", "abc");
    assert_complaint(&port.run(), USAGE, &["API_PORT", "abc"]);
}

#[test]
fn the_recipe_without_its_files() {
    let program = program(&[]).env("HTTPS_ENABLED", "true");
    assert_complaint_naming_one_of(&program.run(), USAGE, &["CA_CHAIN_CRT", "--cert"]);
    let pki = Pki::new();
    let missing = pki.path("missing.pem");
    let program = crate::program(&[])
        .env("HTTPS_ENABLED", "true")
        .env("CA_CHAIN_CRT", &missing)
        .env("API_KEY", &pki.server.key);
    assert_complaint(&program.run(), FAILURE, &[&missing]);
}

#[test]
fn the_recipe_without_the_ca_of_its_users() {
    let pki = Pki::new();
    let program = program(&[])
        .env("HTTPS_ENABLED", "true")
        .env("VERIFY_USER", "true")
        .env("CA_CHAIN_CRT", &pki.server.cert)
        .env("API_KEY", &pki.server.key);
    assert_complaint(&program.run(), USAGE, &["--client-ca", "API_CA_T"]);
}

#[test]
fn an_issuer_without_a_ca_of_clients() {
    let pki = Pki::new();
    let rule = ["--allow-issuer", &pki.ca_file];
    let output = run(&[&pki.server_args()[..], &rule].concat());
    assert_complaint(&output, USAGE, &["a rule for clients needs --client-ca"]);
    let https = run(&[&pki.server_args()[..], &rule, &["--mode", "https"]].concat());
    assert_complaint(&https, USAGE, &["--mode https and --allow-issuer contradict each other"]);
    let verify = ["--client-verify", "none"];
    let output = run(&[&pki.server_args()[..], &rule, &verify].concat());
    assert_complaint(&output, USAGE, &["--allow-issuer and --client-verify none contradict"]);
    let program = program(&pki.server_args()).env("TURNKEY_ALLOW_ISSUER", &pki.ca_file);
    assert_complaint(&program.run(), USAGE, &["a rule for clients needs --client-ca"]);
}

#[test]
fn clients_without_a_certificate_where_there_are_none() {
    let pki = Pki::new();
    let (http, https, mutual) = (Vec::new(), pki.server_args().to_vec(), pki.mutual_args());
    for (args, naming) in [(http, "https and mutual"), (https, "mutual mode"), (mutual, "optional")]
    {
        let output = run(&[&args[..], &["--allow-anonymous", "on"]].concat());
        assert_complaint(&output, USAGE, &["--allow-anonymous", naming]);
    }
    let early = ["--client-verify", "optional", "--deny-early"];
    let output = run(&[&pki.mutual_args()[..], &early].concat());
    assert_complaint(&output, USAGE, &["--deny-early", "--allow-cn", "--allow-anonymous off"]);
}

/// As a shell leaves it for a name that it does not know. On the command line it is wrong usage too.
#[test]
fn an_empty_variable_opens_no_policy() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--port", "0"]].concat();
    let mutual = |name: &str, value: &str| Program::new(&args).env(name, value);
    for value in ["", ",", " , "] {
        for option in ["CLIENT_CRL", "ALLOW_CN", "ALLOW_SAN", "ALLOW_ISSUER"] {
            let name = &*format!("TURNKEY_{option}");
            assert_complaint(&mutual(name, value).run(), USAGE, &[name, "is set and empty"]);
        }
        let https = Program::new(&pki.server_args()).env("TURNKEY_CLIENT_CA", value);
        assert_complaint(&https.run(), USAGE, &["TURNKEY_CLIENT_CA", "is set and empty"]);
    }
    for name in ["TURNKEY_MODE", "TURNKEY_CLIENT_VERIFY"] {
        let check = Program::new(&["check", "--adhoc"]).env(name, "");
        assert_complaint(&check.run(), USAGE, &[name, "is set and empty"]);
    }
    // What is typed counts over it, and so does a mode without clients.
    drop(mutual("TURNKEY_CLIENT_CA", "").start());
    for typed in [&["--mode", "https"][..], &["--client-verify", "none"]] {
        let args = [&pki.server_args()[..], typed, &["--port", "0"]].concat();
        drop(Program::new(&args).env("TURNKEY_ALLOW_CN", "").start());
    }
    assert_eq!(Program::new(&["man"]).env("TURNKEY_ALLOW_CN", "").run().code, Some(0));
}

#[test]
fn an_empty_variable_of_the_recipe_opens_no_policy() {
    let pki = Pki::new();
    let recipe = |verify, cas| {
        program(&[])
            .env("HTTPS_ENABLED", "true")
            .env("VERIFY_USER", verify)
            .env("CA_CHAIN_CRT", &pki.server.cert)
            .env("API_KEY", &pki.server.key)
            .env("API_CA_T", cas)
            .run()
    };
    assert_complaint(&recipe("true", ""), USAGE, &["--client-ca", "API_CA_T"]);
    assert_complaint(&recipe("", &pki.ca_file), USAGE, &["VERIFY_USER=: expected true or false"]);
}

#[test]
fn a_variable_that_is_not_text() {
    let bytes = OsStr::from_bytes(b"J\xfcrgen");
    for name in ["TURNKEY_ALLOW_CN", "TURNKEY_CLIENT_CA", "TURNKEY_KEY_PASSWORD"] {
        let output = program(&[]).env(name, bytes).run();
        assert_complaint(&output, USAGE, &[&format!("{name}: not UTF-8")]);
    }
    assert_eq!(Program::new(&["man"]).env("TURNKEY_ALLOW_CN", bytes).run().code, Some(0));
    let recipe = || program(&[]).env("HTTPS_ENABLED", "true");
    assert_complaint(&recipe().env("API_CA_T", bytes).run(), USAGE, &["API_CA_T: not UTF-8"]);
    let server = Program::new(&["--port", "0"]).env("API_KEY", bytes).env("TURNKEYS", bytes);
    drop(server.start());
    let server = Program::new(&["--port", "0"]).env("TURNKEY_PROT", bytes).start();
    server.logged(&["TURNKEY_PROT", "TURNKEY_PORT"]);
}

#[test]
fn places_that_overlap() {
    for (listen, other) in [
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("0.0.0.0:8000", "127.0.0.1:8000"),
        ("127.0.0.1:8000", "0.0.0.0:8000"),
        ("[::]:8000", "[::1]:8000"),
    ] {
        let output = Program::new(&["--listen", listen, "--listen", other]).run();
        assert_complaint(&output, USAGE, &["--listen", listen, other, "the same port"]);
    }
    for listen in ["127.0.0.1:9100", "0.0.0.0:9100", "[::]:9100"] {
        let args = ["--listen", listen, "--metrics", "127.0.0.1:9100"];
        assert_complaint(&Program::new(&args).run(), USAGE, &["--metrics", "127.0.0.1:9100"]);
    }
    let pki = Pki::new();
    let more = ["--redirect-from", "9100", "--metrics", "127.0.0.1:9100"];
    let output = run(&[&pki.server_args()[..], &more].concat());
    assert_complaint(&output, USAGE, &["--redirect-from 9100", "--metrics 127.0.0.1:9100"]);
}

/// What stands in the environment stands there for other runs too: it is no reason to refuse this one, and
/// what is typed may go with it.
#[test]
fn what_the_environment_has_for_other_runs() {
    let pki = Pki::new();
    let serves = |args: &[&str], environment: &[(&str, &str)]| {
        let program = Program::new(&[args, &["--port", "0"]].concat());
        drop(environment.iter().fold(program, |p, (name, value)| p.env(name, value)).start());
    };
    serves(&["--hsts", "1"], &[("TURNKEY_TRUST_PROXY", "10.0.0.0/8")]);
    let proxy = ["--proxy", "http://127.0.0.1:5000"];
    let https = [("TURNKEY_PROXY", "https://a.test"), ("TURNKEY_UPSTREAM_CA", &*pki.ca_file)];
    serves(&proxy, &https);
    let keys = pki.write("keys", "k".repeat(80));
    let keys = [("TURNKEY_TICKET_KEYS", &*keys)];
    serves(&pki.server_args(), &keys);
    serves(&pki.mutual_args(), &keys);
    // Where it is for this run alone, it is said.
    let wrong = Program::new(&[&proxy[..], &["--upstream-ca", &pki.ca_file]].concat());
    assert_complaint(&wrong.run(), USAGE, &["--upstream-ca", "https://"]);
    let wrong = Program::new(&["--port", "0"])
        .env("TURNKEY_PROXY", "http://127.0.0.1:5000")
        .env("TURNKEY_UPSTREAM_CA", &pki.ca_file);
    assert_complaint(&wrong.run(), USAGE, &["--upstream-ca", "https://"]);
    let wrong = run(&[&pki.mutual_args()[..], &["--ticket-keys", keys[0].1]].concat());
    assert_complaint(&wrong, USAGE, &["--ticket-keys", "--resumption on"]);
}

#[test]
fn where_kubernetes_has_a_service_is_no_port() {
    let server = Program::new(&["--port", "0"]).env("TURNKEY_PORT", "tcp://10.96.0.7:443").start();
    server.logged(&["warn: environment: TURNKEY_PORT says", "enableServiceLinks: false"]);
}
