#!/bin/sh
# Lays out the root of an image that holds turnkey and what it needs of the system, and nothing else: no
# shell, no package manager.
#
#   image-root.sh PROGRAM FOLDER
set -eu
program=$1 root=$2

install -D -m 755 "$program" "$root/usr/bin/turnkey"
# The loader, and the libraries that it would load, where it looks for them.
ldd "$program" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\s*\(\/[^ ]*\) .*/\1/p' | while read -r library; do
    install -D -m 755 "$library" "$root$library"
done
# Whom https:// upstreams are checked against, and where names are looked up.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
ln -s certs/ca-certificates.crt "$root/etc/ssl/cert.pem"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'turnkey:x:65532:65532:turnkey:/:/nonexistent' >"$root/etc/passwd"
echo 'turnkey:x:65532:' >"$root/etc/group"
mkdir -p "$root/etc/turnkey"
# Bodies whose length is not known wait here.
mkdir -p "$root/tmp"
chmod 1777 "$root/tmp"
