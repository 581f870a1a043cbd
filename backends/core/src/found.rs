use std::fmt;

use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::{Certificate, pem};

/// What a file contains instead of the expected content.
///
/// It prints as a clause that says what the file looks like and how to fix that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// PEM with a certificate, but nothing else of use.
    PemCertificate,
    /// PEM with a private key, but nothing else of use.
    PemPrivateKey,
    /// PEM with a public key.
    PemPublicKey,
    /// PEM with a certificate signing request.
    PemRequest,
    /// PEM with a PKCS#7 bundle of certificates (`.p7b`).
    PemPkcs7,
    /// PEM with a private key in the format of OpenSSH.
    OpenSshKey,
    /// PEM with a certificate revocation list.
    PemRevocationList,
    /// PEM with something else.
    OtherPem,
    /// A certificate in DER.
    DerCertificate,
    /// A private key in DER.
    DerPrivateKey,
    /// A public key in DER.
    DerPublicKey,
    /// A certificate signing request in DER.
    DerRequest,
    /// PKCS#12 (`.p12`, `.pfx`).
    Pkcs12,
    /// A key store of Java.
    JavaKeyStore,
    /// Text in UTF-16, as PowerShell's `>` writes it.
    Utf16,
    /// Anything else.
    Unknown,
}

impl Found {
    /// Guesses the content. Truncated or damaged content is [`Unknown`](Self::Unknown).
    pub(crate) fn in_bytes(bytes: &[u8]) -> Self {
        if let Some(label) = pem::first_label(bytes) {
            return Self::in_pem(&label);
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Self::Utf16;
        }
        if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
            return Self::JavaKeyStore;
        }
        if is_pkcs12(bytes) {
            Self::Pkcs12
        } else if Certificate::from_der(bytes).is_ok() {
            Self::DerCertificate
        } else if is_private_key(bytes) {
            Self::DerPrivateKey
        } else if X509CertificationRequest::from_der(bytes).is_ok() {
            Self::DerRequest
        } else if SubjectPublicKeyInfo::from_der(bytes).is_ok() {
            Self::DerPublicKey
        } else {
            Self::Unknown
        }
    }

    fn in_pem(label: &str) -> Self {
        match label {
            "OPENSSH PRIVATE KEY" => Self::OpenSshKey,
            "PKCS7" | "CMS" => Self::PemPkcs7,
            "X509 CRL" => Self::PemRevocationList,
            _ if pem::is_certificate(label) => Self::PemCertificate,
            _ if pem::is_private_key(label) => Self::PemPrivateKey,
            _ if label.ends_with("PUBLIC KEY") => Self::PemPublicKey,
            _ if label.ends_with("CERTIFICATE REQUEST") => Self::PemRequest,
            _ => Self::OtherPem,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PemCertificate => "it holds a certificate in PEM",
            Self::PemPrivateKey => "it holds a private key in PEM",
            Self::PemPublicKey => "it holds a public key in PEM, which is no use here",
            Self::PemRequest => {
                "it holds a certificate signing request; give the certificate that the CA made of it"
            }
            Self::PemPkcs7 => {
                "it holds PKCS#7; convert it: openssl pkcs7 -print_certs -in FILE -out FILE.pem"
            }
            Self::OpenSshKey => {
                "it holds a key of OpenSSH; convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY"
            }
            Self::PemRevocationList => "it holds a certificate revocation list in PEM",
            Self::OtherPem => "it holds PEM of another kind",
            Self::DerCertificate => {
                "it looks like a certificate in DER; \
                 convert it: openssl x509 -inform DER -in FILE -out FILE.pem"
            }
            Self::DerPrivateKey => {
                "it looks like a private key in DER; \
                 convert it: openssl pkey -inform DER -in FILE -out FILE.pem"
            }
            Self::DerPublicKey => "it looks like a public key in DER, which is no use here",
            Self::DerRequest => {
                "it looks like a certificate signing request in DER; \
                 give the certificate that the CA made of it"
            }
            Self::Pkcs12 => {
                "it looks like PKCS#12, which holds certificate and key together: \
                 give it as a PKCS#12 file"
            }
            Self::JavaKeyStore => {
                "it is a Java key store; convert it: keytool -importkeystore -srckeystore FILE \
                 -destkeystore NEW.p12 -deststoretype PKCS12"
            }
            Self::Utf16 => "it is text in UTF-16; save it as UTF-8 or ASCII",
            Self::Unknown => "what it holds is not known; is it the right file, and complete?",
        })
    }
}

fn is_private_key(der: &[u8]) -> bool {
    PrivateKeyInfoRef::from_der(der).is_ok()
        || EncryptedPrivateKeyInfoRef::from_der(der).is_ok()
        || pkcs1::RsaPrivateKeyRef::from_der(der).is_ok()
        || sec1::EcPrivateKey::from_der(der).is_ok()
}

/// Whether this is a PFX, complete or not: a sequence that begins with version 3 and a sequence that
/// begins with one of the content types of PKCS#7 (RFC 7292 §4). It may be BER of any length form.
pub(crate) fn is_pkcs12(bytes: &[u8]) -> bool {
    /// `id-data` is 1.2.840.113549.1.7.1, `id-signedData` …7.2.
    const PKCS7: [u8; 10] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    let Some(version) = inside_sequence(bytes) else { return false };
    let Some(safe) = version.strip_prefix(&[0x02, 0x01, 0x03]) else { return false };
    inside_sequence(safe).is_some_and(|safe| safe.starts_with(&PKCS7))
}

/// Whether a PFX has a MAC: a third element (RFC 7292 §4). `None` if it is not DER.
pub(crate) fn has_mac(pfx: &[u8]) -> Option<bool> {
    let pfx = AnyRef::from_der(pfx).ok().filter(|any| any.header().tag() == Tag::Sequence)?;
    let mut reader = SliceReader::new(pfx.value()).ok()?;
    u8::decode(&mut reader).ok()?;
    AnyRef::decode(&mut reader).ok()?;
    Some(!reader.is_finished())
}

/// The content of a sequence.
fn inside_sequence(bytes: &[u8]) -> Option<&[u8]> {
    let [0x30, length, rest @ ..] = bytes else { return None };
    // The long form counts the octets of the length; 0x80 is the indefinite form of BER.
    let more = if *length >= 0x80 { usize::from(length & 0x7f) } else { 0 };
    rest.get(more..)
}
