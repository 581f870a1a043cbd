//! Connections that stand: they go on as long as their client would be let in, and no longer.

use std::fs;

use crate::Setup;
use crate::support::{
    Authority, Conn, Crl, Dialer, Files, GET, Pki, Profile, Response, Server, Streams, UPGRADE,
};

mod ends;

crate::on_every_verifying_backend! {
    whoever_is_revoked_is_told_and_others_go_on
    whoever_comes_through_an_intermediate_goes_on
    an_intermediate_may_be_revoked_or_trusted_itself
    a_resumed_connection_goes_on_if_its_chain_is_known
    a_handshake_is_by_what_is_current_when_it_begins
    a_handshake_across_a_reload_lets_nobody_in
    what_is_under_way_ends_with_its_client
    what_is_under_way_goes_on_for_others
}

/// The client is told so, and that the connection ends, which it does.
#[track_caller]
pub(crate) fn assert_no_longer(conn: &mut Conn, why: &str) {
    assert_denied(&conn.get(), why);
    assert_eq!(conn.rest(), b"");
}

#[track_caller]
fn assert_denied(answer: &Response, why: &str) {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 403, "{body}");
    assert!(answer.has("connection: close"), "{}", answer.head);
    assert!(body.contains(why) && body.ends_with('\n'), "{body}");
}

/// A server whose list can be written anew.
struct Site {
    pki: Pki,
    server: Server,
    cas: String,
    list: String,
    /// Whom the list may come to name.
    other: Files,
    serial: u64,
}

impl Site {
    fn new(setup: Setup, args: &[&str]) -> Self {
        let pki = Pki::new();
        let other = pki.ca.issue(&client());
        let (serial, other) = (other.serial, pki.save("other", &other));
        let cas = pki.write("cas.pem", pki.ca.pem());
        let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
        let own = ["--client-ca", &cas, "--client-crl", &list];
        let server = setup.serve(&[&pki.server_args()[..], &own, args].concat());
        Self { pki, server, cas, list, other, serial }
    }

    /// Revokes the other.
    fn revoke(&self) {
        fs::write(&self.list, Crl::of(&[self.serial]).pem(&self.pki.ca)).unwrap();
        self.server.reload();
    }

    fn dialer(&self, files: &Files) -> Dialer {
        Dialer::mutual(self.server.port, &self.pki.ca_file, files)
    }

    #[track_caller]
    fn open(&self, files: &Files) -> Conn {
        let mut conn = self.dialer(files).open();
        conn.get().assert_top_level();
        conn
    }
}

fn client() -> Profile {
    Profile::client("client.localhost")
}

fn whoever_is_revoked_is_told_and_others_go_on(setup: Setup) {
    let site = Site::new(setup, &[]);
    let [mut good, mut revoked] = [&site.pki.client, &site.other].map(|files| site.open(files));
    site.revoke();
    assert_no_longer(
        &mut revoked,
        "\"CN=client.localhost,O=Company\" is not accepted any more: it is revoked",
    );
    good.get().assert_top_level();
    let line =
        ["no longer let in: the client certificate ", " is revoked by \"CN=Test CA,O=Company\""];
    site.server.assert_logs(&line);
    // Nobody is asked when the same files are read once more.
    site.server.reload();
    good.get().assert_top_level();
}

/// What it has sent of its chain is not sent again.
fn whoever_comes_through_an_intermediate_goes_on(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let files = pki.save("chained", &department.issue(&client()).with_chain(&[&department]));
    let cas = pki.write("cas.pem", pki.ca.pem());
    let server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
    let mut conn = Dialer::mutual(server.port, &pki.ca_file, &files).open();
    conn.get().assert_top_level();
    let next = Authority::root("Next CA");
    // The second time by what was verified the first time.
    for more in [next.pem(), Authority::root("Third CA").pem()] {
        fs::write(&cas, pki.ca.pem() + &more).unwrap();
        server.reload();
        conn.get().assert_top_level();
    }
    fs::write(&cas, next.pem()).unwrap();
    server.reload();
    assert_no_longer(&mut conn, "no trusted CA issued it");
}

/// There is a list of its own then, and none of the CA above.
fn an_intermediate_may_be_revoked_or_trusted_itself(setup: Setup) {
    let site = Site::new(setup, &[]);
    let department = site.pki.ca.subordinate("Department CA");
    let leaf = department.issue(&client());
    let files = site.pki.save("chained", &leaf.clone().with_chain(&[&department]));
    let write = |above: &Crl, own: &Crl| {
        fs::write(&site.list, above.pem(&site.pki.ca) + &own.pem(&department)).unwrap();
        site.server.reload();
    };
    let (none, of_leaf) = (Crl::default(), Crl::of(&[leaf.serial]));
    write(&none, &none);
    let mut conn = site.open(&files);
    write(&Crl::of(&[department.serial]), &none);
    assert_no_longer(
        &mut conn,
        "any more, because of \"CN=Department CA,O=Company\": it is revoked",
    );

    write(&none, &none);
    let [mut first, mut second] = [(); 2].map(|()| site.open(&files));
    write(&none, &of_leaf);
    assert_no_longer(&mut first, "it is revoked");
    fs::write(&site.cas, department.pem()).unwrap();
    fs::write(&site.list, none.pem(&department)).unwrap();
    site.server.reload();
    second.get().assert_top_level();
    fs::write(&site.list, of_leaf.pem(&department)).unwrap();
    site.server.reload();
    assert_no_longer(&mut second, "it is revoked");
}

/// A ticket of OpenSSL holds no more than the client's certificate: where its CA is trusted itself, that is the
/// chain. Where it is not, the client has to connect anew, with a full handshake.
fn a_resumed_connection_goes_on_if_its_chain_is_known(setup: Setup) {
    let pki = Pki::new();
    let department = pki.ca.subordinate("Department CA");
    let chained = pki.save("chained", &department.issue(&client()).with_chain(&[&department]));
    let cas = pki.write("cas.pem", pki.ca.pem());
    let args = ["--client-ca", &cas, "--resumption", "on"];
    let server = setup.serve(&[&pki.server_args()[..], &args].concat());
    let resume = |files: &Files| {
        let (dialer, _client) = Dialer::renewable(server.port, &pki.ca_file, files);
        dialer.open().get().assert_top_level();
        let mut conn = dialer.open();
        conn.get().assert_top_level();
        assert!(conn.is_resumed());
        (dialer, conn)
    };
    let ((_, mut direct), (dialer, mut chained)) = (resume(&pki.client), resume(&chained));
    // The policy is the same.
    pki.save("server", &pki.ca.issue(&Profile::server("renewed")));
    server.reload();
    chained.get().assert_top_level();
    // Another that lets both in.
    fs::write(&cas, pki.ca.pem() + &Authority::root("Next CA").pem()).unwrap();
    server.reload();
    direct.get().assert_top_level();
    if setup.backend == "openssl" {
        assert_no_longer(&mut chained, "no trusted CA issued it");
        let mut anew = dialer.open();
        anew.get().assert_top_level();
        assert!(!anew.is_resumed());
    } else {
        chained.get().assert_top_level();
    }
}

/// Whoever connects and waits is not served by what was current before.
fn a_handshake_is_by_what_is_current_when_it_begins(setup: Setup) {
    let site = Site::new(setup, &[]);
    let [early, late] = [(); 2].map(|()| site.dialer(&site.other).tcp());
    // The connections are taken in the order in which they came.
    site.open(&site.pki.client);
    let served = site.dialer(&site.other).speak_over(early).and_then(|mut conn| conn.try_get());
    served.unwrap().assert_top_level();
    site.revoke();
    let refused = site.dialer(&site.other).speak_over(late).and_then(|mut conn| conn.try_get());
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("evoked"), "{refused}");
    site.server.assert_logs(&["refused: ", " is revoked by "]);
    assert!(!site.server.log().contains("no longer let in"), "{}", site.server.log());
}

/// It ends well, and not one request is served after it.
fn a_handshake_across_a_reload_lets_nobody_in(setup: Setup) {
    let site = Site::new(setup, &[]);
    let dialer = site.dialer(&site.other);
    let mut revoked = dialer.speak_after(dialer.tcp(), || site.revoke()).unwrap();
    assert_no_longer(&mut revoked, "it is revoked");
    let dialer = site.dialer(&site.pki.client);
    let mut good = dialer.speak_after(dialer.tcp(), || site.server.reload()).unwrap();
    good.get().assert_top_level();
}

/// One of each kind of what may go on for long, for `files`.
struct Streaming {
    tunnel: Conn,
    events: Conn,
}

impl Streaming {
    fn begin(site: &Site, files: &Files) -> Self {
        let hear = |request| Streams::hear(site.dialer(files).open(), request);
        Self { tunnel: hear(UPGRADE), events: hear(GET) }
    }

    /// Both end, and the client can tell that there was more to come.
    #[track_caller]
    fn assert_end(mut self) {
        self.tunnel.rest();
        let said = self.events.rest();
        assert!(said.ends_with(b"hello\n\n\r\n"), "{}", said.escape_ascii());
    }
}

fn what_is_under_way_ends_with_its_client(setup: Setup) {
    let upstream = Streams::start();
    let site = Site::new(setup, &["--proxy", &upstream.url, "--proxy-streaming"]);
    let streaming = Streaming::begin(&site, &site.other);
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome";
    let mut answered = Streams::hear(site.dialer(&site.other).open(), head);
    site.revoke();
    streaming.assert_end();
    let said = answered.rest();
    assert!(said.ends_with(b"hello\n\n\r\n"), "{}", said.escape_ascii());
    site.server.assert_logs(&["no longer let in: ", " is revoked by "]);

    let folder = site.pki.path("");
    fs::File::create(site.pki.path("large")).unwrap().set_len(LARGE as u64).unwrap();
    let site = Site::new(setup, &["--dir", &folder]);
    let mut download = site.dialer(&site.other).open();
    download.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    download.skim().unwrap();
    site.revoke();
    let mut came = 0;
    while let Ok(n @ 1..) = download.skim() {
        came += n;
    }
    assert!(came < LARGE / 2, "{came} bytes");

    // The upstream is asked when the body is there, so nothing of an answer has been sent.
    let site = Site::new(setup, &["--proxy", &upstream.url]);
    let mut upload = site.dialer(&site.other).open();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
        Expect: 100-continue\r\n\r\n";
    Streams::echo(&mut upload, head, b"100 Continue");
    upload.send(b"4\r\nsome\r\n").unwrap();
    site.revoke();
    assert_denied(&upload.response(), "it is revoked");
}

/// More than sockets hold.
const LARGE: usize = 1 << 28;

fn what_is_under_way_goes_on_for_others(setup: Setup) {
    let upstream = Streams::start();
    let site = Site::new(setup, &["--proxy", &upstream.url]);
    let open = |files| Streams::hear(site.dialer(files).open(), UPGRADE);
    let (mut good, mut other) = (open(&site.pki.client), open(&site.other));
    site.revoke();
    other.rest();
    Streams::echo(&mut good, b"after the first", b"after the first");
    // Each reload is heard, not the first alone.
    let next = Authority::root("Next CA");
    fs::write(&site.cas, site.pki.ca.pem() + &next.pem()).unwrap();
    site.server.reload();
    Streams::echo(&mut good, b"after the second", b"after the second");
    fs::write(&site.cas, next.pem()).unwrap();
    fs::write(&site.list, Crl::default().pem(&next)).unwrap();
    site.server.reload();
    good.rest();
}
