//! The commands of `README.md`, `docs/GUIDE.md` and `certs/README.md`.

use crate::errors;
use crate::row::{Row, TRY, asks, ends, fails, serves, tested, upstream};

const HTTP: &str = "curl http://127.0.0.1:8000/";
const HTTPS: &str = "curl --cacert certs/ca.crt https://127.0.0.1:8000/";
const MUTUAL: &str = "curl --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8000/";
const ALICE: &str = "curl --cacert certs/ca.crt --cert certs/alice.pem https://localhost:8000/";
const WHOAMI: &str =
    "curl -s --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8000/whoami";
const SOCKET: &str = "curl --unix-socket /run/turnkey.sock http://localhost/";
const CASE: &str = "curl --max-time 3 telnet://127.0.0.1:8000 <tests/wire/host-missing.request";
const PAGE: &str = "curl --cacert certs/ca.crt https://localhost:8000/GUIDE.md";
pub(crate) const TOP: &str = "Top-level content";
const REFUSED: &str = "as shown: curl: (56)";
const FORBIDDEN: &str = "[...]is not allowed here";

pub(crate) fn rows() -> Vec<Row> {
    [modes(), make(), certificates(), clients(), files(), addresses(), apps(), proxies()]
        .into_iter()
        .flatten()
        .collect()
}

fn modes() -> Vec<Row> {
    const FILES: &str = "turnkey --cert certs/server_chain.pem --key certs/server.key";
    const CLIENTS: &str = "turnkey --cert certs/server_chain.pem --key certs/server.key \
         --client-ca certs/ca.crt";
    vec![
        ends("export PATH=\"$PWD/target/release:$PATH\"", ""),
        serves("turnkey").ask(HTTP, TOP).ask(TRY, TOP).ask(CASE, "HTTP/1.1 400 Bad Request[...]"),
        errors::ask_in_https(serves(FILES).ask(HTTPS, TOP).ask(TRY, TOP)),
        errors::ask_in_mutual(
            serves(CLIENTS).ask(HTTPS, REFUSED).ask(MUTUAL, TOP).ask(WHOAMI, "as shown: {"),
        ),
        serves("TURNKEY_KEY_PASSWORD=turnkey turnkey --identity certs/server.p12").ask(HTTPS, TOP),
        serves(
            "TURNKEY_KEY_PASSWORD=turnkey turnkey --identity certs/server.p12 \
             --client-ca certs/ca.crt",
        )
        .ask(HTTPS, REFUSED)
        .ask(MUTUAL, TOP),
        serves("turnkey --adhoc").ask(TRY, TOP),
        serves("turnkey --adhoc --mode mutual").ask(TRY, TOP),
        serves("turnkey --port 8000").ask(HTTP, TOP),
        asks(HTTP),
        asks(HTTPS),
        asks(MUTUAL),
        asks(ALICE),
        asks(CASE),
        asks(WHOAMI),
    ]
}

fn make() -> Vec<Row> {
    const BY_RECIPE: &str = "HTTPS_ENABLED=true VERIFY_USER=true API_PORT=8443 \
         CA_CHAIN_CRT=certs/server_chain.pem API_KEY=certs/server.key API_CA_T=certs/ca.crt turnkey";
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
        serves(BY_RECIPE)
            .ask("curl --cacert certs/ca.crt --cert certs/client.pem https://127.0.0.1:8443/", TOP)
            .ask("curl --cacert certs/ca.crt https://127.0.0.1:8443/", "curl: (56)[...]"),
    ]
}

fn certificates() -> Vec<Row> {
    const PKCS12: &str =
        "TURNKEY_KEY_PASSWORD=turnkey turnkey check --identity certs/server.p12 --host localhost";
    const PEM: &str =
        "turnkey check --cert certs/server_chain.pem --key certs/server.key --host localhost";
    const GOOD: &str =
        "[...]localhost: the certificate \"CN=server.localhost\" is for it[...]it would start";
    const NAMES: &str = "turnkey certs --client web --san DNS:web.example.test \
         --san email:alice@example.test --san URI:spiffe://example.test/ns/a/sa/web --san IP:10.0.0.1";
    vec![
        ends("make certs", "[...]\n  kept[...]Serve:[...]\n  make run\n"),
        ends(
            "turnkey certs --out certs",
            "[...]\n  kept[...]Serve:[...]\n  turnkey --cert certs/server_chain.pem --key certs/server.key\n",
        ),
        ends("turnkey certs", "[...]\n  kept[...]"),
        ends("turnkey certs --host example.test", "[...]example.test[...]\n  renewed[...]"),
        ends(
            "turnkey certs --host app.test --host 192.168.1.20",
            "[...]app.test[...]192.168.1.20[...]\n  renewed[...]",
        ),
        ends("turnkey certs --client alice", "[...]alice: CN=alice[...]"),
        ends(
            "turnkey certs --client web --san spiffe://example.test/ns/a/sa/web",
            "[...]web: CN=web,[...]\n  for spiffe://example.test/ns/a/sa/web\n[...]created[...]",
        ),
        ends(NAMES, "[...]web.example.test[...]alice@example.test[...]10.0.0.1[...]"),
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
        ends(PKCS12, GOOD),
        ends(PEM, GOOD),
        ends("turnkey check", "[...]it would start"),
        ends("openssl rand -out FILE 80", "").ask("wc -c <FILE", "80"),
        tested(
            "cd certs && umask 077",
            "src/pki/tests/kept.rs",
            "fn what_the_readme_makes_by_hand_is_kept",
        ),
        fails(
            "turnkey --backend native-tls --cert certs/server_chain.pem --key certs/server.key \
             --client-ca certs/ca.crt",
            "as shown: turnkey: --backend native-tls",
        ),
    ]
}

fn clients() -> Vec<Row> {
    const MEANT: &[(&str, &str)] =
        &[("…", "--cert certs/server_chain.pem --key certs/server.key --client-ca certs/ca.crt")];
    const WEB: &str = "curl --cacert certs/ca.crt --cert certs/web.pem https://127.0.0.1:8000/";
    const OTHER: &str = "curl --cacert certs/ca.crt --cert certs/other.pem https://127.0.0.1:8000/";
    let list = "cd certs; : >index.txt; echo 01 >number
        printf '[ca]\\ndefault_ca=own\\n[own]\\ndatabase=index.txt\\ncrlnumber=number\\ndefault_md=sha256\\n' >ca.cnf
        openssl ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.crt -crldays 30 -out ca.crl";
    let rules = |command: &'static str, before: &'static str| {
        let row = serves(command).meaning(MEANT).before(before);
        row.ask(WEB, TOP).ask(MUTUAL, FORBIDDEN)
    };
    vec![
        serves("turnkey … --client-crl certs/ca.crl").before(list).meaning(MEANT).ask(MUTUAL, TOP),
        rules("turnkey … --allow-cn 'web-*'", "issue web /CN=web-1 DNS:a.test"),
        rules(
            "turnkey … --allow-san '*.example.test'",
            "issue web /CN=x DNS:a.example.test; issue other /CN=y DNS:a.b.example.test",
        )
        .ask(OTHER, FORBIDDEN),
        rules(
            "turnkey … --allow-san '*@example.test' --allow-san 'spiffe://example.test/ns/*/sa/web'",
            "issue web /CN=x email:a@example.test
            issue other /CN=y URI:spiffe://example.test/ns/n/sa/web",
        )
        .ask(OTHER, TOP),
        serves("turnkey … --allow-issuer certs/ca.crt").meaning(MEANT).ask(MUTUAL, TOP),
    ]
}

fn files() -> Vec<Row> {
    const FILE: &str = "curl http://127.0.0.1:8000/a.txt";
    const TO_HTTPS: &str =
        "curl -w '%{http_code} %{redirect_url}' -o /dev/null http://localhost/a?b";
    vec![
        serves("turnkey --cert certs/server_chain.pem --key certs/server.key --dir docs --listing")
            .ask(PAGE, "# The turnkey guide[...]")
            .ask("curl --cacert certs/ca.crt https://localhost:8000/", "[...]>GUIDE.md</a>[...]"),
        asks(PAGE),
        serves(
            "turnkey --cert certs/server_chain.pem --key certs/server.key --host 0.0.0.0 --port 443 \
             --redirect-from 80 --dir /var/www",
        )
        .before(
            "mkdir -p /var/www/.well-known/acme-challenge; echo The web >/var/www/index.html
            echo proof >/var/www/.well-known/acme-challenge/token",
        )
        .ask("curl --cacert certs/ca.crt https://localhost/", "The web")
        .ask("curl http://localhost/.well-known/acme-challenge/token", "proof")
        .ask(TO_HTTPS, "308 https://localhost/a?b"),
        serves("turnkey --dir public").before("mkdir public; echo A >public/a.txt").ask(FILE, "A"),
        serves("turnkey --dir public --listing --adhoc").ask(TRY, "[...]>a.txt</a>[...]"),
        serves("turnkey --dir dist --spa --cert certs/server_chain.pem --key certs/server.key")
            .before("mkdir dist; echo The app >dist/index.html")
            .ask("curl --cacert certs/ca.crt https://127.0.0.1:8000/some/page", "The app"),
    ]
}

fn addresses() -> Vec<Row> {
    const TALK: &str = "curl 'http://[::1]:8000/'";
    vec![
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

fn apps() -> Vec<Row> {
    const APP: &str = "turnkey --port 5000";
    const SOCKET: &str = "turnkey --listen unix:/run/app.sock";
    const TWICE: &str = "curl --insecure https://127.0.0.1:8000/ https://127.0.0.1:8000/";
    vec![
        upstream(APP),
        serves(
            "turnkey --cert certs/server_chain.pem --key certs/server.key \
             --proxy http://127.0.0.1:5000",
        )
        .upstreams(&[APP])
        .ask(HTTPS, TOP),
        serves(
            "turnkey --cert certs/server_chain.pem --key certs/server.key --client-ca certs/ca.crt \
             --allow-cn alice --proxy http://127.0.0.1:5000",
        )
        .upstreams(&[APP])
        .ask(ALICE, TOP)
        .ask(MUTUAL, FORBIDDEN)
        .ask(HTTPS, REFUSED),
        serves(
            "turnkey --cert certs/server_chain.pem --key certs/server.key --client-ca certs/ca.crt \
             --proxy http://127.0.0.1:5000",
        )
        .upstreams(&[APP])
        .ask(MUTUAL, TOP),
        tested(
            "gunicorn --bind unix:/run/app.sock mysite.wsgi",
            "tests/upstreams/seed.rs",
            "fn behind_apache_the_admin_stays_on_https",
        ),
        serves(
            "turnkey --cert certs/server_chain.pem --key certs/server.key --proxy unix:/run/app.sock",
        )
        .upstreams(&[SOCKET])
        .ask(HTTPS, TOP),
        serves("turnkey --adhoc --proxy unix:/run/app.sock").upstreams(&[SOCKET]).ask(TRY, TOP),
        serves(
            "turnkey --adhoc --proxy http://10.0.0.1:5000 --proxy http://10.0.0.2:5000 \
             --balance least-connections",
        )
        .upstreams(&["turnkey --listen 10.0.0.1:5000", "turnkey --listen 10.0.0.2:5000"])
        .ask(TRY, TOP)
        .ask(TWICE, "Top-level content[...]Top-level content"),
        serves(
            "turnkey --adhoc --proxy https://10.0.0.1 --upstream-ca certs/ca.crt \
             --upstream-cert certs/client.crt --upstream-key certs/client.key",
        )
        .before("turnkey certs --out certs --host 10.0.0.1")
        .upstreams(&["turnkey --listen 10.0.0.1:443 --cert certs/server_chain.pem \
            --key certs/server.key --client-ca certs/ca.crt"])
        .ask(TRY, TOP),
    ]
}

fn proxies() -> Vec<Row> {
    const CLAIM: &str = "curl -H 'X-Forwarded-Proto: https' http://127.0.0.1:8000/whoami";
    const BEHIND: &str = "curl --haproxy-protocol --interface 10.0.0.7 http://127.0.0.1:8000/";
    const BY_SOCKET: &str = "curl --unix-socket /run/turnkey.sock \
         -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-For: 192.0.2.1' http://localhost/whoami";
    vec![
        serves("turnkey --trust-proxy 127.0.0.1").ask(CLAIM, "[...]\"scheme\": \"https\"[...]"),
        serves("turnkey --trust-proxy 10.0.0.0/8 --proxy-protocol")
            .ask(BEHIND, TOP)
            .ask("curl --interface 10.0.0.7 http://127.0.0.1:8000/", "curl: (52) [...]"),
        serves("turnkey --trust-proxy unix --listen unix:/run/turnkey.sock")
            .ask(BY_SOCKET, "[...]\"scheme\": \"https\"[...]\"client\": \"192.0.2.1\"[...]"),
    ]
}
