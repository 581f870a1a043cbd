//! Which certificate a client is shown, by the name that it asks for.

use turnkey_backend::{ClientPolicy, Identities, TlsConfig};
use turnkey_rustls::Rustls;

use crate::client::{Site, VERSIONS, credulous_client, meet_as};
use crate::pki::Ca;

#[test]
fn the_name_that_is_asked_for_chooses() {
    let ca = Ca::root("the server's CA");
    let server = |names: &[&str]| ca.server(names).identity();
    let identities = Identities::new(
        server(&["first.test"]),
        [server(&["*.example.test"]), server(&["exact.example.test", "other.test"])],
    );
    let site = Site { ca, identities: identities.unwrap() };
    let backend = site.backend(ClientPolicy::None);
    for version in VERSIONS {
        let (client, shown) = credulous_client(version);
        for (asked, expected) in [
            ("exact.example.test", "exact.example.test"),
            ("EXACT.example.test", "exact.example.test"),
            ("other.test", "exact.example.test"),
            ("any.example.test", "*.example.test"),
            ("a.b.example.test", "first.test"),
            ("example.test", "first.test"),
            ("first.test", "first.test"),
            ("unknown.test", "first.test"),
            // An address is no name: the client asks for none.
            ("127.0.0.1", "first.test"),
        ] {
            let info = meet_as(&backend, &client, asked).info();
            assert_eq!(shown.leaf().common_name(), Some(expected), "for {asked}");
            let name = Some(asked.to_ascii_lowercase()).filter(|name| name != "127.0.0.1");
            assert_eq!(info.server_name, name);
        }
    }
}

#[test]
fn the_whole_chain_is_shown() {
    let root = Ca::root("the server's CA");
    let [upper, lower] = ["upper", "lower"];
    let upper = root.intermediate(upper);
    let lower = upper.intermediate(lower);
    let identity = lower.server(&["localhost"]).and(&lower).and(&upper).identity();
    let site = Site { ca: root, identities: identity.into() };
    let backend = site.backend(ClientPolicy::None);
    for version in VERSIONS {
        // This one trusts the root only.
        let client = crate::client::client(&site.ca, None, version);
        let met = crate::client::meet(&backend, &client);
        assert_eq!(met.client.unwrap().peer_certificates().unwrap().len(), 3);
    }
}

#[test]
fn one_bad_identity_among_good_ones_is_refused() {
    let site = Site::new();
    let bad = crate::configuration::with_anothers_key();
    let identities = Identities::new(site.identities.first().clone(), [bad]).unwrap();
    let config = TlsConfig { identities, ..site.config(ClientPolicy::None) };
    let error = Rustls::new(&config).unwrap_err();
    assert!(matches!(error, turnkey_backend::BuildError::KeyMismatch), "{error}");
}
