use std::time::Duration;

use crate::site;
use crate::support::{Stack, run, tool};

on_every_stack! {
    fetch_and_agents_are_served
}

fn fetch_and_agents_are_served(stack: Stack) {
    let site = site(stack);
    let mut node = tool("node");
    node.env("NODE_EXTRA_CA_CERTS", &site.pki.ca_file);
    node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_clients/client.mjs"));
    node.arg(&site.server.url);
    let output = run(node, b"", Duration::from_secs(30));
    assert_eq!(output.code, Some(0), "{}{}", output.text(), output.stderr);
    assert_eq!(output.text(), "fetch\nupload\nagent\n", "{}", output.stderr);
    site.assert_calm();
}
