use std::sync::Arc;

use crate::app::{App, Params};
use crate::folder::Folder;

/// The parameter for the rest of the path in the route of a folder.
const REST: &str = "below_the_folder";

impl App {
    /// Serves `folder` at `prefix`, a path such as `/static`, and below it. At `/`, in an application that is not
    /// nested, it answers all paths without a route, in place of a [fallback](App::fallback).
    ///
    /// ```
    /// # fn main() -> Result<(), turnkey::FolderError> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let assets = folder.path();
    /// let mut app = turnkey::App::new();
    /// app.mount("/static", turnkey::Folder::new(assets)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`App::at`] does.
    pub fn mount(&mut self, prefix: &str, folder: Folder) -> &mut Self {
        let prefix = prefix.trim_end_matches('/');
        let folder = Arc::new(folder);
        if prefix.is_empty() {
            return self.fallback(move |request| {
                let folder = Arc::clone(&folder);
                async move { Ok(folder.answer(&request, request.url().path()).await) }
            });
        }
        let handler = |before: &'static str| {
            let folder = Arc::clone(&folder);
            move |request| {
                let folder = Arc::clone(&folder);
                async move {
                    let rest = Params::of(&request).raw(REST).unwrap_or_default();
                    Ok(folder.answer(&request, &format!("{before}{rest}")).await)
                }
            }
        };
        // Without the slash at its end, it redirects to the path with it.
        self.at(prefix).get(handler(""));
        self.at(&format!("{prefix}/")).get(handler("/"));
        self.at(&format!("{prefix}/*{REST}")).get(handler("/"));
        self
    }
}
