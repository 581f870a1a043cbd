//! What systemd hands to the program, and what the program tells systemd.

pub(crate) mod activation;
pub(crate) mod notify;
