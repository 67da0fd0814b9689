#!/usr/bin/env bash
# How long do the five images take: farmctl's own, cold, beside the usual `apt-get install` ones?
#
# Both start from nothing but the mirror: no image, no cached package. The base image of the usual way is made
# beforehand and not counted, as people pull it. Needs root, docker and debootstrap; prints one line for each way.
#
#   tests/bench/image-build.sh [MIRROR]
set -euo pipefail

mirror=${1:-${FARMCTL_MIRROR:-}}
if [ -z "$mirror" ]; then
    mirror=$(sed -n 's/^URIs: *\(http[^ ]*\/debian\)\/*$/\1/p' /etc/apt/sources.list.d/*.sources | head -n 1)
fi
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'docker rmi -f farm-bench-base $(docker images -q "farm-bench-usual") >/dev/null 2>&1; rm -rf "$work"' EXIT

seconds() { date +%s.%N; }
elapsed() { echo "$1 $(seconds)" | awk '{ printf "%.1f", $2 - $1 }'; }

usual() {
    debootstrap --variant=minbase trixie "$work/base" "$mirror" >"$work/debootstrap.log" 2>&1
    tar -C "$work/base" -c . | docker import - farm-bench-base >/dev/null
    local begun
    begun=$(seconds)
    for packages in g++-14-x86-64-linux-gnu g++-14-arm-linux-gnueabi g++-14-arm-linux-gnueabihf:armv6h \
        g++-14-arm-linux-gnueabihf:armv7h g++-14-aarch64-linux-gnu; do
        # One image for each target, with its name in it, so that two targets of one package do not share a build.
        printf 'FROM farm-bench-base\nLABEL target=%s\nRUN apt-get update -q && apt-get install -q -y distcc %s\n' \
            "$packages" "${packages%%:*}" >"$work/Dockerfile"
        DOCKER_BUILDKIT=0 docker build -q -t "farm-bench-usual:${packages//[:+]/_}" "$work" >/dev/null 2>"$work/build.log"
    done
    echo "usual: $(elapsed "$begun") s, $(docker images --format '{{.Size}}' farm-bench-usual | tr '\n' ' ')"
}

ours() {
    if [ -n "$(docker images -q 'farmctl/*')" ]; then
        echo "the engine has images of farmctl already: remove them first (docker images 'farmctl/*')" >&2
        exit 1
    fi
    cargo build --release -q --manifest-path "$here/Cargo.toml" -p farmctl
    local farmctl begun
    farmctl=$(cargo metadata --format-version 1 --no-deps --manifest-path "$here/Cargo.toml" |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/$(rustc -vV | sed -n 's/^host: //p')/release/farmctl
    printf 'farm: bench-cold\n' >"$work/farm.yaml"
    begun=$(seconds)
    XDG_CACHE_HOME=$work/cache FARMCTL_MIRROR=$mirror "$farmctl" --quiet -f "$work/farm.yaml" up >/dev/null
    echo "farmctl up, cold: $(elapsed "$begun") s, $(docker images --format '{{.Size}}' 'farmctl/*' | tr '\n' ' ')"
    "$farmctl" --quiet -f "$work/farm.yaml" down
}

ours
usual
