//! Where identities, client CAs, revocation lists and ticket keys come from, so that they can be
//! read again while the server runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use turnkey_backend::{ClientPolicy, Identities, Identity, TicketKey, TrustAnchors};
use zeroize::Zeroizing;

use crate::beside::known_client;
use crate::client_files::ClientFiles;
use crate::config_error::ConfigError;
use crate::files::{self, FileError};
use crate::identity_files::{self, IdentityFile, Unstapled};
use crate::mode::{Mode, TlsChoice};
use crate::password::Passwords;

/// All that a TLS backend is built from and that may change while the server runs.
#[derive(Debug)]
pub(crate) struct Sources {
    /// None of them: the identity is made up.
    pub(crate) identities: Vec<IdentityFile>,
    pub(crate) made_up: Option<MadeUp>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) ocsp: Vec<PathBuf>,
    pub(crate) clients: Option<ClientFiles>,
    pub(crate) ticket_key: Option<PathBuf>,
    /// What else is asked of the TLS stack; the identities and the ticket key are filled in.
    pub(crate) choice: TlsChoice,
}

/// What `--adhoc` makes for one run.
#[derive(Debug)]
pub(crate) struct MadeUp {
    pub(crate) identity: Identity,
    /// The CA of the clients, and where their certificate lies meanwhile; in mutual mode.
    pub(crate) clients: Option<MadeUpClients>,
}

/// A CA for one run, and the folder with a client's certificate, which is gone at the end.
#[derive(Debug)]
pub(crate) struct MadeUpClients {
    pub(crate) anchors: TrustAnchors,
    pub(crate) ca: PathBuf,
    pub(crate) client: PathBuf,
    #[cfg(feature = "pki")]
    pub(crate) _folder: tempfile::TempDir,
}

/// What the files held when they were read.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    /// At least one.
    pub(crate) identities: Vec<Identity>,
    pub(crate) clients: ClientPolicy,
    pub(crate) ticket_key: Option<TicketKey>,
    pub(crate) unstapled: Vec<Unstapled>,
}

impl Sources {
    /// Reads all files, and checks each for itself.
    pub(crate) fn load(&self, now: SystemTime) -> Result<Material, ConfigError> {
        let mut identities: Vec<Identity> = match &self.made_up {
            Some(made_up) => vec![made_up.identity.clone()],
            None => self
                .identities
                .iter()
                .map(|file| file.load(&self.passwords, now))
                .collect::<Result<_, _>>()?,
        };
        self.check_names(&identities)?;
        let mut unstapled = Vec::new();
        for file in &self.ocsp {
            unstapled.extend(identity_files::staple(&mut identities, file, now)?);
        }
        let made_up = self.made_up.as_ref().and_then(|made_up| made_up.clients.as_ref());
        let clients = match &self.clients {
            Some(clients) => clients.load(made_up.map(|clients| &clients.anchors), now)?,
            None => ClientPolicy::None,
        };
        let ticket_key = self.ticket_key.as_deref().map(ticket_key).transpose()?;
        Ok(Material { identities, clients, ticket_key, unstapled })
    }

    /// Names the files of two identities that are for the same name.
    fn check_names(&self, identities: &[Identity]) -> Result<(), ConfigError> {
        let [first, further @ ..] = identities else { return Ok(()) };
        let Err(twice) = Identities::new(first.clone(), further.iter().cloned()) else {
            return Ok(());
        };
        let file = |index: usize| {
            let file = self.identities.get(index).map(IdentityFile::certificate_file);
            file.map_or_else(|| "--adhoc".into(), Path::to_string_lossy)
        };
        let (first, second) = (file(twice.first), file(twice.second));
        Err(ConfigError::Failed(format!("{first} and {second}: {twice}")))
    }

    /// The mode, and what is asked of the TLS stack, for what was read.
    pub(crate) fn mode(&self, material: Material) -> Result<(Mode, TlsChoice), ConfigError> {
        // That of `turnkey certs`, or of the recipe, whose `openssl` makes version 1.
        let known = known_client(self, &material);
        let x509_v1_clients = known.is_some_and(|(_, client)| client.leaf().lacks_extensions());
        let Material { identities, clients, ticket_key, unstapled: _ } = material;
        let mut identities = identities.into_iter();
        let Some(first) = identities.next() else {
            return Err(ConfigError::Failed("there is no identity".to_owned()));
        };
        let further = identities.collect();
        let choice = TlsChoice { further, ticket_key, x509_v1_clients, ..self.choice.clone() };
        let mode = match clients {
            ClientPolicy::None => Mode::Https(first),
            clients => Mode::Mutual(first, clients),
        };
        Ok((mode, choice))
    }

    /// All its files, but for that of the password.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = self.identities.iter().flat_map(IdentityFile::paths).collect();
        paths.extend(self.ocsp.iter().map(PathBuf::as_path));
        paths.extend(self.clients.iter().flat_map(ClientFiles::paths));
        paths.extend(self.ticket_key.as_deref());
        paths
    }
}

/// The secret in a file of `--ticket-keys`.
pub(crate) fn ticket_key(file: &Path) -> Result<TicketKey, FileError> {
    let bytes = Zeroizing::new(files::read(file, "--ticket-keys")?);
    TicketKey::new(&bytes).ok_or_else(|| {
        let (min, max) = (TicketKey::MIN, TicketKey::MAX);
        let what = format!(
            "holds {} bytes, and {min} to {max} random ones are wanted: openssl rand -out FILE 80",
            bytes.len()
        );
        FileError::new(file, "--ticket-keys", what)
    })
}
