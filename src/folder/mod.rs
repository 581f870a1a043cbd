//! A folder, served as it is.

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

/// The methods that files answer to.
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// A folder whose files are served.
///
/// - What a file is, its name says; `index.html` stands for its folder. A path with a name that begins with
///   a dot is not served, but for `.well-known` (RFC 8615) at the top; neither is what a link leads to
///   outside of the folder, and what is no file. A link may lead to a hidden name inside.
/// - Conditions (RFC 9110 §13) and ranges (§14) are kept. More than 64 ranges get the whole file.
/// - A client that accepts it gets the `.br` or `.gz` that lies beside a file and is no older, and text
///   of 1 KiB or more that has neither is compressed with gzip on its way, four files at once for each
///   core.
/// - Nothing waits for the disk on the reactor. Files of more than 64 KiB are sent as they are read, and
///   on connections without TLS by the kernel (`sendfile`, on Linux).
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
    /// For what is compressed.
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
    /// The folder at `path`, which has to be there. What that path leads to is looked up again while it
    /// is served: a link may come to lead elsewhere.
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

    /// Sets whether folders without an `index.html` are listed: as a page, or as JSON for who asks for
    /// that (`Accept`); they are not.
    #[must_use]
    pub fn listing(mut self, on: bool) -> Self {
        self.options.listing = on;
        self
    }

    /// Sets whether `index.html` at the top answers for pages that there are not, with 200, as apps want
    /// it that find their way by themselves in the browser; it does not. A page is what has no
    /// extension, or what the client wants as `text/html`.
    #[must_use]
    pub fn spa(mut self, on: bool) -> Self {
        self.options.spa = on;
        self
    }

    /// What `request` gets for `path`, which is relative to the folder and still percent-encoded. The
    /// path of the request itself is only told to the client: where a folder lies, and what is in it.
    pub async fn answer(&self, request: &Request, path: &str) -> Response {
        match request.method() {
            Method::Get | Method::Head => {}
            Method::Options => return allow(Response::new(StatusCode::NoContent)),
            _ => return allow(refused(StatusCode::MethodNotAllowed, "files are only read here")),
        }
        let Some(asked) = Asked::new(request, path) else { return not_found() };
        match self.find(&asked, Patience::None) {
            // It takes patience; or it has changed while it was looked at, perhaps.
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

    /// Looks as long as it takes. A file that changes while it is looked at gets a second look.
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
        // Why is told to nobody but whoever reads the log.
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
