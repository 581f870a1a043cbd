//! Less cannot be done with async-h1 and http-types: `peer-floor PORT [BACKEND CHAIN KEY]`.
//!
//! It reads as turnkey does, has async-h1 decode what it takes for a head, answers with a response of
//! http-types, and has async-h1 encode that. Nothing is vetted, counted, timed or logged, and it only
//! stands what wrk sends. TLS is turnkey's backend, since something has to be between a stack and
//! async-h1. What turnkey takes more is turnkey's own. What this takes more than a peer, turnkey
//! cannot fix, except in the backend.

use std::env;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use async_h1::server::{Encoder, decode};
use http_types::{Method, Response, StatusCode};
use smol::Executor;
use smol::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Cursor};
use turnkey_backend::{
    Acceptor, Backend, ClientPolicy, Identities, Identity, Reactor, Resumption, TlsConfig,
    VersionRange,
};
use turnkey_native_tls::NativeTls;
use turnkey_openssl::OpenSsl;
use turnkey_rustls::Rustls;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let port: u16 = words.first().context("no port")?.parse()?;
    let backend = match words.get(1..4) {
        Some([backend, chain, key]) => Some(tls(backend, chain, key)?),
        _ => None,
    };
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let executor = Executor::new();
    let accepting = async {
        let acceptor = Acceptor::tcp(listener)?;
        loop {
            let socket = acceptor.accept().await?.into_socket()?;
            let backend = backend.clone();
            executor
                .spawn(async move {
                    // A client that leaves is no news.
                    _ = match backend {
                        None => serve(socket).await,
                        Some(backend) => match backend.accept(socket).await {
                            Ok(accepted) => serve(accepted.stream).await,
                            Err(_) => Ok(()),
                        },
                    };
                })
                .detach();
        }
    };
    Reactor::new()?.drive(executor.run(accepting))?
}

fn tls(backend: &str, chain: &str, key: &str) -> Result<Arc<dyn Backend>> {
    let identity = Identity::from_pem(&fs::read(chain)?, &fs::read(key)?, None, SystemTime::now())?;
    let config = TlsConfig {
        identities: Identities::new(identity, [])?,
        clients: ClientPolicy::None,
        versions: VersionRange::default(),
        resumption: Resumption::Off,
    };
    Ok(match backend {
        "rustls" => Arc::new(Rustls::new(&config)?),
        "openssl" => Arc::new(OpenSsl::new(&config)?),
        "native-tls" => Arc::new(NativeTls::new(&config)?),
        _ => bail!("there is no backend {backend}"),
    })
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<()> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    let mut answer = vec![0; 4096];
    loop {
        let n = stream.read(&mut piece).await?;
        head.extend_from_slice(&piece[..n]);
        if n == 0 {
            return Ok(());
        }
        if memchr::memmem::find(&head, b"\r\n\r\n").is_none() {
            continue;
        }
        let decoded = decode(Cursor::new(std::mem::take(&mut head))).await;
        let (request, _body) =
            decoded.map_err(http_types::Error::into_inner)?.context("no head")?;
        drop(request);
        let mut response = Response::new(StatusCode::Ok);
        response.set_body("Top-level content");
        let mut encoder = Encoder::new(response, Method::Get);
        let mut filled = 0;
        loop {
            match encoder.read(&mut answer[filled..]).await? {
                0 if filled == answer.len() => {
                    return Err(io::Error::from(io::ErrorKind::OutOfMemory).into());
                }
                0 => break,
                n => filled += n,
            }
        }
        stream.write_all(&answer[..filled]).await?;
    }
}
