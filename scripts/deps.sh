#!/bin/sh
# Installs what the tests need and the machine lacks: the clients that they drive the server with.
set -eu
cd "$(dirname "$0")/.."

# Keep the versions of what comes from PyPI here.
requests="requests==2.32.5"

# command:package, on Debian
wanted="curl:curl openssl:openssl python3:python3 node:nodejs ab:apache2-utils wrk:wrk \
    h2load:nghttp2-client pkg-config:pkg-config cc:gcc perl:perl make:make \
    testssl:testssl.sh"

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
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of words
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends -y $packages
    else
        echo "make deps: the tests need$packages (Debian's names); install them and try again" >&2
        exit 1
    fi
fi

# The system's Python stays as it is: what the tests want of it stands in .venv.
installed=".venv/turnkey-tests"
if [ "$(cat "$installed" 2>/dev/null)" != "$requests" ]; then
    python3 -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$requests"
    echo "$requests" >"$installed"
fi
