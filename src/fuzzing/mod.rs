//! Entry points for the fuzz targets in `fuzz/`: one function for each parser of untrusted bytes. It accepts any
//! bytes and asserts what must hold for them. The tests run the seeds through it.

#![allow(clippy::panic, clippy::missing_panics_doc, reason = "a panic is how a finding shows")]

mod chunked;
mod cuts;
mod folder;
mod forwarded;
mod head;
mod proxy_protocol;

pub use self::{
    chunked::chunked, folder::folder, forwarded::forwarded, head::head,
    proxy_protocol::proxy_protocol,
};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Runs the seeds of a target in `fuzz/seeds/`.
    fn seeds(target: &str, check: fn(&[u8])) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let mut count = 0;
        for entry in fs::read_dir(directory).unwrap() {
            check(&fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{target} has {count} seeds: some got lost");
    }

    #[test]
    fn head() {
        seeds("head", super::head);
    }

    #[test]
    fn chunked() {
        seeds("chunked", super::chunked);
    }

    #[test]
    fn forwarded() {
        seeds("forwarded", super::forwarded);
    }

    #[test]
    fn folder() {
        seeds("folder", super::folder);
    }

    #[test]
    fn proxy_protocol() {
        seeds("proxy_protocol", super::proxy_protocol);
    }
}
