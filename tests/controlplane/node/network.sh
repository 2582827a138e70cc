#!/usr/bin/env bash
# Connects a node with this machine, and prints the first two numbers of its addresses: network.sh PID, a process that is
# about to live in the node's network. Of those, .0.0/24 are pods, .128.0/24 Services, .255.2 is the node, .255.1 we.
set -euo pipefail
node=$1
ours=$(readlink /proc/self/ns/net)
until [ "$(readlink "/proc/$node/ns/net")" != "$ours" ]; do
  sleep 0.01
done
# The name of the link is what tells two clusters on one machine apart; it goes with the node.
for number in $(seq 200 219) none; do
  [ "$number" != none ] || { echo "no free network for a node" >&2; exit 1; }
  ! ip link add "pf$number" type veth peer name eth0 netns "$node" 2>/dev/null || break
done
prefix=10.$number
ip address add "$prefix.255.1/30" dev "pf$number"
ip link set "pf$number" up
nsenter --target "$node" --net sh -euc "
  ip address add $prefix.255.2/30 dev eth0
  ip link set eth0 up
  ip route add default via $prefix.255.1"
ip route add "$prefix.0.0/16" via "$prefix.255.2" dev "pf$number" src "$prefix.255.1"
echo "$prefix"
