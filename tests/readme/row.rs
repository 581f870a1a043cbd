//! How a command of the documents is tried.

use crate::{errors, guide, work};

/// Stands for the command that the server itself prints.
pub(crate) const TRY: &str = "try";
/// Stands for the output that a document shows; what follows is how that begins.
pub(crate) const AS_SHOWN: &str = "as shown: ";

/// A command, and how it is tried. It runs in the root of the repository: a page's paths must be right
/// there.
pub(crate) struct Row {
    pub(crate) command: &'static str,
    pub(crate) how: How,
    /// What is done before.
    pub(crate) before: &'static str,
    /// What stands for `…`, and the like.
    pub(crate) meant: &'static [(&'static str, &'static str)],
    /// What serves behind it.
    pub(crate) upstreams: &'static [&'static str],
    /// Commands to ask a server with, or to look with after the command has ended, and what they print.
    pub(crate) asks: Vec<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It serves until it is ended.
    Serves,
    /// It ends by itself with exit code 0; what it prints.
    Ends(&'static str),
    /// The same with another exit code.
    Fails(&'static str),
    /// It asks what another row serves.
    Asks,
    /// It serves behind another row.
    Upstream,
    /// It only names a command: the program has that command and its options.
    Named,
    /// A test does it: its file and its name.
    Tested(&'static str, &'static str),
}

impl Row {
    fn new(command: &'static str, how: How) -> Self {
        Self { command, how, before: "", meant: &[], upstreams: &[], asks: Vec::new() }
    }

    pub(crate) fn before(mut self, script: &'static str) -> Self {
        self.before = script;
        self
    }

    pub(crate) fn meaning(mut self, meant: &'static [(&'static str, &'static str)]) -> Self {
        self.meant = meant;
        self
    }

    pub(crate) fn upstreams(mut self, upstreams: &'static [&'static str]) -> Self {
        self.upstreams = upstreams;
        self
    }

    pub(crate) fn ask(mut self, command: &'static str, expected: &'static str) -> Self {
        self.asks.push((command, expected));
        self
    }
}

pub(crate) fn serves(command: &'static str) -> Row {
    Row::new(command, How::Serves)
}

pub(crate) fn ends(command: &'static str, expected: &'static str) -> Row {
    Row::new(command, How::Ends(expected))
}

pub(crate) fn fails(command: &'static str, expected: &'static str) -> Row {
    Row::new(command, How::Fails(expected))
}

pub(crate) fn asks(command: &'static str) -> Row {
    Row::new(command, How::Asks)
}

pub(crate) fn upstream(command: &'static str) -> Row {
    Row::new(command, How::Upstream)
}

pub(crate) fn named(command: &'static str) -> Row {
    Row::new(command, How::Named)
}

pub(crate) fn tested(command: &'static str, file: &'static str, name: &'static str) -> Row {
    Row::new(command, How::Tested(file, name))
}

/// Every command of the documents.
pub(crate) fn table() -> Vec<Row> {
    [guide::rows(), errors::rows(), work::rows()].into_iter().flatten().collect()
}
