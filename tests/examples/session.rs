//! What a person does who tries an example: one command after the other in a shell.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::built::example;
use crate::support::console::{commands, fits, quiet};
use crate::support::{self, Output};

const DEADLINE: Duration = Duration::from_secs(20);

/// A shell in an empty folder.
pub(crate) struct Session {
    folder: tempfile::TempDir,
    /// What was exported.
    environment: Vec<(String, String)>,
    /// What serves.
    servers: Vec<Child>,
    /// Ports as they are written, and as they are.
    ports: Vec<(String, String)>,
}

impl Session {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, environment: Vec::new(), servers: Vec::new(), ports: Vec::new() }
    }

    /// Does what the first lines of an example say.
    pub(crate) fn play(mut self, source: &str) {
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
        let lines = lines.skip_while(|line| *line != "```console").skip(1);
        let said: Vec<_> = lines.take_while(|line| *line != "```").collect();
        let commands = commands(&said);
        for (command, expected) in &commands {
            self.run(command, expected.as_deref());
        }
        let asks = commands.iter().any(|(command, _)| command.starts_with("curl "));
        assert!(asks, "it says nothing to try");
    }

    /// Runs a command, which has to print `expected`; a server goes on serving.
    pub(crate) fn run(&mut self, command: &str, expected: Option<&str>) {
        let command = self.with_ports(command);
        if let Some(exports) = command.strip_prefix("export ") {
            let pairs = exports.split(' ').map(|pair| pair.split_once('=').expect("NAME=value"));
            self.environment.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        } else if command.contains("cargo run --example ") {
            self.serve(&command);
        } else if let Some(arguments) = command.strip_prefix("cargo run -- ") {
            let mut turnkey = support::tool(env!("CARGO_BIN_EXE_turnkey"));
            turnkey.args(arguments.split(' ')).current_dir(self.folder.path());
            let output = support::run(turnkey, b"", DEADLINE);
            assert_eq!(output.code, Some(0), "{command}: {}", output.stderr);
        } else {
            let output = self.curl(&command);
            let printed = format!("{}{}", output.text(), output.stderr);
            // Where nothing is said to be printed, nothing is.
            let expected = self.with_ports(expected.unwrap_or_default());
            assert!(fits(printed.trim_end(), &expected), "{command}\n{printed}\n{expected}");
        }
    }

    /// Runs an example that ends with an error. The result is what it says.
    pub(crate) fn fails(&self, command: &str) -> String {
        let output = support::run(self.example(command), b"", DEADLINE);
        assert_eq!(output.code, Some(1), "{command}: {} {}", output.text(), output.stderr);
        output.stderr
    }

    fn curl(&self, command: &str) -> Output {
        let mut shell = support::tool("sh");
        shell.args(["-c", &quiet(command)]).current_dir(self.folder.path());
        support::run(shell, b"", DEADLINE)
    }

    /// Starts an example, on a port of its own.
    fn serve(&mut self, command: &str) {
        let mut server = self.example(command).spawn().expect("an example");
        let mut stdout = BufReader::new(server.stdout.take().expect("stdout is piped"));
        self.servers.push(server);
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it listens");
        // Never block it on a full pipe.
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let port = line.trim_end().trim_end_matches('/').rsplit(':').next();
        let port = port.filter(|port| port.parse::<u16>().is_ok());
        let port = port.unwrap_or_else(|| panic!("{command}: no address: {line:?}"));
        let written = listens_on(command).unwrap_or("8000");
        self.ports.retain(|(known, _)| known != written);
        self.ports.push((written.to_owned(), port.to_owned()));
    }

    /// The command that runs an example, with a port that is free.
    fn example(&self, command: &str) -> Command {
        let (variables, rest) = command.split_once("cargo run --example ").expect("an example");
        let (name, arguments) = rest.split_once(" -- ").unwrap_or((rest, ""));
        let mut example = support::tool(example(name).to_str().expect("UTF-8"));
        let own = listens_on(command).map(|port| format!("127.0.0.1:{port}"));
        let arguments = arguments.split(' ').filter(|a| !a.is_empty() && own.as_deref() != Some(a));
        example.args(arguments).arg("127.0.0.1:0").env("API_PORT", "0");
        example.envs(self.environment.iter().cloned());
        example.envs(variables.split(' ').filter_map(|pair| pair.split_once('=')));
        example.current_dir(self.folder.path());
        example.stdout(Stdio::piped()).stderr(Stdio::piped());
        example
    }

    fn with_ports(&self, text: &str) -> String {
        let replace = |text: String, (written, real): &(String, String)| {
            text.replace(&format!(":{written}"), &format!(":{real}"))
        };
        self.ports.iter().fold(text.to_owned(), replace)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for server in &mut self.servers {
            server.kill().ok();
            server.wait().ok();
        }
    }
}

/// The port that a command names to listen on: its last argument, alone.
fn listens_on(command: &str) -> Option<&str> {
    command.split_once(" -- ")?.1.split(' ').next_back()?.strip_prefix("127.0.0.1:")
}
