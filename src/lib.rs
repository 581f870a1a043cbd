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
//! The same app in https mode takes an [`Identity`], in mutual mode an [`Identity`] and a
//! [`ClientPolicy`]: see [`Mode`].

mod accept;
mod address;
mod app;
mod args;
mod bound;
mod causes;
mod check;
mod choose_mode;
mod cli;
mod client_files;
mod config;
mod config_error;
mod connection;
mod content;
mod current;
mod explain;
mod field;
mod files;
// `cargo fuzz` sets this.
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
mod identity_files;
mod layers;
mod limit_options;
mod limits;
mod listen_options;
mod listener;
mod log;
mod made_up;
mod mode;
mod own_backend;
mod panic_message;
mod password;
mod peer;
#[cfg(feature = "pki")]
pub mod pki;
mod places;
pub mod program;
mod proxy;
mod recipe;
mod redirect;
mod refusal;
mod reload;
mod request_id;
mod server;
mod server_error;
mod shutdown;
mod signals;
mod sources;
mod startup;
mod test_client;
mod trust;
mod units;
mod upstream_options;
mod wire;

pub use address::{Address, ClientAddr, LocalAddr, RemoteAddr};
pub use app::{App, Next, Params, Route, builtin, public_error, with_state};
pub use bound::Bound;
pub use files::FileError;
pub use http_types::{self, Body, Error, Method, Request, Response, Result, StatusCode};
pub use limits::Limits;
pub use listener::Listener;
pub use mode::{BackendName, Mode, ModeError, TlsChoice, compiled_backends};
pub use own_backend::OwnBackend;
pub use peer::Peer;
pub use proxy::{Balance, Proxy, Upstream};
pub use recipe::{Recipe, RecipeError};
pub use reload::Reloader;
pub use server::Server;
pub use server_error::ServerError;
pub use test_client::{TestClient, TestRequest, TestResponse};
pub use trust::{TrustedProxies, TrustedProxiesError};
pub use turnkey_backend::{
    AllowRules, Certificate, ClientPolicy, ClientTrust, CommonNameRule, ConnectConfig, Identity,
    IdentityError, RevocationList, SanRule, TicketKey, TlsInfo, TlsVersion, TrustAnchors,
};

/// What a backend of one's own is made of: see [`OwnBackend`].
pub mod backend {
    pub use turnkey_backend::{
        Accepted, Alert, Backend, BoxFuture, Capabilities, Common, Fault, HandshakeError, Refused,
        Socket, Stream,
    };
}

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
