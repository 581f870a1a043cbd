//! Load generators, which count what goes wrong.

use std::process::Command;
use std::time::Duration;

use crate::site;
use crate::support::{Site, Stack, run, tool};

on_every_stack! {
    ab_has_no_errors
    ab_with_keep_alive_has_no_errors
    wrk_has_no_errors
    h2load_has_no_errors
}

/// Runs a generator that ends well; what it prints.
fn report(site: &Site, command: Command) -> String {
    let output = run(command, b"", Duration::from_secs(60));
    let text = output.text();
    assert_eq!(output.code, Some(0), "{text}\n{}\n{}", output.stderr, site.server.log());
    site.assert_calm();
    text
}

fn generator(name: &str, options: &[&str], url: &str) -> Command {
    let mut command = tool(name);
    command.args(options).arg(url);
    command
}

/// The number after `label` in a report.
fn count(report: &str, label: &str) -> Option<u64> {
    let line = report.lines().find_map(|line| line.trim().strip_prefix(label))?;
    line.split_whitespace().next()?.parse().ok()
}

/// HTTP/1.0, a connection for each request.
fn ab_has_no_errors(stack: Stack) {
    assert_ab(stack, &[], None);
}

/// HTTP/1.0 again, which has to ask for that.
fn ab_with_keep_alive_has_no_errors(stack: Stack) {
    assert_ab(stack, &["-k"], Some(1000));
}

fn assert_ab(stack: Stack, options: &[&str], kept_alive: Option<u64>) {
    let site = site(stack);
    let options = [&["-q", "-n", "1000", "-c", "8"], options].concat();
    let text = report(&site, generator("ab", &options, &site.server.url));
    assert_eq!(count(&text, "Complete requests:"), Some(1000), "{text}");
    assert_eq!(count(&text, "Failed requests:"), Some(0), "{text}");
    assert_eq!(count(&text, "Keep-Alive requests:"), kept_alive, "{text}");
    for trouble in ["Non-2xx responses", "Write errors", "SSL"] {
        let lines = text.lines().filter(|line| !line.starts_with("SSL/TLS Protocol:"));
        assert!(!lines.into_iter().any(|line| line.contains(trouble)), "{trouble}: {text}");
    }
}

fn wrk_has_no_errors(stack: Stack) {
    let site = site(stack);
    let text = report(&site, generator("wrk", &["-t2", "-c8", "-d2s"], &site.server.url));
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "));
    let requests = requests.and_then(|(n, _)| n.parse::<u64>().ok());
    assert!(requests.is_some_and(|n| n > 100), "{text}");
    assert!(!text.contains("Socket errors") && !text.contains("Non-2xx"), "{text}");
}

fn h2load_has_no_errors(stack: Stack) {
    let site = site(stack);
    let options = ["--h1", "-n", "1000", "-c", "8"];
    let text = report(&site, generator("h2load", &options, &site.server.url));
    let all = "1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout";
    assert!(text.contains(&format!("requests: {all}")), "{text}");
    assert!(text.contains("status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{text}");
}
