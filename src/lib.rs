//! Puts an app on HTTP, HTTPS or mutual TLS by one switch.
//!
//! ```no_run
//! # fn main() -> Result<(), turnkey::ServerError> {
//! let mut app = turnkey::App::new();
//! app.at("/").get(|_| async { Ok("Top-level content") });
//! turnkey::Server::new(app).bind("127.0.0.1:8000")?.run()
//! # }
//! ```
//!
//! The same app in https mode takes an [`Identity`](tls::Identity), in mutual mode an identity and a
//! [`ClientPolicy`](tls::ClientPolicy): see [`Mode`].
//!
//! # Handlers
//!
//! A handler is a function of a [`Request`], and what it answers is text, JSON, a [`Response`], or an
//! error. What it wants to know is with the request: [`Params`] of its route, the [`Peer`] that
//! asks, the query, the body. [`Fields`] has what is not in ASCII.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use turnkey::{App, Body, Request, Result, TestClient};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Cat {
//!     name: String,
//! }
//!
//! /// What is not the JSON that is expected is answered with 422, and a line that says why; so is a
//! /// form, which `body_form` reads in the same way.
//! async fn adopt(mut request: Request) -> Result<Body> {
//!     let cat: Cat = request.body_json().await?;
//!     Body::from_json(&Cat { name: format!("{} the Great", cat.name) })
//! }
//!
//! let mut app = App::new();
//! app.at("/cats").post(adopt);
//!
//! let client = TestClient::new(app);
//! let response = client.post("/cats").body(r#"{"name": "Chashu"}"#).send();
//! assert_eq!(response.header("content-type"), Some("application/json"));
//! assert_eq!(response.json::<Cat>().name, "Chashu the Great");
//! let response = client.post("/cats").body("{}").send();
//! assert_eq!(response.status(), 422);
//! ```
//!
//! State that handlers share comes with [`with_state`]; what many have in common, such as who may call
//! them, stands in middleware, [`App::wrap`]; a part of an app in [`App::nest`].
//!
//! # Bodies
//!
//! A body is a stream, of a request as of a response: it is read no faster than it is used, and made no
//! faster than the client takes it. `body_json`, `body_form`, `body_string` and `body_bytes` read one
//! whole, of as many bytes as [`Limits::max_body`] lets through: more is 413.
//!
//! ```
//! use smol::io::{AsyncReadExt, BufReader};
//! use turnkey::{App, Body, Request, Response, Result, StatusCode};
//!
//! async fn count_lines(mut request: Request) -> Result<String> {
//!     let (mut lines, mut piece) = (0, vec![0; 16 * 1024]);
//!     loop {
//!         let n = request.read(&mut piece).await?;
//!         if n == 0 {
//!             return Ok(lines.to_string());
//!         }
//!         lines += piece[..n].iter().filter(|&&byte| byte == b'\n').count();
//!     }
//! }
//!
//! async fn zeros(_request: Request) -> Result<Response> {
//!     let mut response = Response::new(StatusCode::Ok);
//!     let zeros = smol::io::repeat(0).take(1_000_000_000);
//!     response.set_body(Body::from_reader(BufReader::new(zeros), Some(1_000_000_000)));
//!     Ok(response)
//! }
//!
//! let mut app = App::new();
//! app.at("/lines").post(count_lines);
//! app.at("/zeros").get(zeros);
//! ```
//!
//! # Errors
//!
//! A handler that ends with an error is answered with the status that the error carries
//! ([`http_types::Error`]; 500 where it carries none), and with the text of the status. What else it
//! says goes into the log, if it is a server's error. [`public_error`] has a text for the client.

mod app;
// `make bench` sets this.
#[cfg(any(turnkey_bench, test))]
#[doc(hidden)]
pub mod benched;
mod common;
mod folder;
// `cargo fuzz` sets this.
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod h1;
mod mode;
mod page;
mod peer;
mod proxy;
mod report;
mod server;
mod wire;

pub use app::test_client::{TestClient, TestRequest, TestResponse};
pub use app::{App, Handler, Middleware, Next, Params, Route, builtin, public_error, with_state};
pub use common::fields::Fields;
pub use common::limits::Limits;
pub use folder::{Folder, FolderError};
pub use http_types::{self, Body, Error, Method, Request, Response, Result, StatusCode};
pub use mode::{Mode, ModeError, Tls};
pub use peer::Peer;
pub use proxy::{Balance, Proxy, UpgradeProtocol, Upstream};
pub use server::Server;
pub use server::bound::Bound;
pub use server::error::ServerError;
pub use server::listener::Listener;
pub use server::reload::Reloader;

/// Addresses, and what a server takes of the operating system: sockets, descriptors, signals and threads.
pub mod net {
    pub use crate::common::address::{Address, ClientAddr, LocalAddr, RemoteAddr, is_authority};
    pub use crate::common::limits::{Descriptors, open_files, raise_open_files};
    pub use crate::peer::trust::{IgnoredHeader, TrustedProxies, TrustedProxiesError};
    pub use crate::server::signals::{ReloadSignal, StopSignals};
    pub use crate::server::workers::WorkerPool;
}

/// The access log, what other logs are made of, and what the server's lines call its settings.
pub mod log {
    pub use crate::common::causes::with_causes;
    pub use crate::common::setting_names::SettingNames;
    pub use crate::report::access::{AccessLog, LogFormat};
    pub use crate::report::log::LineQueue;
}

/// Certificates, keys, CAs and revocation lists; which clients are let in; and the TLS of a connection.
pub mod tls {
    pub use turnkey_backend::{
        AllowRules, AllowedIssuers, Certificate, CertificateError, ClientPolicy, ClientTrust,
        CommonNameRule, ConnectConfig, Identities, Identity, IdentityError, IssuerKey, KeyKind,
        OcspError, OcspResponse, Part, PolicyError, RevocationList, RevocationListError, SanKind,
        SanRule, TicketKey, TlsInfo, TlsVersion, TrustAnchors, pem, pki_types, time,
    };

    pub use crate::mode::{BackendName, compiled_backends};
}

/// What a backend of one's own is made of: see [`Server::backend`].
pub mod backend {
    pub use turnkey_backend::{
        Accepted, Alert, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, Common,
        EstablishedStream, Fault, HandshakeError, HandshakeIo, HandshakeProgress, Refused,
        Resumption, Socket, Stream, Timer, TlsConfig, VersionRange, Vouched,
    };

    pub use crate::mode::Built;
}

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The guide's programs compile and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/GUIDE.md")]
struct Guide;
