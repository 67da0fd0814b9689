#!/usr/bin/env bash
# Makes everything that a release consists of: release/release.sh [--rehearsal] [--native] [--lock FARM.LOCK] [FOLDER]
#
#   farmctl-VERSION-TRIPLE.tar.gz      static programs, manual pages, completions, documents, licences
#   farmctl-VERSION-TRIPLE.cdx.json    bill of materials of farmctl: its crates, from Cargo.lock
#   farmctl-VERSION-images.cdx.json    bill of materials of the images of the default farm, from farm.lock
#   farmctl-VERSION-farm.lock          that lock
#   SHA256SUMS
#
# The same commit, compilers and lock give the same bytes: times are the commit's (or SOURCE_DATE_EPOCH), and no path of
# this machine is in the programs. Without --lock today's packages are resolved, which needs a mirror. A rehearsal is
# content with what CHANGELOG.md calls unreleased. On a PC the programs for arm64 are built as well
# (release/cross-arm64.sh), unless --native; each archive then holds the other's farmctl beside its own, for images of hosts
# of that kind.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

rehearsal='' native='' lock=''
if [ "${1:-}" = --rehearsal ]; then rehearsal=yes; shift; fi
if [ "${1:-}" = --native ]; then native=yes; shift; fi
if [ "${1:-}" = --lock ]; then lock=$(realpath "$2"); shift 2; fi
out=$(realpath -m "${1:-target/release-files}")

step() { printf '== %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
[ -n "$version" ] || die 'Cargo.toml has no version'
section=$version
[ -z "$rehearsal" ] || section=Unreleased
release/check-changelog.sh "$section"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
time=$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$out"
mkdir -p "$out"

# Beside what .cargo/config.toml says, which RUSTFLAGS replaces: where things were on this machine.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags="-C target-feature=+crt-static --remap-path-prefix=$root=farmctl --remap-path-prefix=$cargo_home=cargo"
flags+=" --remap-path-prefix=$(rustc --print sysroot)=rust"

# TRIPLE FOLDER
programs() {
    local made options=(--release --package farmctl --package distccd --bin farmctl --bin distccd)
    if [ "$1" = "$host" ]; then
        # With what describes them, which is made of the same crates.
        RUSTFLAGS=$flags cargo build --quiet --locked --target "$1" --target-dir target/dist "${options[@]}" \
            --package release-bill --bin release-bill
        made=target/dist/$1/release
    else
        made=$(RUSTFLAGS=$flags release/cross-arm64.sh "${options[@]}")
        made=$(dirname "$made")
    fi
    cp "$made/farmctl" "$made/distccd" "$2/"
    for program in "$2/farmctl" "$2/distccd"; do
        ! readelf -lW "$program" | grep -q INTERP || die "$program is not static"
    done
}

# FOLDER: everything of an archive that no machine's kind matters to. $farmctl can run here.
documents() {
    cp LICENSE-APACHE LICENSE-MIT README.md ARCHITECTURE.md CHANGELOG.md "$1/"
    mkdir -p "$1/docs" "$1/completions"
    cp docs/*.md "$1/docs/"
    "$farmctl" --quiet man "$1/man/man1"
    "$farmctl" completions bash > "$1/completions/farmctl.bash"
    "$farmctl" completions zsh > "$1/completions/_farmctl"
    "$farmctl" completions fish > "$1/completions/farmctl.fish"
}

# NAME: the folder of that name as an archive that depends on nothing but what is in it.
archive() {
    tar -C "$work" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$1" | gzip -9 -n > "$out/$1.tar.gz"
}

declare -A machines=([x86_64-unknown-linux-gnu]=amd64 [aarch64-unknown-linux-gnu]=arm64)
host=$(rustc -vV | sed -n 's/^host: //p')
triples=("$host")
if [ -z "$native" ] && [ "$host" = x86_64-unknown-linux-gnu ]; then triples+=(aarch64-unknown-linux-gnu); fi

for triple in "${triples[@]}"; do
    step "farmctl $version for $triple"
    mkdir -p "$work/farmctl-$version-$triple"
    programs "$triple" "$work/farmctl-$version-$triple"
done
farmctl=$work/farmctl-$version-$host/farmctl
bill=target/dist/$host/release/release-bill

for triple in "${triples[@]}"; do
    name=farmctl-$version-$triple
    for other in "${triples[@]}"; do
        [ "$other" = "$triple" ] || cp "$work/farmctl-$version-$other/farmctl" "$work/$name/farmctl-${machines[$other]}"
    done
    documents "$work/$name"
    "$bill" licences farmctl "$triple" > "$work/$name/LICENSES-THIRD-PARTY.txt"
    "$bill" sbom farmctl "$triple" "$time" > "$out/$name.cdx.json"
    archive "$name"
done

step 'the images of the default farm'
mkdir -p "$work/home/farmctl"
if [ -n "$lock" ]; then cp "$lock" "$work/home/farmctl/farm.lock"; fi
(cd "$work/home" && XDG_DATA_HOME=$work/home FARMCTL_MANIFEST= "$farmctl" sbom) > "$out/farmctl-$version-images.cdx.json"
install -m 644 "$work/home/farmctl/farm.lock" "$out/farmctl-$version-farm.lock"

step 'what the schema says'
release/check-sbom.py "$out"/*.cdx.json

(cd "$out" && sha256sum -- * > "$work/sums" && mv "$work/sums" SHA256SUMS)
step "in $out:"
(cd "$out" && ls -l && cat SHA256SUMS) >&2
