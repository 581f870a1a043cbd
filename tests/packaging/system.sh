#!/bin/sh
# Installs a package, runs what is in it as the service would, and removes it again, in a copy of this
# system that nobody else sees: an overlay in a name space of its own, with a network of its own.
#
#   unshare --mount --net --pid --fork --kill-child --mount-proc sh system.sh PACKAGE
set -eu
if [ "${2-}" != inside ]; then
    mount -t tmpfs none /mnt
    mkdir /mnt/upper /mnt/work /mnt/system
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/system
    mount -t proc proc /mnt/system/proc
    mount --bind /dev /mnt/system/dev
    cp "$1" /mnt/system/tmp/turnkey.deb
    cp "$0" /mnt/system/tmp/system.sh
    ip link set lo up
    exec chroot /mnt/system sh /tmp/system.sh /tmp/turnkey.deb inside
fi

# In a copy of a system that runs nothing must be started.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
dpkg --purge turnkey 2>/dev/null
say() { echo "== $*"; }

dpkg -i "$1" >/dev/null
say version "$(turnkey --version | head -1)"
say guide "$(zcat -f /usr/share/doc/turnkey/CERTIFICATES.md* | grep -c '^## Trust the CA')"
say user "$(getent passwd turnkey | cut -d: -f1,5,6,7)"
say folder "$(stat -c '%U:%G %a' /etc/turnkey)"
say options "$(stat -c '%U:%G %a' /etc/turnkey/turnkey.env)"
say units "$(systemctl is-enabled turnkey.service turnkey.socket 2>&1 | tr '\n' ' ')"
systemctl enable turnkey.service 2>/dev/null
say units "$(systemctl is-enabled turnkey.service turnkey.socket 2>&1 | tr '\n' ' ')"

cd /etc/turnkey
turnkey certs --out . >/dev/null
chgrp turnkey server.key
chmod 640 server.key
echo 'TURNKEY_CERT=server_chain.pem
TURNKEY_KEY=server.key
TURNKEY_PORT=443' >>turnkey.env
set -a
. ./turnkey.env
set +a
setpriv --reuid turnkey --regid turnkey --init-groups --no-new-privs \
    --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service \
    --bounding-set=-all,+net_bind_service turnkey >/tmp/turnkey.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
say served "$(curl -s --retry 50 --retry-delay 1 --retry-connrefused --cacert ca.crt https://localhost/)"
say as "$(stat -c %U /proc/$server)"
kill -TERM $server
wait $server && say left 0

dpkg -r turnkey >/dev/null
say removed "$(ls /usr/bin/turnkey 2>/dev/null || echo gone), $(ls turnkey.env)"
dpkg --purge turnkey >/dev/null 2>&1
say purged "$(ls turnkey.env 2>/dev/null || echo gone)"
