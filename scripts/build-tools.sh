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

# The oldest Rust that is promised stands in Cargo.toml.
needed=
while IFS= read -r line; do
    case $line in
    'rust-version = "'*)
        needed=${line#*\"} needed=${needed%%\"*}
        break
        ;;
    esac
done <"${0%/*}/../Cargo.toml"

# Whether a version comes before another: 1.65.0 before 1.88. One that is no version does not.
is_before() {
    own=${1#*.} own=${own%%.*} other=${2#*.} other=${other%%.*}
    case ${1%%.*}-$own-${2%%.*}-$other in
    -* | *--* | *[!0-9-]*) return 1 ;;
    esac
    [ "${1%%.*}" -lt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "$own" -lt "$other" ]; }
}

if ! command -v "${CARGO:-cargo}" >/dev/null 2>&1; then
    echo "make: cargo is missing. Install Rust $needed or later with your system's packages or with rustup" >&2
    exit 1
fi
version=$("${CARGO:-cargo}" --version 2>/dev/null)
version=${version#cargo } version=${version%% *}
if is_before "$version" "$needed"; then
    echo "make: cargo $version is too old, Rust $needed or later is needed: install it with rustup, or from" \
        "your system's backports" >&2
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
