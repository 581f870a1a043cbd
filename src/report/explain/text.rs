use std::borrow::Cow;
use std::time::SystemTime;

use turnkey_backend::time::{distance, utc};
use turnkey_backend::{
    Alert, Certificate, Common, Fault, HandshakeError, Identities, Identity, Refused,
};

use super::{Event, issuer, path_rules, rules};
use crate::common::address::LocalAddr;
use crate::common::causes::with_causes;
use crate::common::setting_names::SettingNames;
use crate::common::units::seconds;
use crate::mode;
use crate::mode::current::{Denied, Serving};

/// What the lines need besides the event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) serving: &'c Serving,
    /// The address that the client reached.
    pub(crate) local: &'c LocalAddr,
    pub(crate) now: SystemTime,
}

/// What happened, who decided it, and what to do.
pub(super) fn line(event: &Event<'_>, context: &Context<'_>, names: &SettingNames) -> String {
    match event {
        Event::Handshake(error) => handshake(error, context, names),
        Event::TimedOut(limits) => format!(
            "closed: the handshake was not complete within {} ({})",
            seconds(limits.handshake_timeout),
            names.handshake_timeout
        ),
        Event::PlainHttp => format!(
            "refused: spoke plain HTTP on the port for HTTPS; the client was told to use \
             https://{}/",
            context.local.authority()
        ),
        Event::TlsOnPlain => format!(
            "refused: began a TLS handshake on the port for plain HTTP; use http://{}/, or a port for \
             HTTPS ({} make one)",
            context.local.authority(),
            names.identity
        ),
        Event::NotAllowed(Denied::WithoutCertificate) => format!(
            "answered with 403: the client sent no certificate, and {} is off; it needs \
             one issued by {} (curl: --cert and --key)",
            names.allow_anonymous,
            cas(context)
        ),
        Event::NotAllowed(Denied::ByRule { certificate, fault }) => {
            let who = format!("the client certificate \"{}\"", short(certificate.subject()));
            let why = rules::line(fault, &who, certificate, context, names);
            format!("answered with 403: {}", why.unwrap_or(who))
        }
        Event::NoLonger(error) => {
            let why = handshake(error, context, names);
            format!("no longer let in: {}", why.strip_prefix("refused: ").unwrap_or(&why))
        }
        Event::ProxyHeader(what) => format!("closed: {what}"),
        Event::Left => "left without a word".to_owned(),
    }
}

fn handshake(error: &HandshakeError, context: &Context<'_>, names: &SettingNames) -> String {
    match error {
        HandshakeError::NoClientCertificate => format!(
            "refused: the client sent no certificate, and one is required; it needs one issued by \
             {} (curl: --cert and --key)",
            cas(context)
        ),
        HandshakeError::ClientCertificate(refused) => refusal(refused, context, names),
        HandshakeError::Alert { alert, shown } => left(*alert, shown.as_ref(), context),
        HandshakeError::NothingInCommon(Common::Version) => format!(
            "refused: the client offers no TLS version that is served here{}; update the client",
            context.serving.versions.map(|versions| format!(" ({versions})")).unwrap_or_default()
        ),
        HandshakeError::NothingInCommon(Common::Protocol) => {
            "refused: the client wants to speak another protocol than HTTP/1.1 over TLS (ALPN), \
             HTTP/2 alone for example; allow it HTTP/1.1 too"
                .to_owned()
        }
        HandshakeError::NothingInCommon(_) => {
            "refused: the client offers no cipher suite, group or signature scheme that is served \
             here; update the client"
                .to_owned()
        }
        HandshakeError::NotTls => {
            "refused: what the client sent is neither TLS nor HTTP; is it meant for another port?"
                .to_owned()
        }
        HandshakeError::Io(_) => {
            "the client left in the middle of the handshake, without saying why; its own message \
             may"
            .to_owned()
        }
        other => format!("refused: {}", with_causes(other)),
    }
}

/// The server rejects the client's certificate.
fn refusal(refused: &Refused, context: &Context<'_>, names: &SettingNames) -> String {
    let client_crls = names.client_crls;
    let culprit = refused.culprit();
    let (who, whose) = named(refused);
    let now = context.now;
    match refused.fault() {
        Fault::UnknownIssuer => issuer::unknown(&who, culprit, context, names.client_cas),
        Fault::Expired => format!(
            "refused: {who} expired on {}, {} ago (it is now {}); renew it",
            utc(culprit.not_after()),
            distance(culprit.not_after(), now),
            utc(now)
        ),
        Fault::NotYetValid => format!(
            "refused: {who} is not valid before {}, in {} (it is now {}); is the clock right, here \
             and where it was issued?",
            utc(culprit.not_before()),
            distance(now, culprit.not_before()),
            utc(now)
        ),
        Fault::Revoked => format!(
            "refused: {who} (serial {}) is revoked by \"{}\"; the client needs a new one",
            short(culprit.serial()),
            short(culprit.issuer())
        ),
        Fault::NotForClients => format!(
            "refused: {who} is not for the authentication of clients; issue one with the extended \
             key usage clientAuth"
        ),
        Fault::IsCa => {
            format!("refused: {who} is the certificate of a CA, not of a client; issue one with it")
        }
        Fault::BadSignature => format!(
            "refused: a signature of {who} is wrong: it was not made by the CA that {whose} names, \
             or the client does not have the key"
        ),
        Fault::OldVersion => old_version(&who, culprit, context, names.backend),
        Fault::NoRevocationList { issuer } => format!(
            "refused: whether {who} is revoked cannot be told: there is no revocation list of \
             \"{}\"; add it with {client_crls}",
            short(issuer)
        ),
        Fault::RevocationListExpired { issuer, next_update } => {
            let since =
                next_update.map(|next| format!(" on {}, {} ago", utc(next), distance(next, now)));
            format!(
                "refused: whether {who} is revoked cannot be told: the revocation list of \
                 \"{}\" expired{}; get the CA's new one ({client_crls})",
                short(issuer),
                since.unwrap_or_default()
            )
        }
        other => {
            let by_rule =
                || Some(format!("refused: {}", rules::line(other, &who, culprit, context, names)?));
            let line = path_rules::line(other, &who).or_else(by_rule);
            line.unwrap_or_else(|| format!("refused: {who}: {other}"))
        }
    }
}

/// The certificate at fault: its full name, and a short form for later use.
fn named(refused: &Refused) -> (String, String) {
    let (culprit, certificate) = (refused.culprit(), refused.certificate());
    let subject = short(certificate.subject());
    if culprit == certificate {
        return (format!("the client certificate \"{subject}\""), "it".to_owned());
    }
    let name = short(culprit.subject());
    let who = format!("\"{name}\", which the client certificate \"{subject}\" stands on,");
    (who, format!("\"{name}\""))
}

fn old_version(who: &str, culprit: &Certificate, context: &Context<'_>, setting: &str) -> String {
    let able: Vec<_> = mode::x509_v1_takers().map(|name| format!("{setting} {name}")).collect();
    let serve = match &able[..] {
        [] => String::new(),
        able => format!("serve with {}, or ", able.join(" or ")),
    };
    format!(
        "refused: {who} is of X.509 version {}, which {} does not accept; {serve}have it \
         issued with version 3 (turnkey certs does; openssl x509 -req does with -extfile)",
        culprit.version(),
        context.serving.name,
    )
}

/// The client ended the handshake with an alert.
fn left(alert: Alert, shown: Option<&Certificate>, context: &Context<'_>) -> String {
    let identities = context.serving.identities.iter().flat_map(Identities::all);
    let identity = identities
        .clone()
        .find(|identity| Some(identity.leaf()) == shown)
        .or_else(|| identities.clone().next());
    let Some(identity) = identity else {
        return format!("the client ended the handshake: {alert}");
    };
    let ours = identity.leaf();
    // The client must know the issuer of the last certificate that the server sends.
    let top = identity.chain().last().unwrap_or(ours);
    let subject = ours.subject();
    let refused = format!("the client refused our certificate \"{subject}\"");
    match alert.name() {
        Some("unknown_ca") => format!(
            "{refused}: it does not trust \"{}\", which signed it ({alert}); give the client that \
             CA's certificate (curl: --cacert)",
            top.issuer()
        ),
        Some("bad_certificate") => format!(
            "{refused} ({alert}): it called the server by a name that is not in it (good for {}), or \
             does not trust it, or by its clock it is not valid yet; its own message says which",
            names(ours)
        ),
        Some("certificate_expired") => {
            format!("{refused}{}", of_date(alert, identity, context.now))
        }
        Some("certificate_unknown") => format!(
            "{refused} ({alert}): it does not trust the CA \"{}\", or called the server by a name \
             that is not in it (good for {}), or finds it out of date or not for servers",
            top.issuer(),
            names(ours)
        ),
        Some(
            "unsupported_certificate"
            | "certificate_revoked"
            | "access_denied"
            | "bad_certificate_status_response",
        ) => format!("{refused}: {alert}"),
        Some("protocol_version") => format!(
            "the client ended the handshake ({alert}): it takes no TLS version that is served \
             here{}",
            context.serving.versions.map(|versions| format!(" ({versions})")).unwrap_or_default()
        ),
        Some("handshake_failure" | "insufficient_security") => format!(
            "the client ended the handshake ({alert}): it takes no cipher that is served here"
        ),
        _ => format!("the client ended the handshake: {alert}"),
    }
}

/// Checks the claim of a client that the server's certificate is out of date.
fn of_date(alert: Alert, identity: &Identity, now: SystemTime) -> String {
    let ours = identity.leaf();
    match identity.chain().iter().find(|certificate| now > certificate.not_after()) {
        None => format!(
            " ({alert}): by the client's clock it is not valid, and by ours it is until {}; is the \
             client's clock right?",
            utc(ours.not_after())
        ),
        Some(expired) if expired == ours => {
            format!(": it expired on {} ({alert}); renew it", utc(ours.not_after()))
        }
        Some(expired) => format!(
            ": \"{}\", which comes with it, expired on {} ({alert}); get the CA's new one",
            expired.subject(),
            utc(expired.not_after())
        ),
    }
}

/// The CAs whose clients are accepted.
pub(super) fn cas(context: &Context<'_>) -> String {
    let Some(trust) = context.serving.clients.trust() else { return "nobody".to_owned() };
    list(trust.anchors().certificates().iter().map(|ca| format!("\"{}\"", ca.subject())))
}

/// The names that a certificate covers.
fn names(certificate: &Certificate) -> String {
    let names = certificate.subject_alt_names();
    if names.is_empty() {
        return "no name at all".to_owned();
    }
    list(names.iter().cloned())
}

/// How much of a name to show that anybody could have chosen, in characters.
const NAME: usize = 256;

/// The beginning of a name in a client's certificate, which may be very long. Many new names must fill neither the
/// memory nor the log.
pub(super) fn short(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", name.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(name),
    }
}

/// The first few items, to keep the line readable.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    const FEW: usize = 5;
    let more = items.len().saturating_sub(FEW);
    let text = items.take(FEW).collect::<Vec<_>>().join(", ");
    if more == 0 { text } else { format!("{text} and {more} more") }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::{Duration, UNIX_EPOCH};

    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa,
        KeyPair, date_time_ymd,
    };

    use super::*;
    use crate::mode::{Mode, Tls};

    /// The parameters of a certificate that is valid until the first of January of `year`.
    fn until(year: i32, name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 1, 1);
        params
    }

    fn ca_until(year: i32, name: &str) -> CertificateParams {
        let mut params = until(year, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// Serves with a leaf and an intermediate, which are valid until these years.
    fn serving(leaf: i32, between: i32, now: SystemTime) -> Serving {
        let key = || KeyPair::generate().unwrap();
        let root = CertifiedIssuer::self_signed(ca_until(2040, "root"), key()).unwrap();
        let between = ca_until(between, "between");
        let between = CertifiedIssuer::signed_by(between, key(), &root).unwrap();
        let own = key();
        let leaf = until(leaf, "server").signed_by(&own, &between).unwrap();
        let (chain, key) = (leaf.pem() + &between.pem(), own.serialize_pem());
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes(), None, now).unwrap();
        let mut serving = Mode::Http.build(&Tls::default()).unwrap().serving;
        serving.identities = Some(identity.into());
        serving
    }

    #[test]
    fn of_the_certificates_that_we_show_the_one_that_has_expired_is_named() {
        // 2026-01-01, and in May of the next year.
        let start = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let now = start + Duration::from_secs(500 * 86_400);
        let local = LocalAddr::Tcp((Ipv4Addr::LOCALHOST, 8443).into());
        let expired = "expired on 2027-01-01 00:00:00 UTC (alert certificate_expired (45))";
        for (leaf, between, told) in [
            (
                2030,
                2027,
                format!(": \"CN=between\", which comes with it, {expired}; get the CA's new one"),
            ),
            (2027, 2030, format!(": it {expired}; renew it")),
            (2027, 2027, format!(": it {expired}; renew it")),
            (
                2030,
                2031,
                " (alert certificate_expired (45)): by the client's clock it is not valid, and by \
                 ours it is until 2030-01-01 00:00:00 UTC; is the client's clock right?"
                    .to_owned(),
            ),
        ] {
            let serving = serving(leaf, between, start);
            let context = Context { serving: &serving, local: &local, now };
            let error = HandshakeError::from(Alert(45));
            let text = line(&Event::Handshake(&error), &context, &SettingNames::default());
            assert_eq!(text, format!("the client refused our certificate \"CN=server\"{told}"));
        }
    }
}
