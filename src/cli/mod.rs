//! The options of the program, as argh reads them.

pub(crate) mod args;
mod commands;
pub(crate) mod completions;
mod help;
pub(crate) mod man;
mod nearest;
mod options;
pub(crate) mod recipe;
pub(crate) mod units;
pub(crate) mod unknown_variables;
mod values;
pub(crate) mod variables;

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs};
use turnkey::log::LogFormat;
use turnkey::net::{Address, TrustedProxies};
use turnkey::tls::{BackendName, CommonNameRule, SanRule, TlsVersion};
use turnkey::{Balance, UpgradeProtocol, Upstream};

pub(crate) use self::commands::{Certs, Check, Command};
pub(crate) use self::values::{ClientVerify, ModeName, host, port_number};
use self::values::{file_mode, health_path, max_age, number, switch};
use crate::cli::units::{Bytes, Delay, Seconds};

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
    /// http, https or mutual; default: what the other options ask for, or else http
    #[argh(option, arg_name = "http|https|mutual")]
    pub(crate) mode: Option<ModeName>,

    /// the address or name to listen on; default: 127.0.0.1
    #[argh(option, arg_name = "host", from_str_fn(host))]
    pub(crate) host: Option<String>,

    /// the port to listen on, 0 for any free one; default: 8000
    #[argh(option, short = 'p', arg_name = "port", from_str_fn(port_number))]
    pub(crate) port: Option<u16>,

    /// where to listen: host:port or unix:PATH, in place of --host and --port; may be repeated
    #[argh(option, arg_name = "address")]
    pub(crate) listen: Vec<Address>,

    /// permissions of the file of a Unix socket that is listened on, such as 660; default: what the
    /// umask leaves
    #[argh(option, arg_name = "mode", from_str_fn(file_mode))]
    pub(crate) socket_mode: Option<u32>,

    /// plain, native-tls, rustls or openssl; default: the first that can do what is asked
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

    /// none, optional or required: whether clients need a certificate; default:
    /// required
    #[argh(option, arg_name = "none|optional|required")]
    pub(crate) client_verify: Option<ClientVerify>,

    /// file with revocation lists of these CAs, in PEM or DER; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) client_crl: Vec<PathBuf>,

    /// let in clients with this common name; * stands for one character or more; may be repeated
    #[argh(option, arg_name = "pattern")]
    pub(crate) allow_cn: Vec<CommonNameRule>,

    /// let in clients with this alternative name, such as DNS:*.example.test, email:*@example.test
    /// or URI:spiffe://example.test/**; may be repeated
    #[argh(option, arg_name = "pattern")]
    pub(crate) allow_san: Vec<SanRule>,

    /// file with the certificates of CAs one of which must have issued a client's directly, besides what
    /// --allow-cn and --allow-san ask; the key counts, not the name; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) allow_issuer: Vec<PathBuf>,

    /// on or off: whether --client-verify optional lets in clients that show no certificate; on
    #[argh(option, arg_name = "on|off", from_str_fn(switch))]
    pub(crate) allow_anonymous: Option<bool>,

    /// refuse in the handshake whom no rule lets in, in place of an answer that says so
    #[argh(switch)]
    pub(crate) deny_early: bool,

    /// the oldest TLS version to speak, 1.2 or 1.3; default: 1.2
    #[argh(option, arg_name = "1.2|1.3")]
    pub(crate) tls_min: Option<TlsVersion>,

    /// the newest TLS version to speak, 1.2 or 1.3; default: the newest that the backend can
    #[argh(option, arg_name = "1.2|1.3")]
    pub(crate) tls_max: Option<TlsVersion>,

    /// on or off: whether clients that come back may skip most of the handshake; default: on in
    /// https mode, off in mutual mode
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

    /// seconds that a handshake may take; default: 10
    #[argh(option, arg_name = "seconds")]
    pub(crate) handshake_timeout: Option<Seconds>,

    /// seconds that a request head may take, first byte to last; default: 10
    #[argh(option, arg_name = "seconds")]
    pub(crate) head_timeout: Option<Seconds>,

    /// seconds that a request body may make no progress; default: 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) body_timeout: Option<Seconds>,

    /// seconds that a client may take nothing of an answer; default: 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) write_timeout: Option<Seconds>,

    /// seconds that a connection stays open without a request; default: 60
    #[argh(option, arg_name = "seconds")]
    pub(crate) idle_timeout: Option<Seconds>,

    /// seconds that a connection stays open at most, whatever it is used for; default: any number
    #[argh(option, arg_name = "seconds")]
    pub(crate) max_age: Option<Seconds>,

    /// seconds that the server still takes connections after SIGTERM or SIGINT, while --health says 503;
    /// default: 0
    #[argh(option, arg_name = "seconds")]
    pub(crate) drain_delay: Option<Delay>,

    /// seconds that stopping waits for what is under way; default: 30
    #[argh(option, arg_name = "seconds")]
    pub(crate) drain_timeout: Option<Seconds>,

    /// connections open at a time; default: what the limit on open files leaves room for
    #[argh(option, arg_name = "number", from_str_fn(number))]
    pub(crate) max_connections: Option<usize>,

    /// connections in their handshake at a time; default: half of --max-connections
    #[argh(option, arg_name = "number", from_str_fn(number))]
    pub(crate) max_handshakes: Option<usize>,

    /// largest request head, in bytes; default: 16K
    #[argh(option, arg_name = "bytes")]
    pub(crate) max_head: Option<Bytes>,

    /// largest request body, in bytes, 0 for any; default: 10M
    #[argh(option, arg_name = "bytes")]
    pub(crate) max_body: Option<Bytes>,

    /// threads that serve; default: as many as there are processors
    #[argh(option, arg_name = "number", from_str_fn(number))]
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

    /// round-robin or least-connections: how one of several --proxy is chosen; default:
    /// round-robin
    #[argh(option, arg_name = "round-robin|least-connections")]
    pub(crate) balance: Option<Balance>,

    /// file with the CAs whose servers are good behind an https:// proxy, in PEM; default: those that
    /// the system trusts; may be repeated
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_ca: Vec<PathBuf>,

    /// file with the certificate to show to these servers, in PEM
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_cert: Option<PathBuf>,

    /// file with the key of --upstream-cert, in PEM
    #[argh(option, arg_name = "file")]
    pub(crate) upstream_key: Option<PathBuf>,

    /// the Host that these servers get; default: the one that the client called
    #[argh(option, arg_name = "host")]
    pub(crate) upstream_host: Option<String>,

    /// seconds that these servers may take to answer, and pause within an answer; default: 60
    #[argh(option, arg_name = "seconds")]
    pub(crate) proxy_timeout: Option<Seconds>,

    /// pass bodies on unbuffered, both ways: slow clients keep these servers busy, and servers of WSGI
    /// cannot read bodies of unknown length
    #[argh(switch)]
    pub(crate) proxy_streaming: bool,

    /// disk space for the buffered bodies of all clients together, in bytes, 0 for memory only;
    /// default: 1G
    #[argh(option, arg_name = "bytes")]
    pub(crate) proxy_buffer_max: Option<Bytes>,

    /// hand on fields whose names have other marks than - and _, which PHP and others take for -
    #[argh(switch)]
    pub(crate) lenient_names: bool,

    /// a protocol besides websocket that clients may change to (Upgrade); may be repeated
    #[argh(option, arg_name = "name")]
    pub(crate) upgrade: Vec<UpgradeProtocol>,

    /// seconds without a byte in either direction after which a tunnel ends, as of a WebSocket;
    /// default: 3600
    #[argh(option, arg_name = "seconds")]
    pub(crate) tunnel_timeout: Option<Seconds>,

    /// address or network of a proxy that is believed about its clients, or unix: all that come over
    /// a Unix socket; may be repeated
    #[argh(option, arg_name = "network")]
    pub(crate) trust_proxy: Vec<TrustedProxies>,

    /// connections of these proxies begin with a PROXY header, version 1 or 2
    #[argh(switch)]
    pub(crate) proxy_protocol: bool,

    /// text, common, combined or json: how the line of each request is written to stdout;
    /// default: text
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
