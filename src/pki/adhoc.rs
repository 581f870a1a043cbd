use std::env;
use std::path::PathBuf;
use std::time::SystemTime;

use tempfile::TempDir;
use turnkey::tls::pki_types::PrivatePkcs8KeyDer;
use turnkey::tls::{Identity, TrustAnchors};

use super::authority::Authority;
use super::bundle::Bundle;
use super::files::Batch;
use super::issue::{KeyType, Leaf, Role};
use super::report::Why;
use super::standing::Place;
use super::wanted::Wanted;
use super::{PkiError, SERVER_COMMON_NAME};

/// The lifetime of certificates that are made for one run, in days.
const DAYS: u32 = 30;

/// The common name of the client's certificate.
const CLIENT_COMMON_NAME: &str = "client.localhost";

/// Makes a server's identity in memory: self-signed, P-256, for 30 days, for this machine's names
/// and `names` (DNS names, wildcards, IP addresses).
pub(crate) fn adhoc(names: &[String], now: SystemTime) -> Result<Identity, PkiError> {
    let name = || "adhoc".to_owned();
    let issued = server(names)?
        .self_signed(now)
        .map_err(|source| PkiError::Issue { name: name(), source })?;
    let key = PrivatePkcs8KeyDer::from(issued.key);
    Identity::from_der(vec![issued.certificate.der().clone()], key, now)
        .map_err(|source| PkiError::Identity { name: name(), source })
}

/// Everything that mutual TLS needs, made for one run.
#[derive(Debug)]
pub(crate) struct AdhocMutual {
    /// The server's identity.
    pub(crate) identity: Identity,
    /// The CA that issued the certificates of server and client.
    pub(crate) anchors: TrustAnchors,
    /// The certificate of that CA, a file in `folder`.
    pub(crate) ca: PathBuf,
    /// The client's certificate and its key, a file in `folder`.
    pub(crate) client: PathBuf,
    /// The folder with these two files and the two others that [`certs`](super::certs) makes for a client. Dropping
    /// this deletes the folder.
    pub(crate) folder: TempDir,
}

/// Makes everything that mutual TLS needs: an identity as [`adhoc`] does, and a client's identity in its own
/// private folder. The key of the CA is not written anywhere, so the CA cannot issue more certificates.
pub(crate) fn adhoc_mutual(names: &[String], now: SystemTime) -> Result<AdhocMutual, PkiError> {
    let server = server(names)?;
    let authority = Authority::create(KeyType::P256, DAYS, now)?;
    let anchors = TrustAnchors::from_pem(&authority.certificate_pem, now)
        .map_err(|source| PkiError::Anchors { source })?;
    let folder = private_folder()?;
    let ca = folder.path().join("ca.crt");
    let [server_place, client_place] = [("server", Role::Server), ("client", Role::Client)]
        .map(|(name, role)| Place::new(folder.path(), name, role));

    let identity = Bundle::issue(&authority, &server_place, &server, now)?.identity;
    let leaf = Leaf {
        role: Role::Client,
        common_name: CLIENT_COMMON_NAME.to_owned(),
        names: Vec::new(),
        key_type: KeyType::P256,
        days: DAYS,
    };
    let mut batch = Batch::default();
    batch.put(&ca, authority.certificate_pem.clone(), false, Why::New);
    Bundle::issue(&authority, &client_place, &leaf, now)?.put(&mut batch)?;
    batch.write(folder.path()).map_err(|error| match error {
        PkiError::Write { path, source } => PkiError::Temporary { path, source },
        other => other,
    })?;
    Ok(AdhocMutual { identity, anchors, ca, client: client_place.both, folder })
}

fn server(names: &[String]) -> Result<Leaf, PkiError> {
    Ok(Leaf {
        role: Role::Server,
        common_name: SERVER_COMMON_NAME.to_owned(),
        names: Wanted::server(names, false)?.names(&[]),
        key_type: KeyType::P256,
        days: DAYS,
    })
}

/// Makes a folder that only its owner can access, whatever the umask is.
fn private_folder() -> Result<TempDir, PkiError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("turnkey-adhoc-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(|source| PkiError::Temporary { path: env::temp_dir(), source })
}
