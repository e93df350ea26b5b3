#!/usr/bin/env bats
# The daemon from its start to its end, whatever way that comes.

load ../support/load

setup_file() { prepare_base; }
setup() { enter_build; }

teardown() {
  if [ -n "${BUILD_PID:-}" ]; then kill -KILL "$BUILD_PID" 2>/dev/null || true; fi
}

# A step that says so when it runs, with a child of its own, and does not end by itself or by SIGTERM. How long it
# would sleep is its mark among the processes of the machine.
stubborn_step() {
  NAP=$((1000000 + BASHPID))
  sed "s/NAP/$NAP/g" <<'END' | dockerfile
FROM busybox
RUN --mount=type=secret,id=s trap '' TERM INT; (trap '' TERM INT; sleep NAP) & echo step-is-run""ning; sleep NAP; sleep NAP
END
  export STEP_SECRET=the-secret-of-this-step
  start_build '.secrets = [{id: "s", env: "STEP_SECRET", file: null}]' "$(to_output)"
  wait_until 60 grep -q step-is-running progress
  wait_until 60 step_is_alive
}

step_is_alive() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" != "sleep $NAP " ] || return 0
  done
  return 1
}

step_is_gone() {
  ! step_is_alive
}

@test "SIGTERM during a step ends everything and exits 143" {
  stubborn_step
  kill -TERM "$BUILD_PID"
  ended_with 143
  [ ! -s result ]
  [ -z "$(ls -A out)" ]
  grep -q 'oci-solve: stopped by SIGTERM' progress
  step_is_gone
  nothing_left
}

@test "Ctrl-C during a step ends everything and exits 130" {
  stubborn_step
  kill -INT "$BUILD_PID"
  ended_with 130
  [ ! -s result ]
  [ -z "$(ls -A out)" ]
  step_is_gone
  nothing_left
}

# bats test_tags=buildkit
@test "a daemon that is killed during a step fails the build, says so and leaves nothing" {
  stubborn_step
  kill -KILL "$(daemon_pid)"
  ended_with 1
  [ -z "$(ls -A out)" ]
  grep -q 'oci-solve: buildkitd died during the build (it was killed by SIGKILL)' progress
  step_is_gone
  nothing_left
  run ! grep -rl the-secret-of-this-step tmp out
}

@test "when oci-solve itself is killed, all that it started ends with it" {
  stubborn_step
  local daemon
  daemon=$(daemon_pid)
  kill -KILL "$BUILD_PID"
  [ -z "$daemon" ] || wait_until 30 gone "$daemon"
  wait_until 30 step_is_gone
  run ! grep -F " $BATS_TEST_TMPDIR/" /proc/self/mountinfo
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(to_output)"
  [ "$(ls -A out)" = image.tar ]
  nothing_left
}

@test "a step that fails exits 1, shows its last lines and leaves nothing" {
  dockerfile <<'END'
FROM busybox
RUN echo last-words; exit 42
END
  solve "$(to_output)"
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ "$stderr" == *"last-words"*"exit code: 42"* ]]
  [[ "${stderr_lines[-1]}" == 'oci-solve: '* ]]
  [ -z "$(ls -A out)" ]
  nothing_left
}

@test "a Dockerfile that cannot be parsed exits 1 with its line" {
  printf 'FROM busybox\nRUUN x\n' | dockerfile
  solve
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"Dockerfile:2"* ]]
  [[ "$stderr" == *"unknown instruction: RUUN"* ]]
}

# bats test_tags=buildkit
@test "a daemon that refuses its configuration is reported with its own words" {
  printf 'FROM busybox\n' | dockerfile
  solve '.buildkit_config = "[log]\nformat = \"no-such-format\""'
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"buildkitd died while starting (it exited with 1); the end of its log:"*"no-such-format"* ]]
  nothing_left
}

@test "step output is never clipped" {
  dockerfile <<'END'
FROM busybox
RUN yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -n 40000; echo end-of-output
END
  make_request "$(serve_busybox)" >request
  oci-solve <request 2>progress
  [ "$(grep -c '^#[0-9]* [0-9.]* 0123456789' progress)" -eq 40000 ]
  grep -q end-of-output progress
  run ! grep -q 'output clipped' progress
}

@test "the progress is plain text without cursor movements" {
  printf 'FROM busybox\nRUN echo one; sleep 0.1; echo two\n' | dockerfile
  solve_well
  [[ "$stderr" =~ \#[0-9]+\ [0-9.]+\ one ]]
  [[ "$stderr" != *$'\e'* ]]
  [[ "$stderr" != *$'\r'* ]]
}

# bats test_tags=buildkit
@test "DEBUG shows what the daemon says" {
  printf 'FROM busybox\n' | dockerfile
  solve_well '.debug = true'
  [[ "$stderr" == *"oci-solve: debug: running buildctl"* ]]
  [[ "$stderr" == *"level=debug"* ]]
  nothing_left
}

@test "without DEBUG nothing is said of how the engine works" {
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(to_output)"
  [[ "$stderr" != *"level="* ]]
  [ "$(grep 'oci-solve:' <<<"$stderr" | grep -vE '^oci-solve: (engine|steps|slowest): ')" = '' ]
}

@test "a work directory with a path too long for a socket will do" {
  printf 'FROM busybox\nRUN true\n' | dockerfile
  local deep=tmp/a-directory-name-that-is-rather-long/and-one-below-it-that-is-just-as-long/and-one-more-to-be-sure
  mkdir -p "$deep"
  make_request "$(serve_busybox)" "$(to_output)" >request
  run --separate-stderr oci-solve --work-dir "$deep" <request
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ -s out/image.tar ]
  [ -z "$(ls -A "$deep")" ]
}

@test "nothing listens on the network" {
  dockerfile <<'END'
FROM busybox
RUN netstat -ltn | grep -v 'Proto\|Active' >/listeners; echo listed
END
  make_request "$(serve_busybox)" "$(to_output)" >request
  # In a network of its own, where nobody else listens.
  run --separate-stderr unshare --net sh -c 'busybox ip link set lo up && exec oci-solve <request'
  echo "$stderr"
  [ "$status" -eq 0 ]
  [ "$(image_file listeners)" = '' ]
}

@test "two builds at once do not meet" {
  printf 'FROM busybox\nRUN sleep 0.5\nCOPY Dockerfile /d\n' | dockerfile
  mkdir out-2
  start_build '.targets[0].output = "out-2"'
  solve_well "$(to_output)"
  ended_with 0
  [ -s out/image.tar ]
  [ -s out-2/image.tar ]
  nothing_left
}

@test "the memory, process and file limits of a step are those of the task" {
  printf 'FROM busybox\nRUN ulimit -n >/files\n' | dockerfile
  solve_well "$(to_output)"
  [ "$(image_file files)" -ge "$(ulimit -n)" ]
}
