use der::ErrorKind;
use p12_keystore::error::Error as P12Error;
use p12_keystore::{
    EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive, PrivateKeyChain,
};

use super::key::{Candidate, PrivateKey};
use super::{Identity, IdentityError, Part};
use crate::{Certificate, CertificateError, Found, found, x509_fault};

/// As many as OpenSSL uses. More would not make PBE-SHA1-3DES safe, only the start slow.
const ITERATIONS: u32 = 2048;

/// Everything in the file, in its order; there is at least one of each.
pub(super) fn read(
    der: &[u8],
    password: Option<&str>,
) -> Result<(Vec<Certificate>, Vec<Candidate>), IdentityError> {
    if der.trim_ascii().is_empty() {
        return Err(IdentityError::Empty { part: Part::Both });
    }
    if !found::is_pkcs12(der) {
        return Err(IdentityError::NotPkcs12(Found::in_bytes(der)));
    }
    let archive = Pkcs12Archive::from_pkcs12(der, password.unwrap_or_default())
        .map_err(|error| explain(error, der, password.is_some()))?;

    let mut certificates = Vec::new();
    let mut key_ids = Vec::new();
    for bag in archive.certs {
        let certificate = Certificate::from_der(bag.cert.as_der())?;
        if let Some(id) = bag.local_key_id {
            key_ids.push((id, certificate.clone()));
        }
        certificates.push(certificate);
    }
    let mut keys = Vec::new();
    for bag in archive.keys {
        let key = PrivateKey::from_pkcs8(bag.key.as_der().to_vec())?;
        let id = bag.local_key_id;
        let own = key_ids.iter().find(|(other, _)| id.as_ref().is_some_and(|id| id.0 == *other));
        keys.push(Candidate { key, certificate: own.map(|(_, certificate)| certificate.clone()) });
    }
    match (certificates.is_empty(), keys.is_empty()) {
        (_, true) => Err(IdentityError::NoPrivateKey),
        (true, _) => Err(IdentityError::NoCertificate),
        _ => Ok((certificates, keys)),
    }
}

pub(super) fn write(identity: &Identity, password: &str) -> Result<Vec<u8>, IdentityError> {
    if password.is_empty() || !password.is_ascii() {
        return Err(IdentityError::UnusablePassword);
    }
    let write = || {
        let key = p12_keystore::PrivateKey::from_der(identity.key().secret_pkcs8_der())?;
        let chain = identity.chain().iter();
        let chain = chain.map(|certificate| p12_keystore::Certificate::from_der(certificate.der()));
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        // Any id works, if key and leaf have the same.
        let id = identity.leaf().spki_sha256().to_vec();
        let entry = KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(id, key, chain));
        let mut store = KeyStore::new();
        store.add_entry(friendly_name(identity.leaf()), entry);
        store
            .writer(password)
            .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
            .encryption_iterations(ITERATIONS)
            .mac_algorithm(MacAlgorithm::HmacSha1)
            .mac_iterations(ITERATIONS)
            .write()
    };
    write().map_err(|error: P12Error| {
        IdentityError::WritePkcs12(match error {
            P12Error::X509Error(error) => x509_fault::in_words(&error).into(),
            other => other.into(),
        })
    })
}

/// The name of the key in stores: the common name, if PKCS#12 can express it (a `BMPString`, which has no
/// characters beyond U+FFFF).
fn friendly_name(leaf: &Certificate) -> &str {
    let name = leaf.common_name().filter(|name| name.chars().all(|c| u32::from(c) <= 0xffff));
    name.filter(|name| !name.is_empty()).unwrap_or("identity")
}

fn explain(error: P12Error, der: &[u8], password_given: bool) -> IdentityError {
    let password =
        if password_given { IdentityError::WrongPassword } else { IdentityError::PasswordRequired };
    // With a MAC, a wrong password is detected there. Without one, it only gives decrypted bytes that are
    // malformed.
    let no_mac = found::has_mac(der) == Some(false);
    match error {
        P12Error::MacError(_) => password,
        P12Error::DerError(error) if matches!(error.kind(), ErrorKind::OidUnknown { .. }) => {
            IdentityError::UnsupportedEncryption { part: Part::Both }
        }
        P12Error::DerError(_)
        | P12Error::UnpadError
        | P12Error::Pkcs5Error(_)
        | P12Error::InvalidPrivateKey
            if no_mac =>
        {
            password
        }
        P12Error::UnsupportedEncryptionScheme
        | P12Error::UnsupportedMacAlgorithm
        | P12Error::UnsupportedContentType
        | P12Error::InvalidParameters
        | P12Error::Pkcs5Error(_) => IdentityError::UnsupportedEncryption { part: Part::Both },
        P12Error::X509Error(error) => {
            CertificateError::Malformed(x509_fault::in_words(&error).into()).into()
        }
        error => IdentityError::MalformedPkcs12(Box::new(error)),
    }
}
