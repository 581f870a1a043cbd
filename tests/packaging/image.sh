#!/bin/sh
# Runs what is in an image as Kubernetes would: its root, read-only, is all that there is; as user 65532,
# without capabilities; the secret mounted as the kubelet does it, and replaced. A container's engine is not
# needed for that.
#
#   unshare --mount --net --pid --fork --kill-child --mount-proc sh image.sh PROGRAM ROOT FOLDER [VARIABLE=VALUE]...
set -eu
program=$1 root=$2 folder=$3
shift 3
say() { echo "== $*"; }
fingerprint() {
    openssl s_client -connect localhost:8443 </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256 2>/dev/null || true
}

ip link set lo up
secret=$folder/secret
publish() {
    "$program" certs --out "$folder/certs" --force >/dev/null
    mkdir "$secret/..$1"
    install -m 440 -g 65532 "$folder/certs/server_chain.pem" "$secret/..$1/tls.crt"
    install -m 440 -g 65532 "$folder/certs/server.key" "$secret/..$1/tls.key"
    ln -s "..$1" "$secret/..data_tmp"
    mv -T "$secret/..data_tmp" "$secret/..data"
}
mkdir "$secret"
publish one
ln -s ..data/tls.crt ..data/tls.key "$secret/"
# The kubelet writes this file, too; here it says where the service is.
echo '127.0.0.1 localhost app' >"$root/etc/hosts"

mkdir "$root/etc/turnkey/tls"
mount --bind "$root" "$root"
mount --bind "$secret" "$root/etc/turnkey/tls"
mount -t tmpfs none "$root/tmp"
mount -o remount,bind,ro "$root"
say written "$(touch "$root/etc/new" 2>/dev/null || echo nothing)"

"$program" --port 8000 >/dev/null 2>&1 &
app=$!
env -i "$@" setpriv --no-new-privs \
    "$(command -v chroot)" --userspec=65532:65532 --groups=65532 "$root" /usr/bin/turnkey >"$folder/log" 2>&1 &
server=$!
trap 'kill $app $server 2>/dev/null || true' EXIT
curl() { command curl -s --retry 50 --retry-delay 1 --retry-connrefused --cacert "$folder/certs/ca.crt" "$@"; }
say healthy "$(curl -o /dev/null -w '%{http_code}' https://localhost:8443/healthz)"
say served "$(curl https://localhost:8443/)"
say as "$(stat -c '%u:%g' /proc/$server), $(sed -n 's/^CapEff:\s*//p' /proc/$server/status)"
# It waits in a file below /tmp.
head -c 300000 /dev/zero >"$folder/body"
say echoed "$(curl -T - https://localhost:8443/echo -X POST <"$folder/body" | wc -c)"

before=$(fingerprint)
publish two
rm -r "$secret/..one"
n=0
while [ "$(fingerprint)" = "$before" ] && [ $n -lt 100 ]; do
    sleep 0.2
    n=$((n + 1))
done
say served "$(curl https://localhost:8443/)"
kill -TERM $server
wait $server && say left 0
