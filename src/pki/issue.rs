//! Makes keys and certificates in memory.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use turnkey::tls::Certificate;

use super::names::Name;

/// How far before now certificates become valid, for peers whose clock is slow.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The kind of key in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum KeyType {
    /// An elliptic curve key on P-256: small, fast, supported everywhere.
    #[default]
    P256,
    /// An RSA key of 2048 bits, for peers that support nothing else.
    Rsa2048,
    /// An RSA key of 4096 bits, as in the recipe; making one takes seconds.
    Rsa4096,
}

impl KeyType {
    fn generate(self) -> Result<KeyPair, rcgen::Error> {
        match self {
            Self::P256 => KeyPair::generate(),
            Self::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Self::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "p256",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa4096 => "rsa4096",
        })
    }
}

impl FromStr for KeyType {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "p256" => Ok(Self::P256),
            "rsa2048" => Ok(Self::Rsa2048),
            "rsa4096" => Ok(Self::Rsa4096),
            _ => Err("expected p256, rsa2048 or rsa4096".to_owned()),
        }
    }
}

/// The role that a leaf certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

/// A request for a leaf certificate.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) role: Role,
    pub(super) common_name: String,
    pub(super) names: Vec<Name>,
    pub(super) key_type: KeyType,
    /// Its lifetime in days, unless its issuer ends earlier.
    pub(super) days: u32,
}

/// A certificate and its key.
pub(super) struct Issued {
    pub(super) certificate: Certificate,
    pub(super) key: KeyPair,
}

impl Issued {
    fn new(certificate: &rcgen::Certificate, key: KeyPair) -> Result<Self, rcgen::Error> {
        let certificate = Certificate::from_der(certificate.der())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        Ok(Self { certificate, key })
    }
}

impl Leaf {
    /// Issues this certificate, signed by `issuer`, which ends at `end`.
    pub(super) fn issue(
        &self,
        issuer: &Issuer<'_, KeyPair>,
        end: SystemTime,
        now: SystemTime,
    ) -> Result<Issued, rcgen::Error> {
        let key = self.key_type.generate()?;
        let mut params = self.params(now)?;
        params.not_after = params.not_after.min(end.into());
        Issued::new(&params.signed_by(&key, issuer)?, key)
    }

    /// Issues this certificate, signed with its own key.
    pub(super) fn self_signed(&self, now: SystemTime) -> Result<Issued, rcgen::Error> {
        let key = self.key_type.generate()?;
        let mut params = self.params(now)?;
        params.use_authority_key_identifier_extension = false;
        Issued::new(&params.self_signed(&key)?, key)
    }

    fn params(&self, now: SystemTime) -> Result<CertificateParams, rcgen::Error> {
        let mut params = params(&self.common_name, self.days, now)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names =
            self.names.iter().map(Name::san_type).collect::<Result<_, _>>()?;
        params.key_usages = match self.key_type {
            KeyType::P256 => vec![KeyUsagePurpose::DigitalSignature],
            // TLS 1.2 can also encrypt to an RSA key (RFC 5246 §7.4.2).
            KeyType::Rsa2048 | KeyType::Rsa4096 => {
                vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment]
            }
        };
        params.extended_key_usages = vec![match self.role {
            Role::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Role::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        Ok(params)
    }
}

/// Makes a CA that lasts `days` days: a self-signed certificate that may sign leaves and revocation lists.
pub(super) fn new_ca(
    key_type: KeyType,
    days: u32,
    now: SystemTime,
) -> Result<Issued, rcgen::Error> {
    let key = key_type.generate()?;
    let mut params = params("ca.localhost", days, now)?;
    // The CA signs leaves directly, so it needs no intermediate CA.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Issued::new(&params.self_signed(&key)?, key)
}

/// The parameters that all certificates share.
///
/// rcgen takes the serial number from 159 bits of the public key's SHA-256. Each certificate has a new key, so the
/// number is unique, positive and unpredictable.
fn params(
    common_name: &str,
    days: u32,
    now: SystemTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(common_name)?;
    let not_before = now - CLOCK_SKEW;
    params.not_before = not_before.into();
    // Both ends belong to the lifetime (RFC 5280 §4.1.2.5). macOS counts started days: with one more second it
    // rejects a certificate of 825 days.
    params.not_after = (not_before + DAY * days - Duration::from_secs(1)).into();
    Ok(params)
}

/// The subject of the recipe's certificates, without the mail address.
fn subject(common_name: &str) -> Result<DistinguishedName, rcgen::Error> {
    let mut subject = DistinguishedName::new();
    // A country is a PrintableString in every profile (RFC 5280 appendix A.1).
    subject.push(DnType::CountryName, DnValue::PrintableString("CT".try_into()?));
    subject.push(DnType::StateOrProvinceName, "State");
    subject.push(DnType::LocalityName, "City");
    subject.push(DnType::OrganizationName, "Company");
    subject.push(DnType::OrganizationalUnitName, "Department");
    subject.push(DnType::CommonName, common_name);
    Ok(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_types_read_back_what_they_show_and_the_error_lists_them() {
        for key_type in [KeyType::P256, KeyType::Rsa2048, KeyType::Rsa4096] {
            assert_eq!(key_type.to_string().parse(), Ok(key_type));
        }
        let error = "P-384".parse::<KeyType>().unwrap_err();
        assert!(error.contains("p256, rsa2048 or rsa4096"), "{error}");
    }
}
