#!/bin/sh
# Puts the program and what belongs to it below a prefix, or takes it away again; make install and make
# uninstall call it.
#
#   install.sh install|uninstall PROGRAM PREFIX DESTDIR
set -eu
action=$1 program=$2 prefix=$3 root=$4
packaging=$(dirname "$0")

if [ "$action" = install ] && [ ! -x "$program" ]; then
    echo "make install: there is no $program; make build makes it" >&2
    exit 1
fi
case $prefix in
/*) ;;
*)
    echo "make $action: PREFIX=$prefix: expected a whole path, such as /usr/local" >&2
    exit 1
    ;;
esac

# What is at this path below the prefix, with this mode, comes from standard input.
put() {
    mode=$1 path=$root$prefix/$2
    if [ "$action" = uninstall ]; then
        rm -f "$path"
        return
    fi
    mkdir -p "$(dirname "$path")"
    # A program that runs cannot be written to, and need not be: it is replaced.
    cat >"$path.new"
    # A pipe does not say that the program before it has failed.
    if [ ! -s "$path.new" ]; then
        rm -f "$path.new"
        echo "make install: there is nothing to put into $path; does $program run here?" >&2
        exit 1
    fi
    chmod "$mode" "$path.new"
    mv -f "$path.new" "$path"
    echo "$path"
}

# Nothing is printed by a program that is on its way out.
print() {
    if [ "$action" = install ]; then "$program" "$@"; fi
}

if [ "$action" = install ]; then put 755 bin/turnkey <"$program"; else put 755 bin/turnkey; fi
print man | put 644 share/man/man1/turnkey.1
print completions bash | put 644 share/bash-completion/completions/turnkey
print completions zsh | put 644 share/zsh/site-functions/_turnkey
print completions fish | put 644 share/fish/vendor_completions.d/turnkey.fish
put 644 share/doc/turnkey/turnkey.env <"$packaging/turnkey.env"
put 644 share/doc/turnkey/CERTIFICATES.md <"$packaging/../certs/README.md"
put 644 share/doc/turnkey/LICENSE-MIT <"$packaging/../LICENSE-MIT"
put 644 share/doc/turnkey/LICENSE-APACHE <"$packaging/../LICENSE-APACHE"
if [ "$(uname)" = Linux ]; then
    sed "s|/usr/bin/turnkey|$prefix/bin/turnkey|" "$packaging/systemd/turnkey.service" |
        put 644 lib/systemd/system/turnkey.service
    put 644 lib/systemd/system/turnkey.socket <"$packaging/systemd/turnkey.socket"
    put 644 lib/sysusers.d/turnkey.conf <"$packaging/systemd/turnkey.sysusers"
fi
if [ "$action" = uninstall ]; then
    rmdir "$root$prefix/share/doc/turnkey" 2>/dev/null || true
fi
