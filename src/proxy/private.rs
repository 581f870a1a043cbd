use std::sync::Arc;

use httparse::Header;

use super::balance::Member;
use super::connection::Connection;
use super::upstream_tls::UpstreamTls;
use crate::common::field;

/// The fields that carry authentication (RFC 9110 §11).
const FIELDS: [&str; 4] =
    ["authorization", "www-authenticate", "proxy-authorization", "proxy-authenticate"];

/// The schemes that authenticate a connection instead of a request (RFC 4559).
const SCHEMES: [&[u8]; 2] = [b"NTLM", b"Negotiate"];

/// The upstream connection that serves one client connection alone, if there is one.
///
/// With NTLM and Negotiate, every request on an authenticated connection counts as that of the authenticated
/// user. Such a connection is never pooled, and closes with the client's.
#[derive(Debug, Default)]
pub(crate) struct Private(Option<Box<(Arc<Member>, Connection)>>);

impl Private {
    /// Takes the connection, if the upstream has not closed it in the meantime.
    pub(super) fn take(&mut self, tls: &UpstreamTls) -> Option<(Arc<Member>, Connection)> {
        let (member, mut connection) = *self.0.take()?;
        let usable = tls.is_current(connection.speaker()) && !connection.is_stale();
        connection.reused = true;
        usable.then_some((member, connection))
    }

    /// Keeps the connection for the next request of the same client connection.
    pub(super) fn put(&mut self, member: &Arc<Member>, connection: Connection) {
        self.0 = Some(Box::new((Arc::clone(member), connection)));
    }
}

/// Whether a head with `fields` is part of authenticating its connection.
pub(super) fn authenticates_connection(fields: &[Header<'_>]) -> bool {
    let is_about_it = |name: &str| FIELDS.iter().any(|other| name.eq_ignore_ascii_case(other));
    let asked = fields.iter().filter(|field| is_about_it(field.name));
    asked.flat_map(|field| field::list(field.value)).any(|challenge| {
        let scheme = challenge.split(|byte| matches!(byte, b' ' | b'\t')).next();
        scheme.is_some_and(|scheme| SCHEMES.iter().any(|s| scheme.eq_ignore_ascii_case(s)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_that_authenticate_a_connection_are_known() {
        for (name, value, expected) in [
            ("WWW-Authenticate", "NTLM", true),
            ("www-authenticate", "Basic realm=\"a, b\", negotiate", true),
            ("Authorization", "NTLM TlRMTVNTUAAB", true),
            ("AUTHORIZATION", "nEGOTIATE\tYII", true),
            ("Proxy-Authenticate", "Negotiate", true),
            ("Proxy-Authorization", "NTLM x", true),
            ("Authorization", "Basic NTLM", false),
            ("Authorization", "NTLMX y", false),
            ("X-Authorization", "NTLM x", false),
        ] {
            let fields = [Header { name, value: value.as_bytes() }];
            assert_eq!(authenticates_connection(&fields), expected, "{name}: {value}");
        }
    }
}
