//! Says what is wrong with what is to be served, all of it at once: `turnkey check`. Start-up and
//! reloads look at the same.
//!
//! [`run`] reads each file by itself, where start-up ends at the first that is no good, then
//! [inspects](inspect) what it has, builds the backends, and shakes hands with the one that would
//! serve. An error is what keeps the server from starting, and nothing else is.

mod backends;
mod certificate;
mod chain;
mod clients;
mod finding;
#[cfg(feature = "rustls")]
mod handshake;
mod human;
mod identity;
mod json;
mod load;
mod names;
mod options;
mod permissions;
mod report;
mod staple;
mod upstream;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey_backend::{Certificate, ClientTrust, Identity, RevocationList};

use self::clients::Sourced;
use self::finding::Subject;
pub(crate) use self::finding::{Finding, Severity};
use self::identity::Served;
use self::load::Loaded;
use self::report::{Handshake, Report};
use crate::beside::known_client;
use crate::client_files;
use crate::colour::Colours;
use crate::config::Config;
use crate::config_error::ConfigError;
use crate::contents::Contents;
use crate::current::Serving;
use crate::mode::{Built, Mode, TlsChoice};
use crate::sources::{Material, Sources};

/// What a check has to say.
#[derive(Debug)]
pub(crate) struct Checked {
    /// For stdout: lines for people, or JSON.
    pub(crate) text: String,
    /// Whether it would start.
    pub(crate) ok: bool,
}

/// Looks at all that `config` names, and serves nothing.
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
    report.findings.extend(upstream::check(config, now));
    match &config.sources {
        Some(sources) => with_tls(&mut report, sources, &config.listen.host, now),
        None => drop(build(&mut report, Mode::Http, &TlsChoice::default())),
    }
    let text = if json {
        json::text(&report, now)
    } else {
        human::text(&report, Colours::of(&io::stdout()))
    };
    Checked { text, ok: report.is_ok() }
}

/// What start-up has to say: warnings, and errors, which end it.
pub(crate) fn at_start(config: &Config, contents: &Contents, now: SystemTime) -> Vec<Finding> {
    let mut findings = options::inspect(config);
    findings.retain(is_trouble);
    findings.extend(of_contents(config, contents, now));
    findings
}

/// Reads all files of `sources`, which has to end well, and looks at what they hold: the mode, what is
/// asked of the TLS stack, and warnings.
pub(crate) fn load(
    sources: &Sources,
    host: &str,
    now: SystemTime,
) -> Result<(Mode, TlsChoice, Vec<Finding>), ConfigError> {
    let material = sources.load(now)?;
    let mut trouble = of_material(sources, &material, host, now);
    trouble.retain(is_trouble);
    if let Some(error) = trouble.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(ConfigError::Failed(error.to_string()));
    }
    let (mode, choice) = sources.mode(material)?;
    Ok((mode, choice, trouble))
}

/// What there is to say, at start-up or at a reload, of what was read: warnings and errors.
pub(crate) fn of_contents(config: &Config, contents: &Contents, now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some((sources, material)) = config.sources.as_ref().zip(contents.own.as_ref()) {
        findings.extend(of_material(sources, material, &config.listen.host, now));
    }
    if let Some((files, tls)) = config.upstream_files().zip(contents.upstream.as_ref()) {
        findings.extend(upstream::inspect(files, tls, now));
    }
    findings.retain(is_trouble);
    findings
}

/// What there is to say of what the server's own files held.
fn of_material(
    sources: &Sources,
    material: &Material,
    host: &str,
    now: SystemTime,
) -> Vec<Finding> {
    let files = sources.identities.iter().map(Some).chain([None]);
    let served = files.zip(&material.identities).map(|(file, identity)| Served { file, identity });
    let made_up = sources.made_up.as_ref().is_some_and(|made_up| made_up.clients.is_some());
    let option = if made_up { finding::MADE_UP } else { "--client-ca" };
    let no_files = Vec::new();
    let (ca_files, list_files) =
        sources.clients.as_ref().map_or((&no_files, &no_files), |c| (&c.cas, &c.crls));
    let trust = material.clients.trust();
    let cas = load::sourced(
        trust.map(|trust| trust.anchors().certificates()).unwrap_or_default(),
        ca_files,
        option,
        |file| {
            let anchors = client_files::trust_anchors(file, "--client-ca", now);
            anchors.map(|anchors| anchors.certificates().to_vec()).unwrap_or_default()
        },
        |one, other| one == other,
    );
    let lists = load::sourced(
        trust.map(ClientTrust::crls).unwrap_or_default(),
        list_files,
        "--client-crl",
        |file| client_files::revocation_lists(file).unwrap_or_default(),
        |one, other| one.der() == other.der(),
    );
    let read = Read { served: served.collect(), cas, lists, complete: true };
    let mut findings = inspect(sources, &read, host, now);
    findings.extend(material.unstapled.iter().map(staple::not_sent));
    findings
}

fn is_trouble(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}

/// What was read.
struct Read<'r> {
    served: Vec<Served<'r>>,
    cas: Vec<Sourced<Certificate>>,
    lists: Vec<Sourced<RevocationList>>,
    /// Whether these are all of the CAs and lists.
    complete: bool,
}

/// Looks at what was read, and how it goes together.
fn inspect(sources: &Sources, read: &Read<'_>, host: &str, now: SystemTime) -> Vec<Finding> {
    let Read { served, cas, lists, complete } = read;
    let trusted: Vec<Certificate> = cas.iter().map(|(_, ca)| ca.clone()).collect();
    let mut findings = Vec::new();
    for one in served {
        findings.extend(identity::inspect(one, &trusted, now));
    }
    findings.extend(names::of_several(served));
    findings.extend(names::of_host(served, host));
    findings.extend(staple::inspect(served, &sources.ocsp, now));
    findings.extend(permissions::of_sources(sources));
    if let Some(clients) = &sources.clients {
        findings.push(clients::policy(clients, cas.len(), lists.len()));
        findings.extend(clients::cas(cas, now));
        findings.extend(clients::lists(lists, cas, *complete, now));
    }
    findings
}

/// All of a check that there is only with TLS.
fn with_tls(report: &mut Report, sources: &Sources, host: &str, now: SystemTime) {
    let mut loaded = Loaded::new(sources, now);
    report.findings.append(&mut loaded.findings);
    let served = loaded.identities.iter();
    let read = Read {
        served: served.map(|(file, identity)| Served { file: *file, identity }).collect(),
        cas: loaded.cas.clone(),
        lists: loaded.lists.clone(),
        complete: loaded.clients_complete,
    };
    report.findings.extend(inspect(sources, &read, host, now));
    report.identities = read
        .served
        .iter()
        .map(|one| (one.subject().path().map(Path::to_owned), one.identity.clone()))
        .collect();
    report.handshake = Handshake::LeftOut("there are errors");
    if !report.is_ok() {
        return;
    }
    let material = loaded.material();
    let client = known_client(sources, &material);
    let (mode, choice) = match sources.mode(material) {
        Ok(chosen) => chosen,
        Err(error) => {
            let subject = Subject::option("--cert");
            return report.findings.push(load::of_config("identity", &error, &subject));
        }
    };
    report.backends = backends::survey(&mode, &choice);
    report.findings.extend(backends::findings(&report.backends));
    if let Some(built) = build(report, mode, &choice) {
        let old = client.as_ref().filter(|_| !built.capabilities.x509_v1);
        report.findings.extend(old.and_then(|(file, client)| clients::too_old(file, client)));
        shake_hands(report, &built.serving, &read, client.as_ref());
    }
}

/// Builds what would serve.
fn build(report: &mut Report, mode: Mode, choice: &TlsChoice) -> Option<Built> {
    match backends::build(mode, choice, &report.backends) {
        Ok((built, finding)) => {
            report.findings.push(finding);
            report.backend = Some(built.capabilities.name.to_owned());
            Some(built)
        }
        Err(finding) => {
            report.findings.extend(finding);
            None
        }
    }
}

#[cfg(feature = "rustls")]
fn shake_hands(
    report: &mut Report,
    serving: &Serving,
    read: &Read<'_>,
    client: Option<&(PathBuf, Identity)>,
) {
    let trusted: Vec<Certificate> = read.cas.iter().map(|(_, ca)| ca.clone()).collect();
    report.handshake =
        handshake::try_out(serving, &read.served, client, &trusted, &mut report.findings);
}

/// Without rustls there is no client to shake hands with.
#[cfg(not(feature = "rustls"))]
fn shake_hands(
    report: &mut Report,
    _serving: &Serving,
    _read: &Read<'_>,
    _client: Option<&(PathBuf, Identity)>,
) {
    let why = "no handshake was tried: the client for it takes the cargo feature rustls";
    report.handshake = Handshake::LeftOut(why);
    let subject = Subject::option("--backend");
    report.findings.push(Finding::note("handshake-untried", &subject, why));
}
