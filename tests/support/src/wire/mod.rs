//! What the tests of the wire share: a server in this process with an app that tells on it, a
//! client that sends bytes as it is told to, and a strict reader of responses that has nothing in
//! common with the code under test.

mod app;
mod case;
mod client;
mod expected;
mod log;
mod response;
mod server;

pub use app::{Hits, app};
pub use case::{Case, corpus};
pub use client::{Client, Cut, Ending};
pub use log::{Records, quiet_panics};
pub use response::{Ended, Response, parse};
pub use server::{Stack, TestServer};

/// Bytes as a person can read them, in a line for each line.
pub fn show(bytes: &[u8]) -> String {
    const MOST: usize = 4000;
    let shown = bytes.get(..MOST).unwrap_or(bytes);
    let text = shown.escape_ascii().to_string().replace("\\n", "\\n\n    ");
    let more = match bytes.len() - shown.len() {
        0 => String::new(),
        n => format!("… and {n} bytes more"),
    };
    format!("    {}{more}", text.trim_end())
}
