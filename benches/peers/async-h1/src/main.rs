//! async-h1's own loop on smol, as its documentation shows it: `peer-async-h1 PORT`.

use std::env;
use std::net::TcpListener;

use anyhow::{Context, Result};
use async_dup::Arc;
use http_types::{Response, StatusCode};
use smol::Async;

fn main() -> Result<()> {
    let port: u16 = env::args().nth(1).context("no port")?.parse()?;
    smol::block_on(async {
        let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], port))?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.get_ref().set_nodelay(true)?;
            let serving = async_h1::accept(Arc::new(stream), |_| async {
                let mut response = Response::new(StatusCode::Ok);
                response.set_body("Top-level content");
                Ok(response)
            });
            smol::spawn(async {
                // A client that leaves is no news.
                _ = serving.await;
            })
            .detach();
        }
    })
}
