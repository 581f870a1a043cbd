//! Answers a CA's challenges, which prove that a name is ours (RFC 8555 §8.3). The ACME client, certbot for
//! example, puts each answer into a file of a folder.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http_types::{Body, Request, Response, StatusCode};

use crate::common::refusal::Refusal;
use crate::folder::{Missed, Patience, Root};

/// The path before the token, in URLs and in the folder.
pub(super) const PATH: &str = "/.well-known/acme-challenge/";

/// The largest answer that is served, in bytes; real ones have about a hundred.
const MAX: u64 = 64 * 1024;

/// The longest token that is accepted: the longest name of a file.
const MAX_TOKEN: usize = 255;

/// Answers with the folder's file for the token in the path. The host does not matter: the CA uses the
/// name that is to be proved.
pub(super) async fn answer(folder: Arc<Path>, request: Request) -> http_types::Result<Response> {
    let Some(token) = request.url().path().strip_prefix(PATH).filter(|token| is_token(token))
    else {
        return Ok(not_found());
    };
    let relative = Path::new(PATH.trim_start_matches('/')).join(token);
    let found = {
        let (folder, relative) = (folder.to_path_buf(), relative.clone());
        smol::unblock(move || read(folder, &relative)).await
    };
    match found {
        Ok(bytes) => {
            let mut response = Response::new(StatusCode::Ok);
            // The content type is that of the RFC: application/octet-stream.
            response.set_body(Body::from_bytes(bytes));
            Ok(response)
        }
        Err(missed) => {
            if let Some(why) = why(missed) {
                log::warn!("{}: not served: {why}", folder.join(relative).display());
            }
            Ok(not_found())
        }
    }
}

/// A token has the alphabet of base64url (RFC 8555 §8.3), so it cannot lead out of the folder.
fn is_token(token: &str) -> bool {
    (1..=MAX_TOKEN).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn not_found() -> Response {
    Refusal::new(StatusCode::NotFound, "there is no answer to this challenge here").response()
}

/// The contents of the file `relative`, if it is a small file in `folder`. The folder is opened for each
/// request: the ACME client may create it while the server runs.
fn read(folder: PathBuf, relative: &Path) -> Result<Vec<u8>, Missed> {
    let root = Root::new(folder).map_err(Missed::from)?;
    let file = root.open(relative, Patience::Any)?;
    let failed = |why: String| Missed::Failed(io::Error::other(why));
    if !file.metadata().map_err(Missed::Failed)?.is_file() {
        return Err(failed("it is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    file.take(MAX + 1).read_to_end(&mut bytes).map_err(Missed::Failed)?;
    if bytes.len() as u64 > MAX {
        return Err(failed(format!("it is larger than {MAX} bytes")));
    }
    Ok(bytes)
}

/// The text for the log; none if the file does not exist.
fn why(missed: Missed) -> Option<String> {
    match missed {
        // `NotNow` does not occur with `Patience::Any`.
        Missed::Nothing | Missed::NotNow => None,
        Missed::Denied => Some("it may not be read".to_owned()),
        Missed::Outside => Some("a link leads out of the folder".to_owned()),
        Missed::Failed(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn tokens() {
        for token in ["a", "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0", "-_", &"a".repeat(255)] {
            assert!(is_token(token), "{token}");
        }
        for token in ["", ".", "..", "a.b", "a/b", "a%2fb", "a b", "a=", "~", "\u{e4}", "a\\b"] {
            assert!(!is_token(token), "{token}");
        }
        assert!(!is_token(&"a".repeat(256)));
    }

    /// Reads the file that `make` creates in a folder.
    fn read_made(make: impl FnOnce(&Path)) -> Result<Vec<u8>, String> {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let folder = outside.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("token");
        make(&file);
        read(folder, Path::new("token")).map_err(|missed| why(missed).unwrap_or_default())
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let size = usize::try_from(MAX).unwrap();
        assert_eq!(read_made(|file| fs::write(file, "answer").unwrap()).unwrap(), b"answer");
        assert_eq!(read_made(|file| fs::write(file, vec![0; size]).unwrap()).unwrap().len(), size);
        let error = read_made(|file| fs::write(file, vec![0; size + 1]).unwrap()).unwrap_err();
        assert!(error.contains("larger than 65536 bytes"), "{error}");
        assert_eq!(read_made(|_| ()).unwrap_err(), "", "what is missing is not news");
        let error = read_made(|file| fs::create_dir(file).unwrap()).unwrap_err();
        assert!(error.contains("regular file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_in_the_folder() {
        use std::os::unix::fs::symlink;
        let inside = read_made(|file| {
            fs::write(file.with_file_name("other"), "answer").unwrap();
            symlink("other", file).unwrap();
        });
        assert_eq!(inside.unwrap(), b"answer");
        for to in ["../secret", "/etc/passwd", "sub/secret"] {
            let error = read_made(|file| {
                symlink("..", file.with_file_name("sub")).unwrap();
                symlink(to, file).unwrap();
            });
            assert!(error.unwrap_err().contains("a link leads out of"), "{to}");
        }
    }
}
