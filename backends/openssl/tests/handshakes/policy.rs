//! Who is let in, what is said of who is not, and what the client hears of it.

use rustls::{AlertDescription, Error};
use turnkey_backend::{
    AllowRules, Certificate, ClientPolicy, ClientTrust, CommonNameRule, Fault, HandshakeError,
    Refused, TlsVersion,
};

use crate::support::{Authority, Client, Config, Leaf, Profile, Server, VERSIONS};

struct Refusal {
    version: TlsVersion,
    heard: Error,
    refused: Refused,
}

/// What comes of `leaf` in each version of TLS, whether certificates are required or not.
#[track_caller]
fn refusals(trust: &ClientTrust, leaf: &Leaf) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for policy in [ClientPolicy::Required(trust.clone()), ClientPolicy::Optional(trust.clone())] {
        let server = server(policy);
        for version in VERSIONS {
            let heard = Client::new(version).with(leaf).connect(server.address).unwrap_err();
            match server.outcome() {
                Err(HandshakeError::ClientCertificate(refused)) => {
                    refusals.push(Refusal { version, heard, refused });
                }
                other => panic!("in {version}: {other:?}"),
            }
        }
    }
    refusals
}

fn server(policy: ClientPolicy) -> Server {
    Config::new(Authority::root("Server CA").server(&["localhost"])).clients(policy).serve()
}

/// The client hears that alert, and the fault lies with the certificate of that name.
#[track_caller]
fn assert_refused(
    trust: &ClientTrust,
    leaf: &Leaf,
    fault: &Fault,
    culprit: &str,
    alert: AlertDescription,
) {
    for Refusal { version, heard, refused } in refusals(trust, leaf) {
        assert_eq!(refused.fault(), fault, "in {version}");
        assert_eq!(refused.certificate().common_name(), Some("guest"), "in {version}");
        assert_eq!(refused.culprit().common_name(), Some(culprit), "in {version}");
        assert_eq!(heard, Error::AlertReceived(alert), "in {version}");
    }
}

fn guest() -> Profile {
    Profile::client("guest")
}

#[test]
fn the_right_one_is_let_in() {
    let ca = Authority::root("CA");
    let intermediate = ca.subordinate("Intermediate");
    for policy in [ClientPolicy::Required, ClientPolicy::Optional] {
        let server = server(policy(ca.anchors().into()));
        for version in VERSIONS {
            let chained = intermediate.issue(&guest()).and(&intermediate);
            for (leaf, names) in [
                (ca.issue(&guest()), &["guest", "CA"][..]),
                (chained, &["guest", "Intermediate", "CA"]),
            ] {
                Client::new(version).with(&leaf).connect(server.address).unwrap();
                let tls = server.outcome().unwrap();
                assert_eq!(tls.version, Some(version));
                assert_eq!(tls.client_certificate.unwrap().common_name(), Some("guest"));
                let chain = tls.client_chain.unwrap();
                let chain: Vec<_> = chain.iter().filter_map(Certificate::common_name).collect();
                assert_eq!(chain, names);
            }
        }
    }
}

#[test]
fn none_is_refused_where_one_is_required() {
    let server = server(ClientPolicy::Required(Authority::root("CA").anchors().into()));
    for version in VERSIONS {
        let heard = Client::new(version).connect(server.address).unwrap_err();
        let error = server.outcome().unwrap_err();
        assert!(matches!(error, HandshakeError::NoClientCertificate), "{version}: {error:?}");
        let alert = match version {
            TlsVersion::Tls12 => AlertDescription::HandshakeFailure,
            TlsVersion::Tls13 => AlertDescription::CertificateRequired,
        };
        assert_eq!(heard, Error::AlertReceived(alert));
    }
}

#[test]
fn none_is_let_in_where_one_is_optional() {
    let server = server(ClientPolicy::Optional(Authority::root("CA").anchors().into()));
    for version in VERSIONS {
        Client::new(version).connect(server.address).unwrap();
        assert_eq!(server.outcome().unwrap().client_certificate, None);
    }
}

#[test]
fn another_ca() {
    let (ca, other) = (Authority::root("CA"), Authority::root("Other CA"));
    let alert = AlertDescription::UnknownCA;
    let trust = ca.anchors().into();
    assert_refused(&trust, &other.issue(&guest()), &Fault::UnknownIssuer, "guest", alert);
    assert_refused(&trust, &guest().self_signed(), &Fault::UnknownIssuer, "guest", alert);
    // The last that was sent is the one whose issuer is not known.
    let intermediate = other.subordinate("Intermediate");
    let chained = intermediate.issue(&guest()).and(&intermediate);
    assert_refused(&trust, &chained, &Fault::UnknownIssuer, "Intermediate", alert);
    let whole = chained.and(&other);
    assert_refused(&trust, &whole, &Fault::UnknownIssuer, "Other CA", alert);
    // Of our CA, but by way of one that nobody sent.
    let missing = ca.subordinate("Missing").issue(&guest());
    assert_refused(&trust, &missing, &Fault::UnknownIssuer, "guest", alert);
}

#[test]
fn the_wrong_time() {
    let ca = Authority::root("CA");
    let trust = ca.anchors().into();
    let expired = ca.issue(&guest().expired());
    let alert = AlertDescription::CertificateExpired;
    assert_refused(&trust, &expired, &Fault::Expired, "guest", alert);
    let early = ca.issue(&guest().not_yet_valid());
    let alert = AlertDescription::BadCertificate;
    assert_refused(&trust, &early, &Fault::NotYetValid, "guest", alert);
}

#[test]
fn the_wrong_use() {
    let ca = Authority::root("CA");
    let leaf = ca.issue(&Profile::server(&["guest"]));
    let alert = AlertDescription::UnsupportedCertificate;
    assert_refused(&ca.anchors().into(), &leaf, &Fault::NotForClients, "guest", alert);
}

#[test]
fn a_forged_certificate() {
    // By the name of our CA, without saying by which of its keys.
    let (ca, forger) = (Authority::root("CA"), Authority::root("CA"));
    let leaf = forger.issue(&guest().without_key_id());
    let alert = AlertDescription::DecryptError;
    assert_refused(&ca.anchors().into(), &leaf, &Fault::BadSignature, "guest", alert);
}

#[test]
fn a_key_too_small() {
    let ca = Authority::root("CA");
    let mut leaf = ca.issue(&guest().small());
    // No client of today signs with such a key; it does not come to that.
    leaf.key = ca.issue(&guest()).key;
    for Refusal { refused, .. } in refusals(&ca.anchors().into(), &leaf) {
        assert_eq!(refused.fault(), &Fault::Other("EE certificate key too weak".to_owned()));
    }
}

#[test]
fn somebody_elses_certificate() {
    let ca = Authority::root("CA");
    let (leaf, own) = (ca.issue(&guest()), ca.issue(&guest()));
    for policy in [ClientPolicy::Required, ClientPolicy::Optional] {
        let server = server(policy(ca.anchors().into()));
        for version in VERSIONS {
            let thief = Client::new(version).with_key(&leaf, &own.key);
            let heard = thief.connect(server.address).unwrap_err();
            assert_eq!(heard, Error::AlertReceived(AlertDescription::DecryptError));
            let error = server.outcome().unwrap_err();
            let HandshakeError::ClientCertificate(refused) = error else { panic!("{error:?}") };
            assert_eq!(refused.fault(), &Fault::BadSignature);
            assert_eq!(refused.certificate().common_name(), Some("guest"));
        }
    }
}

#[test]
fn a_ca_is_no_client() {
    let ca = Authority::root("CA");
    let alert = AlertDescription::HandshakeFailure;
    let leaf = ca.issue(&guest().ca());
    assert_refused(&ca.anchors().into(), &leaf, &Fault::IsCa, "guest", alert);
}

#[test]
fn a_rule_in_the_handshake() {
    let ca = Authority::root("CA");
    let rules = AllowRules::new(vec!["alice".parse::<CommonNameRule>().unwrap()], vec![]);
    let early = ClientTrust::new(ca.anchors()).allow(rules.clone(), true);
    let alert = AlertDescription::HandshakeFailure;
    assert_refused(&early, &ca.issue(&guest()), &Fault::NotAllowed, "guest", alert);
    // What else is wrong comes first, and is not healed by a rule.
    let expired = ca.issue(&guest().expired());
    let alert = AlertDescription::CertificateExpired;
    assert_refused(&early, &expired, &Fault::Expired, "guest", alert);
    let forged = Authority::root("Other CA").issue(&Profile::client("alice"));
    for Refusal { refused, .. } in refusals(&early, &forged) {
        assert_eq!(refused.fault(), &Fault::UnknownIssuer);
    }

    let late = ClientTrust::new(ca.anchors()).allow(rules, false);
    for (trust, name) in [(early, "alice"), (late, "guest")] {
        let server = server(ClientPolicy::Required(trust));
        for version in VERSIONS {
            Client::new(version).with(&ca.client(name)).connect(server.address).unwrap();
            server.outcome().unwrap();
        }
    }
}
