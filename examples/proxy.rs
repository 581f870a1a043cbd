//! HTTPS in front of an app that speaks HTTP.
//!
//! ```console
//! $ cargo run -- certs --out certs
//! $ cargo run --example hello -- 127.0.0.1:5000
//! $ cargo run --example proxy -- http://127.0.0.1:5000
//! $ curl --cacert certs/ca.crt https://localhost:8000/hello/world
//! Hello, world!
//! ```

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use std::fs;
use std::time::SystemTime;

use turnkey::tls::Identity;
use turnkey::{Balance, Mode, Proxy, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let upstream = arguments.next().ok_or("which upstream? try http://127.0.0.1:5000")?;
    let address = arguments.next().unwrap_or("127.0.0.1:8000".to_owned());

    let bytes = fs::read("certs/server.p12")?;
    let identity = Identity::from_pkcs12(&bytes, Some("turnkey"), SystemTime::now())?;
    let proxy = Proxy::new(vec![upstream.parse()?], Balance::RoundRobin);
    let server = Server::proxy(proxy).mode(Mode::Https(identity));
    let bound = server.bind(address)?;
    println!("https://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
