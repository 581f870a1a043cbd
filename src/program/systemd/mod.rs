//! Takes sockets from systemd, and tells systemd the state of the program.

pub(crate) mod activation;
pub(crate) mod notify;
