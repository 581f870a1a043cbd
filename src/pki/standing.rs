//! The existing files of one leaf certificate: whether to keep or renew it, or leave it alone because turnkey did
//! not make it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use turnkey::tls::{Certificate, Identity, IdentityError};

use super::authority::Authority;
use super::issue::{DAY, KeyType, Leaf, Role};
use super::names::{Name, names_of};
use super::report::date;
use super::x509::{self, KeyFile, UNREAD_KEY};
use super::{PKCS12_PASSWORD, PkiError, files};

/// The paths of the files of one leaf certificate.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The stem of the files.
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// For a server, its certificate and the issuer's; for a client, its certificate and key.
    pub(super) both: PathBuf,
    pub(super) pkcs12: PathBuf,
}

impl Place {
    pub(super) fn new(folder: &Path, name: &str, role: Role) -> Self {
        let file = |suffix| folder.join(format!("{name}{suffix}"));
        Self {
            name: name.to_owned(),
            role,
            certificate: file(".crt"),
            key: file(".key"),
            both: file(match role {
                Role::Server => "_chain.pem",
                Role::Client => ".pem",
            }),
            pkcs12: file(".p12"),
        }
    }

    /// Whether the second PEM file contains the key.
    pub(super) fn both_is_secret(&self) -> bool {
        self.role == Role::Client
    }
}

/// The contents of a leaf certificate's files that exist.
pub(super) struct Standing {
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) key: Option<Vec<u8>>,
    pub(super) both: Option<Vec<u8>>,
    pub(super) pkcs12: Option<Vec<u8>>,
}

/// What to do about a leaf certificate.
pub(super) enum LeafPlan {
    /// There is none: make one.
    Create,
    /// turnkey made the existing one, but it does not fit: make a new one.
    Renew { why: String },
    /// The existing one is good.
    Keep {
        certificate: Certificate,
        /// The key in PEM, as it is in its file.
        key: Vec<u8>,
    },
}

impl Standing {
    pub(super) fn read(place: &Place) -> Result<Self, PkiError> {
        Ok(Self {
            certificate: files::read(&place.certificate)?,
            key: files::read(&place.key)?,
            both: files::read(&place.both)?,
            pkcs12: files::read(&place.pkcs12)?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { certificate, key, both, pkcs12 } = self;
        [certificate, key, both, pkcs12].iter().all(|file| file.is_none())
    }

    /// Decides what to do. It is an error if a file that would be overwritten may not be ours.
    ///
    /// `key_type` is the one that the user asked for, if any; the one in `leaf` may be that of the old certificate.
    pub(super) fn judge(
        &self,
        place: &Place,
        leaf: &Leaf,
        key_type: Option<KeyType>,
        authority: &Authority,
        now: SystemTime,
    ) -> Result<LeafPlan, PkiError> {
        for (contents, path) in [(&self.certificate, &place.certificate), (&self.both, &place.both)]
        {
            if let Some(contents) = contents {
                check_pem(path, contents, authority)?;
            }
        }
        if let Some(pkcs12) = &self.pkcs12 {
            check_pkcs12(&place.pkcs12, pkcs12, authority, now)?;
        }
        let Some(certificate) = self.find_certificate(authority) else {
            // Without its certificate, it is unknown who owns the key.
            if self.key.is_some() {
                return not_ours(&place.key, "is a key whose certificate is missing or damaged");
            }
            return Ok(match (&self.certificate, &self.both) {
                (None, None) => LeafPlan::Create,
                _ => LeafPlan::Renew { why: "was damaged".to_owned() },
            });
        };
        let renew = |why| Ok(LeafPlan::Renew { why });
        let Some(key) = &self.key else { return renew("had lost its key".to_owned()) };
        match KeyFile::read(key) {
            KeyFile::Damaged => return renew("had a damaged key".to_owned()),
            KeyFile::Encrypted => {
                return not_ours(&place.key, "is encrypted, and not by turnkey");
            }
            KeyFile::Unread => return not_ours(&place.key, UNREAD_KEY),
            KeyFile::Key(key) if !x509::is_for_key(&certificate, &key) => {
                return not_ours(&place.key, "is not the key of the certificate beside it");
            }
            KeyFile::Key(_) => {}
        }
        match shortcoming(&certificate, leaf, key_type, authority, now) {
            Some(why) => renew(why),
            None => Ok(LeafPlan::Keep { certificate, key: key.clone() }),
        }
    }

    /// The names that a new certificate keeps: those of the existing one, if `ca` issued it to the same holder in
    /// the same role.
    pub(super) fn names(&self, leaf: &Leaf, authority: &Authority, ca: &Certificate) -> Vec<Name> {
        let is_kept = |certificate: &Certificate| {
            x509::is_issued_by(certificate, ca)
                && x509::has_role(certificate, leaf.role)
                && is_of_holder(certificate, leaf)
        };
        let certificate = self.find_certificate(authority).filter(is_kept);
        certificate.map(|certificate| names_of(&certificate)).unwrap_or_default()
    }

    /// The leaf certificate, from its own file or else from the second PEM file.
    pub(super) fn find_certificate(&self, authority: &Authority) -> Option<Certificate> {
        let files = [&self.certificate, &self.both].into_iter().flatten();
        files
            .filter_map(|file| x509::first_certificate(file))
            // A user may have put the CA first into the file.
            .find(|certificate| *certificate != authority.certificate)
    }
}

/// Checks that a PEM file with a certificate is one of ours; an error if not.
pub(super) fn check_pem(
    path: &Path,
    contents: &[u8],
    authority: &Authority,
) -> Result<(), PkiError> {
    match x509::first_certificate(contents) {
        Some(first) if first == authority.certificate || authority.issued(&first) => Ok(()),
        Some(_) => not_ours(path, "was not issued by the CA in this folder"),
        None if x509::holds_key(contents) => {
            not_ours(path, "holds a key, and no certificate that shows whose it is")
        }
        None => Ok(()),
    }
}

/// Why our certificate does not fit, as the end of the sentence "the old one …".
fn shortcoming(
    certificate: &Certificate,
    leaf: &Leaf,
    key_type: Option<KeyType>,
    authority: &Authority,
    now: SystemTime,
) -> Option<String> {
    let end = certificate.not_after();
    if now < certificate.not_before() {
        return Some(format!("was valid only from {}", date(certificate.not_before())));
    }
    let left = end.duration_since(now).unwrap_or_default();
    if left.is_zero() {
        return Some(format!("expired on {}", date(end)));
    }
    // If it ends because the CA ends, a new one would not last longer.
    if left <= reserve(certificate) && end < authority.certificate.not_after() {
        return Some(format!("ends soon, on {}", date(end)));
    }
    if !x509::has_role(certificate, leaf.role) {
        return Some(match leaf.role {
            Role::Server => "was not for servers".to_owned(),
            Role::Client => "was not for clients".to_owned(),
        });
    }
    if !is_of_holder(certificate, leaf) {
        return Some(format!("was not for {}", leaf.common_name));
    }
    if certificate.lacks_extensions() {
        return Some(format!("was of X.509 version {}", certificate.version()));
    }
    let had = names_of(certificate);
    if let Some(lacks) = listed(leaf.names.iter().filter(|name| !had.contains(name))) {
        return Some(format!("was not for {lacks}"));
    }
    if let Some(spare) = listed(had.iter().filter(|name| !leaf.names.contains(name))) {
        return Some(format!("was for {spare} too, which --no-default-names leaves out"));
    }
    let asked = key_type.filter(|asked| x509::key_type(certificate) != Some(*asked))?;
    Some(format!("had another type of key than {asked}"))
}

/// Whether a certificate belongs to this client: another client's names must not be copied.
fn is_of_holder(certificate: &Certificate, leaf: &Leaf) -> bool {
    leaf.role == Role::Server || certificate.common_name() == Some(&leaf.common_name)
}

fn listed<'n>(names: impl Iterator<Item = &'n Name>) -> Option<String> {
    let names: Vec<_> = names.map(ToString::to_string).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// How long before its end a certificate is renewed: 30 days, or a third of the lifetime of a short-lived one.
fn reserve(certificate: &Certificate) -> Duration {
    // Both ends belong to the lifetime (RFC 5280 §4.1.2.5).
    let lifetime =
        certificate.not_after().duration_since(certificate.not_before()).unwrap_or_default()
            + Duration::from_secs(1);
    if lifetime < 60 * DAY { lifetime / 3 } else { 30 * DAY }
}

fn not_ours<T>(path: &Path, problem: &'static str) -> Result<T, PkiError> {
    Err(PkiError::NotOurs { path: path.to_owned(), problem })
}

/// Reads one of our PKCS#12 files.
pub(super) fn open_pkcs12(contents: &[u8], now: SystemTime) -> Result<Identity, IdentityError> {
    Identity::from_pkcs12(contents, Some(PKCS12_PASSWORD), now)
}

/// Checks that a PKCS#12 file opens with our password and is for this CA; an error if not.
fn check_pkcs12(
    path: &Path,
    contents: &[u8],
    authority: &Authority,
    now: SystemTime,
) -> Result<(), PkiError> {
    match open_pkcs12(contents, now) {
        Ok(identity) if !authority.issued(identity.leaf()) => {
            not_ours(path, "was not issued by the CA in this folder")
        }
        // Our password opened it, so only its validity period is wrong.
        Ok(_) | Err(IdentityError::Certificate(_) | IdentityError::Empty { .. }) => Ok(()),
        Err(_) => not_ours(path, "is damaged, or has a password of its own"),
    }
}
