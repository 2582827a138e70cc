#!/usr/bin/env bash
# What a node needs beside the control plane, built or unpacked once: build.sh OUTPUT VENV. OUTPUT becomes a link to a
# folder with bin/ (from Go sources) and debian/ (packages, unpacked and not installed). Needs apt-get.
set -euo pipefail
output=$(realpath -ms "$1")
venv=$(realpath -m "$2")
cache=${PILOTFISH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pilotfish}
cd "$(dirname "$0")"

kept="$cache/node-$(cat ../go.mod ../go.sum ../go-build.sh build.sh coredns/* pause/* | sha256sum | cut -c1-16)"
mkdir -p "$cache" "$(dirname "$output")"
exec 9>"$kept.lock"
flock 9

programs() {
  (cd .. && ./go-build.sh "$venv" "$1" \
    k8s.io/kubernetes/cmd/kubelet \
    k8s.io/kubernetes/cmd/kube-proxy \
    k8s.io/kubernetes/cmd/kube-scheduler \
    ./node/pause)
  (cd coredns && ../../go-build.sh "$venv" "$1" .)
}

# The packages with all that they need, as if nothing were installed; but the C library is the machine's own.
packages() {
  command -v apt-get >/dev/null || {
    echo "a node's container runtime comes from Debian's packages, and there is no apt-get here" >&2
    exit 1
  }
  local archives=$1.archives
  mkdir -p "$archives/partial" "$1"
  : >"$archives/status"
  apt-get -qq update
  apt-get -qq --yes --no-install-recommends --download-only -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -o Dir::State::status="$archives/status" -o Dir::Cache::archives="$archives" \
    install containerd runc containernetworking-plugins nftables busybox
  rm -f "$archives"/libc6_*.deb
  for archive in "$archives"/*.deb; do
    dpkg-deb --extract "$archive" "$1"
  done
  rm -r "$archives"
}

if [ ! -d "$kept" ]; then
  echo "building a node of Kubernetes, once: some minutes" >&2
  rm -rf "$kept.new"
  mkdir "$kept.new"
  packages "$kept.new/debian" >&2
  programs "$kept.new/bin"
  mv "$kept.new" "$kept"
fi
ln -sfn "$kept" "$output"
