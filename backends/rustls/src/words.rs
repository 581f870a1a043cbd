//! Errors of rustls and webpki in words for people: their own messages contain names of Rust types.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Display};
use std::io;

use rustls::server::VerifierBuilderError;
use rustls::{CertRevocationListError, CertificateError, Error, InconsistentKeys};
use turnkey_backend::Alert;

/// An error of rustls, in words for people.
#[derive(Debug)]
pub(crate) struct Worded(String);

impl Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Worded {}

impl From<&Error> for Worded {
    fn from(error: &Error) -> Self {
        Self(in_words(error))
    }
}

impl From<&VerifierBuilderError> for Worded {
    fn from(error: &VerifierBuilderError) -> Self {
        Self(match error {
            VerifierBuilderError::InvalidCrl(error) => list(error).to_owned(),
            _ => "no CA is given".to_owned(),
        })
    }
}

/// An I/O error of a TLS stream, with the error of rustls in it in words for people.
#[must_use]
pub fn io_in_words(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(inner) => io::Error::new(error.kind(), Worded::from(inner)),
        None => error,
    }
}

/// Why a certificate is not accepted. The text before it names the certificate.
#[must_use]
pub fn fault_in_words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        other => in_words(other),
    }
}

fn in_words(error: &Error) -> String {
    match error {
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a TLS message came out of turn".to_owned()
        }
        Error::InvalidMessage(what) => format!("a TLS message is malformed ({})", spelt(what)),
        Error::PeerIncompatible(what) => {
            format!("the other side lacks what TLS needs here ({})", spelt(what))
        }
        Error::PeerMisbehaved(what) => {
            format!("the other side broke the rules of TLS ({})", spelt(what))
        }
        Error::InvalidEncryptedClientHello(what) => {
            format!("the encrypted client hello failed ({})", spelt(what))
        }
        Error::AlertReceived(alert) => {
            format!("the other side ended it: {}", Alert(u8::from(*alert)))
        }
        Error::InvalidCertificate(error) => {
            format!("the certificate is not accepted: {}", certificate(error))
        }
        Error::InvalidCertRevocationList(error) => {
            format!("the revocation list is of no use: {}", list(error))
        }
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            "the private key does not belong to the certificate".to_owned()
        }
        Error::InconsistentKeys(_) => {
            "whether the private key belongs to the certificate cannot be told".to_owned()
        }
        Error::General(text) => plain(text),
        Error::Other(other) => plain(&other.to_string()),
        // The others have no parts, and their messages are words.
        other => plain(&other.to_string()),
    }
}

/// The fault of a certificate.
pub(crate) fn certificate(error: &CertificateError) -> String {
    use CertificateError as E;
    let text = match error {
        E::BadEncoding => "it is malformed",
        E::Expired | E::ExpiredContext { .. } => "it has expired",
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet",
        E::Revoked => "it is revoked",
        E::UnhandledCriticalExtension => UNKNOWN_EXTENSION,
        E::UnknownIssuer => "no trusted CA issued it",
        E::UnknownRevocationStatus => "no revocation list says whether it is revoked",
        E::ExpiredRevocationList | E::ExpiredRevocationListContext { .. } => {
            "the revocation list of its CA has expired"
        }
        E::BadSignature => "a signature is wrong",
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "a signature is of a kind that is not supported, with SHA-1 for example"
        }
        E::NotValidForName => "it is for another name",
        E::NotValidForNameContext { expected, presented } => {
            return for_another_name(&expected.to_str(), presented);
        }
        E::InvalidPurpose => "it is for another purpose (extended key usage)",
        E::InvalidPurposeContext { required, .. } => {
            return format!("it is not for {required} (extended key usage)");
        }
        E::InvalidOcspResponse => "its OCSP response is not valid",
        E::ApplicationVerificationFailure => "no rule allows it",
        E::Other(other) => webpki(&other.to_string()),
        _ => FAULTY,
    };
    text.to_owned()
}

const FAULTY: &str = "it breaks a rule for certificates (RFC 5280)";
const UNKNOWN_EXTENSION: &str = "a critical extension is not understood";

/// webpki's own errors, by name: their type is not accessible here.
fn webpki(name: &str) -> &'static str {
    match name {
        "CaUsedAsEndEntity" => "it is the certificate of a CA",
        "EndEntityUsedAsCa" => "what issued it is no CA",
        "NameConstraintViolation" => "a CA may not issue certificates for its names",
        "PathLenConstraintViolated" => "a CA may not have so many CAs below it",
        "UnsupportedCriticalExtension" => UNKNOWN_EXTENSION,
        "UnsupportedCertVersion" => "it is not X.509 version 3, which is all that rustls accepts",
        "MaximumPathDepthExceeded" => "its chain is too long",
        "MaximumPathBuildCallsExceeded"
        | "MaximumSignatureChecksExceeded"
        | "MaximumNameConstraintComparisonsExceeded" => "its chain takes too long to check",
        _ => FAULTY,
    }
}

fn for_another_name(expected: &str, presented: &[String]) -> String {
    // webpki writes them in Rust's `Debug` form: DnsName("a.test"), IpAddress(127.0.0.1).
    let names = presented.iter().filter_map(|name| {
        let (kind, name) = name.strip_suffix(')')?.split_once('(')?;
        ["DnsName", "IpAddress"].contains(&kind).then(|| name.trim_matches('"'))
    });
    match names.collect::<Vec<_>>().join(", ") {
        names if names.is_empty() => {
            format!("it is not for {expected}, and for no other name that clients go by")
        }
        names => format!("it is not for {expected}, but for {names}"),
    }
}

/// The fault of a revocation list.
pub(crate) fn list(error: &CertRevocationListError) -> &'static str {
    use CertRevocationListError as E;
    match error {
        E::BadSignature => "its signature is wrong",
        E::IssuerInvalidForCrl => "the CA may not sign any (key usage)",
        E::UnsupportedSignatureAlgorithmContext { .. }
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature is of a kind that is not supported, with SHA-1 for example"
        }
        E::InvalidCrlNumber => "its number is malformed",
        E::InvalidRevokedCertSerialNumber => "a serial number in it is malformed",
        E::ParseError => "it is malformed",
        E::UnsupportedCrlVersion => "it is not of version 2",
        E::UnsupportedCriticalExtension => UNKNOWN_EXTENSION,
        E::UnsupportedDeltaCrl => "it only has what is new since another list",
        E::UnsupportedIndirectCrl => "it is also about certificates of other CAs",
        E::UnsupportedRevocationReason => "it has a reason that is not understood",
        _ => "it breaks a rule for revocation lists (RFC 5280)",
    }
}

/// The name of an enum's variant as words: `SelectedInvalidPsk` is "selected invalid psk".
fn spelt(variant: &dyn Debug) -> String {
    let debug = format!("{variant:?}");
    let end = debug.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(debug.len());
    words_of(debug.get(..end).unwrap_or_default())
}

/// The text, with names of Rust types as words.
fn plain(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let name = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_name(name) { word.replace(name, &words_of(name)) } else { word.to_owned() }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether the word has capitals inside with small letters around them, unlike `OpenSSL` or `EdDSA`.
fn is_name(word: &str) -> bool {
    word.as_bytes().windows(3).any(|three| match three {
        [before, capital, after] => {
            before.is_ascii_lowercase()
                && capital.is_ascii_uppercase()
                && after.is_ascii_lowercase()
        }
        _ => false,
    })
}

fn words_of(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use rustls::{
        AlertDescription, ContentType, InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved,
    };

    use super::*;

    /// An error whose text is the name of a Rust type, like webpki's.
    #[derive(Debug)]
    struct Named(&'static str);

    impl Display for Named {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Named {}

    fn other(name: &'static str) -> OtherError {
        OtherError(Arc::new(Named(name)))
    }

    fn assert_told(cases: Vec<(Error, &str)>) {
        for (error, words) in cases {
            assert_eq!(in_words(&error), words);
            let io = io_in_words(io::Error::new(io::ErrorKind::InvalidData, error));
            assert_eq!((io.kind(), io.to_string().as_str()), (io::ErrorKind::InvalidData, words));
        }
    }

    #[test]
    fn errors_are_told_in_words() {
        assert_told(vec![
            (
                PeerMisbehaved::SelectedInvalidPsk.into(),
                "the other side broke the rules of TLS (selected invalid psk)",
            ),
            (
                InvalidMessage::MissingData("Certificate").into(),
                "a TLS message is malformed (missing data)",
            ),
            (
                PeerIncompatible::NullCompressionRequired.into(),
                "the other side lacks what TLS needs here (null compression required)",
            ),
            (
                Error::InappropriateMessage {
                    expect_types: vec![ContentType::Handshake],
                    got_type: ContentType::Alert,
                },
                "a TLS message came out of turn",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "the other side ended it: alert unknown_ca (48)",
            ),
            (
                Error::General("failed to parse RSA key: InvalidEncoding, not EdDSA".to_owned()),
                "failed to parse RSA key: invalid encoding, not EdDSA",
            ),
            (Error::Other(other("AnOddThing")), "an odd thing"),
            (Error::NoCertificatesPresented, "peer sent no certificates"),
        ]);
        let ours = io_in_words(io::Error::new(io::ErrorKind::UnexpectedEof, "cut"));
        assert_eq!((ours.kind(), ours.to_string().as_str()), (io::ErrorKind::UnexpectedEof, "cut"));
    }

    #[test]
    fn faults_of_certificates_and_lists_are_told_in_words() {
        use CertificateError as E;
        let name = || ServerName::try_from("a.test").unwrap();
        let presented = ["DnsName(\"b.test\")", "IpAddress(127.0.0.1)", "DirectoryName"];
        let presented = presented.map(str::to_owned).to_vec();
        for (fault, words) in [
            (E::UnknownIssuer, "no trusted CA issued it"),
            (
                E::Other(other("UnsupportedCertVersion")),
                "it is not X.509 version 3, which is all that rustls accepts",
            ),
            (E::Other(other("NewInALaterVersion")), FAULTY),
            (
                E::NotValidForNameContext { expected: name(), presented },
                "it is not for a.test, but for b.test, 127.0.0.1",
            ),
            (
                E::NotValidForNameContext { expected: name(), presented: Vec::new() },
                "it is not for a.test, and for no other name that clients go by",
            ),
        ] {
            assert_eq!(fault_in_words(&fault.clone().into()), words);
            let with_what = format!("the certificate is not accepted: {words}");
            assert_told(vec![(fault.into(), &with_what)]);
        }
        assert_told(vec![(
            CertRevocationListError::Other(other("InvalidCrlNumber")).into(),
            "the revocation list is of no use: it breaks a rule for revocation lists (RFC 5280)",
        )]);
    }

    #[test]
    fn lists_that_cannot_be_used_are_told_in_words() {
        let error = VerifierBuilderError::InvalidCrl(CertRevocationListError::UnsupportedDeltaCrl);
        let words = Worded::from(&error).to_string();
        assert_eq!(words, "it only has what is new since another list");
    }
}
