use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, KeyUsage, ParsedExtension};

use super::Certificate;

/// What a certificate may be used for. A usage without a limit is allowed; an extension that cannot be parsed, or
/// occurs twice, allows nothing.
#[expect(clippy::struct_excessive_bools, reason = "each a bit of the certificate's")]
pub(super) struct Usages {
    server_auth: bool,
    client_auth: bool,
    sign: bool,
    agree: bool,
    netscape_client: bool,
    sign_certificates: bool,
    sign_crls: bool,
    limited: bool,
}

impl Usages {
    pub(super) fn of(x509: &X509Certificate<'_>) -> Self {
        let extended = x509.extended_key_usage();
        let purpose = |wanted: fn(&ExtendedKeyUsage<'_>) -> bool| match &extended {
            Ok(limit) => limit.as_ref().is_none_or(|limit| limit.value.any || wanted(limit.value)),
            Err(_) => false,
        };
        let usage = x509.key_usage();
        let key = |wanted: fn(&KeyUsage) -> bool| match &usage {
            Ok(limit) => limit.as_ref().is_none_or(|limit| wanted(limit.value)),
            Err(_) => false,
        };
        Self {
            server_auth: purpose(|purposes| purposes.server_auth),
            client_auth: purpose(|purposes| purposes.client_auth),
            sign: key(KeyUsage::digital_signature),
            netscape_client: netscape_client(x509),
            agree: key(KeyUsage::key_agreement),
            sign_certificates: key(KeyUsage::key_cert_sign),
            sign_crls: key(KeyUsage::crl_sign),
            limited: !matches!(usage, Ok(None)),
        }
    }
}

/// `sslClient` in Netscape's extension, which extended key usages have replaced.
fn netscape_client(x509: &X509Certificate<'_>) -> bool {
    x509.iter_extensions().all(|extension| match extension.parsed_extension() {
        ParsedExtension::NSCertType(kind) => kind.ssl_client(),
        _ => true,
    })
}

impl Certificate {
    /// Whether Netscape's certificate type, if there is one, names clients. OpenSSL still checks it.
    pub(crate) fn is_netscape_client(&self) -> bool {
        self.0.usages.netscape_client
    }

    /// Whether it is for the authentication of servers: its extended key usages name that or any,
    /// or there are none (RFC 5280 §4.2.1.12).
    #[must_use]
    pub fn allows_server_auth(&self) -> bool {
        self.0.usages.server_auth
    }

    /// Whether it is for the authentication of clients; see
    /// [`allows_server_auth`](Self::allows_server_auth).
    #[must_use]
    pub fn allows_client_auth(&self) -> bool {
        self.0.usages.client_auth
    }

    /// Whether its key may sign a TLS handshake: its key usages name `digitalSignature`, or there are
    /// none (RFC 5280 §4.2.1.3). TLS 1.3 and the secure suites of TLS 1.2 need it.
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.0.usages.sign
    }

    /// Whether a client may use its key in a handshake: `digitalSignature` or `keyAgreement`, or no key usages. Both
    /// are consistent with the authentication of clients (RFC 5280 §4.2.1.12).
    #[must_use]
    pub fn may_sign_or_agree(&self) -> bool {
        self.may_sign() || self.0.usages.agree
    }

    /// Whether its key may sign certificates: `keyCertSign`, or no key usages. Whether it is a CA is a separate
    /// question: see [`is_ca`](Self::is_ca).
    #[must_use]
    pub fn may_sign_certificates(&self) -> bool {
        self.0.usages.sign_certificates
    }

    /// Whether it may be a server's own certificate as well as a CA's: it is self-signed, and has no
    /// key usages. `openssl req -x509` makes such certificates for both.
    #[must_use]
    pub fn may_be_leaf_and_anchor(&self) -> bool {
        self.is_self_signed() && !self.0.usages.limited
    }

    /// Whether its key may sign revocation lists: `cRLSign`, or no key usages.
    #[must_use]
    pub fn may_sign_crls(&self) -> bool {
        self.0.usages.sign_crls
    }
}
