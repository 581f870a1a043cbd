use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode as _, Encode as _};
use pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls_pki_types::PrivatePkcs8KeyDer;
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use super::{IdentityError, Part};
use crate::Certificate;
use crate::pem::Block;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The maximum that is useful by RFC 8018 §4.2.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
/// scrypt takes 128·N·r bytes (RFC 7914 §2). OpenSSL writes keys that take 16 MiB.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
const MAX_SCRYPT_PARALLELISM: u16 = 16;

/// A private key in PKCS#8, version 1. The bytes are wiped on drop.
pub(super) struct PrivateKey {
    der: Zeroizing<PrivatePkcs8KeyDer<'static>>,
    /// The public key that version 2 states beside the private one.
    public: Option<Vec<u8>>,
}

/// A key that was found, and the certificate that the file assigns to it.
pub(super) struct Candidate {
    pub(super) key: PrivateKey,
    pub(super) certificate: Option<Certificate>,
}

impl From<PrivateKey> for Candidate {
    fn from(key: PrivateKey) -> Self {
        Self { key, certificate: None }
    }
}

/// Whether a key is the private half of a certificate's public key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    Yes,
    No,
    /// Algorithm and curve are the same, and the key does not state its public half.
    Unstated,
}

impl PrivateKey {
    pub(super) fn from_pkcs8(
        der: impl Into<PrivatePkcs8KeyDer<'static>>,
    ) -> Result<Self, IdentityError> {
        let der = Zeroizing::new(der.into());
        let info = PrivateKeyInfoRef::from_der(der.secret_pkcs8_der())
            .map_err(|_| IdentityError::MalformedKey("PKCS#8"))?;
        let key = info.private_key.as_bytes();
        match info.algorithm.oid {
            RSA | RSA_PSS if RsaPrivateKeyRef::from_der(key).is_err() => {
                Err(IdentityError::MalformedKey("RSA"))
            }
            EC if EcPrivateKey::from_der(key).is_err() => Err(IdentityError::MalformedKey("EC")),
            EC if named_curve(info.algorithm.parameters).is_none() => Err(EXPLICIT_CURVE),
            _ => match info.public_key {
                None => Ok(Self { der, public: None }),
                // OpenSSL reads version 1 only (RFC 5958 §2), so all stacks get that.
                Some(public) => {
                    let public = public.as_bytes().map(<[u8]>::to_vec);
                    let key = Self::wrap(info.algorithm, key)?;
                    Ok(Self { public, ..key })
                }
            },
        }
    }

    pub(super) fn der(&self) -> &PrivatePkcs8KeyDer<'static> {
        &self.der
    }

    /// PKCS#1 with its algorithm around it (RFC 5208 §5, RFC 3279 §2.3.1).
    fn from_pkcs1(der: &[u8]) -> Result<Self, IdentityError> {
        RsaPrivateKeyRef::from_der(der).map_err(|_| IdentityError::MalformedKey("PKCS#1"))?;
        Self::wrap(AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) }, der)
    }

    /// SEC1 with its algorithm around it. The curve is in the key or, as OpenSSL also writes it, in a separate block
    /// before it.
    fn from_sec1(der: &[u8], parameters: Option<&[u8]>) -> Result<Self, IdentityError> {
        let Ok(key) = EcPrivateKey::from_der(der) else {
            // The crate supports named curves only, and reports others as malformed.
            let explicit = parameters.is_some_and(|der| oid(der).is_none());
            return Err(if explicit {
                EXPLICIT_CURVE
            } else {
                IdentityError::MalformedKey("SEC1")
            });
        };
        let curve = key.parameters.and_then(sec1::EcParameters::named_curve);
        let curve = curve.or_else(|| parameters.and_then(oid));
        let curve = curve.ok_or(IdentityError::UnsupportedKey("it does not say its curve"))?;
        Self::wrap(AlgorithmIdentifierRef { oid: EC, parameters: Some(AnyRef::from(&curve)) }, der)
    }

    fn wrap(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Self, IdentityError> {
        let malformed = |_| IdentityError::MalformedKey("DER");
        let key = OctetStringRef::new(key).map_err(malformed)?;
        let der = PrivateKeyInfoRef::new(algorithm, key).to_der().map_err(malformed)?;
        Self::from_pkcs8(der)
    }

    fn from_encrypted(der: &[u8], password: Option<&str>) -> Result<Self, IdentityError> {
        const UNSUPPORTED: IdentityError = IdentityError::UnsupportedEncryption { part: Part::Key };
        let Ok(encrypted) = EncryptedPrivateKeyInfoRef::from_der(der) else {
            let well_formed = AnyRef::from_der(der).is_ok();
            let malformed = IdentityError::MalformedKey("encrypted PKCS#8");
            return Err(if well_formed { UNSUPPORTED } else { malformed });
        };
        if !is_supported(&encrypted.encryption_algorithm) {
            return Err(UNSUPPORTED);
        }
        let password = password.ok_or(IdentityError::PasswordRequired)?;
        // Most wrong passwords give wrong padding; the others give bytes that are not DER.
        let document = encrypted.decrypt(password).map_err(|error| match error {
            pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed)
            | pkcs8::Error::Asn1(_) => IdentityError::WrongPassword,
            _ => UNSUPPORTED,
        })?;
        if PrivateKeyInfoRef::from_der(document.as_bytes()).is_err() {
            return Err(IdentityError::WrongPassword);
        }
        Self::from_pkcs8(document.as_bytes().to_vec())
    }

    fn matches(&self, certificate: &Certificate) -> Match {
        let key = PrivateKeyInfoRef::from_der(self.der.secret_pkcs8_der());
        let public = SubjectPublicKeyInfoRef::from_der(certificate.spki_der());
        let (Ok(key), Ok(public)) = (key, public) else { return Match::No };
        let (algorithm, certified) = (key.algorithm, public.algorithm);
        let bits = public.subject_public_key.as_bytes().unwrap_or_default();
        let stated = self.public.as_deref();

        let same = match algorithm.oid {
            RSA | RSA_PSS => {
                let private = RsaPrivateKeyRef::from_der(key.private_key.as_bytes());
                let public = RsaPublicKeyRef::from_der(bits);
                let rsa = [RSA, RSA_PSS].contains(&certified.oid);
                let same = private.ok().zip(public.ok()).is_some_and(|(k, p)| k.public_key() == p);
                Some(rsa && same)
            }
            EC if certified.oid == EC && algorithm.parameters == certified.parameters => {
                let inner = EcPrivateKey::from_der(key.private_key.as_bytes()).ok();
                let point = inner.and_then(|key| key.public_key).or(stated);
                point.map(|point| compressed(point) == compressed(bits))
            }
            oid if oid != EC && oid == certified.oid => stated.map(|stated| stated == bits),
            _ => Some(false),
        };
        match same {
            Some(true) => Match::Yes,
            Some(false) => Match::No,
            None => Match::Unstated,
        }
    }
}

const EXPLICIT_CURVE: IdentityError = IdentityError::UnsupportedKey(
    "its curve is spelled out instead of named; \
     convert it: openssl ec -param_enc named_curve -in FILE -out NEW \
     (the certificate has to be issued again)",
);

/// The private keys among the blocks of a PEM file.
pub(super) fn from_blocks(
    blocks: &[Block],
    password: Option<&str>,
) -> Result<Vec<Candidate>, IdentityError> {
    let mut keys = Vec::new();
    let mut parameters = None;
    for block in blocks {
        if block.label == "EC PARAMETERS" {
            parameters = Some(block.der.as_slice());
        }
        if !block.is_private_key() {
            continue;
        }
        if block.traditionally_encrypted {
            return Err(IdentityError::LegacyEncryption);
        }
        let key = match block.label.as_str() {
            "PRIVATE KEY" => PrivateKey::from_pkcs8(block.der.to_vec())?,
            "ENCRYPTED PRIVATE KEY" => PrivateKey::from_encrypted(&block.der, password)?,
            "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&block.der)?,
            "EC PRIVATE KEY" => PrivateKey::from_sec1(&block.der, parameters.take())?,
            "DSA PRIVATE KEY" => {
                return Err(IdentityError::UnsupportedKey("TLS has no use for DSA"));
            }
            // Reported as no key, with a hint how to fix it.
            _ => continue,
        };
        keys.push(Candidate::from(key));
    }
    Ok(keys)
}

/// The key that one of the certificates belongs to, and that certificate, the leaf.
pub(super) fn pair(
    keys: Vec<Candidate>,
    certificates: &[Certificate],
) -> Result<(PrivateKey, Certificate), IdentityError> {
    let Some(first) = certificates.first() else {
        return Err(IdentityError::Empty { part: Part::Chain });
    };
    let mut sure = Vec::new();
    let mut possible = Vec::new();
    for Candidate { key, certificate: own } in without_duplicates(keys) {
        let matches: Vec<_> = certificates.iter().map(|cert| (key.matches(cert), cert)).collect();
        let with = |wanted| {
            let matches = matches.iter().filter(move |(found, _)| *found == wanted);
            matches.map(|(_, certificate)| *certificate).collect::<Vec<_>>()
        };
        let (belongs, may_belong) = (with(Match::Yes), with(Match::Unstated));
        // If the key does not say, the file decides.
        let own = own.as_ref().and_then(|own| may_belong.iter().find(|cert| **cert == own));
        if let Some(leaf) = belongs.first().or(own) {
            sure.push((key, (*leaf).clone()));
        } else if let Some(leaf) = likely_leaf(&may_belong) {
            possible.push((key, leaf.clone()));
        }
    }
    let mut pairs = if sure.is_empty() { possible } else { sure };
    let count = pairs.len();
    match pairs.pop() {
        Some(pair) if count == 1 => Ok(pair),
        Some(_) => Err(IdentityError::SeveralKeys { count }),
        None => Err(IdentityError::KeyMismatch { subject: first.subject().to_owned() }),
    }
}

fn without_duplicates(keys: Vec<Candidate>) -> Vec<Candidate> {
    let mut unique: Vec<Candidate> = Vec::new();
    for candidate in keys {
        if !unique.iter().any(|other| other.key.der == candidate.key.der) {
            unique.push(candidate);
        }
    }
    unique
}

/// The only certificate that is not the CA of another, or else the first.
fn likely_leaf<'a>(certificates: &[&'a Certificate]) -> Option<&'a Certificate> {
    let is_leaf = |one: &&&Certificate| {
        !one.is_ca() || !certificates.iter().any(|other| other != *one && one.issued(other))
    };
    let mut leaves = certificates.iter().filter(is_leaf);
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => Some(leaf),
        _ => certificates.first().copied(),
    }
}

fn oid(der: &[u8]) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_der(der).ok()
}

fn named_curve(parameters: Option<AnyRef<'_>>) -> Option<ObjectIdentifier> {
    parameters.and_then(|any| any.decode_as().ok())
}

/// A point in its compressed form (SEC1 §2.3.3), to which other forms are converted.
fn compressed(point: &[u8]) -> Vec<u8> {
    let Some((0x04, xy)) = point.split_first().map(|(form, xy)| (*form, xy)) else {
        return point.to_vec();
    };
    let (x, y) = xy.split_at(xy.len() / 2);
    let sign = y.last().map_or(0, |byte| byte & 1);
    [&[0x02 | sign], x].concat()
}

/// Whether it is PBES2 (RFC 8018 §6.2) with limited cost: a file can demand any amount of memory and time.
fn is_supported(scheme: &EncryptionScheme) -> bool {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return false };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_PBKDF2_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            let block = 128 * u64::from(scrypt.block_size);
            scrypt.parallelization <= MAX_SCRYPT_PARALLELISM
                && scrypt.cost_parameter.checked_mul(block).is_some_and(|n| n <= MAX_SCRYPT_BYTES)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::{Parameters, Pbkdf2Params, ScryptParams};
    use pkcs8::pkcs5::scrypt;

    use super::*;

    #[test]
    fn the_cost_of_decryption_is_bounded() {
        let affordable = |kdf: Kdf| {
            let mut scheme =
                Parameters::generate_pbkdf2_sha256_aes256cbc(1, &[0; 8], [0; 16]).unwrap();
            scheme.kdf = kdf;
            is_supported(&scheme.into())
        };
        let pbkdf2 = |iterations| Pbkdf2Params::hmac_sha256(iterations, &[0; 8]).unwrap().into();
        assert!(affordable(pbkdf2(MAX_PBKDF2_ITERATIONS)));
        assert!(!affordable(pbkdf2(MAX_PBKDF2_ITERATIONS + 1)));

        let scrypt = |n, r, p| {
            let params = scrypt::Params::new(4, 8, 1).unwrap();
            let mut params = ScryptParams::from_params_and_salt(params, &[0; 8]).unwrap();
            (params.cost_parameter, params.block_size, params.parallelization) = (n, r, p);
            params.into()
        };
        // The parameters of `openssl pkcs8 -scrypt`, and the maximum.
        assert!(affordable(scrypt(1 << 14, 8, 1)));
        assert!(affordable(scrypt(1 << 20, 8, 16)));
        assert!(!affordable(scrypt(1 << 20, 8, 17)));
        assert!(!affordable(scrypt(1 << 21, 8, 1)));
        assert!(!affordable(scrypt(1 << 14, u16::MAX, 1)));
        assert!(!affordable(scrypt(u64::MAX, 8, 1)));
    }

    #[test]
    fn what_decrypts_to_der_that_is_no_key_had_the_wrong_password() {
        let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(1, &[0; 8], [0; 16]).unwrap();
        let encrypted = scheme.encrypt("x", &[0x30, 0]).unwrap();
        let encrypted_data = OctetStringRef::new(&encrypted).unwrap();
        let info =
            EncryptedPrivateKeyInfoRef { encryption_algorithm: scheme.into(), encrypted_data };
        let error = PrivateKey::from_encrypted(&info.to_der().unwrap(), Some("x")).err().unwrap();
        assert!(matches!(error, IdentityError::WrongPassword), "{error}");
    }

    #[test]
    fn a_sec1_key_takes_its_curve_from_beside() {
        let curve = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        let key = EcPrivateKey { private_key: &[7; 32], parameters: None, public_key: None };
        let (key, curve_der) = (key.to_der().unwrap(), curve.to_der().unwrap());
        let pkcs8 = PrivateKey::from_sec1(&key, Some(&curve_der)).unwrap();
        let info = PrivateKeyInfoRef::from_der(pkcs8.der.secret_pkcs8_der()).unwrap();
        assert_eq!(named_curve(info.algorithm.parameters), Some(curve));
        let error = PrivateKey::from_sec1(&key, None).err().unwrap();
        assert!(matches!(error, IdentityError::UnsupportedKey(_)), "{error}");
    }

    #[test]
    fn what_a_pkcs8_key_wraps_is_read_too() {
        let curve = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
        for (oid, parameters, name) in [
            (RSA, AnyRef::NULL, "RSA"),
            (RSA_PSS, AnyRef::NULL, "RSA"),
            (EC, (&curve).into(), "EC"),
        ] {
            let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(parameters) };
            let error = PrivateKey::wrap(algorithm, b"no key").err().unwrap();
            assert!(matches!(error, IdentityError::MalformedKey(what) if what == name), "{error}");
        }
    }

    #[test]
    fn points_are_compared_whatever_their_form() {
        let (odd, even) = ([0x04, 1, 2, 3, 5], [0x04, 1, 2, 3, 4]);
        assert_eq!(compressed(&odd), [0x03, 1, 2]);
        assert_eq!(compressed(&even), [0x02, 1, 2]);
        assert_eq!(compressed(&[0x03, 1, 2]), [0x03, 1, 2]);
        assert!(compressed(&[]).is_empty());
        assert_eq!(compressed(&[0x04]), [0x02]);
    }
}
