//! trillium on smol, plain or on native-tls: `peer-trillium PORT [CHAIN KEY]`.

use std::{env, fs};

use anyhow::{Context, Result};
use trillium::Conn;
use trillium_native_tls::NativeTlsAcceptor;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let port = words.first().context("no port")?.parse()?;
    let config = trillium_smol::config().with_host("127.0.0.1").with_port(port).with_nodelay();
    let answer = |conn: Conn| async move { conn.ok("Top-level content") };
    match words.get(1..3) {
        Some([chain, key]) => {
            let acceptor = NativeTlsAcceptor::from_pkcs8(&fs::read(chain)?, &fs::read(key)?);
            config.with_acceptor(acceptor).run(answer);
        }
        _ => config.run(answer),
    }
    Ok(())
}
