//! Revocation lists of the CAs that are made at run time.

use std::time::Duration;

use rcgen::{
    CertificateRevocationList, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, KeyIdMethod, RevocationReason, RevokedCertParams,
};
use time::OffsetDateTime;

use super::Authority;

const DAY: time::Duration = time::Duration::DAY;

/// What is to stand in a revocation list.
#[derive(Debug, Clone, Default)]
pub struct Crl {
    serials: Vec<u64>,
    expired: bool,
    not_yet_valid: bool,
    is_old: bool,
    begins_in: Option<Duration>,
    ends_in: Option<Duration>,
    point: Option<CrlIssuingDistributionPoint>,
}

impl Crl {
    /// Revokes the certificates with these serial numbers.
    pub fn of(serials: &[u64]) -> Self {
        Self { serials: serials.to_vec(), ..Self::default() }
    }

    /// Expired since yesterday.
    pub fn expired(mut self) -> Self {
        self.expired = true;
        self
    }

    /// Made tomorrow.
    pub fn not_yet_valid(mut self) -> Self {
        self.not_yet_valid = true;
        self
    }

    /// Made a day before others.
    pub fn old(mut self) -> Self {
        self.is_old = true;
        self
    }

    /// Valid from so long from now on.
    pub fn begins_in(mut self, time: Duration) -> Self {
        self.begins_in = Some(time);
        self
    }

    /// Valid for so long from now on.
    pub fn ends_in(mut self, time: Duration) -> Self {
        self.ends_in = Some(time);
        self
    }

    /// Published there, and for some certificates only.
    pub fn at(mut self, uri: &str, scope: Option<CrlScope>) -> Self {
        let distribution_point = CrlDistributionPoint { uris: vec![uri.to_owned()] };
        self.point = Some(CrlIssuingDistributionPoint { distribution_point, scope });
        self
    }

    pub fn pem(&self, ca: &Authority) -> String {
        self.signed_by(ca).pem().expect("a list in PEM")
    }

    pub fn der(&self, ca: &Authority) -> Vec<u8> {
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
        let made = if self.is_old { now - 3 * DAY } else { now - 2 * DAY };
        let made = if self.not_yet_valid { now + DAY } else { made };
        let next = if self.expired { now - DAY } else { now + 7 * DAY };
        let list = CertificateRevocationListParams {
            this_update: self.begins_in.map_or(made, |time| now + time),
            next_update: self.ends_in.map_or(next, |time| now + time),
            crl_number: 1.into(),
            issuing_distribution_point: self.point.clone(),
            revoked_certs: self.serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&ca.issuer).expect("a list")
    }
}
