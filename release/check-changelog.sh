#!/usr/bin/env bash
# check-changelog.sh VERSION|Unreleased: whether CHANGELOG.md has such a section, with a date and something in it.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
section=$(awk -v start="## [$version]" '
    index($0, start) == 1 { inside = 1; print; next }
    inside && /^## / { exit }
    inside && NF { print }' CHANGELOG.md)
[ -n "$section" ] || { echo "error: CHANGELOG.md has no section ## [$version]" >&2; exit 1; }
[ "$version" = Unreleased ] || head -n 1 <<<"$section" | grep -qE -- ' - [0-9]{4}-[0-9]{2}-[0-9]{2}$' ||
    { echo "error: the section of $version in CHANGELOG.md has no date" >&2; exit 1; }
[ "$(wc -l <<<"$section")" -gt 1 ] || { echo "error: the section of $version in CHANGELOG.md is empty" >&2; exit 1; }
