//! The commands for those who build, install and change turnkey.

use crate::row::{Row, ends, named, tested};

pub(crate) fn rows() -> Vec<Row> {
    [installs(), systems(), targets(), cargo()].into_iter().flatten().collect()
}

fn installs() -> Vec<Row> {
    vec![
        ends("make build", ""),
        ends("make install", "[...]/usr/local/bin/turnkey\n[...]")
            .ask("/usr/local/bin/turnkey --version", "turnkey 0.1.0[...]"),
        ends("make uninstall", "").ask("ls /usr/local/bin/turnkey", "[...]No such file[...]"),
        ends("turnkey --help", "[...]--client-ca[...]--max-head[...]"),
        ends("turnkey --version", "turnkey 0.1.0[...]"),
        ends("turnkey -h", "[...]--client-ca[...]turnkey --help lists all options[...]"),
        ends("turnkey completions bash", "[...]complete [...]"),
        tested(
            "turnkey man | man -l -",
            "tests/manual.rs",
            "fn formatters_have_nothing_to_say_of_it",
        ),
        tested("man turnkey", "tests/packaging/install.rs", "share/man/man1/turnkey.1"),
        tested("make deb", "tests/packaging/deb.rs", "fn a_package_installs_serves_and_goes"),
    ]
}

fn systems() -> Vec<Row> {
    const MAKE: &str = "tests/make.rs";
    const HEADERS: &str = "fn missing_headers_are_named_with_their_packages";
    vec![
        tested("apt-get install gcc make pkg-config libssl-dev", MAKE, HEADERS),
        tested("dnf install gcc make pkgconf-pkg-config openssl-devel", MAKE, HEADERS),
        tested("apk add gcc make musl-dev pkgconf openssl-dev", MAKE, HEADERS),
        tested(
            "systemctl enable --now turnkey",
            "tests/packaging/system.sh",
            "systemctl enable turnkey",
        ),
        tested(
            "systemd-analyze security",
            "tests/systemd/unit.rs",
            "fn the_service_is_exposed_to_little",
        ),
        tested(
            "systemctl reload",
            "tests/systemd/notify.rs",
            "fn it_is_told_of_start_reload_and_stop",
        ),
    ]
}

/// They take long, or run these tests themselves.
fn targets() -> Vec<Row> {
    let all = [
        "make bench",
        "make bench ARGS='--only instructions/few'",
        "make bench ARGS='--only plain'",
        "make bench ARGS='--only plain/h2o'",
        "make bench ARGS='--only reactor'",
        "make bench ARGS=--quick",
        "make coverage",
        "make deps",
        "make fuzz",
        "make fuzz SECONDS_EACH=60",
        "make lint",
        "make mutants",
        "make mutants MUTANTS=core",
        "make public-api",
        "make soak",
        "make soak ARGS=--quick",
        "make soak SECONDS=600",
        "make test",
    ];
    let mut rows: Vec<_> = all.into_iter().map(named).collect();
    rows.push(tested(
        "python3 -m unittest discover --start-directory tests/soak",
        "Makefile",
        "python3 -m unittest discover --start-directory tests/soak",
    ));
    rows.push(tested(
        "GLIBC_TUNABLES=glibc.cpu.hwcaps=-ERMS,-FSRM valgrind --tool=callgrind \
         --callgrind-out-file=target/callgrind target/instructions/release/turnkey-instructions browser 1000",
        "benches/harness/instructions.py",
        "\"--tool=callgrind\"",
    ));
    rows
}

fn cargo() -> Vec<Row> {
    let (file, name) = ("tests/readme/cargo.rs", "fn its_commands_name_what_there_is");
    let all = [
        "cargo build --release",
        "cargo build --release --features …",
        "cargo build --release --no-default-features --features cli,native-tls",
        "cargo build --release --no-default-features --features cli,rustls",
        "cargo deny check advisories",
        "cargo doc --open",
        "cargo install --path .",
        "cargo run --example …",
        "cargo run --release -- --identity certs\\server.p12",
        "cargo run --release -- certs",
        "cargo test",
        "cargo test --test house",
        "cargo test --test wire",
        "RUSTC_BOOTSTRAP=1 cargo fuzz run head fuzz/artifacts/head/crash-…",
        "RUSTC_BOOTSTRAP=1 cargo fuzz run head fuzz/corpus/head fuzz/seeds/head",
        "RUSTFLAGS='--cfg turnkey_bench' CARGO_PROFILE_RELEASE_DEBUG=1 \
         CARGO_TARGET_DIR=target/instructions cargo build --release \
         --manifest-path benches/instructions/Cargo.toml",
    ];
    all.into_iter().map(|command| tested(command, file, name)).collect()
}
