#!/usr/bin/env bash
# Debian packages that some tests need. Tests that lack one are skipped, and say so.
set -u
missing=()
command -v ip >/dev/null || missing+=(iproute2)
command -v nginx >/dev/null || missing+=(nginx-light)
command -v caddy >/dev/null || missing+=(caddy)
command -v clamd >/dev/null || missing+=(clamav-daemon)
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Some tests need ${missing[*]}; install it with this system's package manager, as root." >&2
  exit 0
fi
echo "Installing ${missing[*]} for tests."
{ apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"; } >/dev/null ||
  echo "${missing[*]} could not be installed; tests that need it are skipped." >&2
