#!/usr/bin/env bats
# The sandbox that stands for a worker's, tests/support/concourse-task, allows what a worker allows and no more.

# bats file_tags=once

load ../support/load

setup() { cd "$BATS_TEST_TMPDIR" || return; }

# allowed OPTION...: what such a task may do, one word for each thing.
allowed() {
  # shellcheck disable=SC2016
  concourse_task --rootfs host "$@" -- sh -c '
    awk "/^CapEff|^Seccomp:/ {print \$2}" /proc/self/status
    mount -t tmpfs none /scratch 2>/dev/null && echo mount
    unshare --user true 2>/dev/null && echo user
    chroot / true 2>/dev/null && echo chroot
    [ -c /dev/fuse ] && echo fuse
    [ -w /sys/fs/cgroup ] && echo cgroups
    awk "{print \$2}" /proc/self/uid_map' | paste -sd ' '
}

@test "each mode has the capabilities, the calls and the ids of a worker's" {
  local first count root runtime
  read -r first _ count </proc/self/uid_map
  root=$((first + count - 1))
  for runtime in crun runc; do
    [ "$(allowed --runtime "$runtime" --mode unprivileged)" = "00000000a80425fb 2 chroot $root 1" ]
    [ "$(allowed --runtime "$runtime" --mode fuse-only)" = "00000000a82425fb 2 mount user chroot fuse $root 1" ]
    [ "$(allowed --runtime "$runtime" --mode unprivileged-on-fuse-only)" = "00000000a80425fb 2 user chroot $root 1" ]
    [[ "$(allowed --runtime "$runtime" --mode privileged)" == *' 0 mount user chroot fuse cgroups 0' ]]
  done
}

# asked PROFILE: the errors of pidfd_open, ptrace, clone3 and call 500 by a task on a worker of that release.
asked() {
  concourse_task --rootfs host --profile "$1" -- python3 -c '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in 434, 101, 435, 500:
    ctypes.set_errno(0)
    libc.syscall(number, -1, 0, -1, 0)
    print(ctypes.get_errno())' | paste -sd ' '
}

@test "each release refuses the calls that are not on its list: by EPERM up to the newest on it, by ENOSYS beyond" {
  [ "$(asked head)" = '22 3 38 38' ] # EINVAL and ESRCH: allowed
  [ "$(asked 8.2)" = '22 3 38 38' ]
  [ "$(asked 7.13)" = '22 1 38 38' ]
  [ "$(asked 7.12)" = '38 1 38 38' ]
  [ "$(asked guardian)" = '1 3 38 38' ] # clone3 is the newest there
}

@test "inputs and the root stay as they are; outputs are what the task leaves, its root as ours" {
  mkdir in out
  echo old >in/file
  run concourse_task --rootfs host --input in="$PWD/in" --output out="$PWD/out" -- sh -c '
    echo new >in/file && echo new >/etc/new-in-a-task && stat -c %u in/file . && cp in/file out/ && exit 3'
  echo "$output"
  [ "$status" -eq 3 ]
  [ "$output" = $'0\n0' ]
  [ "$(<in/file)" = old ]
  [ "$(<out/file)" = new ]
  [ "$(stat -c %u out/file)" -eq 0 ]
  [ ! -e /etc/new-in-a-task ]
}

@test "a task that crun fails to enter is started once more, and not one that fails itself" {
  mkdir bin
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nPATH=%s\n[ "$6" != exec ] || { echo >>tries; [ -e tried ] || { touch tried; echo failed >"${5#file:}"; exit 1; }; }\nexec crun "$@"\n' \
    "$PATH" >bin/crun
  chmod +x bin/crun
  PATH=$PWD/bin:$PATH run concourse_task --rootfs host -- sh -c 'echo ran; exit 7'
  echo "$output"
  [ "$status" -eq 7 ]
  [ "$output" = ran ]
  [ "$(wc -l <tries)" -eq 2 ]
}

@test "a task ends with all that it started, at the latest when its time is over" {
  run concourse_task --rootfs host --timeout 1 -- sh -c 'sleep 1000 & echo begun; sleep 1000'
  [ "$status" -eq 124 ]
  [ "$output" = begun ]
  run concourse_task --rootfs host --timeout 100 -- sh -c 'sleep 1000 & echo begun'
  [ "$status" -eq 0 ]
  [ "$output" = begun ]
}
