//! Revocation lists of the CAs that are made at run time.

use rcgen::{
    CertificateRevocationList, CertificateRevocationListParams, KeyIdMethod, RevocationReason,
    RevokedCertParams,
};
use time::OffsetDateTime;

use super::Authority;

const DAY: time::Duration = time::Duration::DAY;

/// What is to stand in a revocation list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crl {
    serials: Vec<u64>,
    expired: bool,
    not_yet_valid: bool,
}

impl Crl {
    /// Revokes the certificates with these serial numbers.
    pub(crate) fn of(serials: &[u64]) -> Self {
        Self { serials: serials.to_vec(), ..Self::default() }
    }

    /// Expired since yesterday.
    pub(crate) fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// Made tomorrow.
    pub(crate) fn not_yet_valid(mut self) -> Self {
        self.not_yet_valid = true;
        self
    }

    pub(crate) fn pem(&self, ca: &Authority) -> String {
        self.signed_by(ca).pem().expect("a list in PEM")
    }

    pub(crate) fn der(&self, ca: &Authority) -> Vec<u8> {
        self.signed_by(ca).der().to_vec()
    }

    fn signed_by(&self, ca: &Authority) -> CertificateRevocationList {
        let now = OffsetDateTime::now_utc();
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: (*serial).into(),
            revocation_time: now - 3 * DAY,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: if self.not_yet_valid { now + DAY } else { now - 2 * DAY },
            next_update: if self.expired { now - DAY } else { now + 7 * DAY },
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: self.serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&ca.issuer).expect("a list")
    }
}
