#!/usr/bin/env bash
# Builds the real promtool: build.sh OUTPUT VENV.
set -euo pipefail
output=$(realpath -m "$1")
venv=$(realpath -m "$2")
cache=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}
cd "$(dirname "$0")"
# Kept outside target/, so that `cargo clean` does not cost minutes.
kept="$cache/promtool-$(sha256sum go.sum | cut -c1-16)"
if [ ! -x "$kept" ]; then
  echo "building promtool, once: some minutes" >&2
  mkdir -p "$cache"
  GOFLAGS=-mod=readonly ../go.sh "$venv" build -o "$kept.new" github.com/prometheus/prometheus/cmd/promtool
  mv "$kept.new" "$kept"
fi
mkdir -p "$(dirname "$output")"
cp "$kept" "$output"
