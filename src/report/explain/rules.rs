//! Clients that the operator's rules reject.

use turnkey_backend::{AllowedIssuers, Certificate, Fault};

use super::text::{Context, short};
use crate::common::setting_names::SettingNames;

/// Which rule rejects `certificate`, which is called `who`, and what to do. `None` for a fault that is not about
/// these rules.
pub(super) fn line(
    fault: &Fault,
    who: &str,
    certificate: &Certificate,
    context: &Context<'_>,
    names: &SettingNames,
) -> Option<String> {
    match fault {
        Fault::NotAllowed => {
            Some(format!("no rule lets in {who}; add {} if it should be", names.allow_rules))
        }
        Fault::IssuerNotAllowed => Some(issuer(who, certificate, context, names.allow_issuers)),
        _ => None,
    }
}

fn issuer(who: &str, certificate: &Certificate, context: &Context<'_>, option: &str) -> String {
    let issuer = certificate.issuer();
    let allowed = context.serving.clients.trust().and_then(|trust| trust.issuers());
    let mut allowed = allowed.into_iter().flat_map(AllowedIssuers::certificates);
    let shown = short(issuer);
    if allowed.any(|ca| ca.subject() == issuer) {
        return format!(
            "{who} is issued by another CA of the name \"{shown}\" than the one in {option}: its \
             key is another; was the CA made anew? then give its new certificate, but first make sure that it \
             is not another CA under this name"
        );
    }
    format!(
        "{who} is issued by \"{shown}\", which no {option} names; add that CA's certificate with \
         {option} if its clients should be let in"
    )
}
