#!/usr/bin/env bats
# The native engine's steps, and what remains of them: nothing, whatever way a build ends.

load ../support/load

setup_file() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  local root=$BATS_FILE_TMPDIR/rootfs
  make_busybox_rootfs "$root"
  cp "$root/bin/busybox" "$root/bin/busybox-privileged"
  chmod 4755 "$root/bin/busybox-privileged"
  make_image "$BATS_FILE_TMPDIR/busybox" "$root" >"$BATS_FILE_TMPDIR/busybox.digest"
  rm -rf "$root"
}

setup() {
  enter_native_build
  NAP=$((1000000 + BASHPID)) # how long steps would sleep: their mark among the processes of the machine
}

teardown() {
  if [ -n "${BUILD_PID:-}" ]; then kill -KILL "$BUILD_PID" 2>/dev/null || true; fi
}

natively() {
  echo '.engine = "native"'
}

steps() {
  grep -lsa "[s]leep.$NAP" /proc/[0-9]*/cmdline
}

steps_run() {
  [ "$(steps | wc -l)" -ge "$1" ]
}

no_step_runs() {
  [ -z "$(steps)" ]
}

# The process that builds: the child of the one that was started.
engine_pid() {
  # Some have ended meanwhile: cat goes on then, awk would not.
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v parent="$BUILD_PID" '$4 == parent {print $1}'
}

# Two stages whose steps neither end by themselves nor by SIGTERM: one with daemons that have left its session, one
# that became another user, by a program for which the kernel forgets who wanted a signal when we die.
start_stubborn_build() {
  sed "s/NAP/$NAP/g" <<'END' | dockerfile
FROM busybox AS first
RUN --mount=type=secret,id=s --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch \
    trap '' TERM INT; (setsid sh -c 'trap "" TERM INT; (sleep NAP &) ; sleep NAP' &) ; sleep NAP; sleep NAP
FROM busybox AS second
USER 1000:1000
RUN ["busybox-privileged", "sleep", "NAP"]
FROM busybox
COPY --from=first /etc/passwd /1
COPY --from=second /etc/passwd /2
END
  export STEP_SECRET=the-secret-of-this-step
  start_build '.secrets = [{id: "s", env: "STEP_SECRET", file: null}]' "$(to_output)" "$(natively)"
  wait_until 60 steps_run 4
}

@test "SIGTERM during steps ends all of them and exits 143" {
  start_stubborn_build
  kill -TERM "$BUILD_PID"
  ended_with 143
  [ ! -s result ]
  [ -z "$(ls -A out)" ]
  grep -q 'oci-solve: stopped by SIGTERM' progress
  no_step_runs
  nothing_left
}

@test "Ctrl-C during steps ends all of them and exits 130" {
  start_stubborn_build
  kill -INT "$BUILD_PID" "$(engine_pid)" # a terminal sends it to all of the foreground
  ended_with 130
  [ -z "$(ls -A out)" ]
  no_step_runs
  nothing_left
}

@test "when the process that was started is killed, steps end and nothing is left" {
  start_stubborn_build
  local engine
  engine=$(engine_pid)
  kill -KILL "$BUILD_PID"
  wait_until 30 gone "$engine"
  no_step_runs
  nothing_left
}

@test "when all of the engine is killed, steps end with it and the next build clears up" {
  start_stubborn_build
  kill -KILL "$BUILD_PID" "$(engine_pid)"
  wait_until 30 no_step_runs
  run ! grep -F " $BATS_TEST_TMPDIR/" /proc/self/mountinfo
  run ! grep -rl the-secret-of-this-step tmp out
  [ -n "$(ls -A tmp)" ]
  printf 'FROM busybox\n' | dockerfile
  solve_well "$(natively)"
  nothing_left
}

@test "a work directory that is given is cleared of what a killed build left, not of what a living one has" {
  local engine killed
  mkdir work
  printf 'FROM busybox\nRUN sleep %s\n' "$NAP" | dockerfile
  make_request "$(serve_busybox)" "$(natively)" >request
  for killed in yes no; do
    oci-solve --work-dir work <request >result 2>progress 3>&- &
    BUILD_PID=$!
    wait_until 60 steps_run 1
    [ "$(ls -A work | wc -l)" -eq 1 ]
    engine=$(engine_pid)
    [ "$killed" = no ] || kill -KILL "$BUILD_PID" "$engine"
    [ "$killed" = no ] || wait_until 30 no_step_runs
  done
  ls -A work >before
  printf 'FROM busybox\nRUN true\n' | dockerfile
  make_request "$(serve_busybox)" "$(natively)" >request
  oci-solve --work-dir work <request >result
  ls -A work | cmp before
  kill -TERM "$BUILD_PID"
  ended_with 143
  [ -z "$(ls -A work)" ]
}

@test "a step that fails stops those of other stages at once" {
  sed "s/NAP/$NAP/g" <<'END' | dockerfile
FROM busybox AS first
RUN while [ ! -e /dev/shm/never ]; do sleep NAP; done
FROM busybox AS second
RUN echo last-words; exit 42
FROM busybox
COPY --from=first /etc/passwd /1
COPY --from=second /etc/passwd /2
END
  solve "$(to_output)" "$(natively)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"last-words"*"exit code: 42"* ]]
  [ -z "$(ls -A out)" ]
  no_step_runs
  nothing_left
}

# A layer is being written.
packing_is_under_way() {
  [ -n "$(find tmp -name 'layer-*' -size +0 2>/dev/null)" ]
}

@test "a layer being packed, which would take very long, ends with a failed step and with SIGTERM" {
  truncate -s 1T src/holes
  dockerfile <<'END'
FROM scratch AS large
COPY holes /
FROM busybox AS failing
RUN sleep 1; exit 42
END
  start_build '.targets = [{name: "large", output: "out"}, {name: "failing", output: null}]' "$(natively)"
  wait_until 60 gone "$BUILD_PID"
  ended_with 1
  grep -q 'exit code: 42' progress
  [ -z "$(ls -A out)" ]
  nothing_left
  start_build '.targets = [{name: "large", output: "out"}]' "$(natively)"
  wait_until 60 packing_is_under_way
  kill -TERM "$BUILD_PID"
  wait_until 60 gone "$BUILD_PID"
  ended_with 143
  [ -z "$(ls -A out)" ]
  nothing_left
}

@test "processes that a step leaves running end with it, and hold nothing up" {
  sed "s/NAP/$NAP/g" <<'END' | dockerfile
FROM busybox
RUN sleep NAP & echo first >/first
RUN (setsid sleep NAP </dev/null >/dev/null 2>&1 &) ; (setsid sh -c 'sleep NAP & sleep NAP' &) ; echo second >/second
END
  solve_well "$(to_output)" "$(natively)"
  [ "$(image_file second)" = second ]
  no_step_runs
  nothing_left
}

@test "a step may flood its output, close it and go on without" {
  dockerfile <<'END'
FROM busybox
RUN yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -n 40000; echo end-of-output
RUN exec >&- 2>&-; usleep 100000; touch /quiet
RUN touch /still; exec >&- 2>&-; exit 3
END
  solve "$(to_output)" "$(natively)"
  [ "$status" -eq 1 ]
  [ "$(grep -c '^#[0-9]* [0-9.]* 0123456789' <<<"$stderr")" -eq 40000 ]
  [[ "$stderr" == *end-of-output* ]]
  [[ "$stderr" == *"exit code: 3"* ]]
  nothing_left
}

@test "a step that is killed by a signal fails as under a shell" {
  printf 'FROM busybox\nRUN ["sh", "-c", "sh -c \x27kill -9 $$\x27; exit $?"]\n' | dockerfile
  solve "$(natively)"
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"exit code: 137"* ]]
}

@test "steps that mount a path of the context share one copy of it" {
  dockerfile <<'END'
FROM busybox
RUN --mount=source=Dockerfile,target=/m echo "place $(stat -c %d:%i /m)"
RUN --mount=source=Dockerfile,target=/m echo "place $(stat -c %d:%i /m)" && ! touch /m
RUN --mount=source=Dockerfile,target=/m,rw echo changed >/m
RUN --mount=source=Dockerfile,target=/m grep -q FROM /m
END
  solve "$(natively)"
  [ "$status" -eq 0 ]
  [ "$(grep -oE 'place [0-9:]+$' <<<"$stderr" | wc -l)" -eq 2 ]
  [ "$(grep -oE 'place [0-9:]+$' <<<"$stderr" | sort -u | wc -l)" -eq 1 ]
}
