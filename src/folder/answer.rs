use std::fs::{File, Metadata};
use std::path::Path;
use std::sync::Arc;

use http_types::{Response, StatusCode};
use smol::lock::Semaphore;

use super::asked::{Asked, Likes};
use super::open::{Missed, Patience, Root};
use super::representation::Representation;
use super::{Options, listing};

/// A lookup in a folder for a request.
pub(super) struct Served<'f> {
    pub(super) root: &'f Root,
    pub(super) options: Options,
    pub(super) asked: &'f Asked,
    pub(super) patience: Patience,
    /// Limits compression.
    pub(super) room: &'f Arc<Semaphore>,
}

impl Served<'_> {
    /// The answer, or an error status.
    pub(super) fn find(&self) -> Result<Response, Missed> {
        match self.find_itself() {
            Err(Missed::Nothing) if self.options.spa && self.is_page() => {
                let index = Path::new("index.html");
                let (file, metadata) = self.open(index)?;
                let mut response = self.file(index, file, &metadata)?;
                response.append_header("vary", "accept");
                Ok(response)
            }
            found => found,
        }
    }

    fn find_itself(&self) -> Result<Response, Missed> {
        let place = &self.asked.place;
        if place.is_folder {
            return self.folder();
        }
        let (file, metadata) = self.open(&place.relative)?;
        if metadata.is_dir() {
            return Ok(self.to_folder());
        }
        self.file(&place.relative, file, &metadata)
    }

    /// The index of a folder, or a list of its entries.
    fn folder(&self) -> Result<Response, Missed> {
        let place = &self.asked.place;
        let index = place.index();
        match self.open(&index) {
            Ok((file, metadata)) if metadata.is_file() => {
                return self.file(&index, file, &metadata);
            }
            Ok(_) | Err(Missed::Nothing) => {}
            Err(missed) => return Err(missed),
        }
        if !self.options.listing {
            return Err(Missed::Nothing);
        }
        if self.patience == Patience::None {
            return Err(Missed::NotNow);
        }
        let (folder, metadata) = self.open(&place.relative)?;
        if !metadata.is_dir() {
            return Err(Missed::Nothing);
        }
        listing::answer(self.root, &folder, self.asked)
    }

    fn file(&self, name: &Path, file: File, metadata: &Metadata) -> Result<Response, Missed> {
        if !metadata.is_file() {
            return Err(Missed::Nothing);
        }
        let open = |path: &Path| self.open(path);
        let chosen = Representation::choose(self.asked, open, name, file, metadata)?;
        chosen.answer(self.asked, self.patience, self.room)
    }

    pub(super) fn open(&self, relative: &Path) -> Result<(File, Metadata), Missed> {
        let file = self.root.open(relative, self.patience)?;
        let metadata = file.metadata().map_err(Missed::Failed)?;
        Ok((file, metadata))
    }

    /// Redirects to the folder's path with a slash, so that relative links of its index work.
    fn to_folder(&self) -> Response {
        let Asked { path, query, .. } = self.asked;
        let mut response = Response::new(StatusCode::MovedPermanently);
        // Exactly one slash: after two, the rest would be a host (RFC 3986 §4.2).
        let location = format!("/{}/{query}", path.trim_matches('/'));
        response.set_body(format!("moved to {location}\n"));
        response.insert_header("location", location);
        response
    }

    /// Whether the request may be for a page, and not for a part of one.
    fn is_page(&self) -> bool {
        match self.asked.likes {
            Likes::Page => true,
            Likes::Whatever => self.asked.place.is_folder || !self.asked.place.has_extension(),
            Likes::Json | Likes::NoPage => false,
        }
    }
}
