//! A server on loopback, a client of rustls's, and certificates for both.

mod client;
mod pki;
mod server;

pub(crate) use client::Client;
pub(crate) use pki::{Authority, Leaf, Profile};
pub(crate) use server::{Config, Server};
use turnkey_backend::TlsVersion;

/// What is tried in each.
pub(crate) const VERSIONS: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];
