//! Responses of an OCSP responder, as the openssl tool makes them.

use std::fs;

use time::OffsetDateTime;

use super::{Leaf, Pki, openssl};

/// What the responder's index says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Good,
    Revoked,
}

impl Pki {
    /// Writes what the CA's responder says of `leaf`, for so many days.
    pub fn ocsp(&self, name: &str, leaf: &Leaf, status: Status, days: u32) -> String {
        let since = match status {
            Status::Good => "V\t400101000000Z\t",
            Status::Revoked => "R\t400101000000Z\t250101000000Z",
        };
        let line = format!("{since}\t{:08X}\tunknown\t/CN=leaf\n", leaf.serial);
        let index = self.write("ocsp-index.txt", line);
        let key = self.write("ca.key", self.ca.key_pem());
        let leaf = self.write("ocsp-leaf.crt", &leaf.cert);
        let (ca, out, days) = (&*self.ca_file, self.path(name), days.to_string());
        let responder = ["ocsp", "-index", &index, "-rsigner", ca, "-rkey", &key, "-CA", ca];
        let asked = ["-issuer", ca, "-cert", &leaf, "-no_nonce", "-ndays", &days, "-respout", &out];
        openssl(&[&responder[..], &asked].concat());
        out
    }
}

/// Makes all of a response's times `end`, which spoils its signature: that is for clients to check.
pub fn ocsp_until(file: &str, end: OffsetDateTime) {
    let end = end.to_offset(time::UtcOffset::UTC);
    let (date, (hour, minute, second)) = (end.date(), end.to_hms());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    let end = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    let mut der = fs::read(file).expect("a response");
    let is_time = |at: &usize| {
        let [0x18, 0x0f, digits @ .., b'Z'] = &der[*at..*at + 2 + end.len()] else { return false };
        digits.iter().all(u8::is_ascii_digit)
    };
    let times: Vec<_> = (0..der.len() - end.len() - 1).filter(is_time).collect();
    assert_eq!(times.len(), 3, "producedAt, thisUpdate, nextUpdate");
    for at in times {
        der[at + 2..at + 2 + end.len()].copy_from_slice(end.as_bytes());
    }
    fs::write(file, der).expect("it can be written");
}
