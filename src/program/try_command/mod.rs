//! The command to try that is printed at start: curl, with all the options that it needs.

mod client;
mod name;
mod trust;

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use turnkey::Bound;
use turnkey::net::{ClientAddr, TrustedProxies};
use turnkey::tls::{Certificate, Identities};

use self::client::Client;
use self::name::{Called, Place};
use self::trust::Trust;
use crate::config::Config;
use crate::config::files::Material;
use crate::console::shell::quoted;

/// What is known about the command before the server has its address.
#[derive(Debug)]
pub(crate) struct TryCommand {
    /// `None` in http mode.
    identities: Option<Identities>,
    trust: Trust,
    client: Client,
    /// The proxies that must send a PROXY header.
    proxies: TrustedProxies,
}

impl TryCommand {
    /// Looks for the files that a client needs, beside the server's files.
    pub(crate) fn new(config: &Config, material: Option<&Material<'_>>) -> Self {
        let now = SystemTime::now();
        let identities = material.and_then(|material| {
            let mut identities = material.identities.iter().map(|served| served.identity.clone());
            Identities::new(identities.next()?, identities).ok()
        });
        Self {
            identities,
            trust: material.map_or(Trust::Nobody, |material| trust::find(material, now)),
            client: material.map_or(Client::Unasked, |material| client::find(material, now)),
            proxies: if config.proxy_protocol {
                config.trust.clone()
            } else {
                TrustedProxies::default()
            },
        }
    }

    /// The command. If something is missing, a line before it says what.
    pub(crate) fn lines(&self, bound: &Bound) -> Vec<String> {
        let Some(place) = Place::of(bound) else { return Vec::new() };
        let called = Called::at(&place, self.identities.as_ref());
        let mut words: Vec<String> = self.client.options().to_vec();
        if let Some(identities) = &self.identities {
            words.extend(self.trust(identities.first().leaf(), called.is_certified));
        }
        if self.proxies.trusts(place.client()) {
            words.push("--haproxy-protocol".to_owned());
        }
        words.extend(called.route);
        words.push(called.url);
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        let missing = self.client.missing();
        missing.into_iter().chain([format!("try: curl {}", words.join(" "))]).collect()
    }

    /// Options that make curl trust the server's certificate, or else its key.
    fn trust(&self, leaf: &Certificate, is_certified: bool) -> Vec<String> {
        let is_accepted = is_certified && leaf.allows_server_auth() && leaf.may_sign();
        match &self.trust {
            Trust::System if is_accepted => Vec::new(),
            Trust::File(file) if is_accepted => {
                vec!["--cacert".to_owned(), file.display().to_string()]
            }
            _ => {
                let pin = format!("sha256//{}", BASE64_STANDARD.encode(leaf.spki_sha256()));
                ["--insecure", "--pinnedpubkey", &pin].map(str::to_owned).into()
            }
        }
    }
}

impl Place<'_> {
    /// curl's address, as the server sees it.
    fn client(&self) -> ClientAddr {
        match self {
            Self::Tcp(address) => address.ip().into(),
            Self::Unix(_) => ClientAddr::Unix,
        }
    }
}
