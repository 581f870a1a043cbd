//! A backend that is none of the library's goes the way that all go.

use smol::io::AsyncReadExt;
use turnkey::backend::{
    Accepted, Backend, BoxFuture, Capabilities, HandshakeError, OwnBackend, Socket,
};
use turnkey::tls::{TlsInfo, TlsVersion};
use turnkey::{App, Mode, ModeError, Peer, Request, Server, ServerError, TlsChoice};

use crate::support::{Dialer, Library, Pki};

/// Lets in those who know the word, which is told as if it were a server's name.
#[derive(Debug)]
struct Sesame;

impl Backend for Sesame {
    fn accept(&self, mut socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async move {
            let mut word = [0; 7];
            socket.read_exact(&mut word).await.map_err(HandshakeError::Io)?;
            if &word != b"sesame\n" {
                return Err(HandshakeError::NotTls);
            }
            let mut tls = TlsInfo::default();
            tls.server_name = Some("sesame".to_owned());
            Ok(Accepted { stream: Box::new(socket), tls: Some(tls) })
        })
    }
}

fn mode() -> Mode {
    let capabilities = Capabilities { name: "sesame", ..Capabilities::NONE };
    Mode::Own(OwnBackend::new(capabilities, Sesame).description("sesame, a word"))
}

fn app() -> App {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let peer = Peer::of(&request).expect("it came over a connection");
        let name = peer.tls().and_then(|tls| tls.server_name.as_deref());
        Ok(format!("{} {} {}", peer.mode(), request.url().scheme(), name.unwrap_or("-")))
    });
    app
}

#[test]
fn what_it_makes_of_a_connection_is_served() {
    let server = Server::new(app()).mode(mode());
    let library = Library::start(server, Pki::new(), |port, _| Dialer::plain(port));
    let mut conn = library.open();
    conn.send(b"sesame\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(conn.response().body, b"sesame https sesame");
    assert_eq!(conn.get().status, 200, "the word is said once");

    let mut conn = library.open();
    conn.send(b"barley\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(conn.rest(), b"", "who does not know the word gets no answer, and a clean end");
}

#[test]
fn its_description_is_told_and_its_name_where_there_is_none() {
    let bound = Server::new(app()).mode(mode()).bind("127.0.0.1:0").unwrap();
    assert_eq!(bound.backend(), "sesame, a word");
    assert_eq!(mode().name(), "sesame");
}

/// Never silently less than asked for.
#[test]
fn a_choice_of_tls_that_it_would_not_get_is_an_error() {
    for choice in [
        TlsChoice { min: Some(TlsVersion::Tls13), ..TlsChoice::default() },
        TlsChoice { resumption: Some(false), ..TlsChoice::default() },
    ] {
        let error = Server::new(app()).mode(mode()).tls(choice).bind("127.0.0.1:0").unwrap_err();
        assert!(matches!(&error, ServerError::Mode(ModeError::OwnBackend("sesame"))), "{error}");
        assert!(error.to_string().contains("Server::tls"), "{error}");
    }
}

/// One that does TLS is not replaced by one that does not, nor the other way.
#[test]
fn it_is_replaced_by_its_like() {
    let bound = Server::new(app()).mode(mode()).bind("127.0.0.1:0").unwrap();
    bound.reloader().replace(mode(), TlsChoice::default()).unwrap();
    let tls = Capabilities { name: "tls", tls: true, ..Capabilities::NONE };
    let tls = Mode::Own(OwnBackend::new(tls, Sesame));
    let error = bound.reloader().replace(tls, TlsChoice::default()).unwrap_err();
    assert!(matches!(error, ModeError::OtherScheme), "{error}");
}
