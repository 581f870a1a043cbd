//! A place of its own for what would change the system, or wants addresses and ports that it may not
//! have.

use std::process::Command;
use std::time::Duration;

use super::process::{run, tool};

/// A shell script of the repository with mounts, a network, processes and a host name of its own, all of
/// which end with it. Root may do that, and whoever tests elsewhere than in a container may become root,
/// or else it fails.
pub fn apart(script: &str) -> Command {
    let is_root = run(tool("id"), b"", Duration::from_secs(5)).text().starts_with("uid=0(");
    let mut command = tool(if is_root { "unshare" } else { "sudo" });
    if !is_root {
        command.args(["-n", "unshare"]);
    }
    command.args(["--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg("sh").arg(format!("{}/{script}", crate::root()));
    command
}
