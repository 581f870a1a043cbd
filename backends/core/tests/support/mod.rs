//! Certificates made at run time, by rcgen and by the `openssl` program.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs, process};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, IsCa, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, date_time_ymd,
};
use turnkey_backend::{Certificate, Identity, pem};

/// The clock, which `openssl` goes by; the certificates of [`Holder`] are valid from 1975 to 4096.
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// 2026-01-01 00:00:00 UTC, for what is about dates.
pub(crate) fn new_year_2026() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

/// A directory of its own for each test, removed at the end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("turnkey-backend-{}-{count}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    /// Runs `openssl` in the directory with arguments that hold no white space.
    pub(crate) fn openssl(&self, arguments: &str) -> String {
        self.openssl_with(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `openssl` in the directory; it has to succeed.
    pub(crate) fn openssl_with(&self, arguments: &[&str]) -> String {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .expect("these tests need the openssl program");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {}: {stderr}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Someone with a name and a key, who can hold several certificates.
pub(crate) struct Holder {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
}

impl Holder {
    pub(crate) fn ca(name: &str) -> Self {
        let mut holder = Self::leaf(name);
        holder.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        holder
    }

    pub(crate) fn leaf(name: &str) -> Self {
        Self::with_key(name, KeyPair::generate().unwrap())
    }

    pub(crate) fn with_key(name: &str, key: KeyPair) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        Self { params, key }
    }

    pub(crate) fn self_signed(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    pub(crate) fn signed_by(&self, issuer: &Self) -> String {
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        self.params.signed_by(&self.key, &issuer).unwrap().pem()
    }

    /// A revocation list as of 2026-01-01, until the end of the year given.
    pub(crate) fn crl(&self, serials: &[&[u8]], last_year: i32) -> String {
        self.crl_of(2026, serials, last_year)
    }

    /// A revocation list as of the first of January of one year, until the end of another.
    pub(crate) fn crl_of(&self, year: i32, serials: &[&[u8]], last_year: i32) -> String {
        let revoked = |serial: &&[u8]| RevokedCertParams {
            serial_number: serial.to_vec().into(),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(year, 1, 1),
            next_update: date_time_ymd(last_year, 12, 31),
            crl_number: 1_u64.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer = Issuer::from_params(&self.params, &self.key);
        list.signed_by(&issuer).unwrap().pem().unwrap()
    }

    /// The certificate alone, as an identity.
    pub(crate) fn identity(&self) -> Identity {
        let (cert, key) = (self.self_signed(), self.key_pem());
        Identity::from_pem(cert.as_bytes(), key.as_bytes(), None, now()).unwrap()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// An error and all its causes, as a user sees them.
pub(crate) fn printed(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The first certificate of some PEM.
pub(crate) fn parse(text: &str) -> Certificate {
    Certificate::from_der(&pem::blocks(text.as_bytes()).unwrap()[0].der).unwrap()
}
