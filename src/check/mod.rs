//! Finds all problems in the options and files in one run: `turnkey check`. Start-up and reloads run the same
//! checks.
//!
//! [`run`] reads on where start-up stops at the first error. It then [inspects](inspect) what it has, builds
//! the backends, and does handshakes with the chosen one. Errors are the problems that keep the server from
//! starting, and only those.

mod backends;
mod certificate;
mod chain;
mod clients;
#[cfg(feature = "rustls")]
mod handshake;
mod human;
mod identity;
mod issuers;
mod json;
mod names;
mod options;
mod permissions;
mod report;
mod staple;
mod upstream;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey::backend::Built;
use turnkey::tls::{Certificate, Identity};
use turnkey::{Mode, Tls};

use self::report::{Handshake, Report};
use crate::config::Config;
use crate::config::files::beside::known_client;
use crate::config::files::{Finding, LoadedFiles, Material, Severity};
use crate::console::colour::Colours;

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Checked {
    /// For stdout: lines for people, or JSON.
    pub(crate) text: String,
    /// Whether the server would start.
    pub(crate) ok: bool,
}

/// Checks everything that `config` names, and serves nothing.
pub(crate) fn run(config: &Config, json: bool, now: SystemTime) -> Checked {
    let elsewhere = options::elsewhere(&config.listen);
    let mut report = Report {
        mode: config.mode.name(),
        backend: None,
        backends: Vec::new(),
        findings: options::inspect(config),
        identities: Vec::new(),
        handshake: Handshake::LeftOut("there is none in http mode"),
        elsewhere: elsewhere.as_ref().map(|(host, _)| host.clone()),
    };
    report.findings.extend(elsewhere.map(|(_, finding)| finding));
    let loaded = config.load_all(now);
    report.findings.extend(inspect(config, &loaded, now));
    if let (Some(upstreams), Some(tls)) = (&config.upstreams, &loaded.upstream) {
        report.findings.extend(upstream::try_out(upstreams, tls, config.backend()));
    }
    match &loaded.own {
        Some(material) => with_tls(&mut report, material),
        None => drop(build(&mut report, Mode::Http, &Tls::default())),
    }
    let text = if json {
        json::text(&report, now)
    } else {
        human::text(&report, Colours::of(&io::stdout()))
    };
    Checked { text, ok: report.is_ok() }
}

/// What start-up serves with, and its warnings; or the first error.
pub(crate) fn at_start(
    config: &Config,
    now: SystemTime,
) -> Result<(LoadedFiles<'_>, Vec<Finding>), Finding> {
    let loaded = config.load(now)?;
    let mut findings = options::inspect(config);
    findings.extend(inspect(config, &loaded, now));
    Ok((loaded, warnings(findings)?))
}

/// The same for a reload, which does not check the options again.
pub(crate) fn load(
    config: &Config,
    now: SystemTime,
) -> Result<(LoadedFiles<'_>, Vec<Finding>), Finding> {
    let loaded = config.load(now)?;
    let warnings = warnings(inspect(config, &loaded, now))?;
    Ok((loaded, warnings))
}

/// The warnings among the findings, unless there is an error.
fn warnings(mut findings: Vec<Finding>) -> Result<Vec<Finding>, Finding> {
    findings.retain(|finding| finding.severity >= Severity::Warning);
    match findings.iter().position(|finding| finding.severity == Severity::Error) {
        Some(at) => Err(findings.swap_remove(at)),
        None => Ok(findings),
    }
}

/// Checks what was read, and how it fits together.
fn inspect(config: &Config, loaded: &LoadedFiles<'_>, now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(material) = &loaded.own {
        findings.extend(of_own(material, &config.listen.host, now));
    }
    if let Some(upstream) = &loaded.upstream {
        findings.extend(upstream::inspect(upstream, now));
    }
    if config.is_reloadable() {
        findings.extend(permissions::of_secrets(config));
    }
    // Reading has already reported an identity that is out of date.
    findings.retain(|f| loaded.found.iter().all(|found| !found.says_the_same_as(f)));
    loaded.found.iter().cloned().chain(findings).collect()
}

/// Checks the files for the server's own TLS.
fn of_own(material: &Material<'_>, host: &str, now: SystemTime) -> Vec<Finding> {
    let Material { sources, identities, unusable, clients, ticket_key: _ } = material;
    let trusted = trusted(material);
    let mut findings = Vec::new();
    for one in identities {
        findings.extend(identity::inspect(one, &trusted, now));
    }
    for one in unusable {
        findings.extend(identity::inspect_unusable(one, now));
    }
    findings.extend(names::of_several(identities));
    findings.extend(names::of_host(identities, host));
    findings.extend(staple::inspect(identities, &sources.ocsp, now));
    findings.extend(clients.iter().flat_map(|clients| clients::inspect(clients, now)));
    findings
}

/// The CAs that are known to be useful here.
fn trusted(material: &Material<'_>) -> Vec<Certificate> {
    let cas = material.clients.iter().flat_map(|clients| &clients.cas);
    cas.map(|(_, ca)| ca.clone()).collect()
}

/// The part of a check that is about the server's own TLS; it needs all files to be good.
fn with_tls(report: &mut Report, material: &Material<'_>) {
    let served = material.identities.iter();
    report.identities = served
        .map(|one| (one.certificate_file().map(Path::to_owned), one.identity.clone()))
        .collect();
    report.handshake = Handshake::LeftOut("there are errors");
    if !report.is_ok() {
        return;
    }
    let client = known_client(material);
    let (mode, choice) = match material.mode() {
        Ok(chosen) => chosen,
        Err(error) => return report.findings.push(error),
    };
    report.backends = backends::survey(&mode, &choice);
    report.findings.extend(backends::findings(&report.backends));
    if let Some(built) = build(report, mode, &choice) {
        let old = client.as_ref().filter(|_| !built.capabilities().x509_v1);
        report.findings.extend(old.and_then(|(file, client)| clients::too_old(file, client)));
        shake_hands(report, &built, material, client.as_ref());
    }
}

/// Builds the chosen backend.
fn build(report: &mut Report, mode: Mode, choice: &Tls) -> Option<Built> {
    match backends::build(mode, choice, &report.backends) {
        Ok((built, finding)) => {
            report.findings.push(finding);
            report.backend = Some(built.capabilities().name.to_owned());
            Some(built)
        }
        Err(finding) => {
            report.findings.push(finding);
            None
        }
    }
}

#[cfg(feature = "rustls")]
fn shake_hands(
    report: &mut Report,
    built: &Built,
    material: &Material<'_>,
    client: Option<&(PathBuf, Identity)>,
) {
    let (served, trusted) = (&material.identities, trusted(material));
    report.handshake =
        handshake::try_out(built.into(), served, client, &trusted, &mut report.findings);
}

/// Without rustls there is no client for the handshakes.
#[cfg(not(feature = "rustls"))]
fn shake_hands(
    report: &mut Report,
    _built: &Built,
    _material: &Material<'_>,
    _client: Option<&(PathBuf, Identity)>,
) {
    let why = "no handshake was tried: the client for it takes the cargo feature rustls";
    report.handshake = Handshake::LeftOut(why);
    let subject = crate::config::files::Subject::option("--backend");
    report.findings.push(Finding::note("handshake-untried", &subject, why));
}
