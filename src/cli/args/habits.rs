//! Options and commands that users know from other servers: Flask, Django, gunicorn, uvicorn, Caddy, ghostunnel,
//! http-server, and those of Python, nginx and Node.

use self::Means::{App, Client, Implied, Password, Place, Renamed, Switch, Tls};

/// What an option of another server means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// This option, with the same value.
    Renamed(&'static str),
    /// This switch.
    Switch(&'static str),
    /// A rule for clients; its value begins with this prefix.
    Client(&'static str),
    /// Where to listen: a host, a port or both.
    Place,
    /// Serves TLS.
    Tls,
    /// The password of a key, which is read from a file here.
    Password,
    /// The app to start, which turnkey does not support.
    App,
    /// Always the case here, for this reason.
    Implied(&'static str),
}

/// The commands with which other servers serve.
const COMMANDS: &[&str] =
    &["serve", "server", "run", "start", "listen", "up", "file-server", "reverse-proxy"];

/// The commands with which other tools start an app.
const APP_COMMANDS: &[&str] = &["runserver", "flask", "django-admin", "manage.py"];

/// The options of other servers, by name.
const OPTIONS: &[(&[&str], Means)] = &[
    (
        &[
            "--certfile",
            "--cert-file",
            "--certificate",
            "--crt",
            "--server-cert",
            "--ssl-cert",
            "--ssl-certfile",
            "--ssl-certificate",
            "--ssl-context",
            "--tls-cert",
            "--tls-cert-file",
            "-C",
        ],
        Renamed("--cert"),
    ),
    (
        &[
            "--keyfile",
            "--key-file",
            "--private-key",
            "--server-key",
            "--ssl-key",
            "--ssl-keyfile",
            "--ssl-certificate-key",
            "--tls-key",
            "--tls-key-file",
            "-K",
        ],
        Renamed("--key"),
    ),
    (&["--keystore", "--p12", "--pfx", "--pkcs12"], Renamed("--identity")),
    (
        &[
            "--ca",
            "--ca-cert",
            "--ca-certs",
            "--ca-file",
            "--cacert",
            "--cafile",
            "--client-ca-file",
            "--ssl-ca-certs",
            "--tls-ca-cert-file",
        ],
        Renamed("--client-ca"),
    ),
    (&["--crl", "--crl-file", "--crlfile"], Renamed("--client-crl")),
    (
        &["--keypass", "--password", "--passphrase", "--ssl-keyfile-password", "--storepass"],
        Password,
    ),
    (&["--bind", "--address", "--addr", "--interface", "--from", "-a", "-b", "-l"], Place),
    (&["--directory", "--docroot", "--folder", "--root", "--static", "-d"], Renamed("--dir")),
    (&["--browse"], Switch("--listing")),
    (&["--single"], Switch("--spa")),
    (
        &["--backend-url", "--proxy-pass", "--reverse-proxy", "--target", "--to", "--upstream"],
        Renamed("--proxy"),
    ),
    (&["--workers", "-w"], Renamed("--threads")),
    (&["--https", "--ssl", "--tls", "-S"], Tls),
    (&["--self-signed", "--selfsigned"], Switch("--adhoc")),
    (&["--allow-all"], Implied("--client-ca lets in all clients of its CA")),
    (&["--allow-dns"], Client("DNS:")),
    (&["--allow-uri"], Client("URI:")),
    (&["--app", "-m"], App),
];

/// What this option of another server means here; `--ssl_cert` is `--ssl-cert`.
pub(super) fn meaning(name: &str) -> Option<Means> {
    let name = name.replace('_', "-");
    OPTIONS.iter().find(|(names, _)| names.contains(&&*name)).map(|(_, means)| *means)
}

/// Whether this option of another server takes a value.
pub(super) fn takes_value(name: &str) -> bool {
    meaning(name).is_some_and(|means| match means {
        Renamed(_) | Client(_) | Place | Password | App => true,
        Switch(_) | Tls | Implied(_) => false,
    })
}

/// Whether another server serves with this command.
pub(super) fn serves(word: &str) -> bool {
    COMMANDS.contains(&word) || starts_app(word)
}

/// Whether another tool starts an app with this command.
pub(super) fn starts_app(word: &str) -> bool {
    APP_COMMANDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options;

    /// One of our own names must keep its meaning, and the option that a row leads to must exist.
    #[test]
    fn the_table_names_options_of_others_and_leads_to_ours() {
        let ours: Vec<_> = options::of_serving().collect();
        for (names, means) in OPTIONS {
            for name in *names {
                assert!(!super::super::all().any(|option| option.is_named(name)), "{name} is ours");
                assert_eq!(meaning(name), Some(*means), "{name} stands in two rows");
            }
            match means {
                Renamed(to) => {
                    assert!(ours.iter().any(|o| o.name == *to && !o.is_switch()), "{to}");
                }
                Switch(to) => assert!(ours.iter().any(|o| o.name == *to && o.is_switch()), "{to}"),
                Client(_) | Place | Tls | Password | App | Implied(_) => {}
            }
        }
        let commands = options::commands();
        for word in COMMANDS.iter().chain(APP_COMMANDS) {
            assert!(!commands.iter().any(|command| command.name == *word), "{word} is ours");
        }
    }
}
