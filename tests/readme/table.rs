//! How each command of `README.md` is tried: as it stands there, in the place, or by a test that is named.

/// What stands for a command that the server itself says to try.
pub(crate) const TRY: &str = "try";
/// What stands for the output that `README.md` shows; what follows is how that begins.
pub(crate) const AS_SHOWN: &str = "as shown: ";

/// A command, and how it is tried.
pub(crate) struct Row {
    pub(crate) command: &'static str,
    pub(crate) how: How,
    /// Where it is run, in the folder of the project.
    pub(crate) folder: &'static str,
    /// What is done before, in the folder of the project.
    pub(crate) before: &'static str,
    /// What stands for `…`, and the like.
    pub(crate) meant: &'static [(&'static str, &'static str)],
    /// What serves behind it.
    pub(crate) upstreams: &'static [&'static str],
    /// Commands to ask with, or to look with after it has ended, and what they print.
    pub(crate) asks: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It serves until it is ended.
    Serves,
    /// It ends by itself, and well; what it prints.
    Ends(&'static str),
    /// It asks what another serves.
    Asks,
    /// A test does it: its file and its name.
    Tested(&'static str, &'static str),
}

impl Row {
    fn new(command: &'static str, how: How) -> Self {
        let (folder, before, meant, upstreams) = ("", "", &[], &[]);
        Self { command, how, folder, before, meant, upstreams, asks: Vec::new() }
    }

    fn within(mut self, folder: &'static str) -> Self {
        self.folder = folder;
        self
    }

    fn before(mut self, script: &'static str) -> Self {
        self.before = script;
        self
    }

    fn meaning(mut self, meant: &'static [(&'static str, &'static str)]) -> Self {
        self.meant = meant;
        self
    }

    fn upstreams(mut self, upstreams: &'static [&'static str]) -> Self {
        self.upstreams = upstreams;
        self
    }

    fn ask(mut self, command: &'static str, expected: &'static str) -> Self {
        self.asks.push((command, expected));
        self
    }
}

fn serves(command: &'static str) -> Row {
    Row::new(command, How::Serves)
}

fn ends(command: &'static str, expected: &'static str) -> Row {
    Row::new(command, How::Ends(expected))
}

fn asks(command: &'static str) -> Row {
    Row::new(command, How::Asks)
}

fn tested(command: &'static str, file: &'static str, name: &'static str) -> Row {
    Row::new(command, How::Tested(file, name))
}

const HTTP: &str = "curl http://127.0.0.1:8000/";
const HTTPS: &str = "curl --cacert certs/ca.crt https://127.0.0.1:8000/";
const MUTUAL: &str = "curl --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8000/";
const WHOAMI: &str =
    "curl -s --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8000/whoami";
const SOCKET: &str = "curl --unix-socket /run/turnkey.sock http://localhost/";
const TOP: &str = "Top-level content";
const REFUSED: &str = "as shown: curl: (56)";

/// Every command of `README.md`.
pub(crate) fn table() -> Vec<Row> {
    [modes(), certificates(), clients(), files(), places(), proxies(), programs()]
        .into_iter()
        .flatten()
        .collect()
}

fn modes() -> Vec<Row> {
    let files = "turnkey --cert server_chain.pem --key server.key";
    let mutual = "turnkey --cert server_chain.pem --key server.key --client-ca ca.crt";
    vec![
        serves("make certs && make run")
            .before("rm -f certs/*.crt certs/*.key certs/*.pem certs/*.p12")
            .ask(HTTPS, "as shown: Top")
            .ask(TRY, TOP),
        serves("make run").ask(HTTPS, TOP),
        serves("make run MODE=http").ask(HTTP, TOP),
        serves("make run MODE=mutual").ask(MUTUAL, TOP).ask(HTTPS, REFUSED),
        serves("make run HTTPS_ENABLED=1 VERIFY_USER=1").ask(MUTUAL, TOP).ask(HTTPS, REFUSED),
        serves("make run BACKEND=").ask(HTTPS, TOP).ask(TRY, TOP),
        serves("make run BACKEND=openssl MODE=mutual")
            .ask(MUTUAL, TOP)
            .ask(HTTPS, "curl: (56)[...]"),
        serves("turnkey").ask(HTTP, TOP).ask(TRY, TOP),
        serves(files).within("certs").ask(HTTPS, TOP).ask(TRY, TOP),
        serves(mutual)
            .within("certs")
            .ask(HTTPS, REFUSED)
            .ask(MUTUAL, TOP)
            .ask(WHOAMI, "as shown: {"),
        serves("turnkey --adhoc").ask(TRY, TOP),
        serves("turnkey --adhoc --mode mutual").ask(TRY, TOP),
        serves("turnkey --port 8000").ask(HTTP, TOP),
        asks(HTTP),
        asks(HTTPS),
        asks(MUTUAL),
        asks(WHOAMI),
    ]
}

fn certificates() -> Vec<Row> {
    let check =
        "TURNKEY_KEY_PASSWORD=turnkey turnkey check --identity certs/server.p12 --host localhost";
    vec![
        ends("make certs", "[...]\n  kept[...]Serve:[...]\n  make run\n"),
        ends(
            "turnkey certs --out certs",
            "[...]\n  kept[...]Serve:[...]\n  turnkey --cert certs/server_chain.pem --key certs/server.key\n",
        ),
        ends("turnkey certs", "[...]\n  created; wrote ca.crt[...]").within("target"),
        ends(
            "turnkey certs --client web --san spiffe://example.test/ns/a/sa/web",
            "[...]web: CN=web,[...]\n  for spiffe://example.test/ns/a/sa/web\n[...]created[...]",
        ),
        ends(
            "turnkey certs --out a --no-default-names --host a.example.test",
            "[...]\n  for a.example.test\n[...]",
        ),
        ends(
            "turnkey certs --out b --no-default-names --host b.example.test",
            "[...]\n  for b.example.test\n[...]",
        ),
        serves(
            "turnkey --cert a/server_chain.pem --key a/server.key --cert b/server_chain.pem --key b/server.key",
        )
        .ask(TRY, TOP)
        .ask(
            "curl --cacert b/ca.crt --resolve b.example.test:8000:127.0.0.1 https://b.example.test:8000/",
            TOP,
        ),
        ends(
            check,
            "[...]localhost: the certificate \"CN=server.localhost\" is for it[...]it would start",
        ),
        ends("turnkey check", "[...]it would start"),
        ends("openssl rand -out FILE 80", "").ask("wc -c <FILE", "80"),
    ]
}

fn clients() -> Vec<Row> {
    const MEANT: &[(&str, &str)] =
        &[("…", "--cert server_chain.pem --key server.key --client-ca ca.crt")];
    const WEB: &str = "curl --cacert certs/ca.crt --cert certs/web.pem https://127.0.0.1:8000/";
    const OTHER: &str = "curl --cacert certs/ca.crt --cert certs/other.pem https://127.0.0.1:8000/";
    let list = "cd certs; : >index.txt; echo 01 >number
        printf '[ca]\\ndefault_ca=own\\n[own]\\ndatabase=index.txt\\ncrlnumber=number\\ndefault_md=sha256\\n' >ca.cnf
        openssl ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.crt -crldays 30 -out ca.crl";
    let forbidden = "[...]is not allowed here";
    let rules = |command: &'static str, before: &'static str| {
        let row = serves(command).within("certs").meaning(MEANT).before(before);
        row.ask(WEB, TOP).ask(MUTUAL, forbidden)
    };
    vec![
        serves("turnkey … --client-crl ca.crl")
            .within("certs")
            .before(list)
            .meaning(MEANT)
            .ask(MUTUAL, TOP),
        rules("turnkey … --allow-cn 'web-*'", "issue web /CN=web-1 DNS:a.test"),
        rules(
            "turnkey … --allow-san '*.example.test'",
            "issue web /CN=x DNS:a.example.test; issue other /CN=y DNS:a.b.example.test",
        )
        .ask(OTHER, forbidden),
        rules(
            "turnkey … --allow-san '*@example.test' --allow-san 'spiffe://example.test/ns/*/sa/web'",
            "issue web /CN=x email:a@example.test
            issue other /CN=y URI:spiffe://example.test/ns/n/sa/web",
        )
        .ask(OTHER, TOP),
    ]
}

fn files() -> Vec<Row> {
    const FILE: &str = "curl http://127.0.0.1:8000/a.txt";
    vec![
        serves(
            "turnkey --cert fullchain.pem --key privkey.pem --host 0.0.0.0 --port 443 --redirect-from 80 \
             --dir /var/www",
        )
        .within("certs")
        .before(
            "cp certs/server_chain.pem certs/fullchain.pem; cp certs/server.key certs/privkey.pem
            mkdir -p /var/www/.well-known/acme-challenge; echo The web >/var/www/index.html
            echo proof >/var/www/.well-known/acme-challenge/token",
        )
        .ask("curl --cacert certs/ca.crt https://localhost/", "The web")
        .ask("curl http://localhost/.well-known/acme-challenge/token", "proof")
        .ask("curl -w '%{http_code} %{redirect_url}' -o /dev/null http://localhost/a?b", "308 https://localhost/a?b"),
        serves("turnkey --dir public").before("mkdir public; echo A >public/a.txt").ask(FILE, "A"),
        serves("turnkey --dir public --listing --adhoc").ask(TRY, "[...]>a.txt</a>[...]"),
        serves("turnkey --dir dist --spa --cert server_chain.pem --key server.key")
            .within("certs")
            .before("mkdir certs/dist; echo The app >certs/dist/index.html")
            .ask("curl --cacert certs/ca.crt https://127.0.0.1:8000/some/page", "The app"),
    ]
}

fn places() -> Vec<Row> {
    const TALK: &str = "curl 'http://[::1]:8000/'";
    vec![
        serves(
            "HTTPS_ENABLED=true VERIFY_USER=true API_PORT=8443 CA_CHAIN_CRT=server_chain.pem \
             API_KEY=server.key API_CA_T=ca.crt turnkey",
        )
        .within("certs")
        .ask("curl --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8443/", TOP)
        .ask("curl --cacert certs/ca.crt https://127.0.0.1:8443/", "curl: (56)[...]"),
        serves(
            "turnkey --listen 127.0.0.1:8000 --listen '[::1]:8000' --listen unix:/run/turnkey.sock \
             --socket-mode 660",
        )
        .ask(HTTP, TOP)
        .ask(TALK, TOP)
        .ask(SOCKET, TOP)
        .ask("stat -c %a /run/turnkey.sock", "660"),
        serves("turnkey --listen '[::]:8000'").ask(HTTP, TOP).ask(TALK, TOP),
        asks(SOCKET),
    ]
}

fn proxies() -> Vec<Row> {
    const CLAIM: &str = "curl -H 'X-Forwarded-Proto: https' http://127.0.0.1:8000/whoami";
    const BEHIND: &str = "curl --haproxy-protocol --interface 10.0.0.7 http://127.0.0.1:8000/";
    const BY_SOCKET: &str = "curl --unix-socket /run/turnkey.sock \
         -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 192.0.2.1' http://localhost/whoami";
    const TWICE: &str = "curl --insecure https://127.0.0.1:8000/ https://127.0.0.1:8000/";
    vec![
        serves("turnkey --trust-proxy 127.0.0.1").ask(CLAIM, "[...]\"scheme\": \"https\"[...]"),
        serves("turnkey --trust-proxy 10.0.0.0/8 --proxy-protocol")
            .ask(BEHIND, TOP)
            .ask("curl --interface 10.0.0.7 http://127.0.0.1:8000/", "curl: (52) [...]"),
        serves("turnkey --trust-proxy unix --listen unix:/run/turnkey.sock")
            .ask(BY_SOCKET, "[...]\"scheme\": \"https\"[...]\"client\": \"192.0.2.1\"[...]"),
        serves(
            "turnkey --cert server.crt --key server.key --client-ca ca.crt --proxy http://127.0.0.1:5000",
        )
        .within("certs")
        .upstreams(&["turnkey --port 5000"])
        .ask(MUTUAL, TOP),
        tested(
            "gunicorn --bind unix:/run/app.sock mysite.wsgi",
            "tests/upstreams/seed.rs",
            "fn behind_apache_the_admin_stays_on_https",
        ),
        serves("turnkey --cert server_chain.pem --key server.key --proxy unix:/run/app.sock")
            .within("certs")
            .upstreams(&["turnkey --listen unix:/run/app.sock"])
            .ask(HTTPS, TOP),
        serves("turnkey --adhoc --proxy unix:/run/app.sock")
            .upstreams(&["turnkey --listen unix:/run/app.sock"])
            .ask(TRY, TOP),
        serves(
            "turnkey --adhoc --proxy http://10.0.0.1:5000 --proxy http://10.0.0.2:5000 \
             --balance least-connections",
        )
        .upstreams(&["turnkey --listen 10.0.0.1:5000", "turnkey --listen 10.0.0.2:5000"])
        .ask(TRY, TOP)
        .ask(TWICE, "Top-level content[...]Top-level content"),
        serves(
            "turnkey --adhoc --proxy https://10.0.0.1 --upstream-ca ca.crt --upstream-cert me.crt \
             --upstream-key me.key",
        )
        .within("certs")
        .before(
            "turnkey certs --out certs --host 10.0.0.1
            cp certs/client.crt certs/me.crt; cp certs/client.key certs/me.key",
        )
        .upstreams(&["turnkey --listen 10.0.0.1:443 --cert certs/server_chain.pem \
            --key certs/server.key --client-ca certs/ca.crt"])
        .ask(TRY, TOP),
    ]
}

fn programs() -> Vec<Row> {
    const MAKE: &str = "tests/make.rs";
    const HEADERS: &str = "fn missing_headers_are_named_with_their_packages";
    let (cargo, features) = ("tests/readme/cargo.rs", "fn its_commands_name_what_there_is");
    let mut rows = vec![
        ends("make build", ""),
        ends("make install", "[...]/usr/local/bin/turnkey\n[...]")
            .ask("/usr/local/bin/turnkey --version", "turnkey 0.1.0[...]"),
        ends("make uninstall", "").ask("ls /usr/local/bin/turnkey", "[...]No such file[...]"),
        ends("turnkey --help", "[...]--client-ca[...]--max-head[...]"),
        ends("turnkey -h", "[...]--client-ca[...]turnkey --help lists all options[...]"),
        ends("turnkey completions bash", "[...]complete [...]"),
        tested(
            "turnkey man | man -l -",
            "tests/manual.rs",
            "fn formatters_have_nothing_to_say_of_it",
        ),
        tested("man turnkey", "tests/packaging/install.rs", "share/man/man1/turnkey.1"),
        tested("make deb", "tests/packaging/deb.rs", "fn a_package_installs_serves_and_goes"),
        // What runs the tests, this one too.
        tested("make test", "Makefile", "test: deps lint "),
        tested("make lint", "Makefile", "test: deps lint "),
        tested("apt-get install gcc make pkg-config libssl-dev", MAKE, HEADERS),
        tested("dnf install gcc make pkgconf-pkg-config openssl-devel", MAKE, HEADERS),
        tested("apk add gcc make musl-dev pkgconf openssl-dev", MAKE, HEADERS),
        tested(
            "systemctl enable --now turnkey",
            "tests/packaging/system.sh",
            "systemctl enable turnkey",
        ),
        tested(
            "systemd-analyze security",
            "tests/systemd/unit.rs",
            "fn the_service_is_exposed_to_little",
        ),
        tested(
            "systemctl reload",
            "tests/systemd/notify.rs",
            "fn it_is_told_of_start_reload_and_stop",
        ),
    ];
    for command in [
        "cargo build --release",
        "cargo build --release --no-default-features --features rustls",
        "cargo build --release --no-default-features --features native-tls",
        "cargo install --path .",
        "cargo run --release -- certs",
        "cargo run --release -- --identity certs\\server.p12",
        "cargo run --example …",
        "cargo doc --open",
    ] {
        rows.push(tested(command, cargo, features));
    }
    rows
}
