//! What there is to say of the files that are for TLS with upstreams.

use std::time::SystemTime;

use turnkey_backend::{Certificate, ConnectConfig, Identity, TrustAnchors};

use super::certificate::called;
use super::finding::{Finding, Subject};
use super::{certificate, identity, load, permissions};
use crate::causes::with_causes;
use crate::client_files;
use crate::config::Config;
use crate::identity_files::IdentityFile;
use crate::mode;
use crate::upstream_files::UpstreamFiles;

/// Looks at each file by itself, where start-up ends at the first that is no good, and sets the TLS up.
pub(super) fn check(config: &Config, now: SystemTime) -> Vec<Finding> {
    let Some(files) = config.upstream_files() else { return Vec::new() };
    let mut findings = Vec::new();
    let mut tls = ConnectConfig::default();
    for file in &files.cas {
        match client_files::trust_anchors(file, "--upstream-ca", now) {
            Ok(more) => {
                tls.anchors = tls.anchors.into_iter().chain([more]).reduce(TrustAnchors::and);
            }
            Err(error) => findings.push(Finding::file("upstream-ca", &error)),
        }
    }
    match files.identity.as_ref().map(|file| (file, file.load(&config.passwords, now))) {
        Some((file, Err(error))) => {
            let subject = Subject::certificate_of(file);
            findings.push(load::of_config("upstream-identity", &error, &subject));
        }
        Some((_, Ok(identity))) => tls.identity = Some(identity),
        None => {}
    }
    let complete = findings.is_empty();
    findings.extend(inspect(files, &tls, now));
    if let Some(password) = config.passwords.file().filter(|_| config.sources.is_none()) {
        let subject = Subject::file(password, "--key-password-file");
        findings.extend(permissions::of_secret(&subject, "the password"));
    }
    if complete && let Err(error) = mode::connector(config.backend(), &tls) {
        let subject = Subject::option("--proxy");
        findings.push(Finding::error("upstream-tls", &subject, with_causes(&error)));
    }
    findings
}

/// Looks at what was read.
pub(super) fn inspect(files: &UpstreamFiles, tls: &ConnectConfig, now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    let anchors = tls.anchors.as_ref().map(TrustAnchors::certificates).unwrap_or_default();
    let cas = load::sourced(
        anchors,
        &files.cas,
        "--upstream-ca",
        |file| {
            let anchors = client_files::trust_anchors(file, "--upstream-ca", now);
            anchors.map(|anchors| anchors.certificates().to_vec()).unwrap_or_default()
        },
        |one, other| one == other,
    );
    for (subject, ca) in &cas {
        findings.extend(of_ca(ca, subject, now));
    }
    if let Some((file, identity)) = files.identity.as_ref().zip(tls.identity.as_ref()) {
        findings.extend(of_identity(file, identity, now));
    }
    findings
}

fn of_ca(ca: &Certificate, subject: &Subject, now: SystemTime) -> Vec<Finding> {
    let mut findings = vec![certificate::dates(ca, subject, now), certificate::key(ca, subject)];
    findings.extend(certificate::issuing(ca, subject, "servers"));
    findings
}

/// Who we are to upstreams that ask.
fn of_identity(file: &IdentityFile, identity: &Identity, now: SystemTime) -> Vec<Finding> {
    let subject = Subject::certificate_of(file);
    let leaf = identity.leaf();
    let mut findings = Vec::new();
    for link in identity.chain() {
        findings.push(certificate::key(link, &subject));
        findings.push(certificate::dates(link, &subject, now));
        findings.extend(certificate::signature(link, &subject));
    }
    if !leaf.allows_client_auth() {
        let name = called(leaf.subject());
        let text = format!(
            "\"{name}\" is not for clients, by its extended key usages: upstreams refuse it"
        );
        findings.push(
            Finding::warning("not-for-clients", &subject, text)
                .fix("have it issued with extendedKeyUsage=clientAuth"),
        );
    }
    findings.extend(identity::secret(file));
    findings
}
