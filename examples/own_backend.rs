//! A backend of one's own: rustls, set up by this program in a way that the library does not offer.
//!
//! ```console
//! $ cargo run -- certs --out certs
//! $ cargo run --example own_backend
//! $ curl --cacert certs/ca.crt https://localhost:8000/
//! TLS13_CHACHA20_POLY1305_SHA256
//! $ curl http://localhost:8000/
//! this port speaks HTTPS: use https://127.0.0.1:8000/ (or the host's name)
//! ```

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use turnkey::backend::{Accepted, Backend, BoxFuture, Capabilities, HandshakeError, Socket};
use turnkey::{App, Mode, Peer, Request, Server, tls::TlsInfo};

#[derive(Debug)]
struct MyRustls(Arc<ServerConfig>);

impl Backend for MyRustls {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async {
            let handshake = TlsAcceptor::from(Arc::clone(&self.0)).accept(socket).await;
            let stream = handshake.map_err(|error| HandshakeError::Tls(error.into()))?;
            let mut tls = TlsInfo::default();
            let suite = stream.get_ref().1.negotiated_cipher_suite();
            tls.cipher_suite = suite.map(|suite| format!("{:?}", suite.suite()));
            Ok(Accepted { stream: Box::new(stream), tls: Some(tls) })
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let tls = Peer::of(&request).and_then(Peer::tls);
        Ok(format!("{}\n", tls.and_then(|tls| tls.cipher_suite.as_deref()).unwrap_or("none")))
    });

    let chain: Result<_, _> = CertificateDer::pem_file_iter("certs/server_chain.pem")?.collect();
    let key = PrivateKeyDer::from_pem_file("certs/server.key")?;
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain?, key)?;
    let it = Capabilities { name: "my-rustls", tls: true, tls13: true, ..Capabilities::NONE };
    let mode = Mode::Own(turnkey::backend::OwnBackend::new(it, MyRustls(Arc::new(config))));
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8000".to_owned());
    let bound = Server::new(app).mode(mode).bind(address)?;
    println!("https://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
