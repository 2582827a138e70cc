#!/usr/bin/env bash
# Builds Kubernetes for the tests from its Go sources, once: build.sh OUTPUT VENV. OUTPUT becomes a link to the folder of
# the programs. It is kept outside target/, so that `cargo clean` does not cost minutes. Needs Go, or Python for PyPI's.
set -euo pipefail
output=$(realpath -ms "$1")
venv=$(realpath -m "$2")
cache=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}
cd "$(dirname "$0")"

kept="$cache/controlplane-$(cat go.mod go.sum build.sh go-build.sh | sha256sum | cut -c1-16)"
mkdir -p "$cache" "$(dirname "$output")"
# Two that build at once would fight for the machine: the second waits and finds it done.
exec 9>"$kept.lock"
flock 9
if [ ! -d "$kept" ]; then
  echo "building the control plane of Kubernetes, once: five minutes on two cores" >&2
  rm -rf "$kept.new"
  ./go-build.sh "$venv" "$kept.new" \
    go.etcd.io/etcd/server/v3 \
    k8s.io/kubernetes/cmd/kube-apiserver \
    k8s.io/kubernetes/cmd/kube-controller-manager \
    k8s.io/kubernetes/cmd/kubectl \
    helm.sh/helm/v3/cmd/helm
  mv "$kept.new/server" "$kept.new/etcd"
  mv "$kept.new" "$kept"
fi
ln -sfn "$kept" "$output"
