#!/usr/bin/env bats
# Builds that are killed, anywhere: the next build finds the outputs of one build or of the other, never of both, and
# nothing of the killed one lives on.

load ../support/load

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  enter_task image
  mkdir one other
  printf 'FROM scratch\nCOPY Dockerfile /\nLABEL version=one\n' >one/Dockerfile
  printf 'FROM scratch\nCOPY Dockerfile /other\nLABEL version=other\n' >other/Dockerfile
  # What the outputs look like after each of the two; the one that is made first is what lies there afterwards.
  for version in other one; do
    E2E_ENGINE=native succeed_task CONTEXT="$version" UNPACK_ROOTFS=true SOURCE_DATE_EPOCH=0
    look >"$BATS_TEST_TMPDIR/$version"
  done
  cp -a image before
}

teardown() {
  if [ -n "${SERVER_PID:-}" ]; then kill "$SERVER_PID"; fi
}

# Every file of the outputs, hidden ones too, with what is in it.
look() {
  find image -type f -exec cksum {} + | sort
}

# outputs_of NAME: succeeds if the outputs are wholly those of that build.
outputs_of() {
  [ "$(look)" = "$(cat "$BATS_TEST_TMPDIR/$1")" ]
}

# build_version NAME [PROGRAM...]: that build in place of this shell, PROGRAM before its name.
build_version() {
  exec env -i PATH="$PATH" TMPDIR="$(task_tmpdir)" ENGINE=native CONTEXT="$1" UNPACK_ROOTFS=true SOURCE_DATE_EPOCH=0 \
    "${@:2}" build 2>log 3>&-
}

# A build that starts and fails.
failing_build() {
  E2E_ENGINE=native run_task CONTEXT=one TARGET=nothing
  [ "$status" -ne 0 ]
}

nobody_is_here() {
  local pid
  for pid in $(pgrep -x 'build|oci-[a-z]*'); do
    [ "$(readlink "/proc/$pid/cwd")" != "$PWD" ] || return 1
  done
}

@test "killed at any rename or link, a build leaves the outputs of one build" {
  local call n kept=0 changed=0 ended
  for call in rename linkat unlink; do # the unit tests have every call
    for ((n = 1; ; ++n)); do
      rm -rf image
      cp -a before image
      ended=0
      (build_version other strace -qqq -o /dev/null -e inject="$call:signal=KILL:when=$n") || ended=$?
      [ "$ended" -ne 0 ] || break
      [ "$ended" -eq 137 ] || { cat log; false; }
      failing_build
      if outputs_of one; then
        kept=$((kept + 1))
      else
        outputs_of other || { echo "killed at $call $n"; look; false; }
        changed=$((changed + 1))
      fi
    done
    outputs_of other
  done
  [ "$kept" -gt 0 ]
  [ "$changed" -gt 0 ]
}

@test "killed at any time, a build leaves the outputs of one build, and no process" {
  local version=other round
  seed_random
  for ((round = 0; round < ${OCI_BUILD_KILLS:-25}; ++round)); do
    (build_version "$version") &
    local pid=$! signal=KILL
    ((RANDOM % 2)) || signal=TERM
    sleep "0.0$((RANDOM % 4))$((RANDOM % 10))"
    kill -"$signal" "$pid" 2>/dev/null || true
    wait "$pid" || true
    failing_build
    local other=one
    [ "$version" = other ] || other=other
    if outputs_of "$version"; then
      version=$other
    else
      outputs_of "$other" || { echo "round $round, SIG$signal"; look; false; }
    fi
  done
  wait_until 10 nobody_is_here
  run ! grep -F "$BATS_TEST_TMPDIR" /proc/mounts
  [ -z "$(files_in "$(task_tmpdir)")" ]
}

# A server that takes connections and never answers, at 127.0.0.1:$PORT.
start_silent_server() {
  python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
taken = []
while True:
    taken.append(server.accept())
    print("taken", flush=True)' >server.log 3>&- &
  SERVER_PID=$!
  wait_until 10 test -s server.log
  PORT=$(head -n 1 server.log)
}

# The build of `waiting` has come to the point where nothing happens any more.
waits() {
  case $1 in
    server) grep -q taken server.log ;;
    lock) [ -e cache/native/lock ] && grep -q 'engine: native' log ;;
    fifo) gone "$2" ;; # it does not wait at all
  esac
}

@test "whatever a build waits for, SIGTERM ends it at once, and with it ends all when it is killed" {
  local what signal pid code held record
  mkdir waiting cache files
  echo content >files/file
  make_image base files >digest
  start_silent_server
  for what in server lock fifo; do
    for signal in TERM KILL; do
      rm -rf cache/*
      : >log
      : >server.log
      printf 'FROM scratch\nCOPY Dockerfile /\n' >waiting/Dockerfile
      case $what in
        server) printf 'FROM 127.0.0.1:%s/image\n' "$PORT" >waiting/Dockerfile ;;
        lock)
          mkdir cache/native
          exec {held}>cache/native/lock
          flock "$held"
          ;;
        fifo)
          # shellcheck disable=SC2016
          printf 'ARG base\nFROM $base AS base\nFROM scratch\nCOPY --from=base /file /\n' >waiting/Dockerfile
          (build_version waiting env IMAGE_ARG_base=base)
          record=$(echo cache/native/trees/*/tree.json)
          rm "$record"
          mkfifo "$record"
          ;;
      esac
      (build_version waiting env IMAGE_ARG_base=base) &
      pid=$!
      wait_until 10 waits "$what" "$pid" || [ "$what" = fifo ]
      code=0
      kill -"$signal" "$pid" || true
      wait "$pid" || code=$?
      [ "$what" = fifo ] || [ "$code" -eq $((128 + $(kill -l "$signal"))) ] || { echo "$what: $code"; cat log; false; }
      wait_until 5 nobody_is_here || { echo "after SIG$signal, waiting for $what, still there"; false; }
      [ "$what" != lock ] || exec {held}>&-
    done
  done
}
