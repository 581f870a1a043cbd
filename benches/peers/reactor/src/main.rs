//! What a reactor costs alone: `peer-reactor PORT turnkey|smol`.
//!
//! One thread reads until a head ends, and writes the same bytes for each. The two forms differ in nothing
//! but what waits for sockets: `backends/reactor`, or async-io, which smol comes with.

use std::env;
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, Result, bail};
use smol::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use smol::{Async, LocalExecutor};
use turnkey_reactor::{Acceptor, Reactor};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What turnkey answers to the same request.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
    content-length: 17\r\n\
    content-type: text/plain;charset=utf-8\r\n\
    date: Tue, 01 Dec 2026 12:00:00 GMT\r\n\r\n\
    Top-level content";

fn main() -> Result<()> {
    let mut words = env::args().skip(1);
    let port: u16 = words.next().context("no port")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    match words.next().as_deref() {
        Some("turnkey") => on_turnkey(listener),
        Some("smol") => on_smol(listener),
        other => bail!("there is no reactor {other:?}: turnkey or smol"),
    }
}

fn on_turnkey(listener: TcpListener) -> Result<()> {
    let executor = LocalExecutor::new();
    let accepting = async {
        let acceptor = Acceptor::tcp(listener)?;
        loop {
            let socket = acceptor.accept().await?.into_socket()?;
            executor.spawn(serve(socket)).detach();
        }
    };
    Reactor::new()?.drive(executor.run(accepting))?
}

fn on_smol(listener: TcpListener) -> Result<()> {
    let executor = LocalExecutor::new();
    smol::block_on(executor.run(async {
        let listener = Async::<TcpListener>::new(listener)?;
        loop {
            let (socket, _) = listener.accept().await?;
            AsRef::<TcpStream>::as_ref(&socket).set_nodelay(true)?;
            executor.spawn(serve(socket)).detach();
        }
    }))
}

/// Answers until the client leaves, which is no error here.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut piece = [0; 4096];
    let mut filled = 0;
    while let Some(room) = piece.get_mut(filled..) {
        match stream.read(room).await {
            Ok(n) if n > 0 => filled += n,
            _ => return,
        }
        let head = piece.get(..filled).unwrap_or_default();
        if memchr::memmem::find(head, b"\r\n\r\n").is_some() {
            filled = 0;
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}
