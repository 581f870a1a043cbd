//! What people type who know other servers, and values that are missing or nearly right: the answer ends
//! in the command line to type.

use crate::program;
use crate::support::{Pki, Program, USAGE, assert_complaint};

#[track_caller]
fn answers(cases: &[(&str, &[&str], &str)]) {
    for (typed, said, to_type) in cases {
        let words: Vec<_> =
            typed.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
        let output = Program::new(&words).run();
        assert_complaint(&output, USAGE, said);
        let end = format!("; type: {to_type}\n");
        assert!(output.stderr.ends_with(&end), "{typed}: no {end:?} in {}", output.stderr);
    }
}

#[test]
fn the_words_that_others_serve_by() {
    answers(&[
        ("serve", &["no command serve"], "turnkey"),
        ("serve --port 80", &["no command serve"], "turnkey --port 80"),
        ("--port 80 run", &["no command run"], "turnkey --port 80"),
        ("start --adhoc -p8443", &["no command start"], "turnkey --adhoc -p 8443"),
        ("server --dir=a", &["no command server"], "turnkey --dir=a"),
        ("check serve --adhoc", &["no command serve"], "turnkey check --adhoc"),
    ]);
}

/// Those of the texts that turnkey was made from.
#[test]
fn the_command_lines_of_django_and_flask() {
    answers(&[
        (
            "runserver --host=0.0.0.0 runserver --certfile cacert.pem --keyfile privkey.pem",
            &[
                "no command runserver",
                "--proxy http://",
                "--certfile is --cert",
                "--keyfile is --key",
            ],
            "turnkey --host=0.0.0.0 --cert cacert.pem --key privkey.pem",
        ),
        ("runserver 0.0.0.0:8000", &["--host and --port"], "turnkey --host 0.0.0.0 --port 8000"),
        ("runserver 8001", &["--host and --port"], "turnkey --port 8001"),
        (
            "run --port=8443 --host=0.0.0.0 --cert=cacert.pem --key=privkey.pem",
            &["no command run:"],
            "turnkey --port=8443 --host=0.0.0.0 --cert=cacert.pem --key=privkey.pem",
        ),
        (
            "run -m flask --port=8443 --cert=cacert.pem --key=privkey.pem",
            &["starts no app", "--proxy http://"],
            "turnkey --port=8443 --cert=cacert.pem --key=privkey.pem",
        ),
        ("--app hello run --cert=adhoc", &["starts no app", "--adhoc"], "turnkey --adhoc"),
        ("--cert adhoc --port 1", &["--adhoc"], "turnkey --adhoc --port 1"),
        ("--ssl-context adhoc", &["--adhoc"], "turnkey --adhoc"),
    ]);
}

#[test]
fn the_options_of_other_servers() {
    answers(&[
        (
            "--certfile c --keyfile k --ca-certs a --bind 0.0.0.0:8443 --workers 2",
            &[],
            "turnkey --cert c --key k --client-ca a --host 0.0.0.0 --port 8443 --threads 2",
        ),
        (
            "--ssl-keyfile=k --ssl-certfile=c --ssl-ca-certs=a",
            &[],
            "turnkey --key=k --cert=c --client-ca=a",
        ),
        ("-S -C c -K k", &["-S is not needed"], "turnkey --cert c --key k"),
        ("--tls", &["--cert and --key"], "turnkey --adhoc"),
        ("--ssl_cert c --https", &[], "turnkey --cert c"),
        (
            "--bind 127.0.0.1 --directory d 8000",
            &[],
            "turnkey --host 127.0.0.1 --dir d --port 8000",
        ),
        ("--bind unix:/run/a.sock", &[], "turnkey --listen unix:/run/a.sock"),
        ("--address [::]:443", &[], "turnkey --host :: --port 443"),
        (
            "file-server --root d --browse --listen :80",
            &["no command file-server"],
            "turnkey --dir d --listing --listen 0.0.0.0:80",
        ),
        (
            "reverse-proxy --from :443 --to localhost:9000",
            &["no command reverse-proxy"],
            "turnkey --host 0.0.0.0 --port 443 --proxy http://localhost:9000",
        ),
        (
            "--keystore s.p12 --cacert a --allow-all --allow-dns b.test",
            &["lets in all clients"],
            "turnkey --identity s.p12 --client-ca a --allow-san DNS:b.test",
        ),
        ("--certfile=", &["--cert is empty"], "turnkey --cert FILE"),
        ("check --certfile c", &[], "turnkey check --cert c"),
    ]);
    let output = Program::new(&["--pfx", "my key.p12"]).run();
    assert_complaint(&output, USAGE, &["; type: turnkey --identity 'my key.p12'\n"]);
}

#[test]
fn a_password_that_is_typed_is_not_repeated() {
    for words in [&["--pfx", "a", "--storepass", "xyzzy"][..], &["--pfx=a", "--password=xyzzy"]] {
        let output = Program::new(words).run();
        assert_complaint(&output, USAGE, &["--key-password-file FILE"]);
        assert!(!output.stderr.contains("xyzzy"), "{}", output.stderr);
    }
}

#[test]
fn addresses_that_are_nearly_right() {
    let url = "expected http://host:port";
    answers(&[
        ("--proxy 127.0.0.1:5000", &[url], "turnkey --proxy http://127.0.0.1:5000"),
        ("--proxy=localhost:5000", &[url], "turnkey --proxy=http://localhost:5000"),
        ("--proxy 5000", &[url], "turnkey --proxy http://127.0.0.1:5000"),
        ("--proxy :5000", &[url], "turnkey --proxy http://127.0.0.1:5000"),
        ("--proxy [::1]:5000", &[url], "turnkey --proxy 'http://[::1]:5000'"),
        ("--proxy app.test", &[url], "turnkey --proxy http://app.test"),
        ("--proxy /run/a.sock", &[url], "turnkey --proxy unix:/run/a.sock"),
        ("--proxy wss://a.test", &[url], "turnkey --proxy https://a.test"),
        ("--upstream 5000", &["--upstream is --proxy"], "turnkey --proxy http://127.0.0.1:5000"),
        ("--listen 8000", &[], "turnkey --listen 127.0.0.1:8000"),
        ("--listen :8000", &[], "turnkey --listen 0.0.0.0:8000"),
        ("--listen ::1", &[], "turnkey --listen '[::1]:8000'"),
        ("--listen http://a.test:80/", &[], "turnkey --listen a.test:80"),
        ("--listen /run/a.sock", &[], "turnkey --listen unix:/run/a.sock"),
        ("--metrics 9100", &[], "turnkey --metrics 127.0.0.1:9100"),
        ("--port localhost:8000", &[], "turnkey --host localhost --port 8000"),
        ("--port :8000", &[], "turnkey --port 8000"),
        ("--host 0.0.0.0:80", &["without a port"], "turnkey --host 0.0.0.0 --port 80"),
        ("--host https://a.test", &["without a port"], "turnkey --host a.test"),
        ("--host *", &[], "turnkey --host 0.0.0.0"),
        ("--host 8000", &[], "turnkey --port 8000"),
        ("http://127.0.0.1:5000", &["--proxy"], "turnkey --proxy http://127.0.0.1:5000"),
        ("127.0.0.1:8000 --adhoc", &[], "turnkey --host 127.0.0.1 --port 8000 --adhoc"),
    ]);
    for (typed, port) in [("--port", "70000"), ("--port", "abc"), ("--proxy", "ftp://a")] {
        let output = Program::new(&[typed, port]).run();
        assert_complaint(&output, USAGE, &[typed, port, "; see turnkey --help\n"]);
    }
}

#[test]
fn addresses_that_are_nearly_right_in_the_environment() {
    for (name, value, said) in [
        ("TURNKEY_PROXY", "127.0.0.1:5000", "; set TURNKEY_PROXY=http://127.0.0.1:5000\n"),
        ("TURNKEY_HOST", "0.0.0.0:80", "; set TURNKEY_HOST=0.0.0.0 TURNKEY_PORT=80\n"),
        ("TURNKEY_PROXY", "5000,http://a.test", "/path\n"),
        ("TURNKEY_PORT", "a\nb", "TURNKEY_PORT='a\\nb': expected a port, from 0 to 65535\n"),
    ] {
        assert_complaint(&Program::new(&[]).env(name, value).run(), USAGE, &[said]);
    }
    let recipe = program(&[]).env("HTTPS_ENABLED", "false").env("API_HOST", "a.test:80");
    assert_complaint(&recipe.run(), USAGE, &["API_HOST=a.test:80: expected a name or an address"]);
}

/// A shell variable that is not set leaves an empty word, or none.
#[test]
fn values_that_are_empty_or_missing() {
    for option in
        ["--cert", "--key", "--client-ca", "--dir", "--ocsp", "--identity", "--ticket-keys"]
    {
        let place = if option == "--dir" { "DIR" } else { "FILE" };
        let fixed = format!("turnkey {option} {place}");
        answers(&[
            (&format!("{option}="), &[option, "is empty"], &fixed),
            (&format!("{option} ''"), &[option, "is empty"], &fixed),
            (option, &[option, "needs a value"], &fixed),
            (&format!("{option} --adhoc"), &[option, "needs a value"], &format!("{fixed} --adhoc")),
        ]);
    }
    answers(&[
        ("--mode=", &["--mode is empty"], "turnkey --mode 'http|https|mutual'"),
        ("-p", &["-p needs a value"], "turnkey --port PORT"),
        ("'' --port 1", &["a word is empty"], "turnkey --port 1"),
        ("certs --out=", &["--out is empty"], "turnkey certs --out DIR"),
        ("check --cert=", &["--cert is empty"], "turnkey check --cert FILE"),
    ]);
    let output = Program::new(&["completions", ""]).run();
    assert_complaint(&output, USAGE, &["a word is empty", "bash|zsh|fish"]);
}

#[test]
fn a_folder_as_a_word() {
    let pki = Pki::new();
    let folder = pki.path("my site");
    std::fs::create_dir(&folder).unwrap();
    let output = Program::new(&[&folder, "--listing"]).run();
    let to_type = format!("; type: turnkey --dir '{folder}' --listing\n");
    assert_complaint(&output, USAGE, &["a folder is served with --dir", &to_type]);
    answers(&[
        ("./public", &["--dir"], "turnkey --dir ./public"),
        (".", &["--dir"], "turnkey --dir ."),
        ("-- --dir public", &["no --"], "turnkey --dir public"),
    ]);
    let file = pki.write("app.py", "");
    let output = Program::new(&[&file]).run();
    assert_complaint(&output, USAGE, &["there is no command", "; see turnkey --help\n"]);
}

/// What is advised works; what is wrong besides is said in place of it.
#[test]
fn nothing_is_advised_that_is_wrong_too() {
    for (words, said) in [
        (
            &["serve", "--prot", "80"][..],
            "no command serve: turnkey serves without one; there is no option --prot (did you mean --port?)",
        ),
        (&["--certfile", "a", "--qqq"], "--certfile is --cert here; there is no option --qqq"),
        (&["--prot", "public"], "there is no option --prot (did you mean --port?)"),
        (&["serve", "a\nb"], "serves without one; there is no command a\\nb"),
        (&["serve", "--cert", "a\nb"], "no command serve: turnkey serves without one; see"),
        (&["--port", "1", "--port", "2"], "--port 2: given more than once"),
    ] {
        let output = Program::new(words).run();
        assert_complaint(&output, USAGE, &[said, "; see turnkey --help\n"]);
        assert!(!output.stderr.contains("type:"), "{}", output.stderr);
    }
}

#[test]
fn an_address_in_brackets_is_no_mistake() {
    drop(program(&["--host", "[::1]"]).start());
    let recipe = Program::new(&[]).env("HTTPS_ENABLED", "false").env("API_PORT", "0");
    drop(recipe.env("API_HOST", "[::1]").start());
}
