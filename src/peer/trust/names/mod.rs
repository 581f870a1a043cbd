//! The fields in which proxies tell an app who its client is, under every name that is in use.
//!
//! A client can send each of them, and the app cannot know who did. So they are removed unless a trusted
//! proxy sent them. Only this table decides; `docs/IDENTITY_FIELDS.md` shows it.
//!
//! A name has a row if a product sends it as its own statement about the client, and apps read it. Names
//! that clients send to authenticate themselves have none: `Authorization`, `X-Auth-Token`,
//! `X-Auth-User` and `X-Auth-Key` (Swift), `X-Auth-Email` (the API of Cloudflare), `X-User-*`,
//! `CF-Access-Client-Id`. Names whose values are signed have none either, since apps verify those.

/// A field, or all fields whose names begin with a prefix.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "what only the page for people says"))]
struct Row {
    /// As the product spells it; `*` at the end matches any rest.
    name: &'static str,
    /// What it says about the client.
    tells: &'static str,
    /// Who writes it, or which apps read it.
    by: &'static str,
    /// turnkey writes this field itself, so an upstream gets no other.
    ours: bool,
    /// The name without the `*`.
    stem: &'static [u8],
    /// Whether there is a `*`.
    open: bool,
}

const fn theirs(name: &'static str, tells: &'static str, by: &'static str) -> Row {
    let (stem, open) = match name.as_bytes() {
        [stem @ .., b'*'] => (stem, true),
        stem => (stem, false),
    };
    Row { name, tells, by, ours: false, stem, open }
}

const fn ours(name: &'static str, tells: &'static str, by: &'static str) -> Row {
    Row { ours: true, ..theirs(name, tells, by) }
}

/// Sorted by the folded name, so that rows with the same first byte are together.
///
/// Addresses from content delivery networks (`CF-Connecting-IP`, `True-Client-IP`) are here like
/// `X-Real-IP`: an app that reads one believes it, and only a peer in `--trust-proxy` is that network.
#[rustfmt::skip]
static TABLE: [Row; 75] = [
    theirs("$WS*", "address, certificate, scheme, user", "WebSphere's web server plug-in"),
    theirs("CF-Access-Authenticated-User-*", "user", "Cloudflare Access"),
    theirs("CF-Client-Cert-*", "certificate", "Cloudflare"),
    theirs("CF-Connecting-IP*", "address", "Cloudflare"),
    theirs("CF-Visitor", "scheme", "Cloudflare"),
    ours("Client-Cert", "certificate", "RFC 9440"),
    ours("Client-Cert-Chain", "certificate", "RFC 9440"),
    theirs("Client-IP", "address", "read by Rails and by PHP apps"),
    theirs("CloudFront-Forwarded-*", "scheme", "Amazon CloudFront"),
    theirs("CloudFront-Viewer-*", "address, TLS", "Amazon CloudFront"),
    theirs("DO-Connecting-IP", "address", "DigitalOcean App Platform"),
    theirs("Fastly-Client-IP", "address", "Fastly"),
    theirs("Fastly-SSL", "scheme", "Fastly"),
    theirs("Fly-Client-IP", "address", "Fly.io"),
    theirs("Fly-Forwarded-*", "scheme, port", "Fly.io"),
    ours("Forwarded", "address, scheme, host", "RFC 7239"),
    theirs("Forwarded-For*", "address", "read by PHP and Java apps"),
    theirs("Front-End-Https", "scheme", "Microsoft's gateways (ISA, TMG)"),
    theirs("HTTPS", "scheme", "read by PHP apps, as HTTP_HTTPS"),
    theirs("MS-ASPNETCORE-*", "certificate, user", "IIS, for ASP.NET Core"),
    theirs("Ngrok-Auth-User-*", "user", "ngrok"),
    theirs("OAM_*", "user", "Oracle Access Manager"),
    theirs("OIDC_CLAIM_*", "user", "mod_auth_openidc"),
    theirs("Proxy-Client-IP", "address", "read by Java apps"),
    theirs("Remote-*", "address, user", "Authelia, Apache (REMOTE_USER)"),
    theirs("Shib-*", "user", "Shibboleth, with ShibUseHeaders"),
    theirs("SM_*", "user", "SiteMinder"),
    theirs("SMUSER", "user", "SiteMinder"),
    theirs("SSL-*", "certificate, TLS", "ingress-nginx, Apache (SSL_CLIENT_S_DN); read by Keycloak"),
    theirs("Tailscale-*", "user", "Tailscale Serve"),
    theirs("True-Client-IP", "address", "Akamai, Cloudflare"),
    theirs("WL-Proxy-*", "address, certificate, scheme", "WebLogic's web server plug-in"),
    theirs("X-Amzn-Mtls-*", "certificate", "AWS Application Load Balancer"),
    theirs("X-Amzn-Oidc-*", "user", "AWS Application Load Balancer"),
    theirs("X-Apigateway-Api-Userinfo", "user", "Google Cloud API Gateway"),
    theirs("X-Appengine-User-*", "address, user", "Google App Engine"),
    theirs("X-ARR-*", "certificate, TLS", "IIS, Azure App Service"),
    theirs("X-Auth-Groups", "user", "Gatekeeper"),
    theirs("X-Auth-Request-*", "user", "oauth2-proxy"),
    theirs("X-Auth-Roles", "user", "Gatekeeper"),
    theirs("X-Auth-Subject", "user", "Gatekeeper"),
    theirs("X-Auth-Userid", "user", "Gatekeeper"),
    theirs("X-Auth-Username", "user", "Gatekeeper"),
    theirs("X-Authenticated-*", "user", "Kong"),
    theirs("X-authentik-*", "user", "authentik"),
    theirs("X-Azure-ClientIP", "address", "Azure Front Door"),
    theirs("X-Azure-SocketIP", "address", "Azure Front Door"),
    ours("X-Client-*", "address, certificate", "turnkey, Google Cloud Load Balancing, Kong; read by ASP.NET Core and Puppet"),
    theirs("X-Cluster-Client-IP", "address", "Rackspace, Riverbed"),
    theirs("X-Consumer-*", "user", "Kong, APISIX"),
    theirs("X-Credential-*", "user", "Kong, APISIX"),
    theirs("X-Endpoint-API-UserInfo", "user", "Google Cloud Endpoints"),
    theirs("X-Envoy-External-Address", "address", "Envoy"),
    theirs("X-Forwarded", "address", "read by PHP and Java apps"),
    ours("X-Forwarded-*", "address, certificate, host, scheme, user", "nearly every proxy; Envoy's and Traefik's certificates (X-Forwarded-Client-Cert, X-Forwarded-Tls-Client-Cert)"),
    theirs("X-Goog-Authenticated-User-*", "user", "Google Identity-Aware Proxy"),
    theirs("X-HTTPS", "scheme", "hosting providers; read by PHP apps"),
    theirs("X-MS-CLIENT-PRINCIPAL*", "user", "Azure App Service, Azure Static Web Apps"),
    theirs("X-MS-TOKEN-*", "user", "Azure App Service"),
    theirs("X-NF-Client-Connection-IP", "address", "Netlify"),
    theirs("X-Original-Forwarded-*", "address, host", "ingress-nginx"),
    theirs("X-Pomerium-Claim-*", "user", "Pomerium"),
    theirs("X-Proxy-Roles", "user", "read by OpenSearch"),
    theirs("X-Proxy-User", "user", "read by OpenSearch"),
    ours("X-Real-IP", "address", "nginx, Traefik"),
    theirs("X-Remote-*", "user", "Kubernetes; Apache (X-Remote-User)"),
    theirs("X-Scheme", "scheme", "ingress-nginx"),
    theirs("X-SSL", "scheme", "HAProxy"),
    theirs("X-SSL-*", "certificate, TLS", "nginx, HAProxy (X-SSL-Client-Verify, X-SSL-Cert, X-SSL-Issuer)"),
    theirs("X-TLS-Client-*", "certificate", "read by MinIO KES"),
    theirs("X-Url-Scheme", "scheme", "read by Go apps (Echo)"),
    theirs("X-Userinfo", "user", "APISIX, Kong"),
    theirs("X-Vercel-Forwarded-*", "address", "Vercel"),
    theirs("X-Vouch-*", "user", "Vouch Proxy"),
    theirs("X-WEBAUTH-*", "user", "read by Grafana and Gitea"),
];

/// Whether the field `name` identifies a client.
pub(crate) fn speaks_for_client(name: &str) -> bool {
    row(name).is_some()
}

/// Whether turnkey writes the field `name` for upstreams itself.
pub(crate) fn is_written_here(name: &str) -> bool {
    row(name).is_some_and(|row| row.ours)
}

/// Whether a trailer `name` may be forwarded. Proxies do not identify clients in trailers, so such a trailer is
/// the client's. A trailer must not have a length of the body either (RFC 9110 §6.5.1).
pub(crate) fn may_be_trailer(name: &str) -> bool {
    !speaks_for_client(name) && !is_framing(name)
}

/// Whether an app may take the field `name` for a field of framing, which it is not. Proxies do not read it
/// as one, so the app alone would see a second length.
pub(super) fn is_framing_in_disguise(name: &str) -> bool {
    is_framing(name) && has_other_marks(name)
}

fn is_framing(name: &str) -> bool {
    let framing: &[u8] = match name.len() {
        14 => b"content-length",
        17 => b"transfer-encoding",
        _ => return false,
    };
    name.bytes().zip(framing).all(|(n, f)| fold(n) == *f)
}

/// Whether `name` has other marks than `-` and `_`. Usual names do not. PHP and lighttpd replace each by `-`
/// or `_`.
pub(crate) fn is_strange(name: &str) -> bool {
    !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether `name` has other marks than hyphens.
pub(super) fn has_other_marks(name: &str) -> bool {
    name.bytes().any(|byte| byte != b'-' && fold(byte) == b'-')
}

fn row(name: &str) -> Option<&'static Row> {
    let (place, second) = key(name.as_bytes())?;
    let Bucket { start, end, seconds } = *BUCKETS.get(place)?;
    if seconds >> second & 1 == 0 {
        return None;
    }
    TABLE.get(usize::from(start)..usize::from(end))?.iter().find(|row| row.covers(name))
}

impl Row {
    fn covers(&self, name: &str) -> bool {
        let (name, stem) = (name.as_bytes(), self.stem);
        let fits = if self.open { name.len() >= stem.len() } else { name.len() == stem.len() };
        fits && name.iter().zip(stem).all(|(n, s)| fold(*n) == fold(*s))
    }
}

/// The rows whose names begin with one letter, or with `X-` and that letter. Each field of each request is
/// looked up here. Nearly all are decided by `seconds`, after two letters.
#[derive(Clone, Copy)]
struct Bucket {
    /// The range of the rows in `TABLE`.
    start: u8,
    end: u8,
    /// The second letters of the rows, one bit for each.
    seconds: u32,
}

/// By the letter; those behind `X-` are the second half. Other bytes share the buckets of letters.
static BUCKETS: [Bucket; 64] = buckets();

/// The bucket of a name, and its next letter.
const fn key(name: &[u8]) -> Option<(usize, u8)> {
    match *name {
        [b'X' | b'x', mark, one, two, ..] if fold(mark) == b'-' => {
            Some((32 + letter(one) as usize, letter(two)))
        }
        [one, two, ..] => Some((letter(one) as usize, letter(two))),
        _ => None,
    }
}

/// 1 for `a`, 26 for `z`.
const fn letter(byte: u8) -> u8 {
    fold(byte) & 0x1F
}

#[expect(clippy::cast_possible_truncation, reason = "the table has far fewer than 256 rows")]
const fn buckets() -> [Bucket; 64] {
    // An index out of bounds does not compile.
    let mut buckets = [Bucket { start: 0, end: 0, seconds: 0 }; 64];
    let mut at = 0;
    while at < TABLE.len() {
        if let Some((place, second)) = key(TABLE[at].name.as_bytes()) {
            if buckets[place].seconds == 0 {
                buckets[place].start = at as u8;
            }
            buckets[place].end = at as u8 + 1;
            buckets[place].seconds |= 1 << second;
        }
        at += 1;
    }
    buckets
}

/// Maps bytes of names that apps do not distinguish to one. CGI and WSGI read `_` and `-` as the same, PHP also a
/// dot, and lighttpd every byte that is not a letter or digit: `X.Real!IP` reaches them as `X-Real-IP`.
const fn fold(byte: u8) -> u8 {
    // The table has 256 elements.
    FOLDED[byte as usize]
}

static FOLDED: [u8; 256] = {
    let mut folded = [b'-'; 256];
    let mut byte: u8 = 0;
    while byte < 0x80 {
        if byte.is_ascii_alphanumeric() {
            folded[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    folded
};

#[cfg(test)]
mod tests;
