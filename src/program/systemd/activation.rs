//! Sockets that the service manager listens on, and hands over when it starts the program: the protocol
//! of `sd_listen_fds(3)`.

use turnkey::Listener;
use turnkey::net::LocalAddr;

/// A socket that there is no use for.
pub(crate) const WITHOUT_REDIRECT: &str = "LISTEN_FDS: a socket is called redirect, and nobody is sent on to \
    https: add --redirect-from 80 and an identity, or leave the socket out";

/// Sockets that nobody can be sent on to.
pub(crate) const WITHOUT_PORT: &str = "LISTEN_FDS: --redirect-from needs a port for HTTPS to send people on \
    to, and these are Unix sockets only: hand over one with a port too, or leave --redirect-from out";

/// What has been handed over.
#[derive(Debug)]
pub(crate) struct Activated {
    /// At least one.
    pub(crate) listeners: Vec<Listener>,
    /// The one that is called `redirect` (`FileDescriptorName=`): in place of the port of
    /// `--redirect-from`.
    pub(crate) redirect: Option<Listener>,
}

impl Activated {
    /// Whether there is a port among them that clients can be sent to.
    pub(crate) fn has_port(&self) -> bool {
        self.listeners.iter().any(|listener| matches!(listener.local_addr(), LocalAddr::Tcp(_)))
    }

    /// Takes what there is over; `None` if there is nothing. To be called once, before there are
    /// threads: the variables go, so that no child takes the sockets for its own.
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

    /// Elsewhere nobody hands sockets over.
    #[cfg(not(unix))]
    pub(crate) fn take(
        _variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ActivationError> {
        Ok(None)
    }
}

/// Why what was handed over cannot be served on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nobody hands sockets over"))]
pub(crate) enum ActivationError {
    /// It is something else than a stream socket that is listened on.
    #[error(
        "LISTEN_FDS: socket {n}{}: not one to accept connections from; the socket unit needs \
         ListenStream= and Accept=no", called(.name)
    )]
    NoListener { n: usize, name: String },
    /// Nothing to be sent on to.
    #[error(
        "LISTEN_FDS: the only socket is called redirect, for --redirect-from: hand over one for HTTPS \
         too, with another FileDescriptorName="
    )]
    OnlyRedirect,
    /// One is what there is use for.
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

/// Whether `socket` is listened on.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn accepts(socket: &impl std::os::fd::AsFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Apple's systems cannot be asked: the first attempt to accept will tell.
#[cfg(target_vendor = "apple")]
fn accepts(_socket: &impl std::os::fd::AsFd) -> bool {
    true
}
