#!/usr/bin/env bats
# UNPACK_ROOTFS: the image as a Concourse task takes it.

load ../support/load

setup() {
  require_engine
  enter_task
}

@test "unpack rootfs: rootfs holds the files with their facts" {
  succeed_task CONTEXT="$FIXTURES/unpack" UNPACK_ROOTFS=true
  [ "$(files_in image)" = 'digest image.tar labels.json manifest-digest metadata.json rootfs' ]
  cmp image/rootfs/somewhere/file "$FIXTURES/unpack/Dockerfile"
  [ "$(stat -c %a image/rootfs/somewhere/file)" = 4755 ]
  [ "$(readlink image/rootfs/somewhere/link)" = file ]
  [ ! -e image/rootfs/removed ]
  [ -x image/rootfs/bin/busybox ]
}

@test "unpack rootfs: metadata.json is what Concourse reads" {
  succeed_task CONTEXT="$FIXTURES/unpack" UNPACK_ROOTFS=true
  [ "$(jq -c .env image/metadata.json)" = '["PATH=/bin:/somewhere","FRUIT=pear"]' ]
  [ "$(jq -r .user image/metadata.json)" = 1000:1000 ]
  [ "$(jq -c '[.entrypoint, .cmd, .workdir]' image/metadata.json)" = '[["sh","-c"],["id"],"/home"]' ]
}

@test "unpack rootfs: labels.json holds the labels of the image, as load_var takes them" {
  succeed_task CONTEXT="$FIXTURES/labels" UNPACK_ROOTFS=true LABEL_first=one LABEL_second='two "words"'
  [ "$(jq -cS . image/labels.json)" = "$(config_of | jq -cS .config.Labels)" ]
  [ "$(jq -r .second image/labels.json)" = 'two "words"' ]
  # Those of an earlier build go with its rootfs.
  succeed_task CONTEXT="$FIXTURES/labels"
  [ ! -e image/labels.json ]
}

@test "unpack rootfs: works together with OUTPUT_OCI" {
  succeed_task CONTEXT="$FIXTURES/unpack" UNPACK_ROOTFS=true OUTPUT_OCI=true
  [ "$(files_in image)" = 'digest image labels.json manifest-digest metadata.json rootfs' ]
  cmp image/rootfs/somewhere/file "$FIXTURES/unpack/Dockerfile"
}

@test "unpack rootfs: of several platforms the machine's own is unpacked, and the build says so" {
  succeed_task CONTEXT="$FIXTURES/platforms" UNPACK_ROOTFS=true IMAGE_PLATFORM=linux/s390x,linux/amd64,linux/arm64
  [ "$(jq -r '.env[] | select(startswith("ARCH"))' image/metadata.json)" = "ARCHITECTURE=$(image_architecture)" ]
  said "build: unpacking 'image/image' for linux/$(image_architecture), the platform of this machine"
}

@test "unpack rootfs: of several foreign platforms the first is unpacked, and the build says so" {
  succeed_task CONTEXT="$FIXTURES/platforms" UNPACK_ROOTFS=true IMAGE_PLATFORM=linux/s390x,linux/ppc64le
  [ "$(jq -r '.env[] | select(startswith("ARCH"))' image/metadata.json)" = ARCHITECTURE=s390x ]
  said "build: unpacking 'image/image' for linux/s390x, the first platform"
}

@test "unpack rootfs: the summary names rootfs and metadata.json with their sizes" {
  succeed_task CONTEXT="$FIXTURES/labels" UNPACK_ROOTFS=true
  said "image/rootfs/ "
  said "image/metadata.json "
  [[ $stderr =~ oci-unpack\ [0-9.]+\ s ]]
}
