use std::net::TcpStream;

use anyhow::{Context, Result, bail, ensure};
use rustls::HandshakeKind;
use smol::Async;
use smol::io::{AsyncReadExt, AsyncWriteExt};

use crate::target::Tls;

/// How much is read at a time, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// A connection that requests are sent over, one after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    Plain(Async<TcpStream>),
    Tls(Box<Tls>),
}

impl Connection {
    pub(crate) fn plain(tcp: Async<TcpStream>) -> Self {
        Self { stream: Stream::Plain(tcp) }
    }

    pub(crate) fn tls(stream: Tls) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)) }
    }

    /// What kind of handshake it began with, if any.
    pub(crate) fn handshake(&self) -> Option<HandshakeKind> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Tls(tls) => tls.get_ref().1.handshake_kind(),
        }
    }

    /// Sends `request` and reads the answer, all of it, into `buffer`, which has room for some of it.
    pub(crate) async fn ask(&mut self, request: &[u8], buffer: &mut [u8]) -> Result<()> {
        self.write(request).await?;
        let mut filled = 0;
        let (head, length) = loop {
            let n = self.read(&mut buffer[filled..]).await?;
            ensure!(n > 0, "the server left before its answer was complete");
            filled += n;
            if let Some(head) = find(&buffer[..filled], b"\r\n\r\n") {
                break (head + 4, content_length(&buffer[..head])?);
            }
        };
        let mut left = (head + length).checked_sub(filled).context("more came than was said")?;
        while left > 0 {
            let n = self.read(buffer).await?;
            ensure!(n > 0, "the server left before its answer was complete");
            left = left.checked_sub(n).context("more came than was said")?;
        }
        Ok(())
    }

    /// Says goodbye, and waits for the server to do so.
    pub(crate) async fn close(mut self, buffer: &mut [u8]) -> Result<()> {
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.get_ref().shutdown(std::net::Shutdown::Write)?,
            Stream::Tls(tls) => tls.close().await?,
        }
        // Whether it says so in TLS is not what is measured.
        while self.read(buffer).await.unwrap_or_default() > 0 {}
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.write_all(bytes).await?,
            Stream::Tls(tls) => {
                tls.write_all(bytes).await?;
                tls.flush().await?;
            }
        }
        Ok(())
    }

    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(match &mut self.stream {
            Stream::Plain(tcp) => tcp.read(buffer).await?,
            Stream::Tls(tls) => tls.read(buffer).await?,
        })
    }
}

/// Room to read answers into.
pub(crate) fn buffer() -> Vec<u8> {
    vec![0; READ_SIZE]
}

fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the answer is no 200: {head}");
    for line in head.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    bail!("the answer has no Content-Length: {head}")
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
