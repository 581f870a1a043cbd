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

use std::time::SystemTime;
use std::{env, fs};

use turnkey::log::with_causes;
use turnkey::tls::{ClientPolicy, ClientTrust, Identity, TrustAnchors};
use turnkey::{App, Mode, Server};

fn main() {
    if let Err(error) = serve() {
        eprintln!("Error starting the server. {error}");
        std::process::exit(1);
    }
}

fn serve() -> Result<(), String> {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content\n") });
    let port = setting("API_PORT", "8000");
    let port: u16 = port.parse().map_err(|_| format!("API_PORT={port}: expected a port"))?;
    let (mode, host) = (mode()?, setting("API_HOST", "127.0.0.1"));
    let scheme = if mode.name() == "http" { "http" } else { "https" };
    let failed = |error| with_causes(&error);
    let bound = Server::new(app).mode(mode).bind((host, port)).map_err(failed)?;
    println!("{scheme}://{}/", bound.local_addr().map_err(|error| error.to_string())?);
    bound.run().map_err(failed)
}

/// The mode that the switches choose, with what the files hold.
fn mode() -> Result<Mode, String> {
    let (https, verify) = (switch("HTTPS_ENABLED")?, switch("VERIFY_USER")?);
    let now = SystemTime::now();
    let identity = || {
        let (chain, key) = (file("CA_CHAIN_CRT")?, file("API_KEY")?);
        Identity::from_pem(&chain, &key, None, now).map_err(|error| with_causes(&error))
    };
    match (https, verify) {
        (false, false) => Ok(Mode::Http),
        (true, false) => Ok(Mode::Https(identity()?)),
        (true, true) => {
            let cas = TrustAnchors::from_pem(&file("API_CA_T")?, now);
            let cas = cas.map_err(|error| with_causes(&error))?;
            Ok(Mode::Mutual(identity()?, ClientPolicy::Required(ClientTrust::new(cas))))
        }
        (false, true) => Err("VERIFY_USER=true needs HTTPS_ENABLED=true".to_owned()),
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}

fn switch(name: &str) -> Result<bool, String> {
    // One that is set and empty must not let everybody in.
    let value = env::var(name).unwrap_or_else(|_| "false".to_owned());
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("{name}={value}: expected true or false")),
    }
}

fn file(variable: &str) -> Result<Vec<u8>, String> {
    match setting(variable, "") {
        path if path.is_empty() => Err(format!("{variable} names no file")),
        path => fs::read(&path).map_err(|_| format!("{path}: there is no such file, or no access")),
    }
}
