#!/usr/bin/env bats
# Builds that do not get to their end: nothing half written, nothing left behind, a message that helps.

load ../support/load

setup() {
  require_engine
  enter_task
}

teardown() {
  [ -z "${TASK_PID:-}" ] || kill -KILL "$TASK_PID" 2>/dev/null || true
}

# start_slow_build: starts `build`, with an engine of its own, in the background and waits until its RUN runs. Sets
# TASK_PID.
start_slow_build() {
  # Without job control bash makes background processes deaf to SIGINT; env gives it back.
  env -i PATH="$PATH" HOME="$BATS_TEST_TMPDIR" TMPDIR="$(task_tmpdir)" CONTEXT="$FIXTURES/slow" \
    ENGINE="${E2E_ENGINE:-buildkit}" BUILD_ARG_unique=now BUILD_CONTEXTS="busybox=$BASES/busybox" env --default-signal=INT build \
    >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
  TASK_PID=$!
  wait_until 60 grep -qE '^#[0-9]+ [0-9.]+ started now' "$BATS_TEST_TMPDIR/log" || {
    cat "$BATS_TEST_TMPDIR/log"
    return 1
  }
}

# ends_with CODE: the build in the background ends with this exit code.
ends_with() {
  local code=0
  wait "$TASK_PID" || code=$?
  [ "$code" -eq "$1" ] || { echo "exit code $code"; cat "$BATS_TEST_TMPDIR/log"; return 1; }
}

@test "failing RUN: exit code 1, the step's last lines, the stage's name, and no output" {
  run_task CONTEXT="$FIXTURES/failing" UNPACK_ROOTFS=true
  [ "$status" -eq 1 ]
  said 'cannot find the frobnicator'
  said 'exit code: 7'
  said 'build: stage oci-solve exited with 1, nothing was exported'
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "failing RUN: its last lines are repeated at the end" {
  run_task CONTEXT="$FIXTURES/failing"
  [[ $(tail -n 25 <<<"$stderr") == *'cannot find the frobnicator'* ]]
}

@test "failing build: what an earlier build left stays whole" {
  succeed_task CONTEXT="$FIXTURES/labels"
  cp -a image "$BATS_TEST_TMPDIR/before"
  run_task CONTEXT="$FIXTURES/failing"
  [ "$status" -eq 1 ]
  diff -r image "$BATS_TEST_TMPDIR/before"
}

@test "SIGTERM in the middle of a RUN: exit code 143 and nothing left" {
  start_slow_build
  kill -TERM "$TASK_PID"
  ends_with 143
  [ -z "$(files_in image)" ]
  nothing_left_behind
  run ! pgrep -f 'started now'
}

@test "SIGINT in the middle of a RUN: exit code 130 and nothing left" {
  start_slow_build
  kill -INT "$TASK_PID"
  ends_with 130
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "Ctrl-C: a SIGINT for the whole process group ends the same way" {
  set -m
  start_slow_build
  set +m
  kill -INT -- "-$TASK_PID"
  ends_with 130
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "SIGKILL: the children end too, and the next build removes what was left" {
  start_slow_build
  kill -KILL "$TASK_PID"
  ends_with 137
  [ -n "$(files_in image)" ]
  wait_until 20 nothing_runs
  succeed_task CONTEXT="$FIXTURES/labels"
  [ "$(files_in image)" = 'digest image.tar manifest-digest' ]
}

# nothing_runs: no process of a build of this test is left.
nothing_runs() {
  ! pgrep -f "$(task_tmpdir)" >/dev/null
}

# bats test_tags=buildkit
@test "engine killed in the middle of a RUN: exit code 1, and nothing left" {
  start_slow_build
  pkill -KILL -f "buildkitd.*$(task_tmpdir)"
  ends_with 1
  [ -z "$(files_in image)" ]
  nothing_left_behind
}

@test "an unknown instruction: BuildKit's words with file and line" {
  printf 'FROM scratch\nKOPY a b\n' >Dockerfile
  run_task
  [ "$status" -eq 1 ]
  said 'Dockerfile:2'
  said 'KOPY'
}

# ends_in_advice TEXT: the last build failed, and the last line of oci-solve that has a sentence ends with TEXT.
ends_in_advice() {
  [ "$status" -eq 1 ]
  grep -E '^oci-solve: [^ -]' <<<"$stderr" | tail -n 1 | grep -qF -- "; $1" || { echo "$stderr"; return 1; }
}

@test "what a step asks for and the task does not give: the error ends with the parameter" {
  printf 'FROM scratch\nRUN --network=host ["x"]\n' >Dockerfile
  run_task ENTITLEMENTS=security.insecure
  ends_in_advice 'set ENTITLEMENTS=security.insecure,network.host'
  printf 'FROM scratch\nRUN --mount=type=secret,id=tok,required ["x"]\n' >Dockerfile
  run_task
  ends_in_advice 'set BUILDKIT_SECRETTEXT_tok or BUILDKIT_SECRET_tok'
  printf 'FROM scratch\nRUN --mount=type=ssh,required ["x"]\n' >Dockerfile
  run_task
  ends_in_advice 'set BUILDKIT_SSHTEXT_default or BUILDKIT_SSH'
}

@test "a base that is not there for a platform: the error ends with the parameter" {
  printf 'FROM scratch\nLABEL a=b\n' >Dockerfile
  succeed_task IMAGE_PLATFORM=linux/amd64,linux/arm64
  mv image/image base
  printf 'FROM base\nLABEL c=d\n' >Dockerfile
  run_task IMAGE_PLATFORM=linux/s390x BUILD_CONTEXTS=base=base
  ends_in_advice 'set IMAGE_PLATFORM, or --platform of the FROM, to one that it is there for'
}

@test "a program that the kernel does not know ends in what to do about foreign ones" {
  printf '\1\2\3\n' >program
  chmod 755 program
  printf 'FROM scratch\nCOPY program /\nRUN ["/program"]\n' >Dockerfile
  run_task IMAGE_PLATFORM=linux/arm64
  ends_in_advice "programs for linux/arm64 do not run here: register QEMU with the kernel's binfmt_misc"
}

@test "a base that does not exist: the message names it" {
  printf 'FROM absent-base:1\n' >Dockerfile
  run_task
  [ "$status" -eq 1 ]
  said 'absent-base:1'
}

@test "an output that cannot be written fails before anything is built" {
  mkdir image/digest
  run_task CONTEXT="$FIXTURES/labels"
  [ "$status" -eq 1 ]
  said "build: cannot export to 'image': 'image/digest' is a directory and would be replaced; move it away"
  did_not_say '#1 '
}

@test "wrong values: named with variable and fix, before the engine is asked" {
  run_task CONTEXT="$FIXTURES/labels" UNPACK_ROOTFS=yse DOCKERFILE=absent
  [ "$status" -eq 1 ]
  said "oci-params: UNPACK_ROOTFS: 'yse' is neither true nor false; use 'true' or 'false'"
  said "oci-params: DOCKERFILE: 'absent' does not exist"
  [ "$(tail -n 1 <<<"$stderr")" = 'build: stage oci-params exited with 1, nothing was exported' ]
  did_not_say '#1 '
}

@test "a missing Dockerfile is named" {
  run_task
  [ "$status" -ne 0 ]
  said "Dockerfile"
}

@test "misspelled variables get a warning with the nearest name" {
  succeed_task CONTEXT="$FIXTURES/labels" UNPACK_ROOTF=true
  said "UNPACK_ROOTF"
  said "UNPACK_ROOTFS"
}

@test "the engine that is asked for builds, and the build says so before anything runs" {
  succeed_task CONTEXT="$FIXTURES/labels"
  [[ $(grep -m 1 -v '^oci-params:' <<<"$stderr") == "oci-solve: engine: ${E2E_ENGINE:-buildkit}"*', as asked for' ]]
}

@test "DEBUG: every stage says more" {
  succeed_task CONTEXT="$FIXTURES/labels" DEBUG=true
  said 'oci-solve: debug: '
}
