//! Who is at the other end, and what it may do.

use std::fs;
use std::time::SystemTime;

use turnkey::net::RemoteAddr;
use turnkey::tls::{BackendName, Certificate, ClientPolicy, ClientTrust, Identity, TrustAnchors};
use turnkey::{
    App, Mode, Next, Peer, Request, Response, Result, Server, StatusCode, TestClient, Tls,
    public_error,
};

use crate::support::{Dialer, Files, Library, Pki, Profile};

/// Lets `name` in by its certificate, and nobody else.
async fn only(name: &'static str, request: Request, next: Next) -> Result<Response> {
    let certificate = Peer::of(&request).and_then(Peer::certificate);
    match certificate.and_then(Certificate::sole_common_name) {
        Some(common_name) if common_name == name => Ok(next.run(request).await),
        _ => Err(public_error(StatusCode::Forbidden, format!("this is for {name}"))),
    }
}

fn app() -> App {
    let mut app = App::new();
    app.at("/alice").wrap(|request, next| only("alice", request, next)).get(whoami);
    app.at("/bob").wrap(|request, next| only("bob", request, next)).get(whoami);
    app.at("/").get(whoami);
    app
}

async fn whoami(request: Request) -> Result<String> {
    let peer = Peer::of(&request).expect("somebody has asked");
    let subject = peer.certificate().map_or("-", Certificate::subject);
    Ok(format!("{} {} {} {subject}", peer.mode(), peer.scheme(), peer.client()))
}

fn mutual(pki: &Pki) -> Mode {
    let now = SystemTime::now();
    let read = |file: &str| fs::read(file).expect("a file");
    let identity = Identity::from_pem(&read(&pki.server.cert), &read(&pki.server.key), None, now);
    let anchors = TrustAnchors::from_pem(&read(&pki.ca_file), now).expect("a CA");
    Mode::Mutual(identity.expect("an identity"), ClientPolicy::Required(ClientTrust::new(anchors)))
}

/// The certificate in a file.
fn certificate(files: &Files) -> Certificate {
    let identity = Identity::from_pem(
        &fs::read(&files.cert).unwrap(),
        &fs::read(&files.key).unwrap(),
        None,
        SystemTime::now(),
    );
    identity.unwrap().leaf().clone()
}

#[test]
fn handlers_authorise_by_certificate_over_tls_as_in_the_process() {
    for backend in [BackendName::Rustls, BackendName::OpenSsl] {
        let pki = Pki::new();
        let alice = pki.save("alice", &pki.ca.issue(&Profile::client("alice")));
        let choice = Tls { backend: Some(backend), ..Tls::default() };
        let server = Server::new(app()).mode(mutual(&pki)).tls(choice);
        let in_process = TestClient::new(app()).certificate(certificate(&alice));
        let library =
            Library::start(server, pki, |port, pki| Dialer::mutual(port, &pki.ca_file, &alice));
        let mut conn = library.open();
        for (path, status) in [("/", 200), ("/alice", 200), ("/bob", 403)] {
            conn.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
                .unwrap();
            let answer = conn.response();
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            let said = in_process.get(path).send();
            assert_eq!((u16::from(said.status()), said.bytes()), (status, &*answer.body), "{path}");
        }
    }
}

#[test]
fn the_test_client_is_who_it_is_said_to_be() {
    let client = TestClient::new(app());
    assert_eq!(client.get("/").send().text(), "http http 127.0.0.1 -");
    assert_eq!(client.get("/alice").send().status(), 403);
    let elsewhere = client.at(std::net::SocketAddr::from(([192, 0, 2, 7], 1)));
    assert_eq!(elsewhere.get("/").send().text(), "http http 192.0.2.7 -");
    let over_unix = client.at(RemoteAddr::Unix);
    assert_eq!(over_unix.get("/").send().text(), "http http unix -");
    let https = client.tls(turnkey::tls::TlsInfo::default());
    assert_eq!(https.get("/").send().text(), "https https 127.0.0.1 -");
}
