//! One app in three modes, by the switches of the recipe that turnkey grew from.
//!
//! ```console
//! $ cargo run -- certs --out certs
//! $ export CA_CHAIN_CRT=certs/server_chain.pem API_KEY=certs/server.key API_CA_T=certs/ca.crt
//! $ HTTPS_ENABLED=False VERIFY_USER=False cargo run --example modes
//! $ curl http://127.0.0.1:8000/
//! Top-level content
//! $ HTTPS_ENABLED=True VERIFY_USER=False cargo run --example modes
//! $ curl --cacert certs/ca.crt https://127.0.0.1:8000/
//! Top-level content
//! $ HTTPS_ENABLED=True VERIFY_USER=True cargo run --example modes
//! $ curl --cacert certs/ca.crt -E certs/client.pem https://127.0.0.1:8000/
//! Top-level content
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example says how it is")]

use turnkey::{App, Recipe, Server};

fn main() {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content\n") });
    if let Err(error) = serve(app) {
        eprintln!("Error starting the server. {error}");
        std::process::exit(1);
    }
}

/// `API_HOST` and `API_PORT` say where to listen.
fn serve(app: App) -> Result<(), Box<dyn std::error::Error>> {
    let Recipe { mode, host, port, .. } = Recipe::from_env()?;
    let scheme = if mode.name() == "http" { "http" } else { "https" };
    let bound = Server::new(app).mode(mode).bind((host, port))?;
    println!("{scheme}://{}/", bound.local_addr()?);
    Ok(bound.run()?)
}
