//! CAs of upstreams, and who we are to them, that change while the server runs: what begins from then on
//! goes by what the files hold, and what is bad changes nothing.

use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use crate::bodies::signal;
use crate::support::upstream::Upstream;
use crate::support::{Authority, Dialer, Leaf, Pki, Profile, Server, table};
use crate::tls::server_config;
use crate::{OK, OK_CLOSE, assert_refused};

/// What the server itself speaks, with the stack that it speaks to upstreams.
#[derive(Debug, Clone, Copy)]
enum Own {
    Http,
    Tls(&'static str),
}

table! {
    columns {
        http = Own::Http;
        native_tls = Own::Tls("native-tls");
        rustls = Own::Tls("rustls");
        openssl = Own::Tls("openssl");
    } rows {
        a_ca_is_read_again
        a_change_is_noticed
        who_we_are_is_read_again
        what_is_bad_changes_nothing
        what_is_under_way_is_finished
    }
}

/// A server before an upstream that asks for certificates, with files that can be written anew.
struct Before {
    server: Server,
    dialer: Dialer,
    pki: Pki,
    upstream: Upstream,
}

impl Before {
    fn start(own: Own) -> Self {
        Self::with(own, |pki| {
            let config = server_config(&pki.server, Some(&pki.ca_file));
            Upstream::tls(config, |talk| talk.answer_all(OK))
        })
    }

    fn with(own: Own, upstream: impl FnOnce(&Pki) -> Upstream) -> Self {
        let pki = Pki::new();
        let upstream = upstream(&pki);
        let files = ["up.crt", "up.key", "up-ca.pem"].map(|name| pki.path(name));
        let site = Self { server: Server::with(&[]), dialer: Dialer::plain(0), pki, upstream };
        site.write_identity(&site.pki.ca.issue(&Profile::client("us")));
        site.write_ca(&site.pki.ca);
        let [cert, key, ca] = &files;
        let mut args = vec!["--proxy", &site.upstream.url, "--upstream-ca", ca];
        args.extend(["--upstream-cert", cert, "--upstream-key", key]);
        let identity = site.pki.server_args();
        if let Own::Tls(backend) = own {
            args.extend(["--backend", backend]);
            args.extend(identity);
        }
        let server = Server::with(&args);
        let dialer = match own {
            Own::Http => Dialer::plain(server.port),
            Own::Tls(_) => Dialer::tls(server.port, &site.pki.ca_file),
        };
        Self { server, dialer, ..site }
    }

    fn write_identity(&self, leaf: &Leaf) {
        self.pki.write("up.crt", &leaf.cert);
        self.pki.write("up.key", &leaf.key);
    }

    fn write_ca(&self, ca: &Authority) {
        self.pki.write("up-ca.pem", ca.pem());
    }

    fn get(&self) -> String {
        let mut conn = self.dialer.open();
        conn.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&conn.rest()).into_owned()
    }

    #[track_caller]
    fn assert_serves(&self) {
        assert_eq!(self.get(), OK_CLOSE, "{}", self.server.log());
    }
}

fn a_ca_is_read_again(own: Own) {
    let site = Before::start(own);
    site.assert_serves();
    site.write_ca(&Authority::root("Other CA"));
    site.server.reload();
    // The connection that stands is good, and of another time.
    assert_refused(&site.get(), 502, &["TLS handshake with the upstream"]);
    assert_eq!(site.upstream.requests().len(), 1);
    site.write_ca(&site.pki.ca);
    site.server.reload();
    site.assert_serves();
    // As long as the files say the same, however often they are read, it is used again.
    let accepted = site.upstream.accepted();
    site.assert_serves();
    site.server.reload();
    site.assert_serves();
    assert_eq!(site.upstream.accepted(), accepted);
    site.write_identity(&site.pki.ca.issue(&Profile::client("us again")));
    site.server.reload();
    site.assert_serves();
    assert_eq!(site.upstream.accepted(), accepted + 1);
}

fn a_change_is_noticed(own: Own) {
    let site = Before::start(own);
    site.assert_serves();
    let start = site.server.log_len();
    site.write_ca(&Authority::root("Other CA"));
    let line = site.server.logged_since(start, &["reloaded (a file changed)"]);
    assert!(line.starts_with("info: reloaded"), "{line}");
    assert_refused(&site.get(), 502, &["TLS handshake with the upstream"]);
    let start = site.server.log_len();
    site.write_ca(&site.pki.ca);
    site.write_identity(&site.pki.ca.issue(&Profile::client("us again")));
    site.server.logged_since(start, &["info: reloaded (a file changed)"]);
    site.assert_serves();
}

fn who_we_are_is_read_again(own: Own) {
    let site = Before::start(own);
    site.assert_serves();
    site.write_identity(&Authority::root("Other CA").issue(&Profile::client("us")));
    site.server.reload();
    // Over TLS 1.3 we learn only from what follows that it is not taken.
    assert_refused(&site.get(), 502, &["upstream"]);
    assert_eq!(site.upstream.requests().len(), 1);
    site.write_identity(&site.pki.ca.issue(&Profile::client("us again")));
    site.server.reload();
    site.assert_serves();
}

fn what_is_bad_changes_nothing(own: Own) {
    let site = Before::start(own);
    site.assert_serves();
    let other = site.pki.ca.issue(&Profile::client("other"));
    for (name, contents, cause) in [
        ("up-ca.pem", "no PEM", &["(--upstream-ca)"][..]),
        ("up.crt", "no PEM", &["(--upstream-cert)"]),
        ("up.key", "no PEM", &["(--upstream-key)"]),
        ("up.key", &other.key, &["(--upstream-key)", "up.crt"]),
    ] {
        let was = std::fs::read_to_string(site.pki.path(name)).unwrap();
        site.pki.write(name, contents);
        let line = site.server.hang_up();
        assert!(line.starts_with("error: not reloaded (SIGHUP), all stays as it was"), "{line}");
        let named = site.pki.path(name);
        assert!(line.contains(&named) && cause.iter().all(|c| line.contains(c)), "{line}");
        site.assert_serves();
        site.pki.write(name, was);
    }
    site.write_identity(&site.pki.ca.issue(&Profile::client("late").expired()));
    let line = site.server.hang_up();
    assert!(line.contains("(--upstream-cert)") && line.contains("expired"), "{line}");
    site.assert_serves();
    let Own::Tls(_) = own else {
        return assert_eq!(site.upstream.accepted(), 1, "the connection that stands was good");
    };
    // What is good of them is not taken up without the rest: neither theirs without ours ...
    site.write_identity(&site.pki.ca.issue(&Profile::client("us again")));
    site.write_ca(&Authority::root("Other CA"));
    site.pki.write("server.key", "no PEM");
    let line = site.server.hang_up();
    assert!(line.starts_with("error: not reloaded") && line.contains("(--key)"), "{line}");
    site.assert_serves();
    // ... nor ours without theirs.
    site.pki.write("up-ca.pem", "no PEM");
    let before = site.dialer.open().certificate();
    let next = site.pki.ca.issue(&Profile::server("next"));
    site.pki.write("server.crt", &next.cert);
    site.pki.write("server.key", &next.key);
    assert!(site.server.hang_up().contains("(--upstream-ca)"));
    assert_eq!(site.dialer.open().certificate(), before);
    site.assert_serves();
    assert_eq!(site.upstream.accepted(), 1, "the connection that stands was good");
    site.write_ca(&site.pki.ca);
    site.write_identity(&site.pki.ca.issue(&Profile::client("us again")));
    site.server.reload();
    assert_ne!(site.dialer.open().certificate(), before);
}

fn what_is_under_way_is_finished(own: Own) {
    let (go, may_go) = signal::<()>();
    let site = Before::with(own, |pki| {
        let config = server_config(&pki.server, Some(&pki.ca_file));
        Upstream::tls(config, move |talk| {
            while talk.request().is_some() {
                talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
                may_go.lock().unwrap().recv_timeout(Duration::from_secs(8)).ok();
                talk.send(b"world");
            }
        })
    });
    let mut conn = site.dialer.open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    conn.read_some().unwrap();
    site.write_ca(&Authority::root("Other CA"));
    site.server.reload();
    release(&go);
    assert_eq!(conn.response().body, b"helloworld");
    // It does not wait for another request.
    assert_refused(&site.get(), 502, &["TLS handshake with the upstream"]);
    assert_eq!(site.upstream.requests().len(), 1);
}

fn release(go: &Sender<()>) {
    thread::sleep(Duration::from_millis(100));
    go.send(()).unwrap();
}
