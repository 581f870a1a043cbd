//! Full handshakes of rustls in memory: `peer-rustls 1.2|1.3 GROUP CHAIN KEY COUNT`.
//!
//! Client and server take turns on one thread. It prints the microseconds of CPU time that the server's side
//! of a handshake takes: no socket, no request, no answer, no close. A server on rustls cannot get below it.

use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use rustix::time::{ClockId, clock_gettime};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Handshakes that do not count, while caches fill.
const WARM_UP: u32 = 20;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [version, group, chain, key, count] = words.as_slice() else {
        bail!("peer-rustls 1.2|1.3 GROUP CHAIN KEY COUNT");
    };
    let version = match version.as_str() {
        "1.2" => &rustls::version::TLS12,
        "1.3" => &rustls::version::TLS13,
        _ => bail!("there is no TLS {version}"),
    };
    let count: u32 = count.parse()?;
    ensure!(count > 0, "no handshake to count");
    let group = named(group)?;
    let (server, client) = (server(version, group, chain, key)?, client(version, group)?);
    let mut took = Duration::ZERO;
    for n in 0..WARM_UP + count {
        let one = shake_hands(&server, &client, group)?;
        if n >= WARM_UP {
            took += one;
        }
    }
    println!("{:.3}", took.as_secs_f64() * 1e6 / f64::from(count));
    Ok(())
}

fn named(name: &str) -> Result<&'static dyn SupportedKxGroup> {
    let groups = aws_lc_rs::ALL_KX_GROUPS.iter().copied();
    let mut groups = groups.filter(|group| format!("{:?}", group.name()) == name);
    groups.next().with_context(|| format!("there is no key-exchange group {name}"))
}

/// Both sides offer this group alone.
fn provider(group: &'static dyn SupportedKxGroup) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() })
}

fn server(
    version: &'static SupportedProtocolVersion,
    group: &'static dyn SupportedKxGroup,
    chain: &str,
    key: &str,
) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_slice_iter(&fs::read(chain)?).collect::<Result<_, _>>()?;
    let mut config = ServerConfig::builder_with_provider(provider(group))
        .with_protocol_versions(&[version])?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_slice(&fs::read(key)?)?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn client(
    version: &'static SupportedProtocolVersion,
    group: &'static dyn SupportedKxGroup,
) -> Result<Arc<ClientConfig>> {
    let mut config = ClientConfig::builder_with_provider(provider(group))
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// What the server's side of one handshake takes.
fn shake_hands(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    group: &dyn SupportedKxGroup,
) -> Result<Duration> {
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from("localhost")?)?;
    let mut took = Duration::ZERO;
    let mut server = timed(&mut took, || Ok(ServerConnection::new(Arc::clone(server))?))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight)?;
        }
        let mut answer = Vec::new();
        timed(&mut took, || {
            let mut flight = flight.as_slice();
            while !flight.is_empty() {
                server.read_tls(&mut flight)?;
                server.process_new_packets()?;
            }
            while server.wants_write() {
                server.write_tls(&mut answer)?;
            }
            Ok(())
        })?;
        let mut answer = answer.as_slice();
        while !answer.is_empty() {
            client.read_tls(&mut answer)?;
            client.process_new_packets()?;
        }
    }
    let agreed = server.negotiated_key_exchange_group().map(SupportedKxGroup::name);
    ensure!(agreed == Some(group.name()), "the handshake was of the other kind");
    Ok(took)
}

/// Does `work`, and adds the CPU time that it takes.
fn timed<T>(took: &mut Duration, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = now()?;
    let done = work()?;
    *took += now()?.saturating_sub(before);
    Ok(done)
}

fn now() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}

/// Takes every server for the right one: the client's side does not count.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
