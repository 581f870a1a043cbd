//! The clients that turnkey and its peers are measured with: full, resumed and mutual handshakes,
//! fixed numbers of requests, and idle connections by the thousand.
//!
//! It says `ready` when all is prepared, waits for a line on stdin, does what it is asked, and says
//! how long that took: whoever measures the server can look at it just before and just after.

mod http;
mod modes;
mod target;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use argh::FromArgs;

use crate::target::Target;

/// Puts a server under load.
#[derive(Debug, FromArgs)]
pub(crate) struct Options {
    /// requests, handshakes or idle
    #[argh(positional)]
    mode: Mode,

    /// the server's address
    #[argh(option)]
    to: SocketAddr,

    /// how many requests or handshakes in all; 1000
    #[argh(option, default = "1000")]
    count: u64,

    /// how many connections at a time; 64
    #[argh(option, default = "64")]
    connections: usize,

    /// the path to ask for; /
    #[argh(option, default = "\"/\".to_owned()")]
    path: String,

    /// speak TLS, of this version: 1.2 or 1.3
    #[argh(option)]
    tls: Option<String>,

    /// the only key-exchange group that is offered, such as X25519MLKEM768; X25519
    #[argh(option, default = "\"X25519\".to_owned()")]
    group: String,

    /// the client's certificate, in PEM
    #[argh(option)]
    cert: Option<PathBuf>,

    /// the key of --cert
    #[argh(option)]
    key: Option<PathBuf>,

    /// resume the session of the handshake before
    #[argh(switch)]
    resume: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// `count` requests over `connections` connections that are kept.
    Requests,
    /// `count` connections, each with one request, `connections` at a time.
    Handshakes,
    /// `connections` connections, each with one request, held until stdin ends.
    Idle,
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "requests" => Ok(Self::Requests),
            "handshakes" => Ok(Self::Handshakes),
            "idle" => Ok(Self::Idle),
            _ => Err("expected requests, handshakes or idle".to_owned()),
        }
    }
}

fn main() -> Result<()> {
    let options: Options = argh::from_env();
    let target = Target::new(&options)?;
    smol::block_on(async {
        match options.mode {
            Mode::Requests => {
                let connections = modes::open(&target, options.connections).await?;
                timed(options.count, modes::requests(connections, &target, options.count)).await
            }
            Mode::Handshakes => {
                let workers = modes::prime(&target, options.connections).await?;
                timed(options.count, modes::handshakes(workers, options.count)).await
            }
            Mode::Idle => {
                let connections = modes::open(&target, options.connections).await?;
                say("ready")?;
                // The end of stdin is the end.
                io::copy(&mut io::stdin().lock(), &mut io::sink())?;
                drop(connections);
                Ok(())
            }
        }
    })
}

/// Does `work` on the word, and says how long it took.
async fn timed(count: u64, work: impl Future<Output = Result<()>>) -> Result<()> {
    say("ready")?;
    io::stdin().lock().read_line(&mut String::new()).context("no word on stdin")?;
    let start = Instant::now();
    work.await?;
    say(&format!("{count} in {:.6} s", start.elapsed().as_secs_f64()))
}

fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
