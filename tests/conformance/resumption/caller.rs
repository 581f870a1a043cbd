//! A client that begins sessions and comes back with them, and what it saw.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Setup;
use crate::support::{Files, Output, Pki, Server, s_client};

/// `openssl s_client`, which offers whatever session it is told to.
#[derive(Clone, Copy)]
pub(super) struct Caller<'p> {
    pub(super) setup: Setup,
    pub(super) pki: &'p Pki,
    pub(super) client: Option<&'p Files>,
}

impl<'p> Caller<'p> {
    pub(super) fn new(setup: Setup, pki: &'p Pki, client: Option<&'p Files>) -> Self {
        Self { setup, pki, client }
    }

    pub(super) fn without_certificate(&self) -> Self {
        Self { client: None, ..*self }
    }

    /// Has a full handshake. The result is the file with the session.
    #[track_caller]
    pub(super) fn begins(&self, server: &Server, status: u16) -> String {
        self.tries_to_begin(server, status).expect("something to come back with")
    }

    /// The same where the server may not give any.
    #[track_caller]
    pub(super) fn tries_to_begin(&self, server: &Server, status: u16) -> Option<String> {
        let file = self.pki.path("session");
        fs::remove_file(&file).ok();
        let visit = self.visit(server, &["-sess_out", &file]);
        assert_eq!((visit.resumed, visit.status), (false, Some(status)), "{visit:?}");
        // What comes back later must not be what is written over it meanwhile.
        let kept = self.pki.path(&format!("session-{}-{}", server.port, self.client.is_some()));
        Path::new(&file).exists().then(|| {
            fs::rename(&file, &kept).unwrap();
            kept
        })
    }

    /// Asks for a name, and keeps the session or comes back with it.
    pub(super) fn asking(&self, name: &[&str], option: &str, server: &Server) -> Visit {
        self.visit(server, &[name, &[option, &self.pki.path("session-of-a-name")]].concat())
    }

    pub(super) fn comes_back(&self, server: &Server, session: &str) -> Visit {
        self.visit(server, &["-sess_in", session])
    }

    pub(super) fn visit(&self, server: &Server, more: &[&str]) -> Visit {
        const REQUEST: &[u8] =
            b"GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        // To the end of the answer: the tickets of TLS 1.3 come behind the handshake.
        let mut args = vec!["-CAfile", &self.pki.ca_file, "-ign_eof"];
        args.extend(self.setup.s_client_args());
        if let Some(files) = self.client {
            args.extend(["-cert", &files.cert, "-key", &files.key, "-cert_chain", &files.cert]);
        }
        args.extend(more);
        Visit::new(s_client(server.port, &args, REQUEST))
    }
}

/// What came of a connection.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) resumed: bool,
    /// `None` when nothing was answered.
    pub(super) status: Option<u16>,
    pub(super) output: Output,
}

impl Visit {
    pub(super) fn new(output: Output) -> Self {
        let text = output.text();
        let resumed = text.lines().any(|line| line.starts_with("Reused, "));
        let status = text.split("HTTP/1.1 ").nth(1).map(|rest| rest[..3].parse().unwrap());
        Self { resumed, status, output }
    }

    /// What the server says.
    pub(super) fn whoami(&self) -> Value {
        let text = self.output.text();
        let body = text.split("HTTP/1.1 200 ").nth(1).and_then(|rest| rest.split_once("\r\n\r\n"));
        let (_, body) = body.unwrap_or_else(|| panic!("no answer: {:?}", self.output));
        let mut values = serde_json::Deserializer::from_str(body).into_iter();
        values.next().unwrap().unwrap()
    }

    /// Both sides say so.
    #[track_caller]
    pub(super) fn assert_resumed(&self) {
        assert!(self.resumed, "{:?}", self.output);
        assert_eq!(self.whoami()["tls"]["resumed"], true, "{:?}", self.output);
    }

    #[track_caller]
    pub(super) fn assert_served_in_full(&self) {
        assert!(!self.resumed, "{:?}", self.output);
        assert_eq!(self.whoami()["tls"]["resumed"], false, "{:?}", self.output);
    }
}
