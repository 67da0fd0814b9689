#!/usr/bin/env bash
# Builds farmctl for arm64 machines on another one, linked statically, and prints where it is.
#
#     release/cross-arm64.sh [--allow-expired] [OPTIONS OF cargo build]
#
# Without options for cargo it is the release build of farmctl. Two ways lead there:
# - rustup adds the target's standard library, and the machine has aarch64-linux-gnu-gcc;
# - else Debian's testing suite has rustc, cargo, both standard libraries and the cross linker as packages. mmdebstrap
#   unpacks them into a folder of the cache, once, and they run there by chroot. That takes root or user namespaces, and
#   1.4 GB of disk. The archive's signature is checked; --allow-expired takes an index that is past its date.
# Crates come from this machine's cargo home in both. FARMCTL_MIRROR names another mirror.
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
linker=aarch64-linux-gnu-gcc
suite=forky
packages=(cargo rustc libstd-rust-dev:amd64 libstd-rust-dev:arm64 gcc libc6-dev:amd64 "gcc-aarch64-linux-gnu"
    libc6-dev-arm64-cross dash coreutils)
system=${XDG_CACHE_HOME:-$HOME/.cache}/farmctl-cross/$suite
cargo_home=${CARGO_HOME:-$HOME/.cargo}
out=$PWD/target/cross-arm64

say() { printf '%s\n' "$*" >&2; }
die() { say "cross-arm64: $*"; exit 1; }

apt_options=()
if [ "${1:-}" = --allow-expired ]; then
    apt_options+=('--aptopt=Acquire::Check-Valid-Until "false"')
    shift
fi
options=("$@")
[ ${#options[@]} -gt 0 ] || options=(--release --package farmctl --bin farmctl)

# The linker's and the C compiler's names, for cargo and for crates that bring C or assembler.
settings=(
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$linker
    CC_aarch64_unknown_linux_gnu=$linker
    AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar
    RUSTC_WRAPPER=
)

rustup_can() {
    command -v rustup >/dev/null && command -v "$linker" >/dev/null || return 1
    rustup target list --installed | grep -qx "$target" || timeout 120 rustup target add "$target" >&2
}

with_rustup() {
    env "${settings[@]}" cargo build --locked --target "$target" --target-dir "$out" "${options[@]}" >&2
}

unpack_debian() {
    [ ! -e "$system/.complete" ] || return 0
    command -v mmdebstrap >/dev/null || die "install mmdebstrap, or let rustup add $target and install $linker"
    rm -rf "$system"
    mkdir -p "$(dirname "$system")"
    say "unpacking Debian's cargo and rustc into $system"
    mmdebstrap --quiet --variant=extract --architectures=amd64,arm64 "${apt_options[@]}" \
        --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$system" ${FARMCTL_MIRROR:+"$FARMCTL_MIRROR"} >&2
    # Packages that are only unpacked lack these.
    for folder in bin sbin lib lib64; do
        mkdir -p "$system/usr/$folder"
        [ -e "$system/$folder" ] || ln -s "usr/$folder" "$system/$folder"
    done
    mkdir -p "$system"/{source,cargo,out,proc,dev}
    touch "$system/.complete"
}

with_debian() {
    unpack_debian
    mkdir -p "$out" "$cargo_home"
    # What runs inside has no network.
    cargo fetch --locked --quiet >&2
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(--map-root-user)
    settings+=(
        CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=gcc CC_x86_64_unknown_linux_gnu=gcc HOST_CC=gcc
        CARGO_HOME=/cargo CARGO_TARGET_DIR=/out HOME=/tmp PATH=/usr/bin
    )
    # shellcheck disable=SC2016
    unshare "${as_root[@]}" --mount --propagation private bash -euc '
        system=$1 source=$2 cargo=$3 out=$4; shift 4
        mount --bind "$source" "$system/source"
        mount --bind "$cargo" "$system/cargo"
        mount --bind "$out" "$system/out"
        mount --rbind /proc "$system/proc"
        mount --rbind /dev "$system/dev"
        exec chroot "$system" /usr/bin/env -i "$@"
    ' - "$system" "$PWD" "$cargo_home" "$out" "${settings[@]}" \
        sh -euc 'cd /source && exec cargo build --offline --locked --target "$@"' - "$target" "${options[@]}" >&2
}

if rustup_can; then with_rustup; else with_debian; fi

built=$(find "$out/$target" -mindepth 2 -maxdepth 2 -type f -perm -u+x \( -name farmctl -o -name distccd \) \
    -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
[ -n "$built" ] || die "cargo built no program"
printf '%s\n' "$built"
