//! The CAs that this system trusts.

use std::env;
use std::path::PathBuf;

use super::read::is_regular;

/// The usual files, in PEM.
const FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file that contains them, if there is one. `SSL_CERT_FILE` names another, as for OpenSSL and most
/// programs.
pub(crate) fn file() -> Option<PathBuf> {
    let named = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    named.into_iter().chain(FILES.map(PathBuf::from)).find(|path| is_regular(path))
}
