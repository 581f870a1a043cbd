use std::time::SystemTime;

use turnkey::tls::Identity;

use super::authority::Authority;
use super::files::Batch;
use super::issue::{Issued, Leaf, Role};
use super::report::Why;
use super::standing::Place;
use super::{PKCS12_PASSWORD, PkiError, x509};

/// A leaf certificate with its key, and the contents of the files that hold them.
pub(super) struct Bundle<'a> {
    authority: &'a Authority,
    place: &'a Place,
    certificate_pem: Vec<u8>,
    key_pem: Vec<u8>,
    /// The leaf, the CA's certificate and the key, as a server or a client uses them.
    pub(super) identity: Identity,
}

impl<'a> Bundle<'a> {
    /// Makes a new key, and lets `authority` issue a certificate for it.
    pub(super) fn issue(
        authority: &'a Authority,
        place: &'a Place,
        leaf: &Leaf,
        now: SystemTime,
    ) -> Result<Self, PkiError> {
        let Issued { certificate, key } = authority.issue(&place.name, leaf, now)?;
        let certificate_pem = x509::certificate_pem(&certificate);
        Self::open(authority, place, certificate_pem, x509::key_pem(&key), now)
    }

    /// Checks that certificate, CA and key make an identity that a server or a client can use.
    pub(super) fn open(
        authority: &'a Authority,
        place: &'a Place,
        certificate_pem: Vec<u8>,
        key_pem: Vec<u8>,
        now: SystemTime,
    ) -> Result<Self, PkiError> {
        let chain = join(&certificate_pem, &authority.certificate_pem);
        let identity = Identity::from_pem(&chain, &key_pem, None, now)
            .map_err(|source| PkiError::Identity { name: place.name.clone(), source })?;
        Ok(Self { authority, place, certificate_pem, key_pem, identity })
    }

    /// Adds all the files to the batch.
    pub(super) fn put(self, batch: &mut Batch) -> Result<(), PkiError> {
        let (both, pkcs12) = (self.both(), self.pkcs12()?);
        let Self { place, certificate_pem, key_pem, .. } = self;
        // The certificate goes before the key. After a crash in between, the certificate is ours and the key does
        // not match it. The next run reports this instead of guessing.
        batch.put(&place.certificate, certificate_pem, false, Why::New);
        batch.put(&place.key, key_pem, true, Why::New);
        batch.put(&place.both, both, place.both_is_secret(), Why::New);
        batch.put(&place.pkcs12, pkcs12, true, Why::New);
        Ok(())
    }

    /// The second PEM file of an identity, as in the recipe.
    pub(super) fn both(&self) -> Vec<u8> {
        match self.place.role {
            Role::Server => join(&self.certificate_pem, &self.authority.certificate_pem),
            Role::Client => join(&self.certificate_pem, &self.key_pem),
        }
    }

    pub(super) fn pkcs12(&self) -> Result<Vec<u8>, PkiError> {
        self.identity
            .to_pkcs12(PKCS12_PASSWORD)
            .map_err(|source| PkiError::Identity { name: self.place.name.clone(), source })
    }
}

/// Joins two PEM files as `cat` does, with a line break between them.
pub(super) fn join(first: &[u8], second: &[u8]) -> Vec<u8> {
    let line_break: &[u8] = if first.ends_with(b"\n") { b"" } else { b"\n" };
    [first, line_break, second].concat()
}
