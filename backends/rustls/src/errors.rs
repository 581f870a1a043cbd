use std::io;

use rustls::{Error, InvalidMessage, PeerIncompatible};
use turnkey_backend::{Alert, Common, HandshakeError};

use crate::words::Worded;

/// Converts the error of a handshake that did not fail because of the client's certificate.
///
/// futures-rustls wraps the errors of rustls in I/O errors. Its other errors are the network's, or the end of the
/// stream.
pub(crate) fn handshake_error(error: io::Error) -> HandshakeError {
    match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
        Some(error) => of_rustls(error),
        None => HandshakeError::Io(error),
    }
}

fn of_rustls(error: &Error) -> HandshakeError {
    match error {
        Error::NoCertificatesPresented => HandshakeError::NoClientCertificate,
        Error::AlertReceived(alert) => Alert(u8::from(*alert)).into(),
        Error::NoApplicationProtocol => HandshakeError::NothingInCommon(Common::Protocol),
        Error::PeerIncompatible(what) => match lacking(what) {
            Some(common) => HandshakeError::NothingInCommon(common),
            None => HandshakeError::Tls(Worded::from(error).into()),
        },
        // The header of a record: neither the kind nor the version is one of TLS.
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => HandshakeError::NotTls,
        _ => HandshakeError::Tls(Worded::from(error).into()),
    }
}

fn lacking(what: &PeerIncompatible) -> Option<Common> {
    match what {
        PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::ServerDoesNotSupportTls12Or13
        // TLS 1.0 and 1.1 do not have this extension, and rustls checks it before the version.
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => Some(Common::Version),
        PeerIncompatible::NoCipherSuitesInCommon
        | PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
        | PeerIncompatible::NoEcPointFormatsInCommon
        | PeerIncompatible::UncompressedEcPointsRequired
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::EcPointsExtensionRequired => Some(Common::Cipher),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;

    fn told(error: Error) -> HandshakeError {
        handshake_error(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn alerts_keep_their_numbers() {
        for number in 0..=u8::MAX {
            let error = told(Error::AlertReceived(AlertDescription::from(number)));
            assert!(
                matches!(error, HandshakeError::Alert { alert: Alert(n), .. } if n == number),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_lacking_is_told() {
        use PeerIncompatible::*;
        for version in
            [Tls12NotOffered, Tls12NotOfferedOrEnabled, SupportedVersionsExtensionRequired]
        {
            let error = told(version.into());
            assert!(matches!(error, HandshakeError::NothingInCommon(Common::Version)), "{error}");
        }
        for cipher in [NoCipherSuitesInCommon, NoKxGroupsInCommon, NoSignatureSchemesInCommon] {
            let error = told(cipher.into());
            assert!(matches!(error, HandshakeError::NothingInCommon(Common::Cipher)), "{error}");
        }
        let error = told(NullCompressionRequired.into());
        assert!(matches!(error, HandshakeError::Tls(_)), "{error}");
    }

    #[test]
    fn what_is_unknown_keeps_its_cause() {
        let error = told(Error::General("an odd thing".into()));
        let cause = std::error::Error::source(&error).unwrap();
        assert!(matches!(error, HandshakeError::Tls(_)), "{error}");
        assert!(cause.to_string().contains("an odd thing"), "{cause}");
    }

    #[test]
    fn the_network_is_told_from_tls() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(handshake_error(reset), HandshakeError::Io(_)));
        let end = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert!(matches!(handshake_error(end), HandshakeError::Io(_)));
    }
}
