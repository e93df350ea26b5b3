#!/usr/bin/env bats
# The plain build, on an engine that `build` starts itself: what it leaves, what it says, what it cleans up.

load ../support/load

# One build serves every test of what a build leaves.
setup_file() {
  [ -n "${HUB:-}" ] || return 0
  export BUILT=$BATS_FILE_TMPDIR/task
  mkdir -p "$BUILT/image" "$BATS_FILE_TMPDIR/tmp"
  (
    cd "$BUILT"
    BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR task BUILDKIT_HOST= REGISTRY_MIRRORS="$HUB" CONTEXT="$FIXTURES/basic" 2>"$BUILT/stderr"
  ) || { cat "$BUILT/stderr" >&2; return 1; }
}

setup() {
  require_engine
  cd "$BUILT"
}

@test "basic: a build leaves the image, its digests and nothing else" {
  [ "$(files_in image)" = 'digest image.tar manifest-digest' ]
}

@test "basic: the image holds what the Dockerfile says" {
  [ "$(file_of copied)" = hello ]
}

@test "basic: image.tar is a docker-save archive and an OCI layout" {
  run tar -tf image/image.tar
  [[ $output == *manifest.json* ]]
  [[ $output == *index.json* ]]
  [[ $output == *oci-layout* ]]
  skopeo inspect docker-archive:image/image.tar
  skopeo inspect oci-archive:image/image.tar
}

@test "basic: podman loads image.tar, and knows it by its digest" {
  command -v podman >/dev/null || skip 'podman is not installed: run scripts/setup --tests'
  local podman=(podman --root "$BATS_TEST_TMPDIR/root" --runroot "$BATS_TEST_TMPDIR/run" --storage-driver vfs)
  "${podman[@]}" load --quiet --input image/image.tar
  run -0 --separate-stderr "${podman[@]}" image inspect --format '{{.Id}}' "$(cat image/digest)"
  [ "sha256:$output" = "$(cat image/digest)" ]
}

@test "basic: digest is that of the config, without a newline" {
  tar -xOf image/image.tar manifest.json | jq -r '.[0].Config' | tee "$BATS_TEST_TMPDIR/config"
  [ "$(cat image/digest)" = "sha256:$(basename "$(cat "$BATS_TEST_TMPDIR/config")")" ]
  [ "$(wc -c <image/digest)" -eq 71 ]
}

@test "basic: manifest-digest is what index.json points at, without a newline" {
  [ "$(cat image/manifest-digest)" = "$(tar -xOf image/image.tar index.json | jq -r '.manifests[0].digest')" ]
  [ "$(wc -c <image/manifest-digest)" -eq 71 ]
}

@test "basic: the steps and what they print are on stderr" {
  grep -F 'RUN echo "the greeting is: ' stderr
  grep -E '^#[0-9]+ [0-9.]+ the greeting is: hello$' stderr
}

@test "basic: progress has neither cursor tricks nor padding" {
  run ! grep -P '\x1b' stderr
  run ! grep -E ' {40}' stderr
}

@test "basic: a terminal as wide as Concourse's changes nothing of that" {
  enter_task
  cat >run <<END
stty rows 500 cols 500
exec env -i PATH="$PATH" TMPDIR="$(task_tmpdir)" CONTEXT="$FIXTURES/basic" NO_COLOR=1 \
  ENGINE="${E2E_ENGINE:-buildkit}" BUILDKIT_HOST="${SHARED_BUILDKIT_HOST:-}" REGISTRY_MIRRORS="$HUB" NO_CACHE=true build
END
  script -qec 'bash run' /dev/null </dev/null >shown
  grep -E '^#[0-9]+ [0-9.]+ the greeting is: hello' shown
  run ! grep -P '\x1b' shown
  run ! grep -E ' {40}' shown
}

@test "basic: the summary names every file with size and digest, and the time of each stage" {
  grep -E "^build: image/image.tar +[0-9.]+ [KM]iB  $(cat image/manifest-digest)$" stderr
  grep -E "^build: image/digest +71 B  $(cat image/digest)$" stderr
  grep -E "^build: image/manifest-digest +71 B  $(cat image/manifest-digest)$" stderr
  grep -E '^build: time: oci-params [0-9.]+ s, oci-solve [0-9.]+ s, oci-digest [0-9.]+ s, in all [0-9.]+ s$' stderr
}

@test "basic: no temporary file, process or mount is left behind" {
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR nothing_left_behind
}

@test "basic: output files are readable by everyone" {
  [ "$(stat -c %a image/image.tar)" = 644 ]
  [ "$(stat -c %a image/digest)" = 644 ]
}

@test "no output: without a directory 'image' the build runs and says that nothing was exported" {
  enter_task context
  succeed_task CONTEXT="$FIXTURES/basic" NO_CACHE=true
  said 'the greeting is: hello'
  said "build: no directory 'image': built only, nothing exported"
  [ "$(files_in .)" = context ]
  nothing_left_behind
}

@test "basic: CONTEXT defaults to the working directory and DOCKERFILE to the Dockerfile in it" {
  enter_task
  cp "$FIXTURES"/basic/* .
  succeed_task
  [ "$(file_of greeting)" = hello ]
}

@test "dockerfile path: DOCKERFILE may have any name and lie anywhere, the context stays" {
  enter_task
  succeed_task CONTEXT="$FIXTURES/dockerfile-path" DOCKERFILE="$FIXTURES/dockerfile-path/other/hello.Dockerfile"
  [ "$(file_of file)" = context ]
}

@test "basic: an output inside the context does not find its way into the image" {
  enter_task image docs
  cp "$FIXTURES/whole-context/Dockerfile" .
  echo text >docs/page
  succeed_task UNPACK_ROOTFS=true
  (cd image/rootfs && find . | sort) >found
  printf '%s\n' . ./Dockerfile ./docs ./docs/page ./image | diff - found
}

@test "basic: rules of .dockerignore hold where an output lies inside the context" {
  enter_task image docs
  cp "$FIXTURES/whole-context/Dockerfile" .
  echo text >docs/page
  echo docs >.dockerignore
  succeed_task UNPACK_ROOTFS=true
  [ "$(files_in image/rootfs)" = '.dockerignore Dockerfile image' ]
}

@test "basic: a second build replaces what the first one left" {
  enter_task
  succeed_task CONTEXT="$FIXTURES/labels" LABEL_number=1 UNPACK_ROOTFS=true
  first=$(cat image/digest)
  succeed_task CONTEXT="$FIXTURES/labels" LABEL_number=2
  [ "$(label_of number)" = 2 ]
  [ "$(cat image/digest)" != "$first" ]
  [ "$(files_in image)" = 'digest image.tar manifest-digest' ]
}

@test "basic: what lies in the lower layer of an overlay is replaced too" {
  enter_task lower/rootfs upper work image
  echo old >lower/rootfs/old
  echo '{}' | tee lower/metadata.json >lower/labels.json
  echo old >lower/digest
  mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work image || skip 'no overlay can be mounted here'
  run_task CONTEXT="$FIXTURES/labels" UNPACK_ROOTFS=true
  files=$(files_in image)
  unpacked=$(files_in image/rootfs)
  umount image
  [ "$status" -eq 0 ]
  [ "$files" = 'digest image.tar labels.json manifest-digest metadata.json rootfs' ]
  [ "$unpacked" = Dockerfile ]
}

@test "basic: files of the user beside the outputs stay" {
  enter_task
  echo 1.0 >image/tag
  succeed_task CONTEXT="$FIXTURES/labels"
  [ "$(files_in image)" = 'digest image.tar manifest-digest tag' ]
}
