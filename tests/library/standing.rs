//! Connections that stand when the program replaces who is let in.

use std::fs;
use std::time::SystemTime;

use smol::io::AsyncReadExt;
use turnkey::backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, HandshakeError, Socket,
};
use turnkey::tls::{
    AllowRules, BackendName, Certificate, ClientPolicy, ClientTrust, Identity, TlsInfo,
    TrustAnchors,
};
use turnkey::{App, Mode, Peer, Request, Server, Tls};

use crate::support::{Conn, Dialer, Library, Pki};

const BACKENDS: [BackendName; 2] = [BackendName::Rustls, BackendName::OpenSsl];

/// Whom the app sees, and whether it sees the chain.
fn app() -> App {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let peer = Peer::of(&request).expect("it came over a connection");
        let name = peer.certificate().and_then(Certificate::sole_common_name).unwrap_or("-");
        let chain = peer.chain().map_or(0, <[_]>::len);
        Ok(format!("{name} {chain} {}", peer.is_asked_for_certificate()))
    });
    app
}

fn read(file: &str) -> Vec<u8> {
    fs::read(file).unwrap()
}

fn identity(pki: &Pki) -> Identity {
    let (cert, key) = (read(&pki.server.cert), read(&pki.server.key));
    Identity::from_pem(&cert, &key, None, SystemTime::now()).unwrap()
}

fn trust(pki: &Pki) -> ClientTrust {
    ClientTrust::new(TrustAnchors::from_pem(&read(&pki.ca_file), SystemTime::now()).unwrap())
}

fn rules(name: &str) -> AllowRules {
    AllowRules::new(vec![name.parse().unwrap()], Vec::new())
}

fn on(backend: BackendName) -> Tls {
    Tls { backend: Some(backend), ..Tls::default() }
}

/// A server of `mode`, with a client that shows its certificate and one that has none.
fn serve(backend: BackendName, policy: impl Fn(ClientTrust) -> ClientPolicy) -> Library {
    let pki = Pki::new();
    let mode = Mode::Mutual(identity(&pki), policy(trust(&pki)));
    let server = Server::new(app()).mode(mode).tls(on(backend));
    Library::start(server, pki, |port, pki| Dialer::mutual(port, &pki.ca_file, &pki.client))
}

fn replace(library: &Library, backend: BackendName, policy: ClientPolicy) {
    let mode = Mode::Mutual(identity(&library.pki), policy);
    library.reloader.replace(mode, on(backend)).unwrap();
}

#[track_caller]
fn assert_said(conn: &mut Conn, status: u16, said: &str) {
    let answer = conn.get();
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status == status && body.contains(said), "{} {body}", answer.status);
    assert_eq!(answer.has("connection: close"), status == 403, "{}", answer.head);
    if status == 403 {
        assert_eq!(conn.rest(), b"");
    }
}

const ALICE: &str = "client.localhost 2 true";

#[test]
fn rules_that_are_replaced_are_asked_again() {
    for (early, why) in [(false, "is not allowed here"), (true, "no rule allows it")] {
        for backend in BACKENDS {
            let library = serve(backend, ClientPolicy::Required);
            let (mut conn, mut idle) = (library.open(), library.open());
            for conn in [&mut conn, &mut idle] {
                assert_said(conn, 200, ALICE);
            }
            let trust = trust(&library.pki);
            let with = |name| ClientPolicy::Required(trust.clone().allow(rules(name), early));
            replace(&library, backend, with("client.*"));
            assert_said(&mut conn, 200, ALICE);
            replace(&library, backend, with("other"));
            assert_said(&mut conn, 403, why);
            // What was between is of no matter to a connection that asks for nothing.
            replace(&library, backend, with("client.*"));
            assert_said(&mut idle, 200, ALICE);
        }
    }
}

#[test]
fn who_has_no_certificate_is_asked_for_one() {
    for backend in BACKENDS {
        let library = serve(backend, ClientPolicy::Optional);
        let anonymous = Dialer::tls(library.port, &library.pki.ca_file);
        let [mut first, mut second] = [(); 2].map(|()| anonymous.open());
        for conn in [&mut first, &mut second] {
            assert_said(conn, 200, "- 0 true");
        }
        let trust = || trust(&library.pki);
        replace(&library, backend, ClientPolicy::Optional(trust().allow_anonymous(false)));
        assert_said(&mut first, 403, "a client certificate is needed here");
        replace(&library, backend, ClientPolicy::Required(trust()));
        assert_said(&mut second, 403, "a client certificate is needed here");
    }
}

/// Nobody has verified it by what holds now.
#[test]
fn a_certificate_that_nobody_asks_for_is_forgotten() {
    for backend in BACKENDS {
        for next in [backend, BackendName::NativeTls] {
            let library = serve(backend, ClientPolicy::Required);
            let mut conn = library.open();
            assert_said(&mut conn, 200, ALICE);
            let mode = Mode::Https(identity(&library.pki));
            library.reloader.replace(mode, on(next)).unwrap();
            assert_said(&mut conn, 200, "- 0 false");
            // It does not come back.
            replace(&library, backend, ClientPolicy::Required(trust(&library.pki)));
            assert_said(&mut conn, 403, "a client certificate is needed here");
        }
    }
}

#[test]
fn another_backend_verifies_as_the_one_before() {
    for (one, other) in [(BACKENDS[0], BACKENDS[1]), (BACKENDS[1], BACKENDS[0])] {
        let library = serve(one, ClientPolicy::Required);
        let mut conn = library.open();
        assert_said(&mut conn, 200, ALICE);
        replace(&library, other, ClientPolicy::Required(trust(&library.pki)));
        assert_said(&mut conn, 200, ALICE);
    }
}

/// Takes the word of a client for who it is.
#[derive(Debug, Clone)]
struct Believing(Certificate);

impl BackendFactory for Believing {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "believing", ..Capabilities::NONE }
    }

    fn build_plain(&self) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(self.clone()))
    }
}

impl Backend for Believing {
    fn accept(&self, mut socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async move {
            let mut word = [0; 1];
            socket.read_exact(&mut word).await.map_err(HandshakeError::Io)?;
            let mut tls = TlsInfo::default();
            tls.client_certificate = (&word == b"+").then(|| self.0.clone());
            Ok(Accepted { stream: Box::new(socket), tls: Some(tls) })
        })
    }
}

/// What it makes of a client is its own: only a handshake can tell.
#[test]
fn a_backend_of_ones_own_sees_its_clients_again() {
    let pki = Pki::new();
    let leaf = identity(&pki).leaf().clone();
    let server = Server::new(app()).backend(Believing(leaf));
    let library = Library::start(server, pki, |port, _| Dialer::plain(port));
    let open = |word| {
        let mut conn = library.open();
        conn.send(word).unwrap();
        conn
    };
    let (mut known, mut unknown) = (open(b"+"), open(b"-"));
    assert_said(&mut known, 200, "server.localhost 0 false");
    assert_said(&mut unknown, 200, "- 0 false");
    library.reloader.replace(Mode::Http, Tls::default()).unwrap();
    assert_said(&mut known, 403, "a new connection is needed");
    assert_said(&mut unknown, 200, "- 0 false");
    assert_said(&mut open(b"+"), 200, "server.localhost 0 false");
}
