use turnkey::log::SettingNames;

/// The server's settings under the names of the program's options.
pub(crate) fn setting_names() -> SettingNames {
    let mut names = SettingNames::default();
    names.trusted_proxies = "--trust-proxy";
    names.trust_proxy = "add --trust-proxy";
    names.proxy_protocol = "--proxy-protocol";
    names.lenient_names = "--lenient-names";
    names.identity = "--cert and --key, --identity or --adhoc";
    names.handshake_timeout = "--handshake-timeout";
    names.max_connections = "--max-connections";
    names.max_handshakes = "--max-handshakes";
    names.client_cas = "--client-ca";
    names.client_crls = "--client-crl";
    names.allow_rules = "--allow-cn or --allow-san";
    names.allow_issuers = "--allow-issuer";
    names.allow_anonymous = "--allow-anonymous";
    names.backend = "--backend";
    names.buffer_max = "--proxy-buffer-max";
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_an_option() {
        let names = format!("{:?}", setting_names());
        let values: Vec<_> = names.split('"').skip(1).step_by(2).collect();
        assert!(values.len() > 10, "{names}");
        assert!(values.iter().all(|name| name.contains("--")), "{names}");
    }
}
