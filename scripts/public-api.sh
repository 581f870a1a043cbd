#!/bin/sh
# Says how the public API differs from docs/PUBLIC_API.txt; with the word `renew`, writes it there.
set -eu
cd "$(dirname "$0")/.."

# The order of the crates.
export LC_ALL=C
cargo=${CARGO:-cargo}
baseline=docs/PUBLIC_API.txt
built=target/public-api

# Some of it is there on Unix only, and what stands in the standard library differs from system to system.
if [ "$(uname -s)" != Linux ]; then
    echo "public API: compared on Linux only"
    exit 0
fi

"$cargo" public-api --version >/dev/null 2>&1 || {
    echo "public API: there is no cargo-public-api; make deps installs it" >&2
    exit 1
}

# rustdoc tells of an API as JSON to those who ask for what is nightly's. Only it is asked: with
# RUSTC_BOOTSTRAP=1 in cargo's own environment all dependencies would be built anew.
mkdir -p "$built"
cat >"$built/rustdoc" <<'SCRIPT'
#!/bin/sh
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
SCRIPT
chmod +x "$built/rustdoc"
RUSTDOC="$PWD/$built/rustdoc" RUSTDOCFLAGS="-Z unstable-options --output-format json" \
    "$cargo" doc --workspace --no-deps --quiet

for name in $(sed -n 's/^name = "\(.*\)"/\1/p' Cargo.toml backends/*/Cargo.toml | tr - _); do
    "$cargo" public-api -ss --rustdoc-json "target/doc/$name.json" || {
        echo "public API: cargo-public-api cannot read what $(rustc --version) writes; take a version that can," \
            "in scripts/deps.sh" >&2
        exit 1
    }
done >"$built/now.txt"

if [ "${1:-}" = renew ]; then
    cp "$built/now.txt" "$baseline"
elif ! diff -u "$baseline" "$built/now.txt"; then
    echo "public API: it is not what $baseline says. If it is meant to differ: make public-api, look at the" \
        "diff, and say in CHANGELOG.md what it asks of those who use it" >&2
    exit 1
fi
