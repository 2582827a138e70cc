#!/usr/bin/env bash
# The first process of a node, in mount, network and process namespaces of its own, which end with it:
# init.sh CLUSTER NODE IMAGES GROUP. CLUSTER is the folder of the control plane, where logs go; NODE what build.sh made;
# IMAGES a folder of archives; GROUP the control group of all that pods run.
set -euo pipefail
cluster=$1
node=$2
images=$3
group=$4
until [ -s "$cluster/network" ]; do
  sleep 0.02
done
prefix=$(cat "$cluster/network")

bin=$node/bin
unpacked=$node/debian
state=/run/pilotfish
# The machine's own are not touched, and what is written here is gone when the node is.
for folder in /run /var/lib /var/log; do
  mount -t tmpfs tmpfs "$folder"
done
mkdir -p "$state/cni" /run/netns /var/lib/kubelet
ip link set lo up
ip link add pods type bridge
ip address add "$prefix.0.1/24" dev pods
ip link set pods up
echo 1 >/proc/sys/net/ipv4/ip_forward

cat >"$state/cni/10-pods.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{
  "type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "$prefix.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
EOF
# restrict_oom_score_adj: where CAP_SYS_RESOURCE is missing, a lower score is refused. The disabled plugin writes to /opt.
cat >"$state/containerd.toml" <<EOF
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:e2e"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "$unpacked/usr/lib/cni"
  conf_dir = "$state/cni"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "$unpacked/usr/sbin/runc"
EOF
# Only the API server's machine can reach it, and nothing is evicted however full the machine is.
cat >"$state/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /$group
clusterDNS: [$prefix.255.2]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$state/containerd.sock
enforceNodeAllocatable: []
evictionHard: {imagefs.available: 0%, imagefs.inodesFree: 0%, nodefs.available: 0%, nodefs.inodesFree: 0%}
failCgroupV1: false
failSwapOn: false
healthzPort: 0
imageGCHighThresholdPercent: 100
makeIPTablesUtilChains: false
oomScoreAdj: 0
resolvConf: ""
volumePluginDir: /var/lib/kubelet/volumeplugins
EOF
# Nothing is behind it: other names than the cluster's are refused.
cat >"$state/Corefile" <<EOF
.:53 {
  errors
  kubernetes cluster.local {
    kubeconfig $cluster/admin.kubeconfig
  }
}
EOF

export PATH="$unpacked/usr/bin:$unpacked/usr/sbin:$PATH"
export LD_LIBRARY_PATH="$unpacked/usr/lib/$(uname -m)-linux-gnu:$unpacked/lib/$(uname -m)-linux-gnu"
run() {
  local name=$1
  shift
  "$@" >"$cluster/$name.log" 2>&1 </dev/null &
}
run containerd containerd --config "$state/containerd.toml"
for _ in $(seq 200); do
  [ ! -S "$state/containerd.sock" ] || break
  sleep 0.05
done
for image in "$images"/*.tar; do
  ctr --address "$state/containerd.sock" --namespace k8s.io image import "$image"
done
touch "$cluster/images-loaded"

# The API server is up by now, or will be: they ask until it answers.
until [ -e "$cluster/tls/apiserver.crt" ]; do
  sleep 0.02
done
run kubelet "$bin/kubelet" --config "$state/kubelet.yaml" --kubeconfig "$cluster/node.kubeconfig" \
  --hostname-override node --node-ip "$prefix.255.2" --root-dir /var/lib/kubelet --cert-dir /var/lib/kubelet/pki
run kube-proxy "$bin/kube-proxy" --kubeconfig "$cluster/proxy.kubeconfig" --proxy-mode nftables \
  --hostname-override node --detect-local-mode BridgeInterface --pod-bridge-interface pods \
  --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
run coredns "$bin/coredns" -conf "$state/Corefile"
# What pods leave behind is buried here.
while :; do
  wait || true
  sleep 1
done
