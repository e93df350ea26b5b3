# What the differential scripts share: a daemon, cases, and the counting of what agrees.
# shellcheck shell=bash

# Fails, naming it, where a program is missing.
require_programs() {
  local program
  for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
      echo "$program is not installed" >&2
      exit 1
    fi
  done
}

# Sets BUILDKIT_HOST; starts a daemon in the directory $1 unless one is given.
start_buildkit() {
  local i
  [[ -z ${BUILDKIT_HOST-} ]] || return 0
  require_programs buildkitd
  export BUILDKIT_HOST=unix://$1/buildkitd.sock
  buildkitd --root "$1/root" --addr "$BUILDKIT_HOST" --oci-worker-snapshotter=native >"$1/buildkitd.log" 2>&1 &
  buildkit_pid=$!
  for ((i = 0; i < 200; i++)); do
    if buildctl debug workers >/dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  cat "$1/buildkitd.log" >&2
  return 1
}

stop_buildkit() {
  [[ -n ${buildkit_pid-} ]] || return 0
  kill "$buildkit_pid" 2>/dev/null || true
  wait "$buildkit_pid" 2>/dev/null || true
}

# Of the files $3...: a case begins with "==== NAME [WORD...]"; what follows goes to $1/cases/NAME/$2, and the
# words to $1/cases/NAME/args.
split_cases() {
  local work=$1 file=$2
  shift 2
  cat "$@" | awk -v work="$work" -v name="$file" '
    /^==== / { dir = work "/cases/" $2; system("mkdir -p " dir); words = $0; sub(/^==== [^ ]+ ?/, "", words)
               print words > (dir "/args"); close(dir "/args"); printf "" > (dir "/" name); next }
    { print >> (dir "/" name) }'
}

# True if the case $1 is among those asked for ($2...), or if none are.
selected() {
  local name=$1
  shift
  (($# == 0)) || [[ " $* " == *" $name "* ]]
}

passed=0
failed=0
# Counts the case $1 by whether the files $2 (BuildKit's) and $3 (ours) are equal; shows what is not.
judge() {
  if diff -u "$2" "$3" >"$3.diff"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED $1"
    sed -n '3,$p' "$3.diff"
  fi
}

conclude() {
  echo "$passed cases agree, $failed do not"
  ((failed == 0))
}
