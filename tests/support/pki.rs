//! Certificates made at run time, by rcgen; other encodings of the same by the openssl tool.

use std::fs;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::process::{run, tool};

/// The names that a server certificate is issued for.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A directory with a CA, a server certificate and a client certificate, and room for more.
pub(crate) struct Pki {
    dir: TempDir,
    pub(crate) ca: Authority,
    /// The CA's certificate.
    pub(crate) ca_file: String,
    pub(crate) server: Files,
    pub(crate) client: Files,
}

/// Where a certificate and its key are.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The certificate, and its chain if it has one.
    pub(crate) cert: String,
    pub(crate) key: String,
    /// Both in one file.
    pub(crate) both: String,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("turnkey-test-").tempdir().expect("a directory");
        let ca = Authority::root("Test CA");
        let ca_file = write(&dir, "ca.crt", ca.pem());
        let server = files(&dir, "server", &ca.issue(&Profile::server("server.localhost")));
        let client = files(&dir, "client", &ca.issue(&Profile::client("client.localhost")));
        Self { dir, ca, ca_file, server, client }
    }

    /// The path of a file in the directory, there or not.
    pub(crate) fn path(&self, name: &str) -> String {
        path(&self.dir, name)
    }

    /// Writes a file into the directory.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        write(&self.dir, name, contents)
    }

    /// Writes a certificate and its key.
    pub(crate) fn save(&self, name: &str, leaf: &Leaf) -> Files {
        files(&self.dir, name, leaf)
    }

    /// The options that make a server of this.
    pub(crate) fn server_args(&self) -> [&str; 4] {
        ["--cert", &self.server.cert, "--key", &self.server.key]
    }

    /// The options that make a server of this which asks clients for certificates of the CA.
    pub(crate) fn mutual_args(&self) -> Vec<&str> {
        [&self.server_args()[..], &["--client-ca", &self.ca_file]].concat()
    }
}

/// A CA: a root, or an intermediate under one.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A self-signed CA. Two of one name have keys of their own.
    pub(crate) fn root(name: &str) -> Self {
        let key = KeyPair::generate().expect("a P-256 key");
        let root = CertifiedIssuer::self_signed(authority(name), key);
        Self(root.expect("a CA certificate"))
    }

    /// A CA under this one.
    pub(crate) fn subordinate(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a P-256 key");
        let subordinate = CertifiedIssuer::signed_by(authority(name), key, &self.0);
        Self(subordinate.expect("a CA certificate"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn issue(&self, profile: &Profile) -> Leaf {
        let key = profile.key();
        let certificate = profile.params().signed_by(&key, &self.0).expect("a certificate");
        Leaf { cert: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A certificate and its key (PKCS#8), in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Leaf {
    /// The same with `issuers` behind the certificate.
    pub(crate) fn with_chain(mut self, issuers: &[&Authority]) -> Self {
        self.cert.extend(issuers.iter().map(|i| i.pem()));
        self
    }
}

/// What a leaf certificate is to be like.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    name: String,
    names: Vec<String>,
    usage: ExtendedKeyUsagePurpose,
    valid: (OffsetDateTime, OffsetDateTime),
    rsa: bool,
}

const DAY: time::Duration = time::Duration::DAY;

impl Profile {
    pub(crate) fn server(common_name: &str) -> Self {
        let names = SERVER_NAMES.map(str::to_owned).to_vec();
        Self::new(common_name, names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub(crate) fn client(common_name: &str) -> Self {
        let names = vec![common_name.to_owned()];
        Self::new(common_name, names, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn new(common_name: &str, names: Vec<String>, usage: ExtendedKeyUsagePurpose) -> Self {
        let now = OffsetDateTime::now_utc();
        let valid = (now - DAY, now + 30 * DAY);
        Self { name: common_name.to_owned(), names, usage, valid, rsa: false }
    }

    /// Expired since yesterday.
    pub(crate) fn expired(mut self) -> Self {
        let now = OffsetDateTime::now_utc();
        self.valid = (now - 30 * DAY, now - DAY);
        self
    }

    /// Valid from tomorrow on.
    pub(crate) fn not_yet_valid(mut self) -> Self {
        let now = OffsetDateTime::now_utc();
        self.valid = (now + DAY, now + 30 * DAY);
        self
    }

    /// RSA with 2048 bits, instead of P-256.
    pub(crate) fn rsa(mut self) -> Self {
        self.rsa = true;
        self
    }

    /// A certificate that is its own issuer.
    pub(crate) fn self_signed(&self) -> Leaf {
        let key = self.key();
        let certificate = self.params().self_signed(&key).expect("a certificate");
        Leaf { cert: certificate.pem(), key: key.serialize_pem() }
    }

    fn key(&self) -> KeyPair {
        if self.rsa {
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("an RSA key")
        } else {
            KeyPair::generate().expect("a P-256 key")
        }
    }

    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(self.names.clone()).expect("valid names");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Company");
        params.distinguished_name.push(DnType::CommonName, self.name.as_str());
        (params.not_before, params.not_after) = self.valid;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Company");
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - 60 * DAY, now + 60 * DAY);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn path(dir: &TempDir, name: &str) -> String {
    dir.path().join(name).to_str().expect("a path in UTF-8").to_owned()
}

fn write(dir: &TempDir, name: &str, contents: impl AsRef<[u8]>) -> String {
    let path = path(dir, name);
    fs::write(&path, contents).expect("the directory can be written");
    path
}

fn files(dir: &TempDir, name: &str, leaf: &Leaf) -> Files {
    Files {
        cert: write(dir, &format!("{name}.crt"), &leaf.cert),
        key: write(dir, &format!("{name}.key"), &leaf.key),
        both: write(dir, &format!("{name}.pem"), format!("{}{}", leaf.cert, leaf.key)),
    }
}

/// Runs the openssl tool, which has to succeed.
#[track_caller]
pub(crate) fn openssl(args: &[&str]) -> String {
    let mut command = tool("openssl");
    command.args(args);
    let output = run(command, b"", Duration::from_secs(20));
    assert_eq!(output.code, Some(0), "openssl {args:?}: {}", output.stderr);
    output.text()
}

/// Writes the certificate, its chain and its key as a PKCS#12 file with that password.
pub(crate) fn export_pkcs12(pki: &Pki, name: &str, leaf: &Leaf, password: &str) -> String {
    let files = pki.save(&format!("{name}-source"), leaf);
    let out = pki.path(name);
    let password = format!("pass:{password}");
    // `-in` takes the leaf and `-certfile` all the others; the leaf is found by its key.
    openssl(&[
        "pkcs12",
        "-export",
        "-in",
        &files.cert,
        "-inkey",
        &files.key,
        "-out",
        &out,
        "-passout",
        &password,
    ]);
    out
}
