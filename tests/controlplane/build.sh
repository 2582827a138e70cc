#!/usr/bin/env bash
# Builds Kubernetes for the tests from its Go sources, once: build.sh OUTPUT VENV. OUTPUT becomes a link to the folder of
# the programs. It is kept outside target/, so that `cargo clean` does not cost minutes. Needs Go, or Python for PyPI's.
set -euo pipefail
output=$(realpath -ms "$1")
venv=$(realpath -m "$2")
cache=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}
cd "$(dirname "$0")"

kept="$cache/controlplane-$(cat go.mod go.sum build.sh | sha256sum | cut -c1-16)"
mkdir -p "$cache" "$(dirname "$output")"
# Two that build at once would fight for the machine: the second waits and finds it done.
exec 9>"$kept.lock"
flock 9

# Without its version an API server calls itself v0.0.0, and charts refuse it.
version_of() { awk -v module="$1" '$1 == module && $2 ~ /^v/ { print $2; exit }' go.mod; }
kubernetes=$(version_of k8s.io/kubernetes)
minor=${kubernetes#v1.}
stamps="-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes"
stamps+=" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
stamps+=" -X helm.sh/helm/v3/internal/version.version=$(version_of helm.sh/helm/v3)"

if [ ! -d "$kept" ]; then
  echo "building Kubernetes $kubernetes, once: five minutes on two cores" >&2
  rm -rf "$kept.new"
  mkdir "$kept.new"
  CGO_ENABLED=0 GOFLAGS=-mod=readonly ../go.sh "$venv" build -p 2 -trimpath -ldflags "$stamps" -o "$kept.new/" \
    go.etcd.io/etcd/server/v3 \
    k8s.io/kubernetes/cmd/kube-apiserver \
    k8s.io/kubernetes/cmd/kube-controller-manager \
    k8s.io/kubernetes/cmd/kubectl \
    helm.sh/helm/v3/cmd/helm
  mv "$kept.new/server" "$kept.new/etcd"
  mv "$kept.new" "$kept"
fi
ln -sfn "$kept" "$output"
