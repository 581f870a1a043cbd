use std::sync::{Mutex, Once, PoisonError};

/// What the app says when it panics because that is what it was asked for.
pub(super) const ON_PURPOSE: &str = "the test app panics on purpose";

/// What the server logs in this process.
#[derive(Debug)]
pub struct Records(&'static Recorder);

static RECORDER: Recorder = Recorder(Mutex::new(Vec::new()));
static INSTALLED: Once = Once::new();

#[derive(Debug)]
struct Recorder(Mutex<Vec<String>>);

impl Records {
    /// Begins to record.
    pub fn start() -> Self {
        INSTALLED.call_once(|| {
            log::set_logger(&RECORDER).expect("no other logger");
            log::set_max_level(log::LevelFilter::Info);
        });
        Self(&RECORDER)
    }

    /// The lines that hold `fragment`.
    pub fn with(&self, fragment: &str) -> Vec<String> {
        let lines = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.contains(fragment)).cloned().collect()
    }

    /// Panics if a connection did: only handlers may, and what comes of that is a 500.
    #[track_caller]
    pub fn assert_no_connection_panicked(&self) {
        let panics: Vec<_> =
            self.with("panicked").into_iter().filter(|l| !l.contains(ON_PURPOSE)).collect();
        assert!(panics.is_empty(), "the server panicked: {panics:#?}");
    }
}

impl log::Log for Recorder {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target().starts_with("turnkey") {
            let line = record.args().to_string();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    fn flush(&self) {}
}

/// Keeps the panics that the app makes on purpose out of the output.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info
                .payload()
                .downcast_ref::<String>()
                .is_some_and(|text| text.contains(ON_PURPOSE))
            {
                usual(info);
            }
        }));
    });
}
