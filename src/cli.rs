//! The options of the program, as argh reads them.

use std::path::PathBuf;
use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};
use turnkey_backend::{CommonNameRule, SanRule, TlsVersion};

use crate::access::LogFormat;
use crate::address::Address;
use crate::mode::BackendName;
use crate::proxy::{Balance, Upstream};
use crate::shell::Shell;
use crate::trust::TrustedProxies;
use crate::units::{Bytes, Delay, Seconds, boolean};

/// The options of serving; all of them may be left out.
#[derive(Debug, Default, FromArgs, ArgsInfo)]
#[expect(clippy::struct_excessive_bools, reason = "each switch of the command line is one")]
#[argh(
    description = "Puts an app on HTTP, HTTPS or mutual TLS by one switch. Without options: the built-in app, on http://127.0.0.1:8000/",
    help_triggers("-h", "--help", "help"),
    example = "turnkey --cert server.crt --key server.key",
    example = "turnkey --identity server.p12 --client-ca ca.crt",
    example = "turnkey --dir public --listing",
    note = "Every option is an environment variable too: --client-ca is TURNKEY_CLIENT_CA. The command line wins.\nThe password of a key is read from --key-password-file, from TURNKEY_KEY_PASSWORD, or from the terminal."
)]
pub(crate) struct Serve {
    /// http, https or mutual; http, unless an identity or a client CA is given
    #[argh(option, arg_name = "http|https|mutual")]
    pub(crate) mode: Option<ModeName>,

    /// the address or name to listen on; 127.0.0.1
    #[argh(option, arg_name = "host")]
    pub(crate) host: Option<String>,

    /// the port to listen on; 8000. 0 is any free one
    #[argh(option, arg_name = "port", from_str_fn(port_number))]
    pub(crate) port: Option<u16>,

    /// where to listen: host:port or unix:PATH, in place of --host and --port; may be repeated
    #[argh(option, arg_name = "address")]
    pub(crate) listen: Vec<Address>,

    /// permissions of the file of a Unix socket that is listened on, such as 660; what the umask
    /// leaves
    #[argh(option, arg_name = "mode", from_str_fn(file_mode))]
    pub(crate) socket_mode: Option<u32>,

    /// plain, native-tls, rustls or openssl; the first that can do what is asked
    #[argh(option, arg_name = "plain|native-tls|rustls|openssl")]
    pub(crate) backend: Option<BackendName>,

    /// file with the server's certificate and those between it and its CA, in PEM; may be
    /// repeated, for further names
    #[argh(option, arg_name = "file")]
    pub(crate) cert: Vec<PathBuf>,

    /// file with the key of --cert, in PEM; one for each --cert, in the same order
    #[argh(option, arg_name = "file")]
    pub(crate) key: Vec<PathBuf>,

    /// file with certificate and key in one, in PKCS#12; may be repeated, for further names
    #[argh(option, arg_name = "file")]
    pub(crate) identity: Vec<PathBuf>,

    /// make a certificate for this run only; in mutual mode a CA and one for a client too
    #[argh(switch)]
    pub(crate) adhoc: bool,

    /// file with the password of the key
    #[argh(option, arg_name = "file")]
    pub(crate) key_password_file: Option<PathBuf>,

    /// file with a response of the CA's OCSP responder, to be stapled; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) ocsp: Vec<PathBuf>,

    /// file with the certificates of the CAs whose clients are let in, in PEM; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) client_ca: Vec<PathBuf>,

    /// none, optional or required: whether clients need a certificate; required
    #[argh(option, arg_name = "none|optional|required")]
    pub(crate) client_verify: Option<ClientVerify>,

    /// file with revocation lists of these CAs, in PEM or DER; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) client_crl: Vec<PathBuf>,

    /// let in clients with this common name; * stands for anything; may be repeated
    #[argh(option, arg_name = "pattern")]
    pub(crate) allow_cn: Vec<CommonNameRule>,

    /// let in clients with this alternative name, such as DNS:*.example.test, email:*@example.test
    /// or URI:spiffe://example.test/**; may be repeated
    #[argh(option, arg_name = "pattern")]
    pub(crate) allow_san: Vec<SanRule>,

    /// refuse in the handshake whom no rule lets in, in place of an answer that says so
    #[argh(switch)]
    pub(crate) deny_early: bool,

    /// the oldest TLS version to speak, 1.2 or 1.3; 1.2
    #[argh(option, arg_name = "1.2|1.3")]
    pub(crate) tls_min: Option<TlsVersion>,

    /// the newest TLS version to speak, 1.2 or 1.3; the newest that the backend can
    #[argh(option, arg_name = "1.2|1.3")]
    pub(crate) tls_max: Option<TlsVersion>,

    /// on or off: whether clients that come back may skip most of the handshake; on in https mode,
    /// off in mutual mode
    #[argh(option, arg_name = "on|off", from_str_fn(switch))]
    pub(crate) resumption: Option<bool>,

    /// file with 32 random bytes or more that several servers share, so that a session begun at one
    /// is resumed at another
    #[argh(option, arg_name = "file")]
    pub(crate) ticket_keys: Option<PathBuf>,

    /// a port for plain HTTP, from which all are sent on to https
    #[argh(option, arg_name = "port", from_str_fn(port_number))]
    pub(crate) redirect_from: Option<u16>,

    /// seconds for which browsers shall only come by https (Strict-Transport-Security)
    #[argh(option, arg_name = "seconds", from_str_fn(max_age))]
    pub(crate) hsts: Option<u64>,

    /// a path at which the server itself says how it is: 200 while it serves, 503 while it drains
    #[argh(option, arg_name = "path", from_str_fn(health_path))]
    pub(crate) health: Option<String>,

    /// seconds that a handshake may take; 10
    #[argh(option, arg_name = "seconds")]
    pub(crate) handshake_timeout: Option<Seconds>,

    /// seconds that a request head may take, first byte to last; 10
    #[argh(option, arg_name = "seconds")]
    pub(crate) head_timeout: Option<Seconds>,

    /// seconds that a request body may make no progress; 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) body_timeout: Option<Seconds>,

    /// seconds that a client may take nothing of an answer; 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) write_timeout: Option<Seconds>,

    /// seconds that a connection stays open without a request; 60
    #[argh(option, arg_name = "seconds")]
    pub(crate) idle_timeout: Option<Seconds>,

    /// seconds that the server still takes connections after SIGTERM or SIGINT, while --health says 503;
    /// 0
    #[argh(option, arg_name = "seconds")]
    pub(crate) drain_delay: Option<Delay>,

    /// seconds that stopping waits for what is under way; 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) drain_timeout: Option<Seconds>,

    /// connections open at a time; what the limit on open files leaves room for
    #[argh(option, arg_name = "number")]
    pub(crate) max_connections: Option<usize>,

    /// connections in their handshake at a time; half of --max-connections
    #[argh(option, arg_name = "number")]
    pub(crate) max_handshakes: Option<usize>,

    /// largest request head, in bytes; 16K
    #[argh(option, arg_name = "bytes")]
    pub(crate) max_head: Option<Bytes>,

    /// largest request body, in bytes; 10M. 0: any
    #[argh(option, arg_name = "bytes")]
    pub(crate) max_body: Option<Bytes>,

    /// threads that serve; as many as there are processors
    #[argh(option, arg_name = "number")]
    pub(crate) threads: Option<usize>,

    /// a folder to serve, in place of the built-in app; its .well-known/acme-challenge on the port of
    /// --redirect-from too
    #[argh(option, arg_name = "dir")]
    pub(crate) dir: Option<PathBuf>,

    /// list what is in folders that have no index.html
    #[argh(switch)]
    pub(crate) listing: bool,

    /// answer with index.html for pages that are not in the folder: an app in the browser knows them
    #[argh(switch)]
    pub(crate) spa: bool,

    /// a server to hand requests on to: http://host:port, https://host:port or unix:PATH; may be
    /// repeated
    #[argh(option, arg_name = "url")]
    pub(crate) proxy: Vec<Upstream>,

    /// round-robin or least-connections: how one of several --proxy is chosen; round-robin
    #[argh(option, arg_name = "round-robin|least-connections")]
    pub(crate) balance: Option<Balance>,

    /// file with the CAs whose servers are good behind an https:// proxy, in PEM; those that the system
    /// trusts; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_ca: Vec<PathBuf>,

    /// file with the certificate to show to these servers, in PEM
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_cert: Option<PathBuf>,

    /// file with the key of --upstream-cert, in PEM
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_key: Option<PathBuf>,

    /// the Host that these servers get; the one that the client called
    #[argh(option, arg_name = "host")]
    pub(crate) upstream_host: Option<String>,

    /// seconds that these servers may take to answer, and pause within an answer; 60
    #[argh(option, arg_name = "seconds")]
    pub(crate) proxy_timeout: Option<Seconds>,

    /// pass bodies of unknown length on as they come; servers of WSGI cannot read them
    #[argh(switch)]
    pub(crate) proxy_streaming: bool,

    /// address or network of a proxy that is believed about its clients, or unix: all that come over
    /// a Unix socket; may be repeated
    #[argh(option, arg_name = "network")]
    pub(crate) trust_proxy: Vec<TrustedProxies>,

    /// connections of these proxies begin with a PROXY header, version 1 or 2
    #[argh(switch)]
    pub(crate) proxy_protocol: bool,

    /// text, common, combined or json: how the line of each request is written to stdout; text
    #[argh(option, arg_name = "text|common|combined|json")]
    pub(crate) log_format: Option<LogFormat>,

    /// host:port or unix:PATH, at which /metrics is for Prometheus, in plain HTTP
    #[argh(option, arg_name = "address")]
    pub(crate) metrics: Option<Address>,

    /// print the version and the backends, and leave
    #[argh(switch, short = 'V')]
    pub(crate) version: bool,

    #[argh(subcommand)]
    pub(crate) command: Option<Command>,
}

/// A port, with a message for people.
pub(crate) fn port_number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a port, from 0 to 65535".to_owned())
}

/// Permissions as `chmod` takes them in numbers.
fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "expected permissions in octal, such as 660".to_owned())
}

/// On or off, as people write it.
fn switch(text: &str) -> Result<bool, String> {
    boolean(text).ok_or_else(|| "expected on or off".to_owned())
}

fn health_path(text: &str) -> Result<String, String> {
    let fits = text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'?');
    fits.then(|| text.to_owned()).ok_or_else(|| "expected a path, such as /healthz".to_owned())
}

fn number_of_days(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a number of days, such as 365".to_owned())
}

fn max_age(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected seconds, such as 31536000 for a year".to_owned())
}

/// What to do other than to serve.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(subcommand)]
pub(crate) enum Command {
    Certs(Certs),
    Check(Check),
    Completions(Completions),
    Man(Man),
}

/// Say what is wrong with the options of serving, and with the files that they name; serve nothing.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "check",
    help_triggers("-h", "--help", "help"),
    example = "turnkey check --cert server.crt --key server.key --host example.test",
    note = "All options of serving are taken, and mean the same: see turnkey --help. With --host, the certificates must be good for that name."
)]
pub(crate) struct Check {
    /// say it in JSON
    #[argh(switch)]
    pub(crate) json: bool,
}

/// Make a CA, and certificates for a server and its clients; keep those that are still good.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "certs",
    help_triggers("-h", "--help", "help"),
    example = "turnkey certs --out certs --host example.test --client alice"
)]
#[cfg_attr(not(feature = "pki"), expect(dead_code, reason = "parsed all the same, and refused"))]
pub(crate) struct Certs {
    /// the folder to write to; certs
    #[argh(option, arg_name = "dir", default = "PathBuf::from(\"certs\")")]
    pub(crate) out: PathBuf,

    /// a further name or address of the server; may be repeated
    #[argh(option, arg_name = "host")]
    pub(crate) host: Vec<String>,

    /// a further client to make a certificate for; may be repeated
    #[argh(option, arg_name = "name")]
    pub(crate) client: Vec<String>,

    /// p256, rsa2048 or rsa4096; p256
    #[argh(option, arg_name = "p256|rsa2048|rsa4096")]
    pub(crate) key_type: Option<String>,

    /// how many days certificates are good for; 365
    #[argh(option, arg_name = "number", from_str_fn(number_of_days))]
    pub(crate) days: Option<u32>,

    /// replace the CA, and all that it issued
    #[argh(switch)]
    pub(crate) force: bool,
}

/// Print what has a shell complete commands, options and files.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "completions",
    help_triggers("-h", "--help", "help"),
    example = "turnkey completions bash >/etc/bash_completion.d/turnkey",
    example = "turnkey completions zsh >/usr/local/share/zsh/site-functions/_turnkey",
    example = "turnkey completions fish >~/.config/fish/completions/turnkey.fish"
)]
pub(crate) struct Completions {
    /// the shell
    #[argh(positional, arg_name = "bash|zsh|fish")]
    pub(crate) shell: Shell,
}

/// Print the manual page.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "man",
    help_triggers("-h", "--help", "help"),
    example = "turnkey man | man -l -"
)]
pub(crate) struct Man {}

/// The three modes, in the order of what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ModeName {
    Http,
    Https,
    Mutual,
}

impl ModeName {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Mutual => "mutual",
        }
    }
}

impl FromStr for ModeName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Http, Self::Https, Self::Mutual]
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| "expected http, https or mutual".to_owned())
    }
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientVerify {
    None,
    Optional,
    Required,
}

impl FromStr for ClientVerify {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "none" => Ok(Self::None),
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            _ => Err("expected none, optional or required".to_owned()),
        }
    }
}
