//! Client and server have no version of TLS in common, or nothing to encrypt with.

use crate::support::{Setup, TlsVersion, s_client};
use crate::{Site, on_every_backend};

on_every_backend! {
    a_client_that_is_too_old
    no_common_version
    no_common_cipher_suite
    no_common_signature_scheme
    no_common_group
}

mod verifying {
    use super::no_common_protocol;

    crate::on_every_verifying_backend! {
        no_common_protocol
    }
}

/// HTTP/2 alone, which is not spoken here.
fn no_common_protocol(setup: Setup) {
    let site = Site::https(setup, &[]);
    refused(&site, &["-alpn", "h2"]);
    let why = "refused: the client wants to speak another protocol than HTTP/1.1 over TLS (ALPN)";
    site.assert_told("no_common_application_protocol", &[why, "allow it HTTP/1.1 too"]);
}

fn a_client_that_is_too_old(setup: Setup) {
    let site = Site::https(setup, &[]);
    // Otherwise it would not even try.
    refused(&site, &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
    assert_no_common_version(&site);
}

fn no_common_version(setup: Setup) {
    let site = Site::https(setup, &[]);
    let other = match setup.version {
        TlsVersion::Tls12 => TlsVersion::Tls13,
        TlsVersion::Tls13 => TlsVersion::Tls12,
    };
    refused(&site, &[other.s_client()]);
    assert_no_common_version(&site);
}

fn assert_no_common_version(site: &Site) {
    let served = format!("(TLS {})", site.setup.version.number());
    let why = "refused: the client offers no TLS version that is served here";
    site.assert_told("no_common_version", &[why, &served, "update the client"]);
}

fn no_common_cipher_suite(setup: Setup) {
    let site = Site::https(setup, &[]);
    match setup.version {
        // The server's key is not RSA.
        TlsVersion::Tls12 => refused(&site, &["-tls1_2", "-cipher", "AES128-SHA256"]),
        TlsVersion::Tls13 => refused(&site, &["-ciphersuites", "TLS_AES_128_CCM_SHA256"]),
    }
    assert_no_common_cipher(&site);
}

fn no_common_signature_scheme(setup: Setup) {
    let site = Site::https(setup, &[]);
    refused(&site, &[setup.version.s_client(), "-sigalgs", "rsa_pss_rsae_sha256"]);
    assert_no_common_cipher(&site);
}

fn no_common_group(setup: Setup) {
    let site = Site::https(setup, &[]);
    refused(&site, &[setup.version.s_client(), "-groups", "ffdhe8192"]);
    assert_no_common_cipher(&site);
}

fn assert_no_common_cipher(site: &Site) {
    let why = "refused: the client offers no cipher suite, group or signature scheme that is served \
               here; update the client";
    site.assert_told("no_common_cipher", &[why]);
}

/// The client is told too.
fn refused(site: &Site, offer: &[&str]) {
    let output = s_client(site.server.port, offer, b"");
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains(" alert "), "{output:?}");
}
