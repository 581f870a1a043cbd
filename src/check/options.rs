//! Checks the options by themselves, without the content of files.

use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use turnkey::net::Address;

use crate::cli::unknown_variables::{PORT, UnknownVariable};
use crate::config::Config;
use crate::config::files::{ClientFiles, Finding, Subject};
use crate::config::folder_options::FolderOptions;
use crate::config::listen_options::ListenOptions;

/// The timeout for looking up a name.
const LOOK_UP: Duration = Duration::from_secs(2);

/// Reports what would be served, and what is unusual about it.
pub(super) fn inspect(config: &Config) -> Vec<Finding> {
    let (mode, tls) = (config.mode.name(), config.sources.is_some());
    let scheme = if tls { "https" } else { "http" };
    let places: Vec<_> = config.listen.addresses.iter().map(|at| place(scheme, at)).collect();
    let subject = Subject::option("--mode");
    let text = format!("{mode} on {}", places.join(" and "));
    let mut findings = vec![Finding::ok("mode", &subject, text)];
    if !tls && !config.listen.tcp().all(|(host, _)| is_local(host)) {
        let text = "all who are on the way can read what is served in http mode, and change it";
        findings.push(Finding::note("in-the-clear", &subject, text).fix(
            "behind a proxy or in a network of one's own that may do; else add --cert and --key",
        ));
    }
    if config.trust.is_everybody() {
        let text = "names everybody: any client can say that it is another";
        findings.push(
            Finding::warning("trusts-everybody", &Subject::option("--trust-proxy"), text)
                .fix("name the addresses of the proxies"),
        );
    }
    let clients = config.sources.as_ref().and_then(|sources| sources.clients.as_ref());
    if clients.is_some_and(ClientFiles::has_way_round_rules) {
        let text = "optional: a client that shows no certificate is let in, whatever the rules say";
        findings.push(
            Finding::warning("anonymous-past-rules", &Subject::option("--client-verify"), text)
                .fix("add --allow-anonymous off, or on if that is meant"),
        );
    }
    findings.extend(config.unknown_variables.iter().map(unknown));
    findings.extend(descriptors(config));
    if let Some(port) = config.redirect_from {
        let host = config.listen.tcp().next().map_or("localhost", |(host, _)| host);
        let at = Address::Tcp(host.to_owned(), port);
        let text = format!("http://{at}/ sends on to https");
        findings.push(Finding::ok("redirect", &Subject::option("--redirect-from"), text));
    }
    if let Some(options) = &config.folder {
        findings.push(folder(options));
    }
    if let (None, Some(_), Some(dir)) = (&config.folder, config.redirect_from, &config.challenges)
        && !dir.is_dir()
    {
        let text = "there is no such folder: challenges of an ACME CA are not answered";
        findings.push(
            Finding::warning("no-folder", &Subject::file(dir, "--dir"), text)
                .fix("make it, or check the path"),
        );
    }
    if let Some(upstreams) = &config.upstreams {
        let subject = Subject::option("--proxy");
        let text = format!("requests are handed on to {}", upstreams.names());
        findings.push(Finding::ok("upstream", &subject, text));
    }
    findings
}

/// A listening address, as a URL if it has one.
fn place(scheme: &str, address: &Address) -> String {
    match address {
        Address::Tcp(host, 0) if host.contains(':') => {
            format!("{scheme}://[{host}]/, on a free port")
        }
        Address::Tcp(host, 0) => format!("{scheme}://{host}/, on a free port"),
        Address::Tcp(..) => format!("{scheme}://{address}/"),
        Address::Unix(_) => address.to_string(),
    }
}

/// Whether only this machine can connect to that host.
fn is_local(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || host == "localhost"
}

/// Reports a variable that has no effect, though somebody has set it for a purpose.
fn unknown(variable: &UnknownVariable) -> Finding {
    if variable.name == PORT {
        let text = "TURNKEY_PORT says where a service of Kubernetes is, and no port to listen on";
        return Finding::warning("unknown-variable", &Subject::option("environment"), text)
            .fix("set enableServiceLinks: false in the pod");
    }
    let text = format!("there is no option {}", variable.name.escape_debug());
    let fix = match &variable.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "turnkey --help lists those that there are".to_owned(),
    };
    Finding::warning("unknown-variable", &Subject::option("environment"), text).fix(fix)
}

/// Reports that there may be more clients than there are descriptors for.
fn descriptors(config: &Config) -> Option<Finding> {
    let descriptors = config.descriptors();
    let (wanted, fit) = config.limits.shortage(descriptors)?;
    let (clients, limit) = (config.limits.max_connections, turnkey::net::open_files());
    let each = match descriptors.each {
        1 => "one each",
        2 if config.folder.is_some() => "two each, of which one is for a file",
        2 => "two each, of which one is for the upstream",
        _ => "three each, of which one is for the upstream and one for a body that is held back",
    };
    let text = format!(
        "{clients} clients take up to {wanted} descriptors, {each}; this process may have {limit}"
    );
    let fix = format!(
        "raise the limit on open files (ulimit -n, or LimitNOFILE= in a systemd unit), or give {fit}"
    );
    let subject = Subject::option("--max-connections");
    Some(Finding::warning("descriptors", &subject, text).fix(fix))
}

/// Reports whether the folder can be served, in one finding.
fn folder(options: &FolderOptions) -> Finding {
    let subject = Subject::file(&options.path, "--dir");
    match options.folder() {
        Ok(folder) if options.spa && !folder.has_index() => {
            let text = "has no index.html, which --spa answers with for pages that there are not";
            Finding::warning("no-index", &subject, text).fix("put one there, or leave --spa out")
        }
        Ok(_) => Finding::ok("folder", &subject, "its files are served"),
        Err(error) => Finding::error("no-folder", &subject, error.what()),
    }
}

/// The first host to listen on that is not an address of this machine, with the finding. It is not an error,
/// because certificates are often checked on another machine.
pub(super) fn elsewhere(listen: &ListenOptions) -> Option<(String, Finding)> {
    listen.tcp().find_map(|(host, _)| {
        let text = is_elsewhere(host)?;
        let subject = Subject::option(listen.host_option());
        Some((host.to_owned(), Finding::note("host-elsewhere", &subject, text)))
    })
}

fn is_elsewhere(host: &str) -> Option<String> {
    let name = host.to_owned();
    let (send, receive) = mpsc::channel();
    // A resolver may take any time, and cannot be stopped.
    thread::spawn(move || send.send((name.as_str(), 0).to_socket_addrs().map(Vec::from_iter)));
    Some(match receive.recv_timeout(LOOK_UP) {
        // Bind a datagram socket instead of listening: it checks the address without any effect on others.
        Ok(Ok(addresses)) if addresses.iter().any(|address| UdpSocket::bind(address).is_ok()) => {
            return None;
        }
        Ok(Ok(_)) => format!("{host}: no address of this machine, so it would not start here"),
        Ok(Err(_)) => format!("{host}: not a name that is known here, so it would not start here"),
        Err(_) => format!("{host}: looking it up takes longer than 2 seconds"),
    })
}
