//! CAs, certificates and revocation lists that are not as they should be.

use rcgen::{
    CertificateParams, CertificateRevocationListParams, CertifiedIssuer, KeyIdMethod, KeyPair,
    SerialNumber,
};
use time::OffsetDateTime;

use super::pki::{authority, new_key, next_serial};
use super::{Authority, Leaf, Profile};

impl Authority {
    /// A self-signed CA, but for a change.
    pub fn odd_root(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let serial = next_serial();
        let mut params = authority(name, serial);
        change(&mut params);
        let root = CertifiedIssuer::self_signed(params, new_key());
        Self { issuer: root.expect("a CA certificate"), serial }
    }

    /// A CA under this one, but for a change.
    pub fn odd_subordinate(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let serial = next_serial();
        let mut params = authority(name, serial);
        change(&mut params);
        let subordinate = CertifiedIssuer::signed_by(params, new_key(), &self.issuer);
        Self { issuer: subordinate.expect("a CA certificate"), serial }
    }

    /// Another certificate of this CA that is called `name`: of the same key, and from `other`.
    pub fn signed_again_by(&self, other: &Self, name: &str) -> String {
        let params = authority(name, next_serial());
        params.signed_by(self.issuer.key(), &other.issuer).expect("a CA certificate").pem()
    }

    /// This CA, by another name with the same key.
    pub fn named(&self, name: &str) -> Self {
        let serial = next_serial();
        let key = KeyPair::from_pem(&self.key_pem()).expect("a key");
        let root = CertifiedIssuer::self_signed(authority(name, serial), key);
        Self { issuer: root.expect("a CA certificate"), serial }
    }

    /// What the profile says, but for a change.
    pub fn issue_odd(
        &self,
        profile: &Profile,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Leaf {
        let (key, serial) = (profile.key(), next_serial());
        let mut params = profile.params(serial);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Leaf { cert: certificate.pem(), key: key.serialize_pem(), serial }
    }

    /// A revocation list that names nobody, with its times in hours from now.
    pub fn list(&self, made: i64, next: i64) -> String {
        let at = |hours| OffsetDateTime::now_utc() + time::Duration::hours(hours);
        let list = CertificateRevocationListParams {
            this_update: at(made),
            next_update: at(next),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").pem().expect("a list in PEM")
    }
}
