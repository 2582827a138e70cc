#!/usr/bin/env bash
# The invariants that no type and no lint can hold, looked for in the text. Each finding is printed with its place.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0

# forbid WHAT PATTERN [FILE...]: the pattern must not occur, tests aside.
forbid() {
  local what=$1 pattern=$2
  shift 2
  local found
  found=$(printf '%s\n' "$@" | grep -vE '/tests(\.rs|/)|^$' | xargs -r grep -nE "$pattern" -- /dev/null || true)
  if [ -n "$found" ]; then
    printf '%s:\n%s\n' "$what" "$found" >&2
    bad=1
  fi
}

rust() { git ls-files -- "$@" | grep -E '\.rs$' || true; }

# 1. The data plane links no Kubernetes client.
for crate in pilotfish-sidecar pilotfish-wire pilotfish-crowd pilotfish-loudness; do
  if cargo tree --quiet --package "$crate" --edges normal --prefix none | grep -E '^(kube|k8s-openapi)[ -]' >&2; then
    echo "$crate must not link a Kubernetes client" >&2
    bad=1
  fi
done

# 2. What is pure reads no clock, does no IO, holds no lock.
pure=$(rust operator/src/validate.rs operator/src/validate operator/src/compile.rs operator/src/compile \
  operator/src/inject.rs operator/src/inject \
  sidecar/src/dialect.rs sidecar/src/dialect sidecar/src/json.rs sidecar/src/json sidecar/src/sse.rs sidecar/src/sse \
  sidecar/src/event_stream.rs sidecar/src/event_stream \
  sidecar/src/pipeline/route.rs sidecar/src/pipeline/verdict.rs)
# shellcheck disable=SC2086
forbid "a pure module does IO, reads a clock or holds a lock" \
  'std::(fs|net|process|env)::|tokio::(net|fs|spawn|time::sleep)|Instant::now|Timestamp::now|SystemTime|Mutex|RwLock|\.await' $pure

# 6. One place makes status codes of refusals, one makes callers, one makes admissions.
# shellcheck disable=SC2046
forbid "a status code is made outside pipeline/respond.rs" 'StatusCode::[A-Z]' \
  $(rust sidecar/src/pipeline sidecar/src/pipeline.rs | grep -v 'pipeline/respond')
# shellcheck disable=SC2046
forbid "a caller is made outside pipeline/authenticate.rs" '(Caller|Authorised) \{ ' \
  $(rust sidecar/src | grep -v 'pipeline/authenticate')
# shellcheck disable=SC2046
forbid "an admission is made outside pipeline/limit.rs" 'Admission \{ ' \
  $(rust sidecar/src | grep -v 'pipeline/limit')

# 7. A provider key becomes bytes in one place of the operator, and in the sidecar's own that has none to ask; it is read
# in four: where it becomes a header, where it signs, where it is exchanged for a token, and where a VirtualKey is hashed.
# shellcheck disable=SC2046
forbid "a credential is serialised outside push" 'Resource::new\((wire::)?Kind::Credential' \
  $(rust sidecar/src operator/src cli/src wire/src | grep -vE 'operator/src/push|sidecar/src/standalone.rs|wire/src/resource.rs')
# shellcheck disable=SC2046
forbid "a secret is read where none should be" '\.expose\(\)' \
  $(rust sidecar/src operator/src cli/src wire/src | grep -vE 'upstream/(credential|signature|token|token/[a-z]+).rs|operator/src/world/secret.rs|wire/src/secret.rs')

# 8. Every task is owned.
# shellcheck disable=SC2046
forbid "a task or a queue without an owner or a bound" 'tokio::(task::)?spawn(_local)?\(|unbounded_channel' \
  $(rust sidecar/src operator/src cli/src wire/src crowd/src)

# No stubs.
# shellcheck disable=SC2046
forbid "something is not done" 'todo!|unimplemented!|TODO|FIXME' $(rust sidecar operator cli wire crowd crds tests)

exit $bad
