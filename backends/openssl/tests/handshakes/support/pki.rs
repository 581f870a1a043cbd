//! Certificates and revocation lists, made at run time.

use std::time::SystemTime;

use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::X509;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData as _, RevokedCertParams,
    RsaKeySize, SerialNumber, SubjectPublicKeyInfo,
};
use time::{Duration, OffsetDateTime};
use turnkey_backend::{Identity, RevocationList, TrustAnchors};

const DAY: Duration = Duration::DAY;

/// A CA.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A self-signed one. Two of one name have keys of their own.
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(authority(name), key).unwrap())
    }

    /// One under this one.
    pub(crate) fn subordinate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(authority(name), key, &self.0).unwrap())
    }

    /// The same with a serial number that a list can name.
    pub(crate) fn subordinate_with(&self, name: &str, serial: u64) -> Self {
        let mut params = authority(name);
        params.serial_number = Some(serial.into());
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(params, key, &self.0).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(self.pem().as_bytes(), SystemTime::now()).unwrap()
    }

    pub(crate) fn issue(&self, profile: &Profile) -> Leaf {
        let (public, key) = profile.key();
        let public = SubjectPublicKeyInfo::from_der(&public).unwrap();
        let certificate = profile.params.clone().signed_by(&public, &self.0).unwrap();
        Leaf { chain: certificate.pem(), key }
    }

    /// A server's certificate for `names`.
    pub(crate) fn server(&self, names: &[&str]) -> Identity {
        self.issue(&Profile::server(names)).identity()
    }

    /// A client's certificate.
    pub(crate) fn client(&self, name: &str) -> Leaf {
        self.issue(&Profile::client(name))
    }

    /// A list that revokes these serial numbers, and is renewed tomorrow.
    pub(crate) fn revoke(&self, serials: &[u64]) -> RevocationList {
        self.list(serials, DAY, KeyIdMethod::Sha256)
    }

    /// A list that should have been renewed yesterday.
    pub(crate) fn expired_list(&self) -> RevocationList {
        self.list(&[], -DAY, KeyIdMethod::Sha256)
    }

    /// A list that passes for another's, as long as nobody looks at the signature.
    pub(crate) fn list_as(&self, other: &Self) -> RevocationList {
        let other = X509::from_pem(other.pem().as_bytes()).unwrap();
        let key_id = other.subject_key_id().unwrap().as_slice().to_vec();
        self.list(&[], DAY, KeyIdMethod::PreSpecified(key_id))
    }

    fn list(&self, serials: &[u64], next: Duration, key_id: KeyIdMethod) -> RevocationList {
        let now = OffsetDateTime::now_utc();
        let revoked = |&serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: now - 3 * DAY,
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: now - 2 * DAY,
            next_update: now + next,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: key_id,
        };
        RevocationList::from_der(params.signed_by(&self.0).unwrap().der()).unwrap()
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - 60 * DAY, now + 60 * DAY);
    // Without it a certificate of another key by the same name looks like the issuer.
    params.use_authority_key_identifier_extension = true;
    params
}

/// A certificate with its chain, and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Leaf {
    /// The same with `issuer` behind the certificate.
    pub(crate) fn and(mut self, issuer: &Authority) -> Self {
        self.chain += &issuer.pem();
        self
    }

    pub(crate) fn identity(&self) -> Identity {
        let (chain, key) = (self.chain.as_bytes(), self.key.as_bytes());
        Identity::from_pem(chain, key, None, SystemTime::now()).unwrap()
    }
}

/// What a certificate is to be like.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    params: CertificateParams,
    key: Key,
}

#[derive(Debug, Clone, Copy)]
enum Key {
    P256,
    Rsa2048,
    Rsa1024,
    Ed25519,
}

impl Profile {
    pub(crate) fn server(names: &[&str]) -> Self {
        let mut params = named(names.first().unwrap());
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Self { params, key: Key::P256 }
    }

    pub(crate) fn client(name: &str) -> Self {
        let mut profile = Self::server(&[name]);
        profile.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        profile
    }

    /// The number that a list revokes it by.
    pub(crate) fn serial(mut self, serial: u64) -> Self {
        self.params.serial_number = Some(SerialNumber::from(serial));
        self
    }

    pub(crate) fn expired(self) -> Self {
        self.valid(-30 * DAY, -DAY)
    }

    pub(crate) fn not_yet_valid(self) -> Self {
        self.valid(DAY, 30 * DAY)
    }

    /// Until so many seconds from now.
    pub(crate) fn expires_in(self, seconds: i64) -> Self {
        self.valid(-DAY, Duration::seconds(seconds))
    }

    fn valid(mut self, from: Duration, to: Duration) -> Self {
        let now = OffsetDateTime::now_utc();
        (self.params.not_before, self.params.not_after) = (now + from, now + to);
        self
    }

    /// RSA with 2048 bits, instead of P-256.
    pub(crate) fn rsa(mut self) -> Self {
        self.key = Key::Rsa2048;
        self
    }

    pub(crate) fn ed25519(mut self) -> Self {
        self.key = Key::Ed25519;
        self
    }

    /// RSA with 1024 bits.
    pub(crate) fn small(mut self) -> Self {
        self.key = Key::Rsa1024;
        self
    }

    /// Without a word on which of the keys of its CA signed it.
    pub(crate) fn without_key_id(mut self) -> Self {
        self.params.use_authority_key_identifier_extension = false;
        self
    }

    /// One that may sign others too.
    pub(crate) fn ca(mut self) -> Self {
        self.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self
    }

    pub(crate) fn self_signed(&self) -> Leaf {
        let (_, key) = self.key();
        let pair = KeyPair::from_pem(&key).unwrap();
        let certificate = self.params.clone().self_signed(&pair).unwrap();
        Leaf { chain: certificate.pem(), key }
    }

    /// Its public half in DER, and all of it in PEM.
    fn key(&self) -> (Vec<u8>, String) {
        let pair = match self.key {
            Key::P256 => KeyPair::generate(),
            Key::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
            Key::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
            Key::Rsa1024 => {
                let key = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
                let private = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
                return (key.public_key_to_der().unwrap(), private);
            }
        };
        let pair = pair.unwrap();
        (pair.subject_public_key_info(), pair.serialize_pem())
    }
}
