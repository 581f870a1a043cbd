//! Pieces of configuration for other programs, given to them.

use std::fs;
use std::time::Duration;

use crate::support::documents::in_language;
use crate::support::{run, tool};

const DEADLINE: Duration = Duration::from_secs(30);
/// Where Debian has Apache's.
const MODULES: &str = "/usr/lib/apache2/modules";

#[test]
fn apache_takes_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().display();
    let modules = ["mpm_event", "authz_core", "headers", "proxy", "proxy_http"];
    let load = |name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n");
    let shown = in_language("apache").into_iter().map(|block| block.lines.join("\n"));
    let text = format!(
        "ServerRoot {path}\nPidFile {path}/pid\nErrorLog /dev/stderr\n{}\
         ServerName localhost\nListen 127.0.0.1:1\n{}\nProxyPass / http://127.0.0.1:8000/\n",
        modules.map(load).concat(),
        shown.collect::<Vec<_>>().join("\n")
    );
    let file = dir.path().join("apache.conf");
    fs::write(&file, &text).unwrap();
    let mut apache = tool("apache2");
    let searched = std::env::var("PATH").unwrap_or_default();
    apache.env("PATH", format!("{searched}:/usr/sbin:/sbin"));
    apache.args(["-t", "-f"]).arg(&file);
    let output = run(apache, b"", DEADLINE);
    assert_eq!(output.code, Some(0), "{text}{}", output.stderr);
    assert!(output.stderr.contains("Syntax OK"), "{output:?}");
}

#[test]
fn prometheus_takes_the_rule() {
    for block in in_language("yaml") {
        let lines: Vec<_> = block.lines.iter().map(|line| format!("  {line}\n")).collect();
        let text = format!("groups:\n- name: turnkey\n  rules:\n{}", lines.concat());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rules.yml");
        fs::write(&file, &text).unwrap();
        let mut promtool = tool("promtool");
        promtool.args(["check", "rules"]).arg(&file);
        let output = run(promtool, b"", DEADLINE);
        assert_eq!(output.code, Some(0), "{text}{output:?}");
        assert!(output.text().contains("SUCCESS: 1 rules found"), "{output:?}");
    }
}

#[test]
fn systemd_takes_the_socket() {
    for block in in_language("ini") {
        let dir = tempfile::tempdir().unwrap();
        let lines = block.lines.join("\n");
        assert!(lines.starts_with("# turnkey@.socket"), "{lines}");
        fs::write(dir.path().join("turnkey@.socket"), lines).unwrap();
        let service = "[Service]\nExecStart=/bin/true\n";
        fs::write(dir.path().join("turnkey@.service"), service).unwrap();
        let mut analyze = tool("systemd-analyze");
        analyze.args(["verify", "--man=no", "turnkey@1.socket"]);
        analyze.env("SYSTEMD_UNIT_PATH", format!("{}:", dir.path().display()));
        let output = run(analyze, b"", DEADLINE);
        assert!(output.code == Some(0) && !output.stderr.contains("turnkey@"), "{output:?}");
    }
}
