//! Reloads identities, CAs, revocation lists and ticket keys while the server runs: its own, and those for
//! upstreams.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use smol::future::FutureExt;
use turnkey::Reloader;
use turnkey::backend::Timer;
use turnkey::net::ReloadSignal;

use super::background::Background;
use super::systemd::notify;
use crate::check;
use crate::config::Config;
use crate::config::files::{Finding, Material};
use crate::console::causes::with_causes;

/// How often the files are checked.
const LOOK: Duration = Duration::from_secs(1);

/// Reads the files of `config` again after `signal`, or when one of them has changed. `watch` remembers the files
/// as they were before they were first read; `thread` does the work.
pub(crate) async fn run(
    config: Arc<Config>,
    mut watch: Watch,
    reloader: Reloader,
    thread: Background,
    mut signal: ReloadSignal,
) {
    config.passwords.be_silent();
    while reload_once(&config, &mut watch, &reloader, &thread, &mut signal).await.is_some() {}
    log::error!("a reload has panicked: files are not read again until the server is restarted");
}

/// Waits for a reason, then reloads. `None` if the reload has panicked.
async fn reload_once(
    config: &Arc<Config>,
    watch: &mut Watch,
    reloader: &Reloader,
    thread: &Background,
    signal: &mut ReloadSignal,
) -> Option<()> {
    let asked = async {
        signal.next().await;
        Some("SIGHUP")
    };
    let changed = async {
        watch.changed(thread).await?;
        Some("a file changed")
    };
    let why = asked.or(changed).await?;
    watch.seen = watch.look(thread).await?;
    let (config, reloader) = (Arc::clone(config), reloader.clone());
    // Reading files and checking keys takes time, and would block the reactor.
    thread.run(move || reload(&config, &reloader, why)).await
}

/// Handles the signal in a mode that has no files to reload. Otherwise the signal would end the process.
pub(crate) async fn ignore(mut signal: ReloadSignal) {
    loop {
        signal.next().await;
        notify::reloading();
        log::info!("SIGHUP: http mode has no files to read again");
        notify::ready("there was nothing to read again");
    }
}

fn reload(config: &Config, reloader: &Reloader, why: &str) {
    notify::reloading();
    match try_reload(config, reloader, SystemTime::now()) {
        Ok(warnings) => {
            let done =
                format!("reloaded ({why}): new connections are served with what the files hold");
            log::info!("{done}");
            notify::ready(&done);
            for warning in warnings {
                log::warn!("{warning}");
            }
        }
        Err(error) => {
            let failed = format!("not reloaded ({why}), all stays as it was: {error}");
            log::error!("{failed}");
            notify::ready(&failed);
        }
    }
}

fn try_reload(
    config: &Config,
    reloader: &Reloader,
    now: SystemTime,
) -> Result<Vec<Finding>, String> {
    // An unreadable file is a failed reload too.
    let unread = |error: Finding| {
        reloader.count_failure();
        error.to_string()
    };
    let (contents, warnings) = check::load(config, now).map_err(unread)?;
    let own = contents.own.as_ref().map(Material::mode).transpose().map_err(unread)?;
    let upstream = contents.upstream.as_ref().map(|tls| (config.backend(), &tls.config));
    let replaced = reloader.replace_all(own, upstream);
    replaced.map_err(|error| with_causes(&error))?;
    Ok(warnings)
}

/// Checks files until one of them has changed, and then until they stop changing: a certificate and its key are two
/// files, and one of them is written first.
///
/// It polls the files instead of listening for events. A link may change anywhere on the path to the file (as with
/// Kubernetes' `..data` and certbot's `live`), and not every file system reports events.
#[derive(Debug)]
pub(crate) struct Watch {
    paths: Arc<[PathBuf]>,
    /// The state at the last reload.
    seen: Vec<Option<Stamp>>,
}

/// Identifies one state of a file. All links in the path are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    real: PathBuf,
    modified: Option<SystemTime>,
    size: u64,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Watch {
    /// Remembers the current state of the files.
    pub(crate) fn new(config: &Config) -> Self {
        let paths: Arc<[PathBuf]> = config.paths().into_iter().map(Path::to_owned).collect();
        Self { seen: look(&paths), paths }
    }

    async fn changed(&self, thread: &Background) -> Option<()> {
        let mut last = self.look(thread).await?;
        loop {
            Timer::after(LOOK).await;
            let now = self.look(thread).await?;
            if now == last && now != self.seen {
                return Some(());
            }
            last = now;
        }
    }

    async fn look(&self, thread: &Background) -> Option<Vec<Option<Stamp>>> {
        let paths = Arc::clone(&self.paths);
        thread.run(move || look(&paths)).await
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
