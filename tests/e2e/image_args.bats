#!/usr/bin/env bats
# IMAGE_ARG_* and BUILD_CONTEXTS: images and directories that lie on disk.

load ../support/load

# Two images that no registry has, in every form an image comes in.
setup_file() {
  command -v buildkitd >/dev/null || return 0
  export IMAGES=$BATS_FILE_TMPDIR/images
  local name root
  for name in one two; do
    root=$BATS_FILE_TMPDIR/$name
    mkdir "$root"
    echo "$name" >"$root/name"
    head -c 3000 /dev/urandom >"$root/random"
    make_image "$IMAGES/$name" "$root" >&2
    skopeo copy --quiet "oci:$IMAGES/$name:latest" "docker-archive:$IMAGES/$name.tar:example.test/$name:1"
    tar -C "$IMAGES/$name" -cf "$IMAGES/$name-layout.tar" .
  done
}

setup() {
  require_engine
  enter_task image first
}

# diff_ids_of REFERENCE: of the layers, one a line.
diff_ids_of() {
  skopeo inspect --config "$1" | jq -r '.rootfs.diff_ids[]'
}

# builds_on NAME DIRECTORY: the image in DIRECTORY has the layers of NAME and one of its own.
builds_on() {
  [ "$(diff_ids_of "$(image_reference "$2")" | head -n -1)" = "$(diff_ids_of "oci:$IMAGES/$1:latest")" ]
}

@test "image args: docker-save tars serve as bases, for every target" {
  succeed_task CONTEXT="$FIXTURES/image-args" ADDITIONAL_TARGETS=first \
    IMAGE_ARG_first_image="$IMAGES/one.tar" IMAGE_ARG_second_image="$IMAGES/two.tar"
  builds_on one first
  builds_on two image
}

@test "image args with OCI images: layout directories and tars of them serve as bases" {
  succeed_task CONTEXT="$FIXTURES/image-args" ADDITIONAL_TARGETS=first \
    IMAGE_ARG_first_image="$IMAGES/one" IMAGE_ARG_second_image="$IMAGES/two-layout.tar"
  builds_on one first
  builds_on two image
}

@test "image args: an index with several platforms gives each platform its own base" {
  mkdir arm intel
  echo arm >arm/name
  echo intel >intel/name
  make_image bases arm arm linux/arm64
  make_image bases intel intel linux/amd64
  make_index bases latest arm intel
  printf 'ARG base\nFROM ${base}\nCOPY Dockerfile /\n' >Dockerfile
  succeed_task IMAGE_ARG_base=bases IMAGE_PLATFORM=linux/arm64,linux/amd64
  for architecture in arm64 amd64; do
    [ "$(skopeo --override-arch "$architecture" inspect --config oci:image/image | jq -r '.rootfs.diff_ids[0]')" = \
      "$(skopeo --override-arch "$architecture" inspect --config oci:bases:latest | jq -r '.rootfs.diff_ids[0]')" ]
  done
}

@test "image args with uppercase name: the build arg keeps its case" {
  succeed_task CONTEXT="$FIXTURES/image-args" DOCKERFILE="$FIXTURES/image-args/uppercase.Dockerfile" \
    IMAGE_ARG_FIRST_IMAGE="$IMAGES/one.tar" UNPACK_ROOTFS=true
  [ "$(cat image/rootfs/name)" = one ]
  cmp image/rootfs/of-second "$FIXTURES/image-args/Dockerfile"
  [ "$(jq -r .user image/metadata.json)" = pear ]
}

@test "image args unpack: the unpacked image holds the base's files and its own" {
  succeed_task CONTEXT="$FIXTURES/image-args" ADDITIONAL_TARGETS=first UNPACK_ROOTFS=true \
    IMAGE_ARG_first_image="$IMAGES/one.tar" IMAGE_ARG_second_image="$IMAGES/one.tar"
  [ "$(cat image/rootfs/name)" = one ]
  cmp image/rootfs/of-second "$FIXTURES/image-args/Dockerfile"
  [ "$(jq -c '[.user, .env]' image/metadata.json)" = '["pear",["PATH=/nowhere"]]' ]
}

@test "image args: the output of one build is the base of the next" {
  succeed_task CONTEXT="$FIXTURES/labels" LABEL_step=one
  mv image base
  mkdir image
  printf 'ARG base\nFROM ${base}\nCOPY Dockerfile /second\n' >Dockerfile
  succeed_task IMAGE_ARG_base=base/image.tar
  [ "$(label_of step)" = one ]
}

@test "image args: a file that is no image is named, with its variable, before anything is built" {
  echo text >text.tar
  run_task CONTEXT="$FIXTURES/image-args" IMAGE_ARG_first_image=text.tar
  [ "$status" -eq 1 ]
  said IMAGE_ARG_first_image
  said "'text.tar'"
  did_not_say '#1 '
}

@test "image args: the ARG has the same value with every engine, also in the history" {
  printf 'ARG My_Base\nFROM $My_Base\nARG My_Base\nCOPY Dockerfile /\nLABEL base=$My_Base\n' >Dockerfile
  succeed_task IMAGE_ARG_My_Base="$IMAGES/one"
  [ "$(label_of base)" = image-arg/my-base ]
  [ "$(config_of | jq -r '.history[].created_by' | grep '^ARG')" = 'ARG My_Base=image-arg/my-base' ]
  did_not_say warning
}

@test "image args and build contexts: what the Dockerfile does not use is named in a warning" {
  mkdir assets
  printf 'ARG used\nARG idle\nFROM $used\nCOPY --from=two /name /two\n' >Dockerfile
  succeed_task IMAGE_ARG_used="$IMAGES/one" IMAGE_ARG_idle="$IMAGES/one" IMAGE_ARG_slip="$IMAGES/one" \
    BUILD_CONTEXTS="two=$IMAGES/two,debian:12=$IMAGES/one,assets=assets"
  [ "$(grep '^oci-solve: warning: ' <<<"$stderr" | cut -d ' ' -f 3-)" = "\
IMAGE_ARG_idle has no effect unless ONBUILD of a base image uses it: no FROM of the Dockerfile uses the ARG 'idle'
IMAGE_ARG_slip has no effect unless ONBUILD of a base image uses it: the Dockerfile has no ARG 'slip'
BUILD_CONTEXTS: 'debian:12' has no effect unless ONBUILD of a base image uses it: the Dockerfile has it as no stage, behind no FROM and no from=
BUILD_CONTEXTS: 'assets' has no effect unless ONBUILD of a base image uses it: the Dockerfile has it as no stage, behind no FROM and no from=" ]
}

@test "build contexts: an image serves FROM and COPY --from of its name" {
  cat >Dockerfile <<'END'
FROM example.test/one:1 AS start
FROM scratch
COPY --from=two /name /two
COPY --from=start /name /one
END
  succeed_task BUILD_CONTEXTS="example.test/one:1=$IMAGES/one.tar,two=$IMAGES/two" UNPACK_ROOTFS=true
  [ "$(cat image/rootfs/one image/rootfs/two)" = $'one\ntwo' ]
}

@test "build contexts: the name of a public image is served from disk" {
  printf 'FROM busybox\nRUN test -x /bin/busybox\n' >Dockerfile
  succeed_task BUILDKIT_HOST= BUILD_CONTEXTS="busybox=$BASES/busybox"
  nothing_left_behind
}

@test "build contexts: a plain directory serves COPY --from of its name" {
  mkdir assets
  echo asset >assets/file
  printf 'FROM scratch\nCOPY --from=assets file /\n' >Dockerfile
  succeed_task BUILD_CONTEXTS=assets=assets UNPACK_ROOTFS=true
  [ "$(cat image/rootfs/file)" = asset ]
}

@test "build contexts: lines work as commas do" {
  mkdir a b
  echo a >a/a
  echo b >b/b
  printf 'FROM scratch\nCOPY --from=a . /\nCOPY --from=b . /\n' >Dockerfile
  succeed_task BUILD_CONTEXTS=$'a=a\nb=b\n' UNPACK_ROOTFS=true
  [ "$(files_in image/rootfs)" = 'a b' ]
}
