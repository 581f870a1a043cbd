//! A backend outside the library goes the way that all go, and has no say in who is let in.

use std::fs;
use std::time::SystemTime;

use smol::io::AsyncReadExt;
use turnkey::backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, HandshakeError, Socket,
    TlsConfig,
};
use turnkey::tls::{
    BackendName, ClientPolicy, ClientTrust, Identity, TlsInfo, TlsVersion, TrustAnchors,
};
use turnkey::{App, Mode, ModeError, Peer, Request, Server, ServerError, Tls};

use crate::support::{Dialer, Library, Pki};

/// Lets in those who know the word, and verifies nobody. It is told as if it were a server's name, with what the
/// backend was built from.
#[derive(Debug, Clone)]
struct Sesame {
    capabilities: Capabilities,
    /// Whether it says what was negotiated.
    tells: bool,
    built_from: String,
}

impl Backend for Sesame {
    fn accept(&self, mut socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async move {
            let mut word = [0; 7];
            socket.read_exact(&mut word).await.map_err(HandshakeError::Io)?;
            if &word != b"sesame\n" {
                return Err(HandshakeError::NotTls);
            }
            let mut tls = TlsInfo::default();
            tls.server_name = Some(format!("sesame{}", self.built_from));
            Ok(Accepted { stream: Box::new(socket), tls: self.tells.then_some(tls) })
        })
    }
}

impl BackendFactory for Sesame {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn library(&self) -> String {
        "a word".to_owned()
    }

    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        let leaf = config.identities.first().leaf();
        let built_from = format!(" {} {}", leaf.subject(), config.versions);
        Ok(Box::new(Self { built_from, ..self.clone() }))
    }

    fn build_plain(&self) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(self.clone()))
    }
}

const PLAIN: Capabilities = Capabilities { name: "sesame", ..Capabilities::NONE };
const TLS: Capabilities =
    Capabilities { tls: true, tls13: true, client_certificates: true, ..PLAIN };

fn sesame(capabilities: Capabilities) -> Sesame {
    Sesame { capabilities, tells: true, built_from: String::new() }
}

fn app() -> App {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let peer = Peer::of(&request).expect("it came over a connection");
        let name = peer.tls().and_then(|tls| tls.server_name.as_deref());
        let (mode, backend, scheme) = (peer.mode(), peer.backend(), request.url().scheme());
        Ok(format!("{mode} {backend} {scheme} {}", name.unwrap_or("-")))
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

/// Serves `mode` by a backend of one's own.
fn serve(own: Sesame, mode: impl FnOnce(&Pki) -> Mode) -> Library {
    let pki = Pki::new();
    let server = Server::new(app()).mode(mode(&pki)).backend(own);
    Library::start(server, pki, |port, _| Dialer::plain(port))
}

/// What a client gets that says `word` and asks.
fn said(library: &Library, word: &str) -> String {
    let mut conn = library.open();
    let asked = format!("{word}\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    conn.send(asked.as_bytes()).unwrap();
    let answer = String::from_utf8(conn.rest()).unwrap();
    answer.split_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned())
}

#[test]
fn what_it_makes_of_a_connection_is_served() {
    let library = serve(sesame(PLAIN), |_| Mode::Http);
    let mut conn = library.open();
    conn.send(b"sesame\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(conn.response().body, b"http sesame https sesame");
    assert_eq!(conn.get().status, 200, "the word is said once");
    assert_eq!(said(&library, "barley"), "", "no answer, and a clean end");
}

#[test]
fn it_is_built_from_what_all_are_built_from() {
    let library = serve(sesame(TLS), |pki| Mode::Https(identity(pki)));
    let subject = identity(&library.pki).leaf().subject().to_owned();
    assert_eq!(
        said(&library, "sesame"),
        format!("https sesame https sesame {subject} TLS 1.2 and 1.3")
    );
    // Which a reload changes.
    let choice = Tls { max: Some(TlsVersion::Tls12), ..Tls::default() };
    library.reloader.replace(Mode::Https(identity(&library.pki)), choice).unwrap();
    assert!(said(&library, "sesame").ends_with(" TLS 1.2"));
    let bound = Server::new(app()).mode(Mode::Https(identity(&library.pki))).backend(sesame(TLS));
    assert_eq!(bound.bind("127.0.0.1:0").unwrap().backend(), "sesame (a word), TLS 1.2 and 1.3");
    let bound = Server::new(app()).backend(sesame(PLAIN)).bind("127.0.0.1:0").unwrap();
    assert_eq!(bound.backend(), "sesame (a word)");
}

/// It verifies nobody, and forgets the client policy; the server does not.
#[test]
fn who_shows_no_certificate_is_refused_where_one_is_required() {
    for tells in [true, false] {
        let own = Sesame { tells, ..sesame(TLS) };
        let required = |pki: &Pki| Mode::Mutual(identity(pki), ClientPolicy::Required(trust(pki)));
        let library = serve(own, required);
        assert_eq!(said(&library, "sesame"), "", "it is refused in the handshake");
        let optional = ClientPolicy::Optional(trust(&library.pki));
        let optional = Mode::Mutual(identity(&library.pki), optional);
        library.reloader.replace(optional, Tls::default()).unwrap();
        assert!(said(&library, "sesame").starts_with("mutual sesame"));
    }
}

/// A connection that stands is asked again, too.
#[test]
fn a_policy_that_is_replaced_holds_for_it() {
    let library = serve(sesame(TLS), |pki| Mode::Https(identity(pki)));
    let mut conn = library.open();
    conn.send(b"sesame\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(conn.response().body.starts_with(b"https sesame"));
    let required = ClientPolicy::Required(trust(&library.pki));
    let required = Mode::Mutual(identity(&library.pki), required);
    library.reloader.replace(required, Tls::default()).unwrap();
    assert_eq!(conn.get().status, 403);
    assert_eq!(said(&library, "sesame"), "");
}

/// Never silently less than asked for.
#[test]
fn what_its_capabilities_lack_is_an_error() {
    let pki = Pki::new();
    let https = || Mode::Https(identity(&pki));
    let mutual = || Mode::Mutual(identity(&pki), ClientPolicy::Required(trust(&pki)));
    let tls13 = Tls { min: Some(TlsVersion::Tls13), ..Tls::default() };
    let resumption = Tls { resumption: Some(false), ..Tls::default() };
    let no_tls13 = Capabilities { tls13: false, ..TLS };
    let no_clients = Capabilities { client_certificates: false, ..TLS };
    for (capabilities, mode, choice, lacking) in [
        (PLAIN, https(), Tls::default(), "TLS"),
        (no_clients, mutual(), Tls::default(), "client certificates"),
        (no_tls13, https(), tls13, "TLS 1.3"),
        (TLS, https(), resumption, "resumption control"),
    ] {
        let server = Server::new(app()).mode(mode).tls(choice).backend(sesame(capabilities));
        match server.bind("127.0.0.1:0").unwrap_err() {
            ServerError::Mode(ModeError::OwnBackend { backend: "sesame", what }) => {
                assert_eq!(what, lacking);
            }
            error => panic!("{error}"),
        }
    }
    let error = Server::new(app()).backend(sesame(TLS)).bind("127.0.0.1:0").unwrap_err();
    assert!(matches!(error, ServerError::Mode(ModeError::TlsBackendForHttp("sesame"))), "{error}");
}

#[test]
fn what_it_does_not_build_is_an_error() {
    #[derive(Debug)]
    struct Promises(Capabilities);
    impl BackendFactory for Promises {
        fn capabilities(&self) -> Capabilities {
            self.0
        }
    }
    let pki = Pki::new();
    for (capabilities, mode) in [(TLS, Mode::Https(identity(&pki))), (PLAIN, Mode::Http)] {
        let server = Server::new(app()).mode(mode).backend(Promises(capabilities));
        let error = server.bind("127.0.0.1:0").unwrap_err();
        let unsupported = BuildError::Unsupported("");
        assert!(
            matches!(&error, ServerError::Mode(ModeError::Build(e))
                if std::mem::discriminant(e) == std::mem::discriminant(&unsupported)),
            "{error}"
        );
    }
}

#[test]
fn it_is_not_named_beside_another() {
    let choice = Tls { backend: Some(BackendName::Rustls), ..Tls::default() };
    let pki = Pki::new();
    let server = Server::new(app()).mode(Mode::Https(identity(&pki))).tls(choice);
    let error = server.backend(sesame(TLS)).bind("127.0.0.1:0").unwrap_err();
    assert!(
        error.to_string().contains("the backend rustls, and Server::backend brings sesame"),
        "{error}"
    );
}

/// One that does TLS is not replaced by one that does not, nor the other way.
#[test]
fn it_is_replaced_by_its_like() {
    let bound = Server::new(app()).backend(sesame(PLAIN)).bind("127.0.0.1:0").unwrap();
    bound.reloader().replace(Mode::Http, Tls::default()).unwrap();
    let https = || Mode::Https(identity(&Pki::new()));
    let error = bound.reloader().replace(https(), Tls::default()).unwrap_err();
    assert!(matches!(error, ModeError::OwnBackend { what: "TLS", .. }), "{error}");
    let bound = Server::new(app()).mode(https()).backend(sesame(TLS)).bind("127.0.0.1:0").unwrap();
    let error = bound.reloader().replace(Mode::Http, Tls::default()).unwrap_err();
    assert!(matches!(error, ModeError::TlsBackendForHttp("sesame")), "{error}");
}
