//! Responses of an OCSP responder, beside the chain.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use turnkey_backend::{Identity, OcspResponse};

use crate::support::{Authority, Client, Config, Profile, VERSIONS};

/// An identity with a response of its CA's.
fn stapled(ca: &Authority, name: &str) -> Identity {
    let (identity, response) = with_response(ca, name);
    let response = OcspResponse::from_der(&response).unwrap();
    identity.with_ocsp(&response, SystemTime::now()).unwrap()
}

/// One whose response ran out in the year 2000; nobody but a client looks at the signature.
fn stapled_long_ago(ca: &Authority, name: &str) -> Identity {
    let (identity, mut response) = with_response(ca, name);
    let this_year = &time::OffsetDateTime::now_utc().year().to_string().into_bytes()[..];
    let next_year = &(time::OffsetDateTime::now_utc().year() + 1).to_string().into_bytes()[..];
    for at in 0..response.len() - 15 {
        // GeneralizedTime, 15 bytes long.
        if let [0x18, 15, year @ ..] = &mut response[at..] {
            let year = &mut year[..4];
            if year == this_year || year == next_year {
                year.copy_from_slice(b"2000");
            }
        }
    }
    let response = OcspResponse::from_der(&response).unwrap();
    let then = response.next_update().unwrap() - Duration::from_secs(1);
    identity.with_ocsp(&response, then).unwrap()
}

fn with_response(ca: &Authority, name: &str) -> (Identity, Vec<u8>) {
    let leaf = ca.issue(&Profile::server(&[name]).serial(0x0a1b)).and(ca);
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in [
        ("ca.pem", ca.pem()),
        ("ca.key", ca.key_pem()),
        ("leaf.pem", leaf.chain.clone()),
        ("index.txt", format!("V\t400101000000Z\t\t0A1B\tunknown\t/CN={name}\n")),
    ] {
        fs::write(folder.path().join(file), content).unwrap();
    }
    let arguments = "ocsp -index index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -issuer ca.pem \
                     -cert leaf.pem -nmin 5 -respout response.der";
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("these tests need the openssl program");
    assert!(output.status.success(), "{output:?}");
    (leaf.identity(), fs::read(folder.path().join("response.der")).unwrap())
}

#[test]
fn the_response_is_that_of_the_identity() {
    let ca = Authority::root("CA");
    let identities =
        vec![stapled(&ca, "one.test"), stapled(&ca, "two.test"), ca.server(&["none.test"])];
    let responses: Vec<_> =
        identities.iter().map(|i| i.ocsp(SystemTime::now()).map(<[u8]>::to_vec)).collect();
    assert_ne!(responses[0], responses[1]);
    let server = Config::of(identities).serve();
    for version in VERSIONS {
        let client = Client::new(version);
        for (name, response) in ["one.test", "two.test", "none.test"].iter().zip(&responses) {
            let met = client.asking_for(name).connect(server.address).unwrap();
            assert_eq!(&met.status, response, "{name} in {version}");
        }
        let met = client.asking_for_none().connect(server.address).unwrap();
        assert_eq!(met.status, responses[0], "{version}");
    }
}

#[test]
fn one_that_has_run_out_is_kept_back() {
    let ca = Authority::root("CA");
    let identity = stapled_long_ago(&ca, "localhost");
    assert!(identity.is_stapled());
    let server = Config::new(identity).serve();
    for version in VERSIONS {
        assert_eq!(Client::new(version).connect(server.address).unwrap().status, None);
        server.outcome().unwrap();
    }
}
