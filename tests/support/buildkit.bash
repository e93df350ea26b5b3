# The real BuildKit: what the tests need of it, and a daemon for tests of BUILDKIT_HOST.

# require_engine: skips the test where the engine under test, E2E_ENGINE, cannot run.
require_engine() {
  if [ "${E2E_ENGINE:-buildkit}" = buildkit ]; then
    require_buildkit
  else
    [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  fi
}

# Skips the test where BuildKit cannot run. scripts/test puts its programs on PATH.
require_buildkit() {
  local program
  for program in buildkitd buildctl; do
    command -v "$program" >/dev/null || skip "$program is not installed: run scripts/setup"
  done
  command -v runc >/dev/null || skip 'runc is not installed: run scripts/setup'
  [ "$(id -u)" -eq 0 ] || skip 'buildkitd needs root'
}

# start_buildkitd DIR [buildkitd option...]: starts a daemon that keeps everything in DIR (made when absent) and
# listens on DIR/buildkitd.sock. With BUILDKITD_IN_MEMORY=1 its state is in memory instead. Sets BUILDKITD_PID and
# BUILDKITD_ADDRESS, and does not set BUILDKIT_HOST.
start_buildkitd() {
  local dir=$1 daemon=(buildkitd)
  shift
  mkdir -p "$dir"
  [ "${BUILDKITD_IN_MEMORY:-}" != 1 ] || daemon=("$(dirname "${BASH_SOURCE[0]}")/in-memory" "$dir/root" buildkitd)
  BUILDKITD_ADDRESS=unix://$dir/buildkitd.sock
  # Descriptor 3 is bats' own: a background process that keeps it open would hang the test run.
  "${daemon[@]}" --root "$dir/root" --addr "$BUILDKITD_ADDRESS" "$@" >"$dir/log" 2>&1 3>&- &
  BUILDKITD_PID=$!
  if ! wait_until 60 buildctl --addr "$BUILDKITD_ADDRESS" debug workers >/dev/null 2>&1; then
    cat "$dir/log" >&2
    return 1
  fi
}

# stop_buildkitd [PID]: the last one started when no PID is given.
stop_buildkitd() {
  local pid=${1:-${BUILDKITD_PID:-}}
  [ -n "$pid" ] || return 0
  kill "$pid" 2>/dev/null || return 0
  wait "$pid" 2>/dev/null || true
}
