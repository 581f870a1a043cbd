//! Certificates and revocation lists, made at run time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use turnkey_backend::{Certificate, ClientTrust, Identity, RevocationList, TrustAnchors};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A CA, of ours or of others.
pub(crate) struct Ca {
    params: CertificateParams,
    key: KeyPair,
    pub(crate) der: CertificateDer<'static>,
}

impl Ca {
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(name, |_| {})
    }

    pub(crate) fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (Self::params(name), KeyPair::generate().unwrap());
        change(&mut params);
        let der = params.self_signed(&key).unwrap().der().clone();
        Self { params, key, der }
    }

    /// Its key with a new certificate.
    pub(crate) fn renewed(mut self) -> Self {
        self.params.not_after = ahead(MINUTE * 60);
        self.der = self.params.self_signed(&self.key).unwrap().der().clone();
        self
    }

    pub(crate) fn intermediate(&self, name: &str) -> Self {
        self.intermediate_with(name, |_| {})
    }

    pub(crate) fn intermediate_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Self {
        let (mut params, key) = (Self::params(name), KeyPair::generate().unwrap());
        change(&mut params);
        let der = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        Self { params, key, der }
    }

    /// The holder of a certificate for clients.
    pub(crate) fn client(&self, name: &str) -> Holder {
        self.client_with(name, |_| {})
    }

    pub(crate) fn client_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Holder {
        let mut params = params(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        self.issue(&params)
    }

    /// The holder of a certificate for servers by these names.
    pub(crate) fn server(&self, names: &[&str]) -> Holder {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let name = names.first().cloned().unwrap_or_default();
        let mut params = params(&name);
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Holder {
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer()).unwrap().der().clone();
        Holder { chain: vec![leaf], key }
    }

    /// The list of the CA, made a day ago and due again tomorrow.
    pub(crate) fn list(&self, revoked: &[&CertificateDer<'static>]) -> RevocationList {
        let day = time::Duration::DAY;
        let now = OffsetDateTime::now_utc();
        self.list_of(revoked, now - day, now + day)
    }

    pub(crate) fn list_of(
        &self,
        revoked: &[&CertificateDer<'static>],
        this_update: OffsetDateTime,
        next_update: OffsetDateTime,
    ) -> RevocationList {
        let revoked = revoked.iter().map(|der| RevokedCertParams {
            serial_number: serial_of(der),
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        RevocationList::from_der(list.signed_by(&self.issuer()).unwrap().der()).unwrap()
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.der).unwrap()
    }

    pub(crate) fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(&self.der, SystemTime::now()).unwrap()
    }

    pub(crate) fn trust(&self) -> ClientTrust {
        self.anchors().into()
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }
}

/// Someone with a certificate and its key.
pub(crate) struct Holder {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Holder {
    /// Nobody else has signed this one.
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { chain: vec![params(name).self_signed(&key).unwrap().der().clone()], key }
    }

    /// Shows the certificate of `ca` as well.
    pub(crate) fn and(mut self, ca: &Ca) -> Self {
        self.chain.push(ca.der.clone());
        self
    }

    pub(crate) fn leaf(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(self.leaf()).unwrap()
    }

    pub(crate) fn identity(&self) -> Identity {
        let key = self.key.serialize_der().into();
        Identity::from_der(self.chain.clone(), key, SystemTime::now()).unwrap()
    }
}

/// The time `distance` from now.
pub(crate) fn ahead(distance: Duration) -> OffsetDateTime {
    OffsetDateTime::now_utc() + distance
}

/// The time `distance` ago.
pub(crate) fn ago(distance: Duration) -> OffsetDateTime {
    OffsetDateTime::now_utc() - distance
}

fn params(name: &str) -> CertificateParams {
    static SERIAL: AtomicU64 = AtomicU64::new(1000);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SERIAL.fetch_add(1, Ordering::Relaxed).into());
    params.use_authority_key_identifier_extension = true;
    params
}

fn serial_of(der: &CertificateDer<'_>) -> SerialNumber {
    let serial = Certificate::from_der(der).unwrap().serial().to_owned();
    u64::from_str_radix(&serial, 16).unwrap().into()
}
