//! Identities, client CAs, revocation lists and ticket keys that change while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use smol::Timer;
use smol::future::FutureExt;

use crate::check::{self, Finding};
use crate::current::Current;
use crate::mode::{Mode, ModeError, TlsChoice};
use crate::signals::ReloadSignal;
use crate::sources::Sources;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Replaces what a running server serves with.
#[derive(Debug, Clone)]
pub struct Reloader {
    current: Arc<Current>,
}

impl Reloader {
    pub(crate) fn new(current: Arc<Current>) -> Self {
        Self { current }
    }

    /// Builds a backend for `mode` and `choice`, and serves all connections with it that begin from
    /// now on; those that stand are left alone. On an error all stays as it was.
    ///
    /// A mode with TLS can be replaced by another with TLS, and by nothing else.
    pub fn replace(&self, mode: Mode, choice: TlsChoice) -> Result<(), ModeError> {
        let serving = mode.build(choice)?.serving;
        if serving.tls != self.current.get().tls {
            return Err(ModeError::OtherScheme);
        }
        self.current.replace(serving);
        Ok(())
    }
}

/// Reads the files of `sources` again whenever `signal` says so, or one of them has changed. `watch`
/// knows how they were when they were read for the first time.
pub(crate) async fn run(
    sources: Arc<Sources>,
    host: String,
    mut watch: Watch,
    reloader: Reloader,
    mut signal: ReloadSignal,
) {
    sources.passwords.be_silent();
    loop {
        let asked = async {
            signal.next().await;
            "SIGHUP"
        };
        let changed = async {
            watch.changed().await;
            "a file changed"
        };
        let why = asked.or(changed).await;
        watch.seen = watch.look().await;
        let (sources, host, reloader) = (Arc::clone(&sources), host.clone(), reloader.clone());
        // Reading files and checking keys takes its time, and the reactor has none to give.
        smol::unblock(move || reload(&sources, &host, &reloader, why)).await;
    }
}

/// Waits for the signal in a mode that has no files to read again: it would end the process.
pub(crate) async fn ignore(mut signal: ReloadSignal) {
    loop {
        signal.next().await;
        log::info!("SIGHUP: http mode has no files to read again");
    }
}

fn reload(sources: &Sources, host: &str, reloader: &Reloader, why: &str) {
    match try_reload(sources, host, reloader, SystemTime::now()) {
        Ok(warnings) => {
            log::info!("reloaded ({why}): new connections are served with what the files hold");
            for warning in warnings {
                log::warn!("{warning}");
            }
        }
        Err(error) => log::error!("not reloaded ({why}), all stays as it was: {error}"),
    }
}

fn try_reload(
    sources: &Sources,
    host: &str,
    reloader: &Reloader,
    now: SystemTime,
) -> Result<Vec<Finding>, String> {
    let (mode, choice, trouble) =
        check::load(sources, host, now).map_err(|error| error.to_string())?;
    reloader.replace(mode, choice).map_err(|error| crate::causes::with_causes(&error))?;
    Ok(trouble)
}

/// Looks at files until one of them has changed, and then until they have come to rest: a
/// certificate and its key are two files, and one of them is written first.
///
/// They are looked at rather than listened to, because a link may change anywhere on the way to the
/// file (as with Kubernetes' `..data` and certbot's `live`), and because not every file system tells.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Arc<[PathBuf]>,
    /// What the last reload saw.
    seen: Vec<Option<Stamp>>,
}

/// What tells one state of a file from another. The path is followed through all links.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    real: PathBuf,
    modified: Option<SystemTime>,
    size: u64,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Watch {
    /// Remembers how the files are now.
    pub(crate) fn new(sources: &Sources) -> Self {
        let paths: Arc<[PathBuf]> = sources.paths().into_iter().map(Path::to_owned).collect();
        Self { seen: look(&paths), paths }
    }

    async fn changed(&self) {
        let mut last = self.look().await;
        loop {
            Timer::after(LOOK).await;
            let now = self.look().await;
            if now == last && now != self.seen {
                return;
            }
            last = now;
        }
    }

    async fn look(&self) -> Vec<Option<Stamp>> {
        let paths = Arc::clone(&self.paths);
        smol::unblock(move || look(&paths)).await
    }
}

fn look(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    paths.iter().map(|path| Stamp::of(path)).collect()
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let real = fs::canonicalize(path).ok()?;
        let metadata = fs::metadata(&real).ok()?;
        Some(Self {
            real,
            modified: metadata.modified().ok(),
            size: metadata.len(),
            #[cfg(unix)]
            inode: {
                use std::os::unix::fs::MetadataExt;
                (metadata.dev(), metadata.ino())
            },
        })
    }
}
