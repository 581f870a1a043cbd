//! Whether clients are asked for a certificate, and whose are good.

use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslVerifyMode};
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use turnkey_backend::{BuildError, ClientPolicy, TrustAnchors};

use crate::verify::Judge;

/// Makes `builder` ask for what `policy` wants, and check it.
pub(crate) fn set(
    builder: &mut SslContextBuilder,
    policy: &ClientPolicy,
) -> Result<(), BuildError> {
    let Some(trust) = policy.trust() else {
        builder.set_verify(SslVerifyMode::NONE);
        return Ok(());
    };
    let mut mode = SslVerifyMode::PEER;
    mode.set(SslVerifyMode::FAIL_IF_NO_PEER_CERT, policy.is_required());
    let store = set_anchors(builder, trust.anchors()).map_err(client_ca)?;
    builder.set_verify_cert_store(store.build()).map_err(client_ca)?;
    Judge::new(trust)?.set(builder, mode);
    Ok(())
}

/// Accepts what `anchors` issued, an intermediate among them counting as an anchor too, as it
/// does with rustls; and tells clients whose certificates are wanted.
fn set_anchors(
    builder: &mut SslContextBuilder,
    anchors: &TrustAnchors,
) -> Result<X509StoreBuilder, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    let mut names = Stack::new()?;
    for anchor in anchors.certificates() {
        let anchor = X509::from_der(anchor.der())?;
        names.push(anchor.subject_name().to_owned()?)?;
        store.add_cert(anchor)?;
    }
    builder.set_client_ca_list(names);
    Ok(store)
}

fn client_ca(error: ErrorStack) -> BuildError {
    BuildError::ClientCa(error.into())
}
