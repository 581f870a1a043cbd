//! A server with short limits, whatever its bytes go through, and the means to reach it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Client, Conn, Dialer, Pki, Program, Server};

/// What bytes go through between a client and the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    Plain,
    Rustls,
    NativeTls,
    OpenSsl,
}

impl Stack {
    pub const ALL: [Self; 4] = [Self::Plain, Self::Rustls, Self::NativeTls, Self::OpenSsl];
    /// For what is the same on every stack of TLS.
    pub const PLAIN_AND_TLS: [Self; 2] = [Self::Plain, Self::Rustls];

    pub fn is_tls(self) -> bool {
        self != Self::Plain
    }

    fn backend(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Rustls => "rustls",
            Self::NativeTls => "native-tls",
            Self::OpenSsl => "openssl",
        }
    }
}

/// Runs `test` for all of `stacks` at once, since most of the time it waits, each in a thread that
/// is named for the stack.
pub fn on(stacks: &[Stack], test: impl Fn(Stack) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for &stack in stacks {
            let thread = thread::Builder::new().name(format!("{stack:?}"));
            thread.spawn_scoped(scope, move || test(stack)).expect("a thread");
        }
    });
}

/// Limits that a test can wait for.
const SHORT: [(&str, &str); 9] = [
    ("--handshake-timeout", "1"),
    ("--head-timeout", "1"),
    ("--body-timeout", "1"),
    ("--write-timeout", "1"),
    ("--idle-timeout", "2"),
    ("--drain-timeout", "2"),
    ("--max-head", "16K"),
    ("--max-body", "1M"),
    ("--threads", "2"),
];

/// The program, serving over one stack with short limits.
pub struct Site {
    pub stack: Stack,
    pub server: Server,
    pub dialer: Dialer,
    pub pki: Pki,
}

impl Site {
    /// With short limits, but for these.
    pub fn new(stack: Stack, limits: &[(&str, &str)]) -> Self {
        Self::start(stack, limits, Program::new)
    }

    /// The same for a process that may have so many descriptors.
    pub fn with_descriptors(most: u32, stack: Stack, limits: &[(&str, &str)]) -> Self {
        Self::start(stack, limits, |args| Program::with_descriptors(most, args))
    }

    /// The same for any way to start the program.
    pub fn start(
        stack: Stack,
        limits: &[(&str, &str)],
        program: impl FnOnce(&[&str]) -> Program,
    ) -> Self {
        let pki = Pki::new();
        let mut options = SHORT.to_vec();
        options.retain(|(name, _)| limits.iter().all(|(other, _)| other != name));
        options.extend(limits);
        let mut args: Vec<&str> = options.iter().flat_map(|(name, value)| [*name, value]).collect();
        args.extend(["--backend", stack.backend()]);
        if stack.is_tls() {
            args.extend(pki.server_args());
        }
        if !args.contains(&"--port") {
            args.extend(["--port", "0"]);
        }
        let server = program(&args).start();
        let dialer = if stack.is_tls() {
            Dialer::tls(server.port, &pki.ca_file)
        } else {
            Dialer::plain(server.port)
        };
        Self { stack, server, dialer, pki }
    }

    pub fn open(&self) -> Conn {
        self.dialer.open()
    }

    /// A client that behaves.
    pub fn curl(&self) -> Client {
        Client::new(&["--cacert", &self.pki.ca_file])
    }

    /// Has curl fetch `/`, which has to be served within a second. The result is how long it took.
    #[track_caller]
    pub fn assert_served_soon(&self) -> Duration {
        self.assert_served_within(Duration::from_secs(1))
    }

    #[track_caller]
    pub fn assert_served_within(&self, limit: Duration) -> Duration {
        let asked = ["-w", "\n%{http_code} %{time_total}", &self.server.url];
        let output = self.curl().run(&asked);
        let text = output.text();
        let served = text.strip_prefix("Top-level content").map(str::trim);
        let seconds = served.and_then(|rest| rest.strip_prefix("200 ")?.parse().ok());
        let seconds = seconds
            .unwrap_or_else(|| panic!("not served: {output:?}; the log: {}", self.server.log()));
        let taken = Duration::from_secs_f64(seconds);
        assert!(taken < limit, "{:?}: served after {taken:?}", self.stack);
        taken
    }

    /// The descriptors that are open when the server has served and nobody is connected.
    pub fn descriptors_at_rest(&self) -> usize {
        // The first connection opens what is kept from then on.
        self.assert_served_soon();
        thread::sleep(Duration::from_millis(100));
        self.server.descriptors()
    }

    /// Runs `during` and has curl served all the while, each time within a second.
    pub fn served_while<T>(&self, during: impl FnOnce() -> T) -> T {
        let over = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let curl = scope.spawn(|| {
                let mut worst = self.assert_served_soon();
                while !over.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(100));
                    worst = worst.max(self.assert_served_soon());
                }
                worst
            });
            let result = {
                let _over = Raise(&over);
                during()
            };
            let worst = curl.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
            report(self.stack, &format!("a well-behaved client was served within {worst:?}"));
            result
        });
        self.assert_calm();
        result
    }

    /// The log has neither panics nor errors.
    #[track_caller]
    pub fn assert_calm(&self) {
        let log = self.server.log();
        assert!(!log.contains("panicked") && !log.contains("error: "), "{:?}: {log}", self.stack);
    }
}

/// Says what was measured: `cargo test -- --nocapture` shows it.
#[allow(clippy::print_stderr, reason = "a figure, for people")]
pub fn report(of: impl std::fmt::Debug, figure: &str) {
    eprintln!("{of:?}: {figure}");
}

/// Raises a flag also when what goes on under it fails.
pub struct Raise<'f>(pub &'f AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What a process takes, from `/proc`.
impl Server {
    /// Memory that is resident, in KiB.
    pub fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        kib.expect("VmRSS in KiB")
    }

    /// Time on processors, in this process and in the kernel on its behalf.
    pub fn cpu_time(&self) -> Duration {
        let stat = self.proc("stat");
        // The name, in parentheses, may hold anything; what follows is the third field.
        let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
        let ticks = |n: usize| -> u64 {
            fields.split_whitespace().nth(n - 3).and_then(|t| t.parse().ok()).expect("ticks")
        };
        // USER_HZ is 100 wherever Linux runs.
        Duration::from_millis(10 * (ticks(14) + ticks(15)))
    }

    /// How many descriptors are open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("a process").count()
    }

    /// Asserts that the log says `text` just so many times. It comes through a pipe, and may be on
    /// its way still.
    #[track_caller]
    pub fn assert_says(&self, text: &str, times: usize) {
        let end = Instant::now() + Duration::from_secs(1);
        loop {
            let log = self.log();
            if log.matches(text).count() == times {
                return;
            }
            assert!(Instant::now() < end, "expected {text:?} {times} times in {log:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until no more than so many descriptors are open.
    #[track_caller]
    pub fn await_descriptors(&self, most: usize, within: Duration) {
        let end = Instant::now() + within;
        while self.descriptors() > most {
            let open = self.descriptors();
            assert!(Instant::now() < end, "{open} descriptors are open still, not {most}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid())).expect("a process")
    }
}
