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

use std::{fs, sync::Arc, time::SystemTime};

use futures_rustls::TlsAcceptor;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use turnkey::backend::{Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities};
use turnkey::backend::{HandshakeError, Socket, TlsConfig};
use turnkey::tls::{Identity, TlsInfo};
use turnkey::{App, Mode, Peer, Request, Server};

#[derive(Debug)]
struct ChaCha(Arc<ServerConfig>);

impl Backend for ChaCha {
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

#[derive(Debug)]
struct MyRustls;

impl BackendFactory for MyRustls {
    fn capabilities(&self) -> Capabilities {
        let name = "my-rustls";
        Capabilities { name, tls: true, tls13: true, max_rsa_bits: 8192, ..Capabilities::NONE }
    }

    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        let identity = config.identities.first();
        let chain = identity.chain().iter().map(|certificate| certificate.der().clone()).collect();
        let mut provider = aws_lc_rs::default_provider();
        provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
        let setup = |error: rustls::Error| BuildError::Setup(error.into());
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(setup)?
            .with_no_client_auth()
            .with_single_cert(chain, identity.key().clone_key().into())
            .map_err(setup)?;
        Ok(Box::new(ChaCha(Arc::new(config))))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let tls = Peer::of(&request).and_then(Peer::tls);
        Ok(format!("{}\n", tls.and_then(|tls| tls.cipher_suite.as_deref()).unwrap_or("none")))
    });
    let (chain, key) = (fs::read("certs/server_chain.pem")?, fs::read("certs/server.key")?);
    let identity = Identity::from_pem(&chain, &key, None, SystemTime::now())?;
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8000".to_owned());
    let bound = Server::new(app).mode(Mode::Https(identity)).backend(MyRustls).bind(address)?;
    println!("https://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
