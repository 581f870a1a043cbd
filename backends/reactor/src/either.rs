//! An enum `Io` for objects that exist over TCP and over Unix sockets.

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

/// Registers either with a reactor.
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
