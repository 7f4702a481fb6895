#!/bin/sh
# Prints the path of a caddy for the test that plays docker-compose.yml: the machine's own, else Debian's package,
# fetched through apt and unpacked below .tools. Nothing is installed and no root is needed.
set -eu
cd "$(dirname "$0")/.."

if command -v caddy >/dev/null 2>&1; then
    command -v caddy
    exit 0
fi
folder=$PWD/.tools/caddy
program=$folder/usr/bin/caddy
if [ -x "$program" ]; then
    echo "$program"
    exit 0
fi
fail() {
    echo "otklik: $1: put caddy 2.6 or newer on PATH (Debian, Ubuntu: apt-get install caddy)" >&2
    exit 1
}
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
    fail "there is no caddy on PATH and no apt-get to fetch one with"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { (cd "$work" && apt-get "$@" -qq download caddy) >"$work/said" 2>&1; }
# the machine's package lists may be missing or old, and only root may renew them: then lists of our own
own="-o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o Debug::NoLocking=1 -o APT::Sandbox::User="
if ! fetch; then
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    # shellcheck disable=SC2086 # several options, none with a blank in it
    if ! apt-get $own -qq update >"$work/said" 2>&1 || ! fetch $own; then
        tail -n 3 "$work/said" >&2
        fail "apt could not fetch caddy"
    fi
fi
mkdir -p "$PWD/.tools"
dpkg -x "$work"/caddy_*.deb "$work/unpacked" || fail "the package of caddy cannot be unpacked"
rm -rf "$folder"
mv "$work/unpacked" "$folder"
echo "$program"
