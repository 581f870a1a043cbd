//! The files that say which clients are let in.

use std::path::{Path, PathBuf};

use turnkey::tls::{
    AllowRules, AllowedIssuers, Certificate, ClientPolicy, ClientTrust, RevocationList,
    TrustAnchors,
};

use super::{Finding, Reader, Subject};

/// The sources of a client policy.
#[derive(Debug)]
pub(crate) struct ClientFiles {
    /// The files of `--client-ca`; empty if the CA is generated for this run.
    pub(crate) cas: Vec<PathBuf>,
    pub(crate) crls: Vec<PathBuf>,
    /// The rules for names.
    pub(crate) rules: AllowRules,
    /// The files of `--allow-issuer`, the rule for issuers.
    pub(crate) issuers: Vec<PathBuf>,
    pub(crate) deny_early: bool,
    /// Whether a client certificate is optional.
    pub(crate) optional: bool,
    /// Whether clients without a certificate are let in; `None` is the default, which lets them in.
    pub(crate) anonymous: Option<bool>,
}

/// What these files contained.
#[derive(Debug)]
pub(crate) struct Clients<'c> {
    pub(crate) files: &'c ClientFiles,
    /// [`ClientPolicy::None`] if no CA, or not every allowed issuer, could be read. No server in mutual mode is
    /// built with it.
    pub(crate) policy: ClientPolicy,
    pub(crate) cas: Vec<Sourced<Certificate>>,
    pub(crate) lists: Vec<Sourced<RevocationList>>,
    /// The allowed issuers; empty if all are allowed.
    pub(crate) issuers: Vec<Sourced<Certificate>>,
    /// Whether every CA, list and issuer could be read.
    pub(crate) complete: bool,
}

/// A CA or a list, and the file that contains it.
pub(crate) type Sourced<T> = (Subject, T);

/// Allowed issuers that were read.
type Issuers = (Option<AllowedIssuers>, Vec<Sourced<Certificate>>);

const ALLOW_ISSUER: &str = "--allow-issuer";

/// CAs that were read.
pub(super) struct Cas {
    /// `None` if there are none.
    pub(super) anchors: Option<TrustAnchors>,
    pub(super) each: Vec<Sourced<Certificate>>,
}

impl ClientFiles {
    /// Reads the CAs and the lists; `adhoc` are CAs that are in no file.
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
        let (allowed, issuers) = self.read_issuers(reader)?;
        // Without its rule the policy would let everybody in.
        let is_whole = self.issuers.is_empty() || allowed.is_some();
        let policy =
            anchors.filter(|_| is_whole).map(|anchors| self.policy(anchors, crls, allowed));
        Ok(Clients {
            files: self,
            policy: policy.unwrap_or_default(),
            cas,
            lists,
            issuers,
            complete: reader.errors == errors,
        })
    }

    /// Reads the allowed issuers, each with its file; `None` if there is no such rule, or if one of them cannot
    /// be read.
    fn read_issuers(&self, reader: &mut Reader<'_>) -> Result<Issuers, Finding> {
        let (mut allowed, mut each): (Option<AllowedIssuers>, _) = (None, Vec::new());
        let errors = reader.errors;
        for file in &self.issuers {
            let read = reader.parse(file, ALLOW_ISSUER, AllowedIssuers::read)?;
            let Some(more) = read else { continue };
            let subject = Subject::file(file, ALLOW_ISSUER);
            each.extend(more.certificates().iter().map(|ca| (subject.clone(), ca.clone())));
            allowed = allowed.into_iter().chain([more]).reduce(AllowedIssuers::and);
        }
        Ok((allowed.filter(|_| reader.errors == errors), each))
    }

    /// The policy for what was read.
    fn policy(
        &self,
        anchors: TrustAnchors,
        crls: Vec<RevocationList>,
        issuers: Option<AllowedIssuers>,
    ) -> ClientPolicy {
        let anonymous = self.anonymous != Some(false);
        let mut trust = ClientTrust::new(anchors)
            .revocation_lists(crls)
            .allow(self.rules.clone(), self.deny_early)
            .allow_anonymous(anonymous);
        if let Some(issuers) = issuers {
            trust = trust.issued_by(issuers);
        }
        // To refuse clients without a certificate early is to require one.
        if self.optional && (anonymous || !self.deny_early) {
            ClientPolicy::Optional(trust)
        } else {
            ClientPolicy::Required(trust)
        }
    }

    /// Whether there are rules that a client without a certificate bypasses, and no option explicitly allows
    /// that.
    pub(crate) fn has_way_round_rules(&self) -> bool {
        self.optional && self.anonymous.is_none() && self.has_rules()
    }

    /// Whether there is a rule for names or for issuers.
    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty() || !self.issuers.is_empty()
    }

    /// All its files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.cas.iter().chain(&self.crls).chain(&self.issuers).map(PathBuf::as_path)
    }
}

impl Reader<'_> {
    /// The CAs in all `files`, which `option` names, after those that are `adhoc`.
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
