//! A client's certificate whose issuer is not trusted here.

use turnkey_backend::Certificate;

use super::Context;
use super::text::{cas, short};

/// The issuer of `culprit` is not trusted here. `setting` is the name of the setting for client CAs.
pub(super) fn unknown(
    who: &str,
    culprit: &Certificate,
    context: &Context<'_>,
    setting: &str,
) -> String {
    let issuer = short(culprit.issuer());
    if culprit.is_self_signed() {
        format!(
            "refused: {who} is self-signed, and not among the client CAs ({}); use a certificate \
             that one of them issued, or add this one's file with {setting} if it is a CA",
            cas(context)
        )
    } else if is_namesake(culprit, context) {
        format!(
            "refused: {who} is signed by another CA of the name \"{issuer}\" than the one in \
             {setting}; was the CA made anew? issue the client's certificate again"
        )
    } else {
        format!(
            "refused: {who} is signed by \"{issuer}\", which is not a client CA that is trusted here \
             ({}); add that CA with {setting}, or have the client send the certificates between",
            cas(context)
        )
    }
}

/// Whether a trusted CA has the same name as the issuer of `certificate`.
fn is_namesake(certificate: &Certificate, context: &Context<'_>) -> bool {
    let trusted = context.serving.clients.trust().map(|trust| trust.anchors().certificates());
    trusted.unwrap_or_default().iter().any(|ca| ca.subject() == certificate.issuer())
}
