#!/bin/sh
# Runs a test of the documents in a copy of this system that nobody else sees: an overlay in name spaces of its
# own, with a network and a host name of its own. In it there is the project, as it is after `make build`.
#
#   unshare --mount --net --uts --pid --fork --kill-child --mount-proc sh place.sh TEST NAME PROGRAM
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/system
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/system
mount -t proc proc /mnt/system/proc
mount --bind /dev /mnt/system/dev
mount -t tmpfs none /mnt/system/run
mount -t tmpfs none /mnt/system/tmp
hostname box
ip link set lo up
for number in 1 2 7 8 9; do
    ip address add "10.0.0.$number/32" dev lo
done

place=/mnt/system/place
mkdir -p "$place/target/release" "$place/certs" "$place/bin" "$place/tests/wire" /mnt/system/venv
# Python with requests.
mount --bind "$(readlink -f "$root/.venv")" /mnt/system/venv
printf '#!/bin/sh\nexec /venv/bin/python "$@"\n' >"$place/bin/python3"
cp "$root/tests/wire/host-missing.request" "$place/tests/wire"
cp -r "$root/docs" "$root/Makefile" "$root/scripts" "$root/packaging" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$place"
cp "$root/certs/README.md" "$place/certs"
cp "$3" "$place/target/release/turnkey"
cp "$1" "$place/bin/test"
# All is built.
printf '#!/bin/sh\n' >"$place/bin/cargo"
# A certificate of the CA of `make certs`: issue NAME SUBJECT NAMES
cat >"$place/bin/issue" <<'END'
#!/bin/sh
set -e
cd /place/certs
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -addext "subjectAltName=$3" \
    -keyout "$1.key" -out "$1.csr" 2>/dev/null
openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -days 20 -copy_extensions copy -out "$1.crt" 2>/dev/null
cat "$1.crt" "$1.key" >"$1.pem"
END
chmod +x "$place/bin/python3" "$place/bin/cargo" "$place/bin/issue"
rm -f /mnt/system/usr/local/bin/turnkey

status=0
# This shell stays: somebody has to wait for processes whose parents have left.
PATH="/place/bin:/place/target/release:$PATH" TURNKEY_TEST_PLACE=/place TMPDIR=/tmp \
    chroot /mnt/system sh -c 'cd /place && exec bin/test --exact "$1" --nocapture' sh "$2" || status=$?
exit "$status"
