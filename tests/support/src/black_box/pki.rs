//! Certificates made at run time, by rcgen; other encodings of the same by the openssl tool.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SanType,
};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::process::{run, tool};

/// The names that a server certificate is issued for.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A directory with a CA, a server certificate and a client certificate, and room for more.
pub struct Pki {
    dir: TempDir,
    pub ca: Authority,
    /// The CA's certificate.
    pub ca_file: String,
    pub server: Files,
    pub client: Files,
}

/// Where a certificate and its key are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, and its chain if it has one.
    pub cert: String,
    pub key: String,
    /// Both in one file.
    pub both: String,
}

impl Pki {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("turnkey-test-").tempdir().expect("a directory");
        let ca = Authority::root("Test CA");
        let ca_file = write(&dir, "ca.crt", ca.pem());
        let server = files(&dir, "server", &ca.issue(&Profile::server("server.localhost")));
        let client = files(&dir, "client", &ca.issue(&Profile::client("client.localhost")));
        Self { dir, ca, ca_file, server, client }
    }

    /// The path of a file in the directory, there or not.
    pub fn path(&self, name: &str) -> String {
        path(&self.dir, name)
    }

    /// Writes a file into the directory.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        write(&self.dir, name, contents)
    }

    /// Writes a certificate and its key.
    pub fn save(&self, name: &str, leaf: &Leaf) -> Files {
        files(&self.dir, name, leaf)
    }

    /// The options that make a server of this.
    pub fn server_args(&self) -> [&str; 4] {
        ["--cert", &self.server.cert, "--key", &self.server.key]
    }

    /// The options that make a server of this which asks clients for certificates of the CA.
    pub fn mutual_args(&self) -> Vec<&str> {
        [&self.server_args()[..], &["--client-ca", &self.ca_file]].concat()
    }
}

/// A CA: a root, or an intermediate under one.
pub struct Authority {
    pub(super) issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its certificate's.
    pub serial: u64,
}

impl Authority {
    /// A self-signed CA. Two of one name have keys of their own.
    pub fn root(name: &str) -> Self {
        let serial = next_serial();
        Self::self_signed(authority(name, serial), serial)
    }

    /// The same, valid for so long from now on.
    pub fn root_for(name: &str, time: Duration) -> Self {
        let serial = next_serial();
        let mut params = authority(name, serial);
        params.not_after = OffsetDateTime::now_utc() + time;
        Self::self_signed(params, serial)
    }

    fn self_signed(params: CertificateParams, serial: u64) -> Self {
        let root = CertifiedIssuer::self_signed(params, new_key());
        Self { issuer: root.expect("a CA certificate"), serial }
    }

    /// A CA under this one.
    pub fn subordinate(&self, name: &str) -> Self {
        let serial = next_serial();
        self.above(authority(name, serial), serial)
    }

    /// The same, valid for so long from now on.
    pub fn subordinate_for(&self, name: &str, time: Duration) -> Self {
        let serial = next_serial();
        let mut params = authority(name, serial);
        params.not_after = OffsetDateTime::now_utc() + time;
        self.above(params, serial)
    }

    fn above(&self, params: CertificateParams, serial: u64) -> Self {
        let subordinate = CertifiedIssuer::signed_by(params, new_key(), &self.issuer);
        Self { issuer: subordinate.expect("a CA certificate"), serial }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Another certificate of the same CA, called `name`: of the same key, and expired since yesterday.
    pub fn expired_pem(&self, name: &str) -> String {
        let mut params = authority(name, next_serial());
        params.not_after = OffsetDateTime::now_utc() - DAY;
        params.self_signed(self.issuer.key()).expect("a CA certificate").pem()
    }

    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    pub fn issue(&self, profile: &Profile) -> Leaf {
        let (key, serial) = (profile.key(), next_serial());
        let certificate = profile.params(serial).signed_by(&key, &self.issuer);
        let cert = certificate.expect("a certificate").pem();
        Leaf { cert, key: key.serialize_pem(), serial }
    }
}

/// A certificate and its key (PKCS#8), in PEM.
#[derive(Debug, Clone)]
pub struct Leaf {
    pub cert: String,
    pub key: String,
    pub serial: u64,
}

impl Leaf {
    /// The same with `issuers` behind the certificate.
    pub fn with_chain(mut self, issuers: &[&Authority]) -> Self {
        self.cert.extend(issuers.iter().map(|i| i.pem()));
        self
    }
}

/// What a leaf certificate is to be like.
#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    names: Vec<SanType>,
    usage: ExtendedKeyUsagePurpose,
    valid: (OffsetDateTime, OffsetDateTime),
    rsa: bool,
    names_issuer_key: bool,
}

const DAY: time::Duration = time::Duration::DAY;

impl Profile {
    pub fn server(common_name: &str) -> Self {
        Self::new(common_name, ExtendedKeyUsagePurpose::ServerAuth).names(&SERVER_NAMES)
    }

    pub fn client(common_name: &str) -> Self {
        Self::new(common_name, ExtendedKeyUsagePurpose::ClientAuth).names(&[common_name])
    }

    /// The same with another common name, which need not be fit for an alternative one.
    pub fn called(mut self, common_name: &str) -> Self {
        common_name.clone_into(&mut self.name);
        self
    }

    fn new(common_name: &str, usage: ExtendedKeyUsagePurpose) -> Self {
        let now = OffsetDateTime::now_utc();
        // Long enough not to be warned of.
        let valid = (now - DAY, now + 50 * DAY);
        Self {
            name: common_name.to_owned(),
            names: Vec::new(),
            usage,
            valid,
            rsa: false,
            names_issuer_key: false,
        }
    }

    /// With these alternative names and no others: `email:` and `URI:` say what they are, and the
    /// rest are addresses and DNS names.
    pub fn names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(|name| alternative_name(name)).collect();
        self
    }

    /// Valid for so long from now on.
    pub fn valid_for(mut self, time: Duration) -> Self {
        self.valid.1 = OffsetDateTime::now_utc() + time;
        self
    }

    /// Expired since yesterday.
    pub fn expired(mut self) -> Self {
        let now = OffsetDateTime::now_utc();
        self.valid = (now - 30 * DAY, now - DAY);
        self
    }

    /// Valid from tomorrow on.
    pub fn not_yet_valid(mut self) -> Self {
        let now = OffsetDateTime::now_utc();
        self.valid = (now + DAY, now + 30 * DAY);
        self
    }

    /// RSA with 2048 bits, instead of P-256.
    pub fn rsa(mut self) -> Self {
        self.rsa = true;
        self
    }

    /// Says which of several CAs of one name issued it (RFC 5280 §4.2.1.1), as those of public CAs do.
    pub fn naming_issuer_key(mut self) -> Self {
        self.names_issuer_key = true;
        self
    }

    /// A certificate that is its own issuer.
    pub fn self_signed(&self) -> Leaf {
        let (key, serial) = (self.key(), next_serial());
        let certificate = self.params(serial).self_signed(&key).expect("a certificate");
        Leaf { cert: certificate.pem(), key: key.serialize_pem(), serial }
    }

    pub(super) fn key(&self) -> KeyPair {
        if self.rsa {
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("an RSA key")
        } else {
            new_key()
        }
    }

    pub(super) fn params(&self, serial: u64) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.serial_number = Some(serial.into());
        params.subject_alt_names.clone_from(&self.names);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Company");
        params.distinguished_name.push(DnType::CommonName, self.name.as_str());
        (params.not_before, params.not_after) = self.valid;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.use_authority_key_identifier_extension = self.names_issuer_key;
        params
    }
}

fn alternative_name(name: &str) -> SanType {
    let ascii = |text: &str| text.try_into().expect("ASCII");
    match (name.split_once(':'), name.parse()) {
        (_, Ok(address)) => SanType::IpAddress(address),
        (Some(("email", address)), _) => SanType::Rfc822Name(ascii(address)),
        (Some(("URI", uri)), _) => SanType::URI(ascii(uri)),
        _ => SanType::DnsName(ascii(name)),
    }
}

pub(super) fn new_key() -> KeyPair {
    KeyPair::generate().expect("a P-256 key")
}

/// No two certificates of a test have the same.
pub(super) fn next_serial() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0x5eed_0000);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

pub(super) fn authority(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.serial_number = Some(serial.into());
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
        key: secret(write(dir, &format!("{name}.key"), &leaf.key)),
        both: secret(write(dir, &format!("{name}.pem"), format!("{}{}", leaf.cert, leaf.key))),
    }
}

/// Keeps a file from all others, as its secret deserves.
pub fn secret(path: String) -> String {
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a file of ours");
    path
}

/// Writes a file of ticket keys that nobody should use.
pub fn shared_keys(pki: &Pki, name: &str, byte: u8) -> String {
    secret(pki.write(name, [byte; 80]))
}

/// Runs the openssl tool, which has to succeed.
#[track_caller]
pub fn openssl(args: &[&str]) -> String {
    let mut command = tool("openssl");
    command.args(args);
    let output = run(command, b"", Duration::from_secs(20));
    assert_eq!(output.code, Some(0), "openssl {args:?}: {}", output.stderr);
    output.text()
}

/// Writes the certificate, its chain and its key as a PKCS#12 file with that password.
pub fn export_pkcs12(pki: &Pki, name: &str, leaf: &Leaf, password: &str) -> String {
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
    secret(out)
}
