//! Certificate revocation lists.

use std::io::{self, Write as _};

use openssl::error::ErrorStack;
use openssl::ssl::SslFiletype;
use openssl::x509::store::{X509Lookup, X509StoreBuilderRef};
use openssl::x509::verify::X509VerifyFlags;
use tempfile::TempPath;
use turnkey_backend::{BuildError, RevocationList, pem};

use crate::setup;

/// Makes `store` refuse what a list revokes, and what no list covers; without any list, nothing.
pub(crate) fn set(
    store: &mut X509StoreBuilderRef,
    crls: &[RevocationList],
) -> Result<(), BuildError> {
    if crls.is_empty() {
        return Ok(());
    }
    let file = file(crls).map_err(|e| BuildError::Setup(no_file(&e).into()))?;
    let loaded = load(store, &file).map_err(setup)?;
    if usize::try_from(loaded) != Ok(crls.len()) {
        let what = format!("OpenSSL read {loaded} of {} revocation lists", crls.len());
        return Err(BuildError::Setup(what.into()));
    }
    Ok(())
}

/// The only way from memory to OpenSSL: the crate has no call that takes a list, only one that takes
/// the path of a file. It is gone when the path is dropped.
fn file(crls: &[RevocationList]) -> io::Result<TempPath> {
    let mut file = tempfile::NamedTempFile::new()?;
    for crl in crls {
        file.write_all(pem::encode("X509 CRL", crl.der()).as_bytes())?;
    }
    file.flush()?;
    // The crate panics on a path that is not.
    if file.path().to_str().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, "its path is not UTF-8"));
    }
    Ok(file.into_temp_path())
}

fn no_file(error: &io::Error) -> String {
    format!(
        "OpenSSL reads revocation lists from a file only, and no temporary one can be written: \
         {error}; set TMPDIR to a folder that can be"
    )
}

fn load(store: &mut X509StoreBuilderRef, file: &TempPath) -> Result<i32, ErrorStack> {
    store.set_flags(X509VerifyFlags::CRL_CHECK | X509VerifyFlags::CRL_CHECK_ALL)?;
    store.add_lookup(X509Lookup::file())?.load_crl_file(file, SslFiletype::PEM)
}
