#!/bin/sh
# Says what is missing to build with, and which package has it, before cargo fails.
set -u

missing() {
    echo "make: $1 is missing. Install it with:" >&2
    echo "  Debian, Ubuntu:  apt-get install $2" >&2
    echo "  Fedora:          dnf install $3" >&2
    echo "  Alpine:          apk add $4" >&2
    exit 1
}

if ! command -v "${CARGO:-cargo}" >/dev/null 2>&1; then
    echo "make: cargo is missing. Install Rust 1.88 or later with your system's packages or with rustup" >&2
    exit 1
fi
command -v cc >/dev/null 2>&1 || missing "a C compiler" "gcc libc6-dev" "gcc" "gcc musl-dev"

# Elsewhere the TLS stack of the operating system needs no headers.
case "$(uname -s)" in
Linux | *BSD) ;;
*) exit 0 ;;
esac
# OpenSSL can also be named by hand, the way the openssl crate knows.
[ -n "${OPENSSL_DIR:-}" ] && exit 0
command -v pkg-config >/dev/null 2>&1 || missing "pkg-config" "pkg-config" "pkgconf-pkg-config" "pkgconf"
pkg-config --exists openssl || missing "OpenSSL's headers (libssl)" "libssl-dev" "openssl-devel" "openssl-dev"
