#!/usr/bin/env bash
# Whether `cargo install --path farmctl` gives a farmctl that needs nothing of this repository: release/check-install.sh
#
# Installs into a folder of its own, hides nothing but works from an empty one, and asks the kernel which files of the
# repository the program opens. With --build it also assembles an image, which needs a mirror.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# From elsewhere: cargo reads the configuration beside what it installs.
(cd / && cargo install --quiet --locked --path "$root/farmctl" --root "$work/installed" --target-dir "$root/target/install")
farmctl=$work/installed/bin/farmctl
! readelf -lW "$farmctl" | grep -q INTERP || die 'it is not static'

mkdir "$work/empty" && cd "$work/empty"
export HOME=$work/home
unset XDG_CACHE_HOME XDG_DATA_HOME FARMCTL_MANIFEST
"$farmctl" --version
"$farmctl" init
"$farmctl" validate > "$work/validated"
"$farmctl" schema > /dev/null
"$farmctl" hosts --help > /dev/null
"$farmctl" man > /dev/null
if [ "${1:-}" = --build ]; then
    "$farmctl" build x86_64 --output-archive image.tar
    [ -s image.tar ] || die 'there is no image'
    (exec -a distccd "$farmctl" --version)
fi
if command -v strace > /dev/null; then
    strace -f -e trace=%file -o "$work/trace" "$farmctl" validate > /dev/null
    ! grep -F "\"$root/" "$work/trace" || die 'it reads the repository'
fi
printf 'installed: %s bytes, static, works from an empty folder\n' "$(stat -c %s "$farmctl")"
