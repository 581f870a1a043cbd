use x509_parser::error::X509Error;
use x509_parser::nom::Err;

/// An error of x509-parser in words for people: its own message is Rust's `Debug`.
pub(crate) fn in_words(error: &Err<X509Error>) -> String {
    let error = match error {
        Err::Incomplete(_) => return "it is cut off".to_owned(),
        Err::Error(error) | Err::Failure(error) => error,
    };
    match error {
        X509Error::Der(_) | X509Error::NomError(_) | X509Error::Generic => {
            "its DER encoding is damaged".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use x509_parser::nom::Needed;
    use x509_parser::nom::error::ErrorKind;

    use super::*;
    use crate::{Certificate, RevocationList};

    #[test]
    fn faults_are_told_in_words() {
        let damaged = "its DER encoding is damaged";
        for (error, words) in [
            (Err::Incomplete(Needed::Unknown), "it is cut off"),
            (Err::Error(X509Error::NomError(ErrorKind::Tag)), damaged),
            (Err::Failure(X509Error::InvalidVersion), "invalid version"),
            (Err::Error(X509Error::InvalidSPKI), "invalid X.509 Subject Public Key Info"),
        ] {
            assert_eq!(in_words(&error), words);
        }
        for bytes in [&b"\x02\x01\x01"[..], b"\x30\x03\x02\x01\x01", b"\x30\x82\x01"] {
            let error = Certificate::from_der(bytes).unwrap_err();
            let cause = error.source().unwrap().to_string();
            assert!(!cause.contains(['(', '{', ':']), "{cause}");
            let error = RevocationList::from_der(bytes).unwrap_err();
            let cause = error.source().unwrap().to_string();
            assert!(!cause.contains(['(', '{', ':']), "{cause}");
        }
    }
}
