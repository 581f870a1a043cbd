/// What the log, the explanations of failed handshakes and the app [`builtin`](crate::builtin) call the settings of
/// a server, where they say which one to change.
///
/// By default these are the names of this library's API. A program that has options for them gives their names to
/// [`Server::setting_names`](crate::Server::setting_names).
///
/// ```
/// use turnkey::log::SettingNames;
///
/// let mut names = SettingNames::default();
/// assert_eq!(names.max_connections, "Limits::max_connections");
/// names.max_connections = "--max-connections";
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingNames {
    /// The proxies that are trusted: `Server::trust`.
    pub trusted_proxies: &'static str,
    /// What to do to trust one more proxy, before its address: `trust`.
    pub trust_proxy: &'static str,
    /// Whether proxies send PROXY headers: `Server::proxy_protocol`.
    pub proxy_protocol: &'static str,
    /// Whether fields with unusual names are handed on: `Proxy::lenient_names`.
    pub lenient_names: &'static str,
    /// What makes a port one for HTTPS: `Mode::Https and Mode::Mutual`.
    pub identity: &'static str,
    /// How long a handshake may take: `Limits::handshake_timeout`.
    pub handshake_timeout: &'static str,
    /// How many connections may be open: `Limits::max_connections`.
    pub max_connections: &'static str,
    /// How many of them may be in their handshake: `Limits::max_handshakes`.
    pub max_handshakes: &'static str,
    /// The CAs whose clients are let in: `TrustAnchors`.
    pub client_cas: &'static str,
    /// The revocation lists of these CAs: `ClientTrust::revocation_lists`.
    pub client_crls: &'static str,
    /// The rules that let clients in: `ClientTrust::allow`.
    pub allow_rules: &'static str,
    /// The CAs that must have issued a client's certificate themselves: `ClientTrust::issued_by`.
    pub allow_issuers: &'static str,
    /// Whether clients without a certificate are let in: `ClientTrust::allow_anonymous`.
    pub allow_anonymous: &'static str,
    /// The choice of a backend, before its name: `backend`.
    pub backend: &'static str,
    /// How much of the disk buffered bodies may take: `Proxy::buffer_max`.
    pub buffer_max: &'static str,
}

impl Default for SettingNames {
    fn default() -> Self {
        Self {
            trusted_proxies: "Server::trust",
            trust_proxy: "trust",
            proxy_protocol: "Server::proxy_protocol",
            lenient_names: "Proxy::lenient_names",
            identity: "Mode::Https and Mode::Mutual",
            handshake_timeout: "Limits::handshake_timeout",
            max_connections: "Limits::max_connections",
            max_handshakes: "Limits::max_handshakes",
            client_cas: "TrustAnchors",
            client_crls: "ClientTrust::revocation_lists",
            allow_rules: "ClientTrust::allow",
            allow_issuers: "ClientTrust::issued_by",
            allow_anonymous: "ClientTrust::allow_anonymous",
            backend: "backend",
            buffer_max: "Proxy::buffer_max",
        }
    }
}
