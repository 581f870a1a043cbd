//! Requests and verifies client certificates.

use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Name, X509PurposeId};
use turnkey_backend::{BuildError, ClientPolicy, TrustAnchors};

use crate::again::Again;
use crate::context::SECURITY_LEVEL;
use crate::verify::Judge;

/// Makes `builder` request and verify client certificates, by `policy`. The result verifies clients again later;
/// `None` if they are not asked.
pub(crate) fn set(
    builder: &mut SslContextBuilder,
    policy: &ClientPolicy,
) -> Result<Option<Again>, BuildError> {
    let Some(trust) = policy.trust() else {
        builder.set_verify(SslVerifyMode::NONE);
        return Ok(None);
    };
    let mut mode = SslVerifyMode::PEER;
    mode.set(SslVerifyMode::FAIL_IF_NO_PEER_CERT, policy.is_required());
    builder.set_client_ca_list(names(trust.anchors()).map_err(client_ca)?);
    let anchors = store(trust.anchors()).map_err(client_ca)?;
    builder.set_verify_cert_store(anchors).map_err(client_ca)?;
    let judge = Arc::new(Judge::new(trust)?);
    Arc::clone(&judge).set(builder, mode);
    let anchors = store(trust.anchors()).map_err(client_ca)?;
    Ok(Some(Again { anchors, judge }))
}

/// The names of CAs that are sent to clients.
fn names(anchors: &TrustAnchors) -> Result<Stack<X509Name>, ErrorStack> {
    let mut names = Stack::new()?;
    for anchor in anchors.certificates() {
        names.push(X509::from_der(anchor.der())?.subject_name().to_owned()?)?;
    }
    Ok(names)
}

/// Accepts certificates that `anchors` issued. An intermediate among them is an anchor too, as with rustls.
fn store(anchors: &TrustAnchors) -> Result<X509Store, ErrorStack> {
    // A handshake sets both itself. Outside of a handshake they must be set here.
    let mut param = X509VerifyParam::new()?;
    param.set_purpose(X509PurposeId::SSL_CLIENT)?;
    param.set_auth_level(SECURITY_LEVEL.cast_signed());
    let mut store = X509StoreBuilder::new()?;
    store.set_param(&param)?;
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    for anchor in anchors.certificates() {
        store.add_cert(X509::from_der(anchor.der())?)?;
    }
    Ok(store.build())
}

fn client_ca(error: ErrorStack) -> BuildError {
    BuildError::ClientCa(error.into())
}
