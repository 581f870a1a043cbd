//! Certificates made at run time.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::fs;
use std::future::poll_fn;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use openssl::x509::X509;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use turnkey_backend::{ClientPolicy, Identity, Resumption, TlsConfig, VersionRange};

pub(crate) fn config(identity: Identity) -> TlsConfig {
    TlsConfig {
        identities: identity.into(),
        clients: ClientPolicy::None,
        versions: VersionRange::default(),
        resumption: Resumption::On,
    }
}

/// Polls `future` with an error in the thread's queue each time, as another connection might leave it.
pub(crate) async fn littered<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        X509::from_der(b"none").unwrap_err().put();
        future.as_mut().poll(cx)
    })
    .await
}

/// A CA with a P-256 key, as all that it issues has.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        // Under the CA's own name OpenSSL would take it for self-signed.
        params.distinguished_name.push(DnType::CommonName, name);
        let leaf = params.signed_by(&key, &self.0).unwrap().pem();
        let key = key.serialize_pem();
        Identity::from_pem(leaf.as_bytes(), key.as_bytes(), None, SystemTime::now()).unwrap()
    }

    /// What its responder says of a certificate: that it is good.
    pub(crate) fn ocsp_response(&self, of: &Identity) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let serial = of.leaf().serial();
        for (file, content) in [
            ("ca.pem", self.pem()),
            ("ca.key", self.0.key().serialize_pem()),
            ("leaf.pem", of.chain_pem()),
            ("index.txt", format!("V\t400101000000Z\t\t{serial}\tunknown\t/CN=leaf\n")),
        ] {
            fs::write(folder.path().join(file), content).unwrap();
        }
        let arguments = "ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem \
                         -issuer ca.pem -cert leaf.pem -nmin 5 -respout response.der";
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("these tests need the openssl program");
        assert!(output.status.success(), "{output:?}");
        fs::read(folder.path().join("response.der")).unwrap()
    }
}
