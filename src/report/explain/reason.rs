//! The table of reasons. The log's summary and the metrics use its words. A test compares it with
//! `backends/README.md` and `docs/ERRORS.md`.

use turnkey_backend::{Alert, Common, Fault, HandshakeError};

use super::Event;

/// Makes the enum and its table. A row has: the label in the metrics, the name in the summary, `result` in the
/// metrics, how lines in the log begin, the backends that can report it, and the causes in the words of the document.
macro_rules! reasons {
    ($($reason:ident $label:literal $name:literal $result:literal
        [$($begins:literal)+] $can:ident [$($cause:literal)+])+) => {
        /// The closed set of reasons.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Reason { $($reason),+ }

        impl Reason {
            /// All reasons, each at the index of its number.
            pub(crate) const ALL: &[Self] = &[$(Self::$reason),+];

            /// The label in the metrics.
            pub(crate) fn label(self) -> &'static str {
                match self { $(Self::$reason => $label),+ }
            }

            /// The name in the summary.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$reason => $name),+ }
            }

            /// The result of the handshake in the metrics: `completed`, `failed`, or `left` if it did not begin.
            pub(crate) fn result(self) -> &'static str {
                match self { $(Self::$reason => $result),+ }
            }

            /// The rows of the table in `backends/README.md`.
            #[cfg(test)]
            fn documented() -> Vec<String> {
                let mut rows = Vec::new();
                $(for cause in [$($cause),+] {
                    let begins = [$(concat!("`", $begins, "`")),+].join(" or ");
                    rows.push(format!("| {cause} | {begins} | `{}` | {} |", $label, tests::$can()));
                })+
                rows
            }
        }
    };
}

reasons! {
    NoCertificate "no_certificate" "no certificate" "failed" ["refused:"] verifying
        ["the client sent no certificate"]
    UnknownCa "unknown_ca" "unknown CA" "failed" ["refused:"] verifying
        ["its certificate is signed by a CA that is not trusted (which)" "it is self-signed"]
    Expired "expired" "expired" "failed" ["refused:"] verifying ["it has expired (both times)"]
    NotYetValid "not_yet_valid" "not yet valid" "failed" ["refused:"] verifying ["it is not valid yet (both times)"]
    Revoked "revoked" "revoked" "failed" ["refused:"] verifying ["it is revoked"]
    NoRevocationList "no_revocation_list" "no revocation list" "failed" ["refused:"] verifying
        ["there is no revocation list of its CA"]
    RevocationListExpired "revocation_list_expired" "revocation list expired" "failed" ["refused:"] verifying
        ["the revocation list of its CA has expired"]
    NotForClients "not_for_clients" "not for clients" "failed" ["refused:"] verifying
        ["it is not for the authentication of clients" "it is the certificate of a CA"]
    NotAllowed "not_allowed_by_rule" "not allowed by rule" "failed" ["refused:"] verifying
        ["no rule lets it in (checked in the handshake)"]
    Denied "denied_by_rule" "not allowed by rule" "completed" ["answered with 403:"] verifying
        ["no rule lets it in (checked after the handshake)"
         "the client sent none (checked after the handshake)"]
    NoLonger "no_longer_let_in" "no longer let in" "completed" ["no longer let in:"] verifying
        ["the client was let in, and would not be any more"]
    BadSignature "bad_signature" "bad signature" "failed" ["refused:"] verifying ["a signature is wrong"]
    BadCertificate "bad_certificate" "bad certificate" "failed" ["refused:"] verifying
        ["its key may not sign (key usage)" "the key of its CA may not sign certificates (key usage)"
         "there are more CAs below one than it allows (path length)"
         "a CA may not issue certificates for its name (name constraints)" "something else is wrong with it"]
    OursUnknownCa "our_ca_unknown_to_client" "our CA unknown to the client" "failed"
        ["the client refused our certificate"] every ["the client does not know the CA of ours"]
    OursBad "our_certificate_bad_for_client" "ours bad for the client" "failed"
        ["the client refused our certificate"] every ["the client wanted another name than ours is for"]
    OursExpired "our_certificate_expired_for_client" "ours expired for the client" "failed"
        ["the client refused our certificate"] every ["ours has expired for the client"]
    OursRefused "our_certificate_refused_by_client" "ours refused by the client" "failed"
        ["the client refused our certificate"] every ["the client refuses ours for another reason"]
    NoCommonVersion "no_common_version" "no common version" "failed"
        ["refused:" "the client ended the handshake"] every ["no TLS version in common"]
    NoCommonCipher "no_common_cipher" "no common cipher" "failed"
        ["refused:" "the client ended the handshake"] every
        ["no cipher suite, group or signature scheme in common"]
    NoCommonProtocol "no_common_application_protocol" "no common application protocol" "failed"
        ["refused:" "the client ended the handshake"] with_alpn ["no protocol over TLS in common (ALPN)"]
    ClientGaveUp "client_gave_up" "the client gave up" "failed"
        ["the client ended the handshake:"] every ["the client sent another alert"]
    PlainHttp "plain_http_on_tls_port" "plain HTTP on the TLS port" "failed" ["refused:"] every
        ["plain HTTP on the port for TLS"]
    TlsOnPlain "tls_on_plain_port" "TLS on the plain port" "failed" ["refused:"] none
        ["TLS on the port for plain HTTP"]
    ProxyHeader "no_good_proxy_header" "no good PROXY header" "failed" ["closed:"] every
        ["the PROXY header is missing or malformed"]
    NotTls "not_tls" "not TLS" "failed" ["refused:"] every ["neither TLS nor HTTP"]
    TimedOut "out_of_time" "out of time" "failed" ["closed:"] every ["the handshake ran out of time"]
    LeftMidway "left_midway" "left midway" "failed" ["the client left"] every
        ["the client left in the middle of the handshake"]
    Left "left_without_a_word" "left without a word" "left" ["left without a word"] every
        ["the client left without a word (counted only)"]
    Other "other" "other" "failed" ["refused:"] every ["anything else that the TLS stack reports"]
}

impl Reason {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let error = match event {
            Event::Handshake(error) => error,
            Event::TimedOut(_) => return Self::TimedOut,
            Event::PlainHttp => return Self::PlainHttp,
            Event::TlsOnPlain => return Self::TlsOnPlain,
            Event::NotAllowed(_) => return Self::Denied,
            Event::NoLonger(_) => return Self::NoLonger,
            Event::ProxyHeader(_) => return Self::ProxyHeader,
            Event::Left => return Self::Left,
        };
        match error {
            HandshakeError::Io(_) => Self::LeftMidway,
            HandshakeError::NoClientCertificate => Self::NoCertificate,
            HandshakeError::ClientCertificate(refused) => Self::of_fault(refused.fault()),
            HandshakeError::Alert { alert, .. } => Self::of_alert(*alert),
            HandshakeError::NothingInCommon(Common::Version) => Self::NoCommonVersion,
            HandshakeError::NothingInCommon(Common::Protocol) => Self::NoCommonProtocol,
            HandshakeError::NothingInCommon(_) => Self::NoCommonCipher,
            HandshakeError::NotTls => Self::NotTls,
            _ => Self::Other,
        }
    }

    fn of_fault(fault: &Fault) -> Self {
        match fault {
            Fault::UnknownIssuer => Self::UnknownCa,
            Fault::Expired => Self::Expired,
            Fault::NotYetValid => Self::NotYetValid,
            Fault::Revoked => Self::Revoked,
            Fault::NotForClients | Fault::IsCa => Self::NotForClients,
            Fault::NotAllowed | Fault::IssuerNotAllowed => Self::NotAllowed,
            Fault::BadSignature => Self::BadSignature,
            Fault::NoRevocationList { .. } => Self::NoRevocationList,
            Fault::RevocationListExpired { .. } => Self::RevocationListExpired,
            _ => Self::BadCertificate,
        }
    }

    /// What alerts of clients mean (RFC 8446 §6.2), if they are about our certificate.
    fn of_alert(alert: Alert) -> Self {
        match alert.name() {
            Some("unknown_ca") => Self::OursUnknownCa,
            Some("bad_certificate") => Self::OursBad,
            Some("certificate_expired") => Self::OursExpired,
            Some(
                "unsupported_certificate"
                | "certificate_revoked"
                | "certificate_unknown"
                | "access_denied"
                | "bad_certificate_status_response",
            ) => Self::OursRefused,
            Some("protocol_version") => Self::NoCommonVersion,
            Some("handshake_failure" | "insufficient_security") => Self::NoCommonCipher,
            Some("no_application_protocol") => Self::NoCommonProtocol,
            _ => Self::ClientGaveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use turnkey_backend::Capabilities;

    use super::*;
    use crate::mode::BackendName;

    /// The cell of a backend that is not compiled in.
    const UNKNOWN: &str = "?";

    /// The cells of the backends that can report a reason: those with a capability.
    fn cells(can: impl Fn(Capabilities) -> bool) -> String {
        let backends = [BackendName::NativeTls, BackendName::Rustls, BackendName::OpenSsl];
        let cell = |backend: BackendName| match backend.capabilities().map(&can) {
            Some(true) => "yes",
            Some(false) => "–",
            // It is not compiled in.
            None => UNKNOWN,
        };
        backends.map(cell).join(" | ")
    }

    pub(super) fn every() -> String {
        cells(|_| true)
    }

    pub(super) fn verifying() -> String {
        cells(|backend| backend.client_certificates)
    }

    pub(super) fn with_alpn() -> String {
        cells(|backend| backend.alpn)
    }

    pub(super) fn none() -> String {
        cells(|_| false)
    }

    #[test]
    fn the_page_of_the_backends_has_this_table() {
        let page = include_str!("../../../backends/README.md");
        let table = page.lines().skip_while(|line| !line.starts_with("| a connection failed"));
        let rows: Vec<_> = table.skip(2).take_while(|line| line.starts_with('|')).collect();
        let documented = Reason::documented();
        let same = |row: &str, documented: &str| {
            let cells = |row: &str| row.split(" | ").map(str::to_owned).collect::<Vec<_>>();
            let (row, documented) = (cells(row), cells(documented));
            let mut pairs = row.iter().zip(&documented);
            row.len() == documented.len() && pairs.all(|(a, b)| a == b || b.contains(UNKNOWN))
        };
        let all = rows.iter().zip(&documented).all(|(row, documented)| same(row, documented));
        let right = rows.len() == documented.len() && all;
        assert!(right, "put these rows there:\n{}", documented.join("\n"));
    }

    #[test]
    fn the_page_of_errors_has_the_names_of_the_summary() {
        let page = include_str!("../../../docs/ERRORS.md");
        let (_, list) = page.split_once("In this line the reasons are:").unwrap();
        let list = list.split("\n\n").next().unwrap();
        let listed: Vec<_> = list.split('`').skip(1).step_by(2).collect();
        let apart = [Reason::Denied, Reason::Left];
        let reasons = Reason::ALL.iter().filter(|reason| !apart.contains(reason));
        assert_eq!(listed, reasons.map(|reason| reason.name()).collect::<Vec<_>>());
    }
}
