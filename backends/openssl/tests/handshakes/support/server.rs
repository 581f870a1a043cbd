//! A backend that accepts on loopback.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::mpsc::{Receiver, channel};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, SystemTime};

use futures_lite::future::{block_on, or};
use futures_lite::{AsyncReadExt as _, AsyncWriteExt as _};
use openssl::x509::X509;
use turnkey_backend::{
    Backend as _, BuildError, ClientPolicy, HandshakeError, Identities, Identity, Resumption,
    Socket, Timer, TlsConfig, TlsInfo, VersionRange,
};
use turnkey_openssl::OpenSsl;

/// What a server is made of; without clients' certificates, and without resumption.
pub(crate) struct Config(pub(crate) TlsConfig);

impl Config {
    pub(crate) fn new(identities: impl Into<Identities>) -> Self {
        Self(TlsConfig {
            identities: identities.into(),
            clients: ClientPolicy::None,
            versions: VersionRange::default(),
            resumption: Resumption::Off,
        })
    }

    /// The first for those who ask for none of them.
    pub(crate) fn of(identities: Vec<Identity>) -> Self {
        let mut identities = identities.into_iter();
        let first = identities.next().unwrap();
        Self::new(Identities::new(first, identities).unwrap())
    }

    pub(crate) fn clients(mut self, clients: ClientPolicy) -> Self {
        self.0.clients = clients;
        self
    }

    pub(crate) fn resumption(mut self, resumption: Resumption) -> Self {
        self.0.resumption = resumption;
        self
    }

    pub(crate) fn build(&self) -> Result<OpenSsl, BuildError> {
        OpenSsl::new(&self.0)
    }

    pub(crate) fn serve(&self) -> Server {
        Server::new(self.build().unwrap(), self.0.clients.clone())
    }
}

/// Accepts one connection after the other, and says how each handshake went.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    outcomes: Receiver<Handshaken>,
}

/// How a handshake went.
pub(crate) type Handshaken = Result<TlsInfo, HandshakeError>;

impl Server {
    fn new(backend: OpenSsl, policy: ClientPolicy) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, outcomes) = channel();
        // It ends when nobody wants to know any more.
        thread::spawn(move || {
            for tcp in listener.incoming() {
                let tcp = Socket::tcp(tcp.unwrap()).unwrap();
                let outcome = block_on(or(littered(converse(&backend, &policy, tcp)), async {
                    Timer::after(Duration::from_secs(10)).await;
                    Err(HandshakeError::Io(io::ErrorKind::TimedOut.into()))
                }));
                if sender.send(outcome).is_err() {
                    return;
                }
            }
        });
        Self { address, outcomes }
    }

    /// How the oldest handshake went that nobody has asked for yet.
    pub(crate) fn outcome(&self) -> Handshaken {
        self.outcomes.recv_timeout(Duration::from_secs(15)).unwrap()
    }
}

/// Polls `future` with an error in the thread's queue each time, as another connection might leave it,
/// and once more than it asks for, when there is nothing to read.
async fn littered<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut poll = move |cx: &mut Context<'_>| {
        X509::from_der(b"none").unwrap_err().put();
        future.as_mut().poll(cx)
    };
    poll_fn(|cx| match poll(cx) {
        Poll::Pending => poll(cx),
        done @ Poll::Ready(_) => done,
    })
    .await
}

/// Says a byte, hears a byte, and closes so that the client can read all it was sent. Like the server it leaves
/// the last word to the policy.
async fn converse(backend: &OpenSsl, policy: &ClientPolicy, mut tcp: Socket) -> Handshaken {
    let admitted = backend.accept(tcp.clone()).await.and_then(|accepted| {
        policy.admit(accepted.tls.as_ref().unwrap(), SystemTime::now())?;
        Ok(accepted)
    });
    let outcome = match admitted {
        Ok(accepted) => {
            let mut stream = accepted.stream;
            let mut byte = [0];
            let said = async {
                stream.write_all(b"!").await?;
                stream.flush().await?;
                stream.read_exact(&mut byte).await?;
                stream.close().await
            };
            let _ = said.await;
            Ok(accepted.tls.unwrap())
        }
        Err(error) => Err(error),
    };
    let _ = tcp.shutdown_write();
    let _ = tcp.read_to_end(&mut Vec::new()).await;
    outcome
}
