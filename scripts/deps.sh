#!/bin/sh
# Installs what the tests need and the machine lacks: the clients that they drive the server with.
set -eu

# command:package, on Debian
wanted="curl:curl openssl:openssl python3:python3 pkg-config:pkg-config cc:gcc perl:perl make:make"

packages=""
for pair in $wanted; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || packages="$packages ${pair##*:}"
done
if ! pkg-config --exists openssl 2>/dev/null; then
    packages="$packages libssl-dev"
fi
[ -n "$packages" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends -y $packages
else
    echo "make deps: the tests need$packages (Debian's names); install them and try again" >&2
    exit 1
fi
