//! Mutual TLS, where the certificate that a client shows decides what it may see.
//!
//! ```console
//! $ cargo run -- certs --out certs --client alice
//! $ cargo run --example whoami
//! $ curl --cacert certs/ca.crt --cert certs/client.pem https://localhost:8000/
//! You are CN=client.server.localhost,OU=Department,O=Company,L=City,ST=State,C=CT
//! $ curl --cacert certs/ca.crt --cert certs/client.pem https://localhost:8000/diary
//! this is for alice
//! $ curl --cacert certs/ca.crt --cert certs/alice.pem https://localhost:8000/diary
//! Dear diary
//! $ curl --cacert certs/ca.crt https://localhost:8000/
//! curl: [...]certificate required[...]
//! ```

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use std::fs;
use std::time::SystemTime;

use turnkey::tls::{Certificate, ClientPolicy, ClientTrust, Identity, TrustAnchors};
use turnkey::{App, Mode, Next, Peer, Request, Response, Result, Server, StatusCode, public_error};

fn certificate(request: &Request) -> Option<&Certificate> {
    Peer::of(request)?.certificate()
}

async fn whoami(request: Request) -> Result<String> {
    let subject = certificate(&request).map_or("nobody", Certificate::subject);
    Ok(format!("You are {subject}\n"))
}

async fn only_alice(request: Request, next: Next) -> Result<Response> {
    match certificate(&request).and_then(Certificate::sole_common_name) {
        Some("alice") => Ok(next.run(request).await),
        _ => Err(public_error(StatusCode::Forbidden, "this is for alice")),
    }
}

fn mutual() -> std::result::Result<Mode, Box<dyn std::error::Error>> {
    let (chain, key) = (fs::read("certs/server_chain.pem")?, fs::read("certs/server.key")?);
    let identity = Identity::from_pem(&chain, &key, None, SystemTime::now())?;
    let anchors = TrustAnchors::from_pem(&fs::read("certs/ca.crt")?, SystemTime::now())?;
    Ok(Mode::Mutual(identity, ClientPolicy::Required(ClientTrust::new(anchors))))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut app = App::new();
    app.at("/").get(whoami);
    app.at("/diary").wrap(only_alice).get(|_| async { Ok("Dear diary\n") });

    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8000".to_owned());
    let server = Server::new(app).mode(mutual()?);
    let bound = server.bind(address)?;
    println!("https://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
