//! Finds a file of `turnkey certs` from another in the same folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey::tls::{Certificate, ClientTrust, Identity, IssuerKey};
use zeroize::Zeroizing;

use crate::config::files::Material;

/// A client of the CA whose certificate and key are in a known file.
pub(crate) fn known_client(material: &Material<'_>) -> Option<(PathBuf, Identity)> {
    let anchors = material.policy().trust()?.anchors().certificates();
    let adhoc = material.sources.adhoc_clients().map(|clients| clients.client.clone());
    let file = adhoc.or_else(|| beside(material.sources.client_ca()?, "client.pem"))?;
    let pem = Zeroizing::new(fs::read(&file).ok()?);
    let client = Identity::from_pem(&pem, &pem, None, SystemTime::now()).ok()?;
    anchors.iter().any(|ca| ca.issued(client.leaf())).then_some((file, client))
}

/// Whether the rules of `trust` let in the client with this chain. Only names tell who issued it: the chain is
/// not verified.
pub(crate) fn rules_let_in(trust: &ClientTrust, chain: &[Certificate]) -> bool {
    let Some((leaf, others)) = chain.split_first() else { return false };
    let cas = others.iter().chain(trust.anchors().certificates()).filter(|ca| ca.issued(leaf));
    let mut keys = cas.map(|ca| Some(IssuerKey::of(ca))).chain([None]);
    keys.any(|key| trust.denies(leaf, key).is_none())
}

/// The file called `name` in the folder of `file`, if there is one.
pub(crate) fn beside(file: &Path, name: &str) -> Option<PathBuf> {
    let found = file.with_file_name(name);
    found.is_file().then_some(found)
}
