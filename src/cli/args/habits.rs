//! What people type who know other servers: Flask, Django, gunicorn, uvicorn, Caddy, ghostunnel,
//! http-server, and those of Python, nginx and Node.

use self::Means::{App, Client, Implied, Password, Place, Renamed, Switch, Tls};

/// What an option of another server is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// This option, with the same value.
    Renamed(&'static str),
    /// This switch.
    Switch(&'static str),
    /// A rule for clients, whose value begins so.
    Client(&'static str),
    /// Where to listen: a host, a port or both.
    Place,
    /// That it speaks TLS.
    Tls,
    /// The password of a key, which is read from a file here.
    Password,
    /// The app to start, which turnkey does not do.
    App,
    /// What holds anyway, for this reason.
    Implied(&'static str),
}

/// The words that others serve by.
const COMMANDS: &[&str] =
    &["serve", "server", "run", "start", "listen", "up", "file-server", "reverse-proxy"];

/// The words that others start an app by.
const APP_COMMANDS: &[&str] = &["runserver", "flask", "django-admin", "manage.py"];

/// The options of others, by their names.
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

/// What that option of another server is here; `--ssl_cert` is `--ssl-cert`.
pub(super) fn meaning(name: &str) -> Option<Means> {
    let name = name.replace('_', "-");
    OPTIONS.iter().find(|(names, _)| names.contains(&&*name)).map(|(_, means)| *means)
}

/// Whether a value stands behind that option of another server.
pub(super) fn takes_value(name: &str) -> bool {
    meaning(name).is_some_and(|means| match means {
        Renamed(_) | Client(_) | Place | Password | App => true,
        Switch(_) | Tls | Implied(_) => false,
    })
}

/// Whether others serve by that word.
pub(super) fn serves(word: &str) -> bool {
    COMMANDS.contains(&word) || starts_app(word)
}

/// Whether others start an app by that word.
pub(super) fn starts_app(word: &str) -> bool {
    APP_COMMANDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options;

    /// A name of ours must keep its own meaning, and what a row leads to must exist.
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
