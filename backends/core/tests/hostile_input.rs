//! Whatever a file holds, the answer is a value or an error: never a panic, and in good time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::Duration;

use rcgen::{KeyPair, PKCS_ED25519};
use rustix::time::{ClockId, clock_gettime};
use support::{Dir, Holder, now, printed};
use turnkey_backend::{Certificate, Identity, OcspResponse, RevocationList, TrustAnchors};

/// Numbers that are the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        // Bytes that mean something in DER, as often as any.
        const TELLING: [u8; 10] = [0x00, 0x01, 0x02, 0x30, 0x7f, 0x80, 0x84, 0xa0, 0xfe, 0xff];
        if self.below(2) == 0 {
            TELLING[self.below(TELLING.len())]
        } else {
            u8::try_from(self.below(256)).unwrap()
        }
    }

    fn mutate(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1));
            match self.below(5) {
                _ if bytes.is_empty() => {}
                0 => bytes.truncate(at),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, self.byte()),
                _ => bytes[at] = self.byte(),
            }
        }
        bytes
    }
}

/// Hands the bytes to everyone who reads bytes.
fn read(bytes: &[u8], cert: &[u8], key: &[u8]) {
    let mut errors = Vec::new();
    match Certificate::from_der(bytes) {
        Ok(certificate) => {
            let text = format!(
                "{certificate:?}{:?}{}{}",
                certificate.subject_alt_names(),
                certificate.key(),
                certificate.signature_algorithm()
            );
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
            let _ = certificate.is_for_host("localhost") | certificate.is_for_host("::1");
            let _ = certificate.check_validity(now()).map_err(|error| error.to_string());
        }
        Err(error) => errors.push(printed(&error)),
    }
    for password in [None, Some("x")] {
        let loaded = [
            Identity::from_pem(bytes, key, password, now()),
            Identity::from_pem(cert, bytes, password, now()),
            Identity::from_pem(bytes, bytes, password, now()),
            Identity::from_pkcs12(bytes, password, now()),
            Identity::from_der(vec![bytes.to_vec().into()], key.to_vec().into(), now()),
            Identity::from_der(vec![cert.to_vec().into()], bytes.to_vec().into(), now()),
        ];
        errors.extend(loaded.into_iter().filter_map(Result::err).map(|error| printed(&error)));
    }
    errors.extend(TrustAnchors::from_pem(bytes, now()).err().map(|error| printed(&error)));
    match RevocationList::read(bytes) {
        Ok(lists) => {
            let text = format!("{lists:?}");
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
            let _ = lists.iter().any(|list| list.has_expired(now()));
        }
        Err(error) => errors.push(printed(&error)),
    }
    match OcspResponse::from_der(bytes) {
        Ok(response) => {
            let text = format!("{response:?}");
            assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{text}");
            if let Ok(identity) = Identity::from_pem(cert, key, None, now()) {
                let stapled = identity.with_ocsp(&response, now());
                errors.extend(stapled.err().map(|error| printed(&error)));
            }
        }
        Err(error) => errors.push(printed(&error)),
    }
    for error in errors {
        assert!(error.len() < 4096, "{error}");
    }
}

/// The originals: DER to be changed inside, and PEM to be changed outside.
fn originals() -> Vec<(&'static str, Vec<u8>)> {
    let dir = Dir::new();
    let mut leaf = Holder::leaf("leaf");
    leaf.params =
        rcgen::CertificateParams::new(vec!["localhost".to_owned(), "::1".to_owned()]).unwrap();
    dir.write("cert.pem", leaf.self_signed() + &Holder::ca("ca").self_signed());
    let identity =
        Identity::from_pem(leaf.self_signed().as_bytes(), leaf.key_pem().as_bytes(), None, now());
    dir.write("key.pem", identity.unwrap().key_pem().as_bytes());
    dir.openssl("x509 -in cert.pem -outform DER -out cert.der");
    dir.openssl("pkey -in key.pem -outform DER -out key.der");
    dir.openssl("genrsa -traditional -out rsa.pem 1024");
    dir.openssl("pkcs8 -topk8 -in key.pem -out encrypted.pem -iter 1 -passout pass:x");
    dir.openssl("pkey -in key.pem -traditional -out sec1.pem");
    let p12 = "pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x";
    dir.openssl(&format!("{p12} -iter 1 -out pbes2.p12"));
    dir.openssl(&format!("{p12} -iter 1 -legacy -nomac -out legacy.p12"));
    dir.openssl(&format!("{p12} -nomac -certpbe NONE -keypbe NONE -out open.p12"));
    dir.write("crl.pem", Holder::ca("ca").crl(&[&[1], &[0xf0, 0]], 2030));
    dir.openssl("crl -in crl.pem -outform DER -out crl.der");
    dir.write("index.txt", "R\t400101000000Z\t260101000000Z,superseded\t0A1B\tunknown\t/CN=leaf\n");
    dir.openssl(
        "ocsp -index index.txt -rsigner cert.pem -rkey key.pem -CA cert.pem -issuer cert.pem \
         -cert cert.pem -serial 0x0A1B -ndays 2 -respout ocsp.der",
    );
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_der();
    let files =
        ["cert.pem", "key.pem", "cert.der", "key.der", "rsa.pem", "encrypted.pem", "sec1.pem"];
    let stores = ["pbes2.p12", "legacy.p12", "open.p12"];
    let revocation = ["crl.pem", "crl.der", "ocsp.der"];
    let mut originals: Vec<_> = files
        .into_iter()
        .chain(stores)
        .chain(revocation)
        .map(|file| (file, dir.read(file)))
        .collect();
    originals.push(("ed25519.der", ed25519));
    originals
}

/// The DER of one block, changed, in PEM again: most changes to PEM would only break its base64.
fn rewrap(numbers: &mut Numbers, pem: &[u8]) -> Option<Vec<u8>> {
    use base64::prelude::*;
    let text = str::from_utf8(pem).ok()?;
    let (begin, rest) = text.split_once("-----\n")?;
    let (body, end) = rest.split_once("-----END")?;
    let der = BASE64_STANDARD.decode(body.replace(['\r', '\n'], "")).ok()?;
    let body = BASE64_STANDARD.encode(numbers.mutate(&der));
    Some(format!("{begin}-----\n{body}\n-----END{end}").into_bytes())
}

#[test]
fn changed_and_cut_files_never_panic() {
    let originals = originals();
    let get = |name| &originals.iter().find(|(file, _)| *file == name).unwrap().1;
    let (cert, key) = (get("cert.pem"), get("key.pem"));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (name, original) in &originals {
        assert!(!original.is_empty(), "{name}");
        for length in 0..=original.len().min(400) {
            read(&original[..length], cert, key);
        }
        for _ in 0..400 {
            read(&numbers.mutate(original), cert, key);
            if let Some(changed) = rewrap(&mut numbers, original) {
                read(&changed, cert, key);
            }
        }
    }
}

#[test]
fn noise_never_panics() {
    let leaf = Holder::leaf("leaf");
    let (cert, key) = (leaf.self_signed(), leaf.key_pem());
    let mut numbers = Numbers(1);
    for length in 0..300 {
        let noise: Vec<_> = (0..length).map(|_| numbers.byte()).collect();
        read(&noise, cert.as_bytes(), key.as_bytes());
        let labels = ["CERTIFICATE", "PRIVATE KEY", "EC PRIVATE KEY", "X509 CRL", "OCSP RESPONSE"];
        let label = labels[length % labels.len()];
        let text =
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", "A".repeat(length));
        read(text.as_bytes(), cert.as_bytes(), key.as_bytes());
    }
}

/// How long a processor works on `what`, whatever else it does meanwhile.
fn work(what: impl FnOnce()) -> Duration {
    let now = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::try_from(now).unwrap()
    };
    let start = now();
    what();
    now().saturating_sub(start)
}

/// Makes a file of so many parts.
type File<'f> = &'f dyn Fn(usize) -> Vec<u8>;

/// What is so many times as long takes about so many times the work, and not the square of that: of a file
/// it is only known that it fits into memory.
#[test]
fn big_and_deep_files_take_no_more_than_their_length() {
    const TIMES: u32 = 8;
    let leaf = Holder::leaf("leaf");
    let (cert, key) = (leaf.self_signed(), leaf.key_pem());
    let list = Holder::ca("ca").crl(&[&[1]], 2030);
    let cas: Vec<String> = (0..304).map(|i| Holder::ca(&i.to_string()).self_signed()).collect();
    let files: [(&str, usize, File<'_>); 9] = [
        ("begins", 200_000, &|n| b"-----BEGIN ".repeat(n)),
        ("lines that begin", 100_000, &|n| b"-----BEGIN A-----\n".repeat(n)),
        ("a block", 1 << 22, &|n| format!("-----BEGIN CERTIFICATE-----\n{}", "A".repeat(n)).into()),
        ("zeros", 1 << 22, &|n| vec![0; n]),
        // Nested, so that a parser could follow until its stack ends.
        ("sequences", 500_000, &|n| b"0\x7f".repeat(n)),
        ("endless sequences", 500_000, &|n| [0x30, 0x80].repeat(n)),
        ("one certificate", 2_000, &|n| cert.repeat(n).into()),
        ("one list", 2_000, &|n| list.repeat(n).into()),
        ("CAs", 304, &|n| cas[..n].concat().into()),
    ];
    for (name, length, file) in files {
        let read = |bytes: &[u8]| work(|| read(bytes, cert.as_bytes(), key.as_bytes()));
        let short = read(&file(length / TIMES as usize));
        let long = read(&file(length));
        // HandshakeIo that there is more noise than work.
        let most = 3 * TIMES * short.max(Duration::from_millis(10));
        assert!(long < most, "{name}: {long:?}, and {short:?} for what is {TIMES} times as short");
    }
}
