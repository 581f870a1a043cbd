//! Checks the files for TLS with upstreams.

use std::time::SystemTime;

use turnkey::tls::{BackendName, Identity};

use super::certificate::{self, called};
use super::identity;
use crate::config::files::{Finding, IdentityFile, Subject, UpstreamTls};
use crate::config::upstream_options::UpstreamOptions;
use crate::console::causes::with_causes;

/// Checks what was read.
pub(super) fn inspect(upstream: &UpstreamTls<'_>, now: SystemTime) -> Vec<Finding> {
    let cas = upstream.cas.iter();
    let mut findings: Vec<_> = cas.flat_map(|ca| certificate::ca(ca, "servers", now)).collect();
    if let Some((file, identity)) = upstream.identity_file.zip(upstream.config.identity.as_ref()) {
        findings.extend(of_identity(file, identity, now));
    }
    findings
}

/// Sets up TLS, if everything could be read.
pub(super) fn try_out(
    upstreams: &UpstreamOptions,
    tls: &UpstreamTls<'_>,
    backend: Option<BackendName>,
) -> Option<Finding> {
    let error = tls.complete.then(|| upstreams.proxy(backend, Some(&tls.config)).err())??;
    Some(Finding::error("upstream-tls", &Subject::option("--proxy"), with_causes(&error)))
}

/// Checks the identity for upstreams that ask for one.
fn of_identity(file: &IdentityFile, identity: &Identity, now: SystemTime) -> Vec<Finding> {
    let subject = file.subject();
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
