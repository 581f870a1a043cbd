//! The table in `backends/README.md` of what each backend can tell.

const PAGE: &str = include_str!("../../backends/README.md");

/// What stands in the first column, in order: first what is about certificates of clients.
const ABOUT_CLIENTS: [&str; 16] = [
    NO_CERTIFICATE,
    UNKNOWN_CA,
    SELF_SIGNED,
    EXPIRED,
    NOT_YET_VALID,
    REVOKED,
    NO_LIST,
    LIST_EXPIRED,
    NOT_FOR_CLIENTS,
    MAY_NOT_SIGN,
    OF_A_CA,
    CA_MAY_NOT_SIGN,
    TOO_MANY_CAS,
    NAME_NOT_PERMITTED,
    NOT_ALLOWED,
    BAD_SIGNATURE,
];
const ABOUT_OTHERS: [&str; 11] = [
    OUR_CA_UNKNOWN,
    OUR_NAME_WRONG,
    OURS_EXPIRED,
    NO_COMMON_VERSION,
    NO_COMMON_CIPHER,
    NO_COMMON_PROTOCOL,
    PLAIN_HTTP,
    NOT_TLS,
    LEFT_MIDWAY,
    OUT_OF_TIME,
    LEFT,
];

pub(crate) const NO_CERTIFICATE: &str = "the client sent no certificate";
pub(crate) const UNKNOWN_CA: &str = "its certificate is signed by a CA that is not trusted (which)";
pub(crate) const SELF_SIGNED: &str = "it is self-signed";
pub(crate) const EXPIRED: &str = "it has expired (both times)";
pub(crate) const NOT_YET_VALID: &str = "it is not valid yet (both times)";
pub(crate) const REVOKED: &str = "it is revoked";
pub(crate) const NO_LIST: &str = "there is no revocation list of its CA";
pub(crate) const LIST_EXPIRED: &str = "the revocation list of its CA has expired";
pub(crate) const NOT_FOR_CLIENTS: &str = "it is not for the authentication of clients";
pub(crate) const MAY_NOT_SIGN: &str = "its key may not sign (key usage)";
pub(crate) const OF_A_CA: &str = "it is the certificate of a CA";
pub(crate) const CA_MAY_NOT_SIGN: &str = "the key of its CA may not sign certificates (key usage)";
pub(crate) const TOO_MANY_CAS: &str = "there are more CAs below one than it allows (path length)";
pub(crate) const NAME_NOT_PERMITTED: &str =
    "a CA may not issue certificates for its name (name constraints)";
pub(crate) const NOT_ALLOWED: &str = "no rule lets it in";
pub(crate) const BAD_SIGNATURE: &str = "a signature is wrong";
pub(crate) const OUR_CA_UNKNOWN: &str = "the client does not know the CA of ours";
pub(crate) const OUR_NAME_WRONG: &str = "the client wanted another name than ours is for";
pub(crate) const OURS_EXPIRED: &str = "to the client ours has expired";
pub(crate) const NO_COMMON_VERSION: &str = "no TLS version in common";
pub(crate) const NO_COMMON_CIPHER: &str = "no cipher suite, group or signature scheme in common";
pub(crate) const NO_COMMON_PROTOCOL: &str = "no protocol over TLS in common (ALPN)";
pub(crate) const PLAIN_HTTP: &str = "plain HTTP on the port for TLS";
pub(crate) const NOT_TLS: &str = "neither TLS nor HTTP";
pub(crate) const LEFT_MIDWAY: &str = "the client left in the middle of the handshake";
pub(crate) const OUT_OF_TIME: &str = "the handshake ran out of time";
pub(crate) const LEFT: &str = "the client left without a word (counted only)";

#[test]
fn each_reason_has_its_row() {
    let rows: Vec<_> = rows().map(|row| row[0]).collect();
    assert_eq!(rows, [&ABOUT_CLIENTS[..], &ABOUT_OTHERS].concat());
}

/// The page says that `backend` tells this reason from others.
#[track_caller]
pub(crate) fn assert_tells(backend: &str, reason: &str) {
    let row = rows().find(|row| row[0] == reason);
    let row = row.unwrap_or_else(|| panic!("no row for {reason:?}"));
    let column = columns().iter().position(|name| *name == backend).expect("a column");
    assert_eq!(row[column], "yes", "{reason}: {backend}");
}

/// The only reasons that a backend does not tell are those that it cannot have.
#[test]
fn all_is_told_that_there_is_to_tell() {
    let columns = columns();
    for row in rows() {
        for (column, cell) in columns.iter().zip(&row).skip(1) {
            let client_or_alpn = ABOUT_CLIENTS.contains(&row[0]) || row[0] == NO_COMMON_PROTOCOL;
            let never = *column == "native-tls" && client_or_alpn;
            assert_eq!(*cell, if never { "–" } else { "yes" }, "{}: {column}", row[0]);
        }
    }
}

fn columns() -> Vec<&'static str> {
    cells(table()[0])
}

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    table().into_iter().skip(2).map(cells)
}

fn table() -> Vec<&'static str> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with("| a connection failed because"));
    lines.take_while(|line| line.starts_with('|')).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
