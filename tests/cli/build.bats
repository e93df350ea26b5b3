#!/usr/bin/env bats
# The driver by itself: what it does before any engine is asked.

load ../support/load

setup() {
  enter_task
  printf 'FROM scratch\nCOPY Dockerfile /\n' >Dockerfile
}

@test "build: an unknown option is wrong usage" {
  run --separate-stderr build --absent
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ $stderr == *"--absent"* ]]
}

@test "build: arguments are wrong usage, the task's variables say everything" {
  run --separate-stderr build .
  [ "$status" -eq 2 ]
}

@test "build: a stage that fails is named in the last line, and its exit code is that of the build" {
  run_task CONTEXT=absent
  [ "$status" -eq 1 ]
  [ "$(tail -n 1 <<<"$stderr")" = 'build: stage oci-params exited with 1, nothing was exported' ]
  [ -z "$(files_in image)" ]
}

@test "build: an image that cannot be read stops it before the engine, and nothing stays" {
  echo 'no image' >base.tar
  run_task IMAGE_ARG_base=base.tar
  [ "$status" -eq 1 ]
  said "'base.tar'"
  [ "$(tail -n 1 <<<"$stderr")" = 'build: stage oci-preload exited with 1, nothing was exported' ]
  nothing_left_behind
}

@test "build: an input that is a FIFO is named at once instead of waited for" {
  mkfifo fifo
  run_task BUILD_ARGS_FILE=fifo
  [ "$status" -eq 1 ]
  said "oci-params: BUILD_ARGS_FILE: 'fifo' is a FIFO, not a file"
}

@test "build: an ignore file that is a FIFO is named at once instead of waited for" {
  [ "$(id -u)" -eq 0 ] || skip 'building needs root'
  local name
  mkdir context
  printf 'FROM scratch\nCOPY Dockerfile /\n' >context/Dockerfile
  for name in .dockerignore Dockerfile.dockerignore; do
    mkfifo "context/$name"
    E2E_ENGINE=native run_task CONTEXT=context
    [ "$status" -eq 1 ]
    said "oci-solve: 'context/$name' is a FIFO, not a file"
    rm "context/$name"
  done
}

# blob: puts stdin into the layout `endless` and prints its descriptor without a media type.
blob() {
  local file=endless/blobs/sha256/new digest size
  cat >"$file"
  digest=$(sha256sum "$file" | cut -d ' ' -f 1)
  size=$(stat -c %s "$file")
  mv "$file" "endless/blobs/sha256/$digest"
  printf '{"digest": "sha256:%s", "size": %d}' "$digest" "$size"
}

# make_endless_image: the layout `endless`, whose only layer takes an hour to read.
make_endless_image() {
  local zeros config manifest
  zeros=$(printf '%064d' 0)
  mkdir -p endless/blobs/sha256
  truncate -s 8T "endless/blobs/sha256/$zeros"
  config=$(jq -n --arg id "sha256:$zeros" '{os: "linux", architecture: "amd64", rootfs: {type: "layers", diff_ids: [$id]}}' | blob)
  manifest=$(jq -n --argjson config "$config" --arg digest "sha256:$zeros" '{schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: ($config + {mediaType: "application/vnd.oci.image.config.v1+json"}),
    layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $digest, size: 8796093022208}]}' | blob)
  jq -n --argjson manifest "$manifest" '{schemaVersion: 2,
    manifests: [$manifest + {mediaType: "application/vnd.oci.image.manifest.v1+json"}]}' >endless/index.json
  echo '{"imageLayoutVersion": "1.0.0"}' >endless/oci-layout
}

# stopped_in STAGE NAME=VALUE...: starts bin/build, stops it by SIGTERM when that stage runs, and looks what remains.
stopped_in() {
  local pid stage code=0
  env -i PATH="$PATH" TMPDIR="$(task_tmpdir)" "${@:2}" bin/build 2>log 3>&- &
  pid=$!
  wait_until 10 pgrep -P "$pid" -x "$1"
  stage=$(pgrep -P "$pid" -x "$1")
  kill -TERM "$pid"
  wait "$pid" || code=$?
  [ "$code" -eq 143 ]
  [ "$(tail -n 1 log)" = "build: $1: stopped by SIGTERM" ]
  gone "$stage"
  nothing_left_behind
}

@test "build: SIGTERM during any stage ends it with 143, and the stage too" {
  mkdir bin
  cp "$(command -v build)" bin/
  make_endless_image
  stopped_in oci-preload IMAGE_ARG_base=endless
  # A program that waits: no input makes the real one do that on every engine.
  mkfifo never
  printf '#!/bin/sh\nread -r line <never\n' >bin/oci-solve
  chmod +x bin/oci-solve
  stopped_in oci-solve
}

@test "build: an output directory that is full is named, and left as it was" {
  [ "$(id -u)" -eq 0 ] || skip 'mounting needs root'
  mkdir context
  printf 'FROM scratch\nCOPY data /\n' >context/Dockerfile
  head -c 300000 /dev/urandom >context/data
  for format in false true; do
    mount -t tmpfs -o size=128k tmpfs image
    echo old >image/digest
    E2E_ENGINE=native run_task CONTEXT=context OUTPUT_OCI="$format"
    local left
    left=$(files_in image)
    umount image
    [ "$status" -eq 1 ]
    [[ $stderr =~ "cannot write 'image/.oci-build-"[^\ ]*"': No space left on device" ]]
    [ "$left" = digest ]
  done
}

@test "build: an output directory without room for another directory is named" {
  [ "$(id -u)" -eq 0 ] || skip 'mounting needs root'
  mount -t tmpfs -o nr_inodes=4 tmpfs image
  E2E_ENGINE=native run_task OUTPUT_OCI=true
  umount image
  [ "$status" -eq 1 ]
  [[ $stderr =~ "oci-solve: cannot make the directory 'image/.oci-build-"[^\ ]*"': No space left on device" ]]
}

@test "build: an ignore file that is a circle of links is named" {
  ln -s .dockerignore .dockerignore
  E2E_ENGINE=native run_task
  [ "$status" -eq 1 ]
  said "dockerignore': Too many levels of symbolic links"
  did_not_say 'unexpected error'
}

@test "build: oci-solve is the only tool that it needs beside it, and is named where it is missing" {
  mkdir bin
  cp "$(command -v build)" bin/
  run --separate-stderr env -i PATH=/nowhere bin/build
  [ "$status" -eq 1 ]
  [ "$stderr" = "build: cannot find the program 'oci-solve' beside this one or on PATH" ]
}
