//! PEM (RFC 7468) as it occurs in practice: text around the blocks, CRLF, a byte order mark, several files pasted
//! together. Unlike usual parsers, it keeps the labels and the headers of OpenSSL's traditional encryption, so that
//! an error can say what a file contains instead.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// One block, decoded. It may be a private key, so it is wiped on drop.
pub struct Block {
    /// The label after `BEGIN`.
    pub label: String,
    /// Whether it has OpenSSL's traditional encryption: `Proc-Type: 4,ENCRYPTED` (RFC 1421 §4.6.1.1).
    pub traditionally_encrypted: bool,
    /// The content.
    pub der: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Block {
    /// Without the content, which may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("label", &self.label).finish_non_exhaustive()
    }
}

/// A block that cannot be read.
#[derive(Debug)]
pub struct BrokenBlock {
    /// The label after its `BEGIN`.
    pub label: String,
    /// What is wrong with it, and the likely cause.
    pub fault: &'static str,
}

impl Block {
    /// Whether it is a certificate, by its label.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        is_certificate(&self.label)
    }

    /// Whether it is a private key of any form, by its label.
    #[must_use]
    pub fn is_private_key(&self) -> bool {
        is_private_key(&self.label)
    }
}

/// All blocks of a text; none if it is not PEM.
pub fn blocks(text: &[u8]) -> Result<Vec<Block>, BrokenBlock> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = next_label(rest) {
        let broken = |fault| BrokenBlock { label: label.clone(), fault };
        let end = format!("-----END {label}-----");
        let body_length = find(after, end.as_bytes())
            .ok_or_else(|| broken("its END line is missing; is the file cut off?"))?;
        let (body, behind) = after.split_at(body_length);
        if find(body, BEGIN).is_some() {
            return Err(broken("another block begins before its END line"));
        }
        rest = behind.get(end.len()..).unwrap_or_default();

        let body = str::from_utf8(body).map_err(|_| broken("it holds bytes that are not text"))?;
        // Header fields, which have a colon, come before the base64, which has none.
        let is_header = |line: &&str| line.contains(':');
        let encrypted =
            |line: &str| line.starts_with("Proc-Type:") && line.trim_end().ends_with("ENCRYPTED");
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        for line in body.lines().filter(|line| !is_header(line)) {
            base64.extend(line.split_ascii_whitespace());
        }
        let der = BASE64_STANDARD
            .decode(base64.as_bytes())
            .map_err(|_| broken("its base64 is damaged; is the file cut off?"))?;
        blocks.push(Block {
            traditionally_encrypted: body.lines().filter(is_header).any(encrypted),
            der: Zeroizing::new(der),
            label,
        });
    }
    Ok(blocks)
}

/// The label of the first block, complete or not.
pub(crate) fn first_label(text: &[u8]) -> Option<String> {
    next_label(text).map(|(label, _)| label)
}

pub(crate) fn is_certificate(label: &str) -> bool {
    // Old versions of OpenSSL wrote the second one.
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

pub(crate) fn is_private_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

/// A block of PEM, in lines of 64 characters (RFC 7468 §2). It may be a private key, so it is wiped on drop.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(BASE64_STANDARD.encode(der));
    // Enough capacity for all of it, since growing would leave copies in memory.
    let capacity = base64.len() + base64.len() / 64 + 2 * label.len() + 64;
    let mut pem = Zeroizing::new(String::with_capacity(capacity));
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.extend([line, "\n"]);
        rest = after;
    }
    pem.extend(["-----END ", label, "-----\n"]);
    pem
}

/// The label of the next block, and the text after its line.
fn next_label(mut text: &[u8]) -> Option<(String, &[u8])> {
    loop {
        text = text.get(find(text, BEGIN)? + BEGIN.len()..)?;
        let label = text.get(..find(text, DASHES)?)?;
        // RFC 7468 §3: printable, on one line. Anything else only looks like a label.
        let printable = label.len() <= 64 && label.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if printable && let Ok(label) = str::from_utf8(label) {
            return Some((label.to_owned(), text.get(label.len() + DASHES.len()..)?));
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<u8>)> {
        let blocks = blocks(text.as_bytes()).map_err(|broken| broken.fault).unwrap();
        blocks.into_iter().map(|block| (block.label, block.der.to_vec())).collect()
    }

    fn fault(text: &str) -> (String, &'static str) {
        let broken = blocks(text.as_bytes()).err().unwrap();
        (broken.label, broken.fault)
    }

    #[test]
    fn blocks_are_found_in_any_text() {
        let abc = || ("A".to_owned(), b"abc".to_vec());
        assert_eq!(read("-----BEGIN A-----\nYWJj\n-----END A-----\n"), [abc()]);
        assert_eq!(read("\u{feff}-----BEGIN A-----\r\nYW\r\nJj\r\n-----END A-----"), [abc()]);
        assert_eq!(
            read(
                "Bag Attributes\n-----BEGIN A-----\n\nYWJj\n\n-----END A----------BEGIN A-----\nYWJj\n-----END A-----\nend"
            ),
            [abc(), abc()]
        );
        // A dash too many, as in a line drawn in text.
        assert_eq!(read("------BEGIN A-----\nYWJj\n-----END A-----"), [abc()]);
        assert_eq!(read("-----BEGIN \n-----BEGIN A-----\nYWJj\n-----END A-----"), [abc()]);
        assert!(read("").is_empty());
        assert!(read("-----BEGIN").is_empty());
        assert!(read(&format!("-----BEGIN {}-----", "A".repeat(65))).is_empty());
    }

    #[test]
    fn broken_blocks_are_named() {
        assert_eq!(fault("-----BEGIN A-----\nYWJj\n").0, "A");
        assert!(fault("-----BEGIN A-----\nYWJj\n").1.contains("cut off"));
        assert!(fault("-----BEGIN A-----\nYWJ\n-----END A-----").1.contains("base64"));
        assert!(fault("-----BEGIN A-----\nYW!j\n-----END A-----").1.contains("base64"));
        let nested = "-----BEGIN A-----\nYWJj\n-----BEGIN A-----\nYWJj\n-----END A-----";
        assert!(fault(nested).1.contains("another block"));
        assert!(fault("-----BEGIN A-----\nYWJj\n-----END B-----").1.contains("END line"));
    }

    #[test]
    fn traditional_encryption_is_seen() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\
                    DEK-Info: AES-256-CBC,00\r\n\r\nYWJj\r\n-----END RSA PRIVATE KEY-----";
        let blocks = blocks(text.as_bytes()).ok().unwrap();
        assert!(blocks[0].traditionally_encrypted);
        assert_eq!(*blocks[0].der, b"abc");
        for other in ["Proc-Type: 4,MIC-CLEAR", "Type: ENCRYPTED", "Proc-Type: 4,ENCRYPTED, not"] {
            let blocks = super::blocks(text.replace("Proc-Type: 4,ENCRYPTED", other).as_bytes());
            assert!(!blocks.ok().unwrap()[0].traditionally_encrypted, "{other}");
        }
    }

    #[test]
    fn a_block_is_what_its_label_says_and_shows_no_more() {
        for (label, is_certificate, is_private_key) in [
            ("CERTIFICATE", true, false),
            ("X509 CERTIFICATE", true, false),
            ("PRIVATE KEY", false, true),
            ("EC PRIVATE KEY", false, true),
            ("PUBLIC KEY", false, false),
            ("CERTIFICATE REQUEST", false, false),
        ] {
            let block = &blocks(encode(label, b"abc").as_bytes()).ok().unwrap()[0];
            assert_eq!(block.is_certificate(), is_certificate, "{label}");
            assert_eq!(block.is_private_key(), is_private_key, "{label}");
            assert_eq!(format!("{block:?}"), format!("Block {{ label: {label:?}, .. }}"));
        }
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let long = "A".repeat(60);
        for length in [0, 1, 47, 48, 49, 96, 1000, 30_000] {
            let der: Vec<u8> = (0..=250).cycle().take(length).collect();
            let pem = encode("A", &der);
            assert!(pem.lines().all(|line| line.len() <= 64));
            assert_eq!(read(&pem), [("A".to_owned(), der.clone())]);
            for label in ["A", &long] {
                let pem = encode(label, &der);
                assert!(
                    (31..=32).contains(&(pem.capacity() - pem.len())),
                    "{length}: it has grown"
                );
            }
        }
    }
}
