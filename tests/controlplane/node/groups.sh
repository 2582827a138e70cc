#!/usr/bin/env bash
# The control group of a node: groups.sh make|remove GROUP.
set -euo pipefail
root=/sys/fs/cgroup
if [ "$(stat --file-system --format %T $root)" = cgroup2fs ]; then
  groups=("$root/$2")
else
  groups=("$root"/*/)
  groups=("${groups[@]/%/$2}")
fi

make() {
  mkdir -p "${groups[@]}"
  # In the first version of groups a new one has no processor until it is given some.
  for file in cpuset.cpus cpuset.mems; do
    [ ! -e "$root/cpuset/$file" ] || cat "$root/cpuset/$file" >"$root/cpuset/$1/$file"
  done
}

# What ran in them may take a moment to die.
remove() {
  for _ in $(seq 100); do
    find "${groups[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find "${groups[@]}" -maxdepth 0 2>/dev/null)" ] || return 0
    sleep 0.1
  done
}

"$1" "$2"
