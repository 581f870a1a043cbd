//! Programs that people put behind turnkey and in front of it, as they put them there. `make deps`
//! installs them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod apache;
mod django;
mod flask;
mod forgery;
mod haproxy;
mod large;
mod one_worker;
mod seed;
mod websocket;

use turnkey_test_support::{self as support, Client, Pki, Server};

/// turnkey in https or mutual mode, before an upstream.
struct Front {
    server: Server,
    pki: Pki,
    mode: &'static str,
}

impl Front {
    fn start(mode: &'static str, upstream: &str, options: &[&str]) -> Self {
        Self::with(Pki::new(), mode, upstream, options)
    }

    fn with(pki: Pki, mode: &'static str, upstream: &str, options: &[&str]) -> Self {
        let mut args = vec!["--mode", mode, "--proxy", upstream];
        match mode {
            "mutual" => args.extend(pki.mutual_args()),
            "https" => args.extend(pki.server_args()),
            _ => {}
        }
        args.extend(options);
        let server = Server::with(&args);
        Self { server, pki, mode }
    }

    /// By the name that the certificate is for. Ends in `/`.
    fn url(&self) -> String {
        let scheme = if self.mode == "http" { "http" } else { "https" };
        format!("{scheme}://localhost:{}/", self.server.port)
    }

    /// curl, with the client's certificate if one is asked for.
    fn curl(&self) -> Client {
        let mut options = vec!["-4", "--cacert", &self.pki.ca_file];
        if self.mode == "mutual" {
            options.extend(["-E", &self.pki.client.both]);
        }
        Client::new(&options)
    }

    /// The same for the scripts: the CA, and the certificate and its key.
    fn trust(&self) -> Vec<&str> {
        let mut files = vec![self.pki.ca_file.as_str()];
        if self.mode == "mutual" {
            files.extend([self.pki.client.cert.as_str(), &self.pki.client.key]);
        }
        files
    }
}
