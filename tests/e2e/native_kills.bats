#!/usr/bin/env bats
# Builds that are killed while they pull into the task's cache: what is left there is whole, goes on, or is nothing, and
# a neighbour that shares the cache does not notice.

# bats file_tags=once

load ../support/load

setup_file() { prepare_base; }

setup() {
  enter_native_build
  start_registry "$PWD/r"
  SERVER_PIDS=()
  push_image "$BATS_FILE_TMPDIR/busybox:latest" "$REGISTRY/base:1"
  echo done >src/file
  use_registry "$REGISTRY"
  build_well
  image_digest >digest
}

teardown() {
  local pid
  for pid in "${FIRST:-}" "${SECOND:-}"; do
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
  done
  stop_servers
  stop_registry
}

# use_registry HOST:PORT: builds that follow pull from there, all to the same image.
use_registry() {
  printf 'FROM %s/base:1 AS base\nFROM %s/base:1\nCOPY --from=base /bin/busybox /etc/passwd /copy/\nCOPY file /\n' \
    "$1" "$1" | dockerfile
  make_request '.engine = "native"' '.cache.directory = "cache"' '.source_date_epoch = "0" | .output.rewrite_timestamp = true' "$(to_output)" >request
  forget_all
}

forget_all() {
  rm -rf cache out
  mkdir cache out
}

build_well() {
  rm -rf out/*
  run --separate-stderr oci-solve <request
  [ "$status" -eq 0 ] || { echo "exit code $status: $stderr"; return 1; }
}

# The next build makes the same image and finds nothing to complain of; after it every blob is what its name says, and
# nothing lies around.
next_build_is_right() {
  local blob tree
  build_well
  [ "$(image_digest)" = "$(cat digest)" ] || { echo 'another image'; return 1; }
  [[ "$stderr" != *warning* ]] || { echo "$stderr"; return 1; }
  for blob in cache/native/blobs/sha256/*; do
    [[ "$blob" != *.used ]] || continue # the time of the last use of a large one
    [ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "${blob##*/}" ] || { echo "damaged: $blob"; return 1; }
  done
  for tree in cache/native/trees/*; do
    [ "$(cd "$tree" && echo *)" = 'root tree.json' ] || { ls -AR cache/native/trees | head -50; return 1; }
  done
  [ -z "$(ls -A cache/native/partial)" ] || { ls -A cache/native/partial; return 1; }
  [ -z "$(find cache -name root -prune -o -name '.*' -print)" ] || { find cache -name '.*'; return 1; }
  [ "$(ls -A out)" = image.tar ]
}

# start_one NAME: a build of `request`, which writes to the output directory of that name; its id is in STARTED.
start_one() {
  mkdir -p "$1"
  jq -c --arg output "$1" '.targets[0].output = $output' request >"$1.request"
  oci-solve <"$1.request" >"$1.result" 2>"$1.progress" 3>&- &
  STARTED=$!
}

@test "killed wherever it writes or renames while it pulls, a build leaves a cache that the next one uses" {
  local call number killed=0
  for call in rename,renameat,renameat2 write,pwrite64; do
    for number in 1 2 4 7 11 16; do
      forget_all
      strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$number" oci-solve <request >log 2>&1 && break
      killed=$((killed + 1))
      next_build_is_right || { echo "$call $number"; return 1; }
    done
  done
  [ "$killed" -ge 8 ] || { echo "only $killed kills"; return 1; }
}

@test "killed at any time while it pulls, a build leaves a cache that the next one uses" {
  local round
  seed_random
  for ((round = 0; round < ${OCI_BUILD_KILLS:-5}; ++round)); do
    forget_all
    start_one first
    FIRST=$STARTED
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    kill -KILL "$FIRST" 2>/dev/null || true
    wait "$FIRST" || true
    next_build_is_right || { echo "round $round"; return 1; }
  done
}

@test "of two builds that pull into one cache one is killed, and the other does not notice" {
  local round victim other
  seed_random
  for ((round = 0; round < ${OCI_BUILD_KILLS:-5}; ++round)); do
    forget_all
    start_one first
    FIRST=$STARTED
    start_one second
    SECOND=$STARTED
    victim=$FIRST other=$SECOND
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    if ((RANDOM % 2)); then kill -KILL "$victim" 2>/dev/null || true; else kill -TERM "$victim" 2>/dev/null || true; fi
    wait "$other" || { echo "round $round:"; cat second.progress; return 1; }
    wait "$victim" || true
    [ "$(image_digest second)" = "$(cat digest)" ]
    run ! grep warning second.progress
    next_build_is_right || { echo "round $round"; return 1; }
  done
}

# Part of the layer has arrived.
pull_is_under_way() {
  [ -n "$(find cache/native/partial -type f -size +20k 2>/dev/null)" ]
}

@test "whoever waits for the pull of a build that is killed goes on with it" {
  local signal
  start_server proxy fault-proxy "http://$REGISTRY"
  use_registry "$SERVER"
  for signal in KILL TERM; do
    forget_all
    set_faults "$SERVER" '[{"match": "GET .*/blobs/", "rate": 200000}]'
    start_one first
    FIRST=$STARTED
    wait_until 20 pull_is_under_way
    start_one second
    SECOND=$STARTED
    wait_until 20 grep -q 'resolve\|FROM' second.progress
    set_faults "$SERVER" '[]'
    curl -sf -o /dev/null --noproxy '*' "http://$SERVER/-/log"
    kill -"$signal" "$FIRST"
    wait "$FIRST" || true
    wait "$SECOND" || { cat second.progress; return 1; }
    curl -sf --noproxy '*' "http://$SERVER/-/log" | jq -e 'any(.headers.Range // "" | test("^bytes=[1-9]"))'
    [ "$(image_digest second)" = "$(cat digest)" ]
    next_build_is_right
  done
}
