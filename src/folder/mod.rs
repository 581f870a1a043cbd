//! Serves the files of a folder.

mod answer;
mod asked;
mod coding;
mod compress;
mod conditions;
mod entity_tag;
pub(crate) mod file_body;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod kind;
mod listing;
mod multipart;
mod open;
mod place;
mod ranges;
mod representation;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_types::{Method, Request, Response, StatusCode};
use smol::lock::Semaphore;

use self::answer::Served;
use self::asked::Asked;
pub(crate) use self::open::{Missed, Patience, Root};
use crate::common::causes::with_causes;
use crate::common::refusal::Refusal;

/// The methods that files support.
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// A folder whose files are served.
///
/// - The name of a file decides its type; `index.html` is the index of its folder. Names that begin with a
///   dot are not served, except `.well-known` (RFC 8615) at the top. Targets of links outside the folder
///   are not served, and neither are special files. A link may lead to a hidden name inside.
/// - Conditions (RFC 9110 §13) and ranges (§14) are supported. More than 64 ranges get the whole file.
/// - A client that accepts it gets the `.br` or `.gz` copy beside a file, if it is not older. Text of 1 KiB or
///   more without a copy is compressed with gzip while it is sent, at most four files at once for each core.
/// - The reactor never waits for the disk. Files of more than 64 KiB are sent while they are read; without
///   TLS the kernel sends them (`sendfile`, on Linux).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let public = folder.path();
/// let mut app = turnkey::App::new();
/// app.at("/api/time").get(|_| async { Ok("now") });
/// app.mount("/", turnkey::Folder::new(public)?.spa(true));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Folder {
    root: Arc<Root>,
    /// Limits compression.
    room: Arc<Semaphore>,
    options: Options,
}

#[derive(Debug, Clone, Copy, Default)]
struct Options {
    listing: bool,
    spa: bool,
}

/// Why a folder cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", path.display(), self.what())]
pub struct FolderError {
    path: PathBuf,
    source: io::Error,
}

impl FolderError {
    /// What is wrong, and what to do about it.
    #[must_use]
    pub fn what(&self) -> String {
        match self.source.kind() {
            io::ErrorKind::NotFound => "there is no such folder; make it, or check the path".into(),
            io::ErrorKind::NotADirectory => {
                "is a file, and a folder is wanted; name the one that it lies in".into()
            }
            io::ErrorKind::PermissionDenied => {
                "may not be read; check its permissions, and whose it is with ls -ld".into()
            }
            _ => format!("cannot be opened: {}", self.source),
        }
    }
}

impl Folder {
    /// The folder at `path`, which must exist. The path is opened again from time to time, so that a changed
    /// link takes effect.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, FolderError> {
        let path = path.into();
        match Root::new(path.clone()) {
            Ok(root) => Ok(Self {
                root: Arc::new(root),
                room: compress::room(),
                options: Options::default(),
            }),
            Err(source) => Err(FolderError { path, source }),
        }
    }

    /// Sets whether folders without an `index.html` are listed: as a page, or as JSON if the client prefers
    /// that (`Accept`). The default is no.
    #[must_use]
    pub fn listing(mut self, on: bool) -> Self {
        self.options.listing = on;
        self
    }

    /// Sets whether `index.html` at the top answers, with 200, for pages that do not exist, for apps that do
    /// their routing in the browser. The default is no. A page is a path without an extension, or a
    /// request that prefers `text/html`.
    #[must_use]
    pub fn spa(mut self, on: bool) -> Self {
        self.options.spa = on;
        self
    }

    /// The answer to `request` for `path`, which is relative to the folder and percent-encoded. The request's
    /// own path is used only in redirects and listings.
    pub async fn answer(&self, request: &Request, path: &str) -> Response {
        match request.method() {
            Method::Get | Method::Head => {}
            Method::Options => return allow(Response::new(StatusCode::NoContent)),
            _ => return allow(refused(StatusCode::MethodNotAllowed, "files are only read here")),
        }
        let Some(asked) = Asked::new(request, path) else { return not_found() };
        match self.find(&asked, Patience::None) {
            // It needs the disk, or it has changed during the lookup.
            Err(Missed::NotNow | Missed::Failed(_)) => {
                let folder = self.clone();
                smol::unblock(move || folder.find_or_say(&asked)).await
            }
            found => self.say(&asked, found),
        }
    }

    /// Whether there is an `index.html` at the top.
    #[must_use]
    pub fn has_index(&self) -> bool {
        self.root.open(Path::new("index.html"), Patience::Any).is_ok()
    }

    /// Looks up the file, and waits for the disk. If it changes meanwhile, it is looked up a second time.
    fn find_or_say(&self, asked: &Asked) -> Response {
        let mut found = self.find(asked, Patience::Any);
        if matches!(found, Err(Missed::Failed(_))) {
            found = self.find(asked, Patience::Any);
        }
        self.say(asked, found)
    }

    fn find(&self, asked: &Asked, patience: Patience) -> Result<Response, Missed> {
        let Self { root, room, options } = self;
        Served { root, options: *options, asked, patience, room }.find()
    }

    /// The answer, or why there is none.
    fn say(&self, asked: &Asked, found: Result<Response, Missed>) -> Response {
        // Only the log has the reason.
        let file = || self.root.path().join(&asked.place.relative).display().to_string();
        match found {
            Ok(response) => response,
            Err(Missed::Nothing) => not_found(),
            Err(Missed::Denied) => {
                log::info!("{:?}: not served: it may not be read", file());
                refused(StatusCode::Forbidden, "the server may not read this")
            }
            Err(Missed::Outside) => {
                log::info!("{:?}: not served: a link leads out of the folder", file());
                not_found()
            }
            Err(Missed::NotNow) => refused(StatusCode::ServiceUnavailable, "try again"),
            Err(Missed::Failed(error)) => {
                log::error!("{:?}: not served: {}", file(), with_causes(&error));
                let status = StatusCode::InternalServerError;
                refused(status, status.canonical_reason())
            }
        }
    }
}

fn not_found() -> Response {
    refused(StatusCode::NotFound, "there is nothing here")
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    Refusal::new(status, why).response()
}

fn allow(mut response: Response) -> Response {
    response.insert_header("allow", ALLOW);
    response
}

#[cfg(test)]
mod tests;
