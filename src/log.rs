use std::io::Write;

use env_logger::{Builder, Env};

/// Logs to stderr, from `info` up, or as `RUST_LOG` says.
pub(crate) fn init() {
    let env = Env::default().default_filter_or("info");
    // A logger that somebody else has set is theirs to keep.
    _ = Builder::from_env(env)
        .format(|out, record| {
            let level = record.level().as_str().to_ascii_lowercase();
            writeln!(out, "{level}: {}", record.args())
        })
        .try_init();
}
