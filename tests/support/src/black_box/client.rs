//! Clients that are not ours: curl and `openssl s_client`.

use std::process::Command;
use std::time::Duration;

use super::process::{Output, run, tool};

/// How long a client may take on a busy machine; what hangs fails the test that started it.
const DEADLINE: Duration = Duration::from_secs(20);
/// curl's own limit, below ours so that it can say what it waited for.
const CURL_SECONDS: &str = "15";

/// The version of TLS that a client is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

impl TlsVersion {
    pub fn number(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    pub fn curl(self) -> [&'static str; 3] {
        match self {
            Self::Tls12 => ["--tlsv1.2", "--tls-max", "1.2"],
            Self::Tls13 => ["--tlsv1.3", "--tls-max", "1.3"],
        }
    }

    pub fn s_client(self) -> &'static str {
        match self {
            Self::Tls12 => "-tls1_2",
            Self::Tls13 => "-tls1_3",
        }
    }
}

/// curl, with the options of one test.
#[derive(Debug, Clone, Default)]
pub struct Client {
    options: Vec<String>,
}

/// What curl made of one request.
#[derive(Debug)]
pub struct Answer {
    /// curl's exit code.
    pub exit: i32,
    /// The status code; 0 when there was no answer.
    pub status: u16,
    pub body: Vec<u8>,
    pub stderr: String,
}

impl Client {
    pub fn new(options: &[&str]) -> Self {
        Self::default().and(options)
    }

    /// The same client with more options.
    pub fn and(&self, options: &[&str]) -> Self {
        let mut more = self.clone();
        more.options.extend(options.iter().map(|&o| o.to_owned()));
        more
    }

    /// A `GET`, or what the options make of it.
    pub fn fetch(&self, url: &str) -> Answer {
        let output = self.run(&["-w", "%{stderr}\nstatus=%{http_code}", url]);
        let (stderr, status) = output
            .stderr
            .rsplit_once("\nstatus=")
            .unwrap_or_else(|| panic!("curl did not get as far as a request: {}", output.stderr));
        Answer {
            exit: output.code.expect("curl ends by itself"),
            status: status.trim().parse().expect("curl prints a status code"),
            stderr: stderr.to_owned(),
            body: output.stdout,
        }
    }

    /// Exactly these options, after those of the client.
    pub fn run(&self, options: &[&str]) -> Output {
        run(self.command(options), b"", DEADLINE)
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut curl = tool("curl");
        // -q, first of all: no .curlrc.
        curl.args(["-q", "-sS", "--noproxy", "*", "--max-time", CURL_SECONDS]);
        curl.args(&self.options).args(options);
        curl
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body of a 200, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        self.assert_ok();
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON: {e}: {}", self.text()))
    }

    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.exit == 0 && self.status == 200, "expected a 200: {self:?}");
    }

    /// The built-in app's `/`.
    #[track_caller]
    pub fn assert_top_level(&self) {
        self.assert_ok();
        assert_eq!(self.text().trim_end(), "Top-level content");
    }

    /// No answer, and not one byte of one.
    #[track_caller]
    pub fn assert_refused(&self) {
        assert_ne!(self.exit, 0, "curl was served: {self:?}");
        assert_eq!(self.status, 0, "an answer came back: {self:?}");
        assert!(self.body.is_empty(), "application data came back: {self:?}");
    }
}

/// `openssl s_client` against the local `port`, with `input` as what it sends.
pub fn s_client(port: u16, options: &[&str], input: &[u8]) -> Output {
    let mut s_client = tool("openssl");
    s_client.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]).args(options);
    run(s_client, input, DEADLINE)
}
