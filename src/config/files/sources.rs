//! The sources of identities, client CAs, revocation lists and ticket keys, so that they can be read again
//! while the server runs.

use std::path::{Path, PathBuf};

use turnkey::tls::{
    ClientPolicy, Identities, Identity, OcspError, OcspResponse, TicketKey, TrustAnchors,
};
use turnkey::{Mode, Tls};
use zeroize::Zeroizing;

use super::beside::known_client;
use super::clients::{ClientFiles, Clients};
use super::identity::{IdentityFile, Served, Unusable};
use super::{Finding, Reader, Subject, read};
use crate::console::causes::with_causes;

/// All that a TLS backend is built from and that may change while the server runs.
#[derive(Debug)]
pub(crate) struct Sources {
    /// Empty if the identity is generated.
    pub(crate) identities: Vec<IdentityFile>,
    pub(crate) adhoc: Option<Adhoc>,
    pub(crate) ocsp: Vec<PathBuf>,
    pub(crate) clients: Option<ClientFiles>,
    pub(crate) ticket_key: Option<PathBuf>,
    /// The other options for the TLS stack. The identities and the ticket key are added later.
    pub(crate) choice: Tls,
}

/// What `--adhoc` generates for one run.
#[derive(Debug)]
pub(crate) struct Adhoc {
    pub(crate) identity: Identity,
    /// The clients' CA, and the folder with a client certificate; in mutual mode.
    pub(crate) clients: Option<AdhocClients>,
}

/// A CA for one run, and the folder with a client certificate, which is deleted at the end.
#[derive(Debug)]
pub(crate) struct AdhocClients {
    pub(crate) anchors: TrustAnchors,
    pub(crate) ca: PathBuf,
    pub(crate) client: PathBuf,
    #[cfg(feature = "pki")]
    pub(crate) _folder: tempfile::TempDir,
}

/// What these sources contained.
#[derive(Debug)]
pub(crate) struct Material<'c> {
    pub(crate) sources: &'c Sources,
    pub(crate) identities: Vec<Served<'c>>,
    /// Only after an error.
    pub(crate) unusable: Vec<Unusable<'c>>,
    /// `None` if clients are not asked for a certificate.
    pub(crate) clients: Option<Clients<'c>>,
    pub(crate) ticket_key: Option<TicketKey>,
}

impl Sources {
    pub(super) fn read(&self, reader: &mut Reader<'_>) -> Result<Material<'_>, Finding> {
        let (mut identities, mut unusable) = (Vec::new(), Vec::new());
        if let Some(Adhoc { identity, .. }) = &self.adhoc {
            identities.push(Served::adhoc(identity.clone()));
        }
        for file in &self.identities {
            identities.extend(reader.identity(file, &mut unusable)?);
        }
        for error in duplicate_names(&identities) {
            reader.error(error)?;
        }
        let complete = identities.len() == self.identities.len().max(1);
        for file in &self.ocsp {
            reader.staple(&mut identities, complete, file)?;
        }
        let adhoc = self.adhoc_clients().map(|clients| &clients.anchors);
        let clients = self.clients.as_ref().map(|clients| clients.read(adhoc, reader));
        let clients = clients.transpose()?;
        let ticket_key = match &self.ticket_key {
            Some(file) => reader.take(ticket_key(file))?,
            None => None,
        };
        Ok(Material { sources: self, identities, unusable, clients, ticket_key })
    }

    /// The CA that was generated for this run, if any.
    pub(crate) fn adhoc_clients(&self) -> Option<&AdhocClients> {
        self.adhoc.as_ref()?.clients.as_ref()
    }

    /// The first file with a CA of clients.
    pub(crate) fn client_ca(&self) -> Option<&Path> {
        Some(self.clients.as_ref()?.cas.first()?)
    }

    /// All its files, except the password file.
    pub(super) fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.identities.iter().flat_map(IdentityFile::paths).collect();
        paths.extend(self.ocsp.iter().map(PathBuf::as_path));
        paths.extend(self.clients.iter().flat_map(ClientFiles::paths));
        paths.extend(self.ticket_key.as_deref());
        paths
    }
}

impl Material<'_> {
    /// Which clients are let in.
    pub(crate) fn policy(&self) -> &ClientPolicy {
        self.clients.as_ref().map_or(&ClientPolicy::None, |clients| &clients.policy)
    }

    /// The mode and the options for the TLS stack, from what was read.
    pub(crate) fn mode(&self) -> Result<(Mode, Tls), Finding> {
        // The client of `turnkey certs`, or of the recipe, whose `openssl` makes version 1 certificates.
        let known = known_client(self);
        let x509_v1_clients = known.is_some_and(|(_, client)| client.leaf().lacks_extensions());
        let mut identities = self.identities.iter().map(|served| served.identity.clone());
        let Some(first) = identities.next() else {
            let subject = Subject::option("--cert");
            return Err(Finding::error("identity", &subject, "there is no identity"));
        };
        let choice = Tls {
            further: identities.collect(),
            ticket_key: self.ticket_key.clone(),
            x509_v1_clients,
            ..self.sources.choice.clone()
        };
        let mode = match &self.clients {
            None => Mode::Https(first),
            Some(clients) => Mode::Mutual(first, clients.policy.clone()),
        };
        Ok((mode, choice))
    }
}

impl Reader<'_> {
    /// Adds an OCSP response to the identity that it is about. A response that has expired, or is about a
    /// certificate that was renewed, is only not sent: a restart, the next certificate or a new revocation list
    /// must not wait for a new response.
    fn staple(
        &mut self,
        identities: &mut [Served<'_>],
        complete: bool,
        file: &Path,
    ) -> Result<(), Finding> {
        let Some(response) = self.parse(file, "--ocsp", OcspResponse::from_der)? else {
            return Ok(());
        };
        let mut why: Option<OcspError> = None;
        for served in identities {
            match served.identity.with_ocsp(&response, self.now) {
                Ok(stapled) => {
                    served.identity = stapled;
                    return Ok(());
                }
                Err(error) if why.is_none() || !error.is_about_another() => why = Some(error),
                Err(_) => {}
            }
        }
        match why {
            None => {}
            // It may be about the identity that could not be read.
            Some(OcspError::OtherCertificate { .. }) if !complete => {}
            Some(why @ (OcspError::Expired { .. } | OcspError::OtherCertificate { .. })) => {
                let text = format!("no client is sent it: {}", with_causes(&why));
                let subject = Subject::file(file, "--ocsp");
                self.note(Finding::warning("ocsp-not-sent", &subject, text));
            }
            Some(why) => self.error(Finding::file(file, "--ocsp", with_causes(&why)))?,
        }
        Ok(())
    }
}

/// Reports two identities for the same name.
fn duplicate_names(identities: &[Served<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut all = identities.iter().map(|served| served.identity.clone());
    // Try all together first: there may be many.
    if all.next().is_none_or(|first| Identities::new(first, all).is_ok()) {
        return found;
    }
    for (index, one) in identities.iter().enumerate() {
        for other in identities.iter().skip(index + 1) {
            let pair = Identities::new(one.identity.clone(), [other.identity.clone()]);
            if let Err(duplicate) = pair {
                let text = format!(
                    "two identities are for the name \"{}\", this one and {}",
                    duplicate.name,
                    one.subject().name()
                );
                let finding = Finding::error("duplicate-name", &other.subject(), text);
                found.push(finding.fix("leave one of them out"));
            }
        }
    }
    found
}

/// Reads the secret in a file of `--ticket-keys`.
fn ticket_key(file: &Path) -> Result<TicketKey, Finding> {
    let bytes = Zeroizing::new(read::read(file, "--ticket-keys")?);
    TicketKey::new(&bytes).ok_or_else(|| {
        let (min, max) = (TicketKey::MIN, TicketKey::MAX);
        let what = format!(
            "holds {} bytes, and {min} to {max} random ones are wanted: openssl rand -out FILE 80",
            bytes.len()
        );
        Finding::file(file, "--ticket-keys", what)
    })
}
