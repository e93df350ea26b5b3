#!/usr/bin/env bats
# The engine where Concourse would run it, and where it has no root.

# bats file_tags=buildkit

load ../support/load

setup_file() { prepare_base; }

setup() { enter_build; }

# programs: a directory with all that a build needs of ours, for roots where our build directory is out of sight.
programs() {
  mkdir -p programs
  local program
  for program in oci-solve buildkitd buildctl runc; do
    cp -L "$(command -v "$program")" programs/
  done
}

# solve_in_task OPTION...: oci-solve on `request` in a copy of a Concourse task on this machine's root.
solve_in_task() {
  programs
  run concourse_task --rootfs host --bind "$PWD/programs:/opt" --input src="$PWD/src" \
    --input busybox="$BATS_FILE_TMPDIR/busybox" --input request="$PWD/request" --output out="$PWD/out" \
    --timeout 300 "$@" -- sh -c 'TMPDIR=/scratch /opt/oci-solve -v <request/json; status=$?
      echo "left: $(ls -A /scratch)"; grep -c " /sys/fs/cgroup" /proc/self/mountinfo; exit $status'
  echo "$output"
}

task_request() {
  printf 'FROM busybox\nRUN cat /proc/self/cgroup; echo in-a-step >/made\n' | dockerfile
  mkdir request
  make_request "$(preload context busybox busybox "$(cat "$BATS_FILE_TMPDIR/busybox.digest")")" "$(to_output)" >request/json
}

builds_in_task() {
  [ "$status" -eq 0 ]
  [[ "$output" == *"left: "$'\n'* || "$output" == *"left: "$'\r'* ]]
  [ "$(image_file made)" = in-a-step ]
}

@test "a privileged task without cgroups gets them for the daemon, and loses them again" {
  task_request
  solve_in_task --mode privileged --cgroup none
  builds_in_task
  [[ "$output" == *"no cgroups are mounted"* ]]
  [ "${lines[-1]}" -eq 0 ]
}

@test "a privileged task with cgroups of version 1 or 2 keeps them as they are" {
  local version
  for version in v1 v2; do
    rm -rf request out/*
    task_request
    solve_in_task --mode privileged --cgroup "$version"
    builds_in_task
    [[ "$output" != *"no cgroups are mounted"* ]]
    [ "${lines[-1]}" -ge 1 ]
  done
}

@test "a privileged task on a worker that grants no more than FUSE builds" {
  task_request
  solve_in_task --mode fuse-only
  builds_in_task
}

@test "an unprivileged task is told how to become privileged" {
  task_request
  solve_in_task --mode unprivileged
  [ "$status" -eq 1 ]
  [[ "$output" == *"set 'privileged: true' on the task, or BUILDKIT_HOST to an engine elsewhere"* ]]
}

# as_nobody [-r] COMMAND...: as a user without any privilege; with -r one who may use ids of others in namespaces of
# his own, without a trace in this machine's /etc.
as_nobody() {
  local prepare=true
  if [ "$1" = -r ]; then
    shift
    echo 'nobody:2000000:65536' >subids
    prepare="mount --bind $PWD/subids /etc/subuid && mount --bind $PWD/subids /etc/subgid"
  fi
  unshare -m sh -c "$prepare"' && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh "$@"
}

# A build of his own: a directory that is his, below ones that he may enter.
prepare_for_nobody() {
  task_request
  programs
  cp -r "$BATS_FILE_TMPDIR/busybox" .
  chmod -R a+rX .
  local dir=$PWD
  while [ "$dir" != / ]; do
    chmod a+x "$dir"
    dir=${dir%/*}
    dir=${dir:-/}
  done
  chown -R 65534:65534 out tmp busybox
}

@test "without root the daemon runs under rootlesskit" {
  command -v rootlesskit >/dev/null || skip 'rootlesskit is not installed'
  command -v newuidmap >/dev/null || skip 'newuidmap (package uidmap) is not installed'
  prepare_for_nobody
  as_nobody -r unshare -U true || skip 'this machine gives no user namespaces to ordinary users'
  run as_nobody -r env HOME="$PWD/tmp" PATH="$PWD/programs:$PATH" programs/oci-solve -v <request/json
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(image_file made)" = in-a-step ]
  nothing_left
}

@test "without root and rootlesskit the error says what to install" {
  prepare_for_nobody
  mkdir bare
  ln -s "$(command -v sh)" "$(command -v env)" bare/
  run as_nobody "$(command -v env)" PATH="$PWD/bare:$PWD/programs" programs/oci-solve <request/json
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" == *"BuildKit needs root here: without it the program 'rootlesskit' must be installed"* ]]
  nothing_left
}
