use rustls::pki_types::SignatureVerificationAlgorithm;
use turnkey_backend::{Certificate, RevocationList};

/// Whether `list` is signed with the key of `ca`, by an algorithm that is accepted for certificates. webpki
/// verifies a list only while it looks for a path, and then uses the first list of a CA's name, without regard
/// to its key, age and scope.
pub(crate) fn is_signed(
    list: &RevocationList,
    ca: &Certificate,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<(), &'static str> {
    let (Some((data, algorithm, signature)), Some((kind, key))) =
        (list.signed_parts(), ca.public_key_parts())
    else {
        return Err("it is malformed");
    };
    let mut fitting = algorithms
        .iter()
        .filter(|one| *one.signature_alg_id() == *algorithm && *one.public_key_alg_id() == *kind)
        .peekable();
    if fitting.peek().is_none() {
        return Err(
            "its signature is of a kind that is not supported, with SHA-1 for example, or of \
                    another kind of key",
        );
    }
    if fitting.any(|one| one.verify_signature(key, data, signature).is_ok()) {
        Ok(())
    } else {
        Err("its signature is wrong")
    }
}
