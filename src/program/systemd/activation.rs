//! Sockets that the service manager opened and passes to the program at start: the protocol of `sd_listen_fds(3)`.

use turnkey::Listener;
use turnkey::net::LocalAddr;

/// Warns of a redirect socket that is not used.
pub(crate) const WITHOUT_REDIRECT: &str = "LISTEN_FDS: a socket is called redirect, and nobody is sent on to \
    https: add --redirect-from 80 and an identity, or leave the socket out";

/// Reports sockets without a port to redirect clients to.
pub(crate) const WITHOUT_PORT: &str = "LISTEN_FDS: --redirect-from needs a port for HTTPS to send people on \
    to, and these are Unix sockets only: hand over one with a port too, or leave --redirect-from out";

/// The sockets from the service manager.
#[derive(Debug)]
pub(crate) struct Activated {
    /// At least one listener.
    pub(crate) listeners: Vec<Listener>,
    /// The socket called `redirect` (`FileDescriptorName=`), which takes the place of the port of
    /// `--redirect-from`.
    pub(crate) redirect: Option<Listener>,
}

impl Activated {
    /// Whether one of the listeners has a port that clients can be redirected to.
    pub(crate) fn has_port(&self) -> bool {
        self.listeners.iter().any(|listener| matches!(listener.local_addr(), LocalAddr::Tcp(_)))
    }

    /// Takes the sockets; `None` if there are none. Call it once, before there are threads: it removes the
    /// variables, so that no child process uses the sockets.
    #[cfg(unix)]
    pub(crate) fn take(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ActivationError> {
        let names = variable("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(str::to_owned);
        let mut given = listenfd::ListenFd::from_env();
        let mut activated = Self { listeners: Vec::new(), redirect: None };
        for n in 0..given.len() {
            let name = names.next().unwrap_or_default();
            let listener = take(&mut given, n)
                .ok_or_else(|| ActivationError::NoListener { n: n + 1, name: name.clone() })?;
            if name == "redirect" {
                if activated.redirect.replace(listener).is_some() {
                    return Err(ActivationError::Redirects);
                }
            } else {
                activated.listeners.push(listener);
            }
        }
        if activated.listeners.is_empty() && activated.redirect.is_some() {
            return Err(ActivationError::OnlyRedirect);
        }
        Ok((!activated.listeners.is_empty()).then_some(activated))
    }

    /// Other systems do not pass sockets.
    #[cfg(not(unix))]
    pub(crate) fn take(
        _variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ActivationError> {
        Ok(None)
    }
}

/// Why the server cannot use the sockets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nobody hands sockets over"))]
pub(crate) enum ActivationError {
    /// A socket is not a listening stream socket.
    #[error(
        "LISTEN_FDS: socket {n}{}: not one to accept connections from; the socket unit needs \
         ListenStream= and Accept=no", called(.name)
    )]
    NoListener { n: usize, name: String },
    /// There is no port to redirect clients to.
    #[error(
        "LISTEN_FDS: the only socket is called redirect, for --redirect-from: hand over one for HTTPS \
         too, with another FileDescriptorName="
    )]
    OnlyRedirect,
    /// Only one redirect socket is supported.
    #[error("LISTEN_FDS: two sockets are called redirect; there can be one")]
    Redirects,
}

fn called(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({})", name.escape_debug()) }
}

#[cfg(unix)]
fn take(given: &mut listenfd::ListenFd, n: usize) -> Option<Listener> {
    if let Ok(Some(listener)) = given.take_tcp_listener(n) {
        return accepts(&listener).then(|| Listener::tcp(listener).ok())?;
    }
    let listener = given.take_unix_listener(n).ok()??;
    accepts(&listener).then(|| Listener::unix(listener).ok())?
}

/// Whether `socket` is listening.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn accepts(socket: &impl std::os::fd::AsFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Apple's systems cannot tell: the first attempt to accept shows it.
#[cfg(target_vendor = "apple")]
fn accepts(_socket: &impl std::os::fd::AsFd) -> bool {
    true
}
