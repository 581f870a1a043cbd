//! The program where users find it: installed, in a Debian package, in an image.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::process::Command;
use std::time::Duration;

use support::{run, tool};

#[path = "packaging/deb.rs"]
mod deb;
#[path = "packaging/image.rs"]
mod image;
#[path = "packaging/install.rs"]
mod install;
mod support;

/// A shell script with mounts, a network and processes of its own, all of which end with it. Root may do
/// that, and whoever tests elsewhere than in a container may become root, or else it fails.
fn apart(script: &str) -> Command {
    let is_root = run(tool("id"), b"", Duration::from_secs(5)).text().starts_with("uid=0(");
    let mut command = tool(if is_root { "unshare" } else { "sudo" });
    if !is_root {
        command.args(["-n", "unshare"]);
    }
    command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"]);
    command.arg(format!("{}/{script}", env!("CARGO_MANIFEST_DIR")));
    command
}
