//! Reads the files that options name.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use turnkey::tls::{Certificate, pem};

use crate::config::files::Finding;

/// The largest file that is read, in bytes. No certificate, key or list of CAs needs more; a larger or endless
/// file was named by mistake.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// Reads the whole of `path`, which `option` names.
pub(crate) fn read(path: &Path, option: &'static str) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        // A vector that grows would leave a copy of the key in the memory that it had before.
        let length = file.metadata().map_or(0, |metadata| metadata.len().min(MAX_SIZE));
        bytes.reserve_exact(usize::try_from(length).unwrap_or(0) + 1);
        file.take(MAX_SIZE + 1).read_to_end(&mut bytes)
    });
    match read {
        Ok(n) if u64::try_from(n).is_ok_and(|n| n <= MAX_SIZE) => Ok(bytes),
        Ok(_) => Err(Finding::file(path, option, "is larger than 16 MiB")),
        Err(error) => Err(Finding::file(path, option, likely_cause(&error, option))),
    }
}

/// The certificates in a PEM file, in file order. Empty for a pipe, which can be read only once.
pub(crate) fn certificates(path: &Path) -> Vec<Certificate> {
    let bytes = if is_regular(path) { fs::read(path).ok() } else { None };
    bytes.map(|bytes| certificates_in(&bytes)).unwrap_or_default()
}

/// The certificates in PEM, in file order.
pub(crate) fn certificates_in(bytes: &[u8]) -> Vec<Certificate> {
    let blocks = pem::blocks(bytes).unwrap_or_default();
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    certificates.filter_map(|block| Certificate::from_der(&block.der).ok()).collect()
}

/// Whether the file can be read repeatedly.
pub(crate) fn is_regular(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn likely_cause(error: &io::Error, option: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("there is no such file; check the path{}", maker(option))
        }
        io::ErrorKind::PermissionDenied => {
            "may not be read; check its permissions, and whose they are with ls -l".into()
        }
        io::ErrorKind::IsADirectory => {
            "is a folder, and a file is wanted; name a file in it".into()
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// How to make the file of an option, if there is a command for it.
fn maker(option: &str) -> &'static str {
    match option {
        "--cert" | "--key" | "--identity" | "--client-ca" => {
            ", or make certificates with turnkey certs"
        }
        "--ticket-keys" => ", or make one: openssl rand -out FILE 80",
        _ => "",
    }
}
