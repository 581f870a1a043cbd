//! Reads all that the options name, and goes on where start-up would end.

use std::path::Path;
use std::time::SystemTime;

use turnkey_backend::{
    Certificate, CertificateError, ClientPolicy, Identity, IdentityError, OcspResponse,
    RevocationList, TicketKey, TrustAnchors,
};

use super::clients::Sourced;
use super::finding::{Finding, Subject};
use super::identity::{self, inspect_certificates};
use super::staple;
use crate::client_files::{self, ClientFiles};
use crate::config_error::ConfigError;
use crate::files;
use crate::identity_files::{self, IdentityFile};
use crate::sources::{self, Material, Sources};

/// No chain is longer than this, whose certificates may each be out of date for itself.
const MAX_LINKS: usize = 16;

/// What could be read, and the errors of what could not.
#[derive(Debug, Default)]
pub(super) struct Loaded<'a> {
    /// With `None` for the one that is made up; one that is out of date is here too.
    pub(super) identities: Vec<(Option<&'a IdentityFile>, Identity)>,
    pub(super) cas: Vec<Sourced<Certificate>>,
    pub(super) lists: Vec<Sourced<RevocationList>>,
    pub(super) ticket_key: Option<TicketKey>,
    /// Whether that is all of the CAs and lists.
    pub(super) clients_complete: bool,
    pub(super) findings: Vec<Finding>,
    policy: ClientPolicy,
}

impl<'a> Loaded<'a> {
    pub(super) fn new(sources: &'a Sources, now: SystemTime) -> Self {
        let mut loaded = Self::default();
        match &sources.made_up {
            Some(made_up) => loaded.identities.push((None, made_up.identity.clone())),
            None => loaded.read_identities(sources, now),
        }
        loaded.staple(sources, now);
        if let Some(clients) = &sources.clients {
            let made_up = sources.made_up.as_ref().and_then(|made_up| made_up.clients.as_ref());
            loaded.read_clients(clients, made_up.map(|made_up| &made_up.anchors), now);
        }
        match sources.ticket_key.as_deref().map(sources::ticket_key).transpose() {
            Ok(key) => loaded.ticket_key = key,
            Err(error) => loaded.add(Finding::file("ticket-keys", &error)),
        }
        loaded
    }

    /// What the server is built from; of use when there was no error.
    pub(super) fn material(&self) -> Material {
        Material {
            identities: self.identities.iter().map(|(_, identity)| identity.clone()).collect(),
            clients: self.policy.clone(),
            ticket_key: self.ticket_key.clone(),
            unstapled: Vec::new(),
        }
    }

    /// The same error comes up once for each identity when it is one of the password's file.
    fn add(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn read_identities(&mut self, sources: &'a Sources, now: SystemTime) {
        for file in &sources.identities {
            match read(file, sources, now) {
                Ok(identity) => self.identities.push((Some(file), identity)),
                Err(findings) => findings.into_iter().for_each(|finding| self.add(finding)),
            }
        }
    }

    fn staple(&mut self, sources: &Sources, now: SystemTime) {
        let complete = self.identities.len() == sources.identities.len().max(1);
        for file in &sources.ocsp {
            if !complete {
                // It may be about an identity that could not be read.
                let parsed =
                    files::read(file, "--ocsp").map(|bytes| OcspResponse::from_der(&bytes));
                match parsed {
                    Err(error) => self.add(Finding::file("ocsp", &error)),
                    Ok(Err(error)) => {
                        let text = crate::causes::with_causes(&error);
                        self.add(Finding::error("ocsp", &Subject::file(file, "--ocsp"), text));
                    }
                    Ok(Ok(_)) => {}
                }
                continue;
            }
            let mut identities: Vec<_> = self.identities.iter().map(|(_, i)| i.clone()).collect();
            match identity_files::staple(&mut identities, file, now) {
                Ok(unstapled) => {
                    if let Some(unstapled) = &unstapled {
                        self.add(staple::not_sent(unstapled));
                    }
                    for ((_, identity), stapled) in self.identities.iter_mut().zip(identities) {
                        *identity = stapled;
                    }
                }
                Err(error) => self.add(of_config("ocsp", &error, &Subject::option("--ocsp"))),
            }
        }
    }

    fn read_clients(
        &mut self,
        clients: &ClientFiles,
        made_up: Option<&TrustAnchors>,
        now: SystemTime,
    ) {
        let mut anchors = made_up.cloned();
        if let Some(made_up) = made_up {
            let subject = Subject::made_up();
            self.cas.extend(made_up.certificates().iter().map(|ca| (subject.clone(), ca.clone())));
        }
        let mut complete = true;
        for file in &clients.cas {
            match client_files::trust_anchors(file, "--client-ca", now) {
                Ok(more) => {
                    let subject = Subject::file(file, "--client-ca");
                    for ca in more.certificates() {
                        if self.cas.iter().all(|(_, other)| other != ca) {
                            self.cas.push((subject.clone(), ca.clone()));
                        }
                    }
                    anchors = Some(match anchors {
                        Some(anchors) => anchors.and(more),
                        None => more,
                    });
                }
                Err(error) => {
                    complete = false;
                    self.add(Finding::file("client-ca", &error));
                }
            }
        }
        for file in &clients.crls {
            match client_files::revocation_lists(file) {
                Ok(lists) => {
                    let subject = Subject::file(file, "--client-crl");
                    self.lists.extend(lists.into_iter().map(|list| (subject.clone(), list)));
                }
                Err(error) => {
                    complete = false;
                    self.add(Finding::file("client-crl", &error));
                }
            }
        }
        self.clients_complete = complete;
        if let Some(anchors) = anchors {
            let lists = self.lists.iter().map(|(_, list)| list.clone()).collect();
            self.policy = clients.policy(anchors, lists);
        }
    }
}

/// Reads an identity also when it is out of date, so that there is more to say of it than that; if
/// there is none, the errors, with what can be told of the certificates all the same.
fn read(file: &IdentityFile, sources: &Sources, now: SystemTime) -> Result<Identity, Vec<Finding>> {
    let mut at = now;
    let mut last = None;
    for _ in 0..MAX_LINKS {
        let error = match file.parse(&sources.passwords, at) {
            Ok(Ok(identity)) => return Ok(identity),
            Ok(Err(error)) => error,
            Err(error) => return Err(vec![Finding::file("unreadable", &error)]),
        };
        let when = match &error {
            IdentityError::Certificate(CertificateError::Expired { not_after, .. }) => *not_after,
            IdentityError::Certificate(CertificateError::NotYetValid { not_before, .. }) => {
                *not_before
            }
            _ => {
                last = Some(error);
                break;
            }
        };
        last = Some(error);
        if !file.paths().all(files::is_regular) {
            break;
        }
        at = when;
    }
    let Some(error) = last else { return Err(Vec::new()) };
    let finding = of_config(code(&error), &file.explain(&error), &Subject::certificate_of(file));
    let mut findings = Vec::new();
    if let IdentityFile::Pem { cert, .. } = file {
        let certificates = files::certificates(cert);
        findings.extend(inspect_certificates(&certificates, &Subject::certificate_of(file), now));
    }
    // What holds no key is no secret.
    let holds_key = !matches!(
        error,
        IdentityError::NoPrivateKey
            | IdentityError::Empty { .. }
            | IdentityError::NotPem { .. }
            | IdentityError::WrongKind { .. }
    );
    findings.extend(holds_key.then(|| identity::secret(file)).flatten());
    // Of dates there may be a finding by now.
    let dates = ["expired", "not-yet-valid"];
    if !dates.contains(&finding.code) || !findings.iter().any(|f| dates.contains(&f.code)) {
        findings.push(finding);
    }
    Err(findings)
}

/// An error that names its file, or else is of `subject`.
pub(super) fn of_config(code: &'static str, error: &ConfigError, subject: &Subject) -> Finding {
    match error {
        ConfigError::File(error) => Finding::file(code, error),
        other => Finding::error(code, subject, other.to_string()),
    }
}

/// What kind of finding an error of an identity is.
fn code(error: &IdentityError) -> &'static str {
    match error {
        IdentityError::NoCertificate => "no-certificate",
        IdentityError::NoPrivateKey => "no-key",
        IdentityError::PasswordRequired => "password-missing",
        IdentityError::WrongPassword => "password-wrong",
        IdentityError::UnsupportedEncryption { .. } | IdentityError::LegacyEncryption => {
            "encryption-unsupported"
        }
        IdentityError::UnsupportedKey(_) => "key-unsupported",
        IdentityError::SeveralKeys { .. } => "several-keys",
        IdentityError::KeyMismatch { .. } => "key-mismatch",
        IdentityError::StrayCertificate { .. } => "stray-certificate",
        IdentityError::Certificate(CertificateError::Expired { .. }) => "expired",
        IdentityError::Certificate(CertificateError::NotYetValid { .. }) => "not-yet-valid",
        _ => "malformed",
    }
}

/// The files of items that were read before: the first that has them, or the option alone.
pub(super) fn sourced<T: Clone>(
    items: &[T],
    files: &[impl AsRef<Path>],
    option: &'static str,
    read: impl Fn(&Path) -> Vec<T>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<Sourced<T>> {
    let subjects: Vec<Subject> = files.iter().map(|f| Subject::file(f.as_ref(), option)).collect();
    if let [subject] = subjects.as_slice() {
        return items.iter().map(|item| (subject.clone(), item.clone())).collect();
    }
    let contents: Vec<Vec<T>> = files
        .iter()
        .map(|file| if files::is_regular(file.as_ref()) { read(file.as_ref()) } else { Vec::new() })
        .collect();
    let of = |item: &T| {
        let at = contents.iter().position(|content| content.iter().any(|other| same(other, item)));
        at.and_then(|at| subjects.get(at)).cloned().unwrap_or_else(|| Subject::option(option))
    };
    items.iter().map(|item| (of(item), item.clone())).collect()
}
