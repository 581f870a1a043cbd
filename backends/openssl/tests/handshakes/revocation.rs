//! Certificate revocation lists.

use rustls::AlertDescription;
use turnkey_backend::{
    ClientPolicy, ClientTrust, Fault, HandshakeError, RevocationList, TrustAnchors,
};

use crate::support::{Authority, Client, Config, Leaf, Profile, VERSIONS};

/// Two levels of CA, and a client of the lower one.
struct Chain {
    root: Authority,
    intermediate: Authority,
    leaf: Leaf,
}

impl Chain {
    fn new() -> Self {
        let root = Authority::root("Root");
        let intermediate = root.subordinate_with("Intermediate", 7);
        let leaf = intermediate.issue(&Profile::client("guest").serial(8)).and(&intermediate);
        Self { root, intermediate, leaf }
    }

    /// What comes of the client when the root is trusted.
    fn with(&self, lists: Vec<RevocationList>) -> Result<(), Fault> {
        self.under(self.root.anchors(), lists)
    }

    /// What comes of the client, and is the same in both versions of TLS, whether a certificate is
    /// required or not.
    fn under(&self, anchors: TrustAnchors, lists: Vec<RevocationList>) -> Result<(), Fault> {
        let trust = ClientTrust::new(anchors).revocation_lists(lists);
        let policies = [ClientPolicy::Required(trust.clone()), ClientPolicy::Optional(trust)];
        let mut outcomes = Vec::new();
        for policy in policies {
            let config = Config::new(self.root.server(&["localhost"]));
            let server = config.clients(policy).serve();
            for version in VERSIONS {
                let _ = Client::new(version).with(&self.leaf).connect(server.address);
                outcomes.push(match server.outcome() {
                    Ok(_) => Ok(()),
                    Err(HandshakeError::ClientCertificate(refused)) => Err(refused.fault().clone()),
                    Err(error) => panic!("{error:?}"),
                });
            }
        }
        outcomes.dedup();
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }
}

fn no_list_of(issuer: &str) -> Result<(), Fault> {
    Err(Fault::NoRevocationList { issuer: format!("CN={issuer}") })
}

fn expired(list: &RevocationList) -> Result<(), Fault> {
    let (issuer, next_update) = (list.issuer().to_owned(), list.next_update());
    assert!(next_update.is_some());
    Err(Fault::RevocationListExpired { issuer, next_update })
}

#[test]
fn a_chain_that_is_covered_and_not_revoked() {
    let Chain { root, intermediate, .. } = &Chain::new();
    let chain = Chain::new();
    assert_eq!(chain.with(vec![]), Ok(()));
    assert_eq!(chain.with(vec![chain.intermediate.revoke(&[]), chain.root.revoke(&[])]), Ok(()));
    assert_eq!(chain.with(vec![chain.root.revoke(&[9]), chain.intermediate.revoke(&[7])]), Ok(()));
    let list = chain.root.revoke(&[]);
    let twice = vec![list.clone(), chain.intermediate.revoke(&[]), list];
    assert_eq!(chain.with(twice), Ok(()), "the same twice");
    let others = [root.revoke(&[7, 8]), intermediate.revoke(&[7, 8])];
    let own = [chain.root.revoke(&[]), chain.intermediate.revoke(&[])];
    assert_eq!(chain.with([others, own].concat()), Ok(()), "others of the same names");
}

#[test]
fn what_is_revoked() {
    let chain = Chain::new();
    let (root, intermediate) = (&chain.root, &chain.intermediate);
    let lists = vec![intermediate.revoke(&[1, 8, 1000]), root.revoke(&[])];
    assert_eq!(chain.with(lists), Err(Fault::Revoked));
    let lists = vec![intermediate.revoke(&[]), root.revoke(&[7])];
    assert_eq!(chain.with(lists), Err(Fault::Revoked));
}

#[test]
fn the_client_hears_which() {
    let chain = Chain::new();
    for (lists, alert, culprit) in [
        (
            [chain.intermediate.revoke(&[8]), chain.root.revoke(&[])],
            AlertDescription::CertificateRevoked,
            "guest",
        ),
        (
            [chain.intermediate.revoke(&[]), chain.root.revoke(&[7])],
            AlertDescription::CertificateRevoked,
            "Intermediate",
        ),
        (
            [chain.intermediate.revoke(&[]), chain.root.expired_list()],
            AlertDescription::UnknownCA,
            "Intermediate",
        ),
        (
            [chain.intermediate.revoke(&[]), chain.intermediate.revoke(&[])],
            AlertDescription::UnknownCA,
            "Intermediate",
        ),
    ] {
        let trust = ClientTrust::new(chain.root.anchors()).revocation_lists(lists.to_vec());
        let config = Config::new(chain.root.server(&["localhost"]));
        let server = config.clients(ClientPolicy::Required(trust)).serve();
        for version in VERSIONS {
            let heard = Client::new(version).with(&chain.leaf).connect(server.address);
            assert_eq!(heard.unwrap_err(), rustls::Error::AlertReceived(alert));
            let error = server.outcome().unwrap_err();
            let HandshakeError::ClientCertificate(refused) = error else { panic!("{error:?}") };
            assert_eq!(refused.certificate().common_name(), Some("guest"));
            assert_eq!(refused.culprit().common_name(), Some(culprit));
        }
    }
}

#[test]
fn a_list_is_missing() {
    let chain = Chain::new();
    let (root, intermediate) = (&chain.root, &chain.intermediate);
    assert_eq!(chain.with(vec![root.revoke(&[])]), no_list_of("Intermediate"));
    assert_eq!(chain.with(vec![intermediate.revoke(&[])]), no_list_of("Root"));
    let other = Authority::root("Other").revoke(&[]);
    assert_eq!(chain.with(vec![other]), no_list_of("Intermediate"));
    // By the same names, and of other keys.
    let others = Chain::new();
    let lists = vec![others.root.revoke(&[]), others.intermediate.revoke(&[])];
    assert!(matches!(chain.with(lists), Err(Fault::Other(_))));
}

#[test]
fn a_list_has_expired() {
    let chain = Chain::new();
    let (root, intermediate) = (&chain.root, &chain.intermediate);
    let list = intermediate.expired_list();
    assert_eq!(chain.with(vec![list.clone(), root.revoke(&[])]), expired(&list));
    let list = root.expired_list();
    assert_eq!(chain.with(vec![intermediate.revoke(&[]), list.clone()]), expired(&list));
    // A newer one will do.
    let lists = vec![list, root.revoke(&[]), intermediate.revoke(&[])];
    assert_eq!(chain.with(lists), Ok(()));
}

#[test]
fn an_intermediate_is_the_anchor() {
    let chain = Chain::new();
    let (root, intermediate) = (&chain.root, &chain.intermediate);
    let under = |lists| chain.under(intermediate.anchors(), lists);
    assert_eq!(under(vec![intermediate.revoke(&[])]), Ok(()));
    assert_eq!(under(vec![intermediate.revoke(&[8])]), Err(Fault::Revoked));
    let list = intermediate.expired_list();
    assert_eq!(under(vec![list.clone()]), expired(&list));
    assert_eq!(under(vec![root.revoke(&[])]), no_list_of("Intermediate"));
    // With both to trust, the nearer one is.
    let both = || intermediate.anchors().and(root.anchors());
    assert_eq!(chain.under(both(), vec![intermediate.revoke(&[])]), Ok(()));
    assert_eq!(chain.under(both(), vec![root.revoke(&[])]), no_list_of("Intermediate"));
}

#[test]
fn a_list_that_somebody_else_signed() {
    let chain = Chain::new();
    let forged = Authority::root("Intermediate").list_as(&chain.intermediate);
    let outcome = chain.with(vec![forged, chain.root.revoke(&[])]);
    assert!(matches!(&outcome, Err(Fault::Other(_))), "{outcome:?}");
}
