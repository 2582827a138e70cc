#!/usr/bin/env bash
# Builds packages of the module in the working directory: go-build.sh VENV FOLDER PACKAGE… . Without its version an API
# server calls itself v0.0.0, and charts refuse it.
set -euo pipefail
venv=$1
folder=$2
shift 2
here=$(realpath "$(dirname "$0")")
version_of() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$here/go.mod"; }
kubernetes=$(version_of k8s.io/kubernetes)
minor=${kubernetes#v1.}
component=k8s.io/component-base/version
stamps="-s -w -X $component.gitVersion=$kubernetes -X $component.gitMajor=1 -X $component.gitMinor=${minor%%.*}"
stamps+=" -X helm.sh/helm/v3/internal/version.version=$(version_of helm.sh/helm/v3)"
CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' \
  "$here/../go.sh" "$venv" build -p 2 -trimpath -ldflags "$stamps" -o "$folder/" "$@"
