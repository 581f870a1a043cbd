//! What is over TCP or over a Unix socket, and is otherwise the same: an enum `Io` with a variant for
//! each.

/// Does the same with either.
macro_rules! either {
    ($io:expr, $either:ident => $what:expr) => {
        match $io {
            Io::Tcp($either) => $what,
            #[cfg(unix)]
            Io::Unix($either) => $what,
        }
    };
}

/// Has a reactor tell of either.
macro_rules! source_of_either {
    () => {
        impl mio::event::Source for Io {
            fn register(
                &mut self,
                registry: &mio::Registry,
                token: mio::Token,
                interest: mio::Interest,
            ) -> std::io::Result<()> {
                either!(self, io => io.register(registry, token, interest))
            }

            fn reregister(
                &mut self,
                registry: &mio::Registry,
                token: mio::Token,
                interest: mio::Interest,
            ) -> std::io::Result<()> {
                either!(self, io => io.reregister(registry, token, interest))
            }

            fn deregister(&mut self, registry: &mio::Registry) -> std::io::Result<()> {
                either!(self, io => io.deregister(registry))
            }
        }
    };
}
