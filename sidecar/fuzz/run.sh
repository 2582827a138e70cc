#!/usr/bin/env bash
# Fuzzes each decoder, or those that are named, for so many seconds: run.sh CARGO_FUZZ SECONDS [TARGET...]
# The pinned compiler does it: nothing here is unsafe, so that no sanitizer is missed, and the switches that count
# coverage need no nightly but the permission.
set -euo pipefail
fuzzer=$(realpath "$1")
seconds=$2
shift 2
cd "$(dirname "$0")"
export RUSTC_BOOTSTRAP=1
cargo test --quiet --manifest-path ../Cargo.toml --test hostile the_seeds_are_written -- --ignored
mapfile -t all < <(ls corpus)
[ $# -gt 0 ] || set -- "${all[@]}"
"$fuzzer" build --sanitizer none
for target in "$@"; do
  echo "== $target"
  "$fuzzer" run --sanitizer none "$target" -- -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=512 -malloc_limit_mb=128 -print_final_stats=1 -verbosity=0
done
