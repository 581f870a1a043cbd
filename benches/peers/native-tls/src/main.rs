//! native-tls with next to nothing around it: `peer-native-tls PORT CHAIN KEY`.
//!
//! One connection after the other, on sockets that block: a handshake, one request, an answer that stands
//! ready, and the client's close. Nothing is looked at, vetted, counted or logged. There is no event loop to
//! pay for; it sleeps in each read instead, which costs more where others use the processor.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result};
use native_tls::{Identity, TlsAcceptor};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=utf-8\r\ncontent-length: 17\r\n\
                        \r\nTop-level content";

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [port, chain, key] = words.as_slice() else { anyhow::bail!("PORT CHAIN KEY") };
    let identity = Identity::from_pkcs8(&fs::read(chain)?, &fs::read(key)?)?;
    let acceptor = TlsAcceptor::new(identity)?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?))?;
    for stream in listener.incoming() {
        // A client that leaves is no news.
        _ = serve(&acceptor, stream?);
    }
    Ok(())
}

fn serve(acceptor: &TlsAcceptor, stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    // One that stays must not keep the others out.
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut stream = acceptor.accept(stream).ok().context("no handshake")?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while memchr::memmem::find(&head, b"\r\n\r\n").is_none() {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            n => head.extend_from_slice(&piece[..n]),
        }
    }
    stream.write_all(ANSWER)?;
    while stream.read(&mut piece)? > 0 {}
    Ok(stream.shutdown()?)
}
