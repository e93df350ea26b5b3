#!/usr/bin/env bats
# The isolations beside namespaces: the same images from fewer rights.
# bats file_tags=once

bats_require_minimum_version 1.5.0

load ../support/load

setup_file() {
  [ "$(id -u)" -eq 0 ] || return 0
  "$BATS_TEST_DIRNAME/../differential/bases" "$BATS_FILE_TMPDIR/bases"
  chmod -R a+rX "$BATS_FILE_TMPDIR"
}

setup() {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  cd "$BATS_TEST_TMPDIR" || return
  export TMPDIR=$BATS_TEST_TMPDIR
}

# open_way: lets everybody come to the directory of the test.
open_way() {
  local dir=$PWD
  while [ "$dir" != / ]; do
    chmod a+x "$dir"
    dir=$(dirname "$dir")
  done
}

# agree ISOLATION: all cases do with what BuildKit was recorded to make, or are known to differ.
agree() {
  run "$BATS_TEST_DIRNAME/../differential/run" --recorded --bases "$BATS_FILE_TMPDIR/bases" --isolation "$1"
  [ "$status" -eq 0 ] || { grep -v '^ok ' <<<"$output" | head -n 40; return 1; }
}

@test "steps in a user namespace of our own make what BuildKit makes" {
  agree userns
}

@test "steps by chroot make what BuildKit makes" {
  agree chroot
}

@test "copies without any right make what BuildKit makes: owners, modes, devices, capabilities" {
  open_way
  agree copies
}

# as_nobody COMMAND...: without any right, in the test's directory, which is his then.
as_nobody() {
  open_way
  chown -R 65534:65534 .
  run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$@"
}

@test "who may do nothing builds what has no step, and is told what a step would need" {
  local solve
  mkdir src out tmp
  cp "$(command -v oci-solve)" .
  echo text >src/file
  printf 'FROM scratch\nCOPY --chown=5:6 --chmod=4755 file /\n' >src/Dockerfile
  CONTEXT=src E2E_ENGINE=auto make_request '.targets[0].output = "out"' >request
  TMPDIR=$PWD/tmp as_nobody sh -c './oci-solve <request'
  echo "$stderr"
  [ "$status" -eq 0 ]
  [[ ${stderr_lines[0]} == 'oci-solve: engine: native (isolation: copies, not namespaces: it needs root here)' ]]
  tar -xOf out/image.tar "$(tar -xOf out/image.tar manifest.json | jq -r '.[0].Layers[0]')" | tar -tvz | tee listing
  grep -qE '^-rwsr-xr-x 5/6 ' listing

  printf 'FROM scratch AS unused\nRUN ["x"]\nFROM scratch\nCOPY file /\n' >src/Dockerfile
  TMPDIR=$PWD/tmp as_nobody sh -c './oci-solve <request'
  echo "$stderr"
  [ "$status" -eq 0 ]

  printf 'FROM scratch\nCOPY file /\nRUN ["x"]\n' >src/Dockerfile
  TMPDIR=$PWD/tmp as_nobody sh -c './oci-solve <request'
  [ "$status" -eq 1 ]
  grep -q '^oci-solve: Dockerfile:3: no step can run here (not namespaces: it needs root here; not userns: .*); run it as root (on Concourse ' <<<"$stderr"
  run ! grep -q 'COPY file' <<<"$(grep '^#' <<<"$stderr")"
  [ -z "$(ls -A tmp)" ]
}

@test "who may do nothing packs files that nobody may read" {
  mkdir src out tmp files
  cp "$(command -v oci-solve)" .
  echo text >files/closed
  chmod 6000 files/closed
  echo other >files/none
  mkdir files/inner
  cp files/none files/inner/
  chmod 0 files/none files/inner
  tar -C files -cf src/files.tar .
  printf 'FROM scratch AS base\nADD files.tar /\nFROM scratch\nCOPY --from=base / /\n' >src/Dockerfile
  CONTEXT=src E2E_ENGINE=native make_request '.isolation = "copies"' '.targets[0].output = "out"' >request
  TMPDIR=$PWD/tmp as_nobody sh -c './oci-solve <request'
  echo "$stderr"
  [ "$status" -eq 0 ]
  tar -xOf out/image.tar "$(tar -xOf out/image.tar manifest.json | jq -r '.[0].Layers[0]')" | tar -tvz | tee listing
  grep -qE '^---S--S--- 0/0 .* closed$' listing
  grep -qE '^---------- 0/0 .* none$' listing
  grep -qE '^d--------- 0/0 .* inner/$' listing
  grep -qE ' inner/none$' listing
}

@test "a user with newuidmap builds in a user namespace" {
  command -v newuidmap >/dev/null || skip 'newuidmap is not installed: run scripts/setup --tests'
  mkdir src out tmp
  cp "$(command -v oci-solve)" .
  cp "$(command -v busybox)" src/
  cat >src/Dockerfile <<'END'
FROM scratch
COPY busybox /bin/
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox chown 33:44 /bin/busybox; /bin/busybox id -u >/id; /bin/busybox cat /proc/self/uid_map >/map"]
USER 1234:5
RUN ["/bin/busybox", "id"]
END
  CONTEXT=src E2E_ENGINE=auto make_request '.targets[0].output = "out"' >request
  # Files of his own, in a mount namespace of the test's own.
  printf 'oci-build-tester:x:54321:54321::/nonexistent:/bin/sh\n' | cat /etc/passwd - >passwd
  printf 'oci-build-tester:700000:65536\n' >subids
  chown -R 54321:54321 .
  open_way
  # shellcheck disable=SC2016
  run --separate-stderr unshare --mount sh -c '
    mount --bind passwd /etc/passwd && mount --bind subids /etc/subuid && mount --bind subids /etc/subgid || exit
    exec setpriv --reuid=54321 --regid=54321 --clear-groups env TMPDIR="$PWD/tmp" ./oci-solve <request'
  echo "$stderr"
  [ "$status" -eq 0 ]
  [[ ${stderr_lines[0]} == 'oci-solve: engine: native (isolation: userns, not namespaces: it needs root here)' ]]
  grep -q 'uid=1234 gid=5' <<<"$stderr"
  [ "$(stat -c %u out/image.tar)" = 54321 ]
  tar -xOf out/image.tar "$(tar -xOf out/image.tar manifest.json | jq -r '.[0].Layers[1]')" | tar -xOz map | tee map
  [ "$(wc -l <map)" -eq 2 ]
  [ -z "$(ls -A tmp)" ]
}

# build_devices ISOLATION [CACHE [COMMAND...]]: the digest of an image with devices, built with that cache, by one who
# may make no device unless another COMMAND is given.
build_devices() {
  local rights=(setpriv --inh-caps=-mknod --bounding-set=-mknod) cache=.
  [ $# -lt 3 ] || rights=("${@:3}")
  [ -z "${2:-}" ] || cache=".cache.directory = \"$2\""
  mkdir -p out ${2:+"$2"}
  make_request "$(preload context base base "$(cat base.digest)")" '.engine = "native" | .source_date_epoch = "0"' \
    '.output.rewrite_timestamp = true' ".isolation = \"$1\"" '.targets[0].output = "out"' "$cache" >request
  "${rights[@]}" oci-solve <request 2>progress || { cat progress >&2; return 1; }
  image_digest
}

@test "devices are in the image in every isolation, though nobody may make them there" {
  local isolation wanted target run
  make_busybox_rootfs root
  mkdir -p root/nodes/below src added
  mknod -m 0640 root/nodes/block b 7 1
  mknod -m 0666 root/nodes/below/null c 1 3
  mknod root/nodes/passwd c 1 3
  ln root/nodes/block root/nodes/below/link
  make_image base root >base.digest
  mknod -m 0600 added/zero c 1 5
  echo text >added/file
  tar -C added -cf src/added.tar .
  export CONTEXT=src
  for target in copies steps; do
    cat >src/Dockerfile <<END
FROM base AS first
ADD --chown=5:6 added.tar /added/
FROM base AS second
COPY --from=first --chmod=0604 /added /copied
FROM scratch AS copies
COPY --from=base / /
COPY --from=second --chown=7:8 /copied/zero /nodes/below /
FROM second AS steps
RUN mv /nodes /moved && rm /moved/passwd && chown 3:4 /moved/block && chmod 0600 /moved/below/null && echo x >/moved/below/x
COPY --from=first /nodes/block /added/
FROM $target
END
    wanted=$(build_devices namespaces '' env)
    for isolation in namespaces userns chroot copies; do
      [ "$target $isolation" != 'steps copies' ] || continue
      for run in alone first second; do
        cache=cache-$isolation
        [ "$run" != alone ] || cache=''
        [ "$(build_devices "$isolation" "$cache")" = "$wanted" ] || { echo "$target by $isolation, $run"; return 1; }
      done
    done
  done
  # What those left who may make none is no device for who may, and the other way round.
  [ "$(build_devices namespaces cache-chroot env)" = "$wanted" ]
  [ "$(build_devices userns cache-chroot)" = "$wanted" ]
}
