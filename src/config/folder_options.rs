//! The options about a folder that is served.

use std::path::PathBuf;

use turnkey::{Folder, FolderError};

use super::error::{ConfigError, usage};
use super::layers::Layers;

/// Which folder is served, and how.
#[derive(Debug)]
pub(crate) struct FolderOptions {
    pub(crate) path: PathBuf,
    listing: bool,
    pub(crate) spa: bool,
}

/// The folder to serve, if there is one.
pub(crate) fn choose(layers: Layers<'_>) -> Result<Option<FolderOptions>, ConfigError> {
    // A typed one overrides another in the environment.
    let deciding = layers.first(|s| s.dir.is_some() || !s.proxy.is_empty());
    let both = deciding.is_some_and(|s| s.dir.is_some() && !s.proxy.is_empty());
    if both && layers.of(|s| s.redirect_from).is_none() {
        return Err(usage(
            "--dir and --proxy are two things to serve, a folder and another server: leave one of \
             them out (beside --redirect-from they go together: the folder is for a CA's challenges \
             then)",
        ));
    }
    // Beside a proxy, the folder only serves the responses to a CA's challenges.
    let Some(path) = deciding.filter(|_| !both).and_then(|s| s.dir.clone()) else {
        let typed = layers.typed();
        let wishes = [
            (typed.is_some_and(|s| s.listing), "--listing"),
            (typed.is_some_and(|s| s.spa), "--spa"),
        ];
        return match wishes.iter().find(|(asked, _)| *asked) {
            Some((_, option)) => {
                Err(usage(format!("{option} needs --dir: the folder that is served")))
            }
            None => Ok(None),
        };
    };
    Ok(Some(FolderOptions { path, listing: layers.any(|s| s.listing), spa: layers.any(|s| s.spa) }))
}

impl FolderOptions {
    /// Opens the folder.
    pub(crate) fn folder(&self) -> Result<Folder, FolderError> {
        Ok(Folder::new(&self.path)?.listing(self.listing).spa(self.spa))
    }
}
