//! Less cannot be done with async-h1 and http-types: `peer-floor PORT`.
//!
//! It reads as turnkey does, has async-h1 decode what it takes for a head, answers with a response of
//! http-types, and has async-h1 encode that. Nothing is vetted, counted, timed or logged, and it only
//! stands what wrk sends. What turnkey takes more is turnkey's own; what this takes more than a peer is
//! not turnkey's to mend.

use std::env;
use std::io;
use std::net::TcpListener;

use anyhow::{Context, Result};
use async_h1::server::{Encoder, decode};
use http_types::{Method, Response, StatusCode};
use smol::Executor;
use smol::io::{AsyncReadExt, AsyncWriteExt, Cursor};
use turnkey_backend::{Acceptor, Reactor, Socket};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<()> {
    let port: u16 = env::args().nth(1).context("no port")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let executor = Executor::new();
    let accepting = async {
        let acceptor = Acceptor::tcp(listener)?;
        loop {
            let socket = acceptor.accept().await?.into_socket()?;
            executor
                .spawn(async {
                    // A client that leaves is no news.
                    _ = serve(socket).await;
                })
                .detach();
        }
    };
    Reactor::new()?.drive(executor.run(accepting))?
}

async fn serve(mut socket: Socket) -> Result<()> {
    let mut head = Vec::new();
    let mut piece = [0; 4096];
    let mut answer = vec![0; 4096];
    loop {
        let n = socket.read(&mut piece).await?;
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
        socket.write_all(&answer[..filled]).await?;
    }
}
