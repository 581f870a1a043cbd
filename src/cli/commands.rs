//! The commands and their own options.

use std::path::PathBuf;

use argh::{ArgsInfo, FromArgs, SubCommand};

use crate::console::shell::Shell;

/// What to do other than to serve.
#[derive(Debug, FromArgs, ArgsInfo)]
#[argh(subcommand)]
pub(crate) enum Command {
    Certs(Certs),
    Check(Check),
    Completions(Completions),
    Man(Man),
}

impl Command {
    /// As it is typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Certs(_) => Certs::COMMAND.name,
            Self::Check(_) => Check::COMMAND.name,
            Self::Completions(_) => Completions::COMMAND.name,
            Self::Man(_) => Man::COMMAND.name,
        }
    }
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
    example = "turnkey certs --out certs --host example.test --client alice",
    example = "turnkey certs --client web --san spiffe://example.test/ns/a/sa/web",
    example = "turnkey certs --out b --no-default-names --host b.example.test"
)]
#[cfg_attr(not(feature = "pki"), expect(dead_code, reason = "parsed all the same, and refused"))]
pub(crate) struct Certs {
    /// the folder to write to; default: certs
    #[argh(option, arg_name = "dir", default = "PathBuf::from(\"certs\")")]
    pub(crate) out: PathBuf,

    /// a further name or address of the server; may be repeated
    #[argh(option, arg_name = "host")]
    pub(crate) host: Vec<String>,

    /// leave localhost, 127.0.0.1, the machine's name and the like out of the server's certificate
    #[argh(switch)]
    pub(crate) no_default_names: bool,

    /// a further client to make a certificate for; may be repeated
    #[argh(option, arg_name = "name")]
    pub(crate) client: Vec<String>,

    /// a further name of the one --client: DNS:NAME, email:ADDRESS, URI:URI or IP:ADDRESS; may be repeated
    #[argh(option, arg_name = "name")]
    pub(crate) san: Vec<String>,

    /// p256, rsa2048 or rsa4096; default: that of before, or p256
    #[argh(option, arg_name = "p256|rsa2048|rsa4096")]
    pub(crate) key_type: Option<String>,

    /// how many days certificates are good for; default: 365
    #[argh(option, arg_name = "number", from_str_fn(number_of_days))]
    pub(crate) days: Option<u32>,

    /// replace the CA, and the certificates of the server and of all clients
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
    example = "turnkey completions fish >$HOME/.config/fish/completions/turnkey.fish"
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

fn number_of_days(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected a number of days, such as 365".to_owned())
}
