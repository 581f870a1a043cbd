//! Client hellos, byte by byte: what no client of today would send.

/// A hello of `version` (RFC 5246 §7.4.1.2) in one record.
pub(crate) fn client_hello(version: u16, suites: &[u16], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(counted(&suites));
    body.extend([1, 0]);
    if !extensions.is_empty() {
        let all: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, content)| [kind.to_be_bytes().to_vec(), counted(content)].concat())
            .collect();
        body.extend(counted(&all));
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[1], &length[1..], &body].concat();
    [&[0x16, 3, 1][..], &counted(&message)].concat()
}

/// The signatures that everybody knows: ECDSA and RSA with SHA-256.
pub(crate) const SIGNATURE_ALGORITHMS: (u16, &[u8]) = (13, &[0, 4, 4, 3, 4, 1]);
/// P-256.
pub(crate) const GROUPS: (u16, &[u8]) = (10, &[0, 2, 0, 23]);

pub(crate) const TLS11: u16 = 0x0302;
pub(crate) const TLS12: u16 = 0x0303;
/// One that is good in TLS 1.2.
pub(crate) const ECDHE_ECDSA_AES_128_GCM: u16 = 0xc02b;
/// One from before, without forward secrecy.
pub(crate) const RSA_AES_128_CBC: u16 = 0x002f;

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}
