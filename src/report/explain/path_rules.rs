use turnkey_backend::Fault;

/// What to do about a chain that breaks a path rule of RFC 5280. `who` is the certificate at fault.
pub(super) fn line(fault: &Fault, who: &str) -> Option<String> {
    Some(match fault {
        Fault::MayNotSign => format!(
            "refused: {who} has a key usage without digitalSignature, so its key may not sign the handshake; issue \
             one with digitalSignature"
        ),
        Fault::MayNotIssue => format!(
            "refused: {who} has a key usage without keyCertSign, so its key may not sign certificates; issue the \
             CA's certificate again with keyCertSign"
        ),
        Fault::TooManyCas => format!(
            "refused: {who} allows fewer CAs below it than there are (pathlen); have the client's certificate \
             issued by a CA higher up, or issue that CA's certificate again with a greater pathlen"
        ),
        Fault::NameNotPermitted => format!(
            "refused: {who} has a name that a CA above it may not issue certificates for (name constraints); issue \
             one without that name, or by another CA"
        ),
        _ => return None,
    })
}
