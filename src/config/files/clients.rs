//! The files that say which clients are let in.

use std::path::{Path, PathBuf};

use turnkey::tls::{
    AllowRules, Certificate, ClientPolicy, ClientTrust, RevocationList, TrustAnchors,
};

use super::{Finding, Reader, Subject};

/// Where a client policy comes from.
#[derive(Debug)]
pub(crate) struct ClientFiles {
    /// The files of `--client-ca`; none when the CA is made up for this run.
    pub(crate) cas: Vec<PathBuf>,
    pub(crate) crls: Vec<PathBuf>,
    pub(crate) rules: AllowRules,
    pub(crate) deny_early: bool,
    /// Whether clients may do without a certificate.
    pub(crate) optional: bool,
    /// Whether those who do are let in; `None` if that was not said, and they are.
    pub(crate) anonymous: Option<bool>,
}

/// What these files held.
#[derive(Debug)]
pub(crate) struct Clients<'c> {
    pub(crate) files: &'c ClientFiles,
    /// If no CA could be read, [`ClientPolicy::None`], which no server in mutual mode is built with.
    pub(crate) policy: ClientPolicy,
    pub(crate) cas: Vec<Sourced<Certificate>>,
    pub(crate) lists: Vec<Sourced<RevocationList>>,
    /// Whether no CA and no list is missing.
    pub(crate) complete: bool,
}

/// A CA or a list, and the file that holds it.
pub(crate) type Sourced<T> = (Subject, T);

/// CAs that were read.
pub(super) struct Cas {
    /// `None` if there are none.
    pub(super) anchors: Option<TrustAnchors>,
    pub(super) each: Vec<Sourced<Certificate>>,
}

impl ClientFiles {
    /// Reads the CAs and the lists; `adhoc` are CAs that stand in no file.
    pub(super) fn read(
        &self,
        adhoc: Option<&TrustAnchors>,
        reader: &mut Reader<'_>,
    ) -> Result<Clients<'_>, Finding> {
        let errors = reader.errors;
        let Cas { anchors, each: cas } = reader.cas(&self.cas, "--client-ca", adhoc)?;
        let mut lists = Vec::new();
        for file in &self.crls {
            let subject = Subject::file(file, "--client-crl");
            let read = reader.parse(file, "--client-crl", RevocationList::read)?;
            lists.extend(read.into_iter().flatten().map(|list| (subject.clone(), list)));
        }
        let crls = lists.iter().map(|(_, list)| list.clone()).collect();
        Ok(Clients {
            files: self,
            policy: anchors.map_or(ClientPolicy::None, |anchors| self.policy(anchors, crls)),
            cas,
            lists,
            complete: reader.errors == errors,
        })
    }

    /// The policy for what was read.
    fn policy(&self, anchors: TrustAnchors, crls: Vec<RevocationList>) -> ClientPolicy {
        let anonymous = self.anonymous != Some(false);
        let trust = ClientTrust::new(anchors)
            .revocation_lists(crls)
            .allow(self.rules.clone(), self.deny_early)
            .allow_anonymous(anonymous);
        // To refuse early whoever shows no certificate is to require one.
        if self.optional && (anonymous || !self.deny_early) {
            ClientPolicy::Optional(trust)
        } else {
            ClientPolicy::Required(trust)
        }
    }

    /// Whether there are rules, and a client that shows no certificate gets past them without anybody
    /// having said that it may.
    pub(crate) fn has_way_round_rules(&self) -> bool {
        self.optional && self.anonymous.is_none() && !self.rules.is_empty()
    }

    /// All its files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.cas.iter().chain(&self.crls).map(PathBuf::as_path)
    }
}

impl Reader<'_> {
    /// The CAs in all `files`, which `option` names, behind those that are `adhoc`.
    pub(super) fn cas(
        &mut self,
        files: &[PathBuf],
        option: &'static str,
        adhoc: Option<&TrustAnchors>,
    ) -> Result<Cas, Finding> {
        let mut anchors = adhoc.cloned();
        let of = |subject: Subject, anchors: &TrustAnchors| -> Vec<Sourced<Certificate>> {
            anchors.certificates().iter().map(|ca| (subject.clone(), ca.clone())).collect()
        };
        let mut each = adhoc.map(|adhoc| of(Subject::adhoc(), adhoc)).unwrap_or_default();
        for file in files {
            let now = self.now;
            let parse = |bytes: &[u8]| TrustAnchors::from_pem(bytes, now);
            let Some(more) = self.parse(file, option, parse)? else { continue };
            let mut further = of(Subject::file(file, option), &more);
            further.retain(|(_, ca)| each.iter().all(|(_, other)| other != ca));
            each.extend(further);
            anchors = anchors.into_iter().chain([more]).reduce(TrustAnchors::and);
        }
        Ok(Cas { anchors, each })
    }
}
