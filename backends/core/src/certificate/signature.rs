use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

/// The signature algorithm of a certificate.
pub(super) struct SignatureFacts {
    /// OpenSSL's name, or the object identifier.
    pub(super) name: String,
    /// Whether its hash function is broken.
    pub(super) weak: bool,
}

impl SignatureFacts {
    pub(super) fn of(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let oid = algorithm.algorithm.to_id_string();
        let (name, weak) = match oid.as_str() {
            "1.2.840.113549.1.1.2" => ("md2WithRSAEncryption", true),
            "1.2.840.113549.1.1.3" => ("md4WithRSAEncryption", true),
            "1.2.840.113549.1.1.4" => ("md5WithRSAEncryption", true),
            "1.2.840.113549.1.1.5" => ("sha1WithRSAEncryption", true),
            "1.3.14.3.2.29" => ("sha1WithRSA", true),
            "1.2.840.10040.4.3" => ("dsaWithSHA1", true),
            "1.2.840.10045.4.1" => ("ecdsa-with-SHA1", true),
            "1.2.840.113549.1.1.10" => ("rsassaPss", has_weak_hash(algorithm)),
            "1.2.840.113549.1.1.14" => ("sha224WithRSAEncryption", false),
            "1.2.840.113549.1.1.11" => ("sha256WithRSAEncryption", false),
            "1.2.840.113549.1.1.12" => ("sha384WithRSAEncryption", false),
            "1.2.840.113549.1.1.13" => ("sha512WithRSAEncryption", false),
            "2.16.840.1.101.3.4.3.2" => ("dsa_with_SHA256", false),
            "1.2.840.10045.4.3.1" => ("ecdsa-with-SHA224", false),
            "1.2.840.10045.4.3.2" => ("ecdsa-with-SHA256", false),
            "1.2.840.10045.4.3.3" => ("ecdsa-with-SHA384", false),
            "1.2.840.10045.4.3.4" => ("ecdsa-with-SHA512", false),
            "1.3.101.112" => ("ED25519", false),
            "1.3.101.113" => ("ED448", false),
            other => (other, false),
        };
        Self { name: name.to_owned(), weak }
    }
}

/// Whether RSASSA-PSS is used with SHA-1, which is the default (RFC 4055 §3.1), or with MD5.
fn has_weak_hash(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    let parameters = algorithm.parameters().map(RsaSsaPssParams::try_from);
    let hash = parameters.and_then(|p| Some(p.ok()?.hash_algorithm_oid().to_id_string()));
    hash.is_none_or(|hash| matches!(hash.as_str(), "1.3.14.3.2.26" | "1.2.840.113549.2.5"))
}

#[cfg(test)]
mod tests {
    use x509_parser::asn1_rs::oid;

    use super::*;

    #[test]
    fn pss_without_parameters_is_pss_with_sha1() {
        let facts = SignatureFacts::of(&AlgorithmIdentifier {
            algorithm: oid!(1.2.840.113549.1.1.10),
            parameters: None,
        });
        assert_eq!(facts.name, "rsassaPss");
        assert!(facts.weak);
    }
}
