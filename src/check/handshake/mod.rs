//! Handshakes on loopback, between the chosen backend and a rustls client.

mod client;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use turnkey::backend::{Backend, Built};
use turnkey::tls::{Certificate, ClientPolicy, Identity};
use turnkey_rustls::io_in_words;

use self::client::Client;
use super::certificate::called;
use super::report::{Attempt, Handshake};
use crate::config::files::beside::{beside, rules_let_in};
use crate::config::files::{Finding, Served, Severity, Subject, read};

/// How long all handshakes together may take.
const LIMIT: Duration = Duration::from_secs(5);

/// The name of a server that has none to ask for.
const LOOPBACK: &str = "127.0.0.1";

/// The chosen backend, and the policy for its clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Serving<'s> {
    backend: &'s dyn Backend,
    clients: &'s ClientPolicy,
}

impl<'s> From<&'s Built> for Serving<'s> {
    fn from(built: &'s Built) -> Self {
        Self { backend: built.backend(), clients: built.clients() }
    }
}

/// Runs one handshake for each identity, and one without a client certificate if a client is known and the
/// policy asks for certificates.
///
/// `client` is a client of the policy, if one is known; `trusted` are CAs that may have issued the identities.
/// Adds the results to `findings`.
pub(super) fn try_out(
    serving: Serving<'_>,
    served: &[Served<'_>],
    client: Option<&(PathBuf, Identity)>,
    trusted: &[Certificate],
    findings: &mut Vec<Finding>,
) -> Handshake {
    let mut trial =
        Trial { serving, deadline: Instant::now() + LIMIT, findings, attempts: Vec::new() };
    for (index, one) in served.iter().enumerate() {
        trial.ask_for(index, one, client, trusted);
    }
    let asked = !serving.clients.is_none();
    match (client, served.first()) {
        (Some(_), Some(first)) if asked => trial.without_certificate(first),
        (None, _) if asked => trial.findings.push(Finding::note(
            "handshake-client-untried",
            &Subject::option("--client-ca"),
            "not tried with a client's certificate: none is known, as client.pem beside the file of \
             --client-ca would be, with its key",
        )),
        _ => {}
    }
    Handshake::Tried(trial.attempts)
}

struct Trial<'t> {
    serving: Serving<'t>,
    deadline: Instant,
    findings: &'t mut Vec<Finding>,
    attempts: Vec<Attempt>,
}

impl Trial<'_> {
    /// Asks for one identity by its name.
    fn ask_for(
        &mut self,
        index: usize,
        served: &Served<'_>,
        client: Option<&(PathBuf, Identity)>,
        trusted: &[Certificate],
    ) {
        let subject = served.subject();
        let Some(name) = name_of(served.identity.leaf(), index == 0) else {
            // Another check has already reported it.
            return;
        };
        let identity = client.map(|(_, identity)| identity);
        let Some(outcome) = self.shake(&name, identity, &subject) else { return };
        let asked_for = name.to_str().into_owned();
        if let Some(shown) = &outcome.shown {
            self.compare(&asked_for, shown, served, &subject);
            if let Some(anchor) = anchor(served, trusted)
                && let Err(error) = client::verify(shown, &anchor, &name)
            {
                self.refused_by_client(&asked_for, &anchor, &error, &subject);
            }
        }
        self.outcome(&asked_for, &outcome, client, &subject);
        self.attempts.push(outcome.attempt(asked_for, client.map(|(file, _)| file.clone())));
    }

    /// Tries a client without a certificate, which the policy may or may not let in.
    fn without_certificate(&mut self, first: &Served<'_>) {
        let subject = first.subject();
        let Some(name) = name_of(first.identity.leaf(), true) else { return };
        let Some(outcome) = self.shake(&name, None, &subject) else { return };
        let asked_for = name.to_str().into_owned();
        self.outcome(&asked_for, &outcome, None, &subject);
        self.attempts.push(outcome.attempt(asked_for, None));
    }

    fn shake(
        &mut self,
        name: &ServerName<'static>,
        identity: Option<&Identity>,
        subject: &Subject,
    ) -> Option<client::ClientHandshake> {
        let tried = if Instant::now() < self.deadline {
            Client::new(identity)
                .and_then(|client| client.shake_hands(self.serving, name, self.deadline))
                .map_err(|error| io_in_words(error).to_string())
        } else {
            Err(format!("there is no time left of {} seconds", LIMIT.as_secs()))
        };
        tried
            .map_err(|error| {
                let text = format!("{}: not tried: {error}", name.to_str());
                self.findings.push(Finding::note("handshake-untried", subject, text));
            })
            .ok()
    }

    /// Checks whether the server sent what was read, in the same order.
    fn compare(
        &mut self,
        name: &str,
        shown: &[Certificate],
        served: &Served<'_>,
        subject: &Subject,
    ) {
        if shown == served.identity.chain() {
            return;
        }
        let list = |chain: &[Certificate]| {
            let subjects: Vec<_> =
                chain.iter().map(|c| format!("\"{}\"", called(c.subject()))).collect();
            subjects.join(", ")
        };
        let text = format!(
            "{name}: the client is shown {} in place of {}",
            list(shown),
            list(served.identity.chain())
        );
        self.findings
            .push(Finding::warning("handshake-chain", subject, text).fix("try another --backend"));
    }

    /// Reports that a verifying client rejects the certificate. A warning that exists already is the cause.
    fn refused_by_client(
        &mut self,
        name: &str,
        anchor: &Certificate,
        error: &str,
        subject: &Subject,
    ) {
        let text = format!(
            "{name}: a client that trusts \"{}\" refuses the certificate: {error}",
            called(anchor.subject())
        );
        let warned = |f: &Finding| f.severity == Severity::Warning && f.subject == *subject;
        let finding = if self.findings.iter().any(warned) {
            Finding::note("handshake-refused", subject, text)
        } else {
            Finding::warning("handshake-refused", subject, text)
        };
        self.findings.push(finding);
    }

    fn outcome(
        &mut self,
        name: &str,
        outcome: &client::ClientHandshake,
        client: Option<&(PathBuf, Identity)>,
        subject: &Subject,
    ) {
        let policy = self.serving.clients;
        let who = match client {
            Some((file, _)) => format!("with {}", file.display()),
            None if policy.is_none() => String::new(),
            None => "without a certificate".to_owned(),
        };
        let who = format!("{name}{}{who}", if who.is_empty() { "" } else { ", " });
        let finding = match &outcome.refusal {
            None => {
                let not_allowed = client.filter(|(_, identity)| {
                    policy.trust().is_some_and(|trust| !rules_let_in(trust, identity.chain()))
                });
                match (not_allowed, client, policy) {
                    (Some(_), ..) => Finding::note(
                        "handshake-client-not-allowed",
                        subject,
                        format!("{who}: {}, and a 403 by the rules", outcome.negotiated()),
                    ),
                    // This should never happen, but must be reported.
                    (None, None, ClientPolicy::Required(_)) => Finding::error(
                        "handshake-lets-all-in",
                        subject,
                        format!("{who}: was let in, and should not have been"),
                    ),
                    (None, None, ClientPolicy::Optional(trust)) if !trust.allows_anonymous() => {
                        let text = format!("{who}: {}, and a 403", outcome.negotiated());
                        Finding::ok("handshake", subject, text)
                    }
                    _ => Finding::ok(
                        "handshake",
                        subject,
                        format!("{who}: {}", outcome.negotiated()),
                    ),
                }
            }
            Some(refusal) if client.is_none() && policy.is_required() && refusal.no_certificate => {
                Finding::ok(
                    "handshake-refuses",
                    subject,
                    format!("{who}: refused, as it should be"),
                )
            }
            Some(refusal) if client.is_some() && refusal.of_client => Finding::note(
                "handshake-client-refused",
                subject,
                format!("{who}: {}", refusal.text),
            ),
            Some(refusal) => Finding::warning(
                "handshake-failed",
                subject,
                format!("{who}: the handshake failed: {}", refusal.text),
            ),
        };
        self.findings.push(finding);
    }
}

/// The name that gets this certificate. With `first`, no name at all gets it too.
fn name_of(leaf: &Certificate, first: bool) -> Option<ServerName<'static>> {
    let alternatives = leaf.subject_alt_names().iter();
    let hosts = alternatives.filter_map(|name| name.strip_prefix("DNS:"));
    let hosts = hosts.map(|name| name.replacen('*', "www", 1));
    let names: Vec<_> = hosts.filter_map(|name| ServerName::try_from(name).ok()).collect();
    let address = || {
        let addresses = leaf.subject_alt_names().iter().filter_map(|name| name.strip_prefix("IP:"));
        addresses.chain([LOOPBACK]).find_map(|ip| ServerName::try_from(ip.to_owned()).ok())
    };
    names.into_iter().next().or_else(|| if first { address() } else { None })
}

/// The CA that a client must trust, as far as it is known: the root of the chain, the issuer of its end, or
/// that end itself.
fn anchor(served: &Served<'_>, trusted: &[Certificate]) -> Option<Certificate> {
    let links = served.identity.chain();
    let last = links.last()?;
    if last.is_self_signed() {
        return Some(last.clone());
    }
    let at = served.certificate_file().and_then(|file| beside(file, "ca.crt"));
    let known = at.as_deref().map(read::certificates).unwrap_or_default();
    let issuer = known.iter().chain(trusted).find(|ca| ca.issued(last));
    issuer.or((links.len() > 1).then_some(last)).cloned()
}
