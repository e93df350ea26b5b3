#!/usr/bin/env bats
# The image of this project, built by the project itself and used in a copy of a Concourse task.

# bats file_tags=once

load ../support/load

# Builds the image once for all tests: its root filesystem is then in $BATS_FILE_TMPDIR/image/rootfs.
setup_file() {
  local top stand_in kept
  kept=$(test_cache)/product
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  require_buildkit
  command -v mmdebstrap >/dev/null || skip 'mmdebstrap is not installed: run scripts/setup --tests'
  cd "$BATS_FILE_TMPDIR" || return

  # What the image takes from BuildKit's own.
  export DEBIAN_LAYOUT
  DEBIAN_LAYOUT=$(debian_image)
  stand_in=$BATS_FILE_TMPDIR/buildkit
  mkdir -p "$stand_in/usr/bin"
  cp -L "$(command -v buildkitd)" "$(command -v buildctl)" "$stand_in/usr/bin"
  cp -L "$(command -v runc)" "$stand_in/usr/bin/buildkit-runc"

  # As on a worker that runs the task again, with the compiler's cache in it. The mount ends with the build.
  mkdir -p image cache "$kept"
  # shellcheck disable=SC2016  # for the shell inside
  CONTEXT=$top UNPACK_ROOTFS=true BUILD_CONTEXTS="debian=$DEBIAN_LAYOUT,buildkit=$stand_in" \
    unshare --mount sh -c 'mount --bind "$0" cache && exec build' "$kept" >log 2>&1 || {
    tail -n 60 log
    return 1
  }

  make_busybox_rootfs rootfs
  make_image busybox rootfs >/dev/null
}

setup() {
  top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  cd "$BATS_TEST_TMPDIR" || return
}

# task MODE CGROUP [option...] -- COMMAND...: runs a command in a task of that mode on our image, with ./image and ./cache
# as its output and cache.
task() {
  local mode=$1 cgroup=$2
  shift 2
  mkdir -p image cache
  concourse_task --mode "$mode" --rootfs "$BATS_FILE_TMPDIR/image/rootfs" --cgroup "$cgroup" \
    --output image="$PWD/image" --cache cache="$PWD/cache" --timeout 300 "$@"
}

# in_task MODE CGROUP [option...] -- COMMAND...: the same, to build tests/examples/hello.
in_task() {
  task "$1" "$2" --input hello="$top/tests/examples/hello" --input busybox="$BATS_FILE_TMPDIR/busybox" \
    --env CONTEXT=hello --env BUILD_CONTEXTS=busybox=busybox --env BUILD_ARG_GREETING='Hello from a task' "${@:3}"
}

# builds_twice CGROUP: the second of two tasks takes every step from the cache that the first one left.
builds_twice() {
  local first
  run in_task privileged "$1" --env ENGINE=buildkit --env UNPACK_ROOTFS=true -- build
  echo "$output"
  [ "$status" -eq 0 ]
  first=$(<image/digest)
  [ "$first" = "$(oci-digest image/image.tar)" ]
  grep -q '<h1>Hello from a task</h1>' image/rootfs/site/index.html
  [ "$(jq -r .user image/metadata.json)" = 65534:65534 ]
  [ -n "$(ls cache)" ]

  rm -r image
  run in_task privileged "$1" --env ENGINE=buildkit -- build
  echo "$output"
  [ "$status" -eq 0 ]
  grep -qE '^#[0-9]+ CACHED' <<<"$output"
  [ "$(<image/digest)" = "$first" ]
}

@test "the image holds the tools, BuildKit and little else" {
  local rootfs=$BATS_FILE_TMPDIR/image/rootfs tool
  for tool in build oci-build oci-params oci-preload oci-solve oci-digest oci-unpack buildkitd buildctl runc git ssh sh; do
    [ -x "$rootfs/usr/bin/$tool" ]
  done
  [ -s "$rootfs/usr/share/man/man1/build.1" ]
  [ -s "$rootfs/usr/share/doc/oci-build/THIRD-PARTY" ]
  [ -s "$rootfs/etc/ssl/certs/ca-certificates.crt" ]
  [ "$(du -sm "$rootfs" | cut -f 1)" -lt 150 ]
  [ "$(jq -r '.cmd[]' "$BATS_FILE_TMPDIR/image/metadata.json")" = build ]
}

@test "the programs in the image are position independent, read-only once they run, and check what they index" {
  local tool file
  for tool in build oci-params oci-preload oci-solve oci-digest oci-unpack; do
    file=$BATS_FILE_TMPDIR/image/rootfs/usr/bin/$tool
    echo "$tool"
    readelf -hldW "$file" | tee elf
    grep -qE 'Type: +DYN' elf
    grep -qE 'FLAGS_1.* NOW.* PIE' elf
    grep -q GNU_RELRO elf
    grep -qE 'GNU_STACK .* RW +0x' elf
    grep -q '__n < this->size()' "$file" # of std::vector's operator[]
  done
}

# own_config DIR: leaves the config of the image in DIR/image as DIR/config.
own_config() {
  skopeo inspect --config "docker-archive:$1/image/image.tar" >"$1/config"
}

@test "our own Dockerfile comes to one image: by BuildKit, natively, and in tasks with and without privileges" {
  local where settings
  grep -q '^oci-solve: engine: native' "$BATS_FILE_TMPDIR/log"
  # What is compiled already stands in for the stage that compiles.
  mkdir -p compiled/installed/bin
  cp "$BATS_FILE_TMPDIR"/image/rootfs/usr/bin/{build,oci-*} compiled/installed/bin
  settings=(SOURCE_DATE_EPOCH=1000000000 REWRITE_TIMESTAMP=true)
  for where in native buildkit; do
    mkdir -p "$where/image"
    (cd "$where" && env "${settings[@]}" ENGINE=$where CONTEXT="$top" \
      BUILD_CONTEXTS="debian=$DEBIAN_LAYOUT,buildkit=$BATS_FILE_TMPDIR/buildkit,compile=$BATS_TEST_TMPDIR/compiled" \
      build >log 2>&1) || { tail -n 60 "$where/log"; return 1; }
    own_config "$where"
  done
  diff native/config buildkit/config
  for where in privileged fuse-only unprivileged; do
    mkdir "$where"
    (cd "$where" && task "$where" v2 --net host \
      --input repo="$top" --input debian="$DEBIAN_LAYOUT" --input buildkit="$BATS_FILE_TMPDIR/buildkit" \
      --input compiled="$BATS_TEST_TMPDIR/compiled" "${settings[@]/#/--env=}" --env CONTEXT=repo \
      --env BUILD_CONTEXTS=debian=debian,buildkit=buildkit,compile=compiled -- build >log 2>&1) ||
      { tail -n 60 "$where/log"; return 1; }
    grep -q 'oci-solve: engine: native' "$where/log"
    own_config "$where"
    diff "$where/config" buildkit/config
  done
}

@test "every program in the image finds its libraries" {
  # shellcheck disable=SC2016  # for the shell in the task
  run in_task privileged v2 -- sh -c '
    for tool in build oci-params oci-preload oci-solve oci-digest oci-unpack buildkitd buildctl runc; do
      "$tool" --version || exit
    done
    git --version && ssh -V && git ls-remote https://127.0.0.1:1/ 2>&1 | grep "Failed to connect"'
  echo "$output"
  [ "$status" -eq 0 ]
}

@test "the tools in the image need no file beside them, and take names from hosts whatever nsswitch.conf says" {
  start_registry registry --tls
  SSL_CERT_FILE=registry/ca.pem skopeo copy --quiet "oci:$BATS_FILE_TMPDIR/busybox" "docker://localhost:${REGISTRY#*:}/busybox"
  mkdir -p root/{bin,dev,proc,tmp,etc/ssl/certs,app,image}
  cp "$BATS_FILE_TMPDIR"/image/rootfs/usr/bin/{build,oci-solve} root/bin
  mknod -m 666 root/dev/null c 1 3
  cp registry/ca.pem root/etc/ssl/certs/ca-certificates.crt
  echo '127.0.0.1 registry.example' >root/etc/hosts
  echo 'hosts: absent' >root/etc/nsswitch.conf
  printf 'FROM registry.example:%s/busybox\nCOPY Dockerfile /\nRUN ["/bin/busybox", "test", "-e", "/Dockerfile"]\n' "${REGISTRY#*:}" >root/app/Dockerfile
  # shellcheck disable=SC2016  # for the shell inside
  run env -i CONTEXT=/app ENGINE=native unshare --mount sh -c 'mount -t proc proc root/proc && exec chroot root /bin/build'
  stop_registry
  echo "$output"
  [ "$status" -eq 0 ]
  tar -tf root/image/image.tar >/dev/null
}

@test "a privileged task with cgroup v2 builds twice, the second time from its cache" {
  builds_twice v2
}

@test "a privileged task with cgroup v1 builds twice, the second time from its cache" {
  builds_twice v1
}

@test "a privileged task without a cgroup mount builds twice, the second time from its cache" {
  builds_twice none
}

@test "tasks build natively unless told otherwise, also without privileges and on workers that grant no more than fuse" {
  local mode
  for mode in privileged fuse-only unprivileged; do
    run in_task "$mode" v2 -- build
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *'oci-solve: engine: native'* ]]
    [ "$(<image/digest)" = "$(oci-digest image/image.tar)" ]
    rm -r image
  done
}

@test "an unprivileged task is told at once what BuildKit lacks there" {
  run in_task unprivileged v2 --env ENGINE=buildkit -- build
  echo "$output"
  [ "$status" -eq 1 ]
  [[ "$output" = *"set 'privileged: true' on the task, or BUILDKIT_HOST"* ]]
  [ "$(files_in image)" = '' ]
}

@test "example.yml sets only parameters that the tools know" {
  local task params
  ln -s "$top" repo
  for task in build try; do
    mapfile -t params < <(sed -n "/- task: $task/,/run:/s/^ *\\([A-Z_]*\\): *\"*\\([^\"]*\\)\"*\$/\\1=\\2/p" "$top/example.yml")
    [ "${#params[@]}" -ge 2 ]
    run --separate-stderr env "${params[@]}" oci-params
    echo "$stderr"
    [ "$status" -eq 0 ]
    [ "$stderr" = '' ]
  done
}
